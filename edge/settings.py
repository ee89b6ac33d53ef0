"""Settings: a TOML file becomes frozen dataclasses, or an error that names line and key."""

import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from drivers import catalog
from edge.calibration import Calibration
from edge.errors import SettingsError
from kiosk_ui.languages import LANGUAGE_NAMES
from sync.city.address import is_postgres, without_password

LANGUAGES = tuple(LANGUAGE_NAMES)
TILES = ("eat", "see", "map", "today", "around", "city")  # kiosk_ui/tiles.py.
CLOCK_SOURCES = ("ntp", "technician", "city", "system")  # As in sync/clock.py.
SENSORS_MAX = 64
FILE_BYTES_MAX = 256 * 1024

T = TypeVar("T")
Check = Callable[[Any], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """What a value may be: said to a person in `allowed`, told by `fits`."""

    allowed: str
    fits: Check


def number(low: float, high: float) -> Rule:
    """Allow any number from `low` to `high`. NaN is none."""
    return Rule(f"a number from {low:g} to {high:g}", lambda value: low <= value <= high)


def whole(low: int, high: int) -> Rule:
    """Allow a whole number from `low` to `high`."""
    return Rule(f"a whole number from {low} to {high}", lambda value: low <= value <= high)


def text(pattern: str, allowed: str) -> Rule:
    """Allow text that matches `pattern` as a whole."""
    return Rule(allowed, lambda value: re.fullmatch(pattern, value) is not None)


def one_of(members: Sequence[str]) -> Rule:
    """Allow one of `members`."""
    return Rule(f"one of {listed(members)}", lambda value: value in members)


def some_of(members: Sequence[str], *, least: int = 1) -> Rule:
    """Allow a list without repeats of at least `least` of `members`."""
    return Rule(
        f"a list of {listed(members)}, each at most once",
        lambda value: (
            least <= len(value) == len(set(value)) and all(item in members for item in value)
        ),
    )


def url_parses(url: str) -> bool:
    """Whether host and port of `url` can be told apart."""
    try:
        parts = urlsplit(url)
        return not url or (bool(parts.hostname) and parts.port != 0)
    except ValueError:
        return False


def command_parses(command: str) -> bool:
    """Whether `command` can be taken apart and names a program by its place."""
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return not command or bool(words and words[0].startswith("/"))


def day_parses(day: str) -> bool:
    """Whether `day` is one."""
    try:
        return date.fromisoformat(day).isoformat() == day
    except ValueError:
        return False


def listed(members: Sequence[str]) -> str:
    """Write `members` as a list to read."""
    return ", ".join(repr(member) for member in members)


NAME = text(r"[a-z][a-z0-9_]{0,31}", "up to 32 of a-z, 0-9 and _, the first one a letter")
KIOSK_ID = text(r"[a-z0-9][a-z0-9-]{0,39}", "up to 40 of a-z, 0-9 and -")
LABEL = text(r"[^\x00-\x1f]{1,80}", "1 to 80 characters on one line")
HOST = text(r"[0-9A-Za-z.:-]{1,253}", "an address such as '127.0.0.1'")
CITY_URL = Rule(
    "'http://HOST:PORT', 'https://HOST', or '' for no city",
    lambda value: re.fullmatch(r"(https?://[^\s/?#@]+)?", value) is not None and url_parses(value),
)
# As kiosk_ui/pin.py makes it, which `angsila check` need not load.
PIN_HASH = text(
    r"(scrypt\$\d{4,5}\$[1-8]\$[1-4]\$[0-9a-f]{16,64}\$[0-9a-f]{64})?",
    "what `angsila technician-pin` prints, or '' for none",
)
DATABASE = Rule(
    "'postgresql://USER@HOST:PORT/NAME', or '' for a file in the state folder",
    lambda value: not value or is_postgres(value),
)
PORT = whole(0, 65535)
KEYS = Rule(
    "a list of up to 16 public keys, each of 64 hex digits and there once",
    lambda value: (
        len(set(value)) == len(value) <= 16
        and all(re.fullmatch(r"[0-9a-f]{64}", key) for key in value)
    ),
)
COMMAND = Rule("a command with an absolute path, or '' for none", command_parses)
DAY = Rule("a day such as '2026-11-25'", day_parses)
BEAT_S_MIN = 0.05  # A beat is a whole number of milliseconds, and a machine has other work.


def nodes_host(host: str) -> bool:
    """Whether this is an address, or none."""
    return not host or HOST.fits(host)


def option(default: T, rule: Rule, kind: type | None = None) -> T:
    """Declare an option of a section: its default, its rule, and the type where None is default."""
    made: Any = field(default=default, metadata={"rule": rule, "kind": kind or type(default)})
    return made  # type: ignore[no-any-return] # dataclasses types a field as its value


@dataclass(frozen=True, slots=True)
class Names:
    """The kiosk's name in the three languages."""

    th: str = option("ตลาดสะพานปลาอ่างศิลา", LABEL)
    en: str = option("Ang Sila fishing pier market", LABEL)
    zh: str = option("昂西拉鱼码头市场", LABEL)


@dataclass(frozen=True, slots=True)
class KioskSettings:
    """Which kiosk this is, where it stands, what its panel is like, how patient it is."""

    id: str = option("angsila-1", KIOSK_ID)
    name: Names = field(default_factory=Names)
    latitude: float | None = option(None, number(-90, 90), kind=float)
    longitude: float | None = option(None, number(-180, 180), kind=float)
    heading_deg: float | None = option(None, number(0, 359.9), kind=float)
    px_per_mm: float = option(5.88, number(1, 30))
    languages: tuple[str, ...] = option((), some_of(LANGUAGES, least=0))
    start_language: str = option("th", one_of(LANGUAGES))
    tiles: tuple[str, ...] = option(TILES, some_of(TILES))
    idle_s: int = option(60, whole(20, 600))
    warning_s: int = option(20, whole(20, 120))
    technician_pin: str = option("", PIN_HASH)


@dataclass(frozen=True, slots=True)
class WebSettings:
    """Where the screen finds its pages."""

    host: str = option("127.0.0.1", HOST)
    port: int = option(8080, PORT)
    hosts: tuple[str, ...] = option(
        ("127.0.0.1", "localhost"),
        Rule(
            "a list of 1 to 8 names such as 'localhost'",
            lambda value: 0 < len(value) <= 8 and all(HOST.fits(name) for name in value),
        ),
    )


@dataclass(frozen=True, slots=True)
class JournalSettings:
    """How often the card is written and how much of it may be used."""

    commit_s: float = option(30.0, number(0.1, 3600))
    segment_s: float = option(600.0, number(1, 86400))
    quota_mb: int = option(64, whole(1, 1024 * 1024))


@dataclass(frozen=True, slots=True)
class UplinkSettings:
    """Where the city is."""

    city_url: str = option("", CITY_URL)
    retry_max_s: float = option(900.0, number(1, 86400))


@dataclass(frozen=True, slots=True)
class ClockSettings:
    """Who may say what time it is."""

    trust: tuple[str, ...] = option(("ntp", "technician", "city"), some_of(CLOCK_SOURCES, least=0))


@dataclass(frozen=True, slots=True)
class BluetoothSettings:
    """Which radio hears the sensors, and what is done when it goes deaf."""

    adapter: str = option("", text(r"(hci[0-9]{1,2})?", "'hci0' or another one, or '' for any"))
    silence_s: float = option(90.0, number(1, 3600))
    helper: str = option("", COMMAND)
    reboot: str = option("", COMMAND)


@dataclass(frozen=True, slots=True)
class ScreenSettings:
    """The browser that shows the pages."""

    restart: str = option("", COMMAND)


@dataclass(frozen=True, slots=True)
class ContentSettings:
    """Which content packs this kiosk shows."""

    id: str = option("angsila", text(r"[a-z0-9][a-z0-9-]{0,39}", "up to 40 of a-z, 0-9 and -"))
    trusted_keys: tuple[str, ...] = option((), KEYS)
    signatures_wanted: int = option(2, whole(1, 8))


@dataclass(frozen=True, slots=True)
class NodesSettings:
    """Where our own nodes on the local network find this kiosk."""

    host: str = option("", Rule("an address such as '10.42.0.1', or '' for no door", nodes_host))
    port: int = option(8081, PORT)


@dataclass(frozen=True, slots=True)
class CalibrationSettings:
    """One quantity of a sensor: what was found, when, by whom, and against what."""

    gain: float = option(1.0, number(-1e6, 1e6))
    offset: float = option(0.0, number(-1e6, 1e6))
    date: str = option("", DAY)
    by: str = option("", LABEL)
    ref: str = option("", LABEL)


@dataclass(frozen=True, slots=True)
class SensorSettings:
    """One sensor: its name, its driver, its beat, and the driver's own options."""

    name: str = option("", NAME)
    driver: str = option("", NAME)
    period_s: float = option(
        10.0,
        Rule(
            f"0, or a number from {BEAT_S_MIN:g} to 86400",
            lambda value: value == 0 or BEAT_S_MIN <= value <= 86400,
        ),
    )
    options: Mapping[str, Any] = field(default_factory=dict)
    calibration: Mapping[str, Calibration] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything `angsila run` wants to know."""

    kiosk: KioskSettings = field(default_factory=KioskSettings)
    web: WebSettings = field(default_factory=WebSettings)
    journal: JournalSettings = field(default_factory=JournalSettings)
    uplink: UplinkSettings = field(default_factory=UplinkSettings)
    clock: ClockSettings = field(default_factory=ClockSettings)
    bluetooth: BluetoothSettings = field(default_factory=BluetoothSettings)
    nodes: NodesSettings = field(default_factory=NodesSettings)
    screen: ScreenSettings = field(default_factory=ScreenSettings)
    content: ContentSettings = field(default_factory=ContentSettings)
    sensors: tuple[SensorSettings, ...] = ()


@dataclass(frozen=True, slots=True)
class CitySettings:
    """Everything `angsila city` wants to know."""

    host: str = option("127.0.0.1", HOST)
    port: int = option(8090, PORT)
    database: str = option("", DATABASE)


SECTIONS: dict[str, type] = {
    "kiosk": KioskSettings,
    "web": WebSettings,
    "journal": JournalSettings,
    "uplink": UplinkSettings,
    "clock": ClockSettings,
    "bluetooth": BluetoothSettings,
    "nodes": NodesSettings,
    "screen": ScreenSettings,
    "content": ContentSettings,
}


def load(path: Path) -> Settings:
    """Read a kiosk's settings file. Raises `SettingsError`."""
    source = Source.read(path)
    source.only({*SECTIONS, "sensor"})
    sections: dict[str, Any] = {name: source.section(name, kind) for name, kind in SECTIONS.items()}
    kiosk = sections["kiosk"]
    if (kiosk.latitude is None) != (kiosk.longitude is None):
        source.fail(Place("kiosk"), None, "[kiosk] latitude and longitude come together")
    if kiosk.languages and kiosk.start_language not in kiosk.languages:
        allowed = f"one of languages, {listed(kiosk.languages)}"
        source.refuse(Place("kiosk"), "start_language", kiosk.start_language, allowed)
    return Settings(**sections, sensors=sensors(source))


def load_city(path: Path) -> CitySettings:
    """Read a city's settings file. Raises `SettingsError`."""
    source = Source.read(path)
    source.only({"city"})
    city: CitySettings = source.section("city", CitySettings)
    return city


def check(path: Path) -> str:
    """Check a settings file of any kind, and say what it is. Raises `SettingsError`."""
    tables = Source.read(path).tables
    if "city" in tables:
        load_city(path)
        return "good settings of a city"
    if "node" in tables:
        from edge.node import plan  # noqa: PLC0415 # it is made of this module's parts

        return f"good settings of a node with {len(plan(path).sensors)} sensors"
    return f"good settings of a kiosk with {len(load(path).sensors)} sensors"


def city_url(value: str) -> str:
    """Check the city's address as it was typed. Raises `SettingsError`."""
    if not CITY_URL.fits(value):
        raise SettingsError(f"--city {value!r} is not allowed; allowed: {CITY_URL.allowed}")
    return value


def database_address(value: str) -> str:
    """Check a database's address as it was typed. Raises `SettingsError`."""
    if not DATABASE.fits(value):
        raise SettingsError(f"--database {toml(value)} is not allowed; allowed: {DATABASE.allowed}")
    return value


@dataclass(frozen=True, slots=True)
class Place:
    """A table of the file: `[section]`, or the `index`-th `[[section]]`."""

    section: str
    index: int | None = None

    def __str__(self) -> str:
        return f"[{self.section}]" if self.index is None else f"[[{self.section}]]"


@dataclass(frozen=True, slots=True)
class Source:
    """A settings file that was read: its tables, and its text to find lines in."""

    path: Path
    text: str
    tables: dict[str, Any]

    @classmethod
    def read(cls, path: Path) -> "Source":
        """Read and parse `path`. Raises `SettingsError`."""
        try:
            with path.open("rb") as file:
                raw = file.read(FILE_BYTES_MAX + 1)
        except OSError as error:
            raise SettingsError(f"{path}: cannot be read: {error.strerror}") from error
        if len(raw) > FILE_BYTES_MAX:
            raise SettingsError(f"{path}: longer than {FILE_BYTES_MAX} bytes")
        try:
            decoded = raw.decode()
            return cls(path, decoded, tomllib.loads(decoded))
        except UnicodeDecodeError as error:
            line = raw.count(b"\n", 0, error.start) + 1
            raise SettingsError(f"{path}, line {line}: not UTF-8 text") from error
        except tomllib.TOMLDecodeError as error:
            raise SettingsError(f"{path}: not TOML: {error}") from error

    def only(self, names: set[str]) -> None:
        """Refuse a table or a loose key that is not one of `names`."""
        for name, value in self.tables.items():
            if name not in names:
                shown = f"[{name}]" if isinstance(value, dict | list) else name
                allowed = ", ".join(sorted(names))
                self.fail(Place(name), None, f"unknown section {shown}; allowed: {allowed}")

    def section(self, name: str, kind: type) -> Any:
        """Read the section `name` into a dataclass of `kind`, defaults where it is silent."""
        place = Place(name)
        table = self.tables.get(name, {})
        if not isinstance(table, dict):
            self.fail(place, None, f"{name} = {table!r}: allowed is a table, written [{name}]")
        return self.fill(place, table, kind)

    def fill(self, place: Place, table: Mapping[str, Any], kind: type, prefix: str = "") -> Any:
        """Make a `kind` from `table`; each key is checked by its field's rule."""
        known = {part.name: part for part in fields(kind)}
        self.known_keys(place, table, known, prefix)
        values = {}
        for key, value in table.items():
            part = known[key]
            if part.type is Names:
                if not isinstance(value, dict):
                    self.refuse(place, key, value, "a table { th = '…', en = '…', zh = '…' }")
                values[key] = self.fill(place, value, Names, f"{key}.")
            else:
                values[key] = self.fitting(
                    place, prefix + key, value, part.metadata["kind"], part.metadata["rule"]
                )
        return kind(**values)

    def known_keys(
        self, place: Place, table: Mapping[str, Any], known: Mapping[str, Any], prefix: str = ""
    ) -> None:
        """Refuse a key that the section does not have."""
        for key, value in table.items():
            if key not in known:
                allowed = ", ".join(prefix + name for name in known) or "none"
                self.fail(
                    place,
                    prefix + key,
                    f"unknown option {prefix}{key} = {toml(value)} in {place}; allowed: {allowed}",
                )

    def fitting(self, place: Place, key: str, value: Any, kind: type, rule: Rule) -> Any:
        """Return `value` as a `kind`, when type and rule agree."""
        if kind is tuple:
            good = isinstance(value, list) and all(isinstance(item, str) for item in value)
        elif kind is float:
            good = isinstance(value, int | float) and not isinstance(value, bool)
        else:
            good = type(value) is kind
        if not good or not rule.fits(value):
            self.refuse(place, key, value, rule.allowed)
        return kind(value)

    def refuse(self, place: Place, key: str, value: Any, allowed: str) -> NoReturn:
        """Raise the error for a key whose value is not allowed."""
        self.fail(place, key, f"{place} {key} = {toml(value)} is not allowed; allowed: {allowed}")

    def fail(self, place: Place, key: str | None, message: str) -> NoReturn:
        """Raise the error with file and, where it can be found, line."""
        line = line_of(self.text, place, key)
        where = f"{self.path}, line {line}" if line else str(self.path)
        raise SettingsError(f"{where}: {message}")


def sensors(source: Source) -> tuple[SensorSettings, ...]:
    """Read the `[[sensor]]` tables, each checked against its driver's own options."""
    tables = source.tables.get("sensor", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        source.fail(Place("sensor"), None, "a sensor is written as [[sensor]], in double brackets")
    if len(tables) > SENSORS_MAX:
        source.fail(
            Place("sensor", SENSORS_MAX), None, f"more than {SENSORS_MAX} [[sensor]] tables"
        )
    made: list[SensorSettings] = []
    for index, table in enumerate(tables):
        place = Place("sensor", index)
        sensor = one_sensor(source, place, table)
        if sensor.name in {other.name for other in made}:
            source.refuse(place, "name", sensor.name, "a name that no other sensor has")
        if catalog.has_address(sensor.driver) and address_of(sensor) in map(address_of, made):
            allowed = "an address that no other sensor has"
            source.refuse(place, "address", sensor.options["address"], allowed)
        made.append(sensor)
    return tuple(made)


def address_of(sensor: SensorSettings) -> str:
    """The sending address of a sensor, written in one way; empty without one."""
    given = sensor.options.get("address", "") if catalog.has_address(sensor.driver) else ""
    return str(given).upper().replace("-", ":")


def one_sensor(source: Source, place: Place, table: dict[str, Any]) -> SensorSettings:
    """Read one `[[sensor]]` table: our keys by their rules, the rest by the driver's."""
    further = ("options", "calibration")
    own = {part.name: part for part in fields(SensorSettings) if part.name not in further}
    for key in ("name", "driver"):
        if key not in table:
            source.fail(place, None, f"a {place} needs the option {key}")
    values = {
        key: source.fitting(place, key, table[key], part.metadata["kind"], part.metadata["rule"])
        for key, part in own.items()
        if key in table
    }
    options = {key: value for key, value in table.items() if key not in {*own, "calibration"}}
    found = calibrations(source, place, table.get("calibration", {}))
    sensor = SensorSettings(**values, options=options, calibration=found)
    check_driver(source, place, sensor)
    return sensor


def calibrations(source: Source, place: Place, tables: Any) -> dict[str, Calibration]:
    """Read the `[sensor.calibration.QUANTITY]` tables of a sensor."""
    example = "tables such as [sensor.calibration.ph]"
    if not isinstance(tables, dict):
        source.refuse(place, "calibration", tables, example)
    made = {}
    for quantity, table in tables.items():
        if not isinstance(table, dict) or not NAME.fits(quantity):
            source.refuse(place, "calibration", {quantity: table}, example)
        prefix = f"calibration.{quantity}."
        for key in ("date", "by", "ref"):
            if key not in table:
                source.fail(place, None, f"{place} {prefix[:-1]} needs {key}: who found it, when")
        one = source.fill(place, table, CalibrationSettings, prefix)
        made[quantity] = Calibration(one.gain, one.offset, one.date, one.by, one.ref)
    return made


def check_driver(source: Source, place: Place, sensor: SensorSettings) -> None:
    """Refuse a driver that does not exist, and options that it does not take."""
    if sensor.driver not in catalog.KINDS:
        source.refuse(place, "driver", sensor.driver, f"one of {listed(sorted(catalog.KINDS))}")
    source.known_keys(place, sensor.options, catalog.options(sensor.driver))
    try:
        full = catalog.checked(sensor.driver, dict(sensor.options))
    except catalog.OptionError as error:
        named = (key for key in sensor.options if f"option {key} " in str(error))
        source.fail(place, next(named, None), f"{place} {sensor.name}: {error}")
    if (sensor.period_s == 0) != bool(full.get("every_frame")):
        source.refuse(
            place,
            "period_s",
            sensor.period_s,
            "0 together with every_frame = true, for a driver that has it, and else above 0",
        )


def line_of(source_text: str, place: Place, key: str | None) -> int | None:
    """Find the line of `key` in its table, or of the table's head."""
    head_line = None
    inside = False
    below = ""  # "calibration.ph." under [sensor.calibration.ph], which belongs to its sensor.
    seen = -1
    for number_of_line, line in enumerate(source_text.splitlines(), start=1):
        head = re.match(r"\s*\[\[?\s*([\w-]+)\.?([\w.-]*)", line)
        if head and head[2] and head[1] == place.section:
            below = f"{head[2]}."
        elif head:
            below = ""
            inside = head[1] == place.section
            seen += inside
            inside = inside and place.index in (None, seen)
            head_line = head_line or (number_of_line if inside else None)
        elif inside and key and key.startswith(below):
            if starts(key.removeprefix(below).split(".")[0], line):
                return number_of_line
        elif head_line is None and seen < 0 and starts(place.section, line):
            return number_of_line  # A loose key, or `section = …` before any table.
    return head_line


def starts(key: str, line: str) -> bool:
    """Whether `line` sets `key`."""
    return re.match(rf"\s*\"?{re.escape(key)}\"?\s*[=.]", line) is not None


def toml(value: Any) -> str:
    """Write `value` as it stands in the file, but for a password."""
    if isinstance(value, bool):
        return str(value).lower()
    return without_password(repr(value))


def config_folder() -> Path:
    """Find the folder of the settings files that came with the program."""
    beside_source = Path(__file__).resolve().parent.parent / "config"
    if beside_source.is_dir():
        return beside_source
    return Path(sys.prefix) / "share" / "angsila" / "config"
