from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from drivers.reading import Reading
from kiosk_ui.now import Present, today
from sync.clock import Clock
from sync.journal import Journal

UTC_MS = 1_795_600_800_000
MINUTE_MS = 60_000


class Hands:
    """What the test sets the clock to."""

    def __init__(self) -> None:
        self.boottime_ms = 5_000_000

    def clock(self, *, trusted: bool) -> Clock:
        """A clock that goes by these hands."""
        clock = Clock(
            trust=("ntp",),
            boottime_ms=lambda: self.boottime_ms,
            wall_ms=lambda: UTC_MS + self.boottime_ms,
            ntp_error_ms=lambda: 20 if trusted else None,
        )
        clock.poll()
        return clock


@pytest.fixture
def hands() -> Hands:
    """A clock's hands."""
    return Hands()


@pytest.fixture
async def present(tmp_path: Path, hands: Hands) -> AsyncIterator[Present]:
    """The present of an empty journal."""
    clock = hands.clock(trusted=True)
    journal = await Journal.open(tmp_path, clock)
    yield Present(journal, clock, lambda: {"state": "online"}, 13.34, 100.93, "release")
    await journal.close()


def tell(present: Present, sensor: str, *readings: Reading, simulated: bool = False) -> None:
    """Append readings of one sensor now."""
    decimals = {row.quantity: 1 for row in readings}
    at_ms = present.clock.boottime_ms()
    present.journal.append(sensor, readings, at_ms, simulated=simulated, decimals=decimals)


def row(quantity: str, value: float | None, **change: Any) -> dict[str, Any]:
    """Make a reading as the page sees it."""
    found = {
        "stream": f"air/{quantity}",
        "quantity": quantity,
        "value": value,
        "unit": "",
        "age_s": 1.0,
        "quality": "ok",
        "simulated": False,
    }
    return {**found, **change}


async def test_a_reading_is_told_with_age_and_source(present: Present, hands: Hands) -> None:
    """The newest reading of a stream, rounded to what its sensor knows."""
    tell(present, "air", Reading("air_temperature", 30.4444, "Cel"), simulated=True)
    hands.boottime_ms += 2 * MINUTE_MS

    assert present.snapshot()["readings"] == [
        {
            "stream": "air/air_temperature",
            "quantity": "air_temperature",
            "value": 30.4,
            "unit": "Cel",
            "age_s": 120.0,
            "quality": "ok",
            "simulated": True,
        }
    ]


async def test_a_fault_has_no_value(present: Present) -> None:
    """A sensor that does not answer is told as such, and nothing is made of its past."""
    tell(present, "air", Reading("pm2_5", 18, "ug/m3"))
    tell(present, "air", Reading("pm2_5", None, "ug/m3", "timeout"))

    shown = present.snapshot()

    assert shown["readings"][0]["value"] is None
    assert shown["readings"][0]["quality"] == "timeout"
    assert shown["today"]["pm2_5"] is None


async def test_clock_uplink_and_seq_are_told(present: Present) -> None:
    """What the contract of the page promises is there."""
    tell(present, "air", Reading("pm2_5", 18, "ug/m3"))

    shown = present.snapshot()

    assert shown["seq"] == present.journal.seq > 0
    assert shown["clock"]["set"] is True
    assert shown["uplink"] == {"state": "online"}
    assert shown["today"]["tide"]["curve"]["heights_m"]


async def test_a_card_in_trouble_is_told(present: Present) -> None:
    """Whoever looks knows whether what is measured now survives a power cut."""
    assert present.snapshot()["card"] == "ok"
    present.journal.trouble = "database or disk is full"
    assert present.snapshot()["card"] == "full"


def test_without_a_clock_there_is_no_tide() -> None:
    """A tide for a wrong hour is worse than none, and the reason is told."""
    shown = today([], None, 13.34, 100.93)

    assert shown["tide"] is None
    assert shown["sun"] is None
    assert shown["tide_missing"] == "clock_not_set"


def test_heat_index_needs_both_values_of_one_sensor() -> None:
    """Temperature here and humidity there make no index."""
    air = row("air_temperature", 32.0)
    elsewhere = row("relative_humidity", 70.0, stream="roof/relative_humidity")
    here = row("relative_humidity", 70.0)

    assert today([air, elsewhere], None, 13, 100)["heat_index"] is None
    found = today([air, here], None, 13, 100)["heat_index"]
    assert found["value"] == pytest.approx(40.4, abs=0.5)  # 90 °F, 70 %: 105 °F in the chart.
    assert found["source"] == "air"
    assert found["level"] == 2


def test_a_derived_value_is_as_old_as_its_oldest_part() -> None:
    """And simulated as soon as one of them is."""
    air = row("air_temperature", 32.0, age_s=400.0)
    damp = row("relative_humidity", 70.0, simulated=True)

    found = today([air, damp], None, 13, 100)["heat_index"]

    assert found["age_s"] == 400.0
    assert found["simulated"] is True


def test_measured_comes_before_simulated() -> None:
    """A real sensor is shown although a simulated one is newer."""
    real = row("pm2_5", 12.0, stream="real/pm2_5", age_s=90.0)
    fake = row("pm2_5", 80.0, stream="fake/pm2_5", age_s=1.0, simulated=True)

    assert today([fake, real], None, 13, 100)["pm2_5"]["source"] == "real"


def test_pm2_5_is_called_a_value_of_now() -> None:
    """Its band is that of a 24-hour mean, so what it is has to be said."""
    assert today([row("pm2_5", 25.1)], None, 13, 100)["pm2_5"]["band"] == 2
    assert today([row("pm2_5", 25.1)], None, 13, 100)["pm2_5"]["averaging"] == "now"


def test_what_is_older_than_an_hour_is_no_longer_now() -> None:
    """Then there is nothing to show."""
    assert today([row("pm2_5", 25.1, age_s=3601.0)], None, 13, 100)["pm2_5"] is None
