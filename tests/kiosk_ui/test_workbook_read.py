import csv
import datetime as dt
from pathlib import Path

import pytest
import xlsxwriter  # type: ignore[import-untyped] # it brings no types

from kiosk_ui.pack_build import build, zipped
from kiosk_ui.workbook_read import (
    COLUMNS_MAX,
    DEFAULT_WORKBOOK,
    ROWS_MAX,
    WorkbookError,
    cell_text,
    is_workbook,
    read_workbook,
)
from kiosk_ui.workbook_write import write_spreadsheet
from tests.kiosk_ui import workbooks


def test_csv_xlsx_and_ods_give_the_same_pack(tmp_path: Path) -> None:
    """A clerk may use what they like: the pack is the same, byte by byte."""
    xlsx, ods = tmp_path / "workbook.xlsx", tmp_path / "workbook.ods"
    write_spreadsheet(xlsx, read_workbook(DEFAULT_WORKBOOK))
    sheets = {path.stem: workbooks.read_csv(path) for path in DEFAULT_WORKBOOK.glob("*.csv")}
    workbooks.write_ods(ods, sheets)

    packs = [zipped(build(path).members) for path in (DEFAULT_WORKBOOK, xlsx, ods)]

    assert packs[0] == packs[1] == packs[2]
    assert len(packs[0]) > 100_000


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (191.0, "191"),
        (13.341, "13.341"),
        (True, "yes"),
        (False, "no"),
        (dt.date(2026, 11, 22), "2026-11-22"),
        (dt.datetime(2026, 11, 22), "2026-11-22"),  # noqa: DTZ001 # a cell has no zone
        (dt.datetime(2026, 11, 22, 18, 30), "2026-11-22 18:30"),  # noqa: DTZ001 # the same
        (dt.time(8, 30), "08:30:00"),
        (1e300, "1e+300"),
        ("", ""),
    ],
)
def test_a_cell_is_what_a_csv_sheet_would_say(cell: object, text: str) -> None:
    """A spreadsheet turns 191 into a number and a day into a date: they come back as text."""
    assert cell_text(cell) == text


def test_names_of_sheets_and_columns_may_be_in_capitals(tmp_path: Path) -> None:
    """Some programs begin every heading with a capital."""
    path = tmp_path / "workbook.xlsx"
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet("Places")
        sheet.write_row(0, 0, ["Id", "Name_TH"])
        sheet.write_row(1, 0, ["pier", "ท่าเรือ"])

    (row,) = read_workbook(path).sheets["places"].rows

    assert row.number == 2
    assert row.cells == {"id": "pier", "name_th": "ท่าเรือ"}


def test_rows_keep_the_numbers_that_a_spreadsheet_shows(tmp_path: Path) -> None:
    """Empty rows are left out and counted: a message names the row that the clerk sees."""
    (tmp_path / "places.csv").write_text('id,note\na,"two\nlines"\n\n,,\nb,x\n', encoding="utf-8")

    rows = read_workbook(tmp_path).sheets["places"].rows

    assert [(row.number, row.cells["id"]) for row in rows] == [(2, "a"), (5, "b")]


def test_what_nobody_sees_is_dropped(tmp_path: Path) -> None:
    """A byte order mark, and the zero-width spaces that text from web pages is full of."""
    (tmp_path / "places.csv").write_text("\ufeffid,name_th\na,ท่า\u200bเรือ\u00ad\n", "utf-8")

    (row,) = read_workbook(tmp_path).sheets["places"].rows

    assert row.cells == {"id": "a", "name_th": "ท่าเรือ"}


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_csv_may_have_other_delimiters(tmp_path: Path, delimiter: str) -> None:
    """Some programs write semicolons or tabs, by the country that they are set to."""
    with (tmp_path / "goods.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows([["id", "text_th"], ["a", "ปู, กุ้ง; หอย"]])

    (row,) = read_workbook(tmp_path).sheets["goods"].rows

    assert row.cells == {"id": "a", "text_th": "ปู, กุ้ง; หอย"}


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("places.csv", b"id,name_th\na,\xe0\xb8", r"places\.csv: save it as CSV UTF-8 / .*UTF-8"),
        ("places.csv", b'id\n"a', r"places\.csv: no CSV file .* / ไม่ใช่ไฟล์ CSV"),
        ("places.csv", b"id\n" + b"a\n" * (ROWS_MAX + 1), rf"at most {ROWS_MAX} rows / .*แถว"),
        (
            "places.csv",
            b",".join(b"c%d" % number for number in range(COLUMNS_MAX + 1)),
            rf"at most {COLUMNS_MAX} columns / .*คอลัมน์",
        ),
        ("workbook.xlsx", b"PK\x03\x04 no zip", r"workbook\.xlsx: no spreadsheet .* / ไม่ใช่"),
        ("workbook.ods", b"", r"workbook\.ods: no spreadsheet .* / ไม่ใช่"),
        ("workbook.doc", b"", r"workbook\.doc: a folder of CSV files.* / ต้องเป็นโฟลเดอร์"),
        ("notes.txt", b"", r"there is no \.csv file in it / ไม่มีไฟล์ \.csv"),
    ],
)
def test_what_is_no_workbook_is_said_in_two_languages(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """The file is named, with what would be right, in English and Thai."""
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(WorkbookError, match=message):
        read_workbook(tmp_path if path.suffix in (".csv", ".txt") else path)


def test_a_missing_workbook_is_named(tmp_path: Path) -> None:
    """A slip in the name is no traceback."""
    with pytest.raises(WorkbookError, match=r"none\.xlsx: cannot be read"):
        read_workbook(tmp_path / "none.xlsx")


def test_a_cell_far_out_takes_no_memory(tmp_path: Path) -> None:
    """A stray letter in the last cell of a sheet is refused, before the sheet is laid out."""
    path = tmp_path / "workbook.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("city").write(1_048_575, 16_383, "x")

    with pytest.raises(WorkbookError, match=rf"at most {ROWS_MAX} rows"):
        read_workbook(path)


def test_a_workbook_is_told_from_a_pack(tmp_path: Path) -> None:
    """`pack preview` takes both."""
    assert is_workbook(DEFAULT_WORKBOOK)
    assert is_workbook(tmp_path / "any.xlsx")
    assert not is_workbook(DEFAULT_WORKBOOK.parent / "pack")
