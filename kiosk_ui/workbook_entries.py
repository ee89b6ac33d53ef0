"""Rows of the entry sheets as the entries of a pack."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from kiosk_ui.content import ENTRIES_MAX, NAME_MAX, SHORT_MAX, TEXT_MAX
from kiosk_ui.drawings import icon_names
from kiosk_ui.workbook_cells import Cells, Report, rows_of
from kiosk_ui.workbook_photo import BYTES_MAX as PHOTO_BYTES_MAX
from kiosk_ui.workbook_photo import PHOTO_FILE_BYTES_MAX, PX_MIN, read_photo
from kiosk_ui.workbook_place import coordinates
from kiosk_ui.workbook_problems import WARNING
from kiosk_ui.workbook_sheets import APPROVED, ENTRY_SHEETS, STATUSES

if TYPE_CHECKING:
    from pathlib import Path

CHECK_DAYS_MAX = 180  # After that somebody should look again.
HOURS_DAYS_MAX = 365  # After that opening hours are not shown.
PHOTOS = "photos"
NOTE_MAX = 200

# +66 and 8 or 9 digits, spaces or hyphens for the eye; other countries by E.164; 191 and the like.
_PHONE = re.compile(r"\+[1-9][0-9]{6,14}")
_SHORT_NUMBER = re.compile(r"1[0-9]{2,3}")
# The forms that the screen can tell open from closed by.
_DAYS = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)(?:[,-](?:Mo|Tu|We|Th|Fr|Sa|Su))*"
_SPAN = r"[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]"
_RULE = rf"(?:{_DAYS} )?(?:{_SPAN}(?:,{_SPAN})*|off)"
_HOURS_RULE = re.compile(rf"24/7|{_RULE}(?:; *{_RULE}){{0,9}}")
_HOST = re.compile(r"[^\s/@\\]+\.[^\s/@\\]+")
_FILE = re.compile(r"[A-Za-z0-9ก-๙][A-Za-z0-9ก-๙ ._-]{0,79}")


@dataclass
class Entries:
    """What the entry sheets hold."""

    rows: list[dict[str, Any]] = field(default_factory=list)
    photos: dict[str, bytes] = field(default_factory=dict)  # Logical name -> content.
    where: dict[str, tuple[str, int]] = field(default_factory=dict)  # Id -> sheet and row.
    links: dict[str, str] = field(default_factory=dict)  # Id -> website, as it was written.


def read_entries(report: Report, sources: set[str]) -> Entries:
    """All entries that ship; the report tells of the others."""
    found = Entries()
    for sheet, kinds in ENTRY_SHEETS.items():
        for cells in rows_of(report, sheet):
            entry = _entry(cells, kinds, sources, found)
            if entry is not None and cells.ships and len(found.rows) < ENTRIES_MAX:
                found.rows.append(entry)
    return found


def unique_id(cells: Cells, seen: dict[str, tuple[str, int]], column: str = "id") -> str | None:
    """The id of a row, which no row before it has."""
    name = cells.id(column)
    if name is None:
        return None
    if name in seen:
        sheet, row = seen[name]
        cells.wrong("double id", column, where=f"{sheet} {row}")
        return None
    seen[name] = (cells.sheet.name, cells.row.number)
    return name


def is_approved(cells: Cells) -> bool:
    """Whether a row ships; the report names those that do not."""
    status = cells.choice("status", STATUSES)
    if status != APPROVED and cells["status"] in STATUSES:
        cells.wrong("not approved", "status", level=WARNING, status=status)
    return status == APPROVED


def _entry(
    cells: Cells, kinds: tuple[str, ...], sources: set[str], found: Entries
) -> dict[str, Any] | None:
    name = unique_id(cells, found.where)
    is_approved(cells)
    names = cells.words("name", NAME_MAX, needed=True)
    text = cells.words("text", TEXT_MAX, needed=True)
    entry: dict[str, Any] = {
        "id": name,
        "kind": kinds[0] if len(kinds) == 1 else cells.choice("kind", kinds),
        "names": names,
        "text": text,
        "coordinates": coordinates(cells),
        "hours": _hours(cells),
        "sources": _sources(cells, sources),
        "checked_on": _checked_on(cells),
        "confidence": cells.confidence("confidence"),
        "translation_confidence": {
            code: cells.confidence(f"sure_{code}") for code in cells.report.languages
        },
        "tags": list(cells.names("tags")),
    }
    optional = {
        "short": cells.words("short", SHORT_MAX),
        "address": cells.words("address", TEXT_MAX),
        "phone": _phone(cells),
        "website": _website(cells, name, found),
        "icon": _icon(cells),
        "photo": _photo(cells, name, found),
        "when": _when(cells) if cells.sheet.name == "events" else None,
    }
    entry |= {key: value for key, value in optional.items() if value is not None}
    _age(cells, entry)
    return entry if name and names and text else None


def _hours(cells: Cells) -> dict[str, Any] | None:
    text = cells.words("hours", NAME_MAX)
    rule = cells["hours_rule"]
    if rule and not _HOURS_RULE.fullmatch(rule):
        cells.wrong("hours rule", "hours_rule")
    if text is None:
        if rule:
            cells.wrong("together", "hours_rule", columns="hours_th, hours_en, hours_rule")
        return None
    sure = cells.confidence("hours_confidence")
    return {"text": text, "osm_opening_hours": rule or None, "confidence": sure}


def _sources(cells: Cells, known: set[str]) -> list[str]:
    found = cells.names("sources")
    if not found:
        cells.wrong("needed", "sources")
    for source in found:
        if source not in known:
            cells.wrong("unknown source", "sources", missing=source)
    return list(found)


def _checked_on(cells: Cells) -> str:
    day = cells.day("checked_on", needed=True)
    made_on = cells.report.made_on
    if day is not None and made_on is not None and day > made_on:
        cells.wrong("future", "checked_on")
    return "" if day is None else day.isoformat()


def _age(cells: Cells, entry: dict[str, Any]) -> None:
    """What was checked long ago is looked at again, and hours of last year are not shown."""
    day = cells.day("checked_on") if entry["checked_on"] else None
    if day is None or cells.report.made_on is None:
        return
    days = (cells.report.made_on - day).days
    if days > HOURS_DAYS_MAX and entry["hours"] is not None:
        entry["hours"] = None
        cells.wrong("old hours", "checked_on", level=WARNING, days=days)
    elif days > CHECK_DAYS_MAX:
        cells.wrong("old", "checked_on", level=WARNING, days=days, max=CHECK_DAYS_MAX)


def _phone(cells: Cells) -> str | None:
    """A number as people in Thailand dial it: 038-142-100, or 191."""
    text = cells["phone"]
    if not text:
        return None
    bare = re.sub(r"[ -]", "", text)
    if _SHORT_NUMBER.fullmatch(bare):
        return bare
    if not _PHONE.fullmatch(bare):
        cells.wrong("phone", "phone")
        return None
    if not bare.startswith("+66"):
        return bare
    digits = "0" + bare[3:]
    if len(digits) not in (9, 10) or digits.startswith("00"):
        cells.wrong("phone", "phone")
        return None
    area = 2 if digits.startswith("02") else 3  # Bangkok has two digits, the others three.
    return f"{digits[:area]}-{digits[area : area + 3]}-{digits[area + 3 :]}"


def _website(cells: Cells, name: str | None, found: Entries) -> str | None:
    """A website as it is read on a screen; the address itself goes into the QR code."""
    text = cells.text("website", NOTE_MAX)
    if text is None:
        return None
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and _HOST.fullmatch(parts.netloc)
    except ValueError:
        good = None
    if not good or " " in text:
        cells.wrong("website", "website")
        return None
    if name:
        found.links[name] = text
    return re.sub(r"^https?://(www\.)?", "", text).rstrip("/")


def _icon(cells: Cells) -> str | None:
    icon = cells["icon"]
    if icon and icon not in icon_names():
        cells.wrong("unknown icon", "icon", allowed=", ".join(icon_names()))
        return None
    return icon or None


def _when(cells: Cells) -> dict[str, Any]:
    """When an event is: its rule as words, and days where they are known."""
    start, end = cells.day("starts_on"), cells.day("ends_on")
    confirmed = cells.yes("date_confirmed")
    if start and end and end < start:
        cells.wrong("ends before", "ends_on", start=start)
    if end and not start:
        cells.wrong("together", "starts_on", columns="starts_on, ends_on")
    if confirmed and not start:
        cells.wrong("needs start", "starts_on")
    when: dict[str, Any] = {
        "rule": cells.text("when_rule", NOTE_MAX) or "",
        "date_confirmed": confirmed,
    }
    if start:
        when |= {"starts_on": start.isoformat(), "ends_on": (end or start).isoformat()}
    return when


def _photo(cells: Cells, name: str | None, found: Entries) -> dict[str, Any] | None:
    """A photo with its licence, its maker and words for who cannot see it."""
    file = cells["photo"]
    if not file:
        return None
    for column, code in (("photo_licence", "photo licence"), ("photo_by", "photo by")):
        if not cells[column]:
            cells.wrong(code, column)
    alt = cells.words("alt", NAME_MAX)
    if alt is None:
        cells.wrong("photo alt", "alt_th")
    content = _photo_content(cells, cells.report.workbook.folder / PHOTOS, file)
    if content is None or name is None or alt is None:
        return None
    logical = f"photo/{name}.webp"
    if cells.ships:
        found.photos[logical] = content
    return {
        "file": logical,
        "licence": cells.text("photo_licence", NAME_MAX),
        "by": cells.text("photo_by", NAME_MAX),
        "alt": alt,
    }


def _photo_content(cells: Cells, folder: Path, file: str) -> bytes | None:
    path = folder / file
    if not _FILE.fullmatch(file) or not path.is_file():
        cells.wrong("no photo", "photo")
        return None
    weight = path.stat().st_size
    if weight > PHOTO_FILE_BYTES_MAX:
        cells.wrong("photo heavy", "photo", bytes=weight, max=PHOTO_FILE_BYTES_MAX)
        return None
    found = read_photo(path.read_bytes())
    if found is None:
        cells.wrong("photo kind", "photo")
        return None
    if not found.webp:
        cells.wrong("photo small", "photo", width=found.width, height=found.height, min=PX_MIN)
        return None
    if len(found.webp) > PHOTO_BYTES_MAX:
        cells.wrong("photo dense", "photo", bytes=len(found.webp), max=PHOTO_BYTES_MAX)
        return None
    return found.webp
