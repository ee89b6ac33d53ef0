"""How long the kiosk's pages take to answer while the card stalls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from http.client import HTTPConnection
from itertools import cycle
from pathlib import Path
from statistics import quantiles
from typing import Any

from aiohttp import web

from kiosk_ui.app import make_app
from kiosk_ui.content import load_pack
from kiosk_ui.place import KioskPlace
from sync.journal import Journal
from tests.bench.figures import Beside, Figure
from tests.bench.processes import HOST
from tests.bench.reference_day import reference_day
from tests.bench.replay import Batch, DayClock, append, batches

GOAL_RATIO = 2.0
ROUNDS = 3
ROUND_S = 4.0
PATHS = ("/", "/api/now")
SHORT_STALL_S = 0.020  # A card that is busy with itself answers each fsync like this,
LONG_STALL_S = 0.600  # and now and then like that, while it tidies up.
LONG_EVERY = 25
P99 = 98  # Of the 99 cuts that `quantiles` makes.


async def measure() -> list[Figure]:
    """One client asks without a pause; nobody, the journal, or a journal in the loop writes."""
    quiet, threaded = [], []
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        journal = await Journal.open(Path(folder), DayClock().clock)
        try:
            async with _pages(journal) as port:
                for _ in range(ROUNDS):
                    quiet.append(await _p99_ms(port))
                    async with _writer(journal):
                        threaded.append(await _p99_ms(port))
                journal._thread = _InLoop(journal._thread)  # type: ignore[assignment] # The peer.
                async with _writer(journal):
                    in_loop = await _p99_ms(port)
        finally:
            await journal.close()
    base = min(quiet)  # A busy machine can only add to it.
    return [
        Figure(
            "page_p99_ratio_while_card_stalls",
            min(threaded) / base,
            "x",
            GOAL_RATIO,
            beside=(
                Beside("the same journal called in the event loop", in_loop / base),
                Beside("p99 without a writer, ms", base),
            ),
            note=f"commits without a pause, each stalled by {SHORT_STALL_S * 1000:.0f} ms, every "
            f"{LONG_EVERY}th by {LONG_STALL_S * 1000:.0f} ms, where SQLite would wait in fsync",
        )
    ]


@contextlib.asynccontextmanager
async def _pages(journal: Journal) -> AsyncIterator[int]:
    """The kiosk's real pages on a free port."""

    def no_status() -> dict[str, Any]:
        return {"state": "off", "pending": 0, "last_ack_age_s": None, "city": ""}

    app = make_app(journal, journal.clock, no_status, load_pack(), KioskPlace(), dict)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, 0).start()
        yield int(runner.addresses[0][1])
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def _writer(journal: Journal) -> AsyncIterator[None]:
    """Commits one after the other, on a card that stalls, during the block."""
    write = journal._file.write
    stalls = _stalls()

    def write_stalled(batch: Any) -> None:
        write(batch)
        threading.Event().wait(next(stalls))  # As fsync does: without the GIL.

    async def commit_for_ever() -> None:
        for batch in cycle(day):
            append(journal, batch.arrivals)
            await journal.commit()
            await asyncio.sleep(0)

    day: list[Batch] = list(batches(reference_day(hours=1)))
    journal._file.write = write_stalled  # type: ignore[method-assign] # The card of this bench.
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(commit_for_ever())
            yield
            task.cancel()
    finally:
        journal._file.write = write  # type: ignore[method-assign] # A good card again.


def _stalls() -> Iterator[float]:
    for number in cycle(range(LONG_EVERY)):
        yield SHORT_STALL_S if number else LONG_STALL_S


class _InLoop:
    """What a journal without a thread of its own would be: the event loop waits for it."""

    def __init__(self, thread: Any) -> None:
        self._thread = thread

    async def run(self, function: Callable[..., Any], *args: Any) -> Any:
        """Call the function and hold the loop up; SQLite wants its own thread all the same."""
        return self._thread._executor.submit(function, *args).result()

    def close(self) -> None:
        """End the thread."""
        self._thread.close()


async def _p99_ms(port: int) -> float:
    """What a client in a process of its own measures."""
    client = await asyncio.create_subprocess_exec(
        sys.executable, __file__, str(port), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await client.communicate()
    taken_ms: list[float] = json.loads(output)
    return quantiles(taken_ms, n=100)[P99]


def ask(port: int) -> list[float]:
    """Ask for ROUND_S; how long each answer took, in ms."""
    taken_ms = []
    with contextlib.closing(HTTPConnection(HOST, port, timeout=60)) as connection:
        end = time.perf_counter() + ROUND_S
        for path in cycle(PATHS):
            begin = time.perf_counter()
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"GET {path} answered {answer.status}")
            taken_ms.append((time.perf_counter() - begin) * 1000)
            if time.perf_counter() > end:
                break
    return taken_ms


if __name__ == "__main__":
    print(json.dumps(ask(int(sys.argv[1]))))  # noqa: T201  To the bench.
