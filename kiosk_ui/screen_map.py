"""The map: a plan of the market and one of the area, with you-are-here and places to tap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from kiosk_ui import map_art
from kiosk_ui.content import (
    DETOUR,
    PRECISION_M_MAX,
    WALK_M_PER_MIN,
    Coordinates,
    distance_m,
    way_m,
)
from kiosk_ui.drawings import icon_of
from kiosk_ui.map_city import FILE, read_city_map
from kiosk_ui.map_frame import Box, Frame, box_round
from kiosk_ui.tiles import LISTS, listed

if TYPE_CHECKING:
    from kiosk_ui.content import Entry, Pack
    from kiosk_ui.map_city import CityMap
    from kiosk_ui.map_frame import Degrees
    from kiosk_ui.place import KioskPlace
    from kiosk_ui.screens import Screens

MARKET_ENTRY = "old-market"  # The middle of the market plan where no kiosk was surveyed.
MARKET_M = 900  # So far round it a place is on the market plan.
MARKET_LEAST_M = 800
AREA_LEAST_M = 3_000
MARGIN = 0.12  # Of the larger side; pins stand above their places.
UNITS_M = {"market": 24.0, "area": 130.0}  # A small thing in a drawing.
RINGS_MIN = {"market": (5, 10), "area": (15, 30)}  # Minutes on foot round the kiosk.
CLEAR_M = 60  # A place known better than this needs no circle of doubt on the market plan.
CROP_LEAST_M = 500
CROP_ASPECT = 1.5

EAT_TAGS = {"market", "food", "seafood", "shopping", "craft"}
SEE_TAGS = {
    *("shrine", "temple", "history", "royal", "museum", "viewpoint"),
    *("nature", "beach", "family", "wildlife"),
}


class Chip(NamedTuple):
    """A choice of what the map shows; `otherwise` leads on where nothing of it has a place."""

    kind: str
    icon: str
    name: str
    otherwise: str


CHIPS = (
    Chip("see", "shrine", "See", "list/see"),
    Chip("eat", "oyster", "Eat & buy", "list/eat"),
    Chip("services", "townhall", "Services", "list/city"),
    Chip("transport", "songthaew", "Transport", "list/around"),
)
PLANS = (("market", "shops", "Market"), ("area", "beach", "Area"))

# What the script of the map has to say.
WORDS = {
    "mapNone": "No place of this kind is on the map yet.",
    "mapList": "Show the list",
    "mapDetails": "Details",
    "mapClose": "Close",
    "mapMore": "More",
}


@dataclass(frozen=True)
class Plan:
    """One of the two maps of one kiosk."""

    name: str
    frame: Frame
    box: Box

    @property
    def art(self) -> str:
        """The id of its drawing, which all languages share."""
        return f"map-{self.name}"


class Pin(NamedTuple):
    """One place on one plan."""

    id: str
    name: str
    icon: str
    kinds: str
    x: int
    y: int
    way: str
    note: str  # How far it is, and how well its place is known.
    about_m: int  # How well its place is known.
    rough: bool  # Too badly for a pin.


def screens(one: Screens) -> dict[str, str]:
    """The one screen with both plans."""
    plans = [
        {
            "name": plan.name,
            "art": plan.art,
            "box": plan.box,
            "pins": pins(one, plan),
            "rings": _rings(one, plan),
            "you": _you(one.place, plan),
            "sea": _sea(plan),
        }
        for plan in plans_of(one.pack, one.place)
    ]
    found = city_map(one.pack)
    markup = one.render(
        "map.html",
        plans=plans,
        choices=PLANS,
        chips=CHIPS,
        first="area" if one.place.position is None else "market",
        up_deg=_up_deg(one.place),
        facing=one.place.heading_deg is not None,
        surveyed=one.place.position is not None,
        credit="" if found is None else found.credit,
        clear_m=CLEAR_M,
    )
    return {"map": markup}


def symbols(pack: Pack, place: KioskPlace) -> str:
    """The drawings of both plans, for the page that all screens stand in."""
    found = city_map(pack)
    return "".join(f'<g id="{plan.art}">{_art(plan, found)}</g>' for plan in plans_of(pack, place))


def crop(one: Screens, entry: Entry) -> str:
    """A small piece of map with the kiosk and one place; nothing where that is not known."""
    where, here = entry.coordinates, one.place.position
    if where is None or where.precision_m > PRECISION_M_MAX:
        return ""
    both = [(where.lat, where.lon), *([here] if here else [])]
    for plan in plans_of(one.pack, one.place):
        points = plan.frame.points(both)
        if plan.name == "area" or all(plan.box.holds(point) for point in points):
            break
    box = box_round(points, 0, 0)
    margin = max(box.width, box.height) * 0.3
    box = _with_aspect(box_round(points, margin, CROP_LEAST_M))
    return one.render(
        "crop.html",
        art=plan.art,
        box=box,
        place=points[0],
        you=points[1] if here else None,
        mark=box.height / 9,
    )


def plans_of(pack: Pack, place: KioskPlace) -> list[Plan]:
    """The market plan first, then the area plan."""
    known = [entry.coordinates for entry in _located(pack)]
    here = place.position
    middle = here or next(
        ((one.lat, one.lon) for one in _of(pack, MARKET_ENTRY)), (pack.latitude, pack.longitude)
    )
    frame = Frame(middle, _up_deg(place))
    places: list[Degrees] = [(one.lat, one.lon) for one in known if one is not None]
    near = [one for one in places if distance_m(middle, one) <= MARKET_M]
    return [
        Plan("market", frame, _box(frame, [*near, middle], MARKET_LEAST_M)),
        Plan("area", frame, _box(frame, [*places, middle], AREA_LEAST_M)),
    ]


def pins(one: Screens, plan: Plan) -> list[Pin]:
    """The places on a plan, the nearest first: where pins crowd, the nearest stays."""
    found = []
    for entry in _located(one.pack):
        where = entry.coordinates
        if where is None:
            continue
        point = plan.frame.point(where.lat, where.lon)
        if not plan.box.holds(point):
            continue
        way = way_m(entry, one.place.position)
        pin = Pin(
            id=entry.id,
            name=entry.card_name(one.language),
            icon=icon_of(entry),
            kinds=kinds_of(entry),
            x=round(point[0]),
            y=round(point[1]),
            way=one.way(way),
            note=_note(one, one.way(way), where.precision_m),
            about_m=where.precision_m,
            rough=where.precision_m > PRECISION_M_MAX,
        )
        found.append((way is None, way or 0.0, pin))
    return [pin for *_, pin in sorted(found, key=lambda row: row[:2])]


def kinds_of(entry: Entry) -> str:
    """Under which chips a place is found."""
    tags = set(entry.tags)
    if entry.kind in ("service", "emergency"):
        return "services"
    if entry.kind == "transport":
        return "transport"
    eat, see = bool(tags & EAT_TAGS), bool(tags & SEE_TAGS)
    return " ".join(name for name, fits in (("see", see or not eat), ("eat", eat)) if fits)


def city_map(pack: Pack) -> CityMap | None:
    """The city's own map, where the pack has one. Raises `ContentError`."""
    body = pack.file(FILE)
    return None if body is None else read_city_map(body)


