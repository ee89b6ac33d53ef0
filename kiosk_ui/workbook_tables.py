"""The other sheets: the city, sources, levels, aliases, notices, stalls, kiosks and words."""

from __future__ import annotations

import hashlib
import re
from typing import Any, NamedTuple

from kiosk_ui.content import LATITUDE, LONGITUDE, NAME_MAX, TEXT_MAX
from kiosk_ui.languages import BROUGHT, LANGUAGE_NAMES
from kiosk_ui.notices import LEVELS as NOTICE_LEVELS
from kiosk_ui.notices import TITLE_MAX
from kiosk_ui.pin import N, P, R, is_hash, is_pin
from kiosk_ui.stalls import GOODS_MAX, PRESETS_MAX, PRICE_MAX_BAHT, UNIT_MAX
from kiosk_ui.stalls import NAME_MAX as STALL_NAME_MAX
from kiosk_ui.tiles import TILES
from kiosk_ui.workbook_cells import Cells, Report, rows_of
from kiosk_ui.workbook_entries import is_approved, unique_id
from kiosk_ui.workbook_place import coordinates
from kiosk_ui.workbook_problems import WARNING, problem
from kiosk_ui.workbook_sheets import CITY_KEYS, CITY_PREFIXES

VERSION_MAX = 2**31 - 1
SCALES = {"pm2_5": 5, "heat_index": 4}  # And how many steps each has.
HEADING_MAX = 359.9
REF_MAX = 300

_APP = re.compile(r"[0-9]{1,4}(\.[0-9]{1,4}){0,2}")
_PACK_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_STALL = re.compile(r"[0-9A-Za-z]{1,6}")
_PRICE = re.compile(r"[0-9]{1,6}")
_LINE = re.compile(r".{1,200}")
_PARTS = re.compile(r"\{[a-z_]*\}")


class City(NamedTuple):
    """What the sheet city says."""

    id: str
    version: int
    minimum_app: str
    parts: dict[str, Any]  # As they stand in pack.json.
    basis_pm2_5: str
    unit_heat_index: str


def read_languages(report: Report) -> None:
    """Take the languages and the day of the edition: other sheets are read by them."""
    for cells in rows_of(report, "city"):
        if cells["key"] == "languages":
            codes = cells.names("value")
            known = all(code in LANGUAGE_NAMES for code in codes)
            if known and {"th", "en"} <= set(codes) and len(set(codes)) == len(codes):
                report.languages = codes
            else:
                cells.wrong("languages", "value", known=", ".join(LANGUAGE_NAMES))
        if cells["key"] == "made_on":
            report.made_on = cells.day("value", needed=True)


class _CityRows:
    """The rows of the sheet city by their key; a row that is missing gives the default."""

    def __init__(self, report: Report) -> None:
        self.found: dict[str, Cells] = {}
        for cells in rows_of(report, "city"):
            key = cells["key"]
            if key in self.found:
                cells.wrong("double id", "key", where=f"city {self.found[key].row.number}")
            elif key not in CITY_KEYS and not key.startswith(CITY_PREFIXES):
                cells.wrong("unknown key", "key", known=", ".join((*CITY_KEYS, *CITY_PREFIXES)))
            else:
                self.found[key] = cells
        for key in CITY_KEYS:
            if key not in self.found and "city" in report.workbook.sheets:
                report.add(problem("no key", "city", None, "key", key=key))

    def text(self, key: str, pattern: re.Pattern[str] = _LINE, code: str = "needed") -> str:
        """A text in the column value."""
        cells = self.found.get(key)
        if cells is None:
            return ""
        if not pattern.fullmatch(cells["value"]):
            cells.wrong(code, "value")
            return ""
        return cells["value"]

    def number(self, key: str, low: float, high: float) -> float:
        """A number in the column value."""
        cells = self.found.get(key)
        found = None if cells is None else cells.number("value", low, high, needed=True)
        return low if found is None else found

    def words(self, key: str, languages: tuple[str, ...]) -> dict[str, str]:
        """A text per language."""
        cells = self.found.get(key)
        columns = {code: code for code in languages}
        return {} if cells is None else cells.spoken(columns, NAME_MAX) or {}

    def box(self, key: str) -> list[float]:
        """Four degrees: west, south, east, north."""
        cells = self.found.get(key)
        if cells is None:
            return []
        try:
            west, south, east, north = (float(text) for text in cells.names("value"))
        except ValueError:
            west, south, east, north = 0.0, 0.0, 0.0, 0.0
        good = -180 <= west < east <= 180 and -90 <= south < north <= 90
        if not good:
            cells.wrong("bbox", "value")
        return [west, south, east, north] if good else []

    def begin(self, prefix: str) -> dict[str, Cells]:
        """The rows whose key begins so, by what follows."""
        return {
            key.removeprefix(prefix): cells
            for key, cells in self.found.items()
            if key.startswith(prefix)
        }


