from datetime import datetime, timedelta, timezone

import pytest

from kiosk_ui.sun import sunrise_sunset_s

THAILAND = timezone(timedelta(hours=7))


# Computed with the library astral 3.2 for 13.341 N, 100.925 E.
@pytest.mark.parametrize(
    ("day", "rise", "sets"),
    [
        ("2026-03-20", "06:20:53", "18:26:56"),
        ("2026-06-21", "05:50:51", "18:45:17"),
        ("2026-11-22", "06:18:41", "17:45:51"),
        ("2026-12-21", "06:34:10", "17:54:18"),
    ],
)
@pytest.mark.parametrize("hour", [0, 5, 12, 18, 23])
def test_sunrise_and_sunset_agree_with_another_program(
    day: str, rise: str, sets: str, hour: int
) -> None:
    """Within a minute, whatever the hour of that day at which one asks."""
    asked = datetime.fromisoformat(f"{day}T{hour:02}:30").replace(tzinfo=THAILAND)

    times = sunrise_sunset_s(asked.timestamp(), 13.341, 100.925)

    for found, wanted in zip(times or (), (rise, sets), strict=True):
        true = datetime.fromisoformat(f"{day}T{wanted}").replace(tzinfo=THAILAND)
        assert found == pytest.approx(true.timestamp(), abs=60)


def test_a_polar_night_has_no_sunrise() -> None:
    """Where the sun does not cross the horizon there is nothing to show."""
    assert sunrise_sunset_s(datetime(2026, 12, 21, tzinfo=THAILAND).timestamp(), 80, 20) is None
