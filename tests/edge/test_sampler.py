import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

from drivers.errors import BusError, ChecksumError
from drivers.reading import Reading
from edge.calibration import Calibration
from edge.health import SensorState
from edge.sampler import MISSES_MAX, Sampler, beat_ms

if TYPE_CHECKING:
    from drivers.reading import SpecRow

OK = (Reading("air_temperature", 31.5, "Cel"),)
Step = Callable[[], Awaitable[tuple[Reading, ...]]]


class World:
    """A clock that moves only when somebody sleeps, and a journal that remembers."""

    def __init__(self, now_ms: int = 100_250) -> None:
        self.now_ms = now_ms
        self.taken: list[tuple[int, float | None, str]] = []
        self.reports: list[dict[str, Any]] = []
        self.late_ms = 0

    def boottime_ms(self) -> int:
        """Tell the time."""
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        """Let the time pass, and a little more, as a busy machine does."""
        self.now_ms += round(seconds * 1000) + self.late_ms
        await asyncio.sleep(0)

    def append(self, sensor: str, readings: Sequence[Reading], at_ms: int, **how: Any) -> None:
        """Remember what a journal would take."""
        assert (sensor, how["simulated"]) == ("pier", False)
        assert {reading.quantity: 2 for reading in readings}.items() <= how["decimals"].items()
        self.taken += [(at_ms, reading.value, reading.quality) for reading in readings]


class Script:
    """A driver that follows a script, one step for each read, and ends with the test."""

    KIND = "script"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (("air_temperature", "Cel", -40, 85, 2),)

    def __init__(self, *steps: Step | tuple[Reading, ...] | Exception) -> None:
        self._steps = list(steps)
        self.starts = 0
        self.closes = 0

    async def start(self) -> None:
        """Count."""
        self.starts += 1

    async def read(self) -> tuple[Reading, ...]:
        """Do the next step."""
        if not self._steps:
            raise asyncio.CancelledError
        step = self._steps.pop(0)
        if isinstance(step, Exception):
            raise step
        return step if isinstance(step, tuple) else await step()

    async def close(self) -> None:
        """Count."""
        self.closes += 1


async def sampled(
    world: World,
    driver: Script,
    period_s: float = 10.0,
    calibration: Mapping[str, Calibration] | None = None,
) -> SensorState:
    """Sample to the end of the script."""
    state = SensorState("pier", "script", period_s)
    sampler = Sampler(
        "pier",
        make=lambda: driver,
        period_s=period_s,
        journal=world,
        clock=world,
        state=state,
        report=world.reports.append,
        calibration=calibration or {},
        sleep=world.sleep,
    )
    with pytest.raises(asyncio.CancelledError):
        await sampler.run()
    return state


async def test_readings_are_stamped_with_their_beat_and_do_not_drift() -> None:
    """The first reading is taken at once, all others bear a whole multiple of the period."""
    world = World(now_ms=100_250)
    world.late_ms = 37

    state = await sampled(world, Script(OK, OK, OK, OK))

    assert [at_ms for at_ms, _, _ in world.taken] == [100_250, 110_000, 120_000, 130_000]
    assert (state.late_ms, state.late_ms_max, state.readings) == (37, 37, 4)


async def test_beats_that_were_slept_through_are_skipped() -> None:
    """A sensor that took 25 s is not asked three times in a row to make up for it."""
    world = World(now_ms=100_000)

    async def slow() -> tuple[Reading, ...]:
        await world.sleep(25)
        return OK

    await sampled(world, Script(slow, OK, OK))

    assert [at_ms for at_ms, _, _ in world.taken] == [100_000, 130_000, 140_000]


async def test_without_a_period_readings_are_stamped_on_arrival() -> None:
    """A sensor that sends by itself is taken as it comes, and every reading is kept."""
    world = World(now_ms=1000)

    async def next_frame() -> tuple[Reading, ...]:
        await world.sleep(2.3)
        return OK

    await sampled(world, Script(next_frame, next_frame), period_s=0)

    assert [at_ms for at_ms, _, _ in world.taken] == [3300, 5600]


async def test_one_bad_frame_is_a_gap_and_no_alarm() -> None:
    """A single failure costs its beat; nobody is woken for it."""
    world = World()

    state = await sampled(world, Script(OK, ChecksumError("flipped"), OK))

    assert [(value, quality) for _, value, quality in world.taken] == [
        (31.5, "ok"),
        (None, "checksum"),
        (31.5, "ok"),
    ]
    assert world.reports == []
    assert (state.state, state.misses) == ("ok", 1)


