"""Two things that happen to a town: one kiosk comes back over a bad link, and all come at once."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any, NamedTuple

from drivers.reading import Reading
from sync import wire
from sync.entry import Lane
from tests.bench.replay import ram_folder
from tests.sim.town import SLOW, Kiosk, Line, Town, live, until

LIVE_STREAM = ("square", "people", "/min")  # One of the reference day's.
MIDDLE_S = 12.0  # When somebody complains while the backlog is on its way.
GOOD = Line(10e6, 0.0, 0.1)
TAKE_S = 0.05  # What a slow city needs for an upload,
SEGMENT_S = 0.02  # and for each segment in it.


class Came(NamedTuple):
    """One upload that the city has stored."""

    after_s: float
    segments: list[wire.Segment]

    def has(self, lane: Lane, seq: int) -> bool:
        """Whether an entry came with it."""
        return any(
            segment.lane is lane and segment.first_seq <= seq <= segment.last_seq
            for segment in self.segments
        )


class Return(NamedTuple):
    """How one kiosk came back after a long absence."""

    live_value_s: float  # Until the city had what was measured when the link came.
    complaint_uploads: int  # How many uploads it took until an old complaint was there.
    late_complaint_s: float  # Until one that was made amid the backlog was there,
    late_complaint_uploads: int  # and how many uploads came before it, with it.
    backlog_s: float
    uploads: int
    missing: int


def come_back(card: Path, seed: int, *, line: Line = SLOW, has_time: bool = True) -> Return:
    """Let a kiosk with this card come back over a line to a city that knows it."""
    with tempfile.TemporaryDirectory(prefix="town-", dir=ram_folder()) as folder:
        town = Town(Path(folder), seed, line)
        found: list[Return] = []

        async def story() -> None:
            await town.open(1, card, has_time=has_time)
            found.append(await _come_back(town, town.kiosks[0]))
            await town.close()

        live(town, story, seed)
        return found[0]


async def _come_back(town: Town, kiosk: Kiosk) -> Return:
    journal = kiosk.journal
    schema = journal.schema()
    await town.archive.put_schema(kiosk.name, wire.sha256(schema), schema)
    measure(kiosk)
    complaint = journal.position(Lane.EVENTS).next - 1
    came = watch(town)
    start_s = town.loop.time()
    late: list[tuple[float, int]] = []

    async def complain() -> None:
        await until(lambda: town.loop.time() - start_s >= MIDDLE_S)
        seq = await journal.event("complaint", {"text": "still broken"})
        late.append((town.loop.time() - start_s, seq))

    async with asyncio.TaskGroup() as group:
        group.create_task(complain())
        group.create_task(kiosk.bring_home())
    backlog_s = town.loop.time() - start_s
    ((made_s, seq),) = late
    came_late = next(each for each in came if each.has(Lane.EVENTS, seq))
    came_early = next(each for each in came if each.has(Lane.EVENTS, complaint))
    live_value = next(each for each in came if each.has(Lane.READINGS, journal.seq))
    between = [each for each in came if made_s <= each.after_s <= came_late.after_s]
    got = await town.entries_of(Lane.READINGS)
    (ranges,) = got.values()
    return Return(
        live_value.after_s,
        came.index(came_early) + 1,
        came_late.after_s - made_s,
        len(between),
        backlog_s,
        len(came),
        journal.seq - sum(last - first + 1 for first, last in ranges),
    )


def measure(kiosk: Kiosk) -> None:
    """Measure something now."""
    sensor, quantity, unit = LIVE_STREAM
    at_ms = kiosk.journal.clock.boottime_ms()
    reading = Reading(quantity, 7, unit)
    kiosk.journal.append(sensor, [reading], at_ms, simulated=False, decimals={quantity: 0})


def watch(town: Town) -> list[Came]:
    """From now on, every upload that the city stores."""
    came: list[Came] = []
    start_s = town.loop.time()
    take = town.archive.take

    async def watched(upload: Any) -> Any:
        taken = await take(upload)
        segments = [wire.decode_segment(body) for body in upload.segments]
        came.append(Came(town.loop.time() - start_s, segments))
        return taken

    town.archive.take = watched  # type: ignore[method-assign]  # What it does is unchanged.
    return came


class Herd(NamedTuple):
    """How many kiosks came back at once to a slow city."""

    drained_s: float
    ideal_s: float  # What the city needed for the uploads alone, without a pause.
    refused: int
    complaints_s: float  # Until it had the complaint of every one of them.
    missing: int


def all_come_back(card: Path, kiosks: int, seed: int = 0) -> Herd:
    """Let kiosks, each with a copy of this card, come back at the same moment."""
    with tempfile.TemporaryDirectory(prefix="town-", dir=ram_folder()) as folder:
        town = Town(Path(folder), seed, GOOD)
        town.take_s = lambda segments: TAKE_S + SEGMENT_S * segments
        found: list[Herd] = []

        async def story() -> None:
            await town.open(kiosks, card)
            found.append(await _all_come_back(town))
            await town.close()

        live(town, story, seed)
        return found[0]


async def _all_come_back(town: Town) -> Herd:
    came = watch(town)
    start_s = town.loop.time()
    for kiosk in town.kiosks:
        measure(kiosk)
    async with asyncio.TaskGroup() as group:
        for kiosk in town.kiosks:
            group.create_task(kiosk.bring_home())
    drained_s = town.loop.time() - start_s
    complaints = [each.after_s for each in came if each.has(Lane.EVENTS, 1)]
    missing = 0
    for lane in (Lane.READINGS, Lane.EVENTS):
        got = await town.entries_of(lane)
        for kiosk in town.kiosks:
            there = sum(last - first + 1 for first, last in got.get(kiosk.name, []))
            missing += kiosk.journal.position(lane).next - 1 - there
    return Herd(drained_s, town.worked_s, town.refused, complaints[-1], missing)
