import json
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.content import ContentError, load_pack, walk_min, way_m
from tests.kiosk_ui import packs

PIER = (13.341, 100.925)


def edit(folder: Path, name: str, change: dict[str, Any], entry: str = "oyster") -> Path:
    """The shipped pack with other fields in one entry, or in another file."""
    files = packs.content()
    content = json.loads(files[name])
    row = content
    if name == "entries.json":
        row = next(one for one in content if one["id"] == entry)
    row.update(change)
    files[name] = json.dumps(content).encode()
    return packs.unfold(folder / "pack", packs.members(files))


def test_the_default_pack_is_whole() -> None:
    """It has what the screens are made of, each entry in three languages with a source."""
    pack = load_pack()

    assert len(pack.of_kind("product")) == 14
    assert len(pack.of_kind("place")) >= 20
    assert {"191", "1669", "199", "1155"} <= {e.phone for e in pack.of_kind("emergency")}
    assert all(entry.sources for entry in pack.entries)


@pytest.mark.parametrize("unconfirmed", ["1196", "1193"])
def test_unconfirmed_numbers_are_not_in_the_pack(unconfirmed: str) -> None:
    """A number that nobody has confirmed must not be dialled in an emergency."""
    assert unconfirmed not in {entry.phone for entry in load_pack().entries}


def test_nothing_unconfirmed_is_said() -> None:
    """No fares, no festival dates that change, no badge, no report channel before it is true."""
    pack = load_pack()
    said = " ".join(" ".join(e.text.values()) + " ".join(e.names.values()) for e in pack.entries)

    for word in ("baht", "บาท", "泰铢", "vegetarian", "sanatorium", "tax"):
        assert word not in said
    assert pack.flags["traffy_fondue"] is False
    assert all(entry.has_date in (None, False) for entry in pack.entries)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kind": "shop"}, r"oyster: kind: .*'shop'"),
        ({"names": {"th": "ก", "en": "", "zh": "牡蛎"}}, r"oyster: names\.en: .*''"),
        ({"text": {"th": "ก", "en": "a" * 301, "zh": "牡"}}, r"oyster: text\.en"),
        (
            {"coordinates": {"lat": 51.5, "lon": 100.9, "precision_m": 10}},
            r"oyster: coordinates\.lat: .*51\.5",
        ),
        ({"coordinates": {"lat": "north"}}, r"oyster: coordinates: .*north"),
        ({"hours": {"text": {"en": "a"}, "confidence": "low"}}, r"oyster: hours\.text\.th"),
        ({"sources": ["nobody"]}, r"oyster: sources: .*'nobody'"),
        ({"checked_on": "yesterday"}, r"oyster: checked_on: .*'yesterday'"),
        ({"confidence": "sure"}, r"oyster: confidence: .*'sure'"),
        ({"phone": 191}, r"oyster: phone: .*191"),
        ({"id": "mussel"}, r"mussel: id: used twice"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, change: dict[str, Any], message: str) -> None:
    """The error says which entry, which field and which value, and nothing is loaded."""
    with pytest.raises(ContentError, match=message):
        load_pack(edit(tmp_path, "entries.json", change))


def test_another_schema_is_refused(tmp_path: Path) -> None:
    """A pack of the future is not half understood."""
    with pytest.raises(ContentError, match="angsila-pack/9"):
        load_pack(packs.write(tmp_path, packs.members(schema="angsila-pack/9")))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """The editor learns which file is not there."""
    files = packs.content()
    del files["levels.json"]

    with pytest.raises(ContentError, match=r"levels\.json"):
        load_pack(packs.write(tmp_path, packs.members(files)))


def test_a_file_that_is_no_json_is_named(tmp_path: Path) -> None:
    """So is one that was cut off."""
    files = packs.content() | {"entries.json": b'[{"id": '}

    with pytest.raises(ContentError, match=r"entries\.json: not JSON"):
        load_pack(packs.write(tmp_path, packs.members(files)))


def test_walking_minutes_follow_the_way() -> None:
    """Na Cha shrine is 1.5 km off as the crow flies, so about 26 minutes through streets."""
    shrine = next(entry for entry in load_pack().entries if entry.id == "nacha-shrine")

    assert way_m(shrine, PIER) == pytest.approx(1.3 * 1482, rel=0.02)
    assert walk_min(way_m(shrine, PIER)) == 26


def test_nobody_is_told_to_walk_far_or_from_nowhere() -> None:
    """Beyond 45 minutes, or without a surveyed position, there is no walking time."""
    beach = next(entry for entry in load_pack().entries if entry.id == "wonnapha-beach")

    assert walk_min(way_m(beach, PIER)) is None
    assert way_m(beach, None) is None
