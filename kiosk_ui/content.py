"""The content pack: what the kiosk says, checked entry by entry before it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Any

from kiosk_ui.air import HEAT_LEVELS_CELSIUS, PM2_5_BANDS_UGM3
from kiosk_ui.errors import ContentError as ContentError  # noqa: PLC0414 # screens look here
from kiosk_ui.languages import BROUGHT, LANGUAGE_NAMES, Words
from kiosk_ui.pack_file import Envelope, opened
from kiosk_ui.pack_rows import TEXT_MAX as TEXT_MAX  # noqa: PLC0414 # who writes packs looks here
from kiosk_ui.pack_rows import Row, number, rows, short, table, words, wrong

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_PACK = Path(__file__).parent / "pack"
KINDS = (
    "place",
    "product",
    "history",
    "event",
    "transport",
    "service",
    "emergency",
    "smartcity",
    "invest",
)
CONFIDENCES = ("high", "medium", "low")
ENTRIES_MAX = 1000
STALLS_MAX = 500
NOTICES_MAX = 50
KIOSKS_MAX = 500
ALIASES_MAX = 60
NAME_MAX = 120
SHORT_MAX = 40
LATITUDE = (13.2, 13.5)  # The town and what is a short ride away; anything else is a slip.
LONGITUDE = (100.8, 101.1)

EARTH_RADIUS_M = 6_371_000
DETOUR = 1.3  # Streets are longer than the straight line, by about a third.
WALK_M_PER_MIN = 75
WALK_MIN_MAX = 45  # Farther than this nobody walks in the sun.
PRECISION_M_MAX = 300  # A rougher point gives no honest walking time.


@dataclass(frozen=True)
class Coordinates:
    """Where a thing is, in degrees, and how well that is known."""

    lat: float
    lon: float
    precision_m: int


@dataclass(frozen=True)
class Hours:
    """Opening hours as words; `rule` is the same in OpenStreetMap's notation."""

    text: Words
    rule: str | None
    confidence: str


@dataclass(frozen=True)
class Source:
    """Where a fact was read."""

    label: str
    ref: str
    what: str


@dataclass(frozen=True)
class Photo:
    """A picture in the pack: which file, whose, under what licence, and what is on it."""

    file: str
    by: str
    licence: str
    alt: Words


@dataclass(frozen=True)
class Entry:
    """One thing a visitor can read about."""

    id: str
    kind: str
    names: Words
    short: Words | None  # For a card, where the name is too long for one.
    text: Words
    coordinates: Coordinates | None
    hours: Hours | None
    phone: str | None
    website: str | None
    address: Words | None
    has_date: bool | None  # None: no event. False: the day is set each year.
    sources: tuple[str, ...]
    checked_on: date
    confidence: str
    translation_confidence: Words
    tags: tuple[str, ...]
    icon: str | None = None  # A drawing of the sprite; None, or one it lacks: that of its kind.
    days: tuple[date, date] | None = None  # The first and the last day of a dated event.
    photo: Photo | None = None

    def card_name(self, language: str) -> str:
        """What a card calls it."""
        if self.short is not None and (language in self.short or language not in self.names):
            return self.short[language]
        return self.names[language]


@dataclass(frozen=True)
class Band:
    """One step of the PM2.5 scale."""

    limit_ugm3: float | None  # The highest value that still belongs here; None: no end.
    label: Words


@dataclass(frozen=True)
class Pack:
    """Everything the screens are made of."""

    id: str
    version: int
    languages: tuple[str, ...]
    city: Words
    province: Words
    latitude: float
    longitude: float
    flags: Mapping[str, bool]
    credits: Mapping[str, str]
    entries: tuple[Entry, ...]
    sources: Mapping[str, Source]
    pm2_5: tuple[Band, ...]
    heat_index: tuple[tuple[float, Words], ...]
    envelope: Envelope = field(repr=False, compare=False)  # What it was read from.
    # Entry -> language -> other words that people look for it by.
    aliases: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)
    stalls: tuple[Mapping[str, Any], ...] = ()
    notices: tuple[Mapping[str, Any], ...] = ()
    kiosks: tuple[Any, ...] = ()  # Where they stand; see kiosk_ui/sites.py.
    ui_words: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # Language, English.

    def file(self, name: str) -> bytes | None:
        """A drawing, sound, font or map by its logical name; None where the pack has none."""
        here = name in self.envelope.manifest.files
        return self.envelope.file(name) if here else None

    def names(self, folder: str) -> list[str]:
        """Logical names of the files that begin so, such as "qr/"."""
        return self.envelope.names(folder)

    @property
    def digest(self) -> str:
        """What this very edition is known by."""
        return self.envelope.manifest.digest

    def of_kind(self, *kinds: str) -> tuple[Entry, ...]:
        """Entries of these kinds, kind by kind, in the pack's order."""
        return tuple(e for kind in kinds for e in self.entries if e.kind == kind)


def load_pack(path: Path = DEFAULT_PACK) -> Pack:
    """Read and check a pack. Raises `ContentError`; nothing of a bad pack is used."""
    with opened(path) as envelope:
        return read_pack(envelope if path.is_dir() else envelope.held())


