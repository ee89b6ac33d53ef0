"""Every screen in every language, rendered once: one bundle of fragments each."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk_ui import (
    screen_access,
    screen_entry,
    screen_home,
    screen_list,
    screen_map,
    screen_notice,
    screen_search,
    screen_sos,
    screen_stall,
    screen_technician,
    screen_tell,
    screen_today,
    screen_toilet,
)
from kiosk_ui.i18n import say
from kiosk_ui.languages import HTML_LANGUAGE
from kiosk_ui.screens import Screens, environment

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace

# Parts stand beside the screen and change with the language only.
PARTS = ("bar", "pager", "asking")


class Family(NamedTuple):
    """Screens that belong together: their markup, their script's words and what it reads."""

    screens: Callable[[Screens], dict[str, str]]
    words: Mapping[str, str] = {}
    extras: Callable[[Screens], dict[str, Any]] | None = None


FAMILIES = (
    Family(screen_today.screens, screen_today.WORDS, screen_today.levels),
    Family(screen_list.screens, screen_list.WORDS),
    Family(screen_entry.screens),
    Family(screen_sos.screens),
    Family(screen_map.screens, screen_map.WORDS),
    Family(screen_search.screens, screen_search.WORDS, screen_search.extras),
    Family(screen_tell.screens, screen_tell.WORDS),
    Family(screen_stall.screens, screen_stall.WORDS),
    Family(screen_technician.screens, screen_technician.WORDS),
    Family(screen_notice.screens, extras=screen_notice.extras),
    # These lead to others, so those have to be known.
    Family(screen_toilet.screens),
    Family(screen_access.screens, screen_access.WORDS),
    Family(screen_home.screens),
)


def render_bundle(
    pack: Pack,
    place: KioskPlace,
    language: str,
    asset: Callable[[str], str],
    add: Callable[[str, bytes], str] | None = None,
) -> dict[str, Any]:
    """All screens of one language, with the words and the tables that the scripts need."""
    one = Screens(pack, place, language, asset, add)
    screens: dict[str, str] = {}
    words: dict[str, str] = {}
    extras: dict[str, Any] = {}
    for family in FAMILIES:
        screens |= family.screens(one)
        one.known.update(screens)
        words |= {key: one.say(text) for key, text in family.words.items()}
    # By now every screen is known that a table may lead to.
    for family in FAMILIES:
        if family.extras is not None:
            extras |= family.extras(one)
    return {
        "language": language,
        "html_language": HTML_LANGUAGE[language],
        "title": one.say("Ang Sila"),
        "parts": {name: one.render(f"{name}.html") for name in PARTS},
        "screens": screens,
        "words": words,
        "extras": extras,
    }


def render_index(
    place: KioskPlace,
    attract: str,
    asset: Callable[[str], str],
    style: str,
    bundles: Mapping[str, str],
    release: str,
    drawings: str,
) -> str:
    """The one page: an empty frame round the first screen."""
    language = place.start_language
    template = environment().get_template("index.html")
    return template.render(
        _=partial(say, language),
        asset=asset,
        style=style,
        place=place,
        language=language,
        html_language=HTML_LANGUAGE[language],
        first_bundle=bundles[language],
        bundles=" ".join(f"{code}={url}" for code, url in bundles.items()),
        languages=" ".join(place.languages),
        attract=attract,
        release=release,
        drawings=drawings,
    )
