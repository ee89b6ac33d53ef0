"""Search, and the screens of what is often asked for and nobody has checked yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosk_ui import search
from kiosk_ui.search_words import TOPICS

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens

CHIPS_MAX = 8
# What is asked for most, for who does not want to type; those that are there are shown.
# The second is a shorter word than the target's title, where that is long.
CHIPS = (
    ("entry/oyster", ""),
    ("toilet", ""),
    ("entry/nacha-shrine", ""),
    ("entry/stone-mortar", "Stone mortars"),
    ("entry/songthaew", ""),
    ("entry/bang-saen-beach", "Bang Saen"),
    ("entry/khao-sam-muk", "Monkeys"),
    ("ask/atm", "ATM"),
    ("ask/restaurant", ""),
    ("map", ""),
)
WORDS = {
    "nothingFound": "Nothing found. Try these:",
    "foundCount": "{n} found",
    "keyErase": "Delete",
    "keySpace": "Space",
    "keyShift": "Shift",
    "keyDigits": "Digits",
    "keyLetters": "Letters",
    "keyMore": "More letters",
    "keyThai": "Thai letters",
    "keyLatin": "Latin letters",
}


def screens(one: Screens) -> dict[str, str]:
    """The search itself, and one screen per topic."""
    found = {"search": one.render("search.html")}
    return found | {f"ask/{topic.id}": one.render("ask.html", topic=topic) for topic in TOPICS}


def extras(one: Screens) -> dict[str, Any]:
    """The index, and which of it to offer before anything is typed."""
    found = search.index(one)
    targets = {target[0]: target for target in found["search"]}
    chips = [
        [go, targets[go][1], one.say(words) if words else targets[go][2], ""]
        for go, words in CHIPS
        if go in targets
    ]
    return found | {"searchChips": chips[:CHIPS_MAX]}
