"""What a kiosk takes from its pack, and what it does not."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.content import Pack, load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.place import ALL_TILES, PIER, KioskPlace
from kiosk_ui.shown import render
from kiosk_ui.sites import settled
from tests.kiosk_ui import packs, workbooks

NAMES = {"th": "หน้าศาลเจ้า", "en": "At the shrine", "zh": "庙前"}
TILES = ("today", "eat", "map")
ROW: dict[str, Any] = {
    "id": "angsila-2",
    "names": NAMES,
    "coordinates": {"lat": 13.33, "lon": 100.93, "precision_m": 5},
    "heading_deg": 200,
    "tiles": list(TILES),
}


def pack(*rows: Any) -> Pack:
    """The shipped pack with these kiosks."""
    return replace(load_pack(), kiosks=rows)


def test_a_kiosk_of_the_pack_is_where_the_pack_says() -> None:
    """Name, position, heading and the order of the tiles, on its very screens."""
    rendered = render(pack(ROW), KioskPlace(id="angsila-2"))

    assert rendered.place.names == NAMES
    assert rendered.place.position == (13.33, 100.93)
    assert rendered.place.heading_deg == 200
    assert rendered.place.tiles == TILES
    bundle = next(one for url, one in rendered.files.items() if "bundle.en" in url)
    assert b"At the shrine" in bundle.body


def test_settings_win() -> None:
    """A survey is never overwritten, and neither is a name or an order that somebody chose."""
    surveyed = KioskPlace(
        id="angsila-2",
        names={**PIER, "en": "Pier"},
        latitude=13.341,
        longitude=100.925,
        tiles=("map", "see"),
    )

    assert settled(surveyed, pack(ROW)) == surveyed


def test_a_heading_goes_with_the_position_it_was_taken_at() -> None:
    """A kiosk that was moved and surveyed anew is not turned by the old place's heading."""
    surveyed = KioskPlace(id="angsila-2", latitude=13.341, longitude=100.925)

    assert settled(surveyed, pack(ROW)).heading_deg is None
    turned = KioskPlace(id="angsila-2", heading_deg=90.0)
    assert settled(turned, pack(ROW)).heading_deg == 90.0


def test_another_kiosk_takes_nothing() -> None:
    """The id must be the same; a row without tiles and heading leaves them as they were."""
    assert settled(KioskPlace(id="angsila-1"), pack(ROW)) == KioskPlace(id="angsila-1")
    bare = {**ROW, "tiles": [], "heading_deg": None}
    found = settled(KioskPlace(id="angsila-2"), pack(bare))
    assert (found.tiles, found.heading_deg) == (ALL_TILES, None)


@pytest.mark.parametrize(
    ("rows", "complaint"),
    [
        ([{**ROW, "id": 7}], "pack.json: kiosks: id"),
        ([ROW, ROW], "angsila-2: id: used twice"),
        ([{**ROW, "coordinates": {"lat": 1, "lon": 100.93}}], "coordinates.lat: 13.2 to 13.5"),
        ([{**ROW, "coordinates": None}], "coordinates: lat and lon"),
        ([{**ROW, "heading_deg": 360}], "heading_deg: 0 to 359.9"),
        ([{**ROW, "tiles": ["eat", "beer"]}], "tiles: some of eat, see"),
        ([{**ROW, "tiles": ["eat", "eat"]}], "tiles: some of eat, see"),
    ],
)
def test_a_wrong_kiosk_is_refused(rows: list[Any], complaint: str) -> None:
    """Whichever kiosk it is about: the pack is the same for all of them."""
    with pytest.raises(ContentError, match=complaint):
        settled(KioskPlace(), pack(*rows))


def test_the_sheet_comes_to_the_kiosk(tmp_path: Path) -> None:
    """What the clerk writes into the sheet kiosks is what that kiosk takes."""
    cells = {"status": "approved", "name_th": "หน้าศาลเจ้า", "lat": "13.33", "lon": "100.93"}
    path = workbooks.edited(tmp_path, "kiosks", "angsila-2", **cells, tiles="today, eat, map")
    about = workbooks.checked(path).tables["pack.json"]
    written = packs.unfold(tmp_path / "pack", packs.members(packs.content(pack=about)))

    found = settled(KioskPlace(id="angsila-2"), load_pack(written))
    assert (found.position, found.tiles) == ((13.33, 100.93), TILES)