def read_pack(envelope: Envelope) -> Pack:
    """Read and check what an envelope holds. Raises `ContentError`."""
    try:
        return _pack(envelope)
    except ContentError:
        raise
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        # A field is missing or of another shape outside the entries, which check their own.
        raise ContentError(f"{envelope.manifest.name}: not a pack, {error!r}") from error


def distance_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    """Great-circle metres between two (latitude, longitude) pairs."""
    lat1, lat2 = radians(a[0]), radians(b[0])
    half_lat, half_lon = (lat2 - lat1) / 2, radians(b[1] - a[1]) / 2
    root = sin(half_lat) ** 2 + cos(lat1) * cos(lat2) * sin(half_lon) ** 2
    return 2 * EARTH_RADIUS_M * asin(sqrt(root))


def way_m(entry: Entry, position: tuple[float, float] | None) -> float | None:
    """Metres to go to an entry, streets allowed for; None where that is not known."""
    where = entry.coordinates
    if position is None or where is None or where.precision_m > PRECISION_M_MAX:
        return None
    return distance_m(position, (where.lat, where.lon)) * DETOUR


def walk_min(way: float | None) -> int | None:
    """Minutes on foot, at least 1; None when it is too far to walk or unknown."""
    if way is None:
        return None
    minutes = max(1, round(way / WALK_M_PER_MIN))
    return minutes if minutes <= WALK_MIN_MAX else None


def _pack(files: Envelope) -> Pack:
    manifest, about = files.manifest, table(files, "pack.json")
    languages = manifest.languages
    sources = {key: _source(key, row) for key, row in table(files, "sources.json").items()}
    found = rows(files, "entries.json", ENTRIES_MAX)
    entries = tuple(_entry(row, sources, languages) for row in found)
    _refuse_doubles(entries)
    city, levels = about["city"], files.json("levels.json")
    centre = city.get("centre") or city["center"]
    return Pack(
        id=manifest.id,
        version=manifest.version,
        languages=languages,
        city=words("pack.json: city.names", city["names"], NAME_MAX, languages),
        province=words("pack.json: city.province", city["province"], NAME_MAX, languages),
        latitude=number("pack.json: city.center.lat", centre["lat"], *LATITUDE),
        longitude=number("pack.json: city.center.lon", centre["lon"], *LONGITUDE),
        flags={str(key): value is True for key, value in about["flags"].items()},
        credits={str(key): short(f"credits.{key}", v) for key, v in about["credits"].items()},
        entries=entries,
        sources=sources,
        pm2_5=_pm2_5(levels["pm2_5"]["bands"], languages),
        heat_index=_heat_index(levels["heat_index"]["levels"], languages),
        envelope=files,
        kiosks=_kiosks(about),
        **_more(files, languages),
    )


def _kiosks(about: Mapping[str, Any]) -> tuple[Any, ...]:
    found = about.get("kiosks", [])
    if not isinstance(found, list) or len(found) > KIOSKS_MAX:
        raise wrong("pack.json: kiosks", f"a list of at most {KIOSKS_MAX}", found)
    return tuple(found)


def _more(envelope: Envelope, languages: tuple[str, ...]) -> dict[str, Any]:
    """What a pack need not have."""
    here = envelope.manifest.files
    aliases = table(envelope, "aliases.json") if "aliases.json" in here else {}
    return {
        "aliases": {
            str(entry): {str(code): _aliases(entry, found) for code, found in row.items()}
            for entry, row in aliases.items()
        },
        "stalls": _optional(envelope, "stalls.json", STALLS_MAX),
        "notices": _optional(envelope, "notices.json", NOTICES_MAX),
        "ui_words": {code: _ui_words(envelope, code) for code in languages if code not in BROUGHT},
    }


def _ui_words(envelope: Envelope, language: str) -> dict[str, str]:
    """The screens' own words in a language that the software does not bring."""
    name = f"words/{language}.json"
    if name not in envelope.manifest.files:
        wanted = f"wanted for {LANGUAGE_NAMES[language]}, whose words the software does not bring"
        raise ContentError(f"{name}: missing: {wanted}")
    found = table(envelope, name)
    for english, word in found.items():
        where = f"{name}: {english[:40]!r}"
        if _parts(where, short(where, word)) != _parts(where, english):
            raise wrong(where, "the same {parts}", word)
    return found


def _parts(where: str, text: str) -> set[str | None]:
    """What is filled into a text; nothing else than plain names may stand in braces."""
    try:
        found = {(name, spec, how) for _, name, spec, how in Formatter().parse(text)}
    except ValueError as error:
        raise ContentError(f"{where}: {error}: {text[:80]!r}") from error
    return {name if not spec and not how else f"{name}:{spec}!{how}" for name, spec, how in found}


def _aliases(entry: str, found: object) -> tuple[str, ...]:
    if not isinstance(found, list) or len(found) > ALIASES_MAX:
        raise wrong(f"aliases.json: {entry}", "a list of words", found)
    return tuple(short(f"aliases.json: {entry}", word) for word in found)


