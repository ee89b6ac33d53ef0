from pathlib import Path

import pytest

from kiosk_ui.pack_build import build, pack_of
from kiosk_ui.pin import fits, hash_pin
from kiosk_ui.stalls import read_stalls
from tests.kiosk_ui import workbooks

STALL = {"status": "approved", "name_th": "ร้านป้าแดง", "name_en": "Aunt Daeng"}


def with_stall(folder: Path, **cells: str) -> Path:
    """A workbook with one stall that sells oysters and its own sauce."""
    path = workbooks.edited(folder, "stalls", "12", **STALL, **cells)
    head = ["stall", "good", "name_th", "name_en", "unit_th", "unit_en", "prices"]
    oyster = ["12", "oyster", "", "", "กก.", "kg", "100, 120, 150"]
    sauce = ["12", "sauce", "น้ำจิ้ม", "Sauce", "", "", ""]
    workbooks.write_csv(path / "stall_goods.csv", [head, oyster, sauce])
    return path


@pytest.mark.parametrize("form", ["digits", "hash"])
def test_a_stall_is_what_the_screen_reads(tmp_path: Path, form: str) -> None:
    """Its goods, units, prices and PIN; the PIN ships as a hash, and the pack is still the same."""
    path = with_stall(tmp_path, pin="274861" if form == "digits" else hash_pin("274861"))
    built = build(path)
    (stall,) = read_stalls(pack_of(built.members))

    assert [one.code for one in built.checked.report.problems if one.code != "no translation"] == []
    assert (stall.number, stall.names["en"]) == ("12", "Aunt Daeng")
    assert [good.id for good in stall.goods] == ["oyster", "sauce"]
    assert stall.goods[0].presets == (100, 120, 150)
    assert stall.goods[0].unit == {"th": "กก.", "en": "kg"}
    assert fits("274861", stall.pin)
    assert not any(b"274861" in content for content in built.members.values())
    assert build(path).members == built.members


@pytest.mark.parametrize("pin", ["", "12345", "123456", "111111", "๒๗๔๘๖๑", "scrypt$1$1$1$00$00"])
def test_a_pin_that_everybody_guesses_is_refused(tmp_path: Path, pin: str) -> None:
    """So is one that is none."""
    assert [one.code for one in workbooks.problems(with_stall(tmp_path, pin=pin), "pin")] == ["pin"]


@pytest.mark.parametrize("prices", ["120, 100", "100, 100", "12.50", "-5", "0", "9999999"])
def test_prices_rise_in_whole_baht(tmp_path: Path, prices: str) -> None:
    """They are buttons on the keeper's screen."""
    path = with_stall(tmp_path, pin="274861")
    lines = workbooks.read_csv(path / "stall_goods.csv")
    lines[1][-1] = prices
    workbooks.write_csv(path / "stall_goods.csv", lines)

    assert {one.column for one in workbooks.problems(path, "prices")} == {"prices"}


def test_a_good_without_a_name_is_an_entry(tmp_path: Path) -> None:
    """Where the sheets have no such id, the row must say what it is."""
    path = with_stall(tmp_path, pin="274861")
    workbooks.edit(path, "stall_goods", "13", good="castle")

    assert [one.row for one in workbooks.problems(path, "good")] == [4]
    assert [one.row for one in workbooks.problems(path, "unknown id")] == [4]


def test_a_notice_that_is_over_does_not_ship(tmp_path: Path) -> None:
    """What ended before the day of the edition is left out, with a word."""
    row = {"status": "approved", "level": "info", "title_th": "ปิดถนน", "text_th": "ปิดถนน"}
    path = workbooks.edited(tmp_path, "notices", "road", **row, ends_on="2026-11-30")
    workbooks.edit(path, "notices", "past", **row, ends_on="2026-11-21")
    found = workbooks.checked(path)

    assert [notice["id"] for notice in found.tables["notices.json"]] == ["road"]
    assert found.tables["notices.json"][0]["ends_on"] == "2026-11-30"
    assert "starts_on" not in found.tables["notices.json"][0]
    assert [one.row for one in found.report.problems if one.code == "over"] == [3]


def test_a_kiosk_has_its_place_heading_and_tiles(tmp_path: Path) -> None:
    """The order of the home screen's tiles is data of each kiosk."""
    cells = {"status": "approved", "name_th": "สะพานปลา", "lat": "13.341", "lon": "100.925"}
    path = workbooks.edited(
        tmp_path, "kiosks", "pier-1", **cells, heading_deg="270", tiles="map, eat, see"
    )
    found = workbooks.checked(path)
    (kiosk,) = found.tables["pack.json"]["kiosks"]

    assert found.report.errors == 0
    assert (kiosk["heading_deg"], kiosk["tiles"]) == (270.0, ["map", "eat", "see"])

    workbooks.edit(path, "kiosks", "pier-1", tiles="map, casino")

    assert "map" in workbooks.problems(path, "choice")[0].english


@pytest.mark.parametrize(
    ("row", "cells", "code"),
    [
        (1, {"upto": ""}, "last band"),
        (5, {"upto": "500"}, "last band"),
        (2, {"upto": "15.0"}, "order"),
        (7, {"from": "20"}, "order"),
        (6, {"from": "hot"}, "number"),
        (6, {"scale": "uv"}, "choice"),
    ],
)
def test_levels_go_upwards_to_an_open_end(
    tmp_path: Path, row: int, cells: dict[str, str], code: str
) -> None:
    """A step out of its order would give a wrong level in silence."""
    path = workbooks.copy(tmp_path)
    lines = workbooks.read_csv(path / "levels.csv")
    for column, text in cells.items():
        lines[row][lines[0].index(column)] = text
    workbooks.write_csv(path / "levels.csv", lines)

    found = workbooks.problems(path)

    assert code in {one.code for one in found}
    assert {one.row for one in found if one.row} >= {row + 1}
