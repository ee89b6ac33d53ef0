"""A workbook as rows of text: a folder of CSV sheets, or an .xlsx or .ods file."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
import unicodedata
import zipfile
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple

from kiosk_ui.errors import ContentError

DEFAULT_WORKBOOK = Path(__file__).parent / "workbook"
SHEETS_MAX = 40
ROWS_MAX = 2000
COLUMNS_MAX = 200
CELL_MAX = 32_767  # What a spreadsheet program keeps in a cell.
FILE_BYTES_MAX = 20 * 1024 * 1024
UNPACKED_BYTES_MAX = 200 * 1024 * 1024
SPREADSHEETS = (".xlsx", ".ods")
DELIMITERS = (",", ";", "\t")
FAR_ROW = 5000
COLUMN_LETTERS_MAX = 2

_FILLED = re.compile(rb'<c [^>]*?r="([A-Z]+)([0-9]{1,9})"[^>]*[^/]>')  # A cell that is not empty.

# Copied along from web pages, seen by nobody, and of no use: they are dropped.
UNSEEN = dict.fromkeys((0x200B, 0xFEFF, 0x00AD))


class WorkbookError(ContentError):
    """A workbook that cannot be read at all; the message is in English and Thai."""


class Row(NamedTuple):
    """One row: its number as a spreadsheet counts, and the cells that are filled, by column."""

    number: int
    cells: dict[str, str]  # What stands right of the last heading goes by the name "".


class Sheet(NamedTuple):
    """One sheet: its columns in order (two may bear one name), and its rows."""

    name: str
    header: tuple[str, ...]
    rows: tuple[Row, ...]


class Workbook(NamedTuple):
    """All sheets, and the folder in which photos and sounds are looked for."""

    folder: Path
    sheets: dict[str, Sheet]


def read_workbook(path: Path) -> Workbook:
    """Read a workbook. Raises `WorkbookError`."""
    if path.is_dir():
        return Workbook(path, _read_folder(path))
    if path.suffix.lower() not in SPREADSHEETS:
        raise wrong(
            path,
            "a folder of CSV files, .xlsx or .ods is wanted",
            "ต้องเป็นโฟลเดอร์ไฟล์ CSV หรือไฟล์ .xlsx หรือ .ods",
        )
    return Workbook(path.parent, _read_spreadsheet(path))


def is_workbook(path: Path) -> bool:
    """Whether a path is a workbook and no pack."""
    return path.suffix.lower() in SPREADSHEETS or (path / "city.csv").is_file()


def wrong(path: Path, english: str, thai: str) -> WorkbookError:
    """What to say of a workbook, or a part of it, that cannot be read."""
    return WorkbookError(f"{path.name}: {english} / {thai}")


def _read_folder(folder: Path) -> dict[str, Sheet]:
    paths = sorted(folder.glob("*.csv"))
    if not paths:
        raise wrong(folder, "there is no .csv file in it", "ไม่มีไฟล์ .csv ในโฟลเดอร์นี้")
    if len(paths) > SHEETS_MAX:
        raise wrong(folder, f"at most {SHEETS_MAX} sheets", f"มีได้ไม่เกิน {SHEETS_MAX} ชีต")
    return {path.stem: make_sheet(path.stem, _read_csv(path), path) for path in paths}


def _read_csv(path: Path) -> list[list[str]]:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            raise wrong(path, "the file is too large", "ไฟล์ใหญ่เกินไป")
        text = path.read_text(encoding="utf-8-sig")
        head = text.partition("\n")[0]
        # Some spreadsheet programs write semicolons or tabs, and call it CSV as well.
        delimiter = max(DELIMITERS, key=head.count)
        lines = io.StringIO(text, newline="")
        return list(csv.reader(lines, delimiter=delimiter, strict=True))
    except UnicodeDecodeError:
        raise wrong(path, "save it as CSV UTF-8", "โปรดบันทึกเป็น CSV UTF-8") from None
    except csv.Error as error:
        raise wrong(path, f"no CSV file ({error})", "ไม่ใช่ไฟล์ CSV ที่ถูกต้อง") from None
    except OSError as error:
        raise wrong(path, f"cannot be read ({error.strerror})", "อ่านไฟล์ไม่ได้") from None


def _read_spreadsheet(path: Path) -> dict[str, Sheet]:
    from python_calamine import (  # noqa: PLC0415 # kiosks have none
        CalamineError,
        CalamineWorkbook,
    )

    try:
        _refuse_bombs(path)
        book = CalamineWorkbook.from_path(path)
        names = book.sheet_names
        if len(names) > SHEETS_MAX:
            raise wrong(path, f"at most {SHEETS_MAX} sheets", f"มีได้ไม่เกิน {SHEETS_MAX} ชีต")
        return {
            name.strip().lower(): make_sheet(
                name.strip().lower(),
                [
                    [cell_text(cell) for cell in row]
                    for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)
                ],
                path,
            )
            for name in names
        }
    except OSError as error:
        raise wrong(path, f"cannot be read ({error.strerror})", "อ่านไฟล์ไม่ได้") from None
    except (CalamineError, zipfile.BadZipFile, ValueError) as error:
        if isinstance(error, WorkbookError):
            raise
        raise wrong(path, f"no spreadsheet ({error})", "ไม่ใช่ไฟล์ตารางคำนวณที่อ่านได้") from None


def _refuse_bombs(path: Path) -> None:
    """Refuse what unpacks to more than any clerk has written."""
    if path.stat().st_size > FILE_BYTES_MAX:
        raise wrong(path, "the file is too large", "ไฟล์ใหญ่เกินไป")
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if sum(entry.file_size for entry in entries) > UNPACKED_BYTES_MAX:
            raise wrong(path, "the file is too large", "ไฟล์ใหญ่เกินไป")
        for entry in entries:
            if entry.filename.startswith("xl/worksheets/") and _is_vast(archive.read(entry)):
                raise wrong(
                    path,
                    f"{entry.filename}: at most {ROWS_MAX} rows and {COLUMNS_MAX} columns",
                    f"มีได้ไม่เกิน {ROWS_MAX} แถว และ {COLUMNS_MAX} คอลัมน์",
                )


def _is_vast(sheet: bytes) -> bool:
    """Whether a sheet has something far out; all cells up to it would be put into memory."""
    return any(
        len(found[1]) > COLUMN_LETTERS_MAX or int(found[2]) > FAR_ROW
        for found in _FILLED.finditer(sheet)
    )


def make_sheet(name: str, lines: list[list[str]], path: Path) -> Sheet:
    """A sheet of its lines; the first is the header. Empty rows are left out."""
    if len(lines) > ROWS_MAX + 1:
        raise wrong(
            path,
            f"sheet {name}: at most {ROWS_MAX} rows",
            f"ชีต {name}: มีได้ไม่เกิน {ROWS_MAX} แถว",
        )
    header = [clean(cell).lower() for cell in lines[0]] if lines else []
    while header and not header[-1]:
        header.pop()
    if len(header) > COLUMNS_MAX:
        raise wrong(
            path,
            f"sheet {name}: at most {COLUMNS_MAX} columns",
            f"ชีต {name}: มีได้ไม่เกิน {COLUMNS_MAX} คอลัมน์",
        )
    rows = []
    for number, line in enumerate(lines[1:], start=2):
        cells = {
            column: text
            for column, cell in zip_longest(header, line[:COLUMNS_MAX], fillvalue="")
            if (text := clean(cell))
        }
        if cells:
            rows.append(Row(number, cells))
    return Sheet(name, tuple(header), tuple(rows))


def clean(text: str) -> str:
    """A cell's text in one form, without what nobody sees."""
    return unicodedata.normalize("NFC", text[: CELL_MAX + 1]).translate(UNSEEN).strip()


def cell_text(cell: object) -> str:
    """What a spreadsheet keeps as a number, a day or a yes, as a CSV sheet says it."""
    if isinstance(cell, bool):
        return "yes" if cell else "no"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        midnight = cell.time() == dt.time()
        return cell.date().isoformat() if midnight else cell.isoformat(" ", "minutes")
    if isinstance(cell, dt.date | dt.time):
        return cell.isoformat()
    return str(cell)
