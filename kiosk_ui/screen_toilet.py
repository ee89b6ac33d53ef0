"""Toilets: those that the pack knows, or honestly that it knows none."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.content import way_m

if TYPE_CHECKING:
    from kiosk_ui.content import Entry
    from kiosk_ui.screens import Screens

TAG = "toilet"
ASK = "municipality"  # The entry of those who know.


def screens(one: Screens) -> dict[str, str]:
    """One screen, whatever is known."""
    known = [entry for entry in one.pack.entries if TAG in entry.tags]
    cards = [one.card(entry) for entry in sorted(known, key=lambda entry: _far(one, entry))]
    ask = next((entry for entry in one.pack.entries if entry.id == ASK), None)
    return {"toilet": one.render("toilet.html", cards=cards, ask=ask)}


def _far(one: Screens, entry: Entry) -> tuple[bool, float]:
    way = way_m(entry, one.place.position)
    return way is None, way or 0.0
