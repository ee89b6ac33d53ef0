"""A workbook as a spreadsheet: what a clerk opens who does not want a folder of CSV files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosk_ui.errors import ContentError
from kiosk_ui.i18n import catalog
from kiosk_ui.languages import BROUGHT
from kiosk_ui.workbook_check import english_words
from kiosk_ui.workbook_problems import cell_name
from kiosk_ui.workbook_read import Row, Sheet
from kiosk_ui.workbook_sheets import CONFIDENCES, SHEETS, STATUSES

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk_ui.workbook_read import Workbook

ROWS_FREE = 500  # So many rows get their lists to choose from.
WIDE = ("text", "name", "hours", "address", "value", "what", "ref", "th", "en", "zh", "note")
CHOICES = {
    "status": STATUSES,
    "confidence": CONFIDENCES,
    "hours_confidence": CONFIDENCES,
    "outside_town": ("yes", "no"),
    "over_water": ("yes", "no"),
    "date_confirmed": ("yes", "no"),
}


def write_spreadsheet(path: Path, workbook: Workbook) -> None:
    """Write an .xlsx. Every cell is text, so that 0 and 191 stay what they are."""
    # It brings no types, and kiosks have none of it.
    import xlsxwriter  # type: ignore[import-untyped] # noqa: PLC0415
    from xlsxwriter.exceptions import (  # type: ignore[import-untyped] # noqa: PLC0415
        XlsxWriterException,
    )

    try:
        with xlsxwriter.Workbook(path, {"strings_to_numbers": False}) as book:
            head = book.add_format({"bold": True, "bg_color": "#D5E9EA", "text_wrap": True})
            plain = book.add_format({"num_format": "@", "text_wrap": True, "valign": "top"})
            for name in SHEETS:
                if name in workbook.sheets:
                    _write_sheet(
                        book.add_worksheet(name), _filled(workbook.sheets[name]), head, plain
                    )
    except (OSError, XlsxWriterException) as error:
        raise ContentError(f"{path} cannot be written: {error}") from None


def _write_sheet(target: Any, sheet: Sheet, head: Any, plain: Any) -> None:
    target.freeze_panes(1, 1)
    for number, column in enumerate(sheet.header):
        field = column.rpartition("_")[0] or column
        wide = field in WIDE or column in WIDE
        target.set_column(number, number, 42 if wide else 14, plain)
        target.write_string(0, number, column, head)
        if column in CHOICES:
            first, last = cell_name(number, 2), cell_name(number, ROWS_FREE)
            rule = {"validate": "list", "source": list(CHOICES[column])}
            target.data_validation(f"{first}:{last}", rule)
        for row in sheet.rows:
            if text := row.cells.get(column):
                target.write_string(row.number - 1, number, text, plain)


def _filled(sheet: Sheet) -> Sheet:
    """The sheet words with every word of the screens, for whoever adds a language."""
    if sheet.name != "words" or sheet.rows:
        return sheet
    more = [code for code in BROUGHT if code in sheet.header]
    rows = []
    for number, word in enumerate(english_words(), start=2):
        said = {code: catalog(code).gettext(word) for code in more}
        rows.append(Row(number, {"word": word, **said}))
    return Sheet(sheet.name, sheet.header, tuple(rows))
