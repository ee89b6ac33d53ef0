"""Lists: what a tile of the home screen leads to, the nearest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.content import way_m
from kiosk_ui.tiles import LISTS, Tile, listed

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens

# What the script that knows the time says of opening hours.
WORDS = {
    "open": "Open now",
    "openUntil": "Open until {n}",
    "closed": "Closed now",
    "opensAt": "Opens at {n}",
    "askHours": "Hours: ask",
    "hoursCheck": "Check hours",
}


def screens(one: Screens) -> dict[str, str]:
    """One list per tile that has entries."""
    return {tile.go: _list(one, tile) for tile in LISTS}


def _list(one: Screens, tile: Tile) -> str:
    entries = listed(one.pack, tile)
    way = {entry.id: way_m(entry, one.place.position) for entry in entries}
    near_first = sorted(entries, key=lambda entry: (way[entry.id] is None, way[entry.id] or 0.0))
    return one.render("list.html", tile=tile, cards=[one.card(entry) for entry in near_first])