async def test_a_sensor_that_goes_and_comes_back_says_each_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The log and the city get one line when it goes and one when it is back."""
    world = World()
    driver = Script(OK, *[BusError("no answer")] * (3 * MISSES_MAX), OK, OK)

    with caplog.at_level(logging.WARNING):
        await sampled(world, driver)

    assert [report["state"] for report in world.reports] == ["failed", "ok"]
    assert world.reports[0]["quality"] == "io"
    assert "no answer" in world.reports[0]["why"]
    assert len(caplog.records) == 2
    assert driver.starts == driver.closes == 4  # At first, and after each time it was given up.


async def test_a_sensor_that_is_not_there_is_a_state_on_the_screen() -> None:
    """A missing sensor shows as an entry without a value, and is tried ever more rarely."""
    world = World(now_ms=0)
    driver = Script()
    tries_ms: list[int] = []

    async def start() -> None:
        tries_ms.append(world.now_ms)
        if len(tries_ms) > 5:
            raise asyncio.CancelledError
        raise BusError("nothing at 0x76", "absent")

    driver.start = start  # type: ignore[method-assign] # this one is not there

    state = await sampled(world, driver, period_s=1.0)

    assert {(value, quality) for _, value, quality in world.taken} == {(None, "absent")}
    assert (state.state, state.quality) == ("failed", "absent")
    pauses_ms = [later - sooner for sooner, later in pairwise(tries_ms)]
    assert pauses_ms == sorted(pauses_ms)
    assert len(world.reports) == 1


class Listening(Script):
    """A driver of a sensor that is only listened to."""

    LISTENS = True


async def test_a_sensor_that_is_only_listened_to_keeps_its_beat() -> None:
    """It is not started again, however long it is silent, and shows on the first beat it is back.

    Its silence is journalled at once, then once a minute, and again when it has another reason.
    """
    world = World(now_ms=0)
    absent, silent = BusError("no adapter", "absent"), BusError("not heard", "timeout")
    driver = Listening(OK, *[absent] * 12, *[silent] * 8, OK)

    state = await sampled(world, driver)

    assert state.listens  # So the watchdog does not wait for it.
    assert driver.starts == 1
    assert [(at_ms // 1000, quality) for at_ms, _, quality in world.taken] == [
        (0, "ok"),
        (10, "absent"),
        (70, "absent"),
        (130, "timeout"),
        (190, "timeout"),
        (210, "ok"),
    ]
    assert [(report["state"], report["quality"]) for report in world.reports] == [
        ("failed", "absent"),
        ("failed", "timeout"),
        ("ok", "ok"),
    ]


async def test_nothing_new_is_neither_good_nor_bad() -> None:
    """Between two adverts a beat passes without an entry, and without a change of state."""
    world = World(now_ms=0)
    none: tuple[Reading, ...] = ()
    silent = BusError("not heard", "timeout")

    state = await sampled(world, Listening(none, silent, none, silent, none, silent, none))

    assert [quality for _, _, quality in world.taken] == ["timeout"]
    assert state.state == "failed"


async def test_a_calibrated_reading_is_journalled_with_its_raw_value() -> None:
    """Both streams are there, when the sensor answers and when it does not."""
    world = World(now_ms=0)
    found = Calibration(1.0, -0.5, "2026-11-25", "Somchai", "ice water")

    await sampled(world, Script(OK, BusError("gone"), OK), calibration={"air_temperature": found})

    assert [value for _, value, _ in world.taken] == [31.0, 31.5, None, None, 31.0, 31.5]


class Bucket(Script):
    """A driver that counts, and has counted something since its last beat."""

    COUNTS = True

    def __init__(self, last: float) -> None:
        super().__init__(OK, OK)
        self._last = last

    async def read(self) -> tuple[Reading, ...]:
        """Two beats, the end of the service, and what was counted until then."""
        if self._steps:
            return await super().read()
        if self.closes or self.reads_after_end:
            return (Reading("air_temperature", self._last, "Cel"),)
        self.reads_after_end = True
        raise asyncio.CancelledError

    reads_after_end = False


@pytest.mark.parametrize(("last", "taken"), [(0.28, [31.5, 31.5, 0.28]), (0.0, [31.5, 31.5])])
async def test_a_restart_loses_no_count(last: float, taken: list[float]) -> None:
    """What fell into the bucket since the last beat is journalled before the service ends."""
    world = World(now_ms=0)
    driver = Bucket(last)

    await sampled(world, driver)

    assert [value for _, value, _ in world.taken] == taken
    assert driver.closes == 1


class Probe(Script):
    """A driver of a probe that ages."""

    NEEDS_CALIBRATION = True


async def test_a_probe_without_a_calibration_says_so() -> None:
    """The city and the screen see the value, and that nobody has vouched for it."""
    world = World()

    await sampled(world, Probe(OK))

    assert [(value, quality) for _, value, quality in world.taken] == [(31.5, "uncalibrated")]


async def test_a_sensor_that_hangs_is_given_up_in_time() -> None:
    """A read that never ends costs its own beat."""
    world = World()

    async def hang() -> tuple[Reading, ...]:
        await asyncio.Event().wait()
        return OK

    await sampled(world, Script(hang, OK), period_s=0.01)

    assert [quality for _, _, quality in world.taken] == ["timeout", "ok"]


def test_a_beat_is_a_whole_multiple_of_the_period() -> None:
    """Sensors with one period share their beats, whenever they were started."""
    assert [beat_ms(now_ms, 10_000) for now_ms in (0, 9_999, 10_000, 25_001)] == [
        0,
        0,
        10_000,
        20_000,
    ]
