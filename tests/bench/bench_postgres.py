"""How fast readings get into a city on PostgreSQL, and what that costs.

Two receivers, each a process of its own, share one real server on this machine's disk. Kiosks bring
a backlog in signed uploads, which are made beforehand. Beside it the same uploads into SQLite, and
what one row for each reading would cost at best: COPY of rows that are packed already.
"""

from __future__ import annotations

import asyncio
import itertools
import struct
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import NamedTuple

import aiohttp
import psycopg

from sync import wire, wire_pb2
from sync.city.archive import Archive
from sync.clock import Clock
from sync.entry import Lane
from sync.identity import CITY_KEY, Key, read_or_make_key
from sync.journal import Journal, Options
from tests.bench.bench_drain import city_process
from tests.bench.figures import Beside, Figure
from tests.bench.processes import cpu_s
from tests.bench.reference_day import Arrival, reference_day
from tests.bench.replay import append
from tests.enrolled import enrolled, signed
from tests.postgres import Cluster, cluster

GOAL_PER_S = 500_000.0
GOAL_CPU_MS = 1.0
ENTRIES = 500  # Of a segment.
SEGMENTS = 512  # Of each kiosk.
KIOSKS = 4
BACKLOG = 64  # Segments in one upload of a kiosk that was offline for long,
ALONE = 1  # and of one that brings its 10 minutes.
ALONE_SEGMENTS = 64  # Of each kiosk: these take longer.
RECEIVERS = 2
COPIED_READINGS = 1_000_000
PATH = "/v1/segments"
ROW_FORMAT = "!hiiiqidih"  # How many columns, then length and value of each.
COPY_HEAD = b"PGCOPY\n\xff\r\n\0" + bytes(8)
COPY_END = b"\xff\xff"


class Request(NamedTuple):
    """An upload as it goes over the wire."""

    body: bytes
    headers: dict[str, str]


class Taken(NamedTuple):
    """How a load was taken."""

    per_s: float  # Readings.
    cpu_ms: float  # Of all that is the city's, for a segment.


async def measure() -> list[Figure]:
    """The same load into both, and rows by COPY."""
    with tempfile.TemporaryDirectory(prefix="bench-") as text, ExitStack() as running:
        folder = Path(text)
        server = running.enter_context(_server(folder))
        bodies, schema = await _backlog(folder / "kiosk")
        taken: dict[tuple[bool, int], Taken] = {}
        for number, (on_postgres, each) in enumerate(
            itertools.product((False, True), (BACKLOG, ALONE))
        ):
            place = folder / f"city-{number}"
            address = server.database() if on_postgres else ""
            taken[on_postgres, each] = await _load(place, address, server, bodies, schema, each)
            if address and each == BACKLOG:
                name = address.partition("@/")[2].partition("?")[0]
                size = "SELECT pg_total_relation_size('segment')"
                stored = int(server.sql(size, name)) / (KIOSKS * SEGMENTS * ENTRIES)
        copied = await asyncio.to_thread(_copy, server)
    sent = sum(map(len, bodies)) / (SEGMENTS * ENTRIES)
    return _figures(taken, copied, stored, sent)


def _figures(
    taken: dict[tuple[bool, int], Taken], copied: Taken, stored: float, sent: float
) -> list[Figure]:
    best = taken[True, BACKLOG]
    beside = {
        "COPY of packed rows, one for each reading (limit)": copied,
        "the same uploads into SQLite, one receiver": taken[False, BACKLOG],
        "PostgreSQL, one segment in an upload": taken[True, ALONE],
        "SQLite, one segment in an upload": taken[False, ALONE],
    }
    note = f"{RECEIVERS} receivers, {KIOSKS} kiosks, {BACKLOG} segments of {ENTRIES} in an upload"
    return [
        Figure(
            "postgres_readings_per_s",
            best.per_s,
            "readings/s",
            GOAL_PER_S,
            "higher",
            tuple(Beside(name, found.per_s) for name, found in beside.items()),
            f"{note}; whoever sends them runs on the same cores",
        ),
        Figure(
            "postgres_cpu_ms_per_segment",
            best.cpu_ms,
            "ms/segment",
            GOAL_CPU_MS,
            beside=tuple(Beside(name, found.cpu_ms) for name, found in beside.items()),
            note="receivers with HTTP and signatures, and the server",
        ),
        Figure(
            "postgres_bytes_per_reading",
            stored,
            "B/reading",
            beside=(Beside("the segments themselves", sent),),
            note=f"table of segments with its indexes; {ENTRIES} in a segment, of which a kiosk's "
            "10 minutes have more",
        ),
    ]


# --- the load ----------------------------------------------------------------------------------


async def _backlog(folder: Path) -> tuple[list[bytes], bytes]:
    """Segments of a kiosk, and their dictionary. All kiosks of this bench have the same past."""
    journal = await Journal.open(folder, Clock(()), Options(quota_bytes=1 << 40))
    try:
        day = _days()
        for _ in range(SEGMENTS):
            append(journal, itertools.islice(day, ENTRIES))
            await journal.commit(seal=True)
        end = SEGMENTS * ENTRIES
        found = await journal.segments(Lane.READINGS, 1, end, limit=SEGMENTS, bytes_max=1 << 40)
        return [segment.body for segment in found], journal.schema()
    finally:
        await journal.close()


