"""What every family of screens is made with: one language of one pack for one kiosk."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup

from kiosk_ui.content import walk_min, way_m
from kiosk_ui.drawings import icon_of
from kiosk_ui.i18n import say
from kiosk_ui.languages import HTML_LANGUAGE, LANGUAGE_NAMES, Words, plain_attributes

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk_ui.content import Entry, Pack
    from kiosk_ui.place import KioskPlace

TEMPLATES = Path(__file__).parent / "templates"

# Each of these is two words to a browser's dictionary, and a line would end within it. A word
# joiner has no glyph and no width.
WHOLE = {
    "".join(parts): "\N{WORD JOINER}".join(parts)
    for parts in (("อ่าง", "ศิลา"), ("ท่อง", "เที่ยว"), ("ส่วน", "ตัว"), ("หน้า", "จอ"))
}


class Screens:
    """One language's screens in the making."""

    def __init__(
        self,
        pack: Pack,
        place: KioskPlace,
        language: str,
        asset: Callable[[str], str],
        add: Callable[[str, bytes], str] | None = None,
    ) -> None:
        self.pack = pack
        self.place = place
        self.language = language
        self._add = add
        self.known: set[str] = set()  # Names of the screens made so far, to lead to.
        self.common: dict[str, Any] = {
            "_": self.say,
            "asset": asset,
            "language": language,
            "languages": place.languages,
            "language_names": LANGUAGE_NAMES,
            "html_languages": HTML_LANGUAGE,
            "known": self.known,
            "here": Words(place.names)[language],
        }

    def render(self, template: str, **values: Any) -> str:
        """One fragment of markup from a template and what it is to show."""
        markup = environment().get_template(template).render(self.common, **values)
        markup = plain_attributes(markup)
        for compound, whole in WHOLE.items():
            markup = markup.replace(compound, whole)
        return markup

    def say(self, words: str, **parts: object) -> str:
        """English words of the source in this language, from the software or from the pack."""
        brought = self.pack.ui_words.get(self.language, {})
        return say(self.language, brought.get(words, words), **parts)

    def way(self, metres: float | None) -> str:
        """How far it is, or nothing where nobody knows."""
        if metres is None:
            return ""
        minutes = walk_min(metres)
        if minutes is None:
            return self.say("{n} km away", n=f"{metres / 1000:.0f}")
        return self.say("{n} min walk", n=minutes)

    def media(self, name: str) -> str | None:
        """The address of one of the pack's files; None where the pack has none of that name."""
        body = self.pack.file(name)
        return None if body is None or self._add is None else self._add(name, body)

    def picture(self, name: str, alt: str = "") -> Markup | None:
        """One of the pack's pictures as markup."""
        url = self.media(name)
        if url is None:
            return None
        return Markup('<img src="{}" alt="{}" draggable="false">').format(url, alt)

    def card(self, entry: Entry) -> dict[str, Any]:
        """What a card of a list shows of an entry."""
        metres = way_m(entry, self.place.position)
        minutes = walk_min(metres)
        far = "" if metres is None else self.say("{n} km", n=f"{metres / 1000:.0f}")
        return {
            "id": entry.id,
            "icon": icon_of(entry),
            "name": entry.card_name(self.language),
            "note": far if minutes is None else self.say("{n} min", n=minutes),
            "near": minutes is not None,
            # Only a place can be open; what nobody knows is asked, not guessed.
            "opens": entry.kind == "place" or entry.hours is not None,
            "hours": None if entry.hours is None else entry.hours.rule,
            "sure": None if entry.hours is None else entry.hours.confidence,
        }


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
