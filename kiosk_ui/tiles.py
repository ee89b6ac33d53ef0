"""The ways on from the home screen, and which entries each shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosk_ui.content import Entry, Pack


class Tile(NamedTuple):
    """One way on from the home screen. `kinds` is what its list shows."""

    go: str
    icon: str
    name: str
    note: str
    kinds: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What the kiosk's settings and the workbook call it."""
        return self.go.rpartition("/")[2]


TILES = (
    Tile("list/eat", "oyster", "Eat & buy", "Oysters, crab, stone mortars", ("product",)),
    Tile("list/see", "shrine", "See", "Shrines, old market, beaches", ("place",)),
    Tile("map", "map", "Map", "You are here"),
    Tile("today", "today", "Today", "Tide, heat and air"),
    Tile("list/around", "songthaew", "Getting around", "Songthaew, bus, train", ("transport",)),
    Tile(
        "list/city",
        "townhall",
        "Help & city",
        "Services and plans",
        ("service", "emergency", "smartcity", "invest"),
    ),
)
# Smaller ones, below.
CHIPS = (
    Tile("search", "search", "Search", ""),
    Tile("toilet", "toilet", "Toilet", ""),
    Tile("tell", "tell", "Tell the city", ""),
    Tile("list/stories", "book", "Stories", "History and festivals", ("history", "event")),
)
LISTS = tuple(tile for tile in (*TILES, *CHIPS) if tile.kinds)

# The four that a person in need looks for first; others follow on the same screen.
FIRST_NUMBERS = ("191", "1669", "199", "1155")
# An entry that may be shown only while the pack's flag of that name is on.
FLAGGED = {"traffy-fondue": "traffy_fondue"}


def ordered(keys: Iterable[str]) -> tuple[Tile, ...]:
    """The tiles that a kiosk's settings name, in their order. Raises `KeyError`."""
    by_key = {tile.key: tile for tile in TILES}
    return tuple(by_key[key] for key in keys)


def shown_entries(pack: Pack, *kinds: str) -> tuple[Entry, ...]:
    """Entries of these kinds that the pack's flags allow."""
    return tuple(
        entry
        for entry in pack.of_kind(*kinds)
        if entry.id not in FLAGGED or pack.flags.get(FLAGGED[entry.id], False)
    )


def listed(pack: Pack, tile: Tile) -> tuple[Entry, ...]:
    """What a tile's list shows; the first emergency numbers stand on their own screen."""
    return tuple(
        entry for entry in shown_entries(pack, *tile.kinds) if entry.phone not in FIRST_NUMBERS
    )
