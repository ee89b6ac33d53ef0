"""Kiosks and their city on virtual time, without faults: for slow links and for crowds.

Journals and archive are the product's on real SQLite files; a call to them takes as long as the
town says. A link has a rate, and what is lost on it comes later, as TCP would have it.
"""

from __future__ import annotations

import asyncio
import math
import random
import shutil
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.clock import Clock
from sync.entry import Lane
from sync.identity import DEVICE_KEY, Enrolment, Identity, Key
from sync.journal import Journal, Options
from sync.sql_thread import SqlThread
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.bench.reference_day import BASE_MS, DAY_MS, reference_day
from tests.bench.replay import append, batches
from tests.sim.loop import Host, SimLoop, passed, start_on
from tests.sim.machines import CITY, CITY_URL, UTC_MS
from tests.sim.network import Address, Connection, End, Link, Network
from tests.sim.universe import _own_time_and_chance

SEGMENT_MS = 600_000
KIOSK_CALL_S = 0.004  # What a call to the journal takes.
CITY_CALL_S = 0.002  # What any other call than a `take` takes at the city.
LOOK_S = 0.05
FOREVER_S = 1e6
BOOT = "70" * 16


# --- a link with a rate ----------------------------------------------------------------------


class Line(NamedTuple):
    """What a link can carry."""

    bits_per_s: float
    loss: float
    round_trip_s: float


SLOW = Line(64_000, 0.08, 0.6)
PACKET_BYTES = 1360
HEAD_BYTES = 40  # Of IP and TCP, for each packet.
FEW_PACKETS = 4  # Too few to tell the sender which one is missing: it waits for its timer.
TIMER_S = 1.0  # RFC 6298, 2.4; doubled for each further loss.
TLS_BYTES = 3000  # A certificate and its chain of two with ECDSA keys.


class LineNetwork(Network):
    """All machines are connected by lines of one kind, each with its own."""

    def __init__(self, rng: random.Random, line: Line) -> None:
        super().__init__(rng, _ignore)
        self.line = line
        self.sent_bytes = 0
        self._busy_until_s: dict[tuple[str, bool], float] = {}

    def link(self, name: str) -> Link:
        """The latency; rate and loss are the line's."""
        return self.links.setdefault(name, Link(self.line.round_trip_s / 2, 0.0))

    async def connect(self, sock: Any, address: Address) -> None:
        """Shake hands, for TCP and for TLS 1.3, each a round trip that may be lost."""
        await super().connect(sock, address)
        wait_s = self.line.round_trip_s + TLS_BYTES * 8 / self.line.bits_per_s
        await passed(wait_s + sum(self._stalled_s(2) for _ in range(2)))

    def open(self, host: Host, protocol: Any, address: Address) -> Connection:
        """Make both ends of a connection on the line."""
        connection = _LineConnection(self, host, protocol, address)
        self.connections.append(connection)
        return connection

    def carry(self, connection: Connection, end: End, chunk_bytes: int) -> None:
        """Put a chunk on the line behind what is on it already."""
        now_s = asyncio.get_running_loop().time()
        packets = math.ceil(chunk_bytes / PACKET_BYTES)
        again = sum(self.rng.random() < self.line.loss for _ in range(packets))
        wire_bytes = chunk_bytes + packets * HEAD_BYTES + again * (PACKET_BYTES + HEAD_BYTES)
        way = (connection.client.host.name, end is connection.client)
        start_s = max(now_s, self._busy_until_s.get(way, 0.0))
        ends_s = start_s + wire_bytes * 8 / self.line.bits_per_s
        self._busy_until_s[way] = ends_s
        self.sent_bytes += wire_bytes
        stalled_s = self._stalled_s(packets) if again else 0.0
        arrives_s = ends_s + self.line.round_trip_s / 2 + stalled_s
        end.sent_until_s = max(end.sent_until_s, arrives_s)

    def _stalled_s(self, packets: int) -> float:
        """How long TCP holds back what follows a lost packet until that has come again."""
        rounds = max(self._losses() for _ in range(packets))
        if packets < FEW_PACKETS:
            return TIMER_S * ((1 << rounds) - 1)
        return self.line.round_trip_s * rounds

    def _losses(self) -> int:
        lost = 0
        while self.rng.random() < self.line.loss:
            lost += 1
        return lost


class _LineConnection(Connection):
    """A connection on a line."""

    network: LineNetwork

    def sent(self, end: End, chunk: bytes) -> bytes:
        chunk = super().sent(end, chunk)
        self.network.carry(self, end, len(chunk))
        return chunk


def _ignore(*_: Any) -> None:
    """Nobody writes down what happens."""


# --- a town ----------------------------------------------------------------------------------