def _optional(envelope: Envelope, name: str, rows_max: int) -> tuple[Mapping[str, Any], ...]:
    if name not in envelope.manifest.files:
        return ()
    found = rows(envelope, name, rows_max)
    for row in found:
        if not isinstance(row, dict):
            raise wrong(f"{name}: a row", "an object", row)
    return tuple(found)


def _source(key: str, row: Any) -> Source:
    field_of = {name: short(f"sources.json: {key}.{name}", row[name]) for name in row}
    return Source(**field_of)


def _pm2_5(bands: list[Any], languages: tuple[str, ...]) -> tuple[Band, ...]:
    """The pack names the levels; where they begin is the authorities' word, and in the code."""
    limits = [band["upto"] for band in bands]
    if limits != [*PM2_5_BANDS_UGM3, None]:
        raise wrong("levels.json: pm2_5: upto", f"{[*PM2_5_BANDS_UGM3, None]}", limits)
    where = "levels.json: pm2_5: label"
    return tuple(
        Band(band["upto"], words(where, band["label"], NAME_MAX, languages)) for band in bands
    )


def _heat_index(levels: list[Any], languages: tuple[str, ...]) -> tuple[tuple[float, Words], ...]:
    starts = [level["from"] for level in levels]
    if starts != [*HEAT_LEVELS_CELSIUS]:
        raise wrong("levels.json: heat_index: from", f"{[*HEAT_LEVELS_CELSIUS]}", starts)
    where = "levels.json: heat_index: label"
    return tuple(
        (level["from"], words(where, level["label"], NAME_MAX, languages)) for level in levels
    )


def _refuse_doubles(entries: tuple[Entry, ...]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise ContentError(f"entries.json: {entry.id}: id: used twice: {entry.id!r}")
        seen.add(entry.id)


def _coordinates(row: Row) -> Coordinates | None:
    value = row.row.get("coordinates")
    if value is None:
        return None
    if not isinstance(value, dict) or not {"lat", "lon", "precision_m"} <= set(value):
        raise row.wrong("coordinates", "lat, lon and precision_m", value)
    where = f"{row.where}: coordinates"
    return Coordinates(
        number(f"{where}.lat", value["lat"], *LATITUDE),
        number(f"{where}.lon", value["lon"], *LONGITUDE),
        round(number(f"{where}.precision_m", value["precision_m"], 0, EARTH_RADIUS_M)),
    )


def _hours(row: Row) -> Hours | None:
    value = row.row.get("hours")
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("confidence") not in CONFIDENCES:
        raise row.wrong("hours", "text and confidence", value)
    text = row.words("hours.text", NAME_MAX, value.get("text") or {})
    rule = value.get("osm_opening_hours")
    return Hours(
        text,
        None if rule is None else short(f"{row.where}: hours.osm_opening_hours", rule),
        value["confidence"],
    )


def _days(fields: Row, when: Any) -> tuple[date, date] | None:
    """When an event is, once somebody has confirmed it."""
    if when is None or not when.get("date_confirmed") or "starts_on" not in when:
        return None
    try:
        first = date.fromisoformat(when["starts_on"])
        last = date.fromisoformat(when.get("ends_on", when["starts_on"]))
    except (TypeError, ValueError) as error:
        raise fields.wrong("when", "days like 2026-11-22", when) from error
    if last < first:
        raise fields.wrong("when.ends_on", "a day that is not before starts_on", when["ends_on"])
    return first, last


def _photo(fields: Row) -> Photo | None:
    row = fields.row.get("photo")
    if row is None:
        return None
    if not isinstance(row, dict) or not all(
        isinstance(row.get(key), str) for key in ("file", "by", "licence")
    ):
        raise fields.wrong("photo", "file, by, licence and alt", row)
    alt = fields.words("photo.alt", NAME_MAX, row.get("alt"))
    return Photo(row["file"], row["by"], row["licence"], alt)


def _entry(row: Any, sources: Mapping[str, Source], languages: tuple[str, ...]) -> Entry:
    fields = Row(row, languages)
    address = row.get("address")
    when = row.get("when")
    translation = fields.words("translation_confidence", 6)
    return Entry(
        id=fields.id,
        kind=fields.one_of("kind", KINDS),
        names=fields.words("names", NAME_MAX),
        short=None if "short" not in row else fields.words("short", SHORT_MAX),
        text=fields.words("text", TEXT_MAX),
        coordinates=_coordinates(fields),
        hours=_hours(fields),
        phone=fields.text("phone"),
        website=fields.text("website"),
        address=None if address is None else fields.words("address", TEXT_MAX),
        has_date=None if when is None else bool(when.get("date_confirmed")),
        sources=fields.names_of("sources", sources),
        checked_on=fields.day("checked_on"),
        confidence=fields.one_of("confidence", CONFIDENCES),
        translation_confidence=translation,
        tags=fields.names_of("tags"),
        icon=fields.text("icon"),
        days=_days(fields, when),
        photo=_photo(fields),
    )
