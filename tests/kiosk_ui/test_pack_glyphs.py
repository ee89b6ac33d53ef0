from pathlib import Path

import pytest

from kiosk_ui.build_fonts import FONTS
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_build import build, pack_of
from kiosk_ui.pack_glyphs import Sources, letters_of
from tests.kiosk_ui import workbooks

NOTO = Path("/usr/share/fonts/truetype/noto/NotoSans-Regular.ttf")
NOTO_CJK = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")


@pytest.mark.parametrize(
    ("column", "text", "character"),
    [
        ("name_en", "Oysters 🦪", "🦪 U+1F9AA"),
        ("text_en", "Устрицы", "У U+0423"),
        ("text_zh", "龘", "龘 U+9F98"),
        ("hours_th", "ทุกวัน ☀", "☀ U+2600"),
        ("photo_by", "Иван", "И U+0418"),
    ],
)
def test_a_letter_that_no_font_has_is_named_with_its_cell(
    tmp_path: Path, column: str, text: str, character: str
) -> None:
    """No screen shows an empty box: the clerk learns which letter it would be, and where."""
    built = build(workbooks.edited(tmp_path, "goods", "oyster", **{column: text}))
    found = [one for one in built.checked.report.problems if one.code == "no glyph"]

    assert [(one.sheet, one.row, one.column) for one in found] == [("goods", 5, column)]
    assert character in found[0].english
    assert character in found[0].thai
    assert built.members == {}


@pytest.mark.skipif(not NOTO.exists(), reason="Debian's fonts-noto-core is not installed")
def test_a_pack_can_carry_the_letters_of_a_fourth_language(tmp_path: Path) -> None:
    """The subset has what our fonts lack and nothing else; names may be made bolder."""
    path = workbooks.edited(tmp_path, "goods", "oyster", name_ru="Устрицы", text_ru="Свежие")
    workbooks.edit(path, "city", "languages", value="th, en, zh, ru")
    built = build(path, Sources(NOTO, None))
    font = pack_of(built.members).file("fonts/more-400.woff2")

    assert built.checked.report.errors == 0
    assert font is not None
    assert letters_of(font) == set("УстрицыСвежие")
    assert len(font) < 5000


@pytest.mark.skipif(not NOTO_CJK.exists(), reason="Debian's fonts-noto-cjk is not installed")
def test_the_simplified_chinese_of_a_collection_is_taken(tmp_path: Path) -> None:
    """Debian has all of Noto's Han fonts in one file."""
    path = workbooks.edited(tmp_path, "goods", "oyster", name_zh="龘")
    built = build(path, Sources(None, NOTO_CJK))
    font = pack_of(built.members).file("fonts/more-600.woff2")

    assert font is not None
    assert letters_of(font) == {"龘"}


def test_a_font_that_is_not_wanted_is_not_carried(tmp_path: Path) -> None:
    """A pack whose letters all come with the program stays light."""
    own = FONTS / "angsila-400.woff2"

    assert pack_of(build(workbooks.copy(tmp_path), Sources(own, own)).members).names("fonts/") == []


@pytest.mark.parametrize("content", [b"", b"no font", b"wOF2 cut off"])
def test_what_is_no_font_is_refused(tmp_path: Path, content: bytes) -> None:
    """One line that names the file."""
    font = tmp_path / "font.ttf"
    font.write_bytes(content)
    path = workbooks.edited(tmp_path, "goods", "oyster", text_en="Устрицы")

    with pytest.raises(ContentError, match=r"font\.ttf is no font"):
        build(path, Sources(font))
    with pytest.raises(ContentError, match=r"none\.ttf cannot be read"):
        build(path, Sources(tmp_path / "none.ttf"))
