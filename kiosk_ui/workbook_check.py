"""Check a whole workbook, and give what a pack is made of."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk_ui.errors import ContentError
from kiosk_ui.i18n import catalog
from kiosk_ui.map_city import BYTES_MAX, FILE, read_city_map
from kiosk_ui.workbook_cells import Cells, Report, rows_of
from kiosk_ui.workbook_entries import Entries, read_entries
from kiosk_ui.workbook_problems import WARNING, cell_name, name_of, problem
from kiosk_ui.workbook_sheets import NEEDED_SHEETS, SHEETS
from kiosk_ui.workbook_tables import (
    City,
    read_aliases,
    read_city,
    read_kiosks,
    read_languages,
    read_levels,
    read_notices,
    read_sources,
    read_stalls,
    read_words,
)

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk_ui.workbook_read import Sheet, Workbook

ANY_CELL_MAX = 2000  # No cell of any sheet is longer.
SOUND_BYTES_MAX = 1_000_000
SOUNDS_MAX = 2000
SOUNDS = "audio"
MAP = "map.geojson"
FREE_SHEETS = ("readme", "_")  # Sheets that begin so are the clerk's own notes.

_HTML = re.compile(r"<[a-zA-Z/!?]|&(#[0-9]+|#[xX][0-9a-fA-F]+|[a-zA-Z]{2,8});")
_SOUND = re.compile(r"([a-z0-9][a-z0-9-]{0,63})\.([a-z]{2,3})\.opus")
_HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn")
_LINES = ("\n", "\r", "\u2028", "\u2029")


class Checked(NamedTuple):
    """A workbook's content as JSON values, and what was found wrong with it."""

    report: Report
    city: City
    entries: Entries
    tables: dict[str, Any]  # By logical name, such as "stalls.json".
    files: dict[str, bytes]  # Photos, sounds and the map.


def check(workbook: Workbook) -> Checked:
    """Read every sheet. What is wrong stands in the report; only without errors is it a pack."""
    report = Report(workbook)
    read_languages(report)
    _check_sheets(report)
    _sweep(report)
    city = read_city(report)
    sources = read_sources(report)
    entries = read_entries(report, set(sources))
    tables: dict[str, Any] = {
        "pack.json": {**city.parts, "kiosks": read_kiosks(report)},
        "entries.json": entries.rows,
        "sources.json": sources,
        "levels.json": read_levels(report, city),
        "aliases.json": _shipped(read_aliases(report, entries.where), entries),
        "stalls.json": read_stalls(report, city.id, entries.where),
        "notices.json": read_notices(report),
    }
    for code, words in read_words(report, english_words()).items():
        tables[f"words/{code}.json"] = words
    files = {**entries.photos, **_sounds(report, entries), **_map(report)}
    return Checked(report, city, entries, tables, files)


def english_words() -> tuple[str, ...]:
    """Every word of the screens, as the source has it."""
    found: Any = catalog("th")
    listed = found._catalog  # noqa: SLF001 # gettext lists them nowhere else
    return tuple(word for word in listed if word)


def _shipped(aliases: dict[str, Any], entries: Entries) -> dict[str, Any]:
    """Search words of the entries that ship."""
    shipped = {row["id"] for row in entries.rows}
    return {name: words for name, words in aliases.items() if name in shipped}


def _check_sheets(report: Report) -> None:
    """Sheets and columns: what is missing, unknown or there twice."""
    sheets = report.workbook.sheets
    for name in NEEDED_SHEETS:
        if name not in sheets:
            report.add(problem("no sheet", name))
    for name, sheet in sheets.items():
        if name in SHEETS:
            _check_columns(report, sheet)
        elif not name.startswith(FREE_SHEETS):
            report.add(problem("unknown sheet", name, level=WARNING, known=", ".join(SHEETS)))


def _check_columns(report: Report, sheet: Sheet) -> None:
    columns = SHEETS[sheet.name]
    known = columns.known(report.languages)
    if not sheet.header:
        if sheet.rows or (columns.needed and sheet.name in NEEDED_SHEETS):
            report.add(problem("no column", sheet.name, 1, columns.needed[0]))
        return
    for number, column in enumerate(sheet.header):
        cell = cell_name(number, 1)
        code = columns.language_of(column)
        if not column or column in known:
            continue
        if code is not None:
            words = {"language": code, "languages": ", ".join(report.languages)}
            report.add(problem("column language", sheet.name, 1, column, cell=cell, **words))
        else:
            words = {"known": ", ".join(known)}
            report.add(problem("unknown column", sheet.name, 1, column, cell=cell, **words))
    for column, count in Counter(filter(None, sheet.header)).items():
        if count > 1:
            report.add(problem("double column", sheet.name, 1, column))
    for column in columns.needed:
        if column not in sheet.header:
            report.add(problem("no column", sheet.name, 1, column))


def _sweep(report: Report) -> None:
    """What no cell of any sheet may hold."""
    for name in SHEETS:
        for cells in rows_of(report, name):
            for column, text in cells.row.cells.items():
                _sweep_cell(cells, column, text)


def _sweep_cell(cells: Cells, column: str, text: str) -> None:
    if not column:
        cells.wrong("no heading", column)
    if len(text) > ANY_CELL_MAX:
        cells.wrong("long", column, length=len(text), max=ANY_CELL_MAX)
    if _HTML.search(text):
        cells.wrong("html", column)
    if any(line in text for line in _LINES):
        cells.wrong("line break", column)
    for letter in text:
        if letter in _LINES:
            continue
        if unicodedata.category(letter) in _HIDDEN:
            cells.wrong("control", column, character=name_of(letter))
            return
        if unicodedata.bidirectional(letter) in ("R", "AL"):
            cells.wrong("right to left", column, character=name_of(letter))
            return


def _sounds(report: Report, entries: Entries) -> dict[str, bytes]:
    """Spoken entries that lie beside the workbook."""
    found: dict[str, bytes] = {}
    shipped = {row["id"] for row in entries.rows}
    for path in sorted((report.workbook.folder / SOUNDS).glob("*.opus"))[:SOUNDS_MAX]:
        named = _SOUND.fullmatch(path.name)
        weight = path.stat().st_size
        content = path.read_bytes() if weight <= SOUND_BYTES_MAX else b""
        known = named and named[1] in entries.where and named[2] in report.languages
        if not known or not content.startswith(b"OggS"):
            report.add(problem("sound", SOUNDS, value=path.name))
        elif named and named[1] in shipped:
            found[f"audio/{path.name}"] = content
    return found


def _map(report: Report) -> dict[str, bytes]:
    """The city's own map, if it has given one."""
    path: Path = report.workbook.folder / MAP
    if not path.is_file():
        return {}
    try:
        content = path.read_bytes() if path.stat().st_size <= BYTES_MAX else b""
        read_city_map(content)
    except ContentError as error:
        report.add(problem("map", MAP, reason=error))
        return {}
    return {FILE: content}
