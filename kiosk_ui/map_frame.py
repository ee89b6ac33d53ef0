"""Plain geometry of the kiosk's maps: degrees to metres on a plan that may be turned."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, radians, sin
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

# Over a town a degree is the same everywhere: WGS 84 at 13.3 degrees north.
METRES_PER_DEGREE_LAT = 110_640
METRES_PER_DEGREE_LON_AT_EQUATOR = 111_320

Degrees = tuple[float, float]  # Latitude, longitude.
Point = tuple[float, float]  # Metres to the right and down on the plan.


class Box(NamedTuple):
    """A rectangle on the plan, in metres."""

    x: float
    y: float
    width: float
    height: float

    @property
    def view(self) -> str:
        """As an SVG says it."""
        return " ".join(str(round(number)) for number in self)

    def holds(self, point: Point) -> bool:
        """Whether a point lies in it."""
        x, y = point[0] - self.x, point[1] - self.y
        return 0 <= x <= self.width and 0 <= y <= self.height


@dataclass(frozen=True)
class Frame:
    """A plan: where its zero lies, and which bearing is up on it (0 north, 90 east)."""

    origin: Degrees
    up_deg: float = 0.0

    def point(self, lat: float, lon: float) -> Point:
        """Metres on the plan; y grows downwards, as on a screen."""
        north = (lat - self.origin[0]) * METRES_PER_DEGREE_LAT
        east = (lon - self.origin[1]) * METRES_PER_DEGREE_LON_AT_EQUATOR
        east *= cos(radians(self.origin[0]))
        sine, cosine = sin(radians(self.up_deg)), cos(radians(self.up_deg))
        return east * cosine - north * sine, -(east * sine + north * cosine)

    def points(self, places: Iterable[Degrees]) -> list[Point]:
        """Many at once."""
        return [self.point(lat, lon) for lat, lon in places]


def box_round(points: Iterable[Point], margin: float, least: float) -> Box:
    """The smallest box round all points with a margin; `least` metres at least each way."""
    xs, ys = zip(*points, strict=True)
    width = max(max(xs) - min(xs) + 2 * margin, least)
    height = max(max(ys) - min(ys) + 2 * margin, least)
    middle = (max(xs) + min(xs)) / 2, (max(ys) + min(ys)) / 2
    return Box(middle[0] - width / 2, middle[1] - height / 2, width, height)


def line(points: Iterable[Point], *, closed: bool = False) -> str:
    """A straight path through the points, for an SVG."""
    text = "L".join(f"{x:.0f} {y:.0f}" for x, y in points)
    return f"M{text}{'Z' if closed else ''}"


def curve(points: list[Point]) -> str:
    """A smooth path through the points: Catmull and Rom's, as SVG's cubic curves."""
    text = f"M{points[0][0]:.0f} {points[0][1]:.0f}"
    padded = [points[0], *points, points[-1]]
    for before, start, end, after in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        one = start[0] + (end[0] - before[0]) / 6, start[1] + (end[1] - before[1]) / 6
        two = end[0] - (after[0] - start[0]) / 6, end[1] - (after[1] - start[1]) / 6
        text += f"C{one[0]:.0f} {one[1]:.0f} {two[0]:.0f} {two[1]:.0f} {end[0]:.0f} {end[1]:.0f}"
    return text
