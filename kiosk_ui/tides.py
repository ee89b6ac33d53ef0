"""The tide as the screen shows it: a curve of 24 hours, the height now, the next turns."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from drivers.tide import ANG_SILA_CREDIT, extremes, height_m

STEP_S = 1_200
BEFORE_S = 6 * 3_600  # The curve begins here before now, and shows what comes.
SPAN_S = 24 * 3_600
TURNS_AHEAD_S = 26 * 3_600  # Diurnal tides: a high and a low lie in it on any day.
TREND_S = 600
SLACK_M = 0.005  # Less than this in ten minutes is neither rising nor falling.


def tide(utc_s: float) -> dict[str, Any]:
    """Curve, height and turns around one moment. Heights in m above lowest low water."""
    first_s = int(utc_s - BEFORE_S) // STEP_S * STEP_S
    heights, turns = _curve(first_s)
    now_m = height_m(utc_s)
    change_m = height_m(utc_s + TREND_S) - now_m
    ahead = [turn for turn in turns if turn[0] > utc_s]
    coming = {kind: (at_s, metres) for at_s, metres, kind in reversed(ahead)}
    return {
        "height_m": round(now_m, 2),
        "trend": "slack" if abs(change_m) < SLACK_M else "rising" if change_m > 0 else "falling",
        "next": [
            {"kind": kind, "at_ms": at_s * 1000, "height_m": round(metres, 2)}
            for kind, (at_s, metres) in sorted(coming.items(), key=lambda item: item[1])
        ],
        "curve": {"from_ms": first_s * 1000, "step_s": STEP_S, "heights_m": heights},
        "estimate": True,
        "source": ANG_SILA_CREDIT,
        "age_s": 0.0,  # It is computed for the moment it is asked for.
        "simulated": False,
    }


@lru_cache(maxsize=4)
def _curve(first_s: int) -> tuple[list[float], list[tuple[int, float, str]]]:
    """The curve changes every `STEP_S`; each live message in between takes it from here."""
    heights = [round(height_m(at_s), 2) for at_s in range(first_s, first_s + SPAN_S + 1, STEP_S)]
    return heights, extremes(first_s, first_s + BEFORE_S + TURNS_AHEAD_S)
