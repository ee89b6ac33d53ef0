"""The journal's file: what happens on its one SQL thread. `sync/journal.py` is its front.

What wears a card is blocks written, not bytes kept. One commit of 42 readings appends one page
of PAGE_BYTES to the write-ahead log. Log and free pages are taken up front, so that a commit
changes no file sizes: the file system has nothing of its own to write, and commits go on when
the card has no byte left.
"""

from __future__ import annotations

import json
import shutil
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from peewee import DatabaseError, OperationalError, SqliteDatabase, fn

from sync import wire
from sync.clock import Clock
from sync.entry import Anchor, Event, Lane, Stream, SyncError
from sync.journal_tables import PAGE_BYTES, PRAGMAS, VERSION, DamagedError, Tables, check_crc, crc
from sync.ranges import Ranges
from sync.salvage import Saved
from sync.spare import Spare
from sync.wire import SEGMENT_ENTRIES_MAX, Row, Segment

FILE = "journal.db"
DAMAGED = "damaged"  # Folder of a journal that was set aside.
CONDEMNED = "journal.condemned"  # Says why the next start has to set the journal aside.
RESERVE_BYTES = 640 * 1024  # Log and free pages, written once so that they are there.
BUSY_TIMEOUT_S = 2
ANCHORS_MAX = 1000
EVENTS_MAX_PER_SEGMENT = 256
PAGES_MAX = 2**30  # No limit of SQLite's; the quota is ours.
SACRIFICE_MAX = 64  # Segments that go in one transaction.


class JournalError(SyncError):
    """The journal cannot be opened or does not take an entry."""


class JournalBusyError(JournalError):
    """Another process has this journal open."""


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

    epoch: bytes
    lane: Lane
    first: int
    last: int
    reason: str


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


