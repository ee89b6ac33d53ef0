import csv
import json
import random
from contextlib import suppress
from pathlib import Path

import pytest

from kiosk_ui.content import load_pack
from kiosk_ui.pack_build import build
from kiosk_ui.workbook_problems import ERROR, WARNING
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK, WorkbookError, read_workbook
from kiosk_ui.workbook_sheets import ENTRY_SHEETS, SHEETS
from tests.kiosk_ui import workbooks

MUTATIONS = 160
SEED = 20261125
# What a cell of a workbook can hold that nobody has thought of.
NASTY = (
    "",
    " ",
    "0",
    "-1",
    "1e999",
    "NaN",
    "๑๓.๓๔",
    "²",
    "9" * 400,
    "ก" * 400,
    "x" * 3000,
    "yes",
    "draft",
    "2026-13-45",
    "9999-12-31",
    "2569-11-22",
    "<b>ครก</b>",
    "<script>alert(1)</script>",
    "&lt;",
    "{}",
    "{0.__class__}",
    "%s",
    "=1+1",
    "a\x00b",
    "a\tb",
    "a\r\nb",
    "\u202eabc",
    "שלום",
    "\ud7ff\ue000",
    "🦪",
    "../../etc/passwd",
    "th, en, zh, xx",
    "th, en, ru",
    "https://[",
    "https://ก.ไทย/ข",
    "+66" + "1" * 20,
    "id | id | id",
    ",,,,,",
    "old-market",
)


def test_the_shipped_workbook_is_good() -> None:
    """Nothing is wrong with it, and it gives every entry of the shipped pack."""
    found = workbooks.checked(DEFAULT_WORKBOOK)

    assert [str(one) for one in found.report.problems] == []
    assert [row["id"] for row in found.tables["entries.json"]] == [
        entry.id for entry in load_pack().entries
    ]


def test_nothing_was_lost_on_the_way_into_the_workbook() -> None:
    """Counts and facts of the content as it was collected."""
    tables = workbooks.checked(DEFAULT_WORKBOOK).tables
    entries = {row["id"]: row for row in tables["entries.json"]}

    assert len(entries) == 69
    assert len(tables["sources.json"]) == 59
    assert entries["nacha-shrine"]["hours"] == {
        "text": {
            "th": "ทุกวัน 07.00–18.00 น. (โปรดตรวจสอบ)",
            "en": "Daily 07:00–18:00 (please check)",
            "zh": "每天07:00–18:00（请以现场为准）",
        },
        "osm_opening_hours": "Mo-Su 07:00-18:00",
        "confidence": "low",
    }
    assert entries["nacha-shrine"]["address"]["en"] == "1/13 Moo 5, Ang Sila"
    assert entries["municipality"]["phone"] == "038-142-100"
    assert entries["municipality"]["website"] == "angsilacity.go.th"
    assert entries["ambulance"]["phone"] == "1669"
    assert entries["tuek-rachini"]["coordinates"] == {
        "lat": 13.34013,
        "lon": 100.92552,
        "precision_m": 30,
    }
    assert entries["gong-khao"]["when"]["date_confirmed"] is False
    assert entries["oyster"]["translation_confidence"]["zh"] == "medium"
    limits = [band["upto"] for band in tables["levels.json"]["pm2_5"]["bands"]]
    assert limits == [15.0, 25.0, 37.5, 75.0, None]
    starts = [level["from"] for level in tables["levels.json"]["heat_index"]["levels"]]
    assert starts == [27.0, 33.0, 42.0, 52.0]
    assert tables["pack.json"]["flags"] == {"traffy_fondue": False}