def read_city(report: Report) -> City:
    """The sheet city: one fact a row."""
    rows = _CityRows(report)
    languages = report.languages
    parts = {
        "city": {
            "names": rows.words("name", languages),
            "province": rows.words("province", languages),
            "timezone": rows.text("timezone"),
            "center": {
                "lat": rows.number("center_lat", *LATITUDE),
                "lon": rows.number("center_lon", *LONGITUDE),
            },
        },
        "map_bbox": rows.box("map_bbox"),
        "flags": {name: cells.yes("value") for name, cells in rows.begin("flag_").items()},
        "credits": {
            name: cells.text("value", TEXT_MAX, needed=True) or ""
            for name, cells in rows.begin("credit_").items()
        },
    }
    return City(
        id=rows.text("pack_id", _PACK_ID, "id"),
        version=int(rows.number("version", 1, VERSION_MAX)),
        minimum_app=rows.text("minimum_app", _APP, "version"),
        parts=parts,
        basis_pm2_5=rows.text("basis_pm2_5"),
        unit_heat_index=rows.text("unit_heat_index"),
    )


def read_sources(report: Report) -> dict[str, Any]:
    """Where facts were read, by id."""
    seen: dict[str, tuple[str, int]] = {}
    found = {}
    for cells in rows_of(report, "sources"):
        name = unique_id(cells, seen)
        row = {
            column: cells.text(column, REF_MAX, needed=True) for column in ("label", "ref", "what")
        }
        if name is not None and None not in row.values():
            found[name] = row
    return found


def read_levels(report: Report, city: City) -> dict[str, Any]:
    """The steps of the PM2.5 scale and of the heat index."""
    bands: list[dict[str, Any]] = []
    levels: list[dict[str, Any]] = []
    rows = rows_of(report, "levels")
    last = max((c.row.number for c in rows if c["scale"] == "pm2_5"), default=0)
    for cells in rows:
        scale = cells.choice("scale", tuple(SCALES))
        label = cells.words("label", NAME_MAX, needed=True)
        if scale == "heat_index":
            start = cells.number("from", 0, 100, needed=True)
            _upwards(cells, "from", start, levels)
            levels.append({"from": start, "label": label})
            continue
        upto = cells.number("upto", 0, 10_000)
        aqi = cells.number("aqi_upto", 0, 10_000)
        if (upto is None) != (cells.row.number == last):
            cells.wrong("last band", "upto")
        _upwards(cells, "upto", upto, bands)
        bands.append({"upto": upto, "aqi_upto": None if aqi is None else int(aqi), "label": label})
    for scale, found in (("pm2_5", bands), ("heat_index", levels)):
        if len(found) != SCALES[scale] and "levels" in report.workbook.sheets:
            report.add(
                problem("few levels", "levels", None, "scale", scale=scale, count=SCALES[scale])
            )
    return {
        "pm2_5": {"averaging": city.basis_pm2_5, "bands": bands},
        "heat_index": {"unit": city.unit_heat_index, "levels": levels},
    }


def _upwards(cells: Cells, column: str, value: float | None, before: list[dict[str, Any]]) -> None:
    if before and value is not None and (before[-1][column] or 0) >= value:
        cells.wrong("order", column)


def read_aliases(report: Report, entries: dict[str, tuple[str, int]]) -> dict[str, Any]:
    """Other words that people look for an entry by."""
    seen: dict[str, tuple[str, int]] = {}
    found = {}
    for cells in rows_of(report, "aliases"):
        name = unique_id(cells, seen)
        if name is not None and name not in entries:
            cells.wrong("unknown id", "id")
        words = {}
        for code in report.languages:
            listed = cells.names(code, "|")
            if any(len(word) > NAME_MAX for word in listed):
                cells.wrong("long", code, length=max(map(len, listed)), max=NAME_MAX)
            words[code] = list(listed)
        if name in entries:
            found[name] = {code: listed for code, listed in words.items() if listed}
    return found


def read_notices(report: Report) -> list[dict[str, Any]]:
    """What the city has to say, mostly for some days; what is over is left out."""
    seen: dict[str, tuple[str, int]] = {}
    found = []
    for cells in rows_of(report, "notices"):
        name = unique_id(cells, seen)
        title = cells.words("title", TITLE_MAX, needed=True)
        text = cells.words("text", TEXT_MAX, needed=True)
        start, end = cells.day("starts_on"), cells.day("ends_on")
        level = cells.choice("level", NOTICE_LEVELS)
        if start and end and end < start:
            cells.wrong("ends before", "ends_on", start=start)
        over = end is not None and report.made_on is not None and end < report.made_on
        if over:
            cells.wrong("over", "ends_on", level=WARNING, end=end)
        if is_approved(cells) and name and title and text and not over:
            days = {"starts_on": start, "ends_on": end}
            row = {"id": name, "level": level, "title": title, "text": text}
            found.append(row | {key: day.isoformat() for key, day in days.items() if day})
    return found


