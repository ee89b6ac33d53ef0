"""Lists: what a tile of the home screen leads to, the nearest first."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kiosk_ui.content import way_m
from kiosk_ui.stalls import read_stalls
from kiosk_ui.tiles import LISTS, Tile, listed

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens

MARKET = "eat"  # The list of what is sold; the stalls that sell it belong there.
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
    cards = [one.card(entry) for entry in near_first]
    if tile.key == MARKET:
        cards += _stalls(one)
    return one.render("list.html", tile=tile, cards=cards)


def _stalls(one: Screens) -> list[dict[str, Any]]:
    """The market's stalls by their number; the page puts those first that say they are open."""
    return [
        {
            "go": stall.door,
            "stall": stall.number,
            "icon": "shops",
            "name": stall.names[one.language],
            "note": one.say("Stall {n}", n=stall.number),
            "near": False,
            "opens": True,
            "hours": None,
            "sure": None,
        }
        for stall in sorted(read_stalls(one.pack), key=lambda stall: numbered(stall.number))
    ]


def numbered(number: str) -> tuple[int, str]:
    """Numbers as people count them: 7 before 12, and 12 before 12A."""
    digits = re.match(r"[0-9]*", number)
    return (int(digits[0]) if digits and digits[0] else 0, number)
