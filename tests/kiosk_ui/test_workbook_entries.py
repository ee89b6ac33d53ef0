from pathlib import Path

import pytest

from kiosk_ui.drawings import icon_names
from tests.kiosk_ui import workbooks
from tests.kiosk_ui.test_workbook_photo import picture

PHOTO = {
    "photo": "market.jpg",
    "photo_licence": "CC BY 4.0",
    "photo_by": "Somchai",
    "alt_th": "ตลาดยามเช้า",
    "alt_en": "The market in the morning",
    "alt_zh": "清晨的市场",
}


def with_photo(folder: Path, changes: dict[str, str], width: int = 1200) -> Path:
    """A workbook with a photo of the old market."""
    path = workbooks.edited(folder, "places", "old-market", **(PHOTO | changes))
    (path / "photos").mkdir()
    (path / "photos" / "market.jpg").write_bytes(picture(width, 900, "JPEG"))
    return path


def test_a_photo_ships_with_licence_maker_and_words(tmp_path: Path) -> None:
    """The screen can say whose it is, and tell who cannot see it what is on it."""
    found = workbooks.checked(with_photo(tmp_path, {}))
    entry = found.tables["entries.json"][0]

    assert found.report.problems == []
    assert entry["photo"] == {
        "file": "photo/old-market.webp",
        "licence": "CC BY 4.0",
        "by": "Somchai",
        "alt": {
            "th": "ตลาดยามเช้า",
            "en": "The market in the morning",
            "zh": "清晨的市场",
        },
    }
    assert list(found.files) == ["photo/old-market.webp"]


@pytest.mark.parametrize(
    ("changes", "column", "english", "thai"),
    [
        ({"photo_licence": ""}, "photo_licence", "a photo needs its licence", "สัญญาอนุญาต"),
        ({"photo_by": ""}, "photo_by", "the name of who took it", "ชื่อผู้ถ่าย"),
        ({"alt_th": "", "alt_en": "", "alt_zh": ""}, "alt_th", "cannot see it", "มองไม่เห็น"),
        (
            {"photo": "other.jpg"},
            "photo",
            "there is no photos/other.jpg",
            "ไม่มีไฟล์ photos/other.jpg",
        ),
        ({"photo": "../city.csv"}, "photo", "there is no photos/", "ไม่มีไฟล์"),
    ],
)
def test_a_photo_without_its_papers_is_refused(
    tmp_path: Path, changes: dict[str, str], column: str, english: str, thai: str
) -> None:
    """What is missing is named, in the column where it belongs."""
    (found,) = workbooks.problems(with_photo(tmp_path, changes))

    assert (found.sheet, found.row, found.column) == ("places", 2, column)
    assert english in found.english
    assert thai in found.thai


def test_a_small_photo_is_refused_with_its_size(tmp_path: Path) -> None:
    """959 pixels are blurred on a large panel."""
    (found,) = workbooks.problems(with_photo(tmp_path, {}, width=959))

    assert found.english == "959 x 900 pixels; the longer side needs at least 960"
    assert "959 x 900 พิกเซล" in found.thai


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("191", "191"),
        ("1669", "1669"),
        ("+66 38 142 100", "038-142-100"),
        ("+6638142100", "038-142-100"),
        ("+66-2-250-5500", "02-250-5500"),
        ("+66 81 234 5678", "081-234-5678"),
        ("+44 20 7946 0000", "+442079460000"),
    ],
)
def test_a_phone_is_shown_as_people_here_dial_it(tmp_path: Path, written: str, shown: str) -> None:
    """The workbook has the number as the world writes it."""
    path = workbooks.edited(tmp_path, "places", "old-market", phone=written)

    assert workbooks.checked(path).tables["entries.json"][0]["phone"] == shown


@pytest.mark.parametrize("phone", ["038-142-100", "+66 038 142 100", "11", "+66", "191x", "๑๙๑"])
def test_what_is_no_phone_is_refused(tmp_path: Path, phone: str) -> None:
    """A number that cannot be dialled helps nobody."""
    path = workbooks.edited(tmp_path, "places", "old-market", phone=phone)

    assert [one.code for one in workbooks.problems(path)] == ["phone"]


@pytest.mark.parametrize(
    ("rule", "good"),
    [
        ("Mo-Su 07:00-18:00", True),
        ("Mo-Fr 08:30-12:00,13:00-16:30; Sa,Su off", True),
        ("24/7", True),
        ("05:00-19:00", True),
        ("Mo-Su 7-18", False),
        ("daily", False),
        ("Mo-Fr 08:30-16:30; PH off", False),
    ],
)
def test_hours_are_such_as_the_screen_can_read(tmp_path: Path, rule: str, *, good: bool) -> None:
    """Whether a place is open is told from the rule, so a rule that it cannot read is refused."""
    path = workbooks.edited(tmp_path, "places", "nacha-shrine", hours_rule=rule)

    assert [one.code for one in workbooks.problems(path)] == ([] if good else ["hours rule"])


def test_an_event_has_its_days(tmp_path: Path) -> None:
    """An event of one day ends on the day it starts."""
    path = workbooks.edited(
        tmp_path, "events", "gong-khao", date_confirmed="yes", starts_on="2027-05-08"
    )
    entries = workbooks.checked(path).tables["entries.json"]
    when = next(row["when"] for row in entries if row["id"] == "gong-khao")

    assert when["date_confirmed"] is True
    assert (when["starts_on"], when["ends_on"]) == ("2027-05-08", "2027-05-08")


def test_every_drawing_can_be_chosen() -> None:
    """The list of icons is that of the sprite."""
    assert {"oyster", "mortar", "shrine", "monkey", "pier"} <= set(icon_names())
