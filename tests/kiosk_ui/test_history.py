from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.reading import Reading
from kiosk_ui.history import HOUR_MS, History
from kiosk_ui.now import Present, today
from sync.clock import Clock
from sync.entry import Stream
from sync.journal import Journal

PM = Stream("air", "pm2_5", "ug/m3", 1, simulated=False)
RAIN = Stream("roof", "rain", "mm", 2, simulated=False)
MINUTE_MS = 60_000
NOW_MS = 1_795_600_800_000 // HOUR_MS * HOUR_MS + 20 * MINUTE_MS  # 17:20 in Thailand.
LOCAL_HOUR = 17


def fill(history: History, hours: range, value: float, every_ms: int = MINUTE_MS) -> None:
    """Measure these hours before now; hour 1 is the last full one."""
    for hour in hours:
        first_ms = NOW_MS // HOUR_MS * HOUR_MS - hour * HOUR_MS
        for at_ms in range(first_ms, first_ms + HOUR_MS, every_ms):
            history.add(PM, value, at_ms)


def test_a_day_that_was_measured_has_a_mean() -> None:
    """The mean of the hours' means, up to the last full hour; this hour does not count yet."""
    history = History()
    fill(history, range(1, 13), 10.0)
    fill(history, range(13, 25), 30.0, every_ms=5 * MINUTE_MS)
    history.add(PM, 500.0, NOW_MS)

    found = history.day_mean("air/pm2_5", NOW_MS)

    assert found is not None
    assert found.value == pytest.approx(20.0)  # An hour counts once, however often it was read.
    assert found.hours == 24
    assert found.until_ms == NOW_MS // HOUR_MS * HOUR_MS


@pytest.mark.parametrize(("hours", "there"), [(17, False), (18, True)])
def test_three_quarters_of_a_day_are_needed(hours: int, there: bool) -> None:  # noqa: FBT001
    """Of less than 18 hours no mean is made."""
    history = History()
    fill(history, range(3, 3 + hours), 12.0)

    assert (history.day_mean("air/pm2_5", NOW_MS) is not None) is there


def test_an_hour_that_was_hardly_measured_does_not_count() -> None:
    """Forty minutes at its beginning are no hour."""
    history = History()
    fill(history, range(1, 18), 12.0)
    first_ms = NOW_MS // HOUR_MS * HOUR_MS - 18 * HOUR_MS
    for minute in range(40):
        history.add(PM, 12.0, first_ms + minute * MINUTE_MS)

    assert history.day_mean("air/pm2_5", NOW_MS) is None


def test_rain_is_summed_since_midnight() -> None:
    """What fell yesterday is yesterday's, and a late beginning is told."""
    history = History()
    midnight_ms = NOW_MS // HOUR_MS * HOUR_MS - LOCAL_HOUR * HOUR_MS
    history.add(RAIN, 5.0, midnight_ms - 1)
    history.add(RAIN, 1.2, midnight_ms + 30_000)
    history.add(RAIN, 0.8, NOW_MS)

    found = history.day_sum("roof/rain", NOW_MS)

    assert found is not None
    assert found.value == pytest.approx(2.0)
    assert found.whole is True
    late = History()
    late.add(RAIN, 0.3, NOW_MS - HOUR_MS)
    found = late.day_sum("roof/rain", NOW_MS)
    assert found is not None
    assert (found.whole, found.since_ms) == (False, NOW_MS - HOUR_MS)


def test_a_mean_of_the_day_is_told_with_its_band_and_its_hours() -> None:
    """15.04 is shown as 15.0, and 15.0 is still very good; one value of now stays beside it."""
    history = History()
    fill(history, range(1, 21), 15.04)
    row = {
        "stream": "air/pm2_5",
        "quantity": "pm2_5",
        "value": 80.0,
        "unit": "ug/m3",
        "age_s": 1.0,
        "quality": "ok",
        "simulated": False,
    }

    shown = today([row], NOW_MS, 13.34, 100.93, history)

    assert shown["pm2_5_day"]["value"] == 15.0
    assert shown["pm2_5_day"]["band"] == 0
    assert shown["pm2_5_day"]["averaging"] == "24h"
    assert shown["pm2_5_day"]["hours"] == 20
    assert shown["pm2_5"]["averaging"] == "now"
    assert shown["pm2_5"]["band"] == 4


