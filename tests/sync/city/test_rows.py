from collections.abc import Iterator
from typing import Any

import pytest

from sync.city import rows
from sync.city.rows import Rows
from sync.orm import IntegerField, Model, SqliteDatabase, TextField


@pytest.fixture
def database() -> Iterator[SqliteDatabase]:
    """An empty database."""
    made = SqliteDatabase(":memory:")
    yield made
    made.close()


@pytest.fixture
def table(database: SqliteDatabase) -> Any:
    """A table in it."""

    class Stream(Model):
        name = TextField(primary_key=True)
        seq = IntegerField()

    database.bind([Stream])
    database.create_tables([Stream])
    return Stream


def test_newer_rows_replace_older_ones(database: SqliteDatabase, table: Any) -> None:
    """A key that is there keeps its row, with the new values."""
    written = Rows(database, table, ("name", "seq"), key=("name",))
    written.write([("a", 1), ("b", 1)])
    written.write([("b", 2), ("c", 2)])
    written.write([])
    assert sorted(table.select().tuples()) == [("a", 1), ("b", 2), ("c", 2)]


def test_more_rows_than_one_statement_takes_are_written(
    database: SqliteDatabase, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts, and without a memory that grows with each length."""
    monkeypatch.setattr(rows, "ROWS_MAX", 4)
    monkeypatch.setattr(rows, "TEXTS_MAX", 2)
    written = Rows(database, table, ("name", "seq"))
    for number in range(1, 10):
        written.write([(f"{number}-{each}", each) for each in range(number)])
    assert table.select().count() == 45
    assert len(written._texts) <= 2
