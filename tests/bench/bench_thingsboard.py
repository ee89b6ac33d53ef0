"""ThingsBoard gateway's own storage classes beside our journal, under the same load.

They live in a venv of their own, build/peer-venv, that `make bench` makes: their dependencies
never meet ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from drivers.reading import Reading
from sync.clock import Clock
from sync.entry import Lane
from sync.identity import CITY_KEY, read_or_make_key
from sync.journal import Journal, Options
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.bench import bench_card
from tests.bench.bench_card import Card, NoCardError
from tests.bench.figures import Beside, Figure
from tests.bench.reference_day import Arrival, reference_day
from tests.bench.replay import KIOSK, city, ram_folder
from tests.enrolled import enrolled

PYTHON = Path(__file__).resolve().parents[2] / "build" / "peer-venv" / "bin" / "python"
PEER = Path(__file__).with_name("peer_thingsboard.py")
KINDS = ("memory", "file", "sqlite")  # The first is what its tb_gateway.json ships with.
KILLS = 4
RATE_PER_S = 200.0
KILL_AFTER_S = (1.5, 2.5)
COMMIT_S = 0.5  # So that something is acknowledged before a kill; 30 as shipped.
BACKLOG = 35_000
CARD_HOURS = 4.0
PEER_BEATS = 90  # Its thread takes 0.4 s for one, so it gets a quarter of an hour of the day.
BEAT_MS = 10_000
WAIT_MAX_S = 300
GOAL_CARD = 400.0


async def measure() -> list[Figure]:
    """Kills, a backlog, and bytes; without the peer, ours alone and the reason."""
    missing = _missing()
    kinds = () if missing else KINDS
    return [_kills(kinds, missing), await _backlog(kinds, missing), await _card(kinds, missing)]


def _missing() -> str:
    """Why the peer cannot be measured; empty where it can."""
    if not PYTHON.exists():
        return f"no peer: there is no {PYTHON}; `make bench` makes it"
    check = [str(PYTHON), "-c", "import thingsboard_gateway.storage.sqlite.sqlite_event_storage"]
    done = subprocess.run(check, capture_output=True, text=True, check=False, timeout=WAIT_MAX_S)
    return f"no peer: {done.stderr.strip().splitlines()[-1]}" if done.returncode else ""


def _version() -> str:
    ask = "import importlib.metadata as m; print(m.version('thingsboard-gateway'))"
    return _output([str(PYTHON), "-c", ask]).strip()


def _note(text: str, missing: str) -> str:
    return f"{text}; {missing}" if missing else f"{text}; thingsboard-gateway {_version()}"


def _output(command: list[str]) -> str:
    done = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True, timeout=WAIT_MAX_S
    )
    return done.stdout


def _peer(part: str, kind: str, folder: Path, *more: str, settings: str = "shipped") -> list[str]:
    return [str(PYTHON), str(PEER), part, kind, settings, str(folder), *more]


# --- kill -9 ---------------------------------------------------------------------------------


def _kills(kinds: tuple[str, ...], missing: str) -> Figure:
    """Readings that a storage had acknowledged, and that are gone after a kill."""
    chance = random.Random(9)  # noqa: S311  The same moments for all.
    waits_s = [chance.uniform(*KILL_AFTER_S) for _ in range(KILLS)]
    lost: dict[str, int] = dict.fromkeys(("ours", *kinds), 0)
    acked: dict[str, int] = dict.fromkeys(lost, 0)
    untaken = 0
    for wait_s in waits_s:
        for name in lost:
            with tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()) as text:
                folder = Path(text) / "store"
                if name == "ours":
                    told = _killed([sys.executable, __file__, "put", str(folder)], wait_s)
                    found = int(_output([sys.executable, __file__, "count", str(folder)]))
                    untaken += told[1] - told[0]
                else:
                    told = _killed(_peer("put", name, folder, str(RATE_PER_S)), wait_s)
                    found = int(_output(_peer("read", name, folder)))
                acked[name] += told[0]
                lost[name] += max(0, told[0] - found)
    return Figure(
        "lost_at_kill9_readings",
        lost["ours"],
        "readings",
        0.0,
        beside=(
            *(Beside(f"{name} storage, of {acked[name]:,} acked", lost[name]) for name in kinds),
            Beside("ours, taken in and not yet acked", untaken),
            Beside("ours, acked", acked["ours"]),
        ),
        note=_note(
            f"{KILLS} kills at {RATE_PER_S:.0f} readings/s; its storages ack when put() says True, "
            f"ours with the commit, here every {COMMIT_S:g} s and as shipped every 30 s. What is "
            "not acked yet goes with a kill, too, and is named here",
            missing,
        ),
    )


def _killed(command: list[str], wait_s: float) -> tuple[int, int]:
    """Run until the power goes, so to say; the last two numbers it told."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    with process:
        if process.stdout is None:
            raise RuntimeError("the storage has no stdout")
        process.stdout.readline()  # It has begun.
        time.sleep(wait_s)
        process.send_signal(signal.SIGKILL)
        lines = process.stdout.read().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    numbers = [int(word) for word in whole[-1].split()]
    return numbers[0], numbers[-1]


