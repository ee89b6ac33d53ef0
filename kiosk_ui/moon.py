"""The moon's phase at one moment: how far it is from the sun, and how much of it is lit."""

from __future__ import annotations

from math import cos, radians, sin

DAY_S = 86_400
J2000_S = 946_728_000  # 2000-01-01 12:00, as Unix time.
CENTURY_DAYS = 36_525
# Within so many degrees of a new, half or full moon people call it that: half a day.
NAMED_DEGREES = 6.1
DEGREES_PER_DAY = 12.190749
SEARCH_STEPS = 6  # Each gets ten times closer.

# Meeus, Astronomical Algorithms, table 47.A: the terms of the moon's longitude over 0.03
# degrees, as multiples of D, M, M' and F, and degrees.
MOON_TERMS = (
    (0, 0, 1, 0, 6.288774),
    (2, 0, -1, 0, 1.274027),
    (2, 0, 0, 0, 0.658314),
    (0, 0, 2, 0, 0.213618),
    (0, 1, 0, 0, -0.185116),
    (0, 0, 0, 2, -0.114332),
    (2, 0, -2, 0, 0.058793),
    (2, -1, -1, 0, 0.057066),
    (2, 0, 1, 0, 0.053322),
    (2, -1, 0, 0, 0.045758),
    (0, 1, -1, 0, -0.040923),
    (1, 0, 0, 0, -0.034720),
    (0, 1, 1, 0, -0.030383),
)


def elongation_degrees(utc_s: float) -> float:
    """From the sun to the moon along the ecliptic: 0 new, 90 first quarter, 180 full.

    Mean elements of Meeus, chapter 47, with the equation of the sun's centre (chapter 25);
    good for a tenth of a degree, which the moon takes twelve minutes for.
    """
    t = (utc_s - J2000_S) / DAY_S / CENTURY_DAYS
    d = radians((297.8501921 + 445267.1114034 * t - 0.0018819 * t * t) % 360)
    m = radians((357.5291092 + 35999.0502909 * t - 0.0001536 * t * t) % 360)
    m1 = radians((134.9633964 + 477198.8675055 * t + 0.0087414 * t * t) % 360)
    f = radians((93.2720950 + 483202.0175233 * t - 0.0036539 * t * t) % 360)
    moon = sum(
        degrees * sin(i_d * d + i_m * m + i_m1 * m1 + i_f * f)
        for i_d, i_m, i_m1, i_f, degrees in MOON_TERMS
    )
    sun = 1.914602 * sin(m) + 0.019993 * sin(2 * m)
    mean = 297.8501921 + 445267.1114034 * t - 0.0018819 * t * t
    return (mean + moon - sun) % 360


def illuminated(elongation: float) -> float:
    """The lit share of the disc, 0 to 1. The moon's latitude is left out: under 0.3 %."""
    return (1 - cos(radians(elongation))) / 2


def phase(elongation: float) -> int:
    """0 new, 1 waxing crescent, 2 first quarter, 3 waxing gibbous, 4 full, and so on to 7."""
    nearest = round(elongation / 90)
    if abs(elongation - nearest * 90) <= NAMED_DEGREES:
        return nearest % 4 * 2
    return int(elongation // 90) * 2 + 1


def next_at_s(utc_s: float, target_degrees: float) -> int:
    """Unix time at which the moon is next so far from the sun."""
    ahead = (target_degrees - elongation_degrees(utc_s)) % 360
    at_s = utc_s + ahead / DEGREES_PER_DAY * DAY_S
    for _ in range(SEARCH_STEPS):
        off = (target_degrees - elongation_degrees(at_s) + 180) % 360 - 180
        at_s += off / DEGREES_PER_DAY * DAY_S
    return round(at_s)
