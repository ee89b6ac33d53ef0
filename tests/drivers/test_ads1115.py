from drivers import ads1115
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

PORTABLE = True


def chip(conversion: str, *configs: str) -> "FakeI2C":
    """A chip that converted that, and says one after another how; of input 0 if not told."""
    answers: dict[bytes, bytes | list[bytes]] = {
        b"\x00": bytes.fromhex(conversion),
        b"\x01": [bytes.fromhex(config) for config in configs] or bytes.fromhex("c383"),
    }
    return FakeI2C({}, -1, {ads1115.ADDRESS: answers})


def test_captured_conversions() -> None:
    """Each conversion gives its number and its voltage."""
    found = rows("ads1115", "bytes")
    assert len(found) == 2
    for row in found:
        raw = ads1115.decode(bytes.fromhex(row["input"]["bytes"]))
        assert raw == row["expected"]["raw"]
        volts = ads1115.volts(raw, row["input"]["fsr_v"])
        assert abs(volts * 1000 - row["expected"]["millivolt"]) < 0.01


async def test_a_reading_of_one_input() -> None:
    """The configuration starts one conversion of that input against ground, in that range."""
    i2c = chip("4000", "8583", "e583")
    driver = ads1115.ADS1115(DirectI2C(i2c), channel=2, range_v=2.048)
    await driver.start()
    assert await driver.read() == (("voltage", 1.024, "V", "ok"),)
    assert i2c.writes == [(0x48, 1, bytes.fromhex("e583"))]


async def test_the_end_of_the_range_is_said() -> None:
    """At its highest and lowest number the voltage may be beyond."""
    for conversion, volts in (("7fff", 4.0959), ("8000", -4.096)):
        driver = ads1115.ADS1115(DirectI2C(chip(conversion)))
        await driver.start()
        assert await driver.read() == (("voltage", volts, "V", "saturated"),)


async def test_a_conversion_that_never_ends_is_a_timeout() -> None:
    """The driver does not wait for ever."""
    driver = ads1115.ADS1115(DirectI2C(chip("4000", *["4383"] * 20)))
    await driver.start()
    assert await fault_awaited(driver.read()) == "timeout"


async def test_a_conversion_of_another_input_is_not_taken() -> None:
    """Inputs share the converter; when another one came between, ours is started again."""
    i2c = chip("4000", "8583", "d383", "c383")
    driver = ads1115.ADS1115(DirectI2C(i2c))
    await driver.start()
    assert await driver.read() == (("voltage", 2.048, "V", "ok"),)
    assert i2c.writes == [(0x48, 1, bytes.fromhex("c383"))] * 2


async def test_a_converter_that_others_keep_is_a_timeout() -> None:
    """It is not asked for ever."""
    driver = ads1115.ADS1115(DirectI2C(chip("4000", "8583", *["d383"] * 20)))
    await driver.start()
    assert await fault_awaited(driver.read()) == "timeout"


def test_wrong_options_are_refused() -> None:
    """A channel or a range that the chip does not have is named."""
    bus = DirectI2C(chip("4000"))
    assert fault_of(lambda: ads1115.ADS1115(bus, channel=4)) == "input"
    assert fault_of(lambda: ads1115.ADS1115(bus, range_v=5.0)) == "input"
    assert fault_of(ads1115.decode, b"\x00") == "length"
