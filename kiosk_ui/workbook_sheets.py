"""Which sheets and columns a workbook has: the one table of them."""

from __future__ import annotations

import re
from typing import NamedTuple

STATUSES = ("draft", "translated", "checked", "approved")
APPROVED = "approved"  # Only such rows ship.
UNFINISHED = tuple(status for status in STATUSES if status != APPROVED)
CONFIDENCES = ("high", "medium", "low")

# Every sheet of entries, with the kinds its rows may be. Screens list them in this order.
ENTRY_SHEETS: dict[str, tuple[str, ...]] = {
    "places": ("place",),
    "goods": ("product",),
    "stories": ("history",),
    "events": ("event",),
    "transport": ("transport",),
    "services": ("emergency", "service", "invest", "smartcity"),
}
CITY_KEYS = (
    "pack_id",
    "version",
    "minimum_app",
    "made_on",
    "languages",
    "name",
    "province",
    "timezone",
    "center_lat",
    "center_lon",
    "map_bbox",
    "basis_pm2_5",
    "unit_heat_index",
)
CITY_PREFIXES = ("flag_", "credit_")  # As many as there are.

_LANGUAGE = re.compile(r"[a-z]{2,3}")
_COLUMN = re.compile(r"([a-z0-9_]+?)_([^_]+)")


class Columns(NamedTuple):
    """The columns of a sheet: plain ones, and those that each language has one of."""

    plain: tuple[str, ...]
    worded: tuple[str, ...] = ()  # "name" stands for name_th, name_en and so on.
    spoken: bool = False  # Columns that are named by the language alone: th, en.
    needed: tuple[str, ...] = ()

    def known(self, languages: tuple[str, ...]) -> tuple[str, ...]:
        """Every column there can be, for these languages."""
        worded = tuple(f"{field}_{code}" for field in self.worded for code in languages)
        return (*self.plain, *worded, *(languages if self.spoken else ()))

    def language_of(self, column: str) -> str | None:
        """The language a column seems to be meant for, whether or not the pack has it."""
        found = _COLUMN.fullmatch(column)
        if found and found[1] in self.worded:
            return found[2]
        return column if self.spoken and _LANGUAGE.fullmatch(column) else None


_PLACE = ("lat", "lon", "precision_m", "outside_town", "over_water")
_ENTRY = (
    "id",
    "status",
    *_PLACE,
    "hours_rule",
    "hours_confidence",
    "phone",
    "website",
    "icon",
    "photo",
    "photo_licence",
    "photo_by",
    "tags",
    "sources",
    "checked_on",
    "confidence",
)
_ENTRY_WORDS = ("name", "short", "text", "hours", "address", "alt", "sure")
_ENTRY_NEEDED = ("id", "status", "name_th", "text_th", "sources", "checked_on")
_EVENT = ("starts_on", "ends_on", "date_confirmed", "when_rule")

SHEETS: dict[str, Columns] = {
    "city": Columns(("key", "value", "note"), spoken=True, needed=("key", "value", "th")),
    "places": Columns(_ENTRY, _ENTRY_WORDS, needed=_ENTRY_NEEDED),
    "goods": Columns(_ENTRY, _ENTRY_WORDS, needed=_ENTRY_NEEDED),
    "stories": Columns(_ENTRY, _ENTRY_WORDS, needed=_ENTRY_NEEDED),
    "events": Columns((*_ENTRY, *_EVENT), _ENTRY_WORDS, needed=_ENTRY_NEEDED),
    "transport": Columns(_ENTRY, _ENTRY_WORDS, needed=_ENTRY_NEEDED),
    "services": Columns((*_ENTRY, "kind"), _ENTRY_WORDS, needed=(*_ENTRY_NEEDED, "kind")),
    "notices": Columns(
        ("id", "status", "level", "starts_on", "ends_on"),
        ("title", "text"),
        needed=("id", "status", "level", "title_th", "text_th"),
    ),
    "words": Columns(("word",), spoken=True, needed=("word",)),
    "levels": Columns(
        ("scale", "from", "upto", "aqi_upto"),
        ("label",),
        needed=("scale", "from", "upto", "aqi_upto", "label_th"),
    ),
    "sources": Columns(("id", "label", "ref", "what"), needed=("id", "label", "ref", "what")),
    "aliases": Columns(("id",), spoken=True, needed=("id",)),
    "stalls": Columns(
        ("number", "status", "entry", "pin"),
        ("name",),
        needed=("number", "status", "name_th", "pin"),
    ),
    "stall_goods": Columns(
        ("stall", "good", "prices"), ("name", "unit"), needed=("stall", "good", "prices")
    ),
    "kiosks": Columns(
        ("id", "status", "lat", "lon", "heading_deg", "over_water", "outside_town", "tiles"),
        ("name",),
        needed=("id", "status", "name_th", "lat", "lon"),
    ),
}
NEEDED_SHEETS = ("city", "sources", "levels", *ENTRY_SHEETS)
# What a person reads is in these, in the columns of each language.
READ_SHEETS = ("city", *ENTRY_SHEETS, "notices", "levels", "stalls", "stall_goods", "kiosks")
BOLD_FIELDS = ("name", "short", "label", "title")  # Set in the heavier cut of the fonts.
