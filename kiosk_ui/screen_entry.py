"""Entries: one thing of the town on one screen, with its Thai name to show to a driver."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from markupsafe import Markup

from kiosk_ui.content import way_m
from kiosk_ui.drawings import icon_of
from kiosk_ui.i18n import say_date
from kiosk_ui.screen_map import crop
from kiosk_ui.tiles import LISTS, listed

if TYPE_CHECKING:
    from kiosk_ui.content import Entry, Hours
    from kiosk_ui.screens import Screens

# Sources that give a position and nothing else are no source of the text.
POSITION_SOURCES = ("poi-coords", "osm-bangsaen", "rachini-gps")

# Who is to be shown the Thai name.
THAI_FOR = {
    "place": "Show this to a driver",
    "service": "Show this to a driver",
    "transport": "Show this to a driver",
    "product": "Show this to a seller",
}
THAI_MAX = 30
# Characters from which a title takes the smaller, and the smallest size.
TITLE_LONG = {"th": (20, 40), "en": (20, 45), "zh": (10, 30)}


def screens(one: Screens) -> dict[str, str]:
    """One screen per entry that a list leads to."""
    entries = [entry for tile in LISTS for entry in listed(one.pack, tile)]
    return {f"entry/{entry.id}": _entry(one, entry) for entry in entries}


def _entry(one: Screens, entry: Entry) -> str:
    name = entry.names[one.language]
    alt = "" if entry.photo is None else entry.photo.alt[one.language]
    return one.render(
        "entry.html",
        id=entry.id,
        name=name,
        title_size=_title_size(one.language, name),
        thai=_thai(entry),
        thai_for=one.say(THAI_FOR.get(entry.kind, "In Thai")),
        text=entry.text[one.language],
        icon_name=icon_of(entry),
        way=one.way(way_m(entry, one.place.position)),
        hours=_hours(one, entry),
        rule=None if entry.hours is None else entry.hours.rule,
        sure=None if entry.hours is None else entry.hours.confidence,
        map=Markup(crop(one, entry)) or None,  # noqa: S704 # our own drawing
        photo=None if entry.photo is None else one.picture(entry.photo.file, alt),
        photo_by=None if entry.photo is None else f"{entry.photo.by}, {entry.photo.licence}",
        qr=one.picture(f"qr/{entry.id}.svg", one.say("Take it with you")),
        audio=one.media(f"audio/{entry.id}.{one.language}.opus"),
        phone=None if _says(entry.hours, entry.phone) else entry.phone,
        website=entry.website,
        checked=one.say("Checked {date}", date=say_date(one.language, entry.checked_on)),
        source=_source(one, entry),
        unsure=entry.confidence != "high",
    )


def _thai(entry: Entry) -> str:
    """The Thai name; where it is very long, the short one, which people there use."""
    name = entry.names["th"]
    return name if len(name) <= THAI_MAX else entry.card_name("th")


def _title_size(language: str, name: str) -> str:
    long, longer = TITLE_LONG.get(language, TITLE_LONG["en"])
    return "longer" if len(name) > longer else "long" if len(name) > long else ""


def _hours(one: Screens, entry: Entry) -> str:
    """Opening hours; "ask" where they are unknown, nothing where there can be none."""
    if entry.hours is not None:
        return entry.hours.text[one.language]
    if entry.has_date is False:
        return one.say("Set each year, please ask")
    return one.say("Please ask") if entry.kind in ("place", "service") else ""


def _says(hours: Hours | None, phone: str | None) -> bool:
    """Whether the hours already tell to call that number."""
    if hours is None or phone is None:
        return False
    digits = re.sub(r"\D", "", hours.text["en"])
    return re.sub(r"\D", "", phone) in digits


def _source(one: Screens, entry: Entry) -> str:
    texts = [key for key in entry.sources if key not in POSITION_SOURCES]
    return one.pack.sources[(texts or list(entry.sources))[0]].label
