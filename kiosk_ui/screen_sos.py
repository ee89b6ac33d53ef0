"""Emergency: the numbers to call and the words that say where you are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.content import way_m
from kiosk_ui.drawings import icon_of
from kiosk_ui.tiles import FIRST_NUMBERS, shown_entries

if TYPE_CHECKING:
    from kiosk_ui.content import Entry
    from kiosk_ui.screens import Screens

HELP_TAGS = ("aed", "clinic", "hospital")


def screens(one: Screens) -> dict[str, str]:
    """The one screen that is a tap away from everywhere."""
    cards = [
        {
            "phone": entry.phone,
            "name": entry.card_name(one.language),
            "icon": icon_of(entry),
        }
        for entry in shown_entries(one.pack, "emergency")
    ]
    first = [card for number in FIRST_NUMBERS for card in cards if card["phone"] == number]
    names, position = one.place.names, one.place.position
    near = _nearest_help(one)
    markup = one.render(
        "sos.html",
        first=first,
        here_th=f"ฉันอยู่ที่ {names['th']} ต.อ่างศิลา อ.เมือง จ.ชลบุรี",
        here_en=f"I am at {names['en']}, Ang Sila, Mueang Chonburi.",
        position=None if position is None else f"{position[0]:.5f} N  {position[1]:.5f} E",
        near=None if near is None else near.card_name(one.language),
        near_way=None if near is None else one.way(way_m(near, position)),
    )
    return {"sos": markup}


def _nearest_help(one: Screens) -> Entry | None:
    """A defibrillator or a doctor, if the pack knows one and how far it is."""
    ways = [
        (way, entry)
        for entry in one.pack.entries
        if set(entry.tags) & set(HELP_TAGS)
        and (way := way_m(entry, one.place.position)) is not None
    ]
    return min(ways, key=lambda pair: pair[0])[1] if ways else None
