"""The journal's file: what happens on its one SQL thread. `sync/journal.py` is its front.

What wears a card is blocks written, not bytes kept. One commit of 42 readings appends one page
of PAGE_BYTES to the write-ahead log. Log and free pages are taken up front, so that a commit
changes no file sizes: the file system has nothing of its own to write, and commits go on when
the card has no byte left.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from sync import wire
from sync.clock import Clock
from sync.entry import Anchor, Event, Lane, Lost, StoredSegment, Stream, SyncError
from sync.journal_tables import (
    PAGE_BYTES,
    PRAGMAS,
    VERSION,
    DamagedError,
    Tables,
    add_lost,
    between_rows,
    check_crc,
    crc,
    fitting,
    stored_segment,
)
from sync.old_epochs import OldEpochs
from sync.orm import DatabaseError, DoesNotExist, OperationalError, SqliteDatabase, fn
from sync.ranges import Ranges
from sync.salvage import Saved
from sync.spare import Spare
from sync.wire import SEGMENT_ENTRIES_MAX, Row, Segment

FILE = "journal.db"
CONDEMNED = "journal.condemned"  # Says why the next start has to set the journal aside.
RESERVE_BYTES = 640 * 1024  # Log and free pages, written once so that they are there.
FREE_BYTES_MAX = 32 * 1024 * 1024  # With more than that free, a longer file would not help.
BUSY_TIMEOUT_S = 2
# What SQLite says of a file whose version is right: a bit has flipped in its head or in a name.
DAMAGED_HEAD = ("no such column", "no such table", "unsupported file format")
ANCHORS_MAX = 1000
EVENTS_MAX_PER_SEGMENT = 256
PAGES_MAX = 2**30  # No limit of SQLite's; the quota is ours.
SACRIFICE_MAX = 64  # Segments that go in one transaction.


class JournalError(SyncError):
    """The journal cannot be opened or does not take an entry."""


class JournalBusyError(JournalError):
    """Another process has this journal open."""


class Batch(NamedTuple):
    """What one transaction writes."""

    rows: list[Row]
    events: list[Event]
    streams: list[tuple[int, Stream]]
    anchors: list[Anchor]
    lost: list[Lost]
    seal: bool


class LaneState:
    """Where one lane stands."""

    def __init__(self) -> None:
        self.next = 1  # The seq of the next entry, the uncommitted ones counted.
        self.committed = 0  # The last seq that a power cut cannot take.
        self.sealed = 0  # The last seq that is in a segment.
        self.chain = b""  # SHA-256 of the segment that ends there.
        self.oldest = 1  # The first seq still kept.
        self.got = Ranges()  # What the city has.
        self.told = Ranges()  # What it knows to be lost.
        self.safe = 0  # Up to here without a hole, in a replica or backup too.

    def keep(self) -> tuple[int, int, bytes, int]:
        """What a transaction may change, to be put back if it fails."""
        return self.committed, self.sealed, self.chain, self.oldest

    def put_back(self, kept: tuple[int, int, bytes, int]) -> None:
        """Undo what a failed transaction changed."""
        self.committed, self.sealed, self.chain, self.oldest = kept


class JournalFile:
    """Tables, transactions and the spare copy. All methods run on the SQL thread."""

    def __init__(self, folder: Path, clock: Clock, database: SqliteDatabase) -> None:
        self.folder = folder
        self.epoch = b""
        self.memory = False  # The card takes no writes: everything is in RAM.
        self.damage = ""  # Why an older journal was set aside at this start.
        self.streams: list[Stream] = []
        self.anchors: list[Anchor] = []
        self.lost: list[Lost] = []
        self.lanes = {lane: LaneState() for lane in Lane}
        self.segment_bytes = 0
        self.open_rows: list[Row] = []  # Committed, not yet sealed.
        self.spare = Spare(folder)
        self.written: Batch | None = None  # The last one that a power cut cannot take.
        self._clock = clock
        self._database = database
        self._tables = Tables(database)
        self.old = OldEpochs(folder, database, self._tables)

    # --- open and close ------------------------------------------------------------------------

    def open(self) -> None:
        """Open or make the file. Raises `JournalError`, `JournalBusyError`.

        A file that the card has damaged is set aside and a fresh one opened at once; what the
        old one held is salvaged later. On a card that takes no writes the journal is in RAM.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"state folder {self.folder}: {error.strerror}") from None
        try:
            self._check_condemned()
            with between_rows():
                self._open(str(self.folder / FILE))
        except (DamagedError, wire.WireError, DatabaseError) as error:
            if not self._is_damage(error):
                self._open_otherwise(error)
                return
            self.close()
            self._set_aside(str(error))
            self._forget()
            self._open(str(self.folder / FILE))

    def _check_condemned(self) -> None:
        condemned = self.folder / CONDEMNED
        if condemned.exists():
            raise DamagedError(condemned.read_text(encoding="utf-8", errors="replace"))

    def _is_damage(self, error: Exception) -> bool:
        if is_damage(error) or str(error).startswith(DAMAGED_HEAD):
            return True
        # What makes no sense where everything else can be written is the file's own fault.
        strange = any(words in str(error) for words in ("disk I/O error", "readonly database"))
        return strange and _writable(self.folder) and os.access(self.folder / FILE, os.W_OK)

    def _open_otherwise(self, error: Exception) -> None:
        path = self.folder / FILE
        if "locked" in str(error):
            raise JournalBusyError(f"{path} is in use by another process") from None
        if _writable(self.folder):
            raise JournalError(f"{path}: {error}") from None
        self.close()
        self._forget()
        self.memory = True
        self._open(":memory:")

    def _open(self, path: str) -> None:
        self._database.init(path, pragmas=PRAGMAS, timeout=BUSY_TIMEOUT_S)
        self._database.connect()
        try:
            with self._database.atomic("EXCLUSIVE"):
                self._make_or_check(path)
            self._load()
            if not self.memory:
                self._check_spare()
                self._reserve()
        except (ArithmeticError, DoesNotExist, LookupError, TypeError, ValueError) as error:
            # A row says what no journal writes: a lane that is none, or numbers that are no JSON.
            raise DamagedError(f"the card has damaged a row: {error!r}"[:200]) from error

    def _make_or_check(self, path: str) -> None:
        version = self._database.pragma("user_version")
        if version == 0 and not self._database.get_tables():
            self._database.create_tables(self._tables.all())
            self._tables.fact.create(key="epoch", value=uuid.uuid4().bytes)
            self._set_version()
        elif version not in (1, VERSION):
            second = self._tables.fact.get_or_none(key="version")
            if second is None or bytes(second.value) != str(version).encode():
                # Whatever comes after version 2 says so twice.
                raise DamagedError(f"the card has made version {version} of {VERSION}")
            raise JournalError(f"{path} has version {version}, not {VERSION}")
        self.epoch = bytes(self._tables.fact.get_by_id("epoch").value)
        if version == 1:
            self._bind_open_rows()
            self._set_version()

    def _set_version(self) -> None:
        """Say it twice: a bit may flip in the number of the file's head."""
        self._database.pragma("user_version", VERSION)
        self._tables.fact.replace(key="version", value=str(VERSION).encode()).execute()

    def _bind_open_rows(self) -> None:
        """From version 1: have the check of each open row say that it is of this epoch."""
        table = self._tables.open
        for row in list(table.select()):
            fields = row.first_seq, row.count, bytes(row.boot), bytes(row.columns)
            check_crc(row.crc, *fields)
            table.update(crc=crc(self.epoch, *fields)).where(
                table.first_seq == row.first_seq
            ).execute()

    def _check_spare(self) -> None:
        """Notice a card that has forgotten commits. Raises `DamagedError`.

        SQLite takes a file whose log is gone or broken for what it was at the last checkpoint,
        and would give out the same seqs once more. The spare copy knows better.
        """
        for body in self.spare.newest():
            segment = wire.decode_segment(body)
            if segment.epoch != self.epoch:
                raise DamagedError(f"the spare copy is of epoch {segment.epoch.hex()}")
            if segment.last_seq > self.lanes[segment.lane].sealed:
                raise DamagedError(
                    f"{segment.lane.name} ends at {self.lanes[segment.lane].sealed}, "
                    f"but the spare copy has {segment.last_seq}"
                )

    def _reserve(self) -> None:
        """Have the log's space and free pages ready, as long as there is room.

        A clean stop removes the log, so this is written at each start: the reserve twice, once
        into the log and once into the file. On a full card the journal opens with what it has.
        """
        log = Path(f"{self.folder / FILE}-wal")
        if log.exists() and log.stat().st_size >= RESERVE_BYTES:
            self._stay_within()
        else:
            self.grow()

    def grow(self) -> bool:
        """Make the file longer by RESERVE_BYTES of free pages; False where the card is full.

        The log can be folded back only into a file that is there. So the file grows first and
        the table afterwards, never the other way round: SQLite is held to the pages that exist.
        """
        # What is free already is filled as well: else nothing would make the file longer.
        free_bytes = self._database.pragma("freelist_count") * PAGE_BYTES
        fill_bytes = RESERVE_BYTES + free_bytes
        if (
            self.memory
            or free_bytes > FREE_BYTES_MAX
            or shutil.disk_usage(self.folder).free < 3 * fill_bytes
        ):
            self._stay_within()
            return False
        try:
            self._database.pragma("max_page_count", PAGES_MAX)
            with self._database.atomic():
                self._tables.fact.replace(key="reserve", value=bytes(fill_bytes)).execute()
            self._database.execute_sql("PRAGMA wal_checkpoint(RESTART)")
            with self._database.atomic():
                self._tables.fact.delete_by_id("reserve")
        except OperationalError as error:
            if not is_full(error):
                raise
            return False
        finally:
            self._stay_within()
        return True

    def _stay_within(self) -> None:
        if not self.memory:
            pages = (self.folder / FILE).stat().st_size // PAGE_BYTES
            self._database.pragma("max_page_count", max(pages, 1))

    def _forget(self) -> None:
        self.streams, self.anchors, self.lost, self.open_rows = [], [], [], []
        self.lanes = {lane: LaneState() for lane in Lane}
        self.segment_bytes = 0

    def close(self) -> None:
        """Let the file go."""
        if not self._database.is_closed():
            self._database.close()

    def condemn(self, why: str) -> None:
        """Have the next start set this journal aside."""
        (self.folder / CONDEMNED).write_text(why, encoding="utf-8")

    def _set_aside(self, why: str) -> None:
        """Move the damaged file away. A start that is cut off here finds the rest next time."""
        names = (FILE, f"{FILE}-wal", "spare")
        self.old.set_aside([self.folder / name for name in names], why)
        (self.folder / CONDEMNED).unlink(missing_ok=True)
        self.spare = Spare(self.folder)
        self.damage = why

    # --- load ----------------------------------------------------------------------------------

    def _load(self) -> None:
        tables = self._tables
        for row in tables.stream.select().order_by(tables.stream.id):
            simulated = bool(row.simulated)
            stream = Stream(row.sensor, row.quantity, row.unit, row.decimals, simulated)
            check_crc(row.crc, row.id - 1, *stream)
            self.streams.append(stream)
        for kept in tables.anchor.select().order_by(tables.anchor.id):
            anchor = Anchor(kept.boot, kept.boottime_ms, kept.utc_ms, kept.error_ms, kept.source)
            check_crc(kept.crc, *anchor)
            self.anchors.append(anchor)
        for gone in tables.lost.select().order_by(tables.lost.id):
            lost = Lost(bytes(gone.epoch), Lane(gone.lane), gone.first, gone.last, gone.reason)
            check_crc(gone.crc, *lost)
            self.lost.append(lost)
        self.old.load()
        for lane, state in self.lanes.items():
            self._load_lane(lane, state)
        self._load_open()

    def _load_lane(self, lane: Lane, state: LaneState) -> None:
        table = self._tables.segment[lane]
        last = table.select().order_by(table.first_seq.desc()).first()
        if last is not None:
            state.sealed = state.committed = last.first_seq + last.count - 1
            state.chain = bytes(last.sha256)
            state.oldest = table.select(fn.MIN(table.first_seq)).scalar()
        # Of an event that is lost the seq is not free again.
        known = [lost.last for lost in self.lost if (lost.epoch, lost.lane) == (self.epoch, lane)]
        state.next = max([state.sealed, *known]) + 1
        self.segment_bytes += table.select(fn.SUM(fn.LENGTH(table.body))).scalar() or 0

    def _load_open(self) -> None:
        """Take up what was committed and not sealed; of an earlier boot it is sealed now."""
        table, state = self._tables.open, self.lanes[Lane.READINGS]
        opened = ""
        for row in list(table.select().order_by(table.first_seq)):
            boot, columns = bytes(row.boot), bytes(row.columns)
            check_crc(row.crc, self.epoch, row.first_seq, row.count, boot, columns)
            rows = wire.unpack_rows(columns, row.first_seq, row.count)
            if self.open_rows and boot.hex() != opened:
                self._seal_left_over(opened)
            opened = boot.hex()
            self.open_rows.extend(rows)
            state.committed = rows[-1].seq
            state.next = max(state.next, state.committed + 1)
        if self.open_rows and opened != self._clock.boot:
            self._seal_left_over(opened)

    def _seal_left_over(self, boot: str) -> None:
        with self._database.atomic():
            self._seal_rows(boot)

    # --- write ---------------------------------------------------------------------------------

    def write(self, batch: Batch) -> None:
        """One transaction: all of a batch, or nothing of it."""
        opened, count = self.open_rows, len(self.open_rows)
        kept = {lane: state.keep() for lane, state in self.lanes.items()}
        before_bytes = self.segment_bytes
        try:
            sealed = self._transact(batch)
        except BaseException:
            del opened[count:]
            self.open_rows, self.segment_bytes = opened, before_bytes
            for lane, before in kept.items():
                self.lanes[lane].put_back(before)
            raise
        self.written = batch
        if not self.memory:
            for lane, segment in sealed:
                self.spare.add(lane, segment.last_seq, segment.body, self.schema())

    def _transact(self, batch: Batch) -> list[tuple[Lane, StoredSegment]]:
        """Begin, write, commit; the segments that were sealed."""
        self._begin()
        try:
            sealed = self._fill(batch)
        except BaseException:
            self._undo()
            raise
        try:
            self._end()
        except OperationalError:
            self._undo()
            if not self._has_written(batch):
                raise
        return sealed

    def _begin(self) -> None:
        # By hand: peewee's atomic() costs as much as what a commit of some rows writes.
        self._database.begin()

    def _end(self) -> None:
        self._database.commit()

    def _undo(self) -> None:
        # A card that is full, or fails, may have made SQLite roll back by itself.
        with contextlib.suppress(OperationalError):
            self._database.rollback()

    def _fill(self, batch: Batch) -> list[tuple[Lane, StoredSegment]]:
        sealed: list[tuple[Lane, StoredSegment]] = []
        self._write_names(batch)
        self._write_rows(batch.rows)
        for first in range(0, len(batch.events), EVENTS_MAX_PER_SEGMENT):
            events = batch.events[first : first + EVENTS_MAX_PER_SEGMENT]
            sealed.extend(self._seal_events(events))
        if batch.seal or len(self.open_rows) >= SEGMENT_ENTRIES_MAX:
            sealed.extend(self._seal_rows(self._clock.boot))
        return sealed

    def _has_written(self, batch: Batch) -> bool:
        """Whether a commit that reported an error is in the file all the same.

        Folding the log back is part of a commit's call, and when that fails the commit has
        happened before it (https://sqlite.org/c3ref/wal_hook.html).
        """
        tables = self._tables
        try:
            for lane, state in self.lanes.items():
                table = tables.segment[lane]
                last = table.select().order_by(table.first_seq.desc()).first()
                if (last.first_seq + last.count - 1 if last else 0) != state.sealed:
                    return False
            if (tables.open.select(fn.SUM(tables.open.count)).scalar() or 0) != len(self.open_rows):
                return False
            names = tables.stream.select().where(tables.stream.id == len(self.streams)).exists()
            if batch.streams and not names:
                return False
            if batch.lost:
                found = tables.lost.select().order_by(tables.lost.id.desc()).first()
                if found is None or (found.first, found.last) != batch.lost[-1][2:4]:
                    return False
            return not batch.anchors or (
                tables.anchor.select()
                .where(tables.anchor.boottime_ms == batch.anchors[-1].boottime_ms)
                .where(tables.anchor.boot == batch.anchors[-1].boot)
                .exists()
            )
        except DatabaseError:
            return False

    def _write_names(self, batch: Batch) -> None:
        tables = self._tables
        for index, stream in batch.streams:
            fields = {**stream._asdict(), "simulated": int(stream.simulated)}
            tables.stream.create(id=index + 1, **fields, crc=crc(index, *stream))
        for anchor in batch.anchors:
            tables.anchor.create(**anchor._asdict(), crc=crc(*anchor))
        add_lost(self._tables, batch.lost)

    def _write_rows(self, rows: Sequence[Row]) -> None:
        # A run of seqs that is broken (RAM was full) starts a row of its own.
        boot = bytes.fromhex(self._clock.boot)
        for run in runs(rows):
            first, count, columns = run[0].seq, len(run), wire.pack_rows(run)
            # One fixed statement: building it anew costs as much as running it.
            self._database.execute_sql(
                'INSERT INTO "open" (first_seq, count, boot, columns, crc) VALUES (?, ?, ?, ?, ?)',
                (first, count, boot, columns, crc(self.epoch, first, count, boot, columns)),
            )
            self.lanes[Lane.READINGS].committed = run[-1].seq
        self.open_rows.extend(rows)

    def _seal_rows(self, boot: str) -> list[tuple[Lane, StoredSegment]]:
        sealed = []
        for run in runs(self.open_rows):
            for first in range(0, len(run), SEGMENT_ENTRIES_MAX):
                rows = run[first : first + SEGMENT_ENTRIES_MAX]
                sealed.append(self._add_rows(Lane.READINGS, rows, boot))
        self._tables.open.delete().execute()
        self.open_rows = []
        return sealed

    def _add_rows(self, lane: Lane, rows: Sequence[Row], boot: str) -> tuple[Lane, StoredSegment]:
        schema = wire.sha256(self.schema())[: wire.SCHEMA_BYTES]
        packed = wire.pack_columns(wire.pack_rows(rows))
        return lane, self._add_segment(lane, rows[0].seq, len(rows), boot, schema, packed)

    def _seal_events(self, events: Sequence[Event]) -> list[tuple[Lane, StoredSegment]]:
        sealed = []
        lane = Lane.EVENTS
        for run in runs(events):
            packed = wire.pack_columns(wire.pack_events(run))
            boot = run[0].boot
            segment = self._add_segment(lane, run[0].seq, len(run), boot, b"", packed)
            self.lanes[lane].committed = run[-1].seq
            sealed.append((lane, segment))
        return sealed

    def _add_segment(
        self, lane: Lane, first: int, count: int, boot: str, schema: bytes, columns: bytes
    ) -> StoredSegment:
        state = self.lanes[lane]
        identity = bytes.fromhex(boot)
        segment = Segment(self.epoch, lane, first, count, identity, schema, state.chain, columns)
        return self._store(segment)

    def _store(self, segment: Segment) -> StoredSegment:
        state = self.lanes[segment.lane]
        body = wire.encode_segment(segment)
        state.chain = wire.sha256(body)
        state.sealed = segment.last_seq
        self._tables.segment[segment.lane].create(
            first_seq=segment.first_seq, count=segment.entries, sha256=state.chain, body=body
        )
        self.segment_bytes += len(body)
        return StoredSegment(segment.first_seq, segment.entries, body)

    def schema(self) -> bytes:
        """The dictionary of all streams so far."""
        return wire.encode_schema(self.streams)

    # --- make room -----------------------------------------------------------------------------

    def forget_acked(self, bytes_wanted: int) -> int:
        """Delete the oldest segments that the city has, safe ones first; the bytes freed.

        The last segment of a lane stays, since the next seq and the chain are read from it.
        """
        freed = 0
        oldest = {lane: state.oldest for lane, state in self.lanes.items()}
        try:
            with self._database.atomic():
                for only_safe in (True, False):
                    for lane in (Lane.READINGS, Lane.SUMMARIES, Lane.EVENTS):
                        freed += self._forget_acked(lane, bytes_wanted - freed, only_safe=only_safe)
        except BaseException:
            for lane, before in oldest.items():
                self.lanes[lane].oldest = before
            raise
        self.segment_bytes -= freed
        self.spare.forget({lane: self._gone_to(state) for lane, state in self.lanes.items()})
        if len(self.anchors) > ANCHORS_MAX:
            self._forget_anchors()
        return freed

    def _gone_to(self, state: LaneState) -> int:
        return max(state.safe, state.oldest - 1)

    def _forget_acked(self, lane: Lane, bytes_wanted: int, *, only_safe: bool) -> int:
        table, state = self._tables.segment[lane], self.lanes[lane]
        body_bytes = fn.LENGTH(table.body).alias("body_bytes")
        query = table.select(table.first_seq, table.count, body_bytes).order_by(table.first_seq)
        freed = 0
        for row in list(query.limit(SACRIFICE_MAX)):
            last = row.first_seq + row.count - 1
            acked = last <= state.safe if only_safe else state.got.covers(row.first_seq, last)
            if freed >= bytes_wanted or not acked or last >= state.sealed:
                break
            table.delete().where(table.first_seq == row.first_seq).execute()
            state.oldest = last + 1
            freed += row.body_bytes
        return freed

    def _forget_anchors(self) -> None:
        anchors = self._tables.anchor
        gone = len(self.anchors) // 2
        oldest = anchors.select(anchors.id).order_by(anchors.id).limit(gone)
        anchors.delete().where(anchors.id.in_(oldest)).execute()
        self.anchors = self.anchors[gone:]

    def oldest_readings(self) -> tuple[StoredSegment, str, list[Row], tuple[Stream, ...]] | None:
        """The oldest segment of readings that is not the last: what is thinned next."""
        lane = Lane.READINGS
        table, state = self._tables.segment[lane], self.lanes[lane]
        row = table.select().order_by(table.first_seq).first()
        if row is None or row.first_seq + row.count - 1 >= state.sealed:
            return None
        stored = stored_segment(row)
        segment = wire.decode_segment(stored.body)
        schema = self.schema_of(segment.schema)
        if schema is None:
            return stored, segment.boot.hex(), [], ()
        return stored, segment.boot.hex(), wire.segment_rows(segment), wire.decode_schema(schema)

    def thin(
        self, stored: StoredSegment, boot: str, rows: list[Row], streams: list[tuple[int, Stream]]
    ) -> Lost:
        """Put summaries in the place of a segment of readings; what is lost by that."""
        state = self.lanes[Lane.SUMMARIES]
        kept, before_bytes = state.keep(), self.segment_bytes
        reason = "no room: thinned to minutes" if rows else "no room"
        lost = Lost(self.epoch, Lane.READINGS, stored.first_seq, stored.last_seq, reason)
        try:
            with self._database.atomic():
                self._write_names(Batch([], [], streams, [], [lost], seal=False))
                if rows:
                    numbered = [
                        row._replace(seq=seq) for seq, row in enumerate(rows, state.sealed + 1)
                    ]
                    self._add_rows(Lane.SUMMARIES, numbered, boot)
                self._drop(Lane.READINGS, stored)
        except BaseException:
            state.put_back(kept)
            self.segment_bytes = before_bytes
            raise
        self.segment_bytes -= len(stored.body)
        state.committed, state.next = state.sealed, state.sealed + 1
        self.lanes[Lane.READINGS].oldest = stored.last_seq + 1
        self.lost.append(lost)
        return lost

    def drop_summaries(self) -> Lost | None:
        """Give up the oldest summaries; what is lost by that, or None where there are none."""
        lane = Lane.SUMMARIES
        table, state = self._tables.segment[lane], self.lanes[lane]
        row = table.select().order_by(table.first_seq).first()
        if row is None or row.first_seq + row.count - 1 >= state.sealed:
            return None
        stored = StoredSegment(row.first_seq, row.count, bytes(row.body))
        lost = Lost(self.epoch, lane, stored.first_seq, stored.last_seq, "no room")
        with self._database.atomic():
            add_lost(self._tables, [lost])
            self._drop(lane, stored)
        self.segment_bytes -= len(stored.body)
        state.oldest = stored.last_seq + 1
        self.lost.append(lost)
        return lost

    def _drop(self, lane: Lane, stored: StoredSegment) -> None:
        table = self._tables.segment[lane]
        table.delete().where(table.first_seq == stored.first_seq).execute()

    # --- what the uplink reads -----------------------------------------------------------------

    def schema_of(self, prefix: bytes) -> bytes | None:
        """The dictionary whose hash starts with `prefix`: one that was in force once."""
        for count in range(len(self.streams), 0, -1):
            body = wire.encode_schema(self.streams[:count])
            if wire.sha256(body).startswith(prefix):
                return body
        for row in self._tables.saved_schema.select():
            if wire.sha256(bytes(row.body)).startswith(prefix):
                return bytes(row.body)
        return None

    def read(
        self,
        lane: Lane,
        first: int,
        last: int,
        limit: int,
        bytes_max: int,
        newest: bool,  # noqa: FBT001  Handed through from a keyword.
    ) -> list[StoredSegment]:
        """Segments that hold any seq of `first` to `last`, as many as fit."""
        table = self._tables.segment[lane]
        wanted = (table.first_seq <= last) & (table.first_seq + table.count > first)
        # The bound on first_seq lets SQLite seek: no segment is longer than the limit.
        wanted &= table.first_seq > first - SEGMENT_ENTRIES_MAX
        order = table.first_seq.desc() if newest else table.first_seq
        query = table.select().where(wanted).order_by(order).limit(limit)
        return [stored_segment(row) for row in fitting(query.iterator(), bytes_max)]

    def chain_at(self, lane: Lane, seq: int) -> bytes | None:
        """SHA-256 of the segment that ends at `seq`; None where it is not held."""
        table = self._tables.segment[lane]
        row = (
            table.select(table.sha256)
            .where((table.first_seq + table.count - 1 == seq) & (table.first_seq <= seq))
            .where(table.first_seq > seq - SEGMENT_ENTRIES_MAX)
            .first()
        )
        return None if row is None else bytes(row.sha256)

    def seq_of(self, event: Event) -> int | None:
        """Under which seq an event is kept; None where it is not. Newest segments first."""
        table = self._tables.segment[Lane.EVENTS]
        wanted = event.boot, event.at_ms, event.kind, wire.dump_body(event.body)
        for row in table.select().order_by(table.first_seq.desc()).iterator():
            for found in wire.segment_events(wire.decode_segment(stored_segment(row).body)):
                if (found.boot, found.at_ms, found.kind, wire.dump_body(found.body)) == wanted:
                    return found.seq
        return None

    def forget_lost(self, told: Sequence[Lost]) -> None:
        """The city knows of these losses."""
        table = self._tables.lost
        with self._database.atomic():
            for lost in told:
                table.delete().where(
                    (table.epoch == lost.epoch)
                    & (table.lane == lost.lane)
                    & (table.first == lost.first)
                    & (table.last == lost.last)
                ).execute()
        self.lost = [lost for lost in self.lost if lost not in set(told)]

    def not_held(self, lane: Lane, first: int, last: int) -> list[tuple[int, int]]:
        """What of `first` to `last` is in no segment."""
        table = self._tables.segment[lane]
        wanted = (table.first_seq <= last) & (table.first_seq + table.count > first)
        wanted &= table.first_seq > first - SEGMENT_ENTRIES_MAX
        query = table.select(table.first_seq, table.count).where(wanted)
        held = Ranges((row.first_seq, row.first_seq + row.count - 1) for row in query)
        if holes := held.holes(first, last):
            # A flipped bit in one of these numbers would make an entry out to be lost.
            for row in table.select().where(wanted).iterator():
                stored_segment(row)
        return holes

    # --- old epochs ----------------------------------------------------------------------------

    def add_saved(self, saved: Saved, source: Path) -> int:
        """Queue what a damaged journal still held under its old epoch; how many segments."""
        return self.old.add_saved(saved, source, self.anchors, self.lost)

    def learn_old(self, epoch: bytes, lane: Lane, got: Ranges, told: Ranges) -> None:
        """Learn what the city has of an old epoch; what nobody has is declared."""
        self.old.learn(epoch, lane, got, told, self.lost)
        self.old.close(epoch, self.lost)

    def part_old(self, epoch: bytes, stored: list[StoredSegment], same: dict[Lane, Ranges]) -> None:
        """Give segments of an ended epoch one of their own: another writer has used theirs.

        The city has `same` of their entries under these very seqs; they do not move.
        """
        ours, fresh = uuid.uuid4().bytes, []
        ends = dict.fromkeys(Lane, (0, b""))  # Last seq and the hash of its segment.
        gone = [wire.decode_segment(one.body) for one in stored]
        for segment in gone:
            for left in _without(segment, same.get(segment.lane, Ranges())):
                last, chain = ends[segment.lane]
                moved = left._replace(epoch=ours, first_seq=last + 1, previous=chain)
                body = wire.encode_segment(moved)
                ends[segment.lane] = moved.last_seq, wire.sha256(body)
                fresh.append((moved, body))
        self.old.part(epoch, gone, ours, fresh)

    # --- a new epoch ---------------------------------------------------------------------------

    def new_epoch(self) -> None:
        """Give what the city does not have a new epoch and new seqs; the old one is closed.

        Losses stay what they are: of entries that had seqs of the old epoch.
        """
        unsent = {lane: self._unsent(lane) for lane in Lane}
        self.old.closed.add(self.epoch, self._answers_for(), memory=self.memory)
        # First of all: a power cut must not leave a copy of another epoch than the file's.
        self.spare.clear()
        before = self.epoch, self.lanes
        self.epoch, self.lanes = uuid.uuid4().bytes, {lane: LaneState() for lane in Lane}
        try:
            with self._database.atomic():
                stored = self._move(unsent)
        except BaseException:
            self.epoch, self.lanes = before
            raise
        for lane, moved in stored:
            self.spare.add(lane, moved.last_seq, moved.body, self.schema())
        self.segment_bytes = sum(
            table.select(fn.SUM(fn.LENGTH(table.body))).scalar() or 0
            for table in self._tables.segment.values()
        )

    def _move(self, unsent: dict[Lane, list[Segment]]) -> list[tuple[Lane, StoredSegment]]:
        """Put these segments, with the new epoch and its seqs, in the place of all there are."""
        stored: list[tuple[Lane, StoredSegment]] = []
        self._tables.fact.replace(key="epoch", value=self.epoch).execute()
        for lane, segments in unsent.items():
            self._tables.segment[lane].delete().execute()
            for segment in segments:
                state = self.lanes[lane]
                first = state.sealed + 1
                state.committed = first + segment.entries - 1
                state.next = state.committed + 1
                moved = self._store(
                    segment._replace(epoch=self.epoch, first_seq=first, previous=state.chain)
                )
                stored.append((lane, moved))
        return stored

    def _answers_for(self) -> dict[Lane, Ranges]:
        """Seqs of this epoch under which the city has or misses what was ours."""
        answers = {lane: Ranges(state.got) for lane, state in self.lanes.items()}
        for lost in self.lost:
            if lost.epoch == self.epoch:
                answers[lost.lane].add(lost.first, lost.last)
        return {lane: found for lane, found in answers.items() if found}

    def _unsent(self, lane: Lane) -> list[Segment]:
        table, got = self._tables.segment[lane], self.lanes[lane].got
        unsent: list[Segment] = []
        for row in table.select().order_by(table.first_seq):
            segment = wire.decode_segment(stored_segment(row).body)
            if got.touches(segment.first_seq, segment.last_seq):
                unsent.extend(_without(segment, got))
            else:
                unsent.append(segment)
        return unsent


