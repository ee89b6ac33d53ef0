"""Wiring: what the sensors of a settings file claim of the wires, and where they clash."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from drivers import catalog
from edge.settings import SensorSettings, load

# BCM pins of the 40-pin header that a Pi can lend to a bus (raspberrypi.com, "GPIO and the
# 40-pin header"; the overlays' defaults are from the firmware's overlays/README).
HEADER_PINS = range(2, 28)
EEPROM_PINS = (0, 1)
I2C_PINS = {1: (2, 3), 0: (0, 1)}  # Those of further buses are what their overlay was told.
UART_PINS = (14, 15)
PI_UARTS = ("/dev/serial0", "/dev/ttyAMA0", "/dev/ttyS0")
W1_PIN = 4
I2S_PINS = (18, 19, 20)

# Chips that hold the clock of a bus low while they think. The hardware bus of a Pi up to
# the 4 misreads that (raspberrypi/linux#254, #4884); the i2c-gpio overlay does not.
STRETCHERS = {"ezo_ph", "ezo_do", "ezo_ec"}
HARDWARE_BUSES = (0, 1)

# Kind → the shortest beat in seconds at which it has something new (data sheets: SCD4x 3.5.1,
# DS18B20 table 2, EZO "R" takes 900 ms).
FRESH_S = {
    "scd40": 5.0,
    "scd41": 5.0,
    "ds18b20": 0.75,
    "ds18s20": 0.75,
    "ezo_ph": 1.0,
    "ezo_do": 1.0,
    "ezo_ec": 1.0,
}


class Claim(NamedTuple):
    """One thing of the machine that one sensor needs."""

    wire: str  # "I2C bus 1", "pin", "serial line" and so on.
    place: str  # Its address, number or device on that wire.
    sensor: str
    driver: str

    def __str__(self) -> str:
        return f"{self.wire:<12} {self.place:<38} {self.sensor} ({self.driver})"


class Fault(NamedTuple):
    """What cannot work, or is likely not to; `words` say what would be right."""

    is_clash: bool
    words: str

    def __str__(self) -> str:
        return f"{'clash' if self.is_clash else 'hint'}: {self.words}"


class Wired(NamedTuple):
    """A sensor with all its options, defaults included."""

    name: str
    driver: str
    period_s: float
    options: dict[str, Any]

    @property
    def i2c_bus(self) -> int | None:
        """The I²C bus that it hangs on."""
        return self.options.get("bus")

    @property
    def port(self) -> str | None:
        """The serial device that it hangs on."""
        return self.options.get("port")

    @property
    def is_on_w1(self) -> bool:
        """Whether the kernel's 1-Wire driver reads it."""
        return "root" in self.options


def look(path: Path) -> tuple[list[Claim], list[Fault]]:
    """Read a kiosk's settings; say what they claim and what is wrong. Raises `SettingsError`."""
    wired = [with_defaults(sensor) for sensor in load(path).sensors]
    return list(claims(wired)), faults(wired)


def with_defaults(sensor: SensorSettings) -> Wired:
    """A sensor of the settings with the options that it left out."""
    full = catalog.checked(sensor.driver, dict(sensor.options))
    return Wired(sensor.name, sensor.driver, sensor.period_s, full)


def claims(wired: Iterable[Wired]) -> Iterator[Claim]:
    """Everything that the sensors need of the machine, in their order."""
    for one in wired:
        for wire, place in _needs(one):
            yield Claim(wire, place, one.name, one.driver)


def faults(wired: Sequence[Wired]) -> list[Fault]:
    """Everything that is wrong with the wiring, clashes first."""
    found = [fault for rule in RULES for fault in rule(wired)]
    return sorted(found, key=lambda fault: not fault.is_clash)


def _needs(one: Wired) -> Iterator[tuple[str, str]]:
    if one.i2c_bus is not None:
        yield f"I2C bus {one.i2c_bus}", hex(one.options["address"]) + _channel(one)
    if "pin" in one.options:
        yield "pin", f"GPIO{one.options['pin']}"
    if one.port is not None:
        unit = f" unit {one.options['unit']}" if "unit" in one.options else ""
        yield "serial line", one.port + unit
    if one.is_on_w1:
        yield "1-Wire", one.options["device"] or "the only one"
    if catalog.is_bluetooth(one.driver):
        yield "Bluetooth", str(one.options["address"])
    if one.driver == "sound_level":
        yield "sound card", str(one.options["device"])


def _channel(one: Wired) -> str:
    return f" input {one.options['channel']}" if "channel" in one.options else ""


def _shared_addresses(wired: Sequence[Wired]) -> Iterator[Fault]:
    """Two chips at one address answer at once, and neither is understood."""
    at: dict[tuple[int, int], list[Wired]] = defaultdict(list)
    for one in wired:
        if one.i2c_bus is not None:
            at[one.i2c_bus, one.options["address"]].append(one)
    for (bus, address), group in at.items():
        for first, second in pairwise(group):
            where = f"{first.name} and {second.name} are both at {hex(address)} on I2C bus {bus}"
            if first.driver != second.driver:
                yield Fault(True, f"{where}; {_way_out(first, second, bus)}")
            elif first.options.get("channel") == second.options.get("channel"):
                yield Fault(True, f"{where}: one chip is read twice; take one of them out")


def _way_out(first: Wired, second: Wired, bus: int) -> str:
    for one in (second, first):
        others = [hex(other) for other in _addresses(one.driver) if other != one.options["address"]]
        if others:
            return f"{one.name} ({one.driver}) can be moved to {' or '.join(others)}"
    return f"neither can be moved: give one of them another bus than {bus}"


