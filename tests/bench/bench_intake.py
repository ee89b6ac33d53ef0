"""CPU per reading of durable intake, beside raw sqlite3 and peewee with the same pragmas."""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import groupby, islice
from pathlib import Path

from peewee import AutoField, FloatField, IntegerField, Model, SqliteDatabase, TextField

from drivers.reading import Reading
from sync.journal import Journal
from sync.journal_tables import PRAGMAS
from tests.bench.figures import Beside, Figure
from tests.bench.reference_day import Arrival, reference_day
from tests.bench.replay import DayClock

GOAL_US = 10.0
PER_COMMIT = 60
PER_SEGMENT = 840  # What the reference day brings in 10 minutes.
READINGS = 30_000
ROUNDS = 5

Writer = Callable[[list[list[Arrival]], Path], Awaitable[float]]


async def measure() -> list[Figure]:
    """Process CPU, all threads; in turns. The least counts: a busy machine can only add to it."""
    day = list(islice(reference_day(), READINGS))
    commits = [day[first : first + PER_COMMIT] for first in range(0, len(day), PER_COMMIT)]
    writers: dict[str, Writer] = {
        "journal": _journal,
        "sealed": _journal_sealed,
        "raw sqlite3 executemany, a row each": _raw,
        "peewee insert_many, a row each": _peewee,
    }
    found: dict[str, list[float]] = {name: [] for name in writers}
    for _ in range(ROUNDS):
        for name, write in writers.items():
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                found[name].append(await write(commits, Path(folder)) * 1e6 / len(day))
    us = {name: min(values) for name, values in found.items()}
    journal, sealed = us.pop("journal"), us.pop("sealed")
    peers = tuple(Beside(name, value) for name, value in us.items())
    note = f"{PER_COMMIT} readings to a commit; process CPU, least of {ROUNDS} turns"
    return [
        Figure("intake_cpu_us_per_reading", journal, "us", GOAL_US, beside=peers, note=note),
        Figure(
            "intake_cpu_us_per_reading_sealed",
            sealed,
            "us",
            beside=peers,
            note=f"the same, and a segment packed of every {PER_SEGMENT} readings",
        ),
    ]


async def _journal(commits: list[list[Arrival]], folder: Path) -> float:
    return await _intake(commits, folder, per_segment=len(commits) + 1)


async def _journal_sealed(commits: list[list[Arrival]], folder: Path) -> float:
    return await _intake(commits, folder, per_segment=PER_SEGMENT // PER_COMMIT)


async def _intake(commits: list[list[Arrival]], folder: Path, *, per_segment: int) -> float:
    """CPU seconds of append and commit, a seal with every `per_segment`-th."""
    read = [list(_as_read(arrivals)) for arrivals in commits]
    decimals = {arrival.quantity: arrival.decimals for arrivals in commits for arrival in arrivals}
    journal = await Journal.open(folder, DayClock().clock)
    try:
        start = time.process_time()
        for number, groups in enumerate(read, start=1):
            for sensor, at_ms, readings in groups:
                journal.append(sensor, readings, at_ms, simulated=False, decimals=decimals)
            await journal.commit(seal=number % per_segment == 0)
        return time.process_time() - start
    finally:
        await journal.close()


def _as_read(arrivals: Sequence[Arrival]) -> Iterator[tuple[str, int, list[Reading]]]:
    """What one sensor reads at once, as the sampler has it from the driver."""
    for (at_ms, sensor), group in groupby(arrivals, lambda arrival: arrival[:2]):
        yield sensor, at_ms, [Reading(found.quantity, found.value, found.unit) for found in group]


async def _raw(commits: list[list[Arrival]], folder: Path) -> float:
    database = sqlite3.connect(folder / "rows.db", isolation_level=None)
    for name, value in PRAGMAS:
        database.execute(f"PRAGMA {name} = {value}")
    database.execute(
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER, "
        "sensor TEXT, quantity TEXT, value REAL, unit TEXT) STRICT"
    )
    insert = "INSERT INTO entry (at_ms, sensor, quantity, value, unit) VALUES (?, ?, ?, ?, ?)"
    rows = [[arrival[:5] for arrival in arrivals] for arrivals in commits]
    start = time.process_time()
    for batch in rows:
        database.execute("BEGIN IMMEDIATE")
        database.executemany(insert, batch)
        database.execute("COMMIT")
    spent = time.process_time() - start
    database.close()
    return spent


async def _peewee(commits: list[list[Arrival]], folder: Path) -> float:
    database = SqliteDatabase(
        str(folder / "rows.db"), pragmas=PRAGMAS, lock_type="IMMEDIATE", thread_safe=False
    )

    class Row(Model):
        seq = AutoField()
        at_ms = IntegerField()
        sensor = TextField()
        quantity = TextField()
        value = FloatField()
        unit = TextField()

        class Meta:
            strict_tables = True

    fields = [Row.at_ms, Row.sensor, Row.quantity, Row.value, Row.unit]
    rows = [[arrival[:5] for arrival in arrivals] for arrivals in commits]
    with database.bind_ctx([Row]):
        database.connect()
        database.create_tables([Row])
        start = time.process_time()
        for batch in rows:
            with database.atomic():
                Row.insert_many(batch, fields=fields).execute()
        spent = time.process_time() - start
        database.close()
    return spent
