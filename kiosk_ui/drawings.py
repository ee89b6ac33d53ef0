"""Which drawing of the sprite stands for an entry."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk_ui.content import Entry

SPRITE = Path(__file__).parent / "templates" / "sprite.svg"
# A drawing for each kind; the workbook names one for an entry that has a better one.
KIND_ICONS = {
    "place": "pin",
    "product": "basket",
    "history": "book",
    "event": "candle",
    "transport": "bus",
    "service": "phone",
    "emergency": "phone",
    "smartcity": "town",
    "invest": "coin",
}


@cache
def icon_names() -> tuple[str, ...]:
    """Every drawing there is."""
    sprite = SPRITE.read_text(encoding="utf-8")
    return tuple(re.findall(r'<symbol id="([a-z0-9-]+)"', sprite))


def icon_of(entry: Entry) -> str:
    """The drawing that stands for an entry."""
    return entry.icon if entry.icon in icon_names() else KIND_ICONS[entry.kind]
