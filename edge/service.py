"""The kiosk's service: journal, pages, uplink and sensors in one process and one task group."""

import asyncio
import contextlib
import gc
import logging
import signal
import socket
from collections.abc import AsyncIterator, Coroutine, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from aiohttp import ClientError, web

from drivers import catalog
from edge import systemd
from edge.claim import alone, listen, writable_folder
from edge.errors import InUseError, StateError
from edge.health import Health, SensorState, TrialWrite, versions
from edge.machine import machine
from edge.pack_fetch import PackFetcher
from edge.packs import Packs, rules
from edge.sampler import Sampler
from edge.screen import Screen
from edge.settings import SensorSettings, Settings
from edge.supervisor import Part, supervise
from edge.visitors import nobody_there
from kiosk_ui.app import make_app
from kiosk_ui.beat import BEATS, Beats
from kiosk_ui.boot import GATE
from kiosk_ui.pack_store import PackStore
from kiosk_ui.place import KioskPlace
from sync import local
from sync.clock import Clock
from sync.entry import SyncError
from sync.identity import Identity
from sync.journal import Journal, JournalBusyError, JournalError, Options
from sync.netlink import Netlink
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink

CLOCK_LOOK_S = 5.0
LOOK_S = 10.0  # How often the canary is looked at where systemd sets no pace.
TEST_WRITE_S = 3600.0
REPORTS_MAX = 256  # Changes of health that wait for the card; past this the oldest goes.
FLUSH_MAX_S = 1.0  # What the city gets of a clean stop.
ANSWER_MAX_S = 0.5  # What a page that is being sent gets.

log = logging.getLogger(__name__)


async def run(settings: Settings, state: Path) -> None:
    """Serve until SIGTERM or SIGINT. Raises `EdgeError` when it cannot begin.

    A part that crashes brings the service down: systemd starts it again from a known
    state, and the journal remembers everything that counts.
    """
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)

    folder = writable_folder(state)
    with alone(folder), door(settings) as listening:
        async with opened_journal(folder, settings) as journal:
            kiosk = Kiosk(settings, folder, journal)
            app = kiosk.app()
            async with kiosk.local_socket(), pages(app, listening):
                gc.freeze()  # What the start made stays: no collection has to walk it again.
                gc.enable()
                systemd.notify(READY="1", STATUS="serving")
                log.info("kiosk on http://%s:%d", *listening.getsockname()[:2])
                await run_parts(kiosk.parts(), stopping)
                systemd.notify(STOPPING="1")
            await kiosk.last_words()


