"""What every family of screens is made with: one language of one pack for one kiosk."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from kiosk_ui.content import walk_min
from kiosk_ui.i18n import say
from kiosk_ui.languages import HTML_LANGUAGE, LANGUAGE_NAMES, Words
from kiosk_ui.tiles import TILES

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace

TEMPLATES = Path(__file__).parent / "templates"

# The town's name is two words to a browser's dictionary, and a line would end within it. A
# word joiner has no glyph and no width.
TOWN = "อ่างศิลา"
TOWN_WHOLE = "อ่าง\N{WORD JOINER}ศิลา"


class Screens:
    """One language's screens in the making."""

    def __init__(
        self, pack: Pack, place: KioskPlace, language: str, asset: Callable[[str], str]
    ) -> None:
        self.pack = pack
        self.place = place
        self.language = language
        self.common: dict[str, Any] = {
            "_": self.say,
            "asset": asset,
            "language": language,
            "languages": place.languages,
            "language_names": LANGUAGE_NAMES,
            "html_languages": HTML_LANGUAGE,
            "tiles": TILES,
            "here": Words(place.names)[language],
        }

    def render(self, template: str, **values: Any) -> str:
        """One fragment of markup from a template and what it is to show."""
        markup = environment().get_template(template).render(self.common, **values)
        return markup.replace(TOWN, TOWN_WHOLE)

    def say(self, words: str, **parts: object) -> str:
        """English words of the source in this language, from the software or from the pack."""
        brought = self.pack.ui_words.get(self.language, {})
        return say(self.language, brought.get(words, words), **parts)

    def way(self, way_m: float | None) -> str:
        """How far it is, or nothing where nobody knows."""
        if way_m is None:
            return ""
        minutes = walk_min(way_m)
        if minutes is None:
            return self.say("{n} km away", n=f"{way_m / 1000:.0f}")
        return self.say("{n} min walk", n=minutes)


@cache
def environment() -> Environment:
    """All languages share the compiled templates: compiling them is most of the work."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
