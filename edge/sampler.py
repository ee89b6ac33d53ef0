"""Sampling: one sensor is read on its beats, and what it says goes into the journal."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn, Protocol

from drivers.errors import DriverError
from drivers.reading import Reading, without_values
from edge.calibration import calibrated, with_raw
from edge.health import SensorState
from edge.supervisor import Sleep, pauses

if TYPE_CHECKING:
    from drivers.catalog import Driver
    from drivers.reading import SpecRow
    from edge.calibration import Calibration

START_MAX_S = 15.0  # A scan for a Bluetooth sensor is the slowest start there is.
READ_MAX_S = 30.0
CLOSE_MAX_S = 2.0
MISSES_MAX = 3  # So many beats without a reading, and the sensor counts as gone.
RETRY_MAX_S = 60.0

log = logging.getLogger(__name__)


class Intake(Protocol):
    """What a sampler needs of the journal."""

    def append(
        self,
        sensor: str,
        readings: Sequence[Reading],
        at_ms: int,
        *,
        simulated: bool,
        decimals: Mapping[str, int],
    ) -> None:
        """Take readings in."""


class Ticking(Protocol):
    """What a sampler needs of the clock."""

    def boottime_ms(self) -> int:
        """Milliseconds since boot, sleep included; no one can set it."""


def beat_ms(now_ms: int, period_ms: int) -> int:
    """Find the beat that `now_ms` belongs to: the last whole multiple of the period since boot.

    Beats hang on the clock and not on the end of the beat before, so they do not drift;
    and sensors with one period share their beats, which the wire packs well.
    """
    return now_ms // period_ms * period_ms


class Missing:
    """When to journal that a value is missing, of a sensor that is only listened to.

    One that must be started anew is tried ever more rarely; this one misses every beat, and a
    day without it would be thousands of entries that say the same.
    """

    def __init__(self) -> None:
        self._quality = ""
        self._at_ms = 0

    def is_due(self, quality: str, at_ms: int) -> bool:
        """Whether this one is the first, or says something new, or the last one is old."""
        if quality == self._quality and at_ms - self._at_ms < RETRY_MAX_S * 1000:
            return False
        self._quality, self._at_ms = quality, at_ms
        return True


class Sampler:
    """One sensor of the settings, from its driver to the journal.

    `make` gives a fresh driver for each start. A `period_s` of 0 takes every reading a
    sensor sends by itself, stamped when it arrives. `report` takes a change of health and
    does not fail: the journal's troubles are none of the sensor's.
    """

    def __init__(
        self,
        name: str,
        *,
        make: "Callable[[], Driver]",
        period_s: float,
        journal: Intake,
        clock: Ticking,
        state: SensorState,
        report: Callable[[dict[str, Any]], None],
        calibration: "Mapping[str, Calibration]" = MappingProxyType({}),
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self.name = name
        self._make = make
        self._period_ms = round(period_s * 1000)
        self._read_max_s = min(period_s, READ_MAX_S) if period_s else READ_MAX_S
        self._journal = journal
        self._clock = clock
        self._state = state
        self._report = report
        self._calibration = calibration
        self._needs_calibration = False
        self._sleep = sleep
        self._spec: tuple[SpecRow, ...] = ()
        self._waits = self._fresh_waits()

    async def run(self) -> None:
        """Start the sensor and sample it, for ever; start it again when it went."""
        while True:
            driver = self._make()
            self._spec = with_raw(driver.SPEC, self._calibration)
            self._needs_calibration = getattr(driver, "NEEDS_CALIBRATION", False)
            self._state.simulated = driver.SIMULATED
            self._state.listens = getattr(driver, "LISTENS", False)
            try:
                async with asyncio.timeout(START_MAX_S):
                    await driver.start()
                await self._sample(driver)
            except (DriverError, TimeoutError) as error:
                self._take(without_values(self._spec, quality_of(error)), self._stamp_ms())
                self._turn("failed", quality_of(error), repr(error))
            finally:
                await self._take_last_count(driver)
                await close(driver)
            await self._sleep(next(self._waits))

    def broken(self, error: Exception, *, quarantined: bool) -> None:
        """Note a bug of the driver."""
        self._state.bugs += 1
        self._take(without_values(self._spec, "io"), self._stamp_ms())
        self._turn("quarantined" if quarantined else "failed", "io", repr(error))

    async def _take_last_count(self, driver: "Driver") -> None:
        """Journal what was counted since the last beat, before who counted it is gone.

        So neither a restart of the service nor one of the driver loses a tip of the bucket.
        """
        if not getattr(driver, "COUNTS", False):
            return
        try:
            async with asyncio.timeout(CLOSE_MAX_S):
                readings = await driver.read()
        except (DriverError, TimeoutError) as error:
            log.debug("last count of %s: %r", self.name, error)
            return
        if any(reading.value for reading in readings):
            self._take(readings, self._clock.boottime_ms())

    async def _sample(self, driver: "Driver") -> NoReturn:
        """Read on every beat, for ever. Raises the error of the sensor that went."""
        at_ms = self._clock.boottime_ms()  # The first reading does not wait for a beat.
        misses = 0
        missing = Missing()
        while True:
            try:
                async with asyncio.timeout(self._read_max_s):
                    readings = await driver.read()
            except (DriverError, TimeoutError) as error:
                misses += 1
                self._state.misses += 1
                if misses >= MISSES_MAX:
                    if not self._state.listens:
                        raise
                    self._turn("failed", quality_of(error), str(error))
                if not self._state.listens or missing.is_due(quality_of(error), at_ms):
                    self._take(without_values(self._spec, quality_of(error)), at_ms)
            else:
                if readings:  # Who is listened to may have nothing new to say.
                    misses, missing = 0, Missing()
                    # Grows as a sensor is heard for the first time.
                    self._spec = with_raw(driver.SPEC, self._calibration)
                    self._state.readings += len(readings)
                    found = calibrated(readings, self._calibration, needs=self._needs_calibration)
                    self._take(found, at_ms if self._period_ms else self._clock.boottime_ms())
                    self._turn("ok", "ok", "")
            at_ms = await self._beat()

    async def _beat(self) -> int:
        """Wait for the next beat and return its time; how late we woke is kept beside."""
        if not self._period_ms:
            await self._sleep(0)
            return self._clock.boottime_ms()
        due_ms = beat_ms(self._clock.boottime_ms(), self._period_ms) + self._period_ms
        while (now_ms := self._clock.boottime_ms()) < due_ms:
            await self._sleep((due_ms - now_ms) / 1000)
        at_ms = beat_ms(now_ms, self._period_ms)  # Beats that were slept through are skipped.
        self._state.late(now_ms - due_ms)
        return at_ms

    def _stamp_ms(self) -> int:
        now_ms = self._clock.boottime_ms()
        return beat_ms(now_ms, self._period_ms) if self._period_ms else now_ms

    def _take(self, readings: Sequence[Reading], at_ms: int) -> None:
        decimals = {row[0]: row[4] for row in self._spec}
        self._journal.append(
            self.name, readings, at_ms, simulated=self._state.simulated, decimals=decimals
        )

    def _turn(self, state: str, quality: str, why: str) -> None:
        """Note the sensor's state; a change is told once to the log and to the city."""
        before = self._state.state
        if not self._state.turn(state, quality, why, self._clock.boottime_ms()):
            return
        if state == "ok":
            self._waits = self._fresh_waits()
            if before == "starting":
                return  # Nothing was amiss.
            log.warning("%s is back", self.name)
        else:
            log.warning("%s %s: %s", self.name, state, why)
        self._report(self._state.event())

    def _fresh_waits(self) -> Iterator[float]:
        period_s = self._period_ms / 1000
        return pauses(max(1.0, period_s), max(RETRY_MAX_S, period_s), self.name)


def quality_of(error: DriverError | TimeoutError) -> str:
    """Name what a missing reading is journalled with."""
    return error.quality if isinstance(error, DriverError) else "timeout"


async def close(driver: "Driver") -> None:
    """Close the driver; a wire that fails even then is left to the next start."""
    try:
        async with asyncio.timeout(CLOSE_MAX_S):
            await driver.close()
    except (DriverError, TimeoutError) as error:
        log.debug("closing %s: %r", driver.KIND, error)
