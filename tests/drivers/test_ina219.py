from drivers import ina219
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True


def test_the_worked_example() -> None:
    """The registers of the data sheet's table give its volts, amperes and watts."""
    row = next(row for row in rows("ina219", "regs") if row["id"] == "ina219-ti")
    registers = {int(key, 16): int(value, 16) for key, value in row["input"]["regs"].items()}
    wanted = row["expected"]
    assert abs(ina219.shunt_volts(registers[1]) * 1000 - wanted["shunt_mv"]) < 1e-9
    assert abs(ina219.bus_volts(registers[2]) - wanted["bus_v"]) < 1e-9
    assert not ina219.is_overflow(registers[2])
    registers[2] |= ina219.CONVERSION_READY
    readings = ina219.readings(ina219.INA219.SPEC, registers, row["input"]["current_lsb"])
    assert [one.value for one in readings] == [wanted["bus_v"], wanted["current_a"], 119.8]


def test_the_calibration() -> None:
    """The register follows from the shunt and the highest current."""
    (row,) = rows("ina219", "i_max")
    lsb_a, value = ina219.calibration(row["input"]["r_shunt"], row["input"]["i_max"])
    assert abs(lsb_a - row["expected"]["current_lsb_a"]) < 1e-8
    assert value == row["expected"]["cal"]
    assert fault_of(ina219.calibration, 0.0, 1.0) == "input"
    assert fault_of(ina219.calibration, 1e-9, 1e-3) == "input"


async def test_a_reading_that_flows_back() -> None:
    """Current has a sign; the calibration is written before each reading."""
    answers: dict[bytes, bytes | list[bytes]] = {
        b"\x02": bytes.fromhex("5d9a"),
        b"\x03": bytes.fromhex("0064"),
        b"\x04": bytes.fromhex("fc18"),
    }
    i2c = FakeI2C({}, -1, {ina219.ADDRESS: answers})
    driver = ina219.INA219(DirectI2C(i2c))
    await driver.start()
    assert [one.value for one in await driver.read()] == [11.98, -0.098, 0.2]
    assert (0x40, 5, (4194).to_bytes(2, "big")) in i2c.writes


async def test_an_overflow_has_no_current() -> None:
    """When the arithmetic of the chip overflowed, only the voltage is true."""
    registers = {2: 0x5D9B, 3: 0, 4: 0}
    readings = ina219.readings(ina219.INA219.SPEC, registers, 0.001)
    assert [one.quality for one in readings] == ["ok", "out_of_range", "out_of_range"]
    registers[2] = 0x5D98
    assert fault_of(ina219.readings, ina219.INA219.SPEC, registers, 0.001) == "no_data"
