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


def i2c(addresses: str, first: int, **further: Option) -> "dict[str, Option]":
    """Options of a chip on an I²C bus."""
    return {
        "bus": Option(int, 1, "number N of /dev/i2c-N"),
        "address": Option(int, first, addresses),
    } | further


def line(**further: Option) -> "dict[str, Option]":
    """Options of a sensor on a serial line."""
    return {"port": Option(str, None, "serial device, best below /dev/serial/by-id")} | further


def pin(**further: Option) -> "dict[str, Option]":
    """Options of a contact on a pin."""
    return {
        "pin": Option(int, None, "BCM number of the pin"),
        "pull_up": Option(bool, True, "the contact closes to ground; false: to 3.3 V"),
    } | further


def air(**further: Option) -> "dict[str, Option]":
    """Options of a Bluetooth sensor."""
    return {
        "address": Option(str, None, "Bluetooth address, such as A4:C1:38:12:34:56"),
        "quantities": Option(
            str,
            "",
            "what it sends, parted by spaces; heard:called gives it another name, such as"
            " air_temperature:water_temperature; empty takes all that is heard",
        ),
        "max_age_s": Option(float, 600.0, "seconds without news until it counts as silent"),
        "every_frame": Option(bool, False, "take each new advert, with period_s = 0"),
    } | further


def warm_up(seconds: float) -> Option:
    """How long a sensor has no value after its start."""
    return Option(float, seconds, "seconds after the start without a value")


BLUETOOTH = "drivers.linux.ble_sensor"
LAN = "drivers.linux.lan_node"
EVERY_FRAME = Option(bool, False, "take each frame the sensor sends, with period_s = 0")
SELF_CALIBRATION = Option(bool, True, "take the lowest values for fresh air; false in a room")
W1_OPTIONS = {
    "device": Option(str, "", "name in /sys/bus/w1/devices; empty takes the only one"),
    "quantity": Option(
        str, "temperature", "temperature, water_temperature or air_temperature: what it hangs in"
    ),
    "root": Option(str, "/sys/bus/w1/devices", "where the kernel lists 1-Wire devices"),
}
BOSCH_OPTIONS = i2c("0x76, or 0x77 with SDO high", 0x76)
DEPTH_OPTIONS = i2c("0x76, the only one", 0x76)
PARTICLE_OPTIONS = line(
    every_frame=EVERY_FRAME,
    warm_up_s=Option(float, 30.0, "seconds after the fan starts without a value"),
)
ECHO_OPTIONS = line(
    quantity=Option(str, "distance", "distance, or water_level with mount_height_m"),
    mount_height_m=Option(float, 0.0, "height of the sensor above the zero of the gauge"),
    echoes=Option(int, 15, "a reading is the median of so many"),
)
RADAR_OPTIONS = line(every_frame=EVERY_FRAME)
SCD_OPTIONS = i2c(
    "0x62, the only one",
    0x62,
    pressure_hpa=Option(int, 1013, "air pressure of the place, for compensation"),
    self_calibration=SELF_CALIBRATION,
)
WATER = Option(float, 25.0, "temperature of the water, for compensation")
HOST_OPTIONS = {"disk": Option(str, "/", "the file system whose use is watched")}
KEY_32 = Option(str, "", "its key, 32 hexadecimal digits; empty for one that is not sealed")
KEY_24 = Option(str, "", "its key, 24 or 32 hexadecimal digits; empty if it has none")
FAKE_OPTIONS = {"seed": Option(int, 1, "another seed, another course of the noise")}