def read_stalls(
    report: Report, pack_id: str, entries: dict[str, tuple[str, int]]
) -> list[dict[str, Any]]:
    """The stalls of the market, whose keepers may say that they are open or sold out."""
    seen: dict[str, int] = {}
    found = {}
    for cells in rows_of(report, "stalls"):
        number = cells["number"]
        if not _STALL.fullmatch(number):
            cells.wrong("stall", "number")
        elif number in seen:
            cells.wrong("double id", "number", where=f"stalls {seen[number]}")
        seen.setdefault(number, cells.row.number)
        names = cells.words("name", STALL_NAME_MAX, needed=True)
        pin = _pin(cells, f"{pack_id}/{number}")
        if cells["entry"] and cells["entry"] not in entries:
            cells.wrong("unknown id", "entry")
        if is_approved(cells) and names and pin:
            row: dict[str, Any] = {"number": number, "names": names, "goods": [], "pin": pin}
            found[number] = row | ({"entry": cells["entry"]} if cells["entry"] else {})
    _read_stall_goods(report, found, seen, entries)
    return list(found.values())


def _read_stall_goods(
    report: Report,
    stalls: dict[str, dict[str, Any]],
    numbers: dict[str, int],
    entries: dict[str, tuple[str, int]],
) -> None:
    """What each stall sells, by what it is sold, and the prices its keeper can choose from."""
    for cells in rows_of(report, "stall_goods"):
        stall, good = stalls.get(cells["stall"]), cells.id("good")
        if cells["stall"] not in numbers:
            cells.wrong("unknown id", "stall")
        names, unit = cells.words("name", STALL_NAME_MAX), cells.words("unit", UNIT_MAX)
        if good is not None and good not in entries and names is None:
            cells.wrong("good", "good")
        prices = [_price(cells, text) for text in cells.names("prices")]
        if prices != sorted(set(prices)) or len(prices) > PRESETS_MAX:
            cells.wrong("prices", "prices", max=PRESETS_MAX)
        if stall is None or good is None:
            continue
        if len(stall["goods"]) >= GOODS_MAX:
            cells.wrong("long", "good", length=GOODS_MAX + 1, max=GOODS_MAX)
        more = {"names": names, "unit": unit}
        stall["goods"].append({"id": good, **{key: one for key, one in more.items() if one}})
        if prices:
            stall.setdefault("price_presets", {})[good] = prices


def _price(cells: Cells, text: str) -> int:
    """A price in whole baht."""
    if not _PRICE.fullmatch(text) or not 0 < int(text) <= PRICE_MAX_BAHT:
        cells.wrong("prices", "prices", max=PRESETS_MAX)
        return 0
    return int(text)


def _pin(cells: Cells, salt: str) -> str | None:
    """A PIN as it may be carried about: the hash from the sheet, or that of the six digits.

    Its salt is the same at each build, so the pack is.
    """
    pin = cells["pin"]
    if is_hash(pin):
        return pin
    if not is_pin(pin):
        cells.wrong("pin", "pin")
        return None
    salted = hashlib.sha256(salt.encode()).digest()[:16]
    made = hashlib.scrypt(pin.encode(), salt=salted, n=N, r=R, p=P, dklen=32)
    return f"scrypt${N}${R}${P}${salted.hex()}${made.hex()}"


def read_kiosks(report: Report) -> list[dict[str, Any]]:
    """Where kiosks stand, and in which order they show the tiles of the home screen."""
    seen: dict[str, tuple[str, int]] = {}
    found = []
    tiles = tuple(tile.go.rpartition("/")[2] for tile in TILES)
    for cells in rows_of(report, "kiosks"):
        name = unique_id(cells, seen)
        names = cells.words("name", NAME_MAX, needed=True)
        where = coordinates(cells, needed=True)
        heading = cells.number("heading_deg", 0, HEADING_MAX)
        order = cells.names("tiles")
        for tile in order:
            if tile not in tiles:
                cells.wrong("choice", "tiles", allowed=", ".join(tiles))
        if is_approved(cells) and name and names and where:
            row = {"id": name, "names": names, "coordinates": where}
            found.append({**row, "heading_deg": heading, "tiles": list(order)})
    return found


def read_words(report: Report, english: tuple[str, ...]) -> dict[str, dict[str, str]]:
    """The screens' own words in languages that the software does not bring."""
    more = [code for code in report.languages if code not in BROUGHT]
    found: dict[str, dict[str, str]] = {code: {} for code in more}
    rows = rows_of(report, "words")
    for cells in rows:
        word = cells["word"]
        if word not in english:
            cells.wrong("unknown word", "word", level=WARNING)
            continue
        for code in more:
            text = cells.text(code, TEXT_MAX)
            if text is None:
                cells.wrong("no translation", code, level=WARNING)
            elif sorted(_PARTS.findall(text)) != sorted(_PARTS.findall(word)):
                cells.wrong("parts", code, parts=" ".join(_PARTS.findall(word)))
            else:
                found[code][word] = text
    missing = sorted(set(english) - {cells["word"] for cells in rows})
    if more and missing:
        report.add(problem("few words", "words", None, "word", level=WARNING, words=missing[0]))
    return found