async def _put(folder: Path) -> None:
    """Append readings at a pace, for ever; say how many are acked and how many were taken in."""
    journal = await Journal.open(folder, Clock(()), Options(commit_s=COMMIT_S))

    async def append() -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        for number in range(1, sys.maxsize):
            reading = Reading("water_level", 2.417, "m")
            journal.append("pier", [reading], number, simulated=False, decimals={"water_level": 3})
            position = journal.position(Lane.READINGS)
            print(position.committed, position.next - 1, flush=True)  # noqa: T201  To the bench.
            await asyncio.sleep(max(0.0, started_s + number / RATE_PER_S - loop.time()))

    async with asyncio.TaskGroup() as group:
        group.create_task(journal.keep())
        group.create_task(append())


async def _count(folder: Path) -> None:
    """How many readings are there after a start."""
    journal = await Journal.open(folder, Clock(()))
    try:
        print(journal.pending())  # noqa: T201  To the bench.
    finally:
        await journal.close()


# --- a backlog -------------------------------------------------------------------------------


async def _backlog(kinds: tuple[str, ...], missing: str) -> Figure:
    """What of a backlog arrives with the settings that each is shipped with."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()) as text:
        folder = Path(text)
        delivered = await _deliver(folder)
        besides = []
        for kind in kinds:
            command = _peer("backlog", kind, folder / kind, str(BACKLOG))
            found = json.loads(_output(command))
            besides.append(Beside(f"{kind} storage ({found['taken']:,} acked)", found["delivered"]))
            if kind == "file":
                command = _peer("backlog", kind, folder / "class", str(BACKLOG), settings="class")
                found = json.loads(_output(command))
                besides.append(
                    Beside(
                        f"the same without settings ({found['taken']:,} acked)", found["delivered"]
                    )
                )
        if kinds:
            command = _peer("put", "memory", folder / "again", str(BACKLOG))
            acked, _ = _killed(command, 2.0)
            found_again = int(_output(_peer("read", "memory", folder / "again")))
            besides.append(Beside(f"memory storage after a kill ({acked:,} acked)", found_again))
    return Figure(
        "delivered_of_35000",
        delivered,
        "readings",
        float(BACKLOG),
        "higher",
        tuple(besides),
        _note(
            "put while offline, one reading each, then delivered; storage types by the settings "
            "in its tb_gateway.json, of which memory is the one that is switched on",
            missing,
        ),
    )


async def _deliver(folder: Path) -> int:
    journal = await Journal.open(folder / "kiosk", Clock(()), Options())
    try:
        for number in range(BACKLOG):
            reading = Reading("water_level", 2.417, "m")
            at_ms = number * 1000
            journal.append("pier", [reading], at_ms, simulated=False, decimals={"water_level": 3})
            if number % 1000 == 0:
                await journal.seal()
        await journal.seal()
        async with city(folder / "city") as (url, archive, _):
            key = read_or_make_key(folder / "city" / CITY_KEY)
            identity = await enrolled(archive, key, folder / "kiosk", KIOSK)
            await Uplink(journal, journal.clock, UplinkOptions(url, KIOSK), identity).flush()
            (found,) = [
                lane["entries"]
                for kiosk in await archive.fleet()
                for lane in kiosk["lanes"]
                if lane["lane"] == "readings"
            ]
            return int(found)
    finally:
        await journal.close()


# --- bytes -----------------------------------------------------------------------------------


async def _card(kinds: tuple[str, ...], missing: str) -> Figure:
    """Bytes to the block device for each reading of the reference day, delivered as they come."""
    day = list(reference_day(hours=CARD_HOURS))
    kinds = tuple(kind for kind in kinds if kind != "memory")
    try:
        with bench_card.card(bench_card.LAZY) as where:
            journal = await bench_card.write_journal(day, where)
            besides = [_peer_bytes(kind, day, where) for kind in kinds]
    except NoCardError as error:
        missing = f"{missing}; {error}" if missing else str(error)
        with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as text:
            where = Card(Path(text), bench_card._process_bytes)
            journal = await bench_card.write_journal(day, where)
            besides = []
        missing += "; so by write_bytes of our process, and the peer, which is another, not at all"
    return Figure(
        "stored_bytes_per_reading",
        journal.bytes / len(day),
        "B/reading",
        GOAL_CARD,
        beside=tuple(besides),
        note=_note(
            f"to an ext4 card: ours {CARD_HOURS:g} h of the reference day from its opening on, its "
            f"storages {PEER_BEATS * BEAT_MS / 60_000:g} min of it after theirs, each beat stored, "
            "delivered and deleted. Its file storage never syncs: here the kernel writes once what "
            "in 15 minutes it would write many times",
            missing,
        ),
    )


def _peer_bytes(kind: str, day: list[Arrival], where: Card) -> Beside:
    process = subprocess.Popen(
        _peer("beats", kind, where.folder / kind),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process, contextlib.ExitStack() as stack:
        stack.callback(process.kill)
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the storage has no pipes")
        if process.stdout.readline() != "ready\n":
            raise RuntimeError(f"{kind} storage does not start")
        bench_card.sync(where)
        before = where.written_bytes()
        readings = 0
        for arrivals in _beats(day):
            readings += len(arrivals)
            process.stdin.write(json.dumps(_messages(arrivals)) + "\n")
        process.stdin.close()
        if process.stdout.readline() != "done\n":
            raise RuntimeError(f"{kind} storage did not come to its end")
        bench_card.sync(where)
        return Beside(f"{kind} storage", (where.written_bytes() - before) / readings)


def _beats(day: list[Arrival]) -> Iterator[list[Arrival]]:
    """The first beats of a day, each with all that came in it."""
    groups = groupby(day, lambda arrival: arrival.at_ms // BEAT_MS)
    for _, (_, group) in zip(range(PEER_BEATS), groups, strict=False):
        yield list(group)


def _messages(arrivals: list[Arrival]) -> list[dict[str, Any]]:
    """One message for what one device said at once, as its converters make them."""
    return [
        {
            "deviceName": sensor,
            "deviceType": "default",
            "telemetry": [{"ts": at_ms, "values": {each.quantity: each.value for each in group}}],
        }
        for (at_ms, sensor), group in groupby(arrivals, lambda arrival: arrival[:2])
    ]


def main() -> None:
    """Be one of the processes of these figures."""
    logging.getLogger("sync").setLevel(logging.ERROR)
    asyncio.run({"put": _put, "count": _count}[sys.argv[1]](Path(sys.argv[2])))


if __name__ == "__main__":
    main()
