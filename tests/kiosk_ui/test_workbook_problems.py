import re
from string import Formatter

import pytest

from kiosk_ui.workbook_problems import MESSAGES, cell_name, name_of, problem, short


@pytest.mark.parametrize("code", MESSAGES)
def test_every_message_is_said_in_thai_and_english(code: str) -> None:
    """Both have the same parts, and the Thai one is Thai."""
    english, thai = MESSAGES[code]
    parts = [
        {name for _, name, _, _ in Formatter().parse(text) if name} for text in (english, thai)
    ]

    assert parts[0] == parts[1]
    assert re.search("[ก-๙]", thai)
    assert not re.search("[ก-๙]", english)


@pytest.mark.parametrize(
    ("column", "row", "name"), [(0, 1, "A1"), (25, 2, "Z2"), (26, 3, "AA3"), (701, 4, "ZZ4")]
)
def test_a_cell_is_named_as_the_spreadsheet_does(column: int, row: int, name: str) -> None:
    """So the clerk can type it into the name box."""
    assert cell_name(column, row) == name


def test_a_problem_is_three_lines() -> None:
    """Where it is and what was there, then what would be right, twice."""
    found = problem("yes", "places", 7, "over_water", cell="P7", value="maybe")

    assert str(found) == (
        'ERROR places, row 7, column over_water (P7): "maybe"\n'
        "  yes or no is wanted\n"
        "  ชีต places แถว 7 คอลัมน์ over_water: ต้องเป็น yes หรือ no"
    )


def test_a_value_cannot_disturb_the_terminal() -> None:
    """What came out of a cell is shown without its controls, and not at length."""
    assert short("a\x1b[31mb\u202ec") == "a\ufffd[31mb\ufffdc"
    assert len(short("x" * 1000)) == 60
    assert name_of("\u200d") == "U+200D"
    assert name_of("栈") == "栈 U+6808"