async def run_parts(parts: dict[str, Coroutine[Any, Any, None]], stopping: asyncio.Event) -> None:
    """Run all `parts` until `stopping`, then wait for each to clean up."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(part, name=name) for name, part in parts.items()]
        await stopping.wait()
        for task in tasks:
            task.cancel()


class Kiosk:
    """The parts of one kiosk, put together around its journal."""

    def __init__(self, settings: Settings, folder: Path, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        self._clock = journal.clock
        self._uplink = make_uplink(settings, journal)
        self._sensors = {
            sensor.name: SensorState(
                sensor.name,
                sensor.driver,
                sensor.period_s,
                calibration={quantity: one.words() for quantity, one in sensor.calibration.items()},
            )
            for sensor in settings.sensors
        }
        self._test_write = TrialWrite(folder)
        self._beats = Beats()
        self._packs: Packs | None = None  # Made with the application.
        self._screen: Screen | None = None
        self._health = Health(journal, self._uplink_status, self._sensors, self._test_write)
        self._reports: asyncio.Queue[dict[str, Any]] = asyncio.Queue(maxsize=REPORTS_MAX)

    def app(self) -> web.Application:
        """Make the pages' application."""
        kiosk = self._settings.kiosk
        place = KioskPlace(
            id=kiosk.id,
            technician_pin=kiosk.technician_pin,
            names=asdict(kiosk.name),
            latitude=kiosk.latitude,
            longitude=kiosk.longitude,
            heading_deg=kiosk.heading_deg,
            px_per_mm=kiosk.px_per_mm,
            languages=kiosk.languages,
            start_language=kiosk.start_language,
            tiles=kiosk.tiles,
            hosts=self._settings.web.hosts,
            idle_s=kiosk.idle_s,
            warning_s=kiosk.warning_s,
        )
        self._packs = packs = self._make_packs(place)
        first = packs.first()
        app = make_app(
            self._journal,
            self._clock,
            self._uplink_status,
            first.pack,
            place,
            self._body,
            rendered=first,
            machine=lambda: machine(self._journal.folder),
        )
        self._beats = app[BEATS]
        packs.serve(app)
        self._screen = Screen(
            self._settings.screen.restart,
            app[BEATS],
            app[GATE],
            self._clock.utc_ms,
            self._report,
        )
        return app

    def _make_packs(self, place: KioskPlace) -> Packs:
        store = PackStore(self._journal.folder, rules(self._settings))
        return Packs(store, place, self._report, has_screen=bool(self._settings.screen.restart))

    def _body(self) -> dict[str, Any]:
        """All that GET /health says, with screen and content."""
        body = self._health.body()
        if self._packs is None or self._screen is None:
            return body
        screen = self._screen.state()
        if screen["state"] == "given up" and body["status"] == "ok":
            body["status"] = "degraded"
        return {**body, "screen": screen, "content": self._packs.state()}

    def parts(self) -> dict[str, Coroutine[Any, Any, None]]:
        """Name the parts that run for ever."""
        parts: dict[str, Coroutine[Any, Any, None]] = {
            "journal": self._journal.keep(),
            "clock": self._keep_clock(),
            "reports": self._keep_reports(),
            "watch": self._watch(),
            "test write": self._keep_test_write(),
        }
        if self._packs is not None and self._screen is not None:
            parts["packs"] = self._packs.keep()
            parts["screen"] = self._screen.keep()
            if self._uplink is not None:
                parts["pack fetcher"] = PackFetcher(
                    self._settings.uplink.city_url,
                    self._uplink.content,
                    self._clock,
                    self._packs,
                    self._journal.folder,
                ).keep()
        if self._uplink is not None:
            parts["uplink"] = self._uplink.keep()
        for sensor in self._settings.sensors:
            parts[f"sensor {sensor.name}"] = supervise(self._sampler(sensor))
        # Behind the sensors: what it listens for is what they have asked for.
        if any(catalog.is_bluetooth(sensor.driver) for sensor in self._settings.sensors):
            parts["bluetooth"] = supervise(self._bluetooth())
        if self._settings.nodes.host:
            parts["nodes"] = self._node_door()
        return parts

    @asynccontextmanager
    async def local_socket(self) -> AsyncIterator[None]:
        """Answer commands on this machine, such as `angsila verify`, where the card lets us."""
        async with AsyncExitStack() as stack:
            try:
                await stack.enter_async_context(
                    local.serve(self._journal, self._uplink, self._packs)
                )
            except OSError as error:
                log.warning("no commands will be answered: %s", error)
            yield

    async def last_words(self) -> None:
        """Commit what is in RAM, and give the city a moment to take it."""
        while not self._reports.empty():
            await self._commit(self._reports.get_nowait())
        await self._journal.seal()
        if self._uplink is None or self._uplink.status()["state"] != "online":
            return
        with contextlib.suppress(SyncError, ClientError, OSError, TimeoutError):
            async with asyncio.timeout(FLUSH_MAX_S):
                await self._uplink.flush()

    def _uplink_status(self) -> dict[str, Any]:
        if self._uplink is not None:
            return self._uplink.status()
        pending = self._journal.pending()
        return {"state": "off", "reason": "", "city": "", "pending": pending} | {
            "last_ack_age_s": None
        }

    def _sampler(self, sensor: SensorSettings) -> Sampler:
        return Sampler(
            sensor.name,
            make=lambda: catalog.make(sensor.driver, dict(sensor.options)),
            period_s=sensor.period_s,
            journal=self._journal,
            clock=self._clock,
            state=self._sensors[sensor.name],
            report=self._report,
            calibration=sensor.calibration,
        )

    async def _node_door(self) -> None:
        """Hear our own nodes on the local network; without its port the kiosk goes on."""
        from edge import node, node_door  # noqa: PLC0415 # start time: few kiosks have nodes

        wanted = self._settings.nodes
        try:
            await node_door.serve(wanted.host, wanted.port, node.board_files())
        except OSError as error:
            log.warning("nodes cannot be heard at %s:%d: %s", wanted.host, wanted.port, error)
            self._report({"part": "nodes", "state": "failed", "why": str(error)})
            await asyncio.Event().wait()

    def _bluetooth(self) -> Part:
        """Set up the one scanner that hears all Bluetooth sensors."""
        from drivers.linux import ble  # noqa: PLC0415 # only a kiosk with such sensors pays for it

        wanted = self._settings.bluetooth
        scanner = ble.shared()
        scanner.configure(
            ble.Options(wanted.adapter, wanted.silence_s, wanted.helper, wanted.reboot)
        )
        scanner.report = self._report
        loop = asyncio.get_running_loop()
        scanner.is_idle = lambda: nobody_there(self._beats.last, loop.time())
        self._health.bluetooth = scanner.state
        return scanner

    def _report(self, body: dict[str, Any]) -> None:
        """Queue a change of health for the event lane; when the queue is full, the oldest goes."""
        if self._reports.full():
            self._reports.get_nowait()
            self._health.reports_dropped += 1
        self._reports.put_nowait(body)

    async def _keep_reports(self) -> None:
        """Commit changes of health, for ever."""
        if damage := self._journal.damage:
            await self._commit({"part": "journal", "state": "set aside", "why": damage})
        while True:
            await self._commit(await self._reports.get())

    async def _commit(self, body: dict[str, Any]) -> None:
        """Commit one report. On a card that takes nothing it waits in the journal's RAM."""
        try:
            await self._journal.event("health", body)
        except JournalError:
            if not self._journal.trouble:
                raise

    async def _keep_clock(self) -> None:
        """Ask the kernel every few seconds whether its clock is right, for ever."""
        while True:
            look_at(self._clock, self._journal)
            await asyncio.sleep(CLOCK_LOOK_S)

    async def _keep_test_write(self) -> None:
        """See every hour that the card takes a write, for ever."""
        while True:
            before = self._test_write.ok
            if await asyncio.to_thread(self._test_write.run) != (before is not False):
                word = "ok" if self._test_write.ok else "failed"
                log.warning("test write %s %s", word, self._test_write.why)
                self._report({"part": "card", "state": word, "why": self._test_write.why})
            await asyncio.sleep(TEST_WRITE_S)

    async def _watch(self) -> None:
        """Feed systemd's watchdog while readings go all the way, for ever."""
        allowed_s = systemd.watchdog_s()
        pace_s = allowed_s / 3 if allowed_s else LOOK_S
        before = ""
        while True:
            complaint = self._health.look()
            if complaint:
                systemd.notify(STATUS=complaint)
            else:
                systemd.notify(WATCHDOG="1", STATUS=self._health.line())
            if bool(complaint) != bool(before):
                log.warning("%s", complaint or "readings go all the way again")
                self._report({"part": "canary", "state": "stalled" if complaint else "ok"})
            before = complaint
            await asyncio.sleep(pace_s)


