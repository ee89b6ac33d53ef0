"""Workbooks for tests: the shipped one with some cells changed, in each form it can have."""

from __future__ import annotations

import csv
import io
import shutil
import zipfile
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from kiosk_ui.workbook_check import check
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK, read_workbook

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk_ui.workbook_check import Checked
    from kiosk_ui.workbook_problems import Problem

KEYS = {"city": "key", "stalls": "number", "levels": "scale", "stall_goods": "stall"}


def copy(folder: Path) -> Path:
    """The shipped workbook as a folder that may be changed."""
    return shutil.copytree(DEFAULT_WORKBOOK, folder / "workbook")


def small(folder: Path) -> Path:
    """A copy with few entries: drawing all of them takes a while."""
    path = copy(folder)
    for sheet, keep in (
        ("places", 1),
        ("goods", 4),
        ("stories", 0),
        ("events", 0),
        ("services", 4),
    ):
        file = path / f"{sheet}.csv"
        write_csv(file, read_csv(file)[: keep + 1])
    write_csv(path / "aliases.csv", [["id", "th", "en", "zh"]])
    return path


def edit(folder: Path, sheet: str, row: str, **cells: str) -> Path:
    """Change cells of the row with this id; a new row at the end where there is none."""
    path = folder / f"{sheet}.csv"
    header, *rows = read_csv(path)
    key = KEYS.get(sheet, "id")
    at = header.index(key)
    found = next((line for line in rows if line[at] == row), None)
    if found is None:
        found = [""] * len(header)
        found[at] = row
        rows.append(found)
    for column, text in cells.items():
        if column not in header:
            header.append(column)
            for line in rows:
                line.append("")
        found[header.index(column)] = text
    write_csv(path, [header, *rows])
    return folder


def edited(folder: Path, sheet: str, row: str, **cells: str) -> Path:
    """A copy of the shipped workbook with such a change."""
    return edit(copy(folder), sheet, row, **cells)


def read_csv(path: Path) -> list[list[str]]:
    """All lines of a sheet."""
    return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"), newline="")))


def write_csv(path: Path, lines: list[list[str]]) -> None:
    """Write them."""
    target = io.StringIO(newline="")
    csv.writer(target, lineterminator="\n").writerows(lines)
    path.write_text(target.getvalue(), encoding="utf-8")


def checked(path: Path) -> Checked:
    """What is found in a workbook."""
    return check(read_workbook(path))


def problems(path: Path, code: str = "") -> list[Problem]:
    """What is wrong with it; of this kind, where one is named."""
    return [one for one in checked(path).report.problems if code in ("", one.code)]


def write_ods(path: Path, sheets: dict[str, list[list[str]]]) -> Path:
    """An OpenDocument spreadsheet as LibreOffice writes it, with nothing that is not needed."""
    tables = "".join(_ods_table(name, lines) for name, lines in sheets.items())
    spaces = "".join(
        f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
        for name in ("office", "table", "text")
    )
    kind = "application/vnd.oasis.opendocument.spreadsheet"
    manifest = (
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{kind}"/>'
        "</manifest:manifest>"
    )
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", kind)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr(
            "content.xml",
            f"<office:document-content{spaces}><office:body><office:spreadsheet>{tables}"
            "</office:spreadsheet></office:body></office:document-content>",
        )
    return path


def _ods_table(name: str, lines: list[list[str]]) -> str:
    rows = "".join(
        "<table:table-row>" + "".join(_ods_cell(text) for text in line) + "</table:table-row>"
        for line in lines
    )
    return f'<table:table table:name="{name}">{rows}</table:table>'


def _ods_cell(text: str) -> str:
    said = f"<text:p>{escape(text)}</text:p>"
    return f'<table:table-cell office:value-type="string">{said}</table:table-cell>'
