"""Which cell of a workbook a text comes from that a screen cuts off."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kiosk_ui.pack_glyphs import shown_texts
from kiosk_ui.workbook_problems import WARNING, problem

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosk_ui.pack_glyphs import Shown
    from kiosk_ui.pack_screens import Cut
    from kiosk_ui.workbook_check import Checked

ENTRY = "entry/"
OURS = "(program)"  # What is not in a workbook.
MOST = 0.5  # Of the longer text, at least, must be the shorter one.
_SPACE = re.compile(r"[\s\u2060]+")


def report_cuts(checked: Checked, cuts: Iterable[Cut]) -> None:
    """Report each cell that does not fit, once for all screens that cut it off."""
    shown = list(shown_texts(checked.report))
    seen: set[tuple[str, int, str]] = set()
    for cut in cuts:
        cell = cell_of(shown, cut)
        where: dict[str, Any] = {
            "screen": cut.screen,
            "language": cut.language,
            "size": cut.panel,
            "text": cut.text_size,
        }
        place = (OURS, 0, "")  # Once: the clerk can do nothing about it.
        if cell is not None:
            place = (cell.cells.sheet.name, cell.cells.row.number, cell.column)
        if place in seen:
            continue
        seen.add(place)
        if cell is not None:
            cell.cells.wrong("no fit", cell.column, **where)
        else:  # Words of the program: no cell can be made shorter.
            checked.report.add(problem("no fit", OURS, value=cut.text, level=WARNING, **where))


def cell_of(shown: list[Shown], cut: Cut) -> Shown | None:
    """The longest cell of this language that stands in a text, or that the text is most of."""
    text = plain(cut.text)
    entry = cut.screen.removeprefix(ENTRY) if cut.screen.startswith(ENTRY) else None
    found = [
        one
        for one in shown
        if one.column.endswith(cut.language)
        and entry in (None, one.cells["id"])
        and _belong(plain(one.text), text)
    ]
    return max(found, key=lambda one: (plain(one.text) == text, len(one.text)), default=None)


def _belong(cell: str, text: str) -> bool:
    """Whether a screen's text comes from a cell: a part of it, or it with words around."""
    if cell in text:
        return len(cell) >= len(text) * MOST
    return text in cell and len(text) >= len(cell) * MOST


def plain(text: str) -> str:
    """A text without the spaces and joiners that a template may add."""
    return _SPACE.sub("", text)
