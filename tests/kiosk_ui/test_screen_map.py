import dataclasses
import json
import re
from xml.etree import ElementTree as ET

import pytest

from kiosk_ui import screen_map
from kiosk_ui.content import Pack, load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.languages import BROUGHT
from kiosk_ui.map_city import FILE
from kiosk_ui.place import KioskPlace
from kiosk_ui.screens import Screens

SVG = 'xmlns="http://www.w3.org/2000/svg"'
SURVEYED = KioskPlace(latitude=13.341, longitude=100.925)


@pytest.fixture(scope="module")
def pack() -> Pack:
    """The pack that comes with the kiosk."""
    return load_pack()


def one(pack: Pack, place: KioskPlace = SURVEYED, language: str = "en") -> Screens:
    """The screens of one language in the making."""
    return Screens(pack, place, language, str)


def with_file(pack: Pack, body: bytes) -> Pack:
    """The pack with a map of the city in it."""

    class Extended(Pack):
        def file(self, name: str) -> bytes | None:
            return body if name == FILE else super().file(name)

    fields = {field.name: getattr(pack, field.name) for field in dataclasses.fields(pack)}
    return Extended(**fields)


def test_every_located_entry_is_on_the_area_plan(pack: Pack) -> None:
    """And nothing else: what has no coordinates gets no pin."""
    located = {entry.id for entry in pack.entries if entry.coordinates is not None}
    market, area = screen_map.plans_of(pack, SURVEYED)

    assert {pin.id for pin in screen_map.pins(one(pack), area)} == located
    near = {pin.id for pin in screen_map.pins(one(pack), market)}
    assert {"old-market", "tuek-rachini"} <= near < located


def test_a_place_that_is_only_roughly_known_is_no_sharp_pin(pack: Pack) -> None:
    """The town hall is known to 600 m: drawn as an area, and its card says so."""
    area = screen_map.plans_of(pack, SURVEYED)[1]
    hall = next(pin for pin in screen_map.pins(one(pack), area) if pin.id == "municipality")
    markup = screen_map.screens(one(pack))["map"]

    assert hall.rough
    assert hall.way == ""  # No walking time to somewhere within 600 m.
    assert "600 m" in hall.note
    assert 'class="m-about rough" data-of="municipality"' in markup
    assert 'class="pin rough" data-act="pin" data-id="municipality"' in markup


def test_without_a_survey_there_is_no_you_are_here(pack: Pack) -> None:
    """The mark, the rings and walking minutes are gone, and the screen says why."""
    markup = screen_map.screens(one(pack, KioskPlace()))["map"]

    assert 'class="you"' not in markup
    assert "m-ring" not in markup
    assert "min walk" not in markup
    assert "The place of this kiosk is not set yet" in markup
    assert "The place of this kiosk is not set yet" not in screen_map.screens(one(pack))["map"]


def test_only_a_kiosk_that_knows_where_it_looks_shows_it(pack: Pack) -> None:
    """With a heading the plan is turned, and north is no longer up."""
    facing = KioskPlace(latitude=13.341, longitude=100.925, heading_deg=250.0)
    turned = screen_map.screens(one(pack, facing))["map"]
    straight = screen_map.screens(one(pack))["map"]

    assert 'class="facing"' in turned
    assert "rotate(-250.0)" in turned
    assert 'class="facing"' not in straight


def test_the_rings_are_as_far_as_the_walking_minutes_say(pack: Pack) -> None:
    """5 minutes at 75 m a minute, by streets that are a third longer: 288 m."""
    markup = screen_map.screens(one(pack))["map"]

    assert re.findall(r'class="m-ring" cx="0" cy="0" r="(\d+)"', markup) == [
        "288",
        "577",
        "865",
        "1731",
    ]


@pytest.mark.parametrize("language", BROUGHT)
def test_names_and_ways_are_in_the_readers_language(pack: Pack, language: str) -> None:
    """Each pin carries what its card will say."""
    shrine = next(entry for entry in pack.entries if entry.id == "nacha-shrine")
    markup = screen_map.screens(one(pack, language=language))["map"]

    assert f'data-name="{shrine.card_name(language)}"' in markup


def test_the_drawings_are_sound_xml(pack: Pack) -> None:
    """Both plans, whichever way the kiosk looks, and light enough for the page."""
    for heading_deg in (None, 90.0, 250.0):
        place = KioskPlace(latitude=13.341, longitude=100.925, heading_deg=heading_deg)
        drawn = screen_map.symbols(pack, place)
        groups = ET.fromstring(f"<svg {SVG}>{drawn}</svg>")  # noqa: S314 # our own

        assert [group.get("id") for group in groups] == ["map-market", "map-area"]
        assert sum(1 for _ in groups.iter()) < 150


def test_the_citys_own_map_replaces_the_schematic(pack: Pack) -> None:
    """With its credit, and one path for each kind of thing."""
    road = {"type": "LineString", "coordinates": [[100.92, 13.34], [100.93, 13.35]]}
    features = [{"type": "Feature", "properties": {"kind": "street"}, "geometry": road}] * 3
    body = {"type": "FeatureCollection", "credit": "© The <city>", "features": features}
    own = with_file(pack, json.dumps(body).encode())

    drawn = screen_map.symbols(own, SURVEYED)
    markup = screen_map.screens(one(own))["map"]

    assert drawn.count("m-street") == 2
    assert "m-sand" not in drawn
    assert "© The &lt;city&gt;" in markup
    assert "Schematic" not in markup
    with pytest.raises(ContentError, match=r"map\.json"):
        screen_map.symbols(with_file(pack, b"[]"), SURVEYED)


def test_a_crop_shows_the_kiosk_and_the_place(pack: Pack) -> None:
    """Both lie in it, and a place that is not known well enough has none."""
    entries = {entry.id: entry for entry in pack.entries}
    markup = screen_map.crop(one(pack), entries["nacha-shrine"])
    view = re.search(r'viewBox="(\S+) (\S+) (\S+) (\S+)"', markup)
    you = re.search(r'class="m-you" cx="(\S+)" cy="(\S+)"', markup)

    assert view is not None
    assert you is not None
    x, y, width, height = map(float, view.groups())
    assert x <= float(you[1]) <= x + width
    assert y <= float(you[2]) <= y + height
    assert "#map-area" in markup
    assert "#map-market" in screen_map.crop(one(pack), entries["old-market"])
    assert screen_map.crop(one(pack), entries["municipality"]) == ""
    assert screen_map.crop(one(pack), entries["oyster"]) == ""


def test_every_place_is_found_under_a_chip(pack: Pack) -> None:
    """See, eat and buy, services, transport: none is hidden by all of them."""
    kinds = {chip.kind for chip in screen_map.CHIPS}
    for entry in pack.entries:
        if entry.coordinates is not None:
            assert set(screen_map.kinds_of(entry).split()) <= kinds, entry.id
            assert screen_map.kinds_of(entry), entry.id
