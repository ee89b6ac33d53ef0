"""How fast a backlog leaves a kiosk: two real processes, receiver on SQLite."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from sync.clock import Clock
from sync.entry import Lane
from sync.identity import CITY_KEY, Identity, read_or_make_key
from sync.journal import Journal, Options
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.bench.figures import Beside, Figure
from tests.bench.processes import (
    HOST,
    cpu_s,
    forget_rss_peak,
    rss_bytes,
    rss_peak_bytes,
    stop,
)
from tests.bench.reference_day import DAY_MS, Arrival, reference_day
from tests.bench.replay import KIOSK, SEGMENT_MS, append, batches
from tests.enrolled import enrolled

GOAL_PER_S = 100_000.0
GOAL_RSS_MB = 20.0
READINGS = 2_000_000
PEER_READINGS_MAX = 200_000  # A rate does not need the whole backlog.
PEER_READ_MAX = 1000  # Messages at once, as its gateway is shipped.
MB = 1024 * 1024


async def measure() -> list[Figure]:
    """Fill a journal, then let a kiosk process that starts afresh send it to a city process."""
    readings = int(os.environ.get("BENCH_DRAIN", READINGS))
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        folder = Path(text)
        _child("fill", str(folder / "kiosk"), str(readings))
        await _introduce(folder / "kiosk", folder / "city")
        with city_process(folder / "city") as (pid, url):
            city_before_s = cpu_s(pid)
            drained = json.loads(_child("kiosk", str(folder / "kiosk"), url))
            city_cpu_s = cpu_s(pid) - city_before_s
        peer_per_s = _peer_per_s(folder, min(readings, PEER_READINGS_MAX))
    sent = int(drained["readings"])
    return [
        Figure(
            "drain_readings_per_s",
            sent / drained["wall_s"],
            "readings/s",
            GOAL_PER_S,
            "higher",
            (Beside("reading a ThingsBoard-like row store, alone (limit)", peer_per_s),),
            f"{sent:,} readings in {drained['wall_s']:.1f} s; CPU {drained['cpu_s']:.2f} s at the "
            f"kiosk, {city_cpu_s:.1f} s at the city",
        ),
        Figure(
            "drain_edge_rss_growth_mb",
            (drained["peak_bytes"] - drained["before_bytes"]) / MB,
            "MB",
            GOAL_RSS_MB,
            beside=(Beside("RSS of the kiosk process before, MB", drained["before_bytes"] / MB),),
        ),
    ]


# --- the two processes -----------------------------------------------------------------------


def _child(*words: str) -> str:
    """Run this file as a process of its own; what it printed."""
    command = [sys.executable, __file__, *words]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def city_process(folder: Path, database: str = "") -> Iterator[tuple[int, str]]:
    """The real receiver as a process of its own; its pid and its address."""
    process = subprocess.Popen(
        [sys.executable, __file__, "city", str(folder), database], stdout=subprocess.PIPE
    )
    try:
        if process.stdout is None:
            raise RuntimeError("the city has no stdout")
        yield process.pid, process.stdout.readline().decode().strip()
    finally:
        stop(process)
        if process.stdout is not None:
            process.stdout.close()


async def _introduce(kiosk: Path, city: Path) -> None:
    """Enter the kiosk at its city before the two run."""
    from sync.city.archive import Archive  # noqa: PLC0415  Not in the kiosk's RSS.

    archive = await Archive.open(city)
    try:
        await enrolled(archive, read_or_make_key(city / CITY_KEY), kiosk, KIOSK)
    finally:
        await archive.close()


async def _fill(folder: Path, readings: int) -> None:
    """A backlog of many reference days, one after the other, none of it sent."""
    journal = await Journal.open(folder, Clock(()), Options(quota_bytes=1 << 40))
    try:
        for batch in batches(_days(readings), SEGMENT_MS):
            append(journal, batch.arrivals)
            await journal.commit(seal=True)
    finally:
        await journal.close()


def _days(readings: int) -> Iterator[Arrival]:
    day = list(reference_day())
    for number in range(readings):
        days, place = divmod(number, len(day))
        arrival = day[place]
        yield arrival._replace(at_ms=arrival.at_ms + days * DAY_MS) if days else arrival


async def _serve_city(folder: Path, database: str) -> None:
    """The receiver on a free port, which is printed, until it is terminated."""
    from aiohttp import web  # noqa: PLC0415  Not in the kiosk's RSS.

    from sync.city.archive import Archive  # noqa: PLC0415  The same.
    from sync.city.receiver import make_app  # noqa: PLC0415  The same.

    archive = await Archive.open(folder, database)
    key = read_or_make_key(folder / CITY_KEY)
    runner = web.AppRunner(make_app(archive, key), access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    print(f"http://{HOST}:{runner.addresses[0][1]}", flush=True)  # noqa: T201  To the bench.
    await asyncio.Event().wait()


async def _drain(folder: Path, url: str) -> dict[str, Any]:
    """Open the journal and send everything; what that took of time, CPU and memory."""
    journal = await Journal.open(folder, Clock(()), Options(quota_bytes=1 << 40))
    try:
        options = UplinkOptions(city_url=url, kiosk=KIOSK)
        uplink = Uplink(journal, journal.clock, options, Identity(folder))
        readings = journal.pending()
        forget_rss_peak()
        before_bytes = rss_bytes(os.getpid())
        wall_s, spent_s = -time.perf_counter(), -time.process_time()
        await uplink.flush()
        wall_s, spent_s = wall_s + time.perf_counter(), spent_s + time.process_time()
        position = journal.position(Lane.READINGS)
        if journal.pending() or not position.got.covers(1, readings):
            raise RuntimeError(f"the city has {position.got!r} of {readings} readings")
        return {
            "readings": readings,
            "wall_s": wall_s,
            "cpu_s": spent_s,
            "before_bytes": before_bytes,
            "peak_bytes": rss_peak_bytes(os.getpid()),
        }
    finally:
        await journal.close()


# --- the peer --------------------------------------------------------------------------------


def _peer_per_s(folder: Path, readings: int) -> float:
    """Readings a second out of a store with a row of JSON for each message, and no more.

    Read by rowid, which is kinder than its gateway's own order by a column without an index;
    neither sent nor deleted.
    """
    with closing(sqlite3.connect(folder / "rows.db")) as database:
        database.execute("CREATE TABLE messages (timestamp INTEGER, message TEXT)")
        database.executemany("INSERT INTO messages VALUES (?, ?)", _messages(_days(readings)))
        database.commit()
        start = time.perf_counter()
        found = last = 0
        query = "SELECT rowid, message FROM messages WHERE rowid > ? ORDER BY rowid LIMIT ?"
        while rows := database.execute(query, (last, PEER_READ_MAX)).fetchall():
            last = rows[-1][0]
            found += sum(_values_in(message) for _, message in rows)
        spent_s = time.perf_counter() - start
    if found != readings:
        raise RuntimeError(f"{found} readings in the row store, not {readings}")
    return readings / spent_s


def _messages(arrivals: Iterable[Arrival]) -> Iterator[tuple[int, str]]:
    """One message for what one device said at once."""
    for (at_ms, sensor), group in groupby(arrivals, lambda arrival: arrival[:2]):
        values = {arrival.quantity: arrival.value for arrival in group}
        message = {
            "deviceName": sensor,
            "deviceType": "default",
            "telemetry": [{"ts": at_ms, "values": values}],
        }
        yield at_ms, json.dumps(message, separators=(",", ":"))


def _values_in(message: str) -> int:
    return sum(len(point["values"]) for point in json.loads(message)["telemetry"])


def main() -> None:
    """Be one of the processes of this figure."""
    logging.getLogger("sync").setLevel(logging.ERROR)  # That a city came online is no news here.
    part, folder = sys.argv[1], Path(sys.argv[2])
    if part == "fill":
        asyncio.run(_fill(folder, int(sys.argv[3])))
    elif part == "city":
        asyncio.run(_serve_city(folder, sys.argv[3]))
    else:
        print(json.dumps(asyncio.run(_drain(folder, sys.argv[3]))))  # noqa: T201  To the bench.


if __name__ == "__main__":
    main()
