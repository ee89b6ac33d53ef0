import subprocess
import sys

import pytest

from drivers import catalog
from drivers.catalog import OptionError, checked, make, options

NEEDED = {"pms5003": {"port": "/dev/ttyUSB0"}, "pms5003t": {"port": "/dev/ttyUSB0"}}


@pytest.mark.parametrize("kind", sorted(catalog.KINDS))
def test_every_kind_can_be_made(kind: str) -> None:
    """A driver of that kind comes out, with rows that say what it will measure."""
    driver = make(kind, NEEDED.get(kind, {}))
    assert kind == driver.KIND
    assert kind.startswith("fake") is driver.SIMULATED
    assert driver.SPEC


@pytest.mark.parametrize("kind", sorted(catalog.KINDS))
def test_every_option_is_explained(kind: str) -> None:
    """Each option has a text, and a default that passes its own check."""
    for name, option in options(kind).items():
        assert option.explain, name
    assert set(checked(kind, NEEDED.get(kind, {}))) == set(options(kind))


@pytest.mark.parametrize(
    ("kind", "given", "named"),
    [
        ("bme680", {}, "no driver 'bme680'; known: bme280, bmp280,"),
        ("bme280", {"adress": 0x76}, "no option 'adress'; allowed: address, bus"),
        ("bme280", {"address": "0x76"}, "address = '0x76' is not a whole number"),
        ("bme280", {"address": 0x78}, "address = 120 is not from 118 to 119"),
        ("bme280", {"bus": True}, "bus = True is not a whole number"),
        ("pms5003", {}, "pms5003 needs the option port"),
        ("pms5003", {"port": 3}, "port = 3 is not a text"),
        ("pms5003", {"port": "x", "every_frame": 1}, "every_frame = 1 is not true or false"),
        ("pms5003", {"port": "x", "warm_up_s": -1}, "warm_up_s = -1.0 is not from 0 to 3600"),
        ("ds18b20", {"quantity": "salinity"}, "'salinity'; allowed: temperature,"),
        ("fake_pier", {"seed": 1.5}, "seed = 1.5 is not a whole number"),
    ],
)
def test_a_wrong_option_is_named_with_what_is_allowed(
    kind: str, given: dict[str, object], named: str
) -> None:
    """The message is enough to edit the settings; nothing is made."""
    with pytest.raises(OptionError) as caught:
        make(kind, given)
    assert named in str(caught.value)


def test_a_whole_number_is_a_number() -> None:
    """In TOML 30 is as good as 30.0."""
    assert checked("pms5003", {"port": "x", "warm_up_s": 30})["warm_up_s"] == 30.0


def test_the_words_of_an_option_are_those_of_the_driver() -> None:
    """What the settings allow is what the driver takes."""
    from drivers.ds18b20 import QUANTITIES  # noqa: PLC0415 # only here

    assert catalog.WORDS["quantity"] == QUANTITIES


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
