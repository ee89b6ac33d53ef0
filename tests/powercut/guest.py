"""The program on the machine that loses its power: a journal under load that says what it keeps.

It first answers what the host wants to know about the time before the cut, then takes in
readings and events, commits, seals and prunes as fast as it can, until the power is gone.
Each line on the console that starts with "@" is for the host; see oracle.py.
"""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from drivers.reading import QUALITIES, Reading
from sync import journal_file, wire
from sync.clock import Clock
from sync.entry import Lane, Stream
from sync.journal import FILE, Journal, Options, StoredSegment
from sync.journal_file import CONDEMNED
from sync.journal_tables import CHECKPOINT_PAGES
from sync.old_epochs import DAMAGED
from sync.ranges import Ranges
from tests.powercut.canon import digest, event_line, reading_line
from tests.sync.version_1 import take_back

QUOTA_BYTES = 64 * 1024  # So small that pruning is under way after a few cuts.
SENSORS = {
    "pier": (("water_level", "m", 3), ("water_temperature", "Cel", 2)),
    "market": (("pm2_5", "ug/m3", 0), ("sound_level", "dB", 1), ("people", "1/min", 0)),
    "roof": (("air_temperature", "Cel", 2), ("pressure", "hPa", 1)),
}
DECIMALS = {quantity: decimals for rows in SENSORS.values() for quantity, _, decimals in rows}
APPENDS_MAX = 20  # Between two commits.
SEAL_EACH = 12  # Commits.
PAGES_LEFT = 8  # The next commits take the log past its checkpoint.
SEGMENTS_MAX = 64
ACKS_PER_TURN = 0.02  # Of the loop: so rarely that some is always waiting.


def tell(*words: object) -> None:
    """Say something to the host, at once."""
    print(f"@{' '.join(map(str, words))}", flush=True)  # noqa: T201  The console is the wire.


def since_start_ms() -> int:
    """How long ago the kernel started this program."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    started_s = int(fields[19]) / os.sysconf("SC_CLK_TCK")
    return round((time.clock_gettime(time.CLOCK_BOOTTIME) - started_s) * 1000)


@contextmanager
def phase(name: str) -> Iterator[None]:
    """Tell the host what is being done, so that it can cut the power in it."""
    tell("B", name)
    yield
    tell("D", name)


class Log:
    """SQLite's write-ahead log, looked at from outside to see a checkpoint come."""

    def __init__(self, path: Path, limit: int) -> None:
        self._path = path
        self._limit = limit
        self._salt = b""
        self._frames = 0

    def nearly_full(self) -> bool:
        """Whether one of the next commits folds the log back into the file."""
        try:
            log = self._path.open("rb")
        except FileNotFoundError:
            return False
        with log:
            head = log.read(32)
            salt, page_bytes = head[16:24], int.from_bytes(head[8:12], "big")
            if salt != self._salt:
                self._salt, self._frames = salt, 0
            # A frame of this round repeats the head's salt; an older one has another.
            while log.seek(32 + self._frames * (24 + page_bytes)) and log.read(16)[8:] == salt:
                self._frames += 1
        return self._frames >= self._limit - PAGES_LEFT


