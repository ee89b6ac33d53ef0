import asyncio

from drivers import bme280
from drivers.bus import DirectI2C
from drivers.errors import DriverError
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True

CALIB_88 = bytes.fromhex("106e6c665e015d95b8d5d00b771e9dfff9ffac260ad8bd10004b")
CALIB_E1 = bytes.fromhex("6e01001305001e")
# The raw values of the vector bme280-periph-int, as the chip would hold them.
BURST = bytes.fromhex("4b7700" + "7ff500" + "790b")


def vector(name: str) -> "dict[str, Any]":
    """One captured row."""
    return {row["id"]: row for row in rows("bme280")}[name]


def chip(chip_id: int = 0x60) -> "dict[int, int]":
    """The registers of a chip that has measured."""
    registers = {0xD0: chip_id}
    for start, content in ((0x88, CALIB_88), (0xE1, CALIB_E1), (0xF7, BURST)):
        for i, byte in enumerate(content):
            registers[start + i] = byte
    return registers


async def started(registers: "dict[int, int]", fail_at: int = -1) -> "tuple[FakeI2C, Any]":
    """A driver on a bus with one chip."""
    i2c = FakeI2C({bme280.ADDRESS: registers}, fail_at)
    driver = bme280.BME280(DirectI2C(i2c))
    await driver.start()
    return i2c, driver


async def fault_of_a_reading(registers: "dict[int, int]", fail_at: int = -1) -> str:
    """Start a driver, read once; return the fault, or an empty string."""
    try:
        _, driver = await started(registers, fail_at)
        await driver.read()
    except DriverError as error:
        return error.fault
    return ""


def test_the_integer_formulas_match_bit_for_bit() -> None:
    """A BME280's raw values give the integers of Bosch's own code."""
    row = vector("bme280-periph-int")
    given, expected = row["input"], row["expected"]
    calibration = bme280.Calibration(
        bytes.fromhex(given["calib_88"]), bytes.fromhex(given["calib_e1"])
    )
    found = bme280.compensate(calibration, given["adc_t"], given["adc_p"], given["adc_h"])
    assert found == (
        expected["t_fine"],
        expected["temperature_centi"],
        expected["pressure_q24_8"],
        expected["humidity_q22_10"],
    )


def test_the_worked_example_of_the_data_sheet() -> None:
    """The BMP280's example gives the integer of the printed formula, not the misprint."""
    row = vector("bmp280-bosch")
    calibration = bme280.Calibration(bytes.fromhex(row["input"]["regs"]["0x88"]))
    raw = bme280.split(bytes.fromhex(row["input"]["regs"]["0xF7"]))
    assert raw == (519888, 415148, None)
    assert bme280.compensate(calibration, *raw) == (128422, 2508, 25767233, None)


def test_a_skipped_measurement_is_never_converted() -> None:
    """The reset value in any of the three registers means no data."""
    burst = bytes.fromhex(vector("bme280-skip")["input"]["regs"]["0xF7"])
    assert fault_of(bme280.split, burst) == "no_data"
    for text in ("800000" + "7ff500" + "790b", "4b7700" + "800000" + "790b"):
        assert fault_of(bme280.split, bytes.fromhex(text)) == "no_data"
    assert fault_of(bme280.split, bytes.fromhex("4b7700" + "7ff500" + "8000")) == "no_data"


def test_only_two_chips_are_taken() -> None:
    """Neighbours at the same address are refused by name."""
    row = vector("bme280-chipids")
    for text in row["input"]["chip_ids"]:
        wanted = "" if text in row["expected"]["accept"] else "wrong_chip"
        assert fault_of(bme280.check_chip, int(text, 16)) == wanted
    try:
        bme280.check_chip(0x61)
    except DriverError as error:
        message = str(error)
    assert "BME680" in message


def test_humidity_trim_values_have_a_sign() -> None:
    """H4 and H5 share a byte and are 12 bits with a sign each."""
    calibration = bme280.Calibration(CALIB_88, bytes([0x6E, 0x01, 0x00, 0xFF, 0x2F, 0x80, 0xE2]))
    assert calibration.humidity == (0x4B, 366, 0, -1, -2046, -30)


def test_a_wrong_number_of_bytes_is_named() -> None:
    """A short calibration or burst is an error, not a guess."""
    assert fault_of(bme280.Calibration, CALIB_88[:-3]) == "length"
    assert fault_of(bme280.Calibration, CALIB_88, CALIB_E1[:-1]) == "length"
    assert fault_of(bme280.Calibration, CALIB_88[:24], CALIB_E1) == "length"
    assert fault_of(bme280.split, BURST[:7]) == "length"


def test_an_empty_calibration_is_no_division_by_zero() -> None:
    """A chip whose calibration reads as zeros gives no data."""
    empty = bme280.Calibration(bytes(26), bytes(7))
    assert fault_of(bme280.compensate, empty, 524112, 309104, 30987) == "no_data"


async def test_a_reading_over_the_bus() -> None:
    """A started chip gives its three quantities, rounded as the SPEC says."""
    _, driver = await started(chip())
    readings = await driver.read()
    assert [(one.quantity, one.value, one.unit, one.quality) for one in readings] == [
        ("air_temperature", 22.93, "Cel", "ok"),
        ("pressure", 1000.4, "hPa", "ok"),
        ("relative_humidity", 63.2, "%", "ok"),
    ]


async def test_humidity_is_set_up_before_the_measurement() -> None:
    """ctrl_hum is written before ctrl_meas, or the chip would ignore it."""
    i2c, driver = await started(chip())
    i2c.writes.clear()
    await driver.read()
    assert [register for _, register, _ in i2c.writes] == [0xF2, 0xF4]


async def test_a_dry_chip_lacks_humidity_and_says_so() -> None:
    """A BMP280 in a BME280's place gives its two values, and humidity as absent."""
    i2c, driver = await started(chip(0x58))
    readings = await driver.read()
    assert [one.quality for one in readings] == ["ok", "ok", "absent"]
    assert 0xF2 not in [register for _, register, _ in i2c.writes]


async def test_a_failed_transfer_is_a_bus_error_wherever_it_happens() -> None:
    """An unplugged wire at any transfer of a start and a reading is a fault, not a crash."""
    i2c, driver = await started(chip())
    await driver.read()
    assert i2c.transfers > 8
    for number in range(i2c.transfers):
        assert await fault_of_a_reading(chip(), fail_at=number) == "io"


async def test_a_chip_that_stays_busy_is_given_up() -> None:
    """A calibration copy or a measurement that never ends is a timeout."""
    for bit in (0x01, 0x08):
        registers = chip()
        registers[0xF3] = bit
        assert await fault_of_a_reading(registers) == "timeout"


async def test_an_empty_socket_is_a_bus_error() -> None:
    """Nobody at the address is a fault of the bus."""
    driver = bme280.BME280(DirectI2C(FakeI2C({})))
    try:
        await driver.start()
    except DriverError as error:
        assert error.quality == "io"  # noqa: PT017 # pytest is not portable
        assert "0x76" in str(error)  # noqa: PT017 # the same
    else:
        raise AssertionError("no error")
    await asyncio.sleep(0)


async def test_a_value_beyond_the_data_sheet_is_withheld() -> None:
    """A raw temperature that means 150 °C is out of range and has no value."""
    registers = chip()
    for i, byte in enumerate(bytes.fromhex("4b7700" + "f00000" + "790b")):
        registers[0xF7 + i] = byte
    _, driver = await started(registers)
    temperature = (await driver.read())[0]
    assert (temperature.value, temperature.quality) == (None, "out_of_range")
