"""The city's own map: GeoJSON that is checked, and turned into a few lists of lines."""

from __future__ import annotations

import json
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Any

from kiosk_ui.errors import ContentError

if TYPE_CHECKING:
    from kiosk_ui.map_frame import Degrees

FILE = "map.json"
KINDS = ("water", "building", "street")  # In the order in which they are drawn.
SHAPES = {"water": "Polygon", "building": "Polygon", "street": "LineString"}
BYTES_MAX = 2_000_000
FEATURES_MAX = 20_000
POINTS_MAX = 100_000
CREDIT_MAX = 120
LATITUDE = (13.2, 13.5)  # As for the entries: the town and what is a short ride away.
LONGITUDE = (100.8, 101.1)


@dataclass(frozen=True)
class CityMap:
    """Streets, buildings and water, and whom to thank for them."""

    credit: str
    lines: dict[str, tuple[tuple[Degrees, ...], ...]]  # Kind -> lines, or closed rings.


def read_city_map(body: bytes) -> CityMap:
    """Check a FeatureCollection (RFC 7946) with a `credit`. Raises `ContentError`.

    Each feature has a property `kind`: a street is a LineString, a building or water is a
    Polygon; its holes are left out.
    """
    if len(body) > BYTES_MAX:
        raise _wrong("", f"at most {BYTES_MAX} bytes", len(body))
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise ContentError(f"{FILE}: not JSON: {error}") from error
    if not isinstance(found, dict) or found.get("type") != "FeatureCollection":
        raise _wrong("type", "FeatureCollection", _type_of(found))
    credit = found.get("credit")
    if not isinstance(credit, str) or not 0 < len(credit.strip()) <= CREDIT_MAX:
        raise _wrong("credit", f"1 to {CREDIT_MAX} characters, whom to thank", credit)
    features = found.get("features")
    if not isinstance(features, list) or not 0 < len(features) <= FEATURES_MAX:
        raise _wrong("features", f"a list of 1 to {FEATURES_MAX}", _length(features))
    lines: dict[str, list[tuple[Degrees, ...]]] = {kind: [] for kind in KINDS}
    points = 0
    for number, feature in enumerate(features):
        kind, drawn = _feature(f"features[{number}]", feature)
        lines[kind].append(drawn)
        points += len(drawn)
        if points > POINTS_MAX:
            raise _wrong(f"features[{number}]", f"at most {POINTS_MAX} points in all", points)
    return CityMap(credit.strip(), {kind: tuple(found) for kind, found in lines.items()})


def _feature(where: str, feature: Any) -> tuple[str, tuple[Degrees, ...]]:
    if not isinstance(feature, dict) or feature.get("type") != "Feature":
        raise _wrong(f"{where}.type", "Feature", _type_of(feature))
    properties, geometry = feature.get("properties"), feature.get("geometry")
    kind = properties.get("kind") if isinstance(properties, dict) else None
    if not isinstance(kind, str) or kind not in KINDS:
        raise _wrong(f"{where}.properties.kind", " or ".join(KINDS), kind)
    if not isinstance(geometry, dict) or geometry.get("type") != SHAPES[kind]:
        raise _wrong(f"{where}.geometry.type", f"{SHAPES[kind]} for a {kind}", _type_of(geometry))
    where += ".geometry.coordinates"
    positions = geometry.get("coordinates")
    least = 2
    if SHAPES[kind] == "Polygon":
        if not isinstance(positions, list) or not positions:
            raise _wrong(where, "a list of rings", positions)
        positions, least = positions[0], 4
    if not isinstance(positions, list) or len(positions) < least:
        raise _wrong(where, f"{least} or more positions", positions)
    drawn = tuple(_position(f"{where}[{n}]", each) for n, each in enumerate(positions))
    if least > 2 and drawn[0] != drawn[-1]:
        raise _wrong(where, "a ring that ends where it begins", positions[-1])
    return kind, drawn


def _position(where: str, value: Any) -> Degrees:
    """GeoJSON has the longitude first."""
    if not isinstance(value, list) or not 2 <= len(value) <= 3:
        raise _wrong(where, "[longitude, latitude]", value)
    lon = _degrees(f"{where}[0]", value[0], LONGITUDE)
    lat = _degrees(f"{where}[1]", value[1], LATITUDE)
    return lat, lon


def _degrees(where: str, value: Any, bounds: tuple[float, float]) -> float:
    low, high = bounds
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise _wrong(where, f"a number from {low} to {high}", value)
    if not isfinite(value) or not low <= value <= high:
        raise _wrong(where, f"{low} to {high}", value)
    return float(value)


def _type_of(value: Any) -> object:
    return value.get("type") if isinstance(value, dict) else value


def _length(value: Any) -> object:
    return len(value) if isinstance(value, list) else value


def _wrong(where: str, wanted: str, value: object) -> ContentError:
    place = f"{FILE}: {where}" if where else FILE
    return ContentError(f"{place}: {wanted} is wanted: {str(value)[:80]!r}")
