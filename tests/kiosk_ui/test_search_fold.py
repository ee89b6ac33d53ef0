import pytest

from kiosk_ui.search_fold import SIMPLIFIED, TRADITIONAL, fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("ห้องน้ำ", "หองนำ"),
        ("นํ้า", "นำ"),
        ("เเม่", "แม"),
        ("สงกรานต์", "สงกรานต"),
        ("Café  AU-lait!", "cafe au lait"),
        ("ＡＴＭ", "atm"),
        ("lü you", "lu you"),
        ("哪吒廟。", "哪吒庙"),
        ("PM2.5", "pm2 5"),
        (" … ", ""),
    ],
)
def test_what_people_type_in_several_ways_becomes_one(text: str, folded: str) -> None:
    """Case, accents, tone marks, punctuation, two ways to one vowel, old and new characters."""
    assert fold(text) == folded
    assert fold(folded) == folded


def test_each_traditional_character_has_a_simplified_one() -> None:
    """The two rows stand one above the other, and no character leads to itself."""
    assert len(TRADITIONAL) == len(SIMPLIFIED)
    assert len(set(TRADITIONAL)) == len(TRADITIONAL)
    assert not set(TRADITIONAL) & set(SIMPLIFIED)
