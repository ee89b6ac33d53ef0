"""The reference day through the real journal, uplink and receiver, as fast as it goes.

Everything that happens by the clock happens by the day's own: a commit every 30 s, a segment
every 10 minutes, an anchor every hour.
"""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web

from drivers.reading import Reading
from sync import wire
from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.clock import Clock
from sync.entry import Entry, Lane
from sync.identity import CITY_KEY, read_or_make_key
from sync.journal import Journal, Options
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.bench.reference_day import BASE_MS, Arrival
from tests.enrolled import enrolled

COMMIT_MS = 30_000
SEGMENT_MS = 600_000
KIOSK = "bench-1"
BOOT = "5e" * 16
UTC_AT_BOOT_MS = 1_800_000_000_000
NTP_ERROR_MS = 12
LISTED = 256
SHM = Path("/dev/shm")  # noqa: S108  The folders in it are made by tempfile.
SHM_FREE_BYTES_MIN = 512 * 1024 * 1024
UPLOAD_PATH = "/v1/segments"
OK = 200


class ReplayError(Exception):
    """What came out at the city is not what went in."""


class Batch(NamedTuple):
    """What one commit takes: the arrivals of 30 s, and when those were over."""

    end_ms: int
    arrivals: list[Arrival]

    @property
    def seals(self) -> bool:
        """Whether 10 minutes are full."""
        return (self.end_ms - BASE_MS) % SEGMENT_MS == 0


class Replayed(NamedTuple):
    """What the city got, and what that cost."""

    readings: int
    uploads: int
    upload_bytes: int  # Whole bodies, also of what was refused.
    refused_bytes: int  # The first upload, sent again when the city had asked for the schema.
    segments: list[bytes]
    kept: int  # Readings still in the journal: pruning has taken the others.


class DayClock:
    """The clock of a day that passes as fast as the bench can go."""

    def __init__(self) -> None:
        self.now_ms = BASE_MS
        self.clock = Clock(
            ("ntp",),
            boot=BOOT,
            boottime_ms=lambda: self.now_ms,
            wall_ms=lambda: UTC_AT_BOOT_MS + self.now_ms,
            ntp_error_ms=lambda: NTP_ERROR_MS,
        )


def ram_folder() -> Path | None:
    """Where files go whose speed does not matter: RAM if there is room, or the usual place."""
    if SHM.is_dir() and shutil.disk_usage(SHM).free >= SHM_FREE_BYTES_MIN:
        return SHM
    return None


