"""One universe: machines, network and faults from a seed, and the oracle at its end."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import logging
import os
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp.connector

from sync import journal_file, uplink
from tests.sim.faults import APART, KINDS, Kind
from tests.sim.loop import Host, SimError, SimLoop, passed
from tests.sim.machines import UTC_MS, City, Kiosk
from tests.sim.network import Network
from tests.sim.oracle import Oracle

HEALED_S = 7200.0  # What the parts get to bring everything home when nothing fails any more.
LOOK_S = 10.0
HELLO_LOOK_S = 600.0
SEGMENTS_MAX = 2  # In one upload: a backlog of an hour is many of them.
SCARCE = 0.5  # Of the universes have journals with next to no reserve on their cards:
RESERVE_BYTES = 8 * 1024
CHECKPOINT_PAGES = 6


class Result(NamedTuple):
    """What became of a universe."""

    seed: int
    digest: str
    failures: list[str]
    counts: dict[str, int]
    kinds: list[str]
    simulated_s: float


class Universe:
    """Everything that happens to one seed."""

    def __init__(self, seed: int, only: list[str] | None = None, trace: Any = None) -> None:
        self.seed = seed
        self.rng = random.Random(f"{seed} fate")
        drawn = [
            name for name, kind in KINDS.items() if self.rng.random() < kind.chance and kind.on
        ]
        for name, others in APART.items():
            if name in drawn:
                drawn = [kind for kind in drawn if kind not in others]
        self.kinds = drawn if only is None else [name for name in KINDS if name in only]
        self.duration_s = self.rng.uniform(3000, 7000)
        self.quota_bytes = self.rng.choice([4 * 1024, 24 * 1024, 64 * 1024 * 1024])
        self.retry_max_s = self.rng.choice([60.0, 300.0, 900.0])
        self.busy = True
        self.has_small_quota = self.quota_bytes < 1024 * 1024
        self.may_lose = self.has_small_quota
        self.counts: dict[str, int] = {}
        self.graveyard: list[Host] = []
        self._digest = hashlib.sha256()
        self._trace = trace
        self.network = Network(random.Random(f"{seed} network"), self.record)
        self.loop = SimLoop(random.Random(f"{seed} loop"), self.network)
        self.loop.set_exception_handler(self._unhandled)
        self.oracle = Oracle(self)
        self.city = City(self)
        self.kiosks = [Kiosk(self, "kiosk1")]
        if self.rng.random() < 0.3:
            self.kiosks.append(Kiosk(self, "kiosk2"))

    def has(self, kind: str) -> bool:
        """Whether this universe has a kind of fault."""
        return kind in self.kinds

    def utc_ms(self) -> int:
        """What time it truly is."""
        return UTC_MS + int(self.loop.time() * 1000)

    def record(self, *what: Any) -> None:
        """Take an event into the digest."""
        line = f"{self.loop.time():.6f} {' '.join(map(str, what))}"
        self._digest.update(line.encode())
        if self._trace is not None:
            print(line, file=self._trace)

    def count(self, what: str) -> None:
        """Count what happens often."""
        self.counts[what] = self.counts.get(what, 0) + 1

    def _unhandled(self, _: Any, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self.oracle.fail(f"UNHANDLED {context['message']}: {type(error).__name__}: {error}")

    def run(self) -> Result:
        """Run from the big bang to the last check."""
        try:
            self.loop.run_until_complete(self._main())
        except SimError as error:
            self.oracle.fail(f"{type(error).__name__}: {error}")
        return Result(
            self.seed,
            self._digest.hexdigest()[:16],
            self.oracle.failures,
            self.counts,
            self.kinds,
            self.loop.time(),
        )

    async def _main(self) -> None:
        for machine in (self.city, *self.kiosks):
            machine.disk.torn = self.has("torn_sector")
            machine.power_on()
        async with asyncio.TaskGroup() as group:
            group.create_task(passed(self.duration_s))
            for name in self.kinds:
                group.create_task(self._strike(name, KINDS[name]))
        self._heal()
        await self._settle()
        if self.city.archive is not None:
            self.oracle.check(self.city.archive)

    async def _strike(self, name: str, kind: Kind) -> None:
        """Let a kind of fault happen again and again, until it is time to heal."""
        if kind.strike is None:
            return
        while True:
            wait_s = self.rng.expovariate(1 / kind.every_s)
            if self.loop.time() + wait_s > self.duration_s:
                await passed(max(0.0, self.duration_s - self.loop.time()))
                return
            await passed(wait_s)
            self.record("strike", name)
            self.count(name)
            await kind.strike(self)

    def _heal(self) -> None:
        self.record("heal")
        self.busy = False
        for link in self.network.links.values():
            link.loss, link.apart_until_s, link.armed = 0.0, 0.0, ""
        for machine in (self.city, *self.kiosks):
            disk = machine.disk
            disk.quota_bytes, disk.lies, disk.sync_errors = None, 0.0, 0.0
            disk.cut_at_operation = None
            if not machine.host.alive:
                machine.power_on()

    async def _settle(self) -> None:
        """Wait until nobody has anything left to say."""
        until_s = self.loop.time() + HEALED_S
        calm = 0
        while calm < 3:
            await passed(LOOK_S)
            calm = calm + 1 if self._is_calm() else 0
            if calm == 3 and self._misses_something():
                # A city that was restored is found out with the next hello.
                calm = 0
                await passed(HELLO_LOOK_S)
            if self.loop.time() > until_s:
                states = [f"{kiosk.name} " + self._state(kiosk) for kiosk in self.kiosks]
                self.oracle.fail(f"NOT HOME after {HEALED_S:.0f} s: {'; '.join(states)}")
                return

    def _misses_something(self) -> bool:
        archive = self.city.archive
        return archive is not None and bool(self.oracle.missing(archive))

    def _is_calm(self) -> bool:
        if self.city.archive is None:
            return False
        return all(
            kiosk.journal is not None
            and kiosk.journal.pending() == 0
            and not kiosk.journal.lost
            and not kiosk.journal.old_epochs
            for kiosk in self.kiosks
        )

    def _state(self, kiosk: Kiosk) -> str:
        if kiosk.journal is None or kiosk.uplink is None:
            return "has no journal"
        return (
            f"{kiosk.uplink.status()['state']} {kiosk.uplink.status()['reason']} "
            f"pending {kiosk.journal.pending()} lost {kiosk.journal.lost[:2]} "
            f"old {len(kiosk.journal.old_epochs)}"
        )


@contextlib.contextmanager
def _own_time_and_chance(universe_seed: int, clock: dict[str, Any]) -> Iterator[None]:
    """What libraries take from the machine below, they take from the universe."""
    rng = random.Random(f"{universe_seed} system")

    def utc_ns() -> int:
        return int(clock["universe"].utc_ms()) * 1_000_000

    def monotonic() -> float:
        return float(clock["universe"].loop.time())

    planted: list[tuple[Any, str, Any]] = [
        (os, "urandom", rng.randbytes),
        (random, "_urandom", rng.randbytes),
        (time, "time_ns", utc_ns),
        (time, "time", lambda: utc_ns() / 1e9),
        (aiohttp.connector, "monotonic", monotonic),
    ]
    kept = [(owner, name, getattr(owner, name)) for owner, name, _ in planted]
    random.seed(universe_seed)
    try:
        for owner, name, value in planted:
            setattr(owner, name, value)
        yield
    finally:
        for owner, name, value in kept:
            setattr(owner, name, value)


def run(seed: int, only: list[str] | None = None, trace: Any = None) -> Result:
    """Run one universe in a folder of its own. For a process that does nothing else."""
    logging.disable(logging.CRITICAL)
    uplink.SEGMENTS_MAX = SEGMENTS_MAX
    if random.Random(f"{seed} reserve").random() < SCARCE:
        # A week's worth of room would never run out in an hour.
        settings = vars(journal_file)
        settings["RESERVE_BYTES"] = RESERVE_BYTES
        settings["PRAGMAS"] = tuple(
            (name, CHECKPOINT_PAGES if name == "wal_autocheckpoint" else value)
            for name, value in settings["PRAGMAS"]
        )
    memory = Path("/dev/shm")  # noqa: S108  The folder in it has a name of its own.
    base = memory if memory.is_dir() else None
    home = Path.cwd()
    with tempfile.TemporaryDirectory(prefix="angsila-sim-", dir=base) as folder:
        os.chdir(folder)
        clock: dict[str, Any] = {}
        try:
            with _own_time_and_chance(seed, clock):
                universe = clock["universe"] = Universe(seed, only, trace)
                return universe.run()
        finally:
            os.chdir(home)
