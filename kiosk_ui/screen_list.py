"""Lists: what a tile of the home screen leads to, the nearest first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.content import way_m
from kiosk_ui.drawings import icon_of
from kiosk_ui.tiles import TILES, Tile, listed

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens


def screens(one: Screens) -> dict[str, str]:
    """One list per tile that has entries."""
    return {tile.go: _list(one, tile) for tile in TILES if tile.kinds}


def _list(one: Screens, tile: Tile) -> str:
    entries = listed(one.pack, tile)
    way = {entry.id: way_m(entry, one.place.position) for entry in entries}
    near_first = sorted(entries, key=lambda entry: (way[entry.id] is None, way[entry.id] or 0.0))
    cards = [
        {
            "id": entry.id,
            "icon": icon_of(entry),
            "name": entry.card_name(one.language),
            "note": one.way(way[entry.id]),
        }
        for entry in near_first
    ]
    return one.render("list.html", tile=tile, cards=cards)
