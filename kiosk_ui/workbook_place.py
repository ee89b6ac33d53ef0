"""Where a thing may be: within the town, and on land."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from kiosk_ui.content import LATITUDE, LONGITUDE, distance_m

if TYPE_CHECKING:
    from kiosk_ui.workbook_cells import Cells

TOWN_LATITUDE = (13.26, 13.36)
TOWN_LONGITUDE = (100.88, 100.97)
PRECISION_M_MAX = 2000
PRECISION_M = 150  # Where nobody says how well a point is known.

# The coast from the pier in the north to Wonnapha in the south; the sea lies to the west. It is
# a line through eight places, so a headland may stand half a kilometre out of it.
COAST = (
    (13.341, 100.925),
    (13.328, 100.922),
    (13.3095, 100.905),
    (13.301, 100.901),
    (13.292, 100.9085),
    (13.268, 100.923),
)
COAST_ERROR_M = 500


def coast_longitude(latitude: float) -> float:
    """Where the coast is at this latitude; beyond its ends it goes straight on."""
    if latitude >= COAST[0][0]:
        return COAST[0][1]
    for (north, east), (south, west) in pairwise(COAST):
        if latitude >= south:
            return west + (east - west) * (latitude - south) / (north - south)
    return COAST[-1][1]


def sea_m(latitude: float, longitude: float) -> float:
    """How far a point lies west of the coast, in metres; 0 on land."""
    coast = coast_longitude(latitude)
    if longitude >= coast:
        return 0.0
    return distance_m((latitude, longitude), (latitude, coast))


def coordinates(cells: Cells, *, needed: bool = False) -> dict[str, Any] | None:
    """Latitude, longitude and precision of a row, if it has any that can be."""
    if not needed and not cells["lat"] and not cells["lon"]:
        if cells["precision_m"]:
            cells.wrong("together", "precision_m", columns="lat, lon")
        return None
    if not cells["lat"] or not cells["lon"]:
        cells.wrong("together", "lon" if cells["lat"] else "lat", columns="lat, lon")
        return None
    lat = cells.number("lat", *LATITUDE, code="far")
    lon = cells.number("lon", *LONGITUDE, code="far")
    precision = cells.number("precision_m", 0, PRECISION_M_MAX)
    if lat is None or lon is None:
        return None
    precision_m = PRECISION_M if precision is None else round(precision)
    _within(cells, lat, lon, precision_m)
    return {"lat": lat, "lon": lon, "precision_m": precision_m}


def _within(cells: Cells, lat: float, lon: float, precision_m: int) -> None:
    """Complain of a point outside the town or in the sea, unless the row says that it is meant."""
    over_water, outside = cells.yes("over_water"), cells.yes("outside_town")
    if not outside:
        for column, value, (low, high) in (
            ("lat", lat, TOWN_LATITUDE),
            ("lon", lon, TOWN_LONGITUDE),
        ):
            if not low <= value <= high:
                cells.wrong("outside", column, low=low, high=high)
    wet_m = sea_m(lat, lon)
    if not over_water and wet_m > COAST_ERROR_M + precision_m:
        cells.wrong("sea", "lon", metres=round(wet_m / 10) * 10)
