"""One Bluetooth scanner for the process: it hands adverts of configured sensors on, no others.

A market is full of phones. An advertisement of an address that nobody asked for moves one
time stamp, the proof that the radio works, and is forgotten before its payload is looked at.
"""

from __future__ import annotations

import asyncio
import logging
import shlex
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from drivers.errors import BusError, DriverError, NoDataError
from drivers.linux.adverts import NAME_MAX, Advert
from drivers.linux.ble_ladder import SILENCE_S, Ladder
from drivers.linux.ble_sensor import KINDS, decoder, patterns_of
from drivers.linux.bluez import BlueZRadio, Heard, OnAdvert, Pattern

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence

    from drivers.linux.ble_sensor import Ear

LOOK_S = 2.0  # How often the adapter is asked whether it is still there and on.
HELPER_MAX_S = 30.0
END_MAX_S = 1.0
SENSORS_MAX = 64
NEARBY_MAX = 64
NEARBY_S_MAX = 120.0
SHORT_UUID_END = "-0000-1000-8000-00805f9b34fb"

log = logging.getLogger(__name__)


class Radio(Protocol):
    """What a scanner needs of a radio. Every method raises `BusError`."""

    async def start(self, on_advert: OnAdvert, patterns: Sequence[Pattern]) -> str:
        """Scan, passively if that can be; "passive" or "active"."""

    async def stop(self) -> None:
        """End the scan."""

    async def check(self) -> None:
        """See that the radio is as it was at the start."""

    async def power_cycle(self) -> None:
        """Switch the adapter off and on."""

    async def forget(self, address: str) -> None:
        """Drop what the system has gathered of a device."""

    async def close(self) -> None:
        """Give everything back."""


@dataclass(frozen=True)
class Options:
    """What the settings say about Bluetooth."""

    adapter: str = ""
    silence_s: float = SILENCE_S
    helper: str = ""
    reboot: str = ""


@dataclass
class Figures:
    """What the technician sees of the radio."""

    state: str = "starting"  # starting, ok, absent or silent
    why: str = ""
    mode: str = ""  # passive or active
    adverts: int = 0  # Of anybody: how lively the air is.
    scans: int = 0
    power_cycles: int = 0
    helper_runs: int = 0
    reboots_asked: int = 0


async def run_command(command: str) -> None:
    """Run a command of the settings to its end. Raises `BusError` if it fails."""
    try:
        async with asyncio.timeout(HELPER_MAX_S):
            process = await asyncio.create_subprocess_exec(
                *shlex.split(command),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=asyncio.subprocess.DEVNULL,
            )
            status = await process.wait()
    except (OSError, ValueError, TimeoutError) as error:
        raise BusError(f"{command!r} cannot be run: {error!r}") from error
    if status:
        raise BusError(f"{command!r} ended with status {status}")


