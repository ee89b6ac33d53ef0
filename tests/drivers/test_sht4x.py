from drivers import sensirion, sht4x
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited

PORTABLE = True

MEASURED = bytes.fromhex("66ee504cbf2d")
SERIAL = sensirion.command(0, 0x1234, 0x5678)[2:]


def chip(measured: bytes, fail_at: int = -1) -> "tuple[FakeI2C, sht4x.SHT4x]":
    """A chip that answers with those bytes, and its driver."""
    answers: dict[bytes, bytes | list[bytes]] = {b"\x89": SERIAL, b"\xfd": measured}
    i2c = FakeI2C({}, fail_at, {sht4x.ADDRESS: answers})
    return i2c, sht4x.SHT4x(DirectI2C(i2c))


def test_recorded_answers() -> None:
    """Each recorded answer gives its temperature and humidity."""
    found = rows("sht4x", "response")
    assert len(found) == 4
    for row in found:
        celsius, percent = sht4x.decode(bytes.fromhex(row["input"]["response"]))
        assert abs(celsius - row["expected"]["temperature_c"]) < 0.01
        assert abs(percent - row["expected"]["humidity_rh"]) < 0.01


def test_the_ends_of_the_scale() -> None:
    """Humidity is cropped to 0 and 100; the formula would give -6 and 119."""
    assert (sht4x.percent(0), sht4x.percent(65535)) == (0, 100)
    assert abs(sht4x.celsius(32768) - 42.501) < 0.005
    assert abs(sht4x.percent(32768) - 56.501) < 0.005


async def test_a_reading_from_start_to_close() -> None:
    """The chip is reset, identified and measured, in this order."""
    i2c, driver = chip(MEASURED)
    await driver.start()
    readings = await driver.read()
    await driver.close()
    assert i2c.commands == [b"\x94", b"\x89", b"\xfd"]
    assert [(one.quantity, one.value, one.unit, one.quality) for one in readings] == [
        ("air_temperature", 25.36, "Cel", "ok"),
        ("relative_humidity", 31.5, "%", "ok"),
    ]


async def test_a_damaged_answer_is_no_reading() -> None:
    """A wrong CRC is a fault of its own."""
    _, driver = chip(b"\x00" + MEASURED[1:])
    await driver.start()
    assert await fault_awaited(driver.read()) == "crc"


async def test_every_transfer_may_fail() -> None:
    """An unplugged wire is an io fault, whichever transfer it meets."""
    for number in range(5):
        i2c, driver = chip(MEASURED, number)
        faults = [await fault_awaited(driver.start()), await fault_awaited(driver.read())]
        assert "io" in faults, number
        assert i2c.transfers >= number
