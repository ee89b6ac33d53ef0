from datetime import UTC, datetime

import pytest

from kiosk_ui import moon


def utc_s(text: str) -> float:
    """Turn a time in UTC into Unix time."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


# Computed with PyEphem 4.2.1 (libastro, VSOP87 and the full lunar theory).
@pytest.mark.parametrize(
    ("at", "elongation", "lit_percent"),
    [
        ("2026-04-19T05:00", 23.80, 4.4),
        ("2026-12-30T06:00", 263.43, 55.8),
        ("2027-07-18T10:00", 177.39, 99.9),
        ("2028-04-26T08:00", 17.83, 2.6),
        ("2030-07-15T09:00", 183.87, 99.8),
        ("2031-12-04T00:00", 235.69, 78.2),
        ("2033-02-28T07:00", 344.98, 1.9),
        ("2036-10-13T19:00", 283.53, 38.4),
    ],
)
def test_the_moon_agrees_with_another_program(
    at: str, elongation: float, lit_percent: float
) -> None:
    """Its distance from the sun within a fifth of a degree, its light within half a per cent."""
    found = moon.elongation_degrees(utc_s(at))

    assert found == pytest.approx(elongation, abs=0.2)
    assert 100 * moon.illuminated(found) == pytest.approx(lit_percent, abs=0.5)


# Computed with PyEphem 4.2.1; those of 2026 are also what almanacs print.
@pytest.mark.parametrize(
    ("target", "after", "at"),
    [
        (180, "2026-01-01T00:00", "2026-01-03T10:02"),
        (270, "2026-01-04T00:00", "2026-01-10T15:48"),
        (0, "2026-01-04T00:00", "2026-01-18T19:51"),
        (90, "2026-01-19T00:00", "2026-01-26T04:47"),
        (0, "2027-02-01T00:00", "2027-02-06T15:56"),
        (180, "2027-02-01T00:00", "2027-02-20T23:23"),
        (180, "2029-04-20T00:00", "2029-04-28T10:36"),
    ],
)
def test_new_half_and_full_moons_come_when_almanacs_say(target: int, after: str, at: str) -> None:
    """Within a quarter of an hour, and never in the past."""
    found = moon.next_at_s(utc_s(after), target)

    assert found == pytest.approx(utc_s(at), abs=900)
    assert found > utc_s(after)


@pytest.mark.parametrize(
    ("elongation", "phase"),
    [
        (0.0, 0),
        (6.0, 0),
        (6.2, 1),
        (45.0, 1),
        (90.0, 2),
        (135.0, 3),
        (174.0, 4),
        (180.0, 4),
        (186.2, 5),
        (270.0, 6),
        (300.0, 7),
        (354.0, 0),
        (359.9, 0),
    ],
)
def test_a_phase_has_the_name_that_people_give_it(elongation: float, phase: int) -> None:
    """New, half and full last a day; crescent and gibbous are what lies between."""
    assert moon.phase(elongation) == phase


def test_half_a_moon_is_half_lit() -> None:
    """Nothing at new, half at the quarters, all at full."""
    assert [round(moon.illuminated(angle), 3) for angle in (0, 90, 180, 270)] == [0, 0.5, 1, 0.5]