class Load:
    """Everything that goes on at once in a kiosk, in a hurry."""

    def __init__(self, journal: Journal, seed: str) -> None:
        self.journal = journal
        self._random = random.Random(seed)  # noqa: S311  To repeat it, not to keep a secret.
        self._log = Log(journal.folder / f"{FILE}-wal", CHECKPOINT_PAGES)
        self._taken: list[str] = []  # Lines of readings that are not yet promised.
        self._pruned = False

    async def readings(self) -> None:
        """Take in, commit, and every few commits seal and prune, for ever."""
        while True:
            for turn in range(SEAL_EACH):
                for _ in range(self._random.randrange(APPENDS_MAX)):
                    self._append()
                    await asyncio.sleep(0)
                await self._commit(seal=turn == SEAL_EACH - 1)

    def _append(self) -> None:
        sensor = self._random.choice(list(SENSORS))
        at_ms = self.journal.clock.boottime_ms() + self._random.randrange(-50, 50)
        readings = []
        for seq, (quantity, unit, decimals) in enumerate(SENSORS[sensor], self.journal.seq + 1):
            scaled = None if self._random.random() < 0.1 else self._random.randrange(-999, 99999)
            quality = "ok" if scaled is not None else self._random.choice(QUALITIES[5:8])
            value = None if scaled is None else wire.unscale(scaled, decimals)
            readings.append(Reading(quantity, value, unit, quality))
            stream = Stream(sensor, quantity, unit, decimals, simulated=True)
            index = -1  # The schema's business, not what a reading says.
            row = wire.Row(seq, index, at_ms, scaled, wire.quality_index(quality))
            self._taken.append(reading_line(row, stream, self.journal.clock.boot))
        self.journal.append(sensor, readings, at_ms, simulated=True, decimals=DECIMALS)
        tell("I", self.journal.seq)

    async def _commit(self, *, seal: bool) -> None:
        last, lines = self.journal.seq, self._taken
        self._taken = []
        name = "commit"
        if seal:
            name = "prune" if self._pruned else "seal"
        if self._log.nearly_full():
            name = "checkpoint"
        before = self._oldest()
        with phase(name):
            await (self.journal.seal() if seal else self.journal.commit())
        if lines:
            tell("C", last - len(lines) + 1, last, digest(lines))
        if seal:
            self._pruned = self._oldest() != before
            if self._pruned:
                tell("O", *self._oldest())

    def _oldest(self) -> tuple[int, ...]:
        return tuple(self.journal.position(lane).oldest for lane in Lane)

    async def events(self) -> None:
        """Commit one event after the other, for ever."""
        clock = self.journal.clock
        while True:
            body = {"text": "ตลาดหนองมน" * self._random.randrange(8), "stars": 5}
            with phase("event"):
                before_ms = clock.boottime_ms()
                seq = await self.journal.event("complaint", body)
            stored = await self.journal.segments(Lane.EVENTS, seq, seq, limit=1, bytes_max=2**20)
            (event,) = wire.segment_events(wire.decode_segment(stored[0].body))
            if event.kind != "complaint" or event.body != body or event.at_ms < before_ms:
                tell("X", f"event {seq} reads back as {event!r}")
            tell("E", seq, digest([event_line(event)]))
            for _ in range(self._random.randrange(30)):
                await asyncio.sleep(0)

    async def city(self) -> None:
        """Read segments as the uplink would, and ack them, for ever.

        The host hears of an ack before the journal does: from then on it may prune.
        """
        while True:
            lane = self._random.choice((Lane.EVENTS, Lane.READINGS))
            state = self.journal.position(lane)
            if state.sealed > state.safe and self._random.random() < ACKS_PER_TURN:
                for segment in await self.journal.segments(
                    lane, state.safe + 1, state.sealed, limit=8, bytes_max=2**20
                ):
                    tell("A", lane, segment.first_seq, segment.last_seq, hash_of(segment))
                    self.journal.acked(lane, up_to(segment.last_seq), segment.last_seq)
            await asyncio.sleep(0)


def hash_of(segment: StoredSegment) -> str:
    """What the city knows a segment by."""
    return wire.sha256(segment.body).hex()[:16]


def up_to(seq: int) -> Ranges:
    """All seqs to `seq`."""
    return Ranges([(1, seq)] if seq else [])


class Found:
    """What a journal has, read the way the uplink reads it."""

    def __init__(self, journal: Journal) -> None:
        self.lines: dict[tuple[str, int], dict[int, str]] = {}  # Epoch and lane → seq → line.
        self.segments: dict[tuple[str, int, int, int], str] = {}
        self._journal = journal
        self._schemas: dict[bytes, tuple[Stream, ...]] = {}

    async def read(self) -> None:
        """Read everything it says it has, and what it has saved of damaged journals."""
        for lane in Lane:
            state = self._journal.position(lane)
            first = state.oldest
            while first <= state.sealed:
                stored = await self._journal.segments(
                    lane, first, state.sealed, limit=SEGMENTS_MAX, bytes_max=2**20
                )
                if not stored:
                    break
                for segment in stored:
                    await self._take(segment)
                first = stored[-1].last_seq + 1
        for epoch in self._journal.old_epochs:
            for segment in await self._journal.saved(epoch, limit=2**20, bytes_max=2**26):
                await self._take(segment)

    async def _take(self, stored: StoredSegment) -> None:
        segment = wire.decode_segment(stored.body)
        place = segment.epoch.hex(), int(segment.lane)
        self.segments[*place, stored.first_seq, stored.last_seq] = hash_of(stored)
        lines = self.lines.setdefault(place, {})
        if segment.lane is Lane.EVENTS:
            for event in wire.segment_events(segment):
                lines[event.seq] = event_line(event)
            return
        streams = await self._streams(segment.schema)
        for row in wire.segment_rows(segment):
            plain = row._replace(stream=-1)
            lines[row.seq] = reading_line(plain, streams[row.stream], segment.boot.hex())

    async def _streams(self, prefix: bytes) -> tuple[Stream, ...]:
        if prefix not in self._schemas:
            body = await self._journal.schema_of(prefix)
            self._schemas[prefix] = wire.decode_schema(body) if body else ()
        return self._schemas[prefix]


