"""Whether the screen's fonts can show a workbook, and fonts a pack carries for what they cannot."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from fontTools.ttLib import (  # type: ignore[import-untyped] # it brings no types
    TTCollection,
    TTFont,
    TTLibError,
)

from kiosk_ui.build_fonts import FONTS, SIMPLIFIED_CHINESE, make_subset
from kiosk_ui.errors import ContentError
from kiosk_ui.languages import BROUGHT
from kiosk_ui.workbook_cells import Cells, rows_of
from kiosk_ui.workbook_problems import name_of
from kiosk_ui.workbook_sheets import BOLD_FIELDS, READ_SHEETS, SHEETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from kiosk_ui.workbook_cells import Report
    from kiosk_ui.workbook_check import Checked

REGULAR = ("angsila-400", "han-400")
BOLD = ("angsila-600", "han-600")
FAMILY = "Angsila More"  # A font whose name is reserved may not bear it as a subset.
PLAIN_COLUMNS = ("photo_by", "photo_licence", "website")  # Shown in every language.
UNSEEN_FIELDS = ("sure", "alt")  # Said of a row, or read out; never drawn.


class Shown(NamedTuple):
    """A text that the screens draw, and where it comes from."""

    cells: Cells
    column: str
    text: str
    bold: bool


def shown_texts(report: Report) -> Iterator[Shown]:
    """Every cell of rows that ship whose text somebody reads on a screen."""
    languages = report.languages
    for sheet in READ_SHEETS:
        for cells in rows_of(report, sheet):
            if not cells.ships:
                continue
            for field in SHEETS[sheet].worded:
                if field not in UNSEEN_FIELDS:
                    bold = field in BOLD_FIELDS
                    yield from _texts(cells, [f"{field}_{code}" for code in languages], bold=bold)
            yield from _texts(cells, PLAIN_COLUMNS, bold=False)
            if SHEETS[sheet].spoken:
                yield from _texts(cells, [*languages, "value"], bold=False)
    for cells in rows_of(report, "words"):
        more = [code for code in languages if code not in BROUGHT]
        yield from _texts(cells, more, bold=True)
    for cells in rows_of(report, "sources"):
        yield from _texts(cells, ["label"], bold=False)


def _texts(cells: Cells, columns: Sequence[str], *, bold: bool) -> Iterator[Shown]:
    for column in columns:
        if cells[column]:
            yield Shown(cells, column, cells[column], bold)


class Sources(NamedTuple):
    """Fonts that a pack may take letters from."""

    regular: Path | None = None
    bold: Path | None = None


def check_glyphs(checked: Checked, carried: Mapping[str, bytes]) -> None:
    """Report each cell with a letter that no font has."""
    more = set().union(*(letters_of(content) for content in carried.values()))
    for shown in shown_texts(checked.report):
        missing = _missing(shown) - more
        if missing:
            named = ", ".join(name_of(letter) for letter in sorted(missing)[:3])
            shown.cells.wrong("no glyph", shown.column, character=named)


def carried_fonts(checked: Checked, sources: Sources) -> dict[str, bytes]:
    """Subsets of these fonts with the letters that the shipped ones lack, by logical name."""
    wanted: dict[bool, set[str]] = {False: set(), True: set()}
    if sources.regular or sources.bold:
        for shown in shown_texts(checked.report):
            wanted[shown.bold] |= _missing(shown)
    made = {}
    for weight, source, letters in (
        # Who brings no bold font gets letters that the browser makes bolder.
        (400, sources.regular, wanted[False] | wanted[True]),
        (600, sources.bold, wanted[True]),
    ):
        if source is not None and (content := _carried(source, letters)):
            made[f"fonts/more-{weight}.woff2"] = content
    return made


def _missing(shown: Shown) -> set[str]:
    return needed(shown.text) - shipped(BOLD if shown.bold else REGULAR)


def _carried(source: Path, wanted: set[str]) -> bytes:
    """A subset of one font with what it has of these letters; empty where it has none."""
    try:
        number = _number(source)
        with TTFont(source, fontNumber=number) as font:
            has = wanted & {chr(code) for code in font.getBestCmap() or ()}
        if not has:
            return b""
        with TemporaryDirectory() as folder:
            target = Path(folder) / "font.woff2"
            make_subset(source, number, "".join(sorted(has)), FAMILY, target)
            return target.read_bytes()
    except OSError as error:
        raise ContentError(f"font {source} cannot be read: {error.strerror}") from None
    except (TTLibError, KeyError, ValueError, AssertionError) as error:
        raise ContentError(f"{source} is no font: {error}") from None


def _number(source: Path) -> int:
    """Which font of a collection; -1 for a file that is one font."""
    if source.suffix.lower() not in (".ttc", ".otc"):
        return -1
    with TTCollection(source) as fonts:
        return SIMPLIFIED_CHINESE if len(fonts) > SIMPLIFIED_CHINESE else 0


def needed(text: str) -> set[str]:
    """The letters of a text that want a glyph."""
    return {letter for letter in text if letter.isprintable() and not letter.isspace()}


def letters_of(content: bytes) -> set[str]:
    """What a font has a glyph for."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "font.woff2"
        path.write_bytes(content)
        return _letters(path)


@cache
def shipped(names: tuple[str, ...]) -> frozenset[str]:
    """What the fonts that come with the program have glyphs for."""
    return frozenset().union(*(_letters(FONTS / f"{name}.woff2") for name in names))


def _letters(path: Path) -> set[str]:
    with TTFont(path) as font:
        return {chr(code) for code in font.getBestCmap()}
