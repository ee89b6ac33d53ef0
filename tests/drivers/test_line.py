from drivers.bus import Scanner
from drivers.fake_bus import FakeLine
from drivers.line import LineSensor
from drivers.port import TICKS_PERIOD_MS
from drivers.reading import Reading
from tests.drivers.ticks import Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True


class Counter(LineSensor):
    """A sensor that sends a head and a number."""

    KIND = "counter"
    SPEC = (("count", "1", 0, 255, 0),)

    def make_scanner(self) -> Scanner:
        """What finds its two bytes."""
        return Scanner(b"\xaa", 2, lambda frame: frame[1] != 0xAA)

    def take(self, frame: bytes) -> "tuple[Reading, ...]":
        """The number."""
        return (Reading("count", frame[1], "1"),)


async def values(driver: Counter, count: int) -> "list[Any]":
    """The next values."""
    found = []
    for _ in range(count):
        found.append((await driver.read())[0].value)  # noqa: PERF401 # not portable otherwise
    return found


async def test_the_next_frame_is_the_reading() -> None:
    """What came before the beat is forgotten, and so is the rest of a chunk."""
    driver = Counter(FakeLine([b"\xaa\x01\xaa\x02", b"\xaa\x03"]))
    await driver.start()
    assert await values(driver, 2) == [1, 3]


async def test_every_frame_can_be_had() -> None:
    """In their order, none left out."""
    driver = Counter(FakeLine([b"\xaa\x01\xaa\x02", b"\xaa\x03"]), every_frame=True)
    await driver.start()
    assert await values(driver, 3) == [1, 2, 3]


async def test_a_warm_sensor_stays_warm() -> None:
    """The clock wraps after days, and the sensor is not cold again."""
    now = Ticks(TICKS_PERIOD_MS - 1000)
    driver = Counter(FakeLine([b"\xaa\x01"] * 3), warm_up_s=2, now_ms=now)
    await driver.start()
    assert (await driver.read())[0].quality == "warming_up"
    now.ms += 2000
    assert (await driver.read())[0].value == 1
    now.ms += TICKS_PERIOD_MS // 2 + 1000
    assert (await driver.read())[0].value == 1