def batches(day: Iterable[Arrival], period_ms: int = COMMIT_MS) -> Iterator[Batch]:
    """Cut a day into what each commit takes."""
    for number, arrivals in groupby(day, lambda arrival: (arrival.at_ms - BASE_MS) // period_ms):
        yield Batch(BASE_MS + (number + 1) * period_ms, list(arrivals))


def append(journal: Journal, arrivals: Iterable[Arrival]) -> None:
    """Hand arrivals to the journal as the sampler does: what one sensor read at once."""
    for (at_ms, sensor), group in groupby(arrivals, lambda arrival: arrival[:2]):
        read = list(group)
        journal.append(
            sensor,
            [Reading(arrival.quantity, arrival.value, arrival.unit) for arrival in read],
            at_ms,
            simulated=False,
            decimals={arrival.quantity: arrival.decimals for arrival in read},
        )


async def replay(
    day: Sequence[Arrival],
    kiosk_folder: Path,
    city_folder: Path,
    *,
    quota_bytes: int = 64 * 1024 * 1024,
    after_commit: Callable[[], None] | None = None,
) -> Replayed:
    """Send a day to a city over loopback. Raises `ReplayError` unless all of it arrives equal."""
    options = Options(
        commit_s=COMMIT_MS / 1000, segment_s=SEGMENT_MS / 1000, quota_bytes=quota_bytes
    )
    day_clock = DayClock()
    journal = await Journal.open(kiosk_folder, day_clock.clock, options)
    try:
        async with city(city_folder) as (url, archive, traffic):
            city_key = read_or_make_key(city_folder / CITY_KEY)
            identity = await enrolled(archive, city_key, kiosk_folder, KIOSK)
            options_at = UplinkOptions(city_url=url, kiosk=KIOSK)
            uplink = Uplink(journal, journal.clock, options_at, identity)
            await _live(day, journal, day_clock, uplink.flush, after_commit)
            position = journal.position(Lane.READINGS)
            segments = await stored(archive, journal.epoch)
            await _check_equal(archive, segments, day)
            return Replayed(
                len(day),
                traffic.uploads,
                traffic.upload_bytes,
                traffic.refused_bytes,
                segments,
                position.sealed - position.oldest + 1,
            )
    finally:
        await journal.close()


async def _live(
    day: Iterable[Arrival],
    journal: Journal,
    day_clock: DayClock,
    send: Callable[[], Awaitable[None]],
    after_commit: Callable[[], None] | None,
) -> None:
    for batch in batches(day):
        anchor = day_clock.clock.poll()
        if anchor is not None:
            journal.add_anchor(anchor)
        append(journal, batch.arrivals)
        day_clock.now_ms = batch.end_ms
        await journal.commit(seal=batch.seals)
        if batch.seals:
            await send()
        if after_commit is not None:
            after_commit()
    await journal.seal()
    await send()


class Traffic:
    """What came to POST /v1/segments."""

    def __init__(self) -> None:
        self.uploads = 0
        self.upload_bytes = 0
        self.refused_bytes = 0

    def counter(self) -> Any:
        """The middleware that counts whole bodies."""

        @web.middleware
        async def count(request: web.Request, handler: Any) -> web.StreamResponse:
            response: web.StreamResponse = await handler(request)
            if request.path == UPLOAD_PATH:
                body_bytes = len(await request.read())
                self.uploads += 1
                self.upload_bytes += body_bytes
                self.refused_bytes += 0 if response.status == OK else body_bytes
            return response

        return count


@asynccontextmanager
async def city(folder: Path) -> AsyncIterator[tuple[str, Archive, Traffic]]:
    """A real receiver on loopback: its address, its archive, and what came to it."""
    archive = await Archive.open(folder)
    traffic = Traffic()
    try:
        app = make_app(archive, read_or_make_key(folder / CITY_KEY))
        app.middlewares.append(traffic.counter())
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            host, port = runner.addresses[0][:2]
            yield f"http://{host}:{port}", archive, traffic
        finally:
            await runner.cleanup()
    finally:
        await archive.close()


async def stored(archive: Archive, epoch: bytes) -> list[bytes]:
    """Every segment of readings that the city has, oldest first."""
    found: list[bytes] = []
    after = 0
    while page := await archive.segments(KIOSK, Lane.READINGS, epoch, after, LISTED):
        found.extend(page)
        after = wire.decode_segment(page[-1]).first_seq
    return found


async def _check_equal(archive: Archive, segments: list[bytes], day: Sequence[Arrival]) -> None:
    entries: list[Entry] = []
    for body in segments:
        segment = wire.decode_segment(body)
        schema = await archive.schema(KIOSK, segment.schema)
        if schema is None:
            raise ReplayError(f"the city has no schema {segment.schema.hex()}")
        entries.extend(wire.segment_entries(segment, wire.decode_schema(schema)))
    if len(entries) != len(day):
        raise ReplayError(f"{len(entries)} readings at the city, {len(day)} in the day")
    for seq, (entry, arrival) in enumerate(zip(entries, day, strict=True), start=1):
        stream = entry.stream
        came = (entry.seq, entry.boot, entry.quality, entry.at_ms, stream.sensor, stream.quantity)
        went = (seq, BOOT, "ok", arrival.at_ms, arrival.sensor, arrival.quantity)
        told = (entry.value, stream.unit, stream.decimals)
        if came != went or told != (arrival.value, arrival.unit, arrival.decimals):
            raise ReplayError(f"{arrival!r} came to the city as {entry!r}")
