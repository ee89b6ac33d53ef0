import json
from typing import Any

import pytest

from kiosk_ui import map_city
from kiosk_ui.errors import ContentError
from kiosk_ui.map_city import read_city_map


def street(*positions: Any) -> dict[str, Any]:
    """A street as GeoJSON has it."""
    return feature("street", "LineString", list(positions))


def feature(kind: Any, shape: str, coordinates: Any) -> dict[str, Any]:
    """A feature as GeoJSON has it."""
    geometry = {"type": shape, "coordinates": coordinates}
    return {"type": "Feature", "properties": {"kind": kind}, "geometry": geometry}


def collection(*features: Any, **change: Any) -> bytes:
    """A map of the city."""
    return json.dumps(
        {"type": "FeatureCollection", "credit": "The city", "features": features} | change
    ).encode()


RING = [[100.92, 13.34], [100.93, 13.34], [100.93, 13.35], [100.92, 13.34]]
NOT_A_NUMBER = (
    b'{"type": "FeatureCollection", "credit": "x", "features": [{"type": "Feature",'
    b'"properties": {"kind": "street"}, "geometry": {"type": "LineString",'
    b'"coordinates": [[NaN, 13.3], [100.9, 13.3]]}}]}'
)
GOOD = street([100.92, 13.34], [100.93, 13.35])


def test_a_good_map_is_read_by_kind() -> None:
    """Longitude first as in GeoJSON, latitude first with us; holes and heights are left out."""
    hole = [[100.921, 13.341], [100.922, 13.341], [100.922, 13.342], [100.921, 13.341]]
    found = read_city_map(
        collection(
            street([100.92, 13.34, 2.0], [100.93, 13.35]),
            feature("building", "Polygon", [RING, hole]),
            feature("water", "Polygon", [RING]),
        )
    )

    assert found.credit == "The city"
    assert found.lines["street"] == (((13.34, 100.92), (13.35, 100.93)),)
    assert found.lines["building"] == found.lines["water"]
    assert len(found.lines["water"][0]) == 4


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", r"map.json: not JSON"),
        (b"[" * 100_000, r"map.json: not JSON"),
        (b"[]", r"map.json: type: FeatureCollection is wanted: '\[\]'"),
        (collection(GOOD, type="Feature"), r"type: FeatureCollection is wanted: 'Feature'"),
        (collection(GOOD, credit=""), r"credit: 1 to 120 characters, whom to thank"),
        (collection(GOOD, credit=None), r"credit: .* 'None'"),
        (collection(), r"features: a list of 1 to 20000 is wanted: '0'"),
        (collection("x"), r"features\[0\].type: Feature is wanted: 'x'"),
        (
            collection(GOOD, feature("tree", "Polygon", [RING])),
            r"features\[1\].properties.kind: water or building or street is wanted: 'tree'",
        ),
        (collection(feature(["street"], "LineString", [])), r"kind: .* is wanted"),
        (
            collection(feature("street", "Polygon", [RING])),
            r"features\[0\].geometry.type: LineString for a street is wanted: 'Polygon'",
        ),
        (
            collection(street([100.92, 13.34])),
            r"features\[0\].geometry.coordinates: 2 or more positions",
        ),
        (
            collection(street([13.34, 100.92], [100.92, 13.34])),
            r"features\[0\].geometry.coordinates\[0\]\[0\]: 100.8 to 101.1 is wanted: '13.34'",
        ),
        (
            collection(street([100.92, 13.34], [100.92, 14.9])),
            r"features\[0\].geometry.coordinates\[1\]\[1\]: 13.2 to 13.5 is wanted: '14.9'",
        ),
        (collection(street([100.92, "13.34"], [100.92, 13.34])), r"a number from 13.2 to 13.5"),
        (collection(street([100.92, True], [100.92, 13.34])), r"a number from 13.2 to 13.5"),
        (collection(street(100.92, 13.34)), r"\[longitude, latitude\] is wanted"),
        (collection(feature("water", "Polygon", [RING[:3]])), r"4 or more positions"),
        (
            collection(feature("water", "Polygon", [[*RING[:3], [100.921, 13.341]]])),
            r"a ring that ends where it begins",
        ),
        (collection(feature("water", "Polygon", [])), r"a list of rings"),
        (NOT_A_NUMBER, r"100.8 to 101.1 is wanted: 'nan'"),
    ],
)
def test_a_bad_map_is_refused_with_its_place(body: bytes, words: str) -> None:
    """The message names feature, field and value, and what would be right."""
    with pytest.raises(ContentError, match=words):
        read_city_map(body)


def test_a_map_has_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """In bytes, features and points: the screen has to draw it on a Pi."""
    monkeypatch.setattr(map_city, "POINTS_MAX", 3)
    with pytest.raises(ContentError, match=r"features\[1\]: at most 3 points in all"):
        read_city_map(collection(GOOD, GOOD))
    monkeypatch.setattr(map_city, "BYTES_MAX", 10)
    with pytest.raises(ContentError, match=r"map.json: at most 10 bytes is wanted"):
        read_city_map(collection(GOOD))
