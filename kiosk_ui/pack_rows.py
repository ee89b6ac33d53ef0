"""Reads the parts of a pack field by field; each complaint names the field and the value."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from math import isfinite
from typing import TYPE_CHECKING, Any

from kiosk_ui.errors import ContentError
from kiosk_ui.languages import NEEDED, Words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.pack_file import Envelope

TEXT_MAX = 300
SHOWN_MAX = 80  # Of a wrong value, in a message.

# Controls and halves of characters have no glyph; others turn the direction of what follows.
UNSHOWN = ("Cc", "Cs", "Co", "Cn")
TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")

_ENTRY = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")


def wrong(where: str, wanted: str, value: object) -> ContentError:
    """The complaint about one value."""
    return ContentError(f"{where}: {wanted} is wanted: {str(value)[:SHOWN_MAX]!r}")


def table(files: Envelope, name: str) -> dict[str, Any]:
    """A file that is one object. Raises `ContentError`."""
    found = files.json(name)
    if not isinstance(found, dict):
        raise wrong(name, "an object", found)
    return found


def rows(files: Envelope, name: str, rows_max: int) -> list[Any]:
    """A file that is a list. Raises `ContentError`."""
    found = files.json(name)
    if not isinstance(found, list) or len(found) > rows_max:
        raise wrong(name, f"a list of at most {rows_max} rows", found)
    return found


def short(where: str, value: object) -> str:
    """A text of a sentence or two. Raises `ContentError`."""
    if not isinstance(value, str) or len(value) > TEXT_MAX:
        raise wrong(where, f"a text of at most {TEXT_MAX} characters", value)
    return _shown(where, value)


def number(where: str, value: object, low: float, high: float) -> float:
    """A number within its bounds. Raises `ContentError`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value) if -1e15 < value < 1e15 else float("nan")
        if isfinite(found) and low <= found <= high:
            return found
    raise wrong(where, f"{low:g} to {high:g}", value)


def words(where: str, value: Any, length_max: int, languages: tuple[str, ...]) -> Words:
    """A text per language. Thai there must be; another that is missing will be borrowed.

    Raises `ContentError`.
    """
    if not isinstance(value, dict):
        raise wrong(where, "a text per language", value)
    found = Words()
    for language in languages:
        word = value.get(language)
        if word is None and language != NEEDED:
            continue
        if not isinstance(word, str) or not 0 < len(word.strip()) <= length_max:
            raise wrong(f"{where}.{language}", f"1 to {length_max} characters", word)
        found[language] = _shown(f"{where}.{language}", word.strip())
    return found


def _shown(where: str, text: str) -> str:
    for letter in text:
        if letter in TURNING or unicodedata.category(letter) in UNSHOWN:
            raise wrong(where, "a text of letters only", f"U+{ord(letter):04X}")
    return text


class Row:
    """One row's fields as they were read; every complaint names the file and the row."""

    def __init__(self, row: Any, languages: tuple[str, ...], file: str = "entries.json") -> None:
        named = row.get("id") if isinstance(row, dict) else None
        if not isinstance(named, str) or not _ENTRY.fullmatch(named):
            raise wrong(f"{file}: an entry: id", "up to 64 of a-z, 0-9 and -", named or row)
        self.row = row
        self.id = named
        self.where = f"{file}: {named}"
        self._languages = languages

    def wrong(self, field: str, wanted: str, value: object) -> ContentError:
        """The complaint about one field."""
        return wrong(f"{self.where}: {field}", wanted, value)

    def one_of(self, field: str, allowed: tuple[str, ...]) -> str:
        """One of some words."""
        value = self.row.get(field)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(field, " or ".join(allowed), value)
        return value

    def text(self, field: str) -> str | None:
        """A text that need not be there."""
        value = self.row.get(field)
        return None if value is None else short(f"{self.where}: {field}", value)

    def words(self, field: str, length_max: int, value: object = None) -> Words:
        """A text per language."""
        value = self.row.get(field) if value is None else value
        return words(f"{self.where}: {field}", value, length_max, self._languages)

    def names_of(self, field: str, known: Mapping[str, object] | None = None) -> tuple[str, ...]:
        """A list of words, of those that are known."""
        value = self.row.get(field)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.wrong(field, "a list of words", value)
        for item in value:
            if known is not None and item not in known:
                raise self.wrong(field, "a source of sources.json", item)
        return tuple(value)

    def day(self, field: str) -> date:
        """A day."""
        value = self.row.get(field)
        try:
            return date.fromisoformat(str(value))
        except ValueError as error:
            raise self.wrong(field, "a day like 2026-11-22", value) from error