class Hands:
    """What the test sets the clock to."""

    def __init__(self) -> None:
        self.boottime_ms = 200 * HOUR_MS
        self.trusted = True

    def clock(self) -> Clock:
        """A clock that goes by these hands."""
        return Clock(
            trust=("ntp",),
            boottime_ms=lambda: self.boottime_ms,
            wall_ms=lambda: NOW_MS - 200 * HOUR_MS + self.boottime_ms,
            ntp_error_ms=lambda: 20 if self.trusted else None,
        )


@pytest.fixture
def hands() -> Hands:
    """A clock's hands."""
    return Hands()


@pytest.fixture
async def journal(tmp_path: Path, hands: Hands) -> AsyncIterator[Journal]:
    """A journal with twenty hours of fine dust behind it, sealed hour by hour."""
    clock = hands.clock()
    clock.poll()
    journal = await Journal.open(tmp_path, clock)
    for hour in range(20, 0, -1):
        for slot in range(12):
            at_ms = hands.boottime_ms - hour * HOUR_MS - 20 * MINUTE_MS + slot * 5 * MINUTE_MS
            tell(journal, 20.0, at_ms)
        await journal.seal()
    tell(journal, 20.0, hands.boottime_ms)
    yield journal
    await journal.close()


def tell(journal: Journal, value: float, at_ms: int) -> None:
    """Append one reading of fine dust."""
    reading = Reading("pm2_5", value, "ug/m3")
    journal.append("air", [reading], at_ms, simulated=False, decimals={"pm2_5": 1})


async def test_the_past_is_read_back_from_the_journal(journal: Journal) -> None:
    """A few segments at a time, until the day is complete."""
    history = History()
    await history.catch_up(journal)
    assert history.day_mean("air/pm2_5", NOW_MS) is None

    await history.catch_up(journal)
    await history.catch_up(journal)

    found = history.day_mean("air/pm2_5", NOW_MS)
    assert found is not None
    assert found.hours == 20
    assert found.value == pytest.approx(20.0)


async def test_what_was_read_is_not_counted_twice(journal: Journal) -> None:
    """However often one asks, each reading is in once."""
    history = History()
    for _ in range(6):
        await history.catch_up(journal)
    before = history.day_mean("air/pm2_5", NOW_MS + HOUR_MS)
    tell(journal, 20.0, journal.clock.boottime_ms())
    await journal.seal()
    for _ in range(3):
        await history.catch_up(journal)

    assert history.day_mean("air/pm2_5", NOW_MS + HOUR_MS) == before
    hours = history._hours["air/pm2_5"]  # What it counted shows nowhere else.
    assert sum(hour.count for hour in hours.values()) == 20 * 12 + 2


async def test_without_a_clock_nothing_is_put_into_a_day(journal: Journal, hands: Hands) -> None:
    """Readings whose hour nobody knows wait until somebody does."""
    hands.trusted = False
    lost = hands.clock()
    lost.poll()
    present = Present(journal, lost, dict, 13.34, 100.93, "release")
    journal.clock = lost

    await present.catch_up()

    assert present.history.day_mean("air/pm2_5", NOW_MS) is None
    assert present.snapshot()["today"]["moon"] is None


def test_a_clock_that_is_set_shows_the_moon() -> None:
    """Phase, light and the next full and new moon, the earlier one first."""
    shown = today([], NOW_MS, 13.34, 100.93)["moon"]

    assert shown["phase"] in range(8)
    assert 0 <= shown["lit_percent"] <= 100
    assert sorted(turn["kind"] for turn in shown["next"]) == ["full", "new"]
    assert NOW_MS < shown["next"][0]["at_ms"] < shown["next"][1]["at_ms"]