@contextmanager
def door(settings: Settings) -> Iterator[socket.socket]:
    """Open the pages' address, or take it from systemd. Raises `PortError`."""
    handed = systemd.handed_over()
    listening = handed[0] if handed else listen(settings.web.host, settings.web.port)
    try:
        yield listening
    finally:
        listening.close()


@asynccontextmanager
async def opened_journal(folder: Path, settings: Settings) -> AsyncIterator[Journal]:
    """Open the journal for the block. Raises `InUseError` or `StateError`."""
    options = Options(
        commit_s=settings.journal.commit_s,
        segment_s=settings.journal.segment_s,
        quota_bytes=settings.journal.quota_mb * 1024 * 1024,
    )
    clock = Clock(settings.clock.trust)
    try:
        journal = await Journal.open(folder, clock, options)
    except JournalBusyError as error:
        raise InUseError(str(error)) from None
    except JournalError as error:
        raise StateError(str(error)) from None
    try:
        look_at(clock, journal)
        yield journal
    finally:
        await journal.close()


@asynccontextmanager
async def pages(app: web.Application, listening: socket.socket) -> AsyncIterator[None]:
    """Serve `app` on a listening socket during the block."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=ANSWER_MAX_S)
    await runner.setup()
    try:
        await web.SockSite(runner, listening).start()
        yield
    finally:
        await runner.cleanup()


def look_at(clock: Clock, journal: Journal) -> None:
    """Ask whether the clock is right, and keep the anchor where it is."""
    anchor = clock.poll()
    if anchor is not None:
        journal.add_anchor(anchor)


def make_uplink(settings: Settings, journal: Journal) -> Uplink | None:
    """Make the line to the city, or nothing where no city is set."""
    if not settings.uplink.city_url:
        return None
    options = UplinkOptions(
        city_url=settings.uplink.city_url,
        kiosk=settings.kiosk.id,
        name=settings.kiosk.name.en,
        software=f"angsila {versions()['angsila']}",
        retry_max_s=settings.uplink.retry_max_s,
    )
    return Uplink(journal, journal.clock, options, Identity(journal.folder), Netlink())
