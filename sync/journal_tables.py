"""The tables of a journal file, and the settings SQLite opens it with."""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from sync import wire
from sync.entry import Lane, Lost, StoredSegment, SyncError
from sync.orm import (
    AutoField,
    BigIntegerField,
    BlobField,
    DatabaseError,
    IntegerField,
    Model,
    OperationalError,
    SqliteDatabase,
    TextField,
)

VERSION = 2  # 1: the check of an open row did not say of which epoch it is.
PAGE_BYTES = 1024  # Measured, bytes to the block device per reading: 512: 143, 4096: 240.
CHECKPOINT_PAGES = 500  # The log is folded back before it outgrows its reserve.

PRAGMAS = (
    ("page_size", PAGE_BYTES),
    ("auto_vacuum", "none"),
    ("locking_mode", "exclusive"),  # One process; and no shared memory to die of on a full card.
    ("journal_mode", "wal"),
    ("synchronous", "full"),  # NORMAL would hand out an uploaded seq again after a power cut.
    ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ("temp_store", "memory"),
    ("secure_delete", 0),  # Debian turns it on: freed pages would be written over.
    ("cache_size", -512),  # KB.
)


class DamagedError(SyncError):
    """The card has changed what the journal wrote."""


@contextmanager
def between_rows() -> Iterator[None]:
    """Raise what SQLite says between two rows as peewee does at a query's start, and only there.

    A name or a text that is no UTF-8 any more is a `DamagedError`.
    """
    try:
        yield
    except UnicodeDecodeError as error:
        raise DamagedError(f"the card has damaged a name: {error}") from None
    except sqlite3.OperationalError as error:
        if str(error).startswith("Could not decode"):
            raise DamagedError(f"the card has damaged a text: {error}") from None
        raise OperationalError(str(error)) from error
    except sqlite3.DatabaseError as error:
        raise DatabaseError(str(error)) from error


class Tables:
    """The tables of one journal file, bound to its connection."""

    def __init__(self, database: SqliteDatabase) -> None:
        class Table(Model):
            class Meta:
                strict_tables = True  # Without it SQLite puts text into a number column.

        class Fact(Table):
            key = TextField(primary_key=True)
            value = BlobField()

        class StreamRow(Table):
            id = AutoField()  # Index into the schema, plus 1.
            sensor = TextField()
            quantity = TextField()
            unit = TextField()
            decimals = IntegerField()
            simulated = IntegerField()
            crc = IntegerField()

            class Meta:
                table_name = "stream"

        class AnchorRow(Table):
            id = AutoField()
            boot = TextField()
            boottime_ms = IntegerField()
            utc_ms = IntegerField()
            error_ms = IntegerField()
            source = TextField()
            crc = IntegerField()

            class Meta:
                table_name = "anchor"

        class OpenRow(Table):
            first_seq = BigIntegerField(primary_key=True)
            count = IntegerField()
            boot = BlobField()
            columns = BlobField()
            crc = IntegerField()

            class Meta:
                table_name = "open"

        class SegmentRow(Table):
            first_seq = BigIntegerField(primary_key=True)
            count = IntegerField()
            sha256 = BlobField()  # Of the body: the row's check, and a link of the chain.
            body = BlobField()

        class EventSegment(SegmentRow):
            class Meta:
                table_name = "event_segment"

        class ReadingSegment(SegmentRow):
            class Meta:
                table_name = "reading_segment"

        class SummarySegment(SegmentRow):
            class Meta:
                table_name = "summary_segment"

        class LostRow(Table):
            id = AutoField()
            epoch = BlobField()
            lane = IntegerField()
            first = IntegerField()
            last = IntegerField()
            reason = TextField()
            crc = IntegerField()

            class Meta:
                table_name = "lost"

        class SavedSegment(Table):
            """A segment of a file that was damaged, on its way to the city."""

            id = AutoField()
            epoch = BlobField()
            lane = IntegerField()
            first_seq = IntegerField()
            count = IntegerField()
            sha256 = BlobField()
            body = BlobField()

            class Meta:
                table_name = "saved_segment"

        class SavedSchema(Table):
            id = AutoField()
            body = BlobField()

            class Meta:
                table_name = "saved_schema"

        self.fact = Fact
        self.stream = StreamRow
        self.anchor = AnchorRow
        self.open = OpenRow
        self.segment: dict[Lane, Any] = {
            Lane.EVENTS: EventSegment,
            Lane.READINGS: ReadingSegment,
            Lane.SUMMARIES: SummarySegment,
        }
        self.lost = LostRow
        self.saved = SavedSegment
        self.saved_schema = SavedSchema
        database.bind(self.all(), bind_refs=False, bind_backrefs=False)

    def all(self) -> list[type[Model]]:
        """Every table."""
        return [
            self.fact,
            self.stream,
            self.anchor,
            self.open,
            *self.segment.values(),
            self.lost,
            self.saved,
            self.saved_schema,
        ]


def add_lost(tables: Tables, losses: Iterable[Lost]) -> None:
    """Write down what cannot be delivered, until the city knows of it."""
    for lost in losses:
        tables.lost.create(**lost._asdict(), crc=crc(*lost))


def fitting(rows: Iterable[Any], bytes_max: int) -> list[Any]:
    """Rows whose bodies fit into `bytes_max` together; the first one in any case."""
    found: list[Any] = []
    found_bytes = 0
    for row in rows:
        found_bytes += len(row.body)
        if found and found_bytes > bytes_max:
            break
        found.append(row)
    return found


def stored_segment(row: Any) -> StoredSegment:
    """A segment as it lies on the card. Raises `DamagedError` where it is not what was written."""
    body = bytes(row.body)
    if wire.sha256(body) == bytes(row.sha256):
        segment = wire.decode_segment(body)
        if (segment.first_seq, segment.entries) == (row.first_seq, row.count):
            return StoredSegment(row.first_seq, row.count, body)
    raise DamagedError(f"the card has damaged the segment from {row.first_seq} on")


def crc(*fields: object) -> int:
    """The check of one row."""
    return zlib.crc32(repr(fields).encode())


def check_crc(found: int, *fields: object) -> None:
    """Raise `DamagedError` where a row is not what was written."""
    if found != crc(*fields):
        raise DamagedError(f"the card has damaged the row {fields!r}"[:200])
