"""The one journal: an append-only record that screen, uplink and pruning read.

Three tiers. An appended reading is at once in the tail (RAM), where the screen sees it. Every
`commit_s` the tail becomes one small row of the `open` table: from then on it survives a power
cut. Every `segment_s`, or when the uplink asks, the open rows become one segment: the very
bytes that are sent to the city and kept there. Only segments leave the kiosk, so a seq that has
been seen outside is never handed out again.

When room runs out, what the city has goes first, then the oldest readings are thinned to minute
min, mean and max, then the oldest of these go; events stay. Each loss is declared to the city.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from drivers.reading import Reading
from sync import wire
from sync.clock import Clock
from sync.entry import Anchor, Entry, Event, Lane, Lost, StoredSegment, Stream
from sync.journal_file import (
    FILE,
    Batch,
    JournalBusyError,
    JournalError,
    JournalFile,
    LaneState,
    is_damage,
    is_full,
)
from sync.journal_tables import DamagedError, between_rows
from sync.old_epochs import FORGOTTEN, AnswersFor
from sync.orm import DatabaseError, OperationalError, SqliteDatabase
from sync.ranges import Ranges
from sync.salvage import Saved, salvage
from sync.sql_thread import SqlThread
from sync.summary import summarise
from sync.wire import Row

__all__ = [
    "FILE",
    "Journal",
    "JournalBusyError",
    "JournalError",
    "Lost",
    "Options",
    "StoredSegment",
]

TAIL_MAX = 4096  # Readings the screen can still ask for: over an hour of a busy kiosk.
UNCOMMITTED_MAX = 100_000  # Past this a card that takes no commits costs the oldest readings.
QUOTA_IN_MEMORY_BYTES = 4 * 1024 * 1024
ROOM_BYTES = 64 * 1024  # What a full card is asked for at a time.

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Options:
    """How often the journal writes, and how much it may keep on the card, copies included."""

    commit_s: float = 30.0
    segment_s: float = 600.0
    quota_bytes: int = 64 * 1024 * 1024


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
        self.commits = 0  # Transactions so far, for health.
        self.dropped = 0  # Readings lost in RAM since the card took no commits.
        self.trouble = ""  # Why the last commit failed; empty while the card is well.
        self._database = database
        self._file = JournalFile(folder, clock, database)
        self._thread = thread
        self._stream_index: dict[Stream, int] = {}
        self._names: list[str] = []  # Of the streams, made once.
        self._tail: deque[Entry] = deque(maxlen=TAIL_MAX)
        self._latest: dict[str, Entry] = {}
        self._rows: list[Row] = []
        self._events: list[Event] = []
        self._new_streams: list[tuple[int, Stream]] = []
        self._new_anchors: list[Anchor] = []
        self._new_lost: list[Lost] = []
        self._appended = asyncio.Event()
        self._sealed = asyncio.Event()
        self._lock = asyncio.Lock()
        self._closed = False

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
            await journal._thread.run(journal._file.open)
        except BaseException:
            await journal._thread.run(journal._file.close)
            journal._thread.close()
            raise
        journal._stream_index = {stream: n for n, stream in enumerate(journal.streams)}
        journal._names = [stream.name for stream in journal.streams]
        return journal

    async def close(self) -> None:
        """Commit what is in RAM and let the file go. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        try:
            await self.commit()
        finally:
            await self._thread.run(self._file.close)
            self._thread.close()

    @property
    def epoch(self) -> bytes:
        """16 bytes: which file gave out these seqs."""
        return self._file.epoch

    @property
    def streams(self) -> list[Stream]:
        """Every stream so far; its place is its number on the wire."""
        return self._file.streams

    @property
    def anchors(self) -> list[Anchor]:
        """What ties boots to UTC, oldest first."""
        return self._file.anchors

    @property
    def lost(self) -> list[Lost]:
        """Losses that the city has not been told of."""
        return [*self._file.lost, *self._new_lost]

    @property
    def memory(self) -> bool:
        """Whether the card takes no writes, so that all is in RAM and ends with the power."""
        return self._file.memory

    @property
    def damage(self) -> str:
        """Why an older journal was set aside at this start; empty where none was."""
        return self._file.damage

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
        lane, streams = self.position(Lane.READINGS), self._stream_index
        boot = self.clock.boot
        for quantity, value, unit, quality in readings:
            places = decimals[quantity]
            # A plain tuple finds its Stream: this runs once for each reading there is.
            key: Any = (sensor, quantity, unit, places, simulated)
            index = streams.get(key)
            if index is None:
                index = self._add_stream(Stream(sensor, quantity, unit, places, simulated))
            stream = self.streams[index]
            scaled = None if value is None else _scale(stream, value)
            seen = None if scaled is None else scaled / 10**places
            seq = lane.next
            row = Row(seq, index, at_ms, scaled, wire.quality_index(quality))
            lane.next = seq + 1
            self._rows.append(row)
            entry = Entry(seq, stream, boot, at_ms, seen, quality)
            self._tail.append(entry)
            self._latest[self._names[index]] = entry
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
        epoch, lane = self.epoch, self.position(Lane.EVENTS)
        seq: int | None = lane.next
        lane.next += 1
        event = Event(lane.next - 1, self.clock.boot, self.clock.boottime_ms(), kind, body)
        self._events.append(event)
        await self.commit()
        if self.epoch != epoch:
            seq = await self._run(self._file.seq_of, event)  # It has moved, with all that waited.
        elif lane.committed < event.seq:
            seq = None
        if seq is None:
            raise JournalError(f"{kind}: the card does not take it now: {self.trouble}")
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
        self._names.append(stream.name)
        self._stream_index[stream] = index
        self._new_streams.append((index, stream))
        return index

    def _drop_oldest(self) -> None:
        # Only while the card takes no commits. The seqs were never seen outside, but the screen
        # has shown them, so they are declared and not handed out again.
        count = UNCOMMITTED_MAX // 10
        gone, self._rows = self._rows[:count], self._rows[count:]
        self.dropped += len(gone)
        lost = (self.epoch, Lane.READINGS, gone[0].seq, gone[-1].seq)
        self._new_lost.append(Lost(*lost, "the card takes no commits"))

    # --- what the screen reads -----------------------------------------------------------------

    @property
    def seq(self) -> int:
        """The newest reading's seq, committed or not."""
        return self.position(Lane.READINGS).next - 1

    def latest(self) -> dict[str, Entry]:
        """The newest entry of each stream of this run, by stream name."""
        return dict(self._latest)

    async def after(self, seq: int, limit: int) -> list[Entry]:
        """At most `limit` readings of the tail that follow `seq`, oldest first.

        Waits until there is one. What has left the tail is not in the answer: the screen
        starts from `latest()`. A reader that is ahead, since a new epoch began, waits for the
        next reading and goes on from there.
        """
        seq = min(seq, self.seq)
        while self.seq <= seq:
            self._appended.clear()
            await self._appended.wait()
            seq = min(seq, self.seq - 1)
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
        saved = await self._salvage()
        beat = sealed = loop.time()
        while True:
            beat += self.options.commit_s * ((loop.time() - beat) // self.options.commit_s + 1)
            await asyncio.sleep(beat - loop.time())
            due = loop.time() - sealed >= self.options.segment_s - self.options.commit_s / 2
            if due:
                sealed = loop.time()
            await self.commit(seal=due)
            saved = saved or await self._salvage()

    async def commit(self, *, seal: bool = False) -> None:
        """Make everything taken in so far survive a power cut; with `seal`, ready to send.

        On a full card room is made, as the module says. If there is none left, everything
        stays in RAM for the next try; `trouble` says so. A file that turns out damaged is
        condemned, and the error goes on: the next start sets it aside.
        """
        async with self._lock:
            wrote = await self._commit(seal=seal)
            if wrote and seal:
                await self._keep_quota()

    async def seal(self) -> None:
        """Commit, and make segments of everything, so that all of it can be sent now."""
        await self.commit(seal=True)

    async def _commit(self, *, seal: bool) -> bool:
        batch = self._take_batch(seal=seal)
        if not (any(batch[:5]) or (seal and self._file.open_rows)):
            return True
        while True:
            try:
                await self._run(self._file.write, batch)
            except OperationalError as error:
                if is_full(error) and await self._find_room():
                    continue
                self._put_back(batch)
                if not is_full(error):
                    raise
                if not self.trouble:
                    log.critical("the card is full, and there is nothing left to give up")
                self.trouble = str(error)
                return False
            except BaseException:
                # Who is cancelled has waited for the thread, so it may be written all the same.
                if self._file.written is batch:
                    self._wrote(batch)
                else:
                    self._put_back(batch)
                raise
            self._wrote(batch)
            return True

    def _wrote(self, batch: Batch) -> None:
        self.commits += 1
        self.trouble = ""
        self._file.lost.extend(batch.lost)
        if batch.events or batch.seal:
            self._sealed.set()

    def _take_batch(self, *, seal: bool) -> Batch:
        batch = Batch(
            self._rows,
            self._events,
            self._new_streams,
            self._new_anchors,
            self._new_lost,
            seal,
        )
        self._rows, self._events, self._new_streams = [], [], []
        self._new_anchors, self._new_lost = [], []
        return batch

    def _put_back(self, batch: Batch) -> None:
        """Nothing was written: it stays in RAM, in its order, for the next try."""
        self._rows[:0] = batch.rows
        self._events[:0] = batch.events
        self._new_streams[:0] = batch.streams
        self._new_anchors[:0] = batch.anchors
        self._new_lost[:0] = batch.lost

    async def _run(self, function: Any, *args: Any) -> Any:
        """Run on the SQL thread. What proves the file damaged condemns it."""
        try:
            with between_rows():
                return await self._thread.run(function, *args)
        except (DamagedError, DatabaseError) as error:
            if is_damage(error) and not self.memory:
                self._file.condemn(str(error))
            raise

    # --- room ----------------------------------------------------------------------------------

    async def _keep_quota(self) -> None:
        quota_bytes = QUOTA_IN_MEMORY_BYTES if self.memory else self.options.quota_bytes
        while True:
            # Each segment is on the card twice: in the database and in the spare copy.
            over_bytes = self._file.segment_bytes - quota_bytes // 2
            if over_bytes <= 0 or not await self._make_room(over_bytes):
                return

    async def _find_room(self, *, may_lose: bool = True) -> bool:
        """Room in the file for what did not fit: longer, if the card allows that, else emptier."""
        grown: bool = await self._run(self._file.grow)
        return grown or await self._make_room(ROOM_BYTES, may_lose=may_lose)

    async def _make_room(self, bytes_wanted: int, *, may_lose: bool = True) -> bool:
        """Give up what is worth least; False where only the indispensable is left."""
        try:
            if await self._run(self._file.forget_acked, bytes_wanted):
                return True
            if not may_lose:
                return False
            return await self._thin() or await self._run(self._file.drop_summaries) is not None
        except OperationalError as error:
            if not is_full(error):
                raise
            return False  # Giving up takes pages in the log, and there are none.

    async def _run_in_room(self, function: Any, *args: Any) -> Any:
        """Run a transaction, and make room for it on a full card. Raises `JournalError`."""
        while True:
            try:
                return await self._run(function, *args)
            except OperationalError as error:
                if not is_full(error):
                    raise
                if not await self._find_room():
                    raise JournalError(f"no room on the card: {error}") from None

    async def _thin(self) -> bool:
        oldest = await self._run(self._file.oldest_readings)
        if oldest is None:
            return False
        stored, boot, rows, streams = oldest
        before = len(self._new_streams)

        def number(stream: Stream) -> int:
            index = self._stream_index.get(stream)
            return self._add_stream(stream) if index is None else index

        summary = summarise(rows, streams, number)
        new = self._new_streams[before:]
        try:
            lost = await self._run(self._file.thin, stored, boot, summary, new)
        except OperationalError as error:
            if not is_full(error):
                raise
            return False
        del self._new_streams[before : before + len(new)]
        log.warning("no room: readings %d..%d thinned to minutes", lost.first, lost.last)
        return True

    # --- a damaged journal ---------------------------------------------------------------------

    async def _salvage(self) -> bool:
        """Queue what journals that were set aside still hold, under their old epoch and seqs.

        False where the card is too full for it: then it is tried again later.
        """
        for folder in await self._run(self._file.old.to_salvage):
            closed = self._file.old.closed.epochs
            saved = await asyncio.to_thread(salvage, folder, FILE, list(closed))
            why = (folder / "why").read_text(encoding="utf-8", errors="replace")[:200]
            if not await self._add_saved(saved, folder):
                return False
            self._sealed.set()
            body = {
                "why": why,
                "epoch": saved.epoch.hex() if saved.epoch else None,
                "segments_saved": len(saved.segments),
                "highest": {lane.name.lower(): seq for lane, seq in saved.highest.items()},
            }
            try:
                await self.event("journal_damaged", body)
            except JournalError as error:
                log.warning("%s; it is kept in RAM for now", error)
        return True

    async def _add_saved(self, saved: Saved, folder: Path) -> bool:
        """Queue what was salvaged; False where there is no room for it."""
        async with self._lock:
            while True:
                try:
                    await self._run(self._file.add_saved, saved, folder)
                except OperationalError as error:
                    if not is_full(error):
                        raise
                    # No readings are given up for it: the folder keeps what it holds.
                    if not await self._find_room(may_lose=False):
                        return False
                else:
                    return True

    async def new_epoch(self, why: str) -> None:
        """Close this epoch, since another writer has used it; what is unsent moves to a new one."""
        async with self._lock:
            await self._commit(seal=True)
            old = self.epoch
            await self._run_in_room(self._file.new_epoch)
            self._renumber()
        log.error("new epoch %s: %s", self.epoch.hex(), why)
        await self.event("epoch", {"why": why, "old": old.hex(), "new": self.epoch.hex()})

    def _renumber(self) -> None:
        """What came in while the epoch changed gets its seqs in the new one."""
        readings, events = self.position(Lane.READINGS), self.position(Lane.EVENTS)
        self._rows = [row._replace(seq=readings.next + n) for n, row in enumerate(self._rows)]
        self._events = [one._replace(seq=events.next + n) for n, one in enumerate(self._events)]
        readings.next += len(self._rows)
        events.next += len(self._events)

    # --- what the uplink reads -----------------------------------------------------------------

    def schema(self) -> bytes:
        """The dictionary of all streams so far."""
        return self._file.schema()

    async def schema_of(self, prefix: bytes) -> bytes | None:
        """The dictionary whose hash starts with `prefix`: one that was in force once."""
        found: bytes | None = await self._run(self._file.schema_of, prefix)
        return found

    def position(self, lane: Lane) -> LaneState:
        """Where a lane stands: next, committed, sealed, chain, oldest, got, safe."""
        return self._file.lanes[lane]

    def pending(self) -> int:
        """How many entries the city has neither got nor been told to be lost."""
        return sum(
            state.next - 1 - self.settled(lane).count() for lane, state in self._file.lanes.items()
        )

    def settled(self, lane: Lane) -> Ranges:
        """Seqs that the city has, or that are lost: nothing is left to send of them."""
        state = self.position(lane)
        settled = Ranges([*state.got, *state.told])
        for lost in self.lost:
            if (lost.epoch, lost.lane) == (self.epoch, lane):
                settled.add(lost.first, lost.last)
        return settled

    def acked(self, lane: Lane, got: Ranges, safe: int) -> None:
        """Remember what the city has. It is asked again after a restart, so RAM is enough."""
        state = self.position(lane)
        state.got, state.safe = got, safe

    def declare_lost(self, lane: Lane, first: int, last: int, reason: str) -> None:
        """These seqs cannot be delivered any more; on the card with the next commit."""
        self._new_lost.append(Lost(self.epoch, lane, first, last, reason))

    async def declare_forgotten(self, lane: Lane) -> None:
        """Declare what neither end has: a city restored from a backup may lack what went here."""
        position = self.position(lane)
        for hole in self.settled(lane).holes(1, position.sealed):
            for first, last in await self._run(self._file.not_held, lane, *hole):
                self.declare_lost(lane, first, last, FORGOTTEN)

    async def told(self, epoch: bytes, lane: Lane, lost: Ranges) -> None:
        """The city knows of the losses in these ranges."""
        if epoch == self.epoch:
            self.position(lane).told = lost

        def known(each: Lost) -> bool:
            return (each.epoch, each.lane) == (epoch, lane) and lost.covers(each.first, each.last)

        if any(map(known, self.lost)):
            async with self._lock:
                self._new_lost = [each for each in self._new_lost if not known(each)]
                told = list(filter(known, self._file.lost))
                await self._run_in_room(self._file.forget_lost, told)

    async def segments(
        self, lane: Lane, first: int, last: int, *, limit: int, bytes_max: int, newest: bool = False
    ) -> list[StoredSegment]:
        """Segments that hold any seq of `first` to `last`, as many as fit.

        Oldest first; with `newest` those nearest to `last`, newest first.
        """
        found: list[StoredSegment] = await self._run(
            self._file.read, lane, first, last, limit, bytes_max, newest
        )
        return found

    async def chain_at(self, lane: Lane, seq: int) -> bytes | None:
        """SHA-256 of the segment that ends at `seq`; None where it is not held."""
        found: bytes | None = await self._run(self._file.chain_at, lane, seq)
        return found

    @property
    def old_epochs(self) -> dict[bytes, dict[Lane, int]]:
        """Epochs of damaged journals that are not told yet, and the last seq known of each lane."""
        return {epoch: old.highest for epoch, old in self._file.old.open.items()}

    @property
    def closed_epochs(self) -> dict[bytes, AnswersFor]:
        """Epochs that have ended and are told, and the seqs in them that this kiosk answers for."""
        closed = self._file.old.closed.epochs
        return {epoch: answers for epoch, answers in closed.items() if epoch != self.epoch}

    async def saved(self, epoch: bytes, *, limit: int, bytes_max: int) -> list[StoredSegment]:
        """Salvaged segments of an old epoch."""
        read = self._file.old.read_saved
        found: list[StoredSegment] = await self._run(read, epoch, limit, bytes_max)
        return found

    async def acked_old(self, epoch: bytes, lane: Lane, got: Ranges, told: Ranges) -> None:
        """Learn what the city has of an old epoch; what nobody has is declared lost."""
        if epoch in self._file.old.open or epoch in self.closed_epochs:
            async with self._lock:
                await self._run_in_room(self._file.learn_old, epoch, lane, got, told)

    async def part_old(
        self, epoch: bytes, stored: list[StoredSegment], same: dict[Lane, Ranges]
    ) -> None:
        """Give segments of an ended epoch one of their own: another writer has used theirs."""
        async with self._lock:
            await self._run_in_room(self._file.part_old, epoch, stored, same)

    async def wait_sealed(self) -> None:
        """Wait until something new can be sent."""
        await self._sealed.wait()
        self._sealed.clear()


def _scale(stream: Stream, value: float) -> int:
    if not math.isfinite(value):
        raise JournalError(f"{stream.name}: not a value: {value!r}")
    scaled: int = round(value * 10**stream.decimals)
    if abs(scaled) > wire.VALUE_MAX:
        raise JournalError(f"{stream.name}: out of all bounds: {value!r}")
    return scaled
