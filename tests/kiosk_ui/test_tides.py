import pytest

from drivers.tide import extremes, height_m
from kiosk_ui.tides import BEFORE_S, SPAN_S, tide

NOON = 1_795_600_800  # 2026-11-25, 10:00 UTC.


def test_the_curve_lies_round_the_present() -> None:
    """It spans 24 hours, begins about six hours ago, and is the predictor's own."""
    curve = tide(NOON)["curve"]

    first_s = curve["from_ms"] // 1000
    assert NOON - BEFORE_S - curve["step_s"] < first_s <= NOON - BEFORE_S
    assert (len(curve["heights_m"]) - 1) * curve["step_s"] == SPAN_S
    for place in (0, 30, 72):
        at_s = first_s + place * curve["step_s"]
        assert curve["heights_m"][place] == pytest.approx(height_m(at_s), abs=0.005)


@pytest.mark.parametrize("hour", range(0, 24 * 14, 5))
def test_the_next_turns_are_the_first_that_follow(hour: int) -> None:
    """One high and one low, both ahead, each the first of its kind, the earlier one first."""
    utc_s = NOON + hour * 3600
    shown = tide(utc_s)["next"]

    assert sorted(turn["kind"] for turn in shown) == ["high", "low"]
    assert shown[0]["at_ms"] < shown[1]["at_ms"]
    for turn in shown:
        first = next(one for one in extremes(utc_s, utc_s + 2 * SPAN_S) if one[2] == turn["kind"])
        assert turn["at_ms"] == pytest.approx(first[0] * 1000, abs=60_000)
        assert turn["height_m"] == pytest.approx(first[1], abs=0.01)


def test_the_trend_is_that_of_the_water() -> None:
    """Before a high it rises, after it falls, and at the turn it is slack."""
    high_s = next(at_s for at_s, _, kind in extremes(NOON, NOON + SPAN_S) if kind == "high")

    assert tide(high_s - 7200)["trend"] == "rising"
    assert tide(high_s)["trend"] == "slack"
    assert tide(high_s + 7200)["trend"] == "falling"


def test_a_tide_says_what_it_is() -> None:
    """An estimate with its source, and no sensor's value."""
    shown = tide(NOON)

    assert shown["estimate"] is True
    assert "Royal Thai Navy" in shown["source"]
    assert shown["simulated"] is False
