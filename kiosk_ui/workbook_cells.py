"""Cells of a row as values; what a cell should have been goes into the report."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from kiosk_ui.languages import BROUGHT, NEEDED
from kiosk_ui.workbook_problems import ERROR, PROBLEMS_MAX, WARNING, Problem, cell_name, problem
from kiosk_ui.workbook_sheets import CONFIDENCES, UNFINISHED

if TYPE_CHECKING:
    from kiosk_ui.workbook_read import Row, Sheet, Workbook

NUMBER_CHARS_MAX = 24
LIST_MAX = 40
YEARS = (2000, 2100)

_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")

Words = dict[str, str]


@dataclass
class Report:
    """What is found while a workbook is read."""

    workbook: Workbook
    languages: tuple[str, ...] = BROUGHT
    made_on: date | None = None  # Where the sheet city does not say it, no fact is too old.
    problems: list[Problem] = field(default_factory=list)
    errors: int = 0  # Of all, while the list ends somewhere.

    def add(self, found: Problem) -> None:
        """Keep a problem; after so many nobody reads on."""
        self.errors += found.level == ERROR
        if len(self.problems) < PROBLEMS_MAX:
            self.problems.append(found)


class Cells:
    """One row in the reading."""

    def __init__(self, report: Report, sheet: Sheet, row: Row) -> None:
        self.report = report
        self.sheet = sheet
        self.row = row
        # A row that does not ship may be unfinished: it stops nobody.
        self.ships = self["status"] not in UNFINISHED

    def __getitem__(self, column: str) -> str:
        return self.row.cells.get(column, "")

    def wrong(self, code: str, column: str, *, level: str = ERROR, **parts: object) -> None:
        """Say what is wrong with a cell."""
        header = self.sheet.header
        cell = cell_name(header.index(column), self.row.number) if column in header else ""
        self.report.add(
            problem(
                code,
                self.sheet.name,
                self.row.number,
                column,
                cell=cell,
                value=self[column],
                level=level if self.ships else WARNING,
                **parts,
            )
        )

    def text(self, column: str, length_max: int, *, needed: bool = False) -> str | None:
        """A text, or None where the cell is empty or no good."""
        text = self[column]
        if not text:
            if needed:
                self.wrong("needed", column)
            return None
        if len(text) > length_max:
            self.wrong("long", column, length=len(text), max=length_max)
            return None
        return text

    def words(self, name: str, length_max: int, *, needed: bool = False) -> Words | None:
        """A text in the pack's languages; Thai is always there."""
        languages = self.report.languages
        if not needed and not any(self[f"{name}_{code}"] for code in languages):
            return None
        return self.spoken({code: f"{name}_{code}" for code in languages}, length_max)

    def spoken(self, columns: dict[str, str], length_max: int) -> Words | None:
        """The texts of these columns, by language."""
        found = {}
        for code, column in columns.items():
            if text := self.text(column, length_max):
                found[code] = text
            elif not self[column]:
                self._missing(code, column)
        return found if NEEDED in found else None

    def _missing(self, language: str, column: str) -> None:
        """A place has its Thai name on the street sign; what else is missing is stood in for."""
        if language == NEEDED:
            self.wrong("no thai", column)
        else:
            self.wrong("no translation", column, level=WARNING)

    def number(
        self, column: str, low: float, high: float, *, needed: bool = False, code: str = "number"
    ) -> float | None:
        """A number within bounds."""
        text = self[column]
        if not text:
            if needed:
                self.wrong("needed", column)
            return None
        if len(text) > NUMBER_CHARS_MAX or not _NUMBER.fullmatch(text):
            self.wrong("number", column, low=low, high=high)
            return None
        value = float(text)
        if not low <= value <= high:
            self.wrong(code, column, low=low, high=high)
            return None
        return value

    def choice(self, column: str, allowed: tuple[str, ...], default: str | None = None) -> str:
        """One of some words; the first or the default where the cell is no good."""
        text = self[column]
        if not text and default is not None:
            return default
        if text not in allowed:
            self.wrong("choice", column, allowed=", ".join(allowed))
            return default or allowed[0]
        return text

    def confidence(self, column: str) -> str:
        """How sure somebody is; who does not say so is not."""
        return self.choice(column, CONFIDENCES, "low")

    def yes(self, column: str) -> bool:
        """Yes or no; an empty cell is a no."""
        if self[column] not in ("yes", "no", ""):
            self.wrong("yes", column)
        return self[column] == "yes"

    def day(self, column: str, *, needed: bool = False) -> date | None:
        """A day of the common era."""
        text = self[column]
        if not text:
            if needed:
                self.wrong("needed", column)
            return None
        try:
            found = date.fromisoformat(text if _DAY.fullmatch(text) else "")
        except ValueError:
            found = date.min
        if not YEARS[0] <= found.year <= YEARS[1]:
            self.wrong("day", column)
            return None
        return found

    def id(self, column: str = "id") -> str | None:
        """A name of its own."""
        text = self[column]
        if not _ID.fullmatch(text):
            self.wrong("id", column)
            return None
        return text

    def names(self, column: str, separator: str = ",") -> tuple[str, ...]:
        """Words with commas (or something else) between them."""
        found = tuple(word for part in self[column].split(separator) if (word := part.strip()))
        if len(found) > LIST_MAX:
            self.wrong("long", column, length=len(found), max=LIST_MAX)
        return found[:LIST_MAX]


def rows_of(report: Report, name: str) -> list[Cells]:
    """The rows of a sheet; none where there is no such sheet."""
    sheet = report.workbook.sheets.get(name)
    return [] if sheet is None else [Cells(report, sheet, row) for row in sheet.rows]
