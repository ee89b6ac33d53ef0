"""Writes many rows of a table in one statement, whose text is made once for each length.

peewee makes the text, as each database wants it. To make it anew for a dozen rows takes longer than
the database takes to write them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sync.orm import Database, Model

ROWS_MAX = 1000  # In one statement; a database takes 32,766 parameters or more.
TEXTS_MAX = 64  # Lengths that are remembered.


class Rows:
    """The rows of one table, given as tuples of `names`; with `key`, newer ones replace older."""

    def __init__(
        self, database: Database, table: type[Model], names: Sequence[str], key: Sequence[str] = ()
    ) -> None:
        self._database = database
        self._table = table
        self._fields = [getattr(table, name) for name in names]
        self._key = [getattr(table, name) for name in key]
        self._replaced = [getattr(table, name) for name in names if name not in key]
        self._texts: dict[int, str] = {}

    def write(self, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert, or replace what has the same key."""
        for first in range(0, len(rows), ROWS_MAX):
            some = rows[first : first + ROWS_MAX]
            values = [value for row in some for value in row]
            self._database.execute_sql(self._text(len(some)), values)

    def _text(self, length: int) -> str:
        text = self._texts.get(length)
        if text is None:
            if len(self._texts) >= TEXTS_MAX:
                self._texts.clear()
            text = self._texts[length] = self._make(length)
        return text

    def _make(self, length: int) -> str:
        # With a value instead of none, peewee would look for its default.
        row = [0] * len(self._fields)
        query: Any = self._table.insert_many([row] * length, fields=self._fields)
        if self._key:
            query = query.on_conflict(conflict_target=self._key, preserve=self._replaced)
        text: str = query.sql()[0]
        return text
