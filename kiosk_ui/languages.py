"""Languages that screens can speak, and texts that are missing in one of them."""

from __future__ import annotations

import html
import re
from typing import Self

# By their own name and without flags: a language is no country.
LANGUAGE_NAMES = {
    "th": "ไทย",
    "en": "English",
    "zh": "中文",
    "ru": "Русский",
    "ja": "日本語",
    "ko": "한국어",
    "vi": "Tiếng Việt",
    "lo": "ລາວ",
    "km": "ខ្មែរ",
    "my": "မြန်မာ",
    "ms": "Bahasa Melayu",
    "id": "Bahasa Indonesia",
    "hi": "हिन्दी",
    "de": "Deutsch",
    "fr": "Français",
    "es": "Español",
    "it": "Italiano",
    "nl": "Nederlands",
    "sv": "Svenska",
    "fi": "Suomi",
}
HTML_LANGUAGE = {code: code for code in LANGUAGE_NAMES} | {"zh": "zh-Hans"}
# The software brings the words and letters of these; a pack brings those of any other.
BROUGHT = ("th", "en", "zh")
NEEDED = "th"  # A place has its Thai name on the street sign, and a driver reads Thai.
INSTEAD = ("en", "th")  # What stands in for a text that is missing, the first that is there.


_IN_ATTRIBUTE = re.compile(r'(="[^"<>]*)<span class=borrowed lang=[\w-]+>([^<]*)</span>')


def plain_attributes(markup: str) -> str:
    """Markup whose attributes hold borrowed texts without their tags, which have no place there."""
    return _IN_ATTRIBUTE.sub(r"\1\2", markup)


class Borrowed(str):
    """A text in another language than its screen's: markup says so, to eye and to ear.

    It carries its own markup, so that no template can forget it.
    """

    __slots__ = ("language",)

    language: str

    def __new__(cls, text: str, language: str) -> Self:
        """Make one."""
        made = super().__new__(cls, text)
        made.language = language
        return made

    def __html__(self) -> str:
        """As Jinja2 writes it into a page."""
        tag = HTML_LANGUAGE[self.language]
        return f"<span class=borrowed lang={tag}>{html.escape(str(self))}</span>"


class Words(dict[str, str]):
    """Language -> text. A language that is missing gets English, then Thai, as `Borrowed`."""

    def __missing__(self, language: str) -> str:
        """What stands in. Raises `KeyError` where there is nothing at all."""
        for other in INSTEAD:
            if other in self:
                return Borrowed(self[other], other)
        raise KeyError(language)
