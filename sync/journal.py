"""The one journal: an append-only record in SQLite that screen, uplink and pruning read.

Three tiers. An appended reading is at once in the tail (RAM), where the screen sees it. Every
`commit_s` the tail becomes one small row of the `open` table: from then on it survives a power
cut. Every `segment_s`, or when the uplink asks, the open rows become one segment: the very
bytes that are sent to the city and kept there. Only segments leave the kiosk, so a seq that has
been seen outside is never handed out again.

What wears a card is blocks written, not bytes kept. One commit of 42 readings appends one page
of PAGE_BYTES to the write-ahead log; space for log and pages is taken up front, so that a commit
changes no file sizes and the file system has nothing of its own to write.
"""

from __future__ import annotations

import asyncio
import math
import uuid
import zlib
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    DatabaseError,
    IntegerField,
    Model,
    OperationalError,
    SqliteDatabase,
    TextField,
    fn,
)

from drivers.reading import Reading
from sync import wire
from sync.clock import Clock
from sync.entry import Anchor, Entry, Event, Lane, Stream, SyncError
from sync.ranges import Ranges
from sync.sql_thread import SqlThread
from sync.wire import SEGMENT_ENTRIES_MAX, Row, Segment

FILE = "journal.db"
VERSION = 1
PAGE_BYTES = 1024  # Measured, bytes to the block device per reading: 512: 143, 4096: 240.
RESERVE_BYTES = 640 * 1024  # Log and free pages, written once so that they are there.
CHECKPOINT_PAGES = 500  # The log is folded back before it outgrows its reserve.
BUSY_TIMEOUT_S = 2
TAIL_MAX = 4096  # Readings the screen can still ask for: over an hour of a busy kiosk.
UNCOMMITTED_MAX = 100_000  # Past this a card that does not take commits costs the oldest.
ANCHORS_MAX = 1000
EVENTS_MAX_PER_SEGMENT = 256

PRAGMAS = (
    ("page_size", PAGE_BYTES),
    ("auto_vacuum", "none"),
    ("locking_mode", "exclusive"),  # One process; and no shared memory to die of on a full card.
    ("journal_mode", "wal"),
    ("synchronous", "full"),  # NORMAL would hand out an uploaded seq again after a power cut.
    ("wal_autocheckpoint", CHECKPOINT_PAGES),
    ("temp_store", "memory"),
    ("cache_size", -512),  # KB.
)


class JournalError(SyncError):
    """The journal cannot be opened or does not take an entry."""


class JournalBusyError(JournalError):
    """Another process has this journal open."""


@dataclass(frozen=True, slots=True)
class Options:
    """How often the journal writes, and how much it may keep."""

    commit_s: float = 30.0
    segment_s: float = 600.0
    quota_bytes: int = 64 * 1024 * 1024


class StoredSegment(NamedTuple):
    """A segment as the journal keeps and sends it."""

    first_seq: int
    entries: int
    body: bytes

    @property
    def last_seq(self) -> int:
        """The last seq it holds."""
        return self.first_seq + self.entries - 1


class Lost(NamedTuple):
    """Seqs that were handed out and cannot be delivered."""

    lane: Lane
    first: int
    last: int
    reason: str


class Progress(NamedTuple):
    """What the city has of one lane."""

    got: Ranges
    safe: int


class _Batch(NamedTuple):
    """What one transaction writes."""

    rows: list[Row]
    events: list[Event]
    streams: list[tuple[int, Stream]]
    anchors: list[Anchor]
    seal: bool


class _LaneState:
    """Where one lane stands."""

    def __init__(self) -> None:
        self.next = 1  # The seq of the next entry, the uncommitted ones counted.
        self.committed = 0  # The last seq that a power cut cannot take.
        self.sealed = 0  # The last seq that is in a segment.
        self.chain = b""  # SHA-256 of the segment that ends there.
        self.oldest = 1  # The first seq still kept.
        self.got = Ranges()
        self.safe = 0


