"""The words of the screens in the languages that the software brings, and dates."""

from __future__ import annotations

import gettext
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from kiosk_ui.languages import BROUGHT

if TYPE_CHECKING:
    from datetime import date

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "kiosk"

BUDDHIST_ERA = 543
MONTHS = {
    "th": [
        "ม.ค.",
        "ก.พ.",
        "มี.ค.",
        "เม.ย.",
        "พ.ค.",
        "มิ.ย.",
        "ก.ค.",
        "ส.ค.",
        "ก.ย.",
        "ต.ค.",
        "พ.ย.",
        "ธ.ค.",
    ],
    "en": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
}


@cache
def catalog(language: str) -> gettext.GNUTranslations:
    """The compiled words of one language. Raises `OSError` where there are none."""
    found = gettext.translation(DOMAIN, LOCALE, [language])
    if not isinstance(found, gettext.GNUTranslations):
        raise TypeError(f"not a compiled catalog: {language!r}")
    return found


def say(language: str, words: str, **parts: object) -> str:
    """English words of the source in another language, with `{parts}` filled in.

    They stay English in a language that the software does not bring: see `Screens.say`.
    """
    text = catalog(language).gettext(words) if language in BROUGHT else words
    return text.format(**parts) if parts else text


def say_date(language: str, day: date) -> str:
    """A day as people write it: Thai counts years in the Buddhist Era."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    if language not in MONTHS:
        return day.isoformat()
    year = day.year + BUDDHIST_ERA if language == "th" else day.year
    return f"{day.day} {MONTHS[language][day.month - 1]} {year}"