def _addresses(driver: str) -> Sequence[int]:
    if (driver, "address") in catalog.CHOICES:
        return [int(address) for address in catalog.CHOICES[driver, "address"]]
    low, high = catalog.ADDRESSES[driver]
    return range(low, high + 1) if high - low < 16 else ()


def _shared_pins(wired: Sequence[Wired]) -> Iterator[Fault]:
    """A pin has one user, and some belong to a bus."""
    users: dict[int, str] = {}
    for one in wired:
        if "pin" not in one.options:
            continue
        pin = int(one.options["pin"])
        if pin in users:
            yield Fault(True, f"{users[pin]} and {one.name} are both on GPIO{pin}")
        elif pin in EEPROM_PINS:
            yield Fault(True, f"{one.name} is on GPIO{pin}, which belongs to the HAT's EEPROM")
        elif pin not in HEADER_PINS:
            yield Fault(True, f"{one.name} is on GPIO{pin}; the header has GPIO2 to GPIO27")
        users.setdefault(pin, one.name)
    for pin, owner in _bus_pins(wired):
        if pin in users:
            yield Fault(True, f"{users[pin]} is on GPIO{pin}, which {owner} uses")


def _bus_pins(wired: Sequence[Wired]) -> Iterator[tuple[int, str]]:
    for bus in sorted({one.i2c_bus for one in wired if one.i2c_bus is not None}):
        yield from ((pin, f"I2C bus {bus}") for pin in I2C_PINS.get(bus, ()))
    if any(one.port in PI_UARTS for one in wired):
        yield from ((pin, "the Pi's own serial line") for pin in UART_PINS)
    if any(one.is_on_w1 for one in wired):
        yield W1_PIN, "1-Wire (the overlay's default)"
    if any(one.driver == "sound_level" for one in wired):
        yield from ((pin, "the I2S microphone") for pin in I2S_PINS)


def _shared_lines(wired: Sequence[Wired]) -> Iterator[Fault]:
    """A serial line has one sensor; only Modbus probes take turns."""
    on: dict[str, list[Wired]] = defaultdict(list)
    for one in wired:
        if one.port is not None:
            on[one.port].append(one)
    for port, group in on.items():
        for first, second in pairwise(group):
            names = f"{first.name} and {second.name} are both on {port}"
            if {first.driver, second.driver} != {"modbus"}:
                yield Fault(True, f"{names}; a line has one sensor, unless all are Modbus probes")
            elif first.options["baud"] != second.options["baud"]:
                bauds = f"{first.options['baud']} and {second.options['baud']} baud"
                yield Fault(True, f"{names} with {bauds}; one line has one speed")
            elif first.options["unit"] == second.options["unit"]:
                unit = first.options["unit"]
                yield Fault(
                    False, f"{names} as unit {unit}; good for one probe, bad for two of them"
                )


def _unnamed_probes(wired: Sequence[Wired]) -> Iterator[Fault]:
    """Who takes the only probe on the wire must be alone there."""
    for driver in ("ds18b20", "ds18s20"):
        devices = [(one.name, one.options["device"]) for one in wired if one.driver == driver]
        unnamed = " and ".join(name for name, device in devices if not device)
        if unnamed and len(devices) > 1:
            number = len(devices)
            yield Fault(True, f"{unnamed} takes the only {driver}, but there are {number}: name it")
        named = [device for _, device in devices if device]
        for device in sorted({name for name in named if named.count(name) > 1}):
            yield Fault(True, f"{device} is read twice; take one of the sensors out")


def _shared_microphones(wired: Sequence[Wired]) -> Iterator[Fault]:
    """ALSA opens a card for one listener."""
    ears = [one for one in wired if one.driver == "sound_level"]
    for first, second in pairwise(ears):
        if first.options["device"] == second.options["device"]:
            yield Fault(
                True, f"{first.name} and {second.name} both listen to {first.options['device']!r}"
            )


def _moving_lines(wired: Sequence[Wired]) -> Iterator[Fault]:
    """Numbers of USB sticks are dealt out at boot."""
    for one in wired:
        if one.port is not None and one.port.startswith(("/dev/ttyUSB", "/dev/ttyACM")):
            yield Fault(
                False,
                f"{one.name} is on {one.port}, which may be another stick after a boot;"
                " take its name below /dev/serial/by-id",
            )


def _stretched_clocks(wired: Sequence[Wired]) -> Iterator[Fault]:
    """A Pi's hardware bus misreads a chip that stretches the clock."""
    for one in wired:
        if one.driver in STRETCHERS and one.i2c_bus in HARDWARE_BUSES:
            yield Fault(
                False,
                f"{one.name} ({one.driver}) stretches the clock, which I2C bus {one.i2c_bus} of"
                " a Pi up to the 4 misreads; better is bus 3 by dtoverlay=i2c-gpio,bus=3",
            )


def _hasty_beats(wired: Sequence[Wired]) -> Iterator[Fault]:
    """Asked faster than it measures, a sensor repeats itself or does not answer."""
    for one in wired:
        fresh_s = FRESH_S.get(one.driver, 0.0)
        if 0 < one.period_s < fresh_s:
            yield Fault(
                False,
                f"{one.name} is read every {one.period_s:g} s, but a {one.driver} has a new value"
                f" every {fresh_s:g} s",
            )


RULES: tuple[Callable[[Sequence[Wired]], Iterator[Fault]], ...] = (
    _shared_addresses,
    _shared_pins,
    _shared_lines,
    _unnamed_probes,
    _shared_microphones,
    _moving_lines,
    _stretched_clocks,
    _hasty_beats,
)