class Scanner:
    """The sensors' ears on one radio, and the watch that it does not go deaf."""

    name = "bluetooth"

    def __init__(
        self,
        radio: Radio | None = None,
        options: Options | None = None,
        *,
        now_s: Callable[[], float] = time.monotonic,
        uptime_s: Callable[[], float] = lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
        command: Callable[[str], Awaitable[None]] = run_command,
    ) -> None:
        self._options = options or Options()
        self._radio: Radio = radio or BlueZRadio(self._options.adapter)
        self._now_s = now_s
        self._uptime_s = uptime_s
        self._sleep = sleep
        self._command = command
        self._ears: dict[str, Ear] = {}
        self._is_scanning = False
        self._may_be_passive = True
        self._ladder = Ladder(now_s(), self._options.silence_s)
        self._trouble: DriverError | None = None
        self.figures = Figures()
        self.is_idle: Callable[[], bool] = lambda: False
        self.report: Callable[[dict[str, Any]], None] = lambda _: None

    def configure(self, options: Options, radio: Radio | None = None) -> None:
        """Take the settings, before `run`."""
        self._options = options
        self._radio = radio or BlueZRadio(options.adapter)
        self._ladder = Ladder(self._now_s(), options.silence_s)

    def ear(self, address: str, make: Callable[[], Ear]) -> Ear:
        """The ear for a sensor: the same one as long as the process lives.

        So what was heard last, a replay's enemy, outlives a driver that is started anew.
        Raises `BusError` for one too many.
        """
        if address not in self._ears:
            if len(self._ears) >= SENSORS_MAX:
                raise BusError(f"{address}: more than {SENSORS_MAX} Bluetooth sensors", "input")
            self._ears[address] = make()
        return self._ears[address]

    def trouble(self) -> DriverError | None:
        """Why no sensor can be heard at all, if that is so."""
        return self._trouble

    def state(self) -> dict[str, Any]:
        """Say how the radio is, for the technician."""
        age_s = round(self._now_s() - self._ladder.heard_s, 1)
        return vars(self.figures) | {"heard_age_s": age_s, "sensors": len(self._ears)}

    async def run(self) -> None:
        """Scan and watch the radio, for ever."""
        self._ladder.heard(self._now_s())
        try:
            while True:
                await self._look()
                await self._sleep(LOOK_S)
        finally:
            await self._end()

    def broken(self, error: Exception, *, quarantined: bool) -> None:
        """Note a bug of ours, for the screen and for the city."""
        state = "quarantined" if quarantined else "failed"
        self._turn(state, BusError(f"Bluetooth: {error!r}"))

    def heard(self, address: str, advert: Heard) -> None:
        """Take an advertisement; what is of no sensor of ours goes no further."""
        self._ladder.heard(self._now_s())
        self.figures.adverts += 1
        if self._trouble is not None:
            self._turn("ok", None)
        ear = self._ears.get(address)
        if ear is not None:
            ear.hear(advert_of(address, advert))

    async def _look(self) -> None:
        """One look: start what does not run, and take the step that is due."""
        try:
            if self._is_scanning:
                await self._radio.check()
            else:
                await self._start()
        except BusError as error:
            self._is_scanning = False
            self._turn("absent", error)
            await self._quietly("stop", self._radio.stop())
        for address, ear in self._ears.items():
            if ear.take_is_crowded():
                await self._quietly("forget", self._radio.forget(address))
        if step := self._ladder.due(self._now_s()):
            await self._climb(step)
        is_idle = self.is_idle()
        if self._options.reboot and self._ladder.wants_reboot(
            self._now_s(), self._uptime_s(), is_idle=is_idle
        ):
            await self._reboot()

    async def _start(self) -> None:
        """Begin to scan. Raises `BusError`."""
        wanted = patterns_of(self._ears.values()) if self._may_be_passive else ()
        self.figures.mode = await self._radio.start(self.heard, wanted)
        self.figures.scans += 1
        self._is_scanning = True
        if not self._ladder.is_silent:
            self._turn("ok", None)

    async def _climb(self, step: str) -> None:
        """Take one step of the ladder; one that fails is only a step that did not help."""
        log.info("Bluetooth hears nothing: %s", step)
        if self._is_scanning:
            silent_s = self._now_s() - self._ladder.heard_s
            self._turn("silent", NoDataError(f"no device at all was heard for {silent_s:.0f} s"))
        # A monitor with patterns that hears nothing may be deaf, or nobody may be talking.
        # A scan for everything tells the two apart, since some phone always talks.
        self._may_be_passive = False
        await self._quietly("stop", self._radio.stop())
        self._is_scanning = False
        if step == "power":
            self.figures.power_cycles += 1
            await self._quietly(step, self._radio.power_cycle())
        elif step == "helper" and self._options.helper:
            self.figures.helper_runs += 1
            await self._quietly(step, self._command(self._options.helper))
        await self._quietly("start", self._start())

    async def _reboot(self) -> None:
        """Ask for a reboot; what is asked for in vain is asked for again after a round."""
        if self.figures.reboots_asked:
            return
        self.figures.reboots_asked += 1
        log.warning("Bluetooth has been silent for long: %s", self._options.reboot)
        self.report({"part": "bluetooth", "state": "reboot", "why": self.figures.why})
        await self._quietly("reboot", self._command(self._options.reboot))

    async def _quietly(self, what: str, work: Awaitable[object]) -> None:
        """Do what may fail without harm: the ladder goes on anyway."""
        try:
            await work
        except BusError as error:
            log.debug("Bluetooth: %s: %s", what, error)

    async def _end(self) -> None:
        """Say goodbye, but to a bluetoothd that hangs not for long: it will notice by itself."""
        self._is_scanning = False
        try:
            async with asyncio.timeout(END_MAX_S):
                await self._quietly("stop", self._radio.stop())
        except TimeoutError:
            log.debug("Bluetooth: the end of the scan was not answered")
        await self._quietly("close", self._radio.close())

    def _turn(self, state: str, trouble: DriverError | None) -> None:
        """Note how the radio is; a change is told once to the log and to the city."""
        self._trouble = trouble
        before, self.figures.state = self.figures.state, state
        self.figures.why = str(trouble or "")
        if state == before:
            return
        if before == "starting" and state == "ok":
            return  # Nothing was amiss.
        log.warning("Bluetooth: %s", self.figures.why or "is back")
        self.report({"part": "bluetooth", "state": state, "why": self.figures.why})


