import subprocess
import sys

import pytest

from drivers import catalog
from drivers.catalog import checked, make, options
from drivers.errors import DriverError

MAP = "ph, [pH], 0, u16, 0.01, 0, 14, 2; water_temperature, Cel, 1, s16, 0.1, -20, 80, 1"
ADDRESS = "A4:C1:38:12:34:56"
FOR_NEEDED = {
    "port": "/dev/ttyUSB0",
    "pin": 17,
    "registers": MAP,
    "address": ADDRESS,
    "key": "00" * 16,
}
# The options of each kind that have no default.
NEEDED = {
    kind: {
        name: FOR_NEEDED[name] for name, option in options(kind).items() if option.default is None
    }
    for kind in catalog.KINDS
}


@pytest.mark.parametrize("kind", sorted(catalog.KINDS))
def test_every_kind_can_be_made(kind: str) -> None:
    """A driver of that kind comes out, with rows that say what it will measure."""
    driver = make(kind, NEEDED.get(kind, {}))
    assert kind == driver.KIND
    assert kind.startswith("fake") is driver.SIMULATED
    # What a Bluetooth sensor measures shows when it is heard.
    assert bool(driver.SPEC) is not catalog.has_address(kind)


@pytest.mark.parametrize("kind", sorted(catalog.KINDS))
def test_every_option_is_explained(kind: str) -> None:
    """Each option has a text, and a default that passes its own check."""
    for name, option in options(kind).items():
        assert option.explain, name
    assert set(checked(kind, NEEDED.get(kind, {}))) == set(options(kind))


@pytest.mark.parametrize(
    ("kind", "given", "named"),
    [
        ("bme680", {}, "no driver 'bme680'; known: a02yyuw, ads1115,"),
        ("bme280", {"adress": 0x76}, "no option 'adress'; allowed: address, bus"),
        ("bme280", {"address": "0x76"}, "address = '0x76' is not a whole number"),
        ("bme280", {"address": 0x78}, "address = 0x78 is not from 0x76 to 0x77"),
        ("bh1750", {"address": 0x24}, "address = 0x24; allowed: 0x23, 0x5c"),
        ("bme280", {"bus": True}, "bus = True is not a whole number"),
        ("pms5003", {}, "pms5003 needs the option port"),
        ("pms5003", {"port": ""}, "port = '' is empty: serial device"),
        ("pms5003", {"port": 3}, "port = 3 is not a text"),
        ("pms5003", {"port": "x", "every_frame": 1}, "every_frame = 1 is not true or false"),
        ("pms5003", {"port": "x", "warm_up_s": -1}, "warm_up_s = -1.0 is not from 0 to 3600"),
        ("ds18b20", {"quantity": "salinity"}, "'salinity'; allowed: temperature,"),
        ("ads1115", {"range_v": 5.0}, "range_v = 5.0; allowed: 6.144,"),
        ("bh1750", {"mode": "high"}, "mode = 'high'; allowed: H-res,"),
        ("rain", {}, "rain needs the option pin: BCM number"),
        ("rain", {"pin": 99}, "pin = 99 is not from 0 to 53"),
        ("modbus", {"port": "x", "registers": "ph"}, "registers is wrong: not quantity, unit"),
        ("modbus", {"port": "x", "registers": MAP, "unit": 0}, "unit = 0 is not from 1 to 247"),
        ("bthome", {}, "bthome needs the option address: Bluetooth address, such as"),
        ("bthome", {"address": "A4:C1"}, "address = 'A4:C1' is no Bluetooth address"),
        ("bthome", {"address": ADDRESS, "key": "abc"}, "key has 3 characters; allowed: 32 hexa"),
        ("bthome", {"address": ADDRESS, "key": "x" * 32}, "key has 32 characters; allowed: 32"),
        ("xiaomi", {"address": ADDRESS, "key": "ab"}, "allowed: 24 or 32 hexadecimal digits"),
        ("ruuvitag", {"address": ADDRESS, "key": ""}, "no option 'key'; allowed: address,"),
        ("bthome", {"address": ADDRESS, "quantities": "rain ph"}, "has 'ph'; allowed: accel"),
        ("bthome", {"address": ADDRESS, "max_age_s": 0}, "max_age_s = 0.0 is not from 1 to 86400"),
        ("fake_pier", {"seed": 1.5}, "seed = 1.5 is not a whole number"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(
    kind: str, given: dict[str, object], named: str
) -> None:
    """The message is enough to edit the settings; nothing is made."""
    with pytest.raises(DriverError) as caught:
        make(kind, given)
    assert caught.value.fault == "input"
    assert named in str(caught.value)


def test_a_whole_number_is_a_number() -> None:
    """In TOML 30 is as good as 30.0."""
    assert checked("pms5003", {"port": "x", "warm_up_s": 30})["warm_up_s"] == 30.0


def test_the_words_of_an_option_are_those_of_the_driver() -> None:
    """What the settings allow is what the driver takes."""
    from drivers import ads1115, ds18b20, light, ultrasonic  # noqa: PLC0415 # only here

    assert catalog.WORDS["ds18b20", "quantity"] == ds18b20.QUANTITIES
    assert catalog.WORDS["a02yyuw", "quantity"] == ultrasonic.QUANTITIES
    assert catalog.WORDS["bh1750", "mode"] == tuple(light.BH1750_MODES)
    assert set(catalog.CHOICES["ads1115", "range_v"]) == set(ads1115.RANGES)
    assert set(catalog.CHOICES["veml7700", "gain"]) == set(light.GAINS)
    assert set(catalog.CHOICES["veml7700", "integration_ms"]) == set(light.INTEGRATION_TIMES_MS)


def test_every_chip_has_its_addresses() -> None:
    """A kind with an address says which ones its chip can have, its default among them."""
    for kind in catalog.KINDS:
        if "address" in options(kind) and not catalog.has_address(kind):
            low, high = catalog.ADDRESSES[kind]
            assert low <= options(kind)["address"].default <= high
    assert set(catalog.ADDRESSES) <= set(catalog.KINDS)


def test_what_a_bluetooth_sensor_sends_can_be_said_before_it_is_heard() -> None:
    """So that the screen can say that it is missing; a second probe has a number."""
    given = {"address": ADDRESS, "quantities": "air_temperature rain_2", "key": "AB" * 16}
    driver = make("bthome", given)
    assert driver.SPEC == (
        ("air_temperature", "Cel", -1e9, 1e9, 2),
        ("rain_2", "mm", -1e9, 1e9, 1),
    )


def test_a_sensor_keeps_its_ear() -> None:
    """A driver that is made anew knows what the one before has heard."""
    one, other = (make("bthome", {"address": address}) for address in (ADDRESS, ADDRESS.lower()))
    assert vars(one)["_ear"] is vars(other)["_ear"]


def test_units_on_one_line_take_turns() -> None:
    """Two Modbus probes on one serial device share the device and its lock."""
    one, other = (make("modbus", NEEDED["modbus"] | {"unit": unit}) for unit in (1, 2))
    assert vars(one)["_line"] is vars(other)["_line"]
    assert vars(one)["_turn"] is vars(other)["_turn"]


def test_the_table_costs_no_library() -> None:
    """Looking into the catalog imports no driver and no third-party library."""
    script = (
        "import sys; from drivers import catalog; catalog.options('bme280');"
        "print(*sorted(name for name in sys.modules if name.partition('.')[0] in"
        " {'drivers', 'smbus2', 'bleak', 'gpiozero', 'asyncio'}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["drivers", "drivers.catalog", "drivers.errors"]
