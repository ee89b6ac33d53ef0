"""What the air means for a person: heat index and the Thai levels of heat and of PM2.5."""

from __future__ import annotations

from math import sqrt

# Department of Health and Thai Meteorological Department: a level begins at this heat index.
HEAT_LEVELS_CELSIUS = (27.0, 33.0, 42.0, 52.0)
# Pollution Control Department 2023: the highest 24-hour mean of each band, in µg/m³.
PM2_5_BANDS_UGM3 = (15.0, 25.0, 37.5, 75.0)


def heat_index_celsius(air_celsius: float, humidity_percent: float) -> float:
    """What the air feels like in the shade, by the National Weather Service's procedure.

    weather.gov, "The Heat Index Equation": Steadman's simple form averaged with the
    temperature, and where that reaches 80 °F the regression of Rothfusz (SR 90-23) with the
    adjustments for dry and for very humid air.
    """
    t = air_celsius * 9 / 5 + 32
    r = humidity_percent
    simple = (t + 61.0 + (t - 68.0) * 1.2 + r * 0.094) / 2
    index = (t + simple) / 2
    if index >= 80:
        index = _rothfusz_fahrenheit(t, r)
        if r < 13 and 80 <= t <= 112:
            index -= (13 - r) / 4 * sqrt((17 - abs(t - 95)) / 17)
        elif r > 85 and 80 <= t <= 87:
            index += (r - 85) / 10 * (87 - t) / 5
    return (index - 32) * 5 / 9


def heat_level(index_celsius: float) -> int:
    """0 below the first level, 1 caution, 2 warning, 3 danger, 4 extreme danger."""
    shown = round(index_celsius, 1)  # The level must fit the number beside it.
    return sum(shown >= start for start in HEAT_LEVELS_CELSIUS)


def pm2_5_band(ugm3: float) -> int:
    """0 very good, 1 good, 2 moderate, 3 starting to affect health, 4 affecting health."""
    shown = round(ugm3, 1)
    return sum(shown > limit for limit in PM2_5_BANDS_UGM3)


def _rothfusz_fahrenheit(t: float, r: float) -> float:
    return (
        -42.379
        + 2.04901523 * t
        + 10.14333127 * r
        - 0.22475541 * t * r
        - 6.83783e-3 * t * t
        - 5.481717e-2 * r * r
        + 1.22874e-3 * t * t * r
        + 8.5282e-4 * t * r * r
        - 1.99e-6 * t * t * r * r
    )