class TownThread(SqlThread):
    """Stands for an SQL thread: one call after the other, each as long as `cost_s` says."""

    def __init__(self, cost_s: Callable[[str, Any], float]) -> None:
        self._cost_s = cost_s
        self._free_at_s = 0.0

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Wait for those before, take the time, then call."""
        loop = asyncio.get_running_loop()
        cost_s = self._cost_s(function.__name__, args)
        self._free_at_s = max(self._free_at_s, loop.time()) + cost_s
        await passed(self._free_at_s - loop.time())
        return function(*args, **kwargs)

    def close(self) -> None:
        """There is no thread to end."""


class Kiosk:
    """One kiosk of a town."""

    def __init__(self, town: Town, name: str, folder: Path) -> None:
        self.name = name
        self.host = Host(name)
        self.key = Key(Ed25519PrivateKey.from_private_bytes(town.rng.randbytes(32)))
        (folder / DEVICE_KEY).write_bytes(self.key.pem())
        keys = (town.key.public,)
        Identity(folder).keep(Enrolment(self.key, self.key.id, name, "", CITY_URL, keys))
        self._folder = folder
        self._town = town
        self.journal: Journal
        self.uplink: Uplink

    async def open(self, *, has_time: bool = True) -> None:
        """Open the journal; the uplink is made and does nothing yet."""
        clock = Clock(
            boot=BOOT,
            boottime_ms=lambda: BASE_MS + 365 * DAY_MS + int(self._town.loop.time() * 1000),
            wall_ms=self._town.utc_ms,
            ntp_error_ms=lambda: 20 if has_time else None,
        )
        thread = TownThread(lambda *_: KIOSK_CALL_S)
        self.journal = await Journal.open(self._folder, clock, _ROOMY, thread=thread)
        if anchor := clock.poll():
            self.journal.add_anchor(anchor)
        self.uplink = Uplink(
            self.journal, clock, UplinkOptions(CITY_URL, self.name), Identity(self._folder)
        )
        self.uplink._rng = self._town.rng

    async def bring_home(self) -> None:
        """Keep the uplink going until the city has everything."""
        task = start_on(self.host, self.uplink.keep())
        await until(lambda: self.journal.pending() == 0 or task.done())
        if task.done():
            task.result()
        task.cancel()
        await asyncio.wait([task])

    async def close(self) -> None:
        """Let the journal go."""
        await self.journal.close()


_ROOMY = Options(quota_bytes=1 << 30)


class Town:
    """One city and its kiosks, in a folder, by seed."""

    def __init__(self, folder: Path, seed: int, line: Line) -> None:
        self.folder = folder
        self.rng = random.Random(f"{seed} town")
        self.network = LineNetwork(random.Random(f"{seed} network"), line)
        self.loop = SimLoop(random.Random(f"{seed} loop"), self.network)
        self.key = Key(Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32)))
        self.kiosks: list[Kiosk] = []
        self.refused = 0
        self.worked_s = 0.0  # What the city has spent on taking uploads in.
        self.take_s: Callable[[int], float] = lambda _: CITY_CALL_S
        self.archive: Archive
        self._runner: web.AppRunner

    def utc_ms(self) -> int:
        """What time it is in town."""
        return UTC_MS + 365 * DAY_MS + int(self.loop.time() * 1000)

    async def open(self, kiosks: int, card: Path, *, has_time: bool = True) -> None:
        """Start the city, and kiosks whose cards are copies of one, each with its own key."""
        host = Host("city")
        thread = TownThread(self._cost_s)
        self.archive = await Archive.open(self.folder / "city", wall_ms=self.utc_ms, thread=thread)
        app = make_app(self.archive, self.key)
        app.middlewares.insert(0, self._count())
        self._runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await self._runner.setup()
        await start_on(host, web.TCPSite(self._runner, *CITY).start())
        for number in range(kiosks):
            folder = self.folder / f"kiosk-{number}"
            shutil.copytree(card, folder)
            kiosk = Kiosk(self, f"kiosk-{number}", folder)
            token = await self.archive.registry.new_token()
            await self.archive.registry.enrol(token, kiosk.key.public, kiosk.name, {})
            await kiosk.open(has_time=has_time)
            self.kiosks.append(kiosk)

    def _count(self) -> Any:
        @web.middleware
        async def count(request: web.Request, handler: Any) -> web.StreamResponse:
            try:
                response: web.StreamResponse = await handler(request)
            except web.HTTPServiceUnavailable:
                self.refused += 1
                raise
            return response

        return count

    def _cost_s(self, name: str, args: Any) -> float:
        if name != "_take":
            return CITY_CALL_S
        cost_s = self.take_s(len(args[1]))
        self.worked_s += cost_s
        return cost_s

    async def close(self) -> None:
        """Stop everything."""
        for kiosk in self.kiosks:
            await kiosk.close()
        await self._runner.cleanup()
        await self.archive.close()

    async def entries_of(self, lane: Lane) -> dict[str, list[list[int]]]:
        """What the city has of a lane, by kiosk."""
        return {
            kiosk["kiosk"]: found["got"]
            for kiosk in await self.archive.fleet()
            for found in kiosk["lanes"]
            if found["lane"] == lane.name.lower()
        }


async def until(true: Callable[[], Any]) -> None:
    """Let virtual time pass until something is true."""
    while not true():
        await passed(LOOK_S)


def live(town: Town, story: Callable[[], Awaitable[None]], seed: int = 0) -> None:
    """Let a town live through a story, on its own time."""
    clock: dict[str, Any] = {"universe": town}
    with _own_time_and_chance(seed, clock):
        asyncio.set_event_loop(town.loop)
        try:
            town.loop.run_until_complete(story())
        finally:
            asyncio.set_event_loop(None)
            town.loop.close()


@contextmanager
def card_of(folder: Path, hours: float, *, complaint: bool = True) -> Iterator[Path]:
    """A card after a long absence: so many hours in segments of ten minutes, and a complaint."""
    asyncio.run(_fill(folder, hours, complaint=complaint))
    yield folder
    shutil.rmtree(folder)


async def _fill(folder: Path, hours: float, *, complaint: bool) -> None:
    clock = Clock((), boot=BOOT, boottime_ms=lambda: BASE_MS + 364 * DAY_MS)
    journal = await Journal.open(folder, clock, _ROOMY)
    try:
        for batch in batches(reference_day(hours=hours), SEGMENT_MS):
            append(journal, batch.arrivals)
            await journal.commit(seal=True)
        if complaint:
            await journal.event("complaint", {"text": "the pier light is broken"})
    finally:
        await journal.close()