_shared: list[Scanner] = []


def shared() -> Scanner:
    """The one scanner of the process."""
    if not _shared:
        _shared.append(Scanner())
    return _shared[0]


def advert_of(address: str, heard: Heard) -> Advert:
    """Turn an advertisement as bleak tells it into ours."""
    return Advert(
        address,
        (heard.local_name or "")[:NAME_MAX],
        heard.rssi,
        dict(heard.manufacturer_data),
        {
            int(uuid[:8], 16): payload
            for uuid, payload in heard.service_data.items()
            if uuid.startswith("0000") and uuid.endswith(SHORT_UUID_END)
        },
        list(heard.service_uuids),
    )


@dataclass(frozen=True)
class Nearby:
    """A sensor that nobody configured: what a technician needs to write its table."""

    kind: str
    address: str
    name: str
    rssi: int
    is_sealed: bool
    values: dict[str, float | int | None]


async def nearby(
    seconds: float,
    known: Collection[str] = (),
    adapter: str = "",
    radio: Radio | None = None,
) -> tuple[Nearby, ...]:
    """Listen for some seconds, and list the sensors of known formats that are not in `known`.

    The list lives in RAM, has at most NEARBY_MAX rows (the loudest stay), and nothing of it is
    logged or journalled. Raises `BusError` if there is no radio.
    """
    found: dict[str, Nearby] = {}
    ours = {address.upper() for address in known}

    def heard(address: str, advert: Heard) -> None:
        if address in ours:
            return
        row = recognized(advert_of(address, advert))
        if row is None or (row.is_sealed and address in found and not found[address].is_sealed):
            return
        found[address] = row
        if len(found) > NEARBY_MAX:
            del found[min(found, key=lambda other: found[other].rssi)]

    listening = radio or BlueZRadio(adapter)
    try:
        await listening.start(heard, ())
        await asyncio.sleep(min(seconds, NEARBY_S_MAX))
        await listening.stop()
    finally:
        await listening.close()
    return tuple(sorted(found.values(), key=lambda row: (-row.rssi, row.address)))


def recognized(advert: Advert) -> Nearby | None:
    """Say which of our kinds an advertisement is of, or None."""
    for kind in KINDS:
        is_sealed = False
        try:
            readings = decoder(kind, b"").decode(advert)
        except DriverError as error:
            if error.fault != "key":
                continue
            readings, is_sealed = (), True
        if readings or is_sealed:
            values = {reading.quantity: reading.value for reading in readings}
            return Nearby(kind, advert.address, advert.name, advert.rssi, is_sealed, values)
    return None
