"""The machines of a universe: kiosks and a city, made of the product's real parts."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Any

from aiohttp import web
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from peewee import DatabaseError

from drivers.reading import Reading
from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.clock import Clock
from sync.entry import SyncError
from sync.identity import CITY_KEY, DEVICE_KEY, Enrolment, Identity, Key, read_or_make_key
from sync.journal import Journal, Options
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.sim.disk import Disk, SimThread
from tests.sim.loop import Host, for_ever, passed, start_on

if TYPE_CHECKING:
    from tests.sim.universe import Universe

UTC_MS = 1_800_000_000_000  # When every universe begins.
CITY = ("10.0.0.1", 8090)
CITY_URL = f"http://{CITY[0]}:{CITY[1]}"
START_S = 2.0  # From the power to the service.
RESTART_S = 2.0
PERIOD_S = 10.0
PRESSED_S = 60.0  # Between two buttons, on average.
CLOCK_LOOK_S = 5.0
DECIMALS = {"water_level": 3, "air_temperature": 2, "people": 0}
WITHOUT_VALUE = ("stale", "timeout", "no_data", "checksum", "out_of_range")
WITH_VALUE = ("ok", "ok", "ok", "ok", "saturated", "uncalibrated")
NTP_ERROR_MS = 60


class Machine:
    """A card, a power switch, and the boot it is in."""

    def __init__(self, universe: Universe, name: str) -> None:
        self.universe = universe
        self.name = name
        self.rng = random.Random(f"{universe.seed} {name}")
        self.disk = Disk(name, self.rng, universe.record)
        self.disk.power_cut = self.power_cut
        self.host = Host(name)
        self.host.alive = False
        self.booted_s = 0.0

    def power_on(self) -> None:
        """Boot."""
        self.host = Host(self.name)
        self.universe.network.machines[self.name] = self.host
        self.universe.graveyard.append(self.host)
        self.booted_s = self.universe.loop.time()
        self.universe.record("power on", self.name)
        start_on(self.host, self._guarded())

    async def _guarded(self) -> None:
        """Run; an error that nobody expects is a finding."""
        try:
            await self.run()
        except Exception as error:  # noqa: BLE001  The report must name whatever it is.
            self.universe.oracle.bug(self.name, error)

    def power_cut(self) -> None:
        """The power goes, at whatever moment."""
        if self.host.alive:
            self.universe.record("power cut", self.name)
            self.universe.count("power cuts")
            self.host.alive = False
            self.disk.crash()

    async def run(self) -> None:
        """What it does from its boot on."""
        raise NotImplementedError(f"{self.name} does nothing")


class City(Machine):
    """The receiver and its archive."""

    def __init__(self, universe: Universe) -> None:
        super().__init__(universe, "city")
        self.archive: Archive | None = None
        self.stored: dict[bytes, None] = {}  # Segments that an answer has promised.
        self.backup: tuple[dict[str, bytes], dict[bytes, None]] | None = None
        self.key = Key(Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32)))
        (self.disk.folder / CITY_KEY).write_bytes(self.key.pem())

    async def run(self) -> None:
        """Serve for ever."""
        universe = self.universe
        thread = SimThread(self.host, self.rng, self._done)
        archive = await Archive.open(
            self.disk.folder,
            wall_ms=universe.utc_ms,
            database=self.disk.database(),
            thread=thread,
        )
        universe.oracle.check_archive(archive, self.stored)
        universe.oracle.watch(archive, self.stored)
        for kiosk in universe.kiosks:
            if await archive.registry.known(kiosk.key.id) is None:
                token = await archive.registry.new_token()
                await archive.registry.enrol(token, kiosk.key.public, kiosk.identity, {})
        app = make_app(archive, read_or_make_key(self.disk.folder / CITY_KEY))
        runner = web.AppRunner(app, access_log=None, handle_signals=False)
        await runner.setup()
        await web.TCPSite(runner, *CITY).start()
        self.archive = archive
        await for_ever()

    def _done(self, _: str, __: Any) -> None:
        """An archive's transactions are watched at its front."""

    def power_cut(self) -> None:
        """The power goes."""
        super().power_cut()
        self.archive = None

    def back_up(self) -> None:
        """Copy the archive, as a nightly backup does."""
        self.backup = (self.disk.snapshot(), dict(self.stored))

    def restore(self) -> None:
        """Go back to the backup."""
        if self.backup is not None:
            self.power_cut()
            image, stored = self.backup
            self.disk.restore(image)
            self.stored = dict(stored)
            self.universe.record("city restored", len(stored))