@pytest.mark.parametrize(
    ("sheet", "row", "cells", "where", "english", "thai"),
    [
        (
            "places",
            "old-market",
            {"name_th": ""},
            "row 2, column name_th (C2)",
            "Thai text is missing",
            "แถว 2 คอลัมน์ name_th: ไม่มีข้อความภาษาไทย",
        ),
        (
            "places",
            "old-market",
            {"lat": "51.5"},
            "row 2, column lat",
            "too far off: 13.2 to 13.5",
            "ไกลเกินไป",
        ),
        (
            "places",
            "chonlamak-bridge",
            {"outside_town": ""},
            "row 20, column lon",
            "outside the town: 100.88 to 100.97 is within; if it is right, put yes",
            "อยู่นอกเขตเมือง",
        ),
        (
            "places",
            "nacha-shrine",
            {"lon": "100.89"},
            "row 4, column lon",
            "in the sea, about 3460 m from the coast; correct lat or lon, or put yes",
            "อยู่ในทะเล ห่างฝั่งราว 3460 เมตร",
        ),
        (
            "places",
            "old-market",
            {"lon": ""},
            "row 2, column lon",
            "lat, lon belong together",
            "ต้องกรอก lat, lon ให้ครบ",
        ),
        (
            "goods",
            "oyster",
            {"text_en": "Fresh <b>oysters</b>"},
            "row 5, column text_en",
            "HTML is not shown; write plain text",
            "ไม่รองรับ HTML",
        ),
        (
            "goods",
            "oyster",
            {"text_en": "Salt &amp; pepper"},
            "row 5, column text_en",
            "HTML is not shown",
            "ไม่รองรับ HTML",
        ),
        (
            "goods",
            "oyster",
            {"text_th": "หอย\nนางรม"},
            "row 5, column text_th",
            "a line break; write one paragraph",
            "มีการขึ้นบรรทัดใหม่",
        ),
        (
            "goods",
            "oyster",
            {"name_en": "Oy\u202esters"},
            "row 5, column name_en",
            "invisible character U+202E",
            "อักขระที่มองไม่เห็น U+202E",
        ),
        (
            "goods",
            "oyster",
            {"name_en": "Oysters \x07"},
            "row 5, column name_en",
            "invisible character U+0007",
            "U+0007",
        ),
        (
            "goods",
            "oyster",
            {"name_en": "צדפות"},
            "row 5, column name_en",
            "writing from right to left",
            "เขียนจากขวาไปซ้าย",
        ),
        (
            "goods",
            "oyster",
            {"text_en": "x" * 301},
            "row 5, column text_en",
            "301 characters are too many; 300 are allowed",
            "ยาวเกินไป (301 อักขระ)",
        ),
        (
            "services",
            "municipality",
            {"phone": "038-142-100"},
            "row 9, column phone",
            "+66 and the number without its first 0",
            "ต้องเป็น +66",
        ),
        (
            "services",
            "municipality",
            {"website": "javascript:alert(1)"},
            "row 9, column website",
            "an address like https://",
            "ต้องเป็นที่อยู่เว็บ",
        ),
        (
            "services",
            "municipality",
            {"kind": "shop"},
            "row 9, column kind",
            "one of these is wanted: emergency, service, invest, smartcity",
            "ต้องเป็นค่าใดค่าหนึ่ง",
        ),
        (
            "events",
            "gong-khao",
            {"starts_on": "2026-05-10", "ends_on": "2026-05-09"},
            "row 3, column ends_on",
            "ends before it starts, on 2026-05-10",
            "วันสิ้นสุดอยู่ก่อนวันเริ่ม (2026-05-10)",
        ),
        (
            "events",
            "gong-khao",
            {"date_confirmed": "yes"},
            "row 3, column starts_on",
            "needs the day on which it starts",
            "ต้องระบุวันเริ่ม",
        ),
        (
            "events",
            "gong-khao",
            {"starts_on": "2569-05-10"},
            "row 3, column starts_on",
            "a day like 2026-11-22",
            "ปี ค.ศ.",
        ),
        (
            "places",
            "old-market",
            {"icon": "castle"},
            "row 2, column icon",
            "no such drawing; there are",
            "ไม่มีภาพวาดชื่อนี้",
        ),
        (
            "places",
            "old-market",
            {"sources": "hearsay"},
            "row 2, column sources",
            "the sheet sources has no id hearsay",
            "ชีต sources ไม่มีรหัส hearsay",
        ),
        (
            "places",
            "old-market",
            {"hours_th": "ทุกวัน", "hours_en": "Daily", "hours_rule": "when we like"},
            "row 2, column hours_rule",
            "hours like Mo-Fr 08:30-16:30",
            "ต้องเขียนแบบ Mo-Fr",
        ),
        (
            "places",
            "old-market",
            {"checked_on": "2026-12-24"},
            "row 2, column checked_on",
            "after made_on",
            "อยู่หลัง made_on",
        ),
        (
            "places",
            "old-market",
            {"status": "done"},
            "row 2, column status",
            "draft, translated, checked, approved",
            "ต้องเป็นค่าใดค่าหนึ่ง",
        ),
        (
            "goods",
            "old-market",
            {"name_th": "ก"},
            "row 16, column id",
            "this id is used before, in places 2",
            "รหัสนี้ซ้ำกับ places 2",
        ),
        (
            "goods",
            "Oyster!",
            {"name_th": "ก"},
            "row 16, column id",
            "a name of small letters",
            "ต้องเป็นชื่อที่ใช้ตัวพิมพ์เล็ก",
        ),
        (
            "goods",
            "oyster",
            {"name_ru": "Устрицы"},
            "row 1, column name_ru",
            "ru is no language of this pack",
            "ชุดเนื้อหานี้ไม่มีภาษา ru",
        ),
        (
            "goods",
            "oyster",
            {"name_thai": "หอย"},
            "row 1, column name_thai",
            "thai is no language of this pack",
            "ไม่มีภาษา thai",
        ),
        (
            "goods",
            "oyster",
            {"prize": "100"},
            "row 1, column prize",
            "no such column is known",
            "ไม่รู้จักคอลัมน์นี้",
        ),
        (
            "city",
            "languages",
            {"value": "th, tlh"},
            "row 6, column value",
            "language codes with commas between, th and en among them",
            "ต้องเป็นรหัสภาษา",
        ),
        (
            "city",
            "made_on",
            {"value": "today"},
            "row 5, column value",
            "a day like 2026-11-22",
            "ต้องเป็นวันที่",
        ),
        (
            "city",
            "version",
            {"value": "two"},
            "row 3, column value",
            "a number from 1",
            "ต้องเป็นตัวเลข",
        ),
        (
            "city",
            "colour",
            {"value": "teal"},
            "row 18, column key",
            "no such key",
            "ไม่รู้จักรายการนี้",
        ),
        (
            "aliases",
            "castle",
            {"en": "fort"},
            "row",
            "no row of the other sheets has this id",
            "ไม่มีแถวใดในชีตอื่น",
        ),
        (
            "stalls",
            "12",
            {"status": "approved", "name_th": "ป้าแดง", "pin": "123456"},
            "row 2, column pin",
            "6 digits, not all the same or in a row",
            "ต้องเป็นเลข 6 หลัก",
        ),
        (
            "notices",
            "storm",
            {
                "status": "approved",
                "level": "urgent",
                "text_th": "พายุ",
                "starts_on": "2026-12-02",
                "ends_on": "2026-12-01",
            },
            "row 2, column ends_on",
            "ends before it starts",
            "วันสิ้นสุดอยู่ก่อนวันเริ่ม",
        ),
    ],
)
def test_a_bad_cell_is_named_in_two_languages(
    tmp_path: Path,
    sheet: str,
    row: str,
    cells: dict[str, str],
    where: str,
    english: str,
    thai: str,
) -> None:
    """Sheet, row, column and what would be right, in English and Thai; and there is no pack."""
    path = workbooks.edited(tmp_path, sheet, row, **cells)
    built = build(path)
    said = "\n".join(map(str, built.checked.report.problems))

    assert f"ERROR {sheet}, {where}" in said
    assert english in said
    assert f"ชีต {sheet}" in said
    assert thai in said
    assert built.members == {}