def _on_i2c(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.i2c import shared

    return full | {"bus": shared(full["bus"])}


def _on_line(module: str) -> "Callable[[dict[str, Any]], dict[str, Any]]":
    def to_arguments(full: "dict[str, Any]") -> "dict[str, Any]":
        from drivers.linux.uart import UART

        baud = __import__(module, None, None, ("BAUD",)).BAUD
        rest = {name: value for name, value in full.items() if name != "port"}
        return rest | {"line": UART(full["port"], baud)}

    return to_arguments


def _on_shared_line(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.uart import shared
    from drivers.modbus import register_map

    shared_line = shared(full["port"], full["baud"])
    return {
        "line": shared_line,
        "turn": shared_line.turn,
        "registers": register_map(full["registers"]),
        "unit": full["unit"],
        "function": full["function"],
    }


def _on_pin(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.gpio import GPIOPin

    rest = {name: value for name, value in full.items() if name not in {"pin", "pull_up"}}
    return rest | {"pin": GPIOPin(full["pin"], pull_up=full["pull_up"])}


def _on_w1(family: int) -> "Callable[[dict[str, Any]], dict[str, Any]]":
    def to_arguments(full: "dict[str, Any]") -> "dict[str, Any]":
        from pathlib import Path

        from drivers.linux.onewire import W1Probe

        return {
            "probe": W1Probe(full["device"], Path(full["root"]), family),
            "quantity": full["quantity"],
        }

    return to_arguments


def _on_microphone(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.microphone import Microphone

    rest = {name: value for name, value in full.items() if name != "device"}
    return rest | {"microphone": Microphone(full["device"])}


def _on_air(kind: str) -> "Callable[[dict[str, Any]], dict[str, Any]]":
    def to_arguments(full: "dict[str, Any]") -> "dict[str, Any]":
        from drivers.linux import ble
        from drivers.linux.ble_sensor import Ear

        scanner = ble.shared()
        address = full["address"].upper().replace("-", ":")
        key = bytes.fromhex(full.get("key", ""))
        return {
            "ear": scanner.ear(address, lambda: Ear(kind, address, key)),
            "trouble": scanner.trouble,
            "quantities": tuple(full["quantities"].split()),
            "max_age_s": full["max_age_s"],
            "every_frame": full["every_frame"],
        }

    return to_arguments


def _on_lan(full: "dict[str, Any]") -> "dict[str, Any]":
    from drivers.linux.ble_sensor import Ear
    from drivers.linux.lan_node import ear

    address = full["address"].upper().replace("-", ":")
    key = bytes.fromhex(full["key"])
    return {
        "ear": ear(address, lambda: Ear("bthome", address, key)),
        "trouble": lambda: None,  # The network has none of its own: a node is heard or not.
        "quantities": tuple(full["quantities"].split()),
        "max_age_s": full["max_age_s"],
        "every_frame": full["every_frame"],
    }


def _as_given(full: "dict[str, Any]") -> "dict[str, Any]":
    return full


# kind → module, class, options, and what turns the options into the class's arguments
KINDS: "dict[str, tuple[str, str, dict[str, Option], Callable[[Any], dict[str, Any]]]]" = {
    "a02yyuw": ("drivers.ultrasonic", "A02YYUW", ECHO_OPTIONS, _on_line("drivers.ultrasonic")),
    "ads1115": (
        "drivers.ads1115",
        "ADS1115",
        i2c(
            "0x48 to 0x4B",
            0x48,
            channel=Option(int, 0, "input 0 to 3, against ground"),
            range_v=Option(float, 4.096, "6.144, 4.096, 2.048, 1.024, 0.512 or 0.256"),
        ),
        _on_i2c,
    ),
    "aj_sr04m": ("drivers.ultrasonic", "AJSR04M", ECHO_OPTIONS, _on_line("drivers.ultrasonic")),
    "anemometer": (
        "drivers.pulses",
        "Anemometer",
        pin(
            kmh_per_hz=Option(float, 2.4, "km/h of one pulse a second"),
            gap_ms=Option(int, 4, "pulses closer than that are bounces"),
        ),
        _on_pin,
    ),
    "bh1750": (
        "drivers.light",
        "BH1750",
        i2c(
            "0x23, or 0x5C with ADDR high",
            0x23,
            mode=Option(str, "H-res", "H-res, H-res2 (finer) or L-res (faster)"),
            mtreg=Option(int, 69, "31 (much light) to 254 (little light)"),
        ),
        _on_i2c,
    ),
    "bme280": ("drivers.bme280", "BME280", BOSCH_OPTIONS, _on_i2c),
    "bmp280": ("drivers.bme280", "BMP280", BOSCH_OPTIONS, _on_i2c),
    "bthome": (BLUETOOTH, "BTHome", air(key=KEY_32), _on_air("bthome")),
    "button": (
        "drivers.pulses",
        "Button",
        pin(gap_ms=Option(int, 50, "pulses closer than that are bounces")),
        _on_pin,
    ),
    "ds18b20": ("drivers.ds18b20", "DS18B20", W1_OPTIONS, _on_w1(0x28)),
    "ds18s20": ("drivers.ds18b20", "DS18S20", W1_OPTIONS, _on_w1(0x10)),
    "ezo_do": (
        "drivers.ezo",
        "EZODO",
        i2c("0x61, or what was set", 0x61, water_temperature_celsius=WATER),
        _on_i2c,
    ),
    "ezo_ec": (
        "drivers.ezo",
        "EZOEC",
        i2c("0x64, or what was set", 0x64, water_temperature_celsius=WATER),
        _on_i2c,
    ),
    "ezo_ph": (
        "drivers.ezo",
        "EZOPH",
        i2c("0x63, or what was set", 0x63, water_temperature_celsius=WATER),
        _on_i2c,
    ),
    "fake_air": ("drivers.fake", "FakeAir", FAKE_OPTIONS, _as_given),
    "fake_crowd": ("drivers.fake", "FakeCrowd", FAKE_OPTIONS, _as_given),
    "fake_pier": ("drivers.fake", "FakePier", FAKE_OPTIONS, _as_given),
    "fake_wind": ("drivers.fake", "FakeWind", FAKE_OPTIONS, _as_given),
    "govee": (BLUETOOTH, "Govee", air(), _on_air("govee")),
    "host": ("drivers.linux.host", "Host", HOST_OPTIONS, _as_given),
    "ina219": (
        "drivers.ina219",
        "INA219",
        i2c(
            "0x40 to 0x4F",
            0x40,
            shunt_ohm=Option(float, 0.1, "resistance of the shunt"),
            current_max_a=Option(float, 3.2, "the highest current that is expected"),
        ),
        _on_i2c,
    ),
    "inkbird": (BLUETOOTH, "Inkbird", air(), _on_air("inkbird")),
    "jsn_sr04t": ("drivers.ultrasonic", "JSNSR04T", ECHO_OPTIONS, _on_line("drivers.ultrasonic")),
    "ld2410": ("drivers.radar", "LD2410", RADAR_OPTIONS, _on_line("drivers.radar")),
    "ld2450": ("drivers.radar", "LD2450", RADAR_OPTIONS, _on_line("drivers.radar")),
    "mhz19b": (
        "drivers.mhz19b",
        "MHZ19B",
        line(self_calibration=SELF_CALIBRATION, warm_up_s=warm_up(180.0)),
        _on_line("drivers.mhz19b"),
    ),
    "modbus": (
        "drivers.modbus",
        "Modbus",
        line(
            registers=Option(
                str,
                None,
                "lines parted by ;, each: quantity, unit, register, type (u16, s16, u32, s32,"
                " f32), scale, lowest, highest, decimals",
            ),
            unit=Option(int, 1, "address of the probe on the line"),
            function=Option(int, 3, "3 for holding registers, 4 for input registers"),
            baud=Option(int, 9600, "speed of the line"),
        ),
        _on_shared_line,
    ),
    "ms5837_02ba": ("drivers.ms5837", "MS583702BA", DEPTH_OPTIONS, _on_i2c),
    "ms5837_30ba": ("drivers.ms5837", "MS583730BA", DEPTH_OPTIONS, _on_i2c),
    "node": (LAN, "Node", air(key=Option(str, None, "its key, 32 hexadecimal digits")), _on_lan),
    "pir": (
        "drivers.pulses",
        "PIR",
        pin(
            gap_ms=Option(int, 50, "pulses closer than that are bounces"),
            warm_up_s=warm_up(60.0),
        ),
        _on_pin,
    ),
    "pms5003": ("drivers.pms5003", "PMS5003", PARTICLE_OPTIONS, _on_line("drivers.pms5003")),
    "pms5003t": ("drivers.pms5003", "PMS5003T", PARTICLE_OPTIONS, _on_line("drivers.pms5003")),
    "pmsa003i": (
        "drivers.pms5003",
        "PMSA003I",
        i2c("0x12, the only one", 0x12, warm_up_s=warm_up(30.0)),
        _on_i2c,
    ),
    "rain": (
        "drivers.pulses",
        "Rain",
        pin(
            mm_per_tip=Option(float, 0.2794, "rain in mm that tips the bucket once"),
            gap_ms=Option(int, 200, "pulses closer than that are bounces"),
        ),
        _on_pin,
    ),
    "ruuvitag": (BLUETOOTH, "RuuviTag", air(), _on_air("ruuvitag")),
    "scd40": ("drivers.scd4x", "SCD40", SCD_OPTIONS, _on_i2c),
    "scd41": ("drivers.scd4x", "SCD41", SCD_OPTIONS, _on_i2c),
    "sds011": (
        "drivers.sds011",
        "SDS011",
        line(every_frame=EVERY_FRAME, warm_up_s=warm_up(20.0)),
        _on_line("drivers.sds011"),
    ),
    "sht4x": ("drivers.sht4x", "SHT4x", i2c("0x44, 0x45 or 0x46 by order number", 0x44), _on_i2c),
    "sound_level": (
        "drivers.sound",
        "SoundLevel",
        {
            "device": Option(str, "default", "ALSA's name of the microphone, as in arecord -L"),
            "sensitivity_dbfs": Option(
                float, -26.0, "dB of full scale at 94 dB and 1 kHz, from its data sheet"
            ),
            "blocks": Option(int, 8, "eighths of a second in a reading; 8 times period_s is all"),
        },
        _on_microphone,
    ),
    "sps30": ("drivers.sps30", "SPS30", line(warm_up_s=warm_up(30.0)), _on_line("drivers.sps30")),
    "sps30_i2c": (
        "drivers.sps30",
        "SPS30I2C",
        i2c("0x69, the only one", 0x69, warm_up_s=warm_up(30.0)),
        _on_i2c,
    ),
    "thermopro": (BLUETOOTH, "ThermoPro", air(), _on_air("thermopro")),
    "veml7700": (
        "drivers.light",
        "VEML7700",
        i2c(
            "0x10, the only one",
            0x10,
            gain=Option(float, 0.125, "0.125, 0.25, 1 or 2"),
            integration_ms=Option(int, 100, "25, 50, 100, 200, 400 or 800"),
            lux_per_count=Option(
                float, 0.0672, "lux of a count at gain 1 and 100 ms; older data sheets: 0.0576"
            ),
        ),
        _on_i2c,
    ),
    "xiaomi": (BLUETOOTH, "Xiaomi", air(key=KEY_24), _on_air("xiaomi")),
}

# What a value of an option may be beyond its type: its lowest and highest, or its words.
LIMITS: "dict[str, tuple[float, float]]" = {
    "baud": (9600, 115200),
    "blocks": (1, 28800),
    "bus": (0, 255),
    "channel": (0, 3),
    "current_max_a": (0.001, 1000),
    "echoes": (1, 200),
    "function": (3, 4),
    "gap_ms": (0, 60000),
    "kmh_per_hz": (0.01, 1000),
    "lux_per_count": (0.001, 1),
    "max_age_s": (1, 86400),
    "mm_per_tip": (0.001, 100),
    "mount_height_m": (-10, 100),
    "mtreg": (31, 254),
    "pin": (0, 53),
    "pressure_hpa": (700, 1200),
    "seed": (0, 0xFFFFFFFF),
    "sensitivity_dbfs": (-100, 0),
    "shunt_ohm": (0.00001, 100),
    "unit": (1, 247),
    "warm_up_s": (0, 3600),
    "water_temperature_celsius": (0, 100),
}
# Kind → its lowest and highest address.
ADDRESSES: "dict[str, tuple[int, int]]" = {
    "ads1115": (0x48, 0x4B),
    "bh1750": (0x23, 0x5C),
    "bme280": (0x76, 0x77),
    "bmp280": (0x76, 0x77),
    "ezo_do": (0x01, 0x77),
    "ezo_ec": (0x01, 0x77),
    "ezo_ph": (0x01, 0x77),
    "ina219": (0x40, 0x4F),
    "ms5837_02ba": (0x76, 0x76),
    "ms5837_30ba": (0x76, 0x76),
    "pmsa003i": (0x12, 0x12),
    "scd40": (0x62, 0x62),
    "scd41": (0x62, 0x62),
    "sht4x": (0x44, 0x46),
    "sps30_i2c": (0x69, 0x69),
    "veml7700": (0x10, 0x10),
}
_TEMPERATURES = ("temperature", "water_temperature", "air_temperature")
_DISTANCES = ("distance", "water_level")
# Kind and option → the words that it may be.
WORDS = {
    ("a02yyuw", "quantity"): _DISTANCES,
    ("aj_sr04m", "quantity"): _DISTANCES,
    ("bh1750", "mode"): ("H-res", "H-res2", "L-res"),
    ("ds18b20", "quantity"): _TEMPERATURES,
    ("ds18s20", "quantity"): _TEMPERATURES,
    ("jsn_sr04t", "quantity"): _DISTANCES,
}
# Kind → the lengths in hexadecimal digits that its key can have; none is always possible.
KEY_DIGITS = {"bthome": (32,), "node": (32,), "xiaomi": (24, 32)}
# The same for numbers.
CHOICES = {
    ("bh1750", "address"): (0x23, 0x5C),
    ("ads1115", "range_v"): (6.144, 4.096, 2.048, 1.024, 0.512, 0.256),
    ("modbus", "baud"): (9600, 19200, 38400, 57600, 115200),
    ("veml7700", "gain"): (0.125, 0.25, 1.0, 2.0),
    ("veml7700", "integration_ms"): (25, 50, 100, 200, 400, 800),
}


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
    if option.default is None and value == "":
        raise OptionError(f"{kind} option {name} = '' is empty: {option.explain}")
    # Addresses as data sheets and i2cdetect write them.
    show: Callable[[Any], str] = hex if name == "address" else str
    limits = ADDRESSES.get(kind) if name == "address" else LIMITS.get(name)
    if limits and isinstance(value, (int, float)) and not limits[0] <= value <= limits[1]:
        low, high = limits
        raise OptionError(
            f"{kind} option {name} = {show(value)} is not from {show(low)} to {show(high)}"
        )
    choices = WORDS.get((kind, name)) or CHOICES.get((kind, name))
    if choices and value not in choices:
        allowed = ", ".join([show(choice) for choice in choices])
        shown = repr(value) if isinstance(value, str) else show(value)
        raise OptionError(f"{kind} option {name} = {shown}; allowed: {allowed}")
    if (kind, name) == ("modbus", "registers"):
        _check_registers(str(value))
    if has_address(kind):
        _check_air(kind, name, value)
    return value


def is_bluetooth(kind: str) -> bool:
    """Whether sensors of this kind are heard by Bluetooth."""
    return kind in KINDS and KINDS[kind][0] == BLUETOOTH


def has_address(kind: str) -> bool:
    """Whether sensors of this kind are told apart by the address that they send."""
    return kind in KINDS and KINDS[kind][0] in {BLUETOOTH, LAN}


def _check_air(kind: str, name: str, value: "Any") -> None:
    """See that an option of a Bluetooth sensor can be used. Raises `OptionError`."""
    from drivers.linux.adverts import address_bytes
    from drivers.linux.ble_sensor import rows

    if name == "address":
        try:
            address_bytes(value)
        except DriverError as error:
            raise OptionError(
                f"{kind} option address = {value!r} is no Bluetooth address, such as"
                " A4:C1:38:12:34:56"
            ) from error
    # A key is a secret: what is wrong with it is said without it.
    if name == "key" and value:
        digits = KEY_DIGITS[kind]
        if len(value) not in digits or value.strip("0123456789abcdefABCDEF"):
            wanted = " or ".join([str(number) for number in digits])
            raise OptionError(
                f"{kind} option key has {len(value)} characters; allowed: {wanted}"
                " hexadecimal digits"
            )
    if name == "quantities":
        known = rows("bthome" if kind == "node" else kind)
        for word in value.split():
            quantity, colon, called = word.partition(":")
            if colon and not _is_name(called):
                raise OptionError(
                    f"{kind} option quantities has {word!r}; allowed behind the colon: a to z, 0"
                    " to 9 and _"
                )
            stem, _, number = quantity.rpartition("_")
            if quantity not in known and not (stem in known and number.isdigit()):
                allowed = ", ".join(sorted(known))
                raise OptionError(f"{kind} option quantities has {quantity!r}; allowed: {allowed}")


def _is_name(word: str) -> bool:
    """Whether this can be the name of a quantity."""
    return bool(word) and not word.strip("abcdefghijklmnopqrstuvwxyz0123456789_")


def _check_registers(text: str) -> None:
    """See that a register map can be read. Raises `OptionError`."""
    from drivers.modbus import register_map

    try:
        register_map(text)
    except DriverError as error:
        raise OptionError(f"modbus option registers is wrong: {error}") from error
