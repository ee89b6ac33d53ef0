"""The table of drivers: kind in the settings → options and how to make one on Linux.

No driver and no library is imported before it is made: what a kiosk does not have must not
cost it time at start.
"""

from collections import namedtuple

from drivers.errors import DriverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NamedTuple, Protocol

    from drivers.reading import Reading, SpecRow

    class Driver(Protocol):
        """What every driver is."""

        KIND: str
        SIMULATED: bool
        SPEC: tuple[SpecRow, ...]

        async def start(self) -> None:
            """Find the sensor and make it ready. Raises `DriverError`."""

        async def read(self) -> tuple[Reading, ...]:
            """Measure once, or wait for the next frame. Raises `DriverError`."""

        async def close(self) -> None:
            """Give the wire back."""

    class Option(NamedTuple):
        """One option of a `[[sensor]]` table; a default of None means that it is needed."""

        type: type
        default: Any
        explain: str

else:
    Option = namedtuple("Option", ("type", "default", "explain"))  # noqa: PYI024 # portable


class OptionError(DriverError):
    """A `[[sensor]]` table is wrong: the technician must edit it."""

    FAULT = "input"


I2C_OPTIONS = {
    "bus": Option(int, 1, "number N of /dev/i2c-N"),
    "address": Option(int, 0x76, "0x76, or 0x77 with SDO high"),
}
LINE_OPTIONS = {
    "port": Option(str, None, "serial device, best below /dev/serial/by-id"),
    "every_frame": Option(bool, False, "take each frame the sensor sends, with period_s = 0"),
    "warm_up_s": Option(float, 30.0, "seconds after the fan starts without a value"),
}
W1_OPTIONS = {
    "device": Option(str, "", "name in /sys/bus/w1/devices; empty takes the only one"),
    "quantity": Option(
        str, "temperature", "temperature, water_temperature or air_temperature: what it hangs in"
    ),
    "root": Option(str, "/sys/bus/w1/devices", "where the kernel lists 1-Wire devices"),
}
HOST_OPTIONS = {"disk": Option(str, "/", "the file system whose use is watched")}
FAKE_OPTIONS = {"seed": Option(int, 1, "another seed, another course of the noise")}


def _on_i2c(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.i2c import shared

    return {"bus": shared(full["bus"]), "address": full["address"]}


def _on_line(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.uart import UART
    from drivers.pms5003 import BAUD

    return {
        "line": UART(full["port"], BAUD),
        "every_frame": full["every_frame"],
        "warm_up_s": full["warm_up_s"],
    }


def _on_w1(full: "dict[str, Any]") -> "dict[str, Any]":
    from pathlib import Path

    from drivers.linux.onewire import W1Probe

    return {
        "probe": W1Probe(full["device"], Path(full["root"])),
        "quantity": full["quantity"],
    }


def _as_given(full: "dict[str, Any]") -> "dict[str, Any]":
    return full


# kind → module, class, options, and what turns the options into the class's arguments
KINDS: "dict[str, tuple[str, str, dict[str, Option], Callable[[Any], dict[str, Any]]]]" = {
    "bme280": ("drivers.bme280", "BME280", I2C_OPTIONS, _on_i2c),
    "bmp280": ("drivers.bme280", "BMP280", I2C_OPTIONS, _on_i2c),
    "ds18b20": ("drivers.ds18b20", "DS18B20", W1_OPTIONS, _on_w1),
    "fake_air": ("drivers.fake", "FakeAir", FAKE_OPTIONS, _as_given),
    "fake_crowd": ("drivers.fake", "FakeCrowd", FAKE_OPTIONS, _as_given),
    "fake_pier": ("drivers.fake", "FakePier", FAKE_OPTIONS, _as_given),
    "fake_wind": ("drivers.fake", "FakeWind", FAKE_OPTIONS, _as_given),
    "host": ("drivers.linux.host", "Host", HOST_OPTIONS, _as_given),
    "pms5003": ("drivers.pms5003", "PMS5003", LINE_OPTIONS, _on_line),
    "pms5003t": ("drivers.pms5003", "PMS5003T", LINE_OPTIONS, _on_line),
}

# What a value of an option may be beyond its type: its lowest and highest, or its words.
LIMITS: "dict[str, tuple[float, float]]" = {
    "bus": (0, 255),
    "address": (0x76, 0x77),
    "warm_up_s": (0, 3600),
    "seed": (0, 0xFFFFFFFF),
}
WORDS = {"quantity": ("temperature", "water_temperature", "air_temperature")}


def options(kind: str) -> "dict[str, Option]":
    """The options of a kind, by name. Raises `OptionError` for an unknown kind."""
    if kind not in KINDS:
        raise OptionError(f"no driver {kind!r}; known: {', '.join(sorted(KINDS))}")
    return KINDS[kind][2]


def checked(kind: str, given: "dict[str, Any]") -> "dict[str, Any]":
    """`given` with all defaults. Raises `OptionError` that names what is wrong or missing."""
    known = options(kind)
    for name in sorted(given):
        if name not in known:
            allowed = ", ".join(sorted(known))
            raise OptionError(f"{kind} has no option {name!r}; allowed: {allowed}")
    full = {}
    for name in known:
        value = given.get(name, known[name].default)
        if value is None:
            raise OptionError(f"{kind} needs the option {name}: {known[name].explain}")
        full[name] = _fitting(kind, name, known[name], value)
    return full


def make(kind: str, given: "dict[str, Any]") -> "Driver":
    """A driver on this machine's wires. Raises `OptionError` for a wrong kind or option."""
    full = checked(kind, given)
    module, name, _, to_arguments = KINDS[kind]
    driver: Driver = getattr(__import__(module, None, None, (name,)), name)(**to_arguments(full))
    return driver


def _fitting(kind: str, name: str, option: "Option", value: "Any") -> "Any":
    """`value` in the option's type, or an error."""
    if option.type is float and type(value) is int:
        value = float(value)
    if type(value) is not option.type:  # A bool is an int to isinstance.
        wanted = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
        raise OptionError(f"{kind} option {name} = {value!r} is not {wanted[option.type]}")
    low, high = LIMITS.get(name, (0, 0))
    if name in LIMITS and isinstance(value, (int, float)) and not low <= value <= high:
        raise OptionError(f"{kind} option {name} = {value!r} is not from {low} to {high}")
    if name in WORDS and value not in WORDS[name]:
        allowed = ", ".join(WORDS[name])
        raise OptionError(f"{kind} option {name} = {value!r}; allowed: {allowed}")
    return value