@pytest.mark.parametrize(
    ("checked_on", "code", "has_hours"),
    [("2026-05-26", None, True), ("2026-05-25", "old", True), ("2025-11-21", "old hours", False)],
)
def test_old_facts_are_warned_of_and_old_hours_are_not_shown(
    tmp_path: Path, checked_on: str, code: str | None, *, has_hours: bool
) -> None:
    """After 180 days somebody should look again; after 365 the screen says "ask"."""
    path = workbooks.edited(tmp_path, "places", "nacha-shrine", checked_on=checked_on)
    found = workbooks.checked(path)
    entry = next(row for row in found.tables["entries.json"] if row["id"] == "nacha-shrine")

    assert [one.code for one in found.report.problems] == ([code] if code else [])
    assert all(one.level == WARNING for one in found.report.problems)
    assert (entry["hours"] is not None) == has_hours


@pytest.mark.parametrize("status", ["draft", "translated", "checked"])
def test_only_approved_rows_ship(tmp_path: Path, status: str) -> None:
    """A row that is not approved may be unfinished: it is left out, and stops nobody."""
    path = workbooks.edited(tmp_path, "goods", "oyster", status=status, text_th="", icon="?")
    built = build(path)
    problems = built.checked.report.problems

    assert {one.level for one in problems} == {WARNING}
    assert "not approved" in {one.code for one in problems}
    assert "oyster" not in {row["id"] for row in built.checked.tables["entries.json"]}
    assert "oyster" not in built.checked.tables["aliases.json"]
    assert built.members


