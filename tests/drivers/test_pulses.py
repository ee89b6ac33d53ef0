from drivers import pulses
from drivers.port import TICKS_PERIOD_MS
from tests.drivers.captured import rows
from tests.drivers.ticks import Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PORTABLE = True


def nobody(at_ms: int, is_active: bool) -> None:  # noqa: FBT001 # as a pin says it
    """Nobody is told."""
    del at_ms, is_active


class Pin:
    """An input that a test pulls."""

    def __init__(self) -> None:
        self.level = False
        self.tell: Callable[[int, bool], None] = nobody

    async def open(self, on_edge: "Callable[[int, bool], None]") -> None:
        """Tell this from now on."""
        self.tell = on_edge

    async def close(self) -> None:
        """Tell nobody any more."""
        self.tell = nobody

    def is_active(self) -> bool:
        """What the pin says now."""
        return self.level


def test_captured_edges() -> None:
    """Bounces of a tipping bucket are no tips."""
    (row,) = rows("pulses", "mm_per_tip")
    given = row["input"]
    assert pulses.tips(given["edges_ms"], given["min_gap_ms"]) == row["expected"]["tips"]


def test_wind_of_a_frequency() -> None:
    """Ten pulses in five seconds are 4.8 km/h."""
    (row,) = rows("pulses", "kmh_per_hz")
    given = row["input"]
    speed = pulses.metres_per_second(given["pulses"] / given["window_s"], given["kmh_per_hz"])
    assert abs(speed - row["expected"]["wind_ms"]) < 0.001


def test_a_counter_counts_over_the_wrap_of_the_clock() -> None:
    """The tick counter starts again at 0 in the middle of the rain."""
    counter = pulses.PulseCounter(20)
    for at_ms in (TICKS_PERIOD_MS - 100, TICKS_PERIOD_MS - 95, 0, 5, 100):
        counter.edge(at_ms)
    assert counter.take() == (3, 0)
    assert counter.bounces == 2


def test_the_most_pulses_in_a_window() -> None:
    """A gust may begin anywhere; pulses exactly a window apart are not in one."""
    counter = pulses.PulseCounter(4, 3.0)
    for at_ms in (0, 1000, 2000, 3000, 3100, 3200, 9000):
        counter.edge(at_ms)
    assert counter.take() == (7, 5)
    assert counter.take() == (0, 0)


async def test_rain_since_the_reading_before() -> None:
    """Each tip is read once; when the contact opens is not counted."""
    pin = Pin()
    driver = pulses.Rain(pin)
    await driver.start()
    for at_ms in (1000, 2000, 3000):
        pin.tell(at_ms, True)
        pin.tell(at_ms + 100, False)
    assert await driver.read() == (("rain", 0.84, "mm", "ok"),)
    assert await driver.read() == (("rain", 0, "mm", "ok"),)
    await driver.close()


async def test_wind_and_gust() -> None:
    """The mean is over the whole time, the gust over its fastest three seconds."""
    pin, now = Pin(), Ticks()
    driver = pulses.Anemometer(pin, now_ms=now)
    await driver.start()
    for at_ms in range(0, 3000, 100):
        pin.tell(at_ms, True)
    now.ms = 10_000
    assert await driver.read() == (
        ("wind_speed", 2.0, "m/s", "ok"),
        ("wind_gust", 6.7, "m/s", "ok"),
    )
    assert [one.quality for one in await driver.read()] == ["no_data", "no_data"]
    now.ms = 20_000
    assert [one.value for one in await driver.read()] == [0, 0]


async def test_motion() -> None:
    """It was active if it became so, or still is; in its first minute it tells nothing."""
    pin, now = Pin(), Ticks()
    driver = pulses.PIR(pin, warm_up_s=60, now_ms=now)
    await driver.start()
    pin.tell(10, True)
    assert [one.quality for one in await driver.read()] == ["warming_up", "warming_up"]
    now.ms = 60_000
    assert [one.value for one in await driver.read()] == [0, 0]
    pin.tell(61_000, True)
    pin.tell(61_500, False)
    assert [one.value for one in await driver.read()] == [1, 1]
    pin.level = True
    assert [one.value for one in await driver.read()] == [1, 0]


async def test_a_button() -> None:
    """A press is counted once, however the contact bounces."""
    pin = Pin()
    driver = pulses.Button(pin)
    await driver.start()
    for at_ms in (0, 3, 7, 1000):
        pin.tell(at_ms, True)
    assert await driver.read() == (("pressed", 1, "1", "ok"), ("presses", 2, "1", "ok"))
