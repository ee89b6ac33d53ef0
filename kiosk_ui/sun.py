"""Sunrise and sunset of one day at one place."""

from __future__ import annotations

from math import acos, asin, cos, pi, radians, sin, tan

DAY_S = 86_400
# Upper limb on the horizon, with the usual refraction.
HORIZON_DEGREES = -0.833


def sunrise_sunset_s(utc_s: float, latitude: float, longitude: float) -> tuple[int, int] | None:
    """Unix times of sunrise and sunset of the local solar day that `utc_s` lies in.

    The low-precision solar coordinates of the Astronomical Almanac (page C5), good for a
    minute between the polar circles. None where the sun does not cross the horizon.
    """
    solar_s = utc_s + longitude * DAY_S / 360
    noon_s = solar_s // DAY_S * DAY_S + DAY_S / 2 - longitude * DAY_S / 360
    days = noon_s / DAY_S - 10_957.5  # Since 2000-01-01 12:00.
    mean_longitude = radians((280.460 + 0.9856474 * days) % 360)
    anomaly = radians((357.528 + 0.9856003 * days) % 360)
    ecliptic = mean_longitude + radians(1.915) * sin(anomaly) + radians(0.020) * sin(2 * anomaly)
    obliquity = radians(23.439 - 4e-7 * days)
    declination = asin(sin(obliquity) * sin(ecliptic))
    # The equation of time, by way of the half obliquity (page C5 again).
    y = tan(obliquity / 2) ** 2
    equation = (
        y * sin(2 * mean_longitude)
        - 2 * 0.0167 * sin(anomaly)
        + 4 * 0.0167 * y * sin(anomaly) * cos(2 * mean_longitude)
    )
    transit_s = noon_s - equation * DAY_S / (2 * pi)
    height = sin(radians(HORIZON_DEGREES)) - sin(radians(latitude)) * sin(declination)
    cosine = height / (cos(radians(latitude)) * cos(declination))
    if not -1 <= cosine <= 1:
        return None
    half_s = acos(cosine) * DAY_S / (2 * pi)
    return round(transit_s - half_s), round(transit_s + half_s)