def test_a_missing_sheet_and_column_are_named(tmp_path: Path) -> None:
    """Without them there is no pack."""
    path = workbooks.copy(tmp_path)
    (path / "sources.csv").unlink()
    lines = workbooks.read_csv(path / "goods.csv")
    at = lines[0].index("text_th")
    workbooks.write_csv(path / "goods.csv", [line[:at] + line[at + 1 :] for line in lines])

    said = "\n".join(map(str, workbooks.problems(path)))

    assert "ERROR sources\n  the workbook has no such sheet; it is needed\n  ชีต sources: " in said
    assert "ERROR goods, row 1, column text_th\n  the sheet needs this column\n" in said


def test_a_column_that_stands_twice_and_a_cell_beyond_the_headings(tmp_path: Path) -> None:
    """Both are slips of a spreadsheet that would lose a text without a word."""
    path = workbooks.copy(tmp_path)
    lines = workbooks.read_csv(path / "goods.csv")
    lines[0][lines[0].index("name_en")] = "name_th"
    lines[1].append("stray")
    workbooks.write_csv(path / "goods.csv", lines)

    codes = {one.code for one in workbooks.problems(path)}

    assert {"double column", "no heading", "no column"} & codes == {"double column", "no heading"}


def test_a_sheet_of_the_clerks_own_is_let_be(tmp_path: Path) -> None:
    """A sheet that is called readme, or begins with _, is not read; another is asked about."""
    path = workbooks.copy(tmp_path)
    (path / "readme.csv").write_text("anything\n")
    (path / "_plan.csv").write_text("anything\n")
    (path / "prices.csv").write_text("anything\n")

    assert [(one.sheet, one.level) for one in workbooks.problems(path)] == [("prices", WARNING)]


def test_a_missing_translation_is_asked_for_and_stops_nobody(tmp_path: Path) -> None:
    """English or Thai stand in for it on the screen."""
    path = workbooks.edited(tmp_path, "goods", "oyster", name_zh="", text_zh="")
    built = build(path)

    assert {one.code for one in built.checked.report.problems} == {"no translation"}
    entry = next(r for r in built.checked.tables["entries.json"] if r["id"] == "oyster")
    assert set(entry["names"]) == {"th", "en"}
    assert built.members


def test_a_fourth_language_is_only_more_columns(tmp_path: Path) -> None:
    """Its texts ship beside the others, with the screens' words from the sheet words."""
    path = workbooks.edited(tmp_path, "goods", "oyster", name_ms="Tiram", text_ms="Tiram segar.")
    workbooks.edit(path, "city", "languages", value="th, en, zh, ms")
    workbooks.edit(path, "city", "name", ms="Perbandaran Ang Sila")
    lines = [["word", "ms"], ["Emergency", "Kecemasan"], ["Back to the start in {n} s", "{n} saat"]]
    workbooks.write_csv(path / "words.csv", lines)
    built = build(path)
    tables = built.checked.tables

    assert built.checked.report.errors == 0
    assert built.members
    assert tables["words/ms.json"]["Emergency"] == "Kecemasan"
    entry = next(row for row in tables["entries.json"] if row["id"] == "oyster")
    assert entry["names"]["ms"] == "Tiram"


def test_the_parts_in_braces_of_a_word_stay(tmp_path: Path) -> None:
    """A word without its {n} would lose a number on every screen."""
    path = workbooks.edited(tmp_path, "city", "languages", value="th, en, zh, ms")
    lines = [["word", "ms"], ["Back to the start in {n} s", "{m} saat"]]
    workbooks.write_csv(path / "words.csv", lines)

    (found,) = workbooks.problems(path, "parts")

    assert found.level == ERROR
    assert (found.sheet, found.row, found.column) == ("words", 2, "ms")


