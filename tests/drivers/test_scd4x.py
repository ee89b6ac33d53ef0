from drivers import scd4x, sensirion
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

PORTABLE = True


scd4x.STOP_S = scd4x.POLL_S = 0.001  # A fake chip is ready at once.
scd4x.READY_MAX_S = 0.01
MEASURED = bytes.fromhex("01f4336667a25eb93c")
NOT_READY = bytes.fromhex("8000a2")
READY = bytes.fromhex("800604")


def chip(ready: "list[bytes]", measured: bytes = MEASURED) -> "tuple[FakeI2C, scd4x.SCD41]":
    """A chip with those answers, and its driver."""
    answers: dict[bytes, bytes | list[bytes]] = {
        sensirion.command(scd4x.GET_SERIAL_NUMBER): sensirion.command(0, 1, 2, 3)[2:],
        sensirion.command(scd4x.GET_DATA_READY_STATUS): ready,
        sensirion.command(scd4x.READ_MEASUREMENT): measured,
    }
    i2c = FakeI2C({}, -1, {scd4x.ADDRESS: answers})
    return i2c, scd4x.SCD41(DirectI2C(i2c), pressure_hpa=1009, self_calibration=False)


def test_recorded_answers() -> None:
    """Each recorded answer gives its three values or its fault."""
    found = rows("scd4x", "response")
    assert len(found) == 6
    for row in found:
        answer = bytes.fromhex(row["input"]["response"])
        fault = row["expected"].get("fault", "")
        assert fault_of(scd4x.decode, answer) == fault
        if not fault:
            co2, celsius, _ = scd4x.decode(answer)
            assert co2 == row["expected"]["co2_ppm"]
            assert abs(celsius - row["expected"]["temperature_c"]) < 0.01


def test_ready_is_said_by_the_lower_eleven_bits() -> None:
    """Bit 15 is always set and means nothing."""
    assert [scd4x.is_ready(word) for word in (0x8000, 0x8006, 0x0001, 0x0800)] == [
        False,
        True,
        True,
        False,
    ]


def test_a_chip_that_has_not_measured_says_so() -> None:
    """A measurement of zeros with good CRCs is no measurement."""
    zeros = sensirion.command(0, 0, 0, 0)[2:]
    assert fault_of(scd4x.decode, zeros) == "no_data"


async def test_a_reading_waits_until_there_is_one() -> None:
    """The chip is stopped, set and started; then it is asked until it is ready."""
    i2c, driver = chip([NOT_READY, NOT_READY, READY])
    await driver.start()
    readings = await driver.read()
    assert [command.hex() for command in i2c.commands[:5]] == [
        "3f86",
        "3682",
        "24160000" + f"{sensirion.crc8(bytes(2)):02x}",
        "e00003f1" + f"{sensirion.crc8(bytes([3, 0xF1])):02x}",
        "21b1",
    ]
    assert [one.value for one in readings] == [500, 25.0, 37.0]
    await driver.close()


async def test_a_chip_that_never_gets_ready_is_a_timeout() -> None:
    """The driver does not wait for ever."""
    _, driver = chip([NOT_READY] * 100)
    await driver.start()
    assert await fault_awaited(driver.read()) == "timeout"