class Kiosk(Machine):
    """Journal, uplink, sampler and people who press buttons."""

    def __init__(self, universe: Universe, name: str, identity: str = "") -> None:
        super().__init__(universe, name)
        self.identity = identity or name
        self.key = Key(Ed25519PrivateKey.from_private_bytes(self.rng.randbytes(32)))
        self._enrol()
        self.journal: Journal | None = None
        self.uplink: Uplink | None = None
        self.boot = ""
        self.drift = 0.0
        self.wall_off_ms = 0
        self.ntp_from_s: float | None = None
        self.disturbed = False  # The card has done what no program can bear.
        self.journals = 0
        self.options = Options(
            commit_s=self.rng.choice([10.0, 30.0]),
            segment_s=self.rng.choice([60.0, 120.0, 600.0]),
            quota_bytes=universe.quota_bytes,
        )

    def _enrol(self) -> None:
        """Every kiosk has been enrolled before its universe begins."""
        (self.disk.folder / DEVICE_KEY).write_bytes(self.key.pem())
        keys = (self.universe.city.key.public,)
        Identity(self.disk.folder).keep(
            Enrolment(self.key, self.key.id, self.identity, "", CITY_URL, keys)
        )

    def power_on(self) -> None:
        """Boot: a new boot id, and a wall clock that may think it is 1970."""
        if self.host.alive:
            return  # Somebody else has pressed the switch already.
        self.boot = self.rng.randbytes(16).hex()
        universe = self.universe
        self.wall_off_ms = (
            -UTC_MS if universe.has("clock_1970") else self.rng.randrange(-9999, 9999)
        )
        if universe.has("clock_drift"):
            self.drift = self.rng.uniform(-5e-5, 5e-5)
        has_ntp = self.rng.random() < 0.5
        self.ntp_from_s = universe.loop.time() + self.rng.uniform(0, 600) if has_ntp else None
        super().power_on()

    def power_cut(self) -> None:
        """The power goes."""
        if self.host.alive and self.disk.lied:
            self.universe.oracle.shake(self)
            self.disk.lied = 0
        super().power_cut()
        self.journal = self.uplink = None

    # --- its clock -------------------------------------------------------------------------------

    def boottime_ms(self) -> int:
        """CLOCK_BOOTTIME of its quartz."""
        return int((self.universe.loop.time() - self.booted_s) * 1000 * (1 + self.drift))

    def _ntp_is_right(self) -> bool:
        return self.ntp_from_s is not None and self.universe.loop.time() >= self.ntp_from_s

    def wall_ms(self) -> int:
        """The wall clock: right as long as NTP keeps it so."""
        if self._ntp_is_right():
            return self.universe.utc_ms() + self.rng.randrange(
                -NTP_ERROR_MS // 2, NTP_ERROR_MS // 2
            )
        return self.universe.utc_ms() + self.wall_off_ms

    def ntp_error_ms(self) -> int | None:
        """The kernel's word for it."""
        return NTP_ERROR_MS if self._ntp_is_right() else None

    # --- what it does --------------------------------------------------------------------------

    async def run(self) -> None:
        """Start the service again whenever it ends, as systemd does."""
        await passed(START_S)
        while True:
            try:
                await self._serve()
            except* (SyncError, DatabaseError) as group:
                self.universe.oracle.crashed(self, group)
            self.journal = self.uplink = None
            await passed(RESTART_S)

    async def _serve(self) -> None:
        clock = Clock(
            boot=self.boot,
            boottime_ms=self.boottime_ms,
            wall_ms=self.wall_ms,
            ntp_error_ms=self.ntp_error_ms,
        )
        thread = SimThread(self.host, self.rng, self._done)
        database = self.disk.database()
        journal = await Journal.open(
            self.disk.folder, clock, self.options, database=database, thread=thread
        )
        try:
            retry_max_s = self.universe.retry_max_s
            options = UplinkOptions(CITY_URL, self.identity, retry_max_s=retry_max_s)
            uplink = Uplink(journal, clock, options, Identity(self.disk.folder))
            uplink._rng = self.rng
            self.journal, self.uplink = journal, uplink
            async with asyncio.TaskGroup() as group:
                group.create_task(journal.keep())
                group.create_task(uplink.keep())
                group.create_task(self._keep_clock(clock, journal))
                group.create_task(self._sample(clock, journal))
                group.create_task(self._press(journal))
        finally:
            await journal.close()

    async def _keep_clock(self, clock: Clock, journal: Journal) -> None:
        while True:
            anchor = clock.poll()
            if anchor is not None:
                journal.add_anchor(anchor)
            await passed(CLOCK_LOOK_S)

    async def _sample(self, clock: Clock, journal: Journal) -> None:
        while self.universe.busy:
            at_ms = clock.boottime_ms()
            readings = [
                Reading("water_level", *self._measured("m", 3)),
                Reading("air_temperature", *self._measured("Cel", 2)),
            ]
            if self.rng.random() < 0.2:
                readings.append(Reading("people", *self._measured("/min", 0)))
            self.universe.oracle.made_readings(self, "pier", readings, at_ms)
            journal.append("pier", readings, at_ms, simulated=False, decimals=DECIMALS)
            await passed(PERIOD_S)
        await for_ever()

    def _measured(self, unit: str, decimals: int) -> tuple[float | None, str, str]:
        if self.rng.random() < 0.05:
            return None, unit, self.rng.choice(WITHOUT_VALUE)
        value = self.rng.randrange(-9999, 9999) / 10**decimals
        return value, unit, self.rng.choice(WITH_VALUE)

    async def _press(self, journal: Journal) -> None:
        while self.universe.busy:
            await passed(self.rng.expovariate(1 / PRESSED_S))
            if self.universe.busy:
                number = self.universe.oracle.made_event(self)
                try:
                    seq = await journal.event("feedback", {"n": number})
                    self.universe.oracle.thanked(self, journal, number, seq)
                except SyncError as error:
                    # The person is told; that is an honest answer on a card without room.
                    self.universe.oracle.refused(self, number, error)
        await for_ever()

    def _done(self, name: str, args: Any) -> None:
        """A transaction of the journal is over, and on the card."""
        journal = self.journal
        if journal is None:
            return
        if name == "write" and not journal.memory:
            self.universe.oracle.promised(self, journal, args[0])
        elif name in ("new_epoch", "add_saved"):
            self.universe.oracle.renumbered(self, journal)
