"""The first screen, the home screen and the choice of languages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.screen_notice import lines
from kiosk_ui.tiles import CHIPS, ordered

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens


def screens(one: Screens) -> dict[str, str]:
    """Made last: a tile whose screen this bundle has not got would lead nowhere."""
    return {
        "attract": one.render("attract.html", notices=lines(one)),
        "home": one.render(
            "home.html",
            tiles=[tile for tile in ordered(one.place.tiles) if tile.go in one.known],
            chips=[tile for tile in CHIPS if tile.go in one.known],
            notices=lines(one),
        ),
        "language": one.render("language.html"),
    }