def _without(segment: Segment, got: Ranges) -> list[Segment]:
    """What is left of a segment when the entries in `got` are taken out."""
    events = segment.lane is Lane.EVENTS
    entries: list[Any] = wire.segment_events(segment) if events else wire.segment_rows(segment)
    pack: Any = wire.pack_events if events else wire.pack_rows
    return [
        segment._replace(
            first_seq=run[0].seq, entries=len(run), columns=wire.pack_columns(pack(run))
        )
        for run in runs(entry for entry in entries if not got.covers(entry.seq, entry.seq))
    ]


def runs(entries: Iterable[Any]) -> list[list[Any]]:
    """Split rows or events into runs of consecutive seqs."""
    found: list[list[Any]] = []
    entries = list(entries)
    if entries and entries[-1].seq - entries[0].seq + 1 == len(entries):
        return [entries]  # Seqs rise, so none is missing: nearly always.
    for entry in entries:
        if found and found[-1][-1].seq + 1 == entry.seq:
            found[-1].append(entry)
        else:
            found.append([entry])
    return found


def is_damage(error: BaseException) -> bool:
    """Whether the file is behind an error, since it is not what was written."""
    return any(
        isinstance(one, DamagedError | wire.WireError)
        or (isinstance(one, DatabaseError) and not isinstance(one, OperationalError))
        for one in _with_causes(error)
    )


def is_full(error: BaseException) -> bool:
    """Whether a full card is behind an error."""
    return any("disk is full" in str(one) for one in _with_causes(error))


def _with_causes(error: BaseException | None) -> Iterator[BaseException]:
    """An error and what was under way when it came.

    SQLite may have rolled back by itself, so that peewee's own rollback fails on top of it.
    """
    while error is not None:
        yield error
        error = error.__context__


def _writable(folder: Path) -> bool:
    """Whether the card takes a write, tried and not guessed."""
    probe = folder / "journal.probe"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return False
    return True
