"""A stall's own card, and what its keeper can tell for today behind a PIN."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosk_ui.languages import NEEDED
from kiosk_ui.stalls import read_stalls

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens
    from kiosk_ui.stalls import Good

WORDS = {
    "toldAt": "Told by the stall at {n}",
    "stallOpen": "Open today",
    "stallClosed": "Closed today",
    "stallAsk": "Nothing told for today, please ask",
    "soldOut": "Sold out",
    "askPrice": "ask the price",
    "baht": "{n} baht",
    "kept": "Stored. It is shown until midnight.",
    "notKept": "Not stored. Please try again.",
    "noClock": "The clock is not set, so nothing can be told for today.",
    "over": "Your time is over. Please enter the PIN again.",
}


def screens(one: Screens) -> dict[str, str]:
    """Two screens for each stall that the pack has; what its keeper reads is Thai only."""
    made = {}
    for stall in read_stalls(one.pack):
        values = {
            "number": stall.number,
            "name": stall.names[one.language],
            "entry": None if stall.entry is None else f"entry/{stall.entry}",
            "goods": [_good(good, one.language) for good in stall.goods],
        }
        made[stall.door] = one.render("stall.html", **values)
        if one.language == NEEDED:
            made[f"vendor/{stall.number}"] = one.render("vendor.html", **values)
            made[f"vendor/{stall.number}/sure"] = one.render("vendor_sure.html", **values)
    return made


def _good(good: Good, language: str) -> dict[str, Any]:
    return {
        "id": good.id,
        "name": good.names[language],
        "unit": "" if good.unit is None else good.unit[language],
        "presets": " ".join(str(price) for price in good.presets),
    }