class OldEpoch:
    """A journal that was set aside, as far as it could be read."""

    def __init__(self, highest: dict[Lane, int]) -> None:
        self.highest = highest
        self.done: set[Lane] = set()  # Lanes whose losses have been worked out.


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
        self.old_epochs: dict[bytes, OldEpoch] = {}
        self.lanes = {lane: LaneState() for lane in Lane}
        self.segment_bytes = 0
        self.open_rows: list[Row] = []  # Committed, not yet sealed.
        self.spare = Spare(folder)
        self.written: Batch | None = None  # The last one that a power cut cannot take.
        self._clock = clock
        self._database = database
        self._tables = Tables(database)

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
        if not isinstance(error, OperationalError):
            return True
        if str(error).startswith(("no such column", "no such table")):
            return True  # The version was right, so a bit has flipped in the tables' names.
        return "disk I/O error" in str(error) and _writable(self.folder)

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
        with self._database.atomic("EXCLUSIVE"):
            self._make_or_check(path)
        self._load()
        if not self.memory:
            self._check_spare()
            self._reserve()

    def _make_or_check(self, path: str) -> None:
        version = self._database.pragma("user_version")
        if version == 0:
            self._database.create_tables(self._tables.all())
            self._tables.fact.create(key="epoch", value=uuid.uuid4().bytes)
            self._database.pragma("user_version", VERSION)
        elif version != VERSION:
            raise JournalError(f"{path} has version {version}, not {VERSION}")
        self.epoch = bytes(self._tables.fact.get_by_id("epoch").value)

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
        if self.memory or shutil.disk_usage(self.folder).free < 3 * RESERVE_BYTES:
            self._stay_within()
            return False
        try:
            self._database.pragma("max_page_count", PAGES_MAX)
            with self._database.atomic():
                self._tables.fact.replace(key="reserve", value=bytes(RESERVE_BYTES)).execute()
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
        self.old_epochs = {}
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
        aside = self.folder / DAMAGED
        number = 1 + max((int(old.name) for old in aside.glob("[0-9]*")), default=0)
        target = aside / str(number)
        # What was salvaged before and is not at the city goes down with this file, so it is
        # salvaged again. First of all: a start that is cut off after the move does not return here.
        for done in aside.glob("[0-9]*/done"):
            done.unlink()
        target.mkdir(parents=True)
        for name in (FILE, f"{FILE}-wal", "spare"):
            if (self.folder / name).exists():
                (self.folder / name).rename(target / name)
        (target / "why").write_text(why, encoding="utf-8")
        (self.folder / CONDEMNED).unlink(missing_ok=True)
        self.spare = Spare(self.folder)
        self.damage = why

    def set_aside(self) -> list[Path]:
        """Folders of damaged journals that have not been salvaged yet, oldest first."""
        aside = self.folder / DAMAGED
        found = sorted(aside.glob("[0-9]*"), key=lambda path: int(path.name))
        return [path for path in found if not (path / "done").exists()]

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
        for fact in tables.fact.select().where(tables.fact.key.startswith("old:")):
            highest = json.loads(bytes(fact.value))
            epoch = bytes.fromhex(fact.key.removeprefix("old:"))
            self.old_epochs[epoch] = OldEpoch({Lane(int(n)): seq for n, seq in highest.items()})
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
            check_crc(row.crc, row.first_seq, row.count, boot, columns)
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
        opened = list(self.open_rows)
        kept = {lane: state.keep() for lane, state in self.lanes.items()}
        before_bytes = self.segment_bytes
        sealed: list[tuple[Lane, StoredSegment]] = []
        try:
            with self._database.atomic():
                self._write_names(batch)
                self._write_rows(batch.rows)
                for first in range(0, len(batch.events), EVENTS_MAX_PER_SEGMENT):
                    events = batch.events[first : first + EVENTS_MAX_PER_SEGMENT]
                    sealed.extend(self._seal_events(events))
                if batch.seal or len(self.open_rows) >= SEGMENT_ENTRIES_MAX:
                    sealed.extend(self._seal_rows(self._clock.boot))
        except BaseException as error:
            if not (isinstance(error, OperationalError) and self._has_written(batch)):
                self.open_rows, self.segment_bytes = opened, before_bytes
                for lane, before in kept.items():
                    self.lanes[lane].put_back(before)
                raise
        self.written = batch
        if not self.memory:
            for lane, segment in sealed:
                self.spare.add(lane, segment.last_seq, segment.body, self.schema())

    def _has_written(self, batch: Batch) -> bool:
        """Whether a transaction that reported an error is in the file all the same.

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
        self._add_lost(batch.lost)

    def _add_lost(self, losses: Iterable[Lost]) -> None:
        for lost in losses:
            self._tables.lost.create(**lost._asdict(), crc=crc(*lost))

    def _write_rows(self, rows: Sequence[Row]) -> None:
        # A run of seqs that is broken (RAM was full) starts a row of its own.
        boot = bytes.fromhex(self._clock.boot)
        for run in runs(rows):
            first, count, columns = run[0].seq, len(run), wire.pack_rows(run)
            # One fixed statement: building it anew costs as much as running it.
            self._database.execute_sql(
                'INSERT INTO "open" (first_seq, count, boot, columns, crc) VALUES (?, ?, ?, ?, ?)',
                (first, count, boot, columns, crc(first, count, boot, columns)),
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
        with self._database.atomic():
            for only_safe in (True, False):
                for lane in (Lane.READINGS, Lane.SUMMARIES, Lane.EVENTS):
                    freed += self._forget_acked(lane, bytes_wanted - freed, only_safe=only_safe)
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
        self.segment_bytes -= freed
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
        stored = StoredSegment(row.first_seq, row.count, bytes(row.body))
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
            self._add_lost([lost])
            self._drop(lane, stored)
        state.oldest = stored.last_seq + 1
        self.lost.append(lost)
        return lost

    def _drop(self, lane: Lane, stored: StoredSegment) -> None:
        table = self._tables.segment[lane]
        table.delete().where(table.first_seq == stored.first_seq).execute()
        self.segment_bytes -= len(stored.body)

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
        found = _fitting(query.iterator(), bytes_max)
        for row in found:
            if wire.sha256(bytes(row.body)) != row.sha256:
                raise DamagedError(f"the card has damaged {lane.name} segment {row.first_seq}")
        return [StoredSegment(row.first_seq, row.count, bytes(row.body)) for row in found]

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

    # --- a new epoch ---------------------------------------------------------------------------

    def new_epoch(self) -> None:
        """Give what the city does not have a new epoch and new seqs; the old one is closed.

        Losses stay what they are: of entries that had seqs of the old epoch.
        """
        unsent = {lane: self._unsent(lane) for lane in Lane}
        stored: list[tuple[Lane, StoredSegment]] = []
        # First of all: a power cut must not leave a copy of another epoch than the file's.
        self.spare.clear()
        with self._database.atomic():
            self.epoch = uuid.uuid4().bytes
            self._tables.fact.replace(key="epoch", value=self.epoch).execute()
            for lane, segments in unsent.items():
                self._tables.segment[lane].delete().execute()
                self.lanes[lane] = LaneState()
                for segment in segments:
                    state = self.lanes[lane]
                    first = state.sealed + 1
                    state.committed = first + segment.entries - 1
                    state.next = state.committed + 1
                    moved = self._store(
                        segment._replace(epoch=self.epoch, first_seq=first, previous=state.chain)
                    )
                    stored.append((lane, moved))
        for lane, moved in stored:
            self.spare.add(lane, moved.last_seq, moved.body, self.schema())
        self.segment_bytes = sum(
            table.select(fn.SUM(fn.LENGTH(table.body))).scalar() or 0
            for table in self._tables.segment.values()
        )

    def _unsent(self, lane: Lane) -> list[Segment]:
        table, got = self._tables.segment[lane], self.lanes[lane].got
        unsent: list[Segment] = []
        for row in table.select().order_by(table.first_seq):
            segment = wire.decode_segment(bytes(row.body))
            if got.touches(segment.first_seq, segment.last_seq):
                unsent.extend(_without(segment, got))
            else:
                unsent.append(segment)
        return unsent

    # --- what was salvaged ---------------------------------------------------------------------

    def add_saved(self, saved: Saved, source: Path) -> int:
        """Queue what a damaged journal still held under its old epoch; how many segments."""
        if saved.epoch is None:
            (source / "done").touch()
            return 0
        tables = self._tables
        with self._database.atomic():
            mine = tables.saved.select().where(tables.saved.epoch == saved.epoch)
            have = {(row.lane, row.first_seq) for row in mine}
            for (lane, first), body in saved.segments.items():
                if (lane, first) in have:
                    continue  # A salvage that was cut off had come this far.
                tables.saved.create(
                    epoch=saved.epoch,
                    lane=lane,
                    first_seq=first,
                    count=wire.decode_segment(body).entries,
                    sha256=wire.sha256(body),
                    body=body,
                )
            for body in saved.schemas:
                tables.saved_schema.create(body=body)
            for anchor in saved.anchors:
                if anchor not in self.anchors:
                    tables.anchor.create(**anchor._asdict(), crc=crc(*anchor))
            highest = json.dumps({str(int(lane)): seq for lane, seq in saved.highest.items()})
            key = f"old:{saved.epoch.hex()}"
            tables.fact.replace(key=key, value=highest.encode()).execute()
        self.anchors.extend(anchor for anchor in saved.anchors if anchor not in self.anchors)
        self.old_epochs[saved.epoch] = OldEpoch(dict(saved.highest))
        (source / "done").write_text(saved.epoch.hex(), encoding="utf-8")
        return len(saved.segments)

    def read_saved(self, epoch: bytes, limit: int, bytes_max: int) -> list[StoredSegment]:
        """Salvaged segments of an old epoch, events first."""
        table = self._tables.saved
        query = table.select().where(table.epoch == epoch).order_by(table.lane, table.first_seq)
        found = _fitting(query.limit(limit), bytes_max)
        return [StoredSegment(row.first_seq, row.count, bytes(row.body)) for row in found]

    def learn_old(self, epoch: bytes, lane: Lane, got: Ranges, told: Ranges) -> None:
        """The city has `got` of an old epoch's lane: forget that, declare what nobody has."""
        tables, old = self._tables, self.old_epochs[epoch]
        table = tables.saved
        losses: list[Lost] = []
        with self._database.atomic():
            mine = (table.epoch == epoch) & (table.lane == lane)
            there = Ranges([*got, *told])
            for row in list(table.select(table.id, table.first_seq, table.count).where(mine)):
                if got.covers(row.first_seq, row.first_seq + row.count - 1):
                    table.delete().where(table.id == row.id).execute()
                there.add(row.first_seq, row.first_seq + row.count - 1)
            if lane not in old.done and old.highest.get(lane):
                losses = [
                    Lost(epoch, lane, first, last, "the card was damaged")
                    for first, last in there.holes(1, old.highest[lane])
                ]
                self._add_lost(losses)
        self.lost.extend(losses)
        old.done.add(lane)

    def forget_old(self, epoch: bytes) -> bool:
        """Close an old epoch when nothing of it is left to tell; whether it was closed."""
        tables, old = self._tables, self.old_epochs[epoch]
        left = tables.saved.select().where(tables.saved.epoch == epoch).exists()
        if left or len(old.done) < len(Lane) or any(lost.epoch == epoch for lost in self.lost):
            return False
        with self._database.atomic():
            tables.fact.delete_by_id(f"old:{epoch.hex()}")
            if len(self.old_epochs) == 1:
                tables.saved_schema.delete().execute()
        del self.old_epochs[epoch]
        # Only now: were this file damaged as well, the folder would be needed once more.
        for done in (self.folder / DAMAGED).glob("[0-9]*/done"):
            if done.read_text(encoding="utf-8") == epoch.hex():
                shutil.rmtree(done.parent, ignore_errors=True)
        return True


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


def _fitting(rows: Iterable[Any], bytes_max: int) -> list[Any]:
    """Rows whose bodies fit into `bytes_max` together; the first one in any case."""
    found: list[Any] = []
    found_bytes = 0
    for row in rows:
        found_bytes += len(row.body)
        if found and found_bytes > bytes_max:
            break
        found.append(row)
    return found


def runs(entries: Iterable[Any]) -> list[list[Any]]:
    """Split rows or events into runs of consecutive seqs."""
    found: list[list[Any]] = []
    for entry in entries:
        if found and found[-1][-1].seq + 1 == entry.seq:
            found[-1].append(entry)
        else:
            found.append([entry])
    return found


def is_full(error: BaseException | None) -> bool:
    """Whether a full card is behind an error.

    SQLite may have rolled back by itself, so that peewee's own rollback fails on top of it.
    """
    while error is not None:
        if "disk is full" in str(error):
            return True
        error = error.__context__
    return False


def _writable(folder: Path) -> bool:
    """Whether the card takes a write, tried and not guessed."""
    probe = folder / "journal.probe"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return False
    return True