def test_a_map_is_checked_as_the_screen_does(tmp_path: Path) -> None:
    """The city's GeoJSON lies beside the workbook, with whom to thank for it."""
    path = workbooks.copy(tmp_path)
    street = {"type": "LineString", "coordinates": [[100.92, 13.33], [100.93, 13.34]]}
    feature = {"type": "Feature", "properties": {"kind": "street"}, "geometry": street}
    good = {"type": "FeatureCollection", "credit": "Ang Sila", "features": [feature]}
    (path / "map.geojson").write_text(json.dumps(good))

    assert "map.json" in workbooks.checked(path).files

    (path / "map.geojson").write_text(json.dumps(good | {"credit": ""}))
    (found,) = workbooks.problems(path)

    assert found.code == "map"
    assert "credit" in found.english


def test_sounds_belong_to_an_entry_and_a_language(tmp_path: Path) -> None:
    """A spoken entry is found by its name; a file that fits nothing is named."""
    path = workbooks.copy(tmp_path)
    (path / "audio").mkdir()
    (path / "audio" / "oyster.th.opus").write_bytes(b"OggS and so on")
    (path / "audio" / "castle.th.opus").write_bytes(b"OggS and so on")
    (path / "audio" / "mussel.th.opus").write_bytes(b"RIFF")
    found = workbooks.checked(path)

    assert list(found.files) == ["audio/oyster.th.opus"]
    values = [one.value for one in found.report.problems]
    assert values == ["castle.th.opus", "mussel.th.opus"]


def mutate(random_: random.Random, folder: Path) -> None:
    """Do to a workbook what a person, a program or a damaged card may do."""
    path = folder / f"{random_.choice(list(SHEETS))}.csv"
    lines = workbooks.read_csv(path)
    kind = random_.randrange(8)
    if kind == 0:
        raw = bytearray(path.read_bytes())
        raw[random_.randrange(len(raw))] ^= 1 << random_.randrange(8)
        path.write_bytes(raw)
        return
    if kind == 1:
        path.unlink()
        return
    if kind == 2:
        at = random_.randrange(len(lines[0]))
        lines = [line[:at] + line[at + 1 :] for line in lines]
    elif kind == 3:
        lines.insert(random_.randrange(len(lines) + 1), random_.choice(lines))
    elif kind == 4:
        random_.shuffle(lines)
    else:
        for _ in range(random_.randrange(1, 6)):
            line = random_.choice(lines)
            line[random_.randrange(len(line))] = random_.choice(NASTY)
    workbooks.write_csv(path, lines)


def test_no_mutated_workbook_ends_in_a_traceback(tmp_path: Path) -> None:
    """Each of many is read, or refused with words; what is built can be shown."""
    random_ = random.Random(SEED)  # noqa: S311 # the same mutations each time
    original = {path: path.read_bytes() for path in workbooks.copy(tmp_path).iterdir()}
    folder = next(iter(original)).parent
    refused, built = 0, 0
    for number in range(MUTATIONS):
        for _ in range(random_.randrange(1, 4)):
            if any(folder.glob("*.csv")):
                # The sheet may be gone or damaged already.
                with suppress(FileNotFoundError, UnicodeDecodeError, IndexError, csv.Error):
                    mutate(random_, folder)
        try:
            found = workbooks.checked(folder)
        except WorkbookError:
            refused += 1
        else:
            refused += found.report.errors > 0
            if not found.report.errors and number % 4 == 0:
                built += bool(build(folder).members)
            assert all(str(one) for one in found.report.problems)
        for path, content in original.items():
            path.write_bytes(content)

    assert refused > MUTATIONS / 2
    assert built > 0


def test_every_entry_sheet_is_read_in_its_order() -> None:
    """The pack's order is that of the sheets and their rows: lists on screens follow it."""
    sheets = read_workbook(DEFAULT_WORKBOOK).sheets
    wanted = [row.cells["id"] for name in ENTRY_SHEETS for row in sheets[name].rows]

    assert [row["id"] for row in workbooks.checked(DEFAULT_WORKBOOK).entries.rows] == wanted
