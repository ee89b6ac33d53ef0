"""What the journal remembers of the last day: hourly means, and sums since midnight.

Nothing is stored for it. At the start the journal's segments are read backwards, a few at a
time, and from then on the tail of the journal adds what comes. Entries whose time nobody can
tell are left out.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from sync import wire
from sync.entry import Lane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sync.entry import Entry, Stream
    from sync.journal import Journal, StoredSegment

HOUR_MS = 3_600_000
DAY_H = 24
KEPT_H = 26  # A day, the hour that is not over, and one to spare.
ZONE_H = 7  # Thailand; whole hours, so that midnight begins an hour.
SLOT_MS = 300_000  # Whether an hour was measured is asked of each five minutes of it.
SLOTS_NEEDED = 9  # Of twelve: 75 %.
HOURS_NEEDED = 18  # Of 24: 75 %, as for the official mean.
WHOLE_DAY_MS = 600_000  # Who has begun by ten past midnight has the whole day.
QUANTITIES = ("pm2_5", "rain")  # What a day is asked for.
SEGMENTS_MAX = 8  # Read back at a time.
BYTES_MAX = 1024 * 1024
TAIL_MAX = 4096

log = logging.getLogger(__name__)


class DayMean(NamedTuple):
    """A mean of 24 hours, and how many of them were measured."""

    value: float
    hours: int
    until_ms: int


class DaySum(NamedTuple):
    """A sum since midnight; `since_ms` is later where measuring began later."""

    value: float
    since_ms: int
    whole: bool


@dataclass
class Hour:
    """One stream in one hour of UTC."""

    first_ms: int
    total: float = 0.0
    count: int = 0
    slots: int = 0  # A bit for each five minutes.

    def add(self, value: float, utc_ms: int) -> None:
        """Take one reading in."""
        self.first_ms = min(self.first_ms, utc_ms)
        self.total += value
        self.count += 1
        self.slots |= 1 << utc_ms % HOUR_MS // SLOT_MS


class History:
    """The last day of the streams that are asked for a day."""

    def __init__(self) -> None:
        self._hours: dict[str, dict[int, Hour]] = {}
        self._seq = 0  # Up to here all of this run's readings are in.
        self._back = 0  # Down to here what was sealed before still has to be read.
        self._epoch = b""
        self._lock = asyncio.Lock()

    def add(self, stream: Stream, value: float | None, utc_ms: int) -> None:
        """Take one reading in, in any order."""
        if value is None or stream.quantity not in QUANTITIES:
            return
        hours = self._hours.setdefault(stream.name, {})
        number = utc_ms // HOUR_MS
        hours.setdefault(number, Hour(utc_ms)).add(value, utc_ms)
        for old in [hour for hour in hours if hour < max(hours) - KEPT_H]:
            del hours[old]

    def day_mean(self, stream: str, now_ms: int) -> DayMean | None:
        """The mean of the last 24 full hours; None where fewer than 18 were measured."""
        end = now_ms // HOUR_MS
        hours = self._hours.get(stream, {})
        means = [
            hour.total / hour.count
            for number, hour in hours.items()
            if end - DAY_H <= number < end and hour.slots.bit_count() >= SLOTS_NEEDED
        ]
        if len(means) < HOURS_NEEDED:
            return None
        return DayMean(sum(means) / len(means), len(means), end * HOUR_MS)

    def day_sum(self, stream: str, now_ms: int) -> DaySum | None:
        """The sum since midnight here; None where nothing was measured today."""
        midnight = (now_ms // HOUR_MS + ZONE_H) // DAY_H * DAY_H - ZONE_H
        today = [hour for n, hour in self._hours.get(stream, {}).items() if n >= midnight]
        if not today:
            return None
        since_ms = min(hour.first_ms for hour in today)
        whole = since_ms - midnight * HOUR_MS <= WHOLE_DAY_MS
        return DaySum(sum(hour.total for hour in today), since_ms, whole)

    async def catch_up(self, journal: Journal) -> None:
        """Take in what is new, and read a piece of the past. Without a clock, nothing."""
        if journal.clock.utc_ms() is None:
            return
        async with self._lock:
            if journal.epoch != self._epoch:
                self._start(journal)
            await self._follow(journal)
            await self._read_back(journal)

    def _start(self, journal: Journal) -> None:
        self._hours = {}
        self._epoch = journal.epoch
        self._seq = self._back = journal.position(Lane.READINGS).sealed

    async def _follow(self, journal: Journal) -> None:
        while journal.seq > self._seq:
            entries = await journal.after(self._seq, TAIL_MAX)
            sealed = journal.position(Lane.READINGS).sealed
            if entries[0].seq > self._seq + 1 and sealed > self._seq:
                # Nobody looked for so long that the tail has moved on: read it back instead.
                self._start(journal)
                continue
            self._take(entries, binder(journal))
            self._seq = entries[-1].seq

    async def _read_back(self, journal: Journal) -> None:
        state = journal.position(Lane.READINGS)
        if self._back < state.oldest:
            return
        stored = await journal.segments(
            Lane.READINGS,
            state.oldest,
            self._back,
            limit=SEGMENTS_MAX,
            bytes_max=BYTES_MAX,
            newest=True,
        )
        if not stored:
            self._back = 0
            return
        streams = tuple(journal.streams)
        try:
            entries = await asyncio.to_thread(wanted_entries, stored, streams)
        except wire.WireError as error:
            entries = []  # The day is short of these; the journal says what the card has done.
            log.warning("not in the day's means: %s", error)
        bind = binder(journal)
        self._take(entries, bind)
        self._back = min(one.first_seq for one in stored) - 1
        now_ms = journal.clock.utc_ms() or 0
        times_ms = [at_ms for entry in entries if (at_ms := bind(entry)) is not None]
        if times_ms and max(times_ms) < now_ms - KEPT_H * HOUR_MS:
            self._back = 0  # All of it is older than what is asked for.

    def _take(self, entries: Iterable[Entry], bind: Callable[[Entry], int | None]) -> None:
        for entry in entries:
            utc_ms = bind(entry)
            if utc_ms is not None:
                self.add(entry.stream, entry.value, utc_ms)


def wanted_entries(stored: list[StoredSegment], streams: tuple[Stream, ...]) -> list[Entry]:
    """The readings of these segments that a day is asked for. Raises `WireError`."""
    wanted = {n for n, stream in enumerate(streams) if stream.quantity in QUANTITIES}
    entries = []
    for one in stored:
        segment = wire.decode_segment(one.body)
        boot = segment.boot.hex()
        entries += [
            wire.to_entry(row, streams, boot)
            for row in wire.segment_rows(segment)
            if row.stream in wanted
        ]
    return entries


def binder(journal: Journal) -> Callable[[Entry], int | None]:
    """What tells an entry's UTC: the clock for this boot, the nearest anchor for others."""
    clock = journal.clock
    utc_ms, boottime_ms = clock.utc_ms(), clock.boottime_ms()
    anchors = list(journal.anchors)

    def bind(entry: Entry) -> int | None:
        if entry.boot == clock.boot:
            return None if utc_ms is None else utc_ms - boottime_ms + entry.at_ms
        near = [anchor for anchor in anchors if anchor.boot == entry.boot]
        if not near:
            return None
        best = min(near, key=lambda anchor: abs(anchor.boottime_ms - entry.at_ms))
        return best.utc_at(entry.at_ms)

    return bind