def _days() -> Iterator[Arrival]:
    day = list(reference_day())
    span_ms = day[-1].at_ms - day[0].at_ms + 10_000
    for number in itertools.count():
        for arrival in day:
            yield arrival._replace(at_ms=arrival.at_ms + number * span_ms)


async def _load(
    place: Path, address: str, server: Cluster, bodies: list[bytes], schema: bytes, each: int
) -> Taken:
    """Let kiosks bring what they have, as fast as it is taken."""
    count = SEGMENTS if each == BACKLOG else ALONE_SEGMENTS
    receivers = RECEIVERS if address else 1
    requests = await _introduce(_made(place), address, bodies[:count], schema, each)
    with ExitStack() as running:
        cities = []
        for number in range(receivers):
            folder = _made(place.with_name(f"{place.name}-{number}"))
            (folder / CITY_KEY).write_bytes((place / CITY_KEY).read_bytes())
            cities.append(
                running.enter_context(city_process(folder if address else place, address))
            )
        before_s = _spent_s(cities, server, address)
        start = time.perf_counter()
        async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
            for number, mine in enumerate(requests):
                url = cities[number % receivers][1] + PATH
                group.create_task(_send(session, url, mine))
        wall_s = time.perf_counter() - start
        spent_s = _spent_s(cities, server, address) - before_s
    segments = KIOSKS * count
    return Taken(segments * ENTRIES / wall_s, spent_s / segments * 1000)


def _made(folder: Path) -> Path:
    folder.mkdir()
    return folder


@contextmanager
def _server(folder: Path) -> Iterator[Cluster]:
    """A server on this machine's disk; it is another user where we are root."""
    folder.chmod(0o711)
    with cluster(folder) as server:
        yield server


async def _introduce(
    place: Path, address: str, bodies: Sequence[bytes], schema: bytes, each: int
) -> list[list[Request]]:
    """Enrol the kiosks; what each of them will send."""
    archive = await Archive.open(place, address)
    key = read_or_make_key(place / CITY_KEY)
    made = []
    for number in range(KIOSKS):
        kiosk = f"kiosk-{number}"
        identity = await enrolled(archive, key, place.with_name(f"{place.name}-{kiosk}"), kiosk)
        await archive.put_schema(kiosk, wire.sha256(schema), schema)
        made.append(
            [
                _request(identity.key(), wire_pb2.Upload(kiosk=kiosk, segments=some))
                for some in (bodies[first : first + each] for first in range(0, len(bodies), each))
            ]
        )
    await archive.close()
    return made


def _request(key: Key, upload: wire_pb2.Upload) -> Request:
    body = upload.SerializeToString()
    return Request(body, signed(key, "POST", PATH, body))


async def _send(session: aiohttp.ClientSession, url: str, requests: list[Request]) -> None:
    for request in requests:
        async with session.post(url, data=request.body, headers=request.headers) as answer:
            if answer.status != 200:
                raise RuntimeError(f"{answer.status} {await answer.text()}")
            await answer.read()


def _spent_s(cities: list[tuple[int, str]], server: Cluster, address: str) -> float:
    spent_s = sum(cpu_s(pid) for pid, _ in cities)
    return spent_s + server.cpu_s() if address else spent_s


# --- rows --------------------------------------------------------------------------------------


def _copy(server: Cluster) -> Taken:
    """One row for each reading, as fast as the server takes them: packed beforehand, no index."""
    address = server.database()
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "CREATE TABLE reading (stream int4, at_ms int8, value float8, quality int2)"
        )
    rows = b"".join(_row(number) for number in range(ENTRIES * BACKLOG))
    packed = COPY_HEAD + rows + COPY_END
    times = COPIED_READINGS // (ENTRIES * BACKLOG * RECEIVERS)
    writers = [
        threading.Thread(target=_write, args=(address, packed, times)) for _ in range(RECEIVERS)
    ]
    before_s, start = server.cpu_s() + time.process_time(), time.perf_counter()
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    wall_s = time.perf_counter() - start
    spent_s = server.cpu_s() + time.process_time() - before_s
    readings = times * RECEIVERS * ENTRIES * BACKLOG
    return Taken(readings / wall_s, spent_s / readings * ENTRIES * 1000)


def _row(number: int) -> bytes:
    stream, at_ms, value, quality = number % 12, number * 1000, number / 7, 0
    return struct.pack(ROW_FORMAT, 4, 4, stream, 8, at_ms, 8, value, 2, quality)


def _write(address: str, packed: bytes, times: int) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(times):
            with (
                connection.cursor() as cursor,
                cursor.copy("COPY reading FROM STDIN (FORMAT binary)") as copy,
            ):
                copy.write(packed)