def _art(plan: Plan, found: CityMap | None) -> str:
    if found is not None:
        return map_art.city(found, plan.frame)
    return map_art.schematic(plan.frame, UNITS_M[plan.name])


def _located(pack: Pack) -> list[Entry]:
    shown = [entry for tile in LISTS for entry in listed(pack, tile)]
    return [entry for entry in shown if entry.coordinates is not None]


def _note(one: Screens, way: str, about_m: int) -> str:
    about = one.say("place known to {n} m", n=about_m) if about_m > CLEAR_M else ""
    return " · ".join(part for part in (way, about) if part)


def _of(pack: Pack, entry_id: str) -> list[Coordinates]:
    return [
        entry.coordinates for entry in pack.entries if entry.id == entry_id and entry.coordinates
    ]


def _box(frame: Frame, places: list[Degrees], least: float) -> Box:
    points = frame.points(places)
    tight = box_round(points, 0, least / 2)
    return box_round(points, max(tight.width, tight.height) * MARGIN, least)


def _with_aspect(box: Box) -> Box:
    width = max(box.width, box.height * CROP_ASPECT)
    height = max(box.height, box.width / CROP_ASPECT)
    return Box(box.x - (width - box.width) / 2, box.y - (height - box.height) / 2, width, height)


def _up_deg(place: KioskPlace) -> float:
    """What is ahead of a person is up, as far as the technician has said where that is."""
    return place.heading_deg or 0.0


def _you(place: KioskPlace, plan: Plan) -> tuple[int, int] | None:
    if place.position is None:
        return None
    x, y = plan.frame.point(*place.position)
    return round(x), round(y)


def _rings(one: Screens, plan: Plan) -> list[tuple[int, str]]:
    """Radius in metres and words of the rings that say how far one gets on foot."""
    if one.place.position is None:
        return []
    return [
        (round(minutes * WALK_M_PER_MIN / DETOUR), one.say("{n} min", n=minutes))
        for minutes in RINGS_MIN[plan.name]
    ]


def _sea(plan: Plan) -> tuple[int, int]:
    """Where the sea is named: off the shore, to the west."""
    lat, lon = (13.331, 100.886) if plan.name == "area" else (13.3432, 100.9206)
    x, y = plan.frame.point(lat, lon)
    return round(x), round(y)