async def answer(journal: Journal, asked: str) -> None:
    """Answer each line of the host's questions, and say how much of the claimed is there."""
    if journal.position(Lane.READINGS).sealed < journal.seq:
        await journal.seal()  # Only segments can be read back.
    found = Found(journal)
    await found.read()
    for question in asked.splitlines():
        word, epoch, *rest = question.split()
        number, first, last = map(int, rest)
        if word == "H":
            lines = found.lines.get((epoch, number), {})
            kept = [lines[seq] for seq in range(first, last + 1) if seq in lines]
            tell("H", epoch, number, first, last, len(kept), digest(kept))
        elif word == "G":
            tell("G", epoch, number, first, last, found.segments.get((epoch, number, first, last)))
        elif word == "A" and epoch == journal.epoch.hex():
            safe = min(last, journal.position(Lane(number)).sealed)
            journal.acked(Lane(number), up_to(safe), safe)
    for lane in Lane:
        state = journal.position(lane)
        there = found.lines.get((journal.epoch.hex(), int(lane)), {})
        declared = Ranges()
        for lost in journal.lost:
            if (lost.epoch, lost.lane) == (journal.epoch, lane):
                declared.add(lost.first, lost.last)
        claimed = range(state.oldest, state.sealed + 1)
        bare = sum(seq not in there and not declared.covers(seq, seq) for seq in claimed)
        tell("V", int(lane), len(claimed), bare)


def plant(synchronous: str) -> None:
    """Open the journal with another setting: a fault that the host must find."""
    settings = vars(journal_file)
    settings["PRAGMAS"] = tuple(
        (name, synchronous.lower() if name == "synchronous" else value)
        for name, value in settings["PRAGMAS"]
    )


def condemn(folder: Path) -> None:
    """Have a sound journal set aside as a damaged one: salvage must then find all of it."""
    with (folder / CONDEMNED).open("w") as file:
        file.write("to be salvaged")
        file.flush()
        os.fsync(file.fileno())


def set_aside(folder: Path) -> bool:
    """Whether a journal is there that has not been salvaged."""
    return any(not (old / "done").exists() for old in (folder / DAMAGED).glob("[0-9]*"))


async def main() -> None:
    """Open the journal, answer, and go on until the power is cut."""
    tell("S")
    if os.environ.get("SYNCHRONOUS"):
        plant(os.environ["SYNCHRONOUS"])
    folder = Path(os.environ["POWERCUT_CARD"]) / "kiosk"
    if os.environ.get("POWERCUT_CONDEMN") and folder.exists():
        condemn(folder)
    old = os.environ.get("POWERCUT_OLD") and (folder / FILE).exists()
    with phase("upgrade") if old and take_back(folder / FILE) else nullcontext():
        journal = await Journal.open(folder, Clock(), Options(quota_bytes=QUOTA_BYTES))
    ready_ms = since_start_ms()
    lanes = [(lane, journal.position(lane)) for lane in Lane]
    stands = [f"{lane}:{state.next}:{state.oldest}" for lane, state in lanes]
    tell("R", ready_ms, journal.epoch.hex(), *stands)
    if journal.damage:
        tell("W", journal.damage)
    if set_aside(folder):
        with phase("salvage"):
            await journal._salvage()  # `keep` does it on the side; the answers must know of it.
    asked = Path(os.environ["POWERCUT_ASKED"])
    await answer(journal, await asyncio.to_thread(asked.read_text))
    used = [path.stat().st_size for path in folder.rglob("*") if DAMAGED not in path.parts]
    tell("U", sum(used))
    tell("K")
    for epoch, highest in journal.old_epochs.items():
        for lane in Lane:  # The city takes it all.
            await journal.acked_old(epoch, lane, up_to(highest.get(lane, 0)), Ranges())
    if os.environ.get("POWERCUT_LAST"):
        await journal.close()
        database = sqlite3.connect(folder / FILE)
        tell("Z", *database.execute("PRAGMA integrity_check").fetchone())
        database.close()
        return
    load = Load(journal, os.environ["POWERCUT_SEED"])
    async with asyncio.TaskGroup() as group:
        group.create_task(load.readings())
        group.create_task(load.events())
        group.create_task(load.city())


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
