"""The content pack: what the kiosk says, read from a folder and checked before it is shown."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "angsila-pack/1"
DEFAULT_PACK = Path(__file__).parent / "pack"
LANGUAGES = ("th", "en", "zh")
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
NAME_MAX = 120
SHORT_MAX = 40
TEXT_MAX = 300
LATITUDE = (13.2, 13.5)  # The town and what is a short ride away; anything else is a slip.
LONGITUDE = (100.8, 101.1)

EARTH_RADIUS_M = 6_371_000
DETOUR = 1.3  # Streets are longer than the straight line, by about a third.
WALK_M_PER_MIN = 75
WALK_MIN_MAX = 45  # Farther than this nobody walks in the sun.
PRECISION_M_MAX = 300  # A rougher point gives no honest walking time.

Words = dict[str, str]  # Language -> text.


class ContentError(ValueError):
    """A pack that may not be shown; the message names entry, field and value."""


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

    def card_name(self, language: str) -> str:
        """What a card calls it."""
        return (self.short or self.names)[language]


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

    def of_kind(self, *kinds: str) -> tuple[Entry, ...]:
        """Entries of these kinds, kind by kind, in the pack's order."""
        return tuple(e for kind in kinds for e in self.entries if e.kind == kind)


def load_pack(folder: Path = DEFAULT_PACK) -> Pack:
    """Read and check a pack. Raises `ContentError`; nothing of a bad pack is used."""
    manifest = _read(folder, "manifest.json")
    if manifest.get("schema") != SCHEMA:
        raise ContentError(f"manifest.json: schema must be {SCHEMA}: {manifest.get('schema')!r}")
    try:
        return _pack(folder, manifest)
    except (KeyError, TypeError, AttributeError) as error:
        # A field is missing or of another shape outside the entries, which check their own.
        raise ContentError(f"{folder.name}: not a pack, {error!r}") from error


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


def _read(folder: Path, name: str) -> Any:
    try:
        return json.loads((folder / name).read_text(encoding="utf-8"))
    except OSError as error:
        raise ContentError(f"{name}: {error.strerror}: {folder / name}") from error
    except ValueError as error:
        raise ContentError(f"{name}: not JSON: {error}") from error


def _pack(folder: Path, manifest: dict[str, Any]) -> Pack:
    sources = {key: Source(**row) for key, row in _read(folder, "sources.json").items()}
    rows = _read(folder, "entries.json")
    if not isinstance(rows, list) or len(rows) > ENTRIES_MAX:
        raise ContentError(f"entries.json: a list of at most {ENTRIES_MAX} entries is wanted")
    entries = tuple(_entry(row, sources) for row in rows)
    _refuse_doubles(entries)
    levels = _read(folder, "levels.json")
    return Pack(
        id=manifest["id"],
        version=manifest["version"],
        languages=tuple(manifest["languages"]),
        city=manifest["city"]["names"],
        province=manifest["city"]["province"],
        latitude=manifest["city"]["center"]["lat"],
        longitude=manifest["city"]["center"]["lon"],
        flags=manifest["flags"],
        credits=manifest["credits"],
        entries=entries,
        sources=sources,
        pm2_5=tuple(Band(row["upto"], row["label"]) for row in levels["pm2_5"]["bands"]),
        heat_index=tuple((row["from"], row["label"]) for row in levels["heat_index"]["levels"]),
    )


def _refuse_doubles(entries: tuple[Entry, ...]) -> None:
    seen: set[str] = set()
    for entry in entries:
        if entry.id in seen:
            raise ContentError(f"{entry.id}: id: used twice: {entry.id!r}")
        seen.add(entry.id)


class _Row:
    """One entry's fields as they were read; every complaint names the entry."""

    def __init__(self, row: Any) -> None:
        if not isinstance(row, dict) or not isinstance(row.get("id"), str) or not row["id"]:
            raise ContentError(f"an entry: id: a short text is wanted: {str(row)[:80]!r}")
        self.row = row
        self.id = row["id"]

    def wrong(self, field: str, wanted: str, value: object) -> ContentError:
        return ContentError(f"{self.id}: {field}: {wanted} is wanted: {value!r}")

    def one_of(self, field: str, allowed: tuple[str, ...]) -> str:
        value = self.row.get(field)
        if value not in allowed:
            raise self.wrong(field, " or ".join(allowed), value)
        return str(value)

    def text(self, field: str) -> str | None:
        value = self.row.get(field)
        if value is not None and (not isinstance(value, str) or len(value) > TEXT_MAX):
            raise self.wrong(field, "a text", value)
        return value

    def words(self, field: str, length_max: int, value: object = None) -> Words:
        value = self.row.get(field) if value is None else value
        if not isinstance(value, dict):
            raise self.wrong(field, "a text per language", value)
        for language in LANGUAGES:
            word = value.get(language)
            if not isinstance(word, str) or not 0 < len(word.strip()) <= length_max:
                raise self.wrong(f"{field}.{language}", f"1 to {length_max} characters", word)
        return {language: value[language].strip() for language in LANGUAGES}

    def names_of(self, field: str, known: Mapping[str, object] | None = None) -> tuple[str, ...]:
        value = self.row.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(field, "a list of words", value)
        for item in value:
            if known is not None and item not in known:
                raise self.wrong(field, "a source of sources.json", item)
        return tuple(value)

    def day(self, field: str) -> date:
        value = self.row.get(field)
        try:
            return date.fromisoformat(str(value))
        except ValueError as error:
            raise self.wrong(field, "a day like 2026-11-22", value) from error

    def coordinates(self) -> Coordinates | None:
        value = self.row.get("coordinates")
        if value is None:
            return None
        try:
            found = Coordinates(float(value["lat"]), float(value["lon"]), int(value["precision_m"]))
        except (KeyError, TypeError, ValueError) as error:
            raise self.wrong("coordinates", "lat, lon and precision_m", value) from error
        for field, number, (low, high) in (
            ("lat", found.lat, LATITUDE),
            ("lon", found.lon, LONGITUDE),
        ):
            if not low <= number <= high:
                raise self.wrong(f"coordinates.{field}", f"{low} to {high}", number)
        return found

    def hours(self) -> Hours | None:
        value = self.row.get("hours")
        if value is None:
            return None
        if not isinstance(value, dict) or value.get("confidence") not in CONFIDENCES:
            raise self.wrong("hours", "text and confidence", value)
        text = self.words("hours.text", NAME_MAX, value.get("text") or {})
        return Hours(text, value.get("osm_opening_hours"), value["confidence"])


def _entry(row: Any, sources: Mapping[str, Source]) -> Entry:
    fields = _Row(row)
    address = row.get("address")
    when = row.get("when")
    translation = fields.words("translation_confidence", 6)
    return Entry(
        id=fields.id,
        kind=fields.one_of("kind", KINDS),
        names=fields.words("names", NAME_MAX),
        short=None if "short" not in row else fields.words("short", SHORT_MAX),
        text=fields.words("text", TEXT_MAX),
        coordinates=fields.coordinates(),
        hours=fields.hours(),
        phone=fields.text("phone"),
        website=fields.text("website"),
        address=None if address is None else fields.words("address", TEXT_MAX),
        has_date=None if when is None else bool(when.get("date_confirmed")),
        sources=fields.names_of("sources", sources),
        checked_on=fields.day("checked_on"),
        confidence=fields.one_of("confidence", CONFIDENCES),
        translation_confidence=translation,
        tags=fields.names_of("tags"),
    )
