from drivers import light
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True


def test_counts_of_a_bh1750() -> None:
    """Each count gives its lux, in its mode and with its measuring time."""
    for row in rows("light", "mode"):
        given, wanted = row["input"], row["expected"]
        raw = light.count(bytes.fromhex(given["bytes"]))
        lux = light.bh1750_lux(raw, given["mode"], given.get("mtreg", 69))
        if "lux" in wanted:
            assert abs(lux - wanted["lux"]) < 0.01
        else:
            assert light.reading(light.BH1750.SPEC[0], raw, lux).quality == "saturated"


def test_counts_of_a_veml7700() -> None:
    """Each count gives its lux with its gain, time and constant, corrected or not."""
    found = rows("light", "gain")
    assert len(found) == 5
    for row in found:
        given = row["input"]
        lux = light.veml7700_lux(
            given["raw"],
            given["gain"],
            given["it_ms"],
            given["lx_per_count_base"],
            corrected=given.get("correction", True),
        )
        assert abs(lux - row["expected"]["lux"]) < 0.01


async def test_a_bh1750_is_set_and_read() -> None:
    """It wakes, gets its measuring time in two halves, and measures once."""
    light.BH1750_MODES["H-res2"] = (0x21, 0.001, 2)  # A fake chip is ready at once.
    answers: dict[bytes, bytes | list[bytes]] = {b"\x21": bytes.fromhex("8390")}
    i2c = FakeI2C({}, -1, {light.BH1750_ADDRESS: answers})
    driver = light.BH1750(DirectI2C(i2c), mode="H-res2", mtreg=138)
    await driver.start()
    assert await driver.read() == (("illuminance", 7016.7, "lx", "ok"),)
    assert [command.hex() for command in i2c.commands] == ["01", "44", "6a", "21"]


async def test_a_veml7700_is_set_and_read() -> None:
    """Gain and time stand in one register, low byte first, and so does the count."""
    registers = {light.REG_ALS: 0xC8, light.REG_ALS + 1: 0x05}
    i2c = FakeI2C({light.VEML7700_ADDRESS: registers})
    driver = light.VEML7700(DirectI2C(i2c), gain=1.0, integration_ms=25, lux_per_count=0.0576)
    await driver.start()
    assert await driver.read() == (("illuminance", 340.99, "lx", "ok"),)
    assert i2c.writes == [(0x10, 0, (0b1100 << 6).to_bytes(2, "little"))]


def test_full_counts_are_saturated() -> None:
    """At the highest count the light may be brighter; the value stays, and says so."""
    found = light.reading(light.VEML7700.SPEC[0], 0xFFFF, 30000.0)
    assert (found.value, found.quality) == (30000.0, "saturated")


def test_wrong_options_are_refused() -> None:
    """What the chip does not have is named."""
    for call, given in (
        (light.check_bh1750, ("high", 69)),
        (light.check_bh1750, ("H-res", 30)),
        (light.check_veml7700, (3.0, 100)),
        (light.check_veml7700, (1.0, 60)),
    ):
        assert fault_of(call, *given) == "input"
    assert fault_of(light.count, b"\x01") == "length"
