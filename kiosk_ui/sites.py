"""Where a pack says that kiosks stand: what a kiosk takes from it that its settings leave open.

`pack.json` may have `kiosks`, a list with an object for each:

    {"id": "angsila-1",                         as in that kiosk's settings
     "names": {"th": …, "en": …, "zh": …},
     "coordinates": {"lat": …, "lon": …},
     "heading_deg": 270,                        may be null or missing
     "tiles": ["today", "eat", …]}              may be empty or missing

Settings win: whoever surveyed a kiosk stood before it, and a pack is written at a desk.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from kiosk_ui.content import LATITUDE, LONGITUDE, NAME_MAX
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_rows import number, words, wrong
from kiosk_ui.place import ALL_TILES, FULL_CIRCLE_DEG, PIER

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace

HEADING_MAX_DEG = FULL_CIRCLE_DEG - 0.1


@dataclass(frozen=True)
class Site:
    """One kiosk as the pack has it."""

    id: str
    names: Mapping[str, str]
    latitude: float
    longitude: float
    heading_deg: float | None
    tiles: tuple[str, ...]  # Empty: no order of its own.


def read_sites(pack: Pack) -> tuple[Site, ...]:
    """The kiosks of a pack. Raises `ContentError`."""
    sites = tuple(_site(row, pack.languages) for row in pack.kiosks)
    named = [site.id for site in sites]
    for name in named:
        if named.count(name) > 1:
            raise ContentError(f"pack.json: kiosks: {name}: id: used twice: {name!r}")
    return sites


def settled(place: KioskPlace, pack: Pack) -> KioskPlace:
    """A kiosk with what its pack knows of it, where its settings are as they came.

    Raises `ContentError`.
    """
    site = next((site for site in read_sites(pack) if site.id == place.id), None)
    if site is None:
        return place
    if dict(place.names) == PIER:
        place = replace(place, names=site.names)
    if place.tiles == ALL_TILES and site.tiles:
        place = replace(place, tiles=site.tiles)
    if place.position is not None:
        return place  # A heading of the pack belongs to the position of the pack.
    heading = site.heading_deg if place.heading_deg is None else place.heading_deg
    return replace(place, latitude=site.latitude, longitude=site.longitude, heading_deg=heading)


def _site(row: Any, languages: tuple[str, ...]) -> Site:
    named = row.get("id") if isinstance(row, dict) else None
    if not isinstance(named, str) or not named:
        raise wrong("pack.json: kiosks: id", "a kiosk's name", named or row)
    where = f"pack.json: kiosks: {named}"
    point, heading, tiles = row.get("coordinates"), row.get("heading_deg"), row.get("tiles") or []
    if not isinstance(point, dict):
        raise wrong(f"{where}: coordinates", "lat and lon", point)
    known = isinstance(tiles, list) and set(map(str, tiles)) <= set(ALL_TILES)
    if not known or len(set(tiles)) != len(tiles):
        raise wrong(f"{where}: tiles", f"some of {', '.join(ALL_TILES)}", tiles)
    return Site(
        id=named,
        names=words(f"{where}: names", row.get("names"), NAME_MAX, languages),
        latitude=number(f"{where}: coordinates.lat", point.get("lat"), *LATITUDE),
        longitude=number(f"{where}: coordinates.lon", point.get("lon"), *LONGITUDE),
        heading_deg=None
        if heading is None
        else number(f"{where}: heading_deg", heading, 0, HEADING_MAX_DEG),
        tiles=tuple(tiles),
    )
