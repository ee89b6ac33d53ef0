import json
from math import sqrt

from drivers import tide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True

ORACLE = __file__.rsplit("/", 1)[0] + "/tide_oracle.json"
DAY_S = 86_400
NEW_YEAR_2026_S = 1_767_225_600


def oracle() -> "dict[str, Any]":
    """What an independent predictor says for the same constants."""
    with open(ORACLE) as file:
        content: dict[str, Any] = json.load(file)
    return content


def rms_m(theory: str) -> float:
    """How far our heights lie from its heights with the nodal corrections of `theory`."""
    said = oracle()
    at_s = said["first_s"]
    squares = 0.0
    for tenth_mm in said[theory]:  # No lists in between: a node's heap is small.
        ours_m = tide.height_m(at_s) - tide.ANG_SILA_MEAN_LEVEL_M
        squares += (ours_m - tenth_mm / 10_000) ** 2
        at_s += said["step_s"]
    return sqrt(squares / len(said[theory]))


def test_heights_agree_with_an_independent_predictor() -> None:
    """At 400 hours of two years we are within 5 mm rms of neaps, which was written by others."""
    assert len(oracle()["schureman"]) == 400
    assert rms_m("schureman") <= 0.005


def test_another_theory_of_the_moons_nodes_changes_little() -> None:
    """With the IHO's nodal corrections instead of Schureman's, 2 cm rms are kept."""
    assert rms_m("iho") <= 0.02


def test_turns_agree_with_an_independent_predictor() -> None:
    """High and low waters fall within two minutes and 1 cm of those that neaps finds."""
    for window in oracle()["turns"]:
        found = tide.extremes(window[0][0] - 600, window[-1][0] + 600)
        assert [turn[2] for turn in found] == [turn[2] for turn in window]
        for ours, theirs in zip(found, window):
            assert abs(ours[0] - theirs[0]) <= 120
            assert abs(ours[1] - tide.ANG_SILA_MEAN_LEVEL_M - theirs[1]) <= 0.01


def test_high_and_low_water_alternate() -> None:
    """After a high water comes a low one, for a whole month."""
    turns = tide.extremes(NEW_YEAR_2026_S, NEW_YEAR_2026_S + 30 * DAY_S)
    kinds = [turn[2] for turn in turns]
    assert len(kinds) > 60
    for before, after in zip(kinds, kinds[1:]):
        assert before != after


def test_a_small_dip_is_no_low_water() -> None:
    """Two neighbouring turns differ by at least what a person could see."""
    turns = tide.extremes(NEW_YEAR_2026_S, NEW_YEAR_2026_S + 30 * DAY_S)
    heights = [turn[1] for turn in turns]
    for before, after in zip(heights, heights[1:]):
        assert abs(after - before) >= tide.RISE_MIN_M


def test_a_turn_does_not_depend_on_the_window() -> None:
    """The turns of one day are those that a longer window has for that day."""
    start_s = NEW_YEAR_2026_S + 100 * DAY_S
    week = tide.extremes(start_s - 3 * DAY_S, start_s + 4 * DAY_S)
    day = tide.extremes(start_s, start_s + DAY_S)
    assert day
    assert day == [turn for turn in week if start_s <= turn[0] <= start_s + DAY_S]


def test_midnight_makes_no_step() -> None:
    """The daily change of the nodal corrections moves the water by less than 2 mm."""
    for day in range(0, 400, 40):
        midnight_s = NEW_YEAR_2026_S + day * DAY_S
        before, after = tide.height_m(midnight_s - 1), tide.height_m(midnight_s)
        assert abs(after - before) < 0.002


def test_a_span_without_end_is_refused() -> None:
    """A span over the limit is an error that names it, not an hour of computing."""
    refused = ""
    try:
        tide.extremes(0, tide.SPAN_S_MAX + 1)
    except ValueError as error:
        refused = str(error)
    assert str(tide.SPAN_S_MAX + 1) in refused
