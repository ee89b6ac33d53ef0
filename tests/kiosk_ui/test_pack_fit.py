from pathlib import Path

import pytest

from kiosk_ui.pack_fit import OURS, cell_of, report_cuts
from kiosk_ui.pack_glyphs import shown_texts
from kiosk_ui.pack_screens import Cut
from kiosk_ui.workbook_problems import ERROR, WARNING
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK
from tests.kiosk_ui import workbooks

TEXT = "Pick of the catch"


def cut(text: str, screen: str = "entry/oyster", language: str = "en") -> Cut:
    """A text that was cut off on the smallest panel."""
    return Cut(screen, language, "800x480", "A++", text)


@pytest.mark.parametrize(
    ("screen", "text", "place"),
    [
        ("entry/oyster", TEXT, ("goods", 5, "text_en")),
        ("entry/oyster", f"{TEXT} ", ("goods", 5, "text_en")),
        ("entry/oyster", TEXT[:12], ("goods", 5, "text_en")),
        ("entry/mussel", TEXT, None),
        ("list/eat", "Old Market", ("places", 2, "short_en")),
        ("entry/oyster", "Help us", None),
    ],
)
def test_a_cut_text_is_traced_to_its_cell(
    tmp_path: Path, screen: str, text: str, place: tuple[str, int, str] | None
) -> None:
    """With words around it or a part of it, on its entry's screen or in a list."""
    path = workbooks.edited(tmp_path, "goods", "oyster", text_en=TEXT)
    shown = list(shown_texts(workbooks.checked(path).report))
    found = cell_of(shown, cut(text, screen))

    assert (found and (found.cells.sheet.name, found.cells.row.number, found.column)) == place


def test_the_words_that_a_template_puts_in_do_not_hide_a_cell() -> None:
    """The town's name gets a joiner on the screen."""
    shown = list(shown_texts(workbooks.checked(DEFAULT_WORKBOOK).report))
    found = cell_of(shown, cut("ตลาดเก่าอ่าง\u2060ศิลา", "entry/old-market", "th"))

    assert found is not None
    assert found.column == "name_th"


def test_a_cell_is_reported_once_and_our_own_words_as_a_warning(tmp_path: Path) -> None:
    """A clerk can shorten a cell, and can do nothing about the words of the program."""
    path = workbooks.edited(tmp_path, "goods", "oyster", text_en=TEXT)
    found = workbooks.checked(path)
    report_cuts(found, [cut(TEXT), cut(TEXT), cut("Help us"), cut("Today", "today")])

    assert [(one.level, one.sheet, one.column) for one in found.report.problems] == [
        (ERROR, "goods", "text_en"),
        (WARNING, OURS, ""),
    ]
    assert "entry/oyster (en, 800x480, text size A++)" in found.report.problems[0].english
    assert "ขนาดตัวอักษร A++" in found.report.problems[0].thai
