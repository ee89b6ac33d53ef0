from pathlib import Path

import pytest
from python_calamine import CalamineWorkbook

from kiosk_ui.errors import ContentError
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK, read_workbook
from kiosk_ui.workbook_sheets import SHEETS
from kiosk_ui.workbook_write import write_spreadsheet


def test_the_spreadsheet_holds_every_cell_as_text(tmp_path: Path) -> None:
    """Nothing is turned into a number or a day on the way to the clerk and back."""
    path = tmp_path / "workbook.xlsx"
    workbook = read_workbook(DEFAULT_WORKBOOK)
    write_spreadsheet(path, workbook)
    again = read_workbook(path)

    assert list(again.sheets) == list(SHEETS)
    for name, sheet in workbook.sheets.items():
        if name != "words":
            assert again.sheets[name] == sheet
    cells = CalamineWorkbook.from_path(str(path)).get_sheet_by_name("services").to_python()
    assert all(isinstance(cell, str) for row in cells for cell in row)


def test_the_sheet_words_lists_what_the_screens_say(tmp_path: Path) -> None:
    """Whoever adds a language finds every word with its Thai and Chinese beside it."""
    path = tmp_path / "workbook.xlsx"
    write_spreadsheet(path, read_workbook(DEFAULT_WORKBOOK))
    rows = {row.cells["word"]: row.cells for row in read_workbook(path).sheets["words"].rows}

    assert rows["Emergency"]["th"] == "เหตุฉุกเฉิน"
    assert len(rows) > 60


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """One line instead of a traceback."""
    with pytest.raises(ContentError, match=r"none/workbook\.xlsx cannot be written"):
        write_spreadsheet(tmp_path / "none" / "workbook.xlsx", read_workbook(DEFAULT_WORKBOOK))