class Journal:
    """The journal of one kiosk. Made by `open`; one process at a time."""

    def __init__(
        self,
        folder: Path,
        clock: Clock,
        options: Options,
        database: SqliteDatabase,
        thread: SqlThread,
    ) -> None:
        self.folder = folder
        self.clock = clock
        self.options = options
        self.epoch = b""
        self.streams: list[Stream] = []
        self.anchors: list[Anchor] = []
        self.commits = 0  # Transactions so far, for health.
        self.dropped = 0  # Readings lost in RAM since the card took no commits.
        self.lost: list[Lost] = []
        self._lanes = {lane: _LaneState() for lane in Lane}
        self._stream_index: dict[Stream, int] = {}
        self._tail: deque[Entry] = deque(maxlen=TAIL_MAX)
        self._latest: dict[str, Entry] = {}
        self._rows: list[Row] = []
        self._events: list[Event] = []
        self._new_streams: list[tuple[int, Stream]] = []
        self._new_anchors: list[Anchor] = []
        self._open: list[Row] = []  # Committed, not yet sealed; the SQL thread's.
        self._segment_bytes = 0
        self._closed = False
        self._appended = asyncio.Event()
        self._sealed = asyncio.Event()
        self._lock = asyncio.Lock()
        self._thread = thread
        self._database = database
        self._tables = _Tables(self._database)

    @classmethod
    async def open(
        cls,
        folder: Path,
        clock: Clock,
        options: Options | None = None,
        *,
        database: SqliteDatabase | None = None,
        thread: SqlThread | None = None,
    ) -> Journal:
        """Open or make the journal in `folder`. Raises `JournalError`, `JournalBusyError`.

        `database` and `thread` are where it touches the disk: a simulation brings its own.
        """
        journal = cls(
            folder,
            clock,
            options or Options(),
            database or SqliteDatabase(None, lock_type="IMMEDIATE", thread_safe=False),
            thread or SqlThread("journal"),
        )
        try:
            await journal._thread.run(journal._open_file)
        except BaseException:
            await journal._thread.run(journal._close_file)
            journal._thread.close()
            raise
        return journal

    async def close(self) -> None:
        """Commit what is in RAM and let the file go. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self.commit()
        finally:
            await self._thread.run(self._close_file)
            self._thread.close()

    # --- intake ------------------------------------------------------------------------------

    def append(
        self,
        sensor: str,
        readings: Sequence[Reading],
        at_ms: int,
        *,
        simulated: bool,
        decimals: Mapping[str, int],
    ) -> None:
        """Take readings in: visible at once, on the card with the next commit.

        `decimals` says how many decimals of a quantity are kept. Raises `JournalError` for a
        reading that is none; those before it in `readings` stay.
        """
        lane = self._lanes[Lane.READINGS]
        for quantity, value, unit, quality in readings:
            places = decimals[quantity]
            stream = Stream(sensor, quantity, unit, places, simulated)
            index = self._stream_index.get(stream)
            if index is None:
                index = self._add_stream(stream)
            scaled = _scale(stream, value)
            seen = None if scaled is None else wire.unscale(scaled, places)
            row = Row(lane.next, index, at_ms, scaled, wire.quality_index(quality))
            lane.next += 1
            self._rows.append(row)
            self._show(Entry(row.seq, stream, self.clock.boot, at_ms, seen, quality))
        if len(self._rows) > UNCOMMITTED_MAX:
            self._drop_oldest()
        self._appended.set()

    async def event(self, kind: str, body: dict[str, Any]) -> int:
        """Take an event in and commit it; its seq. Raises `JournalError`."""
        if not kind or len(kind) > wire.TEXT_MAX:
            raise JournalError(f"not a kind of event: {kind!r}")
        try:
            wire.dump_body(body)
        except wire.WireError as error:
            raise JournalError(f"{kind}: {error}") from None
        lane = self._lanes[Lane.EVENTS]
        seq = lane.next
        lane.next += 1
        self._events.append(Event(seq, self.clock.boot, self.clock.boottime_ms(), kind, body))
        await self.commit()
        return seq

    def add_anchor(self, anchor: Anchor) -> None:
        """Keep what ties a boot to UTC; on the card with the next commit."""
        self.anchors.append(anchor)
        self._new_anchors.append(anchor)

    def _add_stream(self, stream: Stream) -> int:
        if not stream.sensor or not stream.quantity:
            raise JournalError(f"a stream without a name: {stream!r}")
        if len(self.streams) >= wire.STREAMS_MAX:
            raise JournalError(f"{stream.name}: over {wire.STREAMS_MAX} streams")
        index = len(self.streams)
        self.streams.append(stream)
        self._stream_index[stream] = index
        self._new_streams.append((index, stream))
        return index

    def _show(self, entry: Entry) -> None:
        self._tail.append(entry)
        self._latest[entry.stream.name] = entry

    def _drop_oldest(self) -> None:
        # Only while the card takes no commits. The seqs were never seen outside, but the screen
        # has shown them, so they are declared and not handed out again.
        gone, self._rows = self._rows[: UNCOMMITTED_MAX // 10], self._rows[UNCOMMITTED_MAX // 10 :]
        self.dropped += len(gone)
        self.lost.append(Lost(Lane.READINGS, gone[0].seq, gone[-1].seq, "card takes no commits"))

    # --- what the screen reads -----------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The newest reading's seq, committed or not."""
        return self._lanes[Lane.READINGS].next - 1

    def latest(self) -> dict[str, Entry]:
        """The newest entry of each stream of this run, by stream name."""
        return dict(self._latest)

    async def after(self, seq: int, limit: int) -> list[Entry]:
        """At most `limit` readings of the tail that follow `seq`, oldest first.

        Waits until there is one. What has left the tail is not in the answer: the screen
        starts from `latest()`.
        """
        while self.seq <= seq:
            self._appended.clear()
            await self._appended.wait()
        found: list[Entry] = []
        for entry in reversed(self._tail):
            if entry.seq <= seq:
                break
            found.append(entry)
        found.reverse()
        return found[:limit]

    # --- commits -------------------------------------------------------------------------------

    async def keep(self) -> None:
        """Commit every `commit_s` and seal every `segment_s`, for ever."""
        loop = asyncio.get_running_loop()
        beat = sealed = loop.time()
        while True:
            beat += self.options.commit_s * ((loop.time() - beat) // self.options.commit_s + 1)
            await asyncio.sleep(beat - loop.time())
            due = loop.time() - sealed >= self.options.segment_s - self.options.commit_s / 2
            if due:
                sealed = loop.time()
            await self.commit(seal=due)

    async def commit(self, *, seal: bool = False) -> None:
        """Make everything taken in so far survive a power cut; with `seal`, ready to send."""
        async with self._lock:
            batch = _Batch(self._rows, self._events, self._new_streams, self._new_anchors, seal)
            if not (any(batch[:4]) or (seal and self._open)):
                return
            self._rows, self._events, self._new_streams, self._new_anchors = [], [], [], []
            try:
                await self._thread.run(self._write, batch)
            except DatabaseError:
                # Nothing was written: it stays in RAM, in its order, for the next try.
                self._rows[:0] = batch.rows
                self._events[:0] = batch.events
                self._new_streams[:0] = batch.streams
                self._new_anchors[:0] = batch.anchors
                raise
            self.commits += 1
            if batch.events or seal:
                self._sealed.set()

    async def seal(self) -> None:
        """Commit, and make segments of everything, so that all of it can be sent now."""
        await self.commit(seal=True)

    def _write(self, batch: _Batch) -> None:
        """One transaction, on the SQL thread."""
        opened = list(self._open)
        kept = {lane: (s.sealed, s.chain, s.committed) for lane, s in self._lanes.items()}
        try:
            with self._database.atomic():
                self._write_names(batch)
                if batch.rows:
                    self._write_rows(batch.rows)
                for first in range(0, len(batch.events), EVENTS_MAX_PER_SEGMENT):
                    self._seal_events(batch.events[first : first + EVENTS_MAX_PER_SEGMENT])
                if batch.seal or len(self._open) >= SEGMENT_ENTRIES_MAX:
                    self._seal_rows()
                    self._prune()
        except BaseException:
            self._open = opened
            for lane, (sealed, chain, committed) in kept.items():
                state = self._lanes[lane]
                state.sealed, state.chain, state.committed = sealed, chain, committed
            raise

    def _write_names(self, batch: _Batch) -> None:
        for index, stream in batch.streams:
            self._tables.stream.create(
                id=index + 1,
                **{**stream._asdict(), "simulated": int(stream.simulated)},
                crc=_crc(index, *stream),
            )
        for anchor in batch.anchors:
            self._tables.anchor.create(**anchor._asdict(), crc=_crc(*anchor))

    def _write_rows(self, rows: list[Row]) -> None:
        lane = self._lanes[Lane.READINGS]
        # A run of seqs that is broken (see _drop_oldest) starts a row of its own.
        for run in _runs(rows):
            columns = wire.pack_rows(run)
            boot = bytes.fromhex(self.clock.boot)
            first, count = run[0].seq, len(run)
            self._tables.open.create(
                first_seq=first,
                count=count,
                boot=boot,
                columns=columns,
                crc=_crc(first, count, boot, columns),
            )
        self._open.extend(rows)
        lane.committed = rows[-1].seq

    def _seal_rows(self) -> None:
        schema = wire.sha256(self.schema())[: wire.SCHEMA_BYTES]
        boot = bytes.fromhex(self.clock.boot)
        for run in _runs(self._open):
            for first in range(0, len(run), SEGMENT_ENTRIES_MAX):
                rows = run[first : first + SEGMENT_ENTRIES_MAX]
                packed = wire.pack_columns(wire.pack_rows(rows))
                self._add_segment(Lane.READINGS, rows[0].seq, len(rows), boot, schema, packed)
        self._tables.open.delete().execute()
        self._open = []

    def _seal_events(self, events: list[Event]) -> None:
        boot = bytes.fromhex(self.clock.boot)
        packed = wire.pack_columns(wire.pack_events(events))
        self._add_segment(Lane.EVENTS, events[0].seq, len(events), boot, b"", packed)
        self._lanes[Lane.EVENTS].committed = events[-1].seq

    def _add_segment(
        self, lane: Lane, first: int, count: int, boot: bytes, schema: bytes, columns: bytes
    ) -> None:
        state = self._lanes[lane]
        segment = Segment(self.epoch, lane, first, count, boot, schema, state.chain, columns)
        body = wire.encode_segment(segment)
        state.chain = wire.sha256(body)
        state.sealed = segment.last_seq
        self._tables.segment[lane].create(
            first_seq=first, count=count, sha256=state.chain, body=body
        )
        self._segment_bytes += len(body)

    def _prune(self) -> None:
        """Over quota, delete the oldest segments that are safe at the city; never the last one.

        The last segment stays, since the next seq and the chain are read from it.
        """
        for lane in (Lane.READINGS, Lane.EVENTS):
            table, state = self._tables.segment[lane], self._lanes[lane]
            while self._segment_bytes > self.options.quota_bytes:
                query = table.select(table.first_seq, table.count, fn.LENGTH(table.body))
                row = query.order_by(table.first_seq).tuples().first()
                if row is None:
                    break
                first, count, size = row
                if first + count - 1 > state.safe or first + count - 1 >= state.sealed:
                    break
                table.delete().where(table.first_seq == first).execute()
                state.oldest = first + count
                self._segment_bytes -= size
        anchors = self._tables.anchor
        if len(self.anchors) > ANCHORS_MAX:
            gone = len(self.anchors) // 2
            oldest = anchors.select(anchors.id).order_by(anchors.id).limit(gone)
            anchors.delete().where(anchors.id.in_(oldest)).execute()
            self.anchors = self.anchors[gone:]

    # --- what the uplink reads -----------------------------------------------------------------

    def schema(self) -> bytes:
        """The dictionary of all streams so far."""
        return wire.encode_schema(self.streams)

    def schema_of(self, prefix: bytes) -> bytes | None:
        """The dictionary whose hash starts with `prefix`: one that was in force once."""
        for count in range(len(self.streams), 0, -1):
            body = wire.encode_schema(self.streams[:count])
            if wire.sha256(body).startswith(prefix):
                return body
        return None

    def position(self, lane: Lane) -> _LaneState:
        """Where a lane stands: next, committed, sealed, chain, oldest, got, safe."""
        return self._lanes[lane]

    def pending(self) -> int:
        """How many entries the city has not acked."""
        return sum(state.next - 1 - len(state.got) for state in self._lanes.values())

    def acked(self, lane: Lane, got: Ranges, safe: int) -> None:
        """Remember what the city has. It is asked again after a restart, so RAM is enough."""
        state = self._lanes[lane]
        state.got, state.safe = got, safe

    async def segments(
        self, lane: Lane, first: int, last: int, *, limit: int, bytes_max: int, newest: bool = False
    ) -> list[StoredSegment]:
        """Segments that hold any seq of `first` to `last`, as many as fit.

        Oldest first; with `newest` those nearest to `last`, newest first.
        """
        return await self._thread.run(self._read, lane, first, last, limit, bytes_max, newest)

    def _read(
        self,
        lane: Lane,
        first: int,
        last: int,
        limit: int,
        bytes_max: int,
        newest: bool,  # noqa: FBT001
    ) -> list[StoredSegment]:
        table = self._tables.segment[lane]
        wanted = (table.first_seq <= last) & (table.first_seq + table.count > first)
        # The bound on first_seq lets SQLite seek: no segment is longer than the limit.
        wanted &= table.first_seq > first - SEGMENT_ENTRIES_MAX
        order = table.first_seq.desc() if newest else table.first_seq
        found: list[StoredSegment] = []
        size = 0
        for row in table.select().where(wanted).order_by(order).limit(limit).iterator():
            if wire.sha256(row.body) != row.sha256:
                raise JournalError(f"the card has damaged {lane.name} segment {row.first_seq}")
            size += len(row.body)
            if found and size > bytes_max:
                break
            found.append(StoredSegment(row.first_seq, row.count, bytes(row.body)))
        return found

    async def wait_sealed(self) -> None:
        """Wait until something new can be sent."""
        await self._sealed.wait()
        self._sealed.clear()

    # --- the file, on the SQL thread -------------------------------------------------------------

    def _open_file(self) -> None:
        path = self.folder / FILE
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise JournalError(f"state folder {self.folder}: {error.strerror}") from None
        self._database.init(str(path), pragmas=PRAGMAS, timeout=BUSY_TIMEOUT_S)
        try:
            self._database.connect()
            with self._database.atomic("EXCLUSIVE"):
                self._make_or_check()
            self._reserve()
            self._load()
        except OperationalError as error:
            if "locked" in str(error):
                raise JournalBusyError(f"{path} is in use by another process") from None
            raise JournalError(f"{path}: {error}") from None
        except DatabaseError as error:
            raise JournalError(f"{path}: {error}") from None

    def _make_or_check(self) -> None:
        tables = self._tables
        version = self._database.pragma("user_version")
        if version == 0:
            self._database.create_tables(tables.all())
            tables.fact.create(key="epoch", value=uuid.uuid4().bytes)
            self._database.pragma("user_version", VERSION)
        elif version != VERSION:
            raise JournalError(f"{self.folder / FILE} has version {version}, not {VERSION}")
        self.epoch = bytes(tables.fact.get_by_id("epoch").value)

    def _reserve(self) -> None:
        """Take the log's space and free pages now, in one write, as long as there is room.

        Where the log is new (a clean stop removes it) this costs one write of the reserve; on
        a full card the journal opens with what it has.
        """
        log = Path(f"{self.folder / FILE}-wal")
        if log.exists() and log.stat().st_size >= RESERVE_BYTES:
            return
        try:
            with self._database.atomic():
                self._tables.fact.replace(key="reserve", value=bytes(RESERVE_BYTES)).execute()
            self._database.execute_sql("PRAGMA wal_checkpoint(RESTART)")
            with self._database.atomic():
                self._tables.fact.delete_by_id("reserve")
        except OperationalError as error:
            if "full" not in str(error):
                raise

    def _load(self) -> None:
        tables = self._tables
        for row in tables.stream.select().order_by(tables.stream.id):
            simulated = bool(row.simulated)
            stream = Stream(row.sensor, row.quantity, row.unit, row.decimals, simulated)
            _check_crc(row.crc, row.id - 1, *stream)
            self._stream_index[stream] = len(self.streams)
            self.streams.append(stream)
        for kept in tables.anchor.select().order_by(tables.anchor.id):
            anchor = Anchor(kept.boot, kept.boottime_ms, kept.utc_ms, kept.error_ms, kept.source)
            _check_crc(kept.crc, *anchor)
            self.anchors.append(anchor)
        for lane, state in self._lanes.items():
            self._load_lane(lane, state)
        self._load_open()

    def _load_lane(self, lane: Lane, state: _LaneState) -> None:
        table = self._tables.segment[lane]
        last = table.select().order_by(table.first_seq.desc()).first()
        if last is not None:
            state.sealed = state.committed = last.first_seq + last.count - 1
            state.next = state.sealed + 1
            state.chain = bytes(last.sha256)
            state.oldest = table.select(fn.MIN(table.first_seq)).scalar()
        self._segment_bytes += table.select(fn.SUM(fn.LENGTH(table.body))).scalar() or 0

    def _load_open(self) -> None:
        """Take up what was committed and not sealed; of an earlier boot it is sealed now."""
        table, state = self._tables.open, self._lanes[Lane.READINGS]
        this_boot = self.clock.boot
        try:
            for row in list(table.select().order_by(table.first_seq)):
                boot, columns = bytes(row.boot), bytes(row.columns)
                _check_crc(row.crc, row.first_seq, row.count, boot, columns)
                rows = wire.unpack_rows(columns, row.first_seq, row.count)
                if self._open and boot.hex() != self.clock.boot:
                    self._seal_left_over()
                self.clock.boot = boot.hex()
                self._open.extend(rows)
                state.committed = rows[-1].seq
                state.next = state.committed + 1
            if self._open and self.clock.boot != this_boot:
                self._seal_left_over()
        finally:
            self.clock.boot = this_boot

    def _seal_left_over(self) -> None:
        with self._database.atomic():
            self._seal_rows()

    def _close_file(self) -> None:
        if not self._database.is_closed():
            self._database.close()


class _Tables:
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

        self.fact = Fact
        self.stream = StreamRow
        self.anchor = AnchorRow
        self.open = OpenRow
        self.segment: dict[Lane, Any] = {Lane.EVENTS: EventSegment, Lane.READINGS: ReadingSegment}
        database.bind(self.all(), bind_refs=False, bind_backrefs=False)

    def all(self) -> list[type[Model]]:
        """Every table."""
        return [self.fact, self.stream, self.anchor, self.open, *self.segment.values()]


def _scale(stream: Stream, value: float | None) -> int | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise JournalError(f"{stream.name}: not a value: {value!r}")
    scaled: int = round(value * 10**stream.decimals)
    if abs(scaled) > wire.VALUE_MAX:
        raise JournalError(f"{stream.name}: out of all bounds: {value!r}")
    return scaled


def _runs(rows: Iterable[Row]) -> list[list[Row]]:
    """Split rows into runs of consecutive seqs."""
    runs: list[list[Row]] = []
    for row in rows:
        if runs and runs[-1][-1].seq + 1 == row.seq:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs


def _crc(*fields: object) -> int:
    return zlib.crc32(repr(fields).encode())


def _check_crc(crc: int, *fields: object) -> None:
    if crc != _crc(*fields):
        raise JournalError(f"the card has damaged the row {fields!r}"[:200])
