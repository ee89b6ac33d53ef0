import re
from html import unescape

import pytest
from fontTools.ttLib import TTFont  # type: ignore[import-untyped] # it brings no types

from kiosk_ui.assets import Assets
from kiosk_ui.build_fonts import FONTS
from kiosk_ui.content import load_pack
from kiosk_ui.languages import BROUGHT as LANGUAGES
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace

FILES = ("angsila-400", "angsila-600", "han-400", "han-600")
THAI_AND_LATIN_BYTES_MAX = 60_000
CHINESE_BYTES_MAX = 400_000


def letters(file: str) -> set[str]:
    """What a font has a glyph for."""
    return {chr(code) for code in TTFont(FONTS / f"{file}.woff2").getBestCmap()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_letter_on_the_screens_has_a_glyph(language: str) -> None:
    """No screen of the shipped pack can show an empty box."""
    bundle = render_bundle(load_pack(), KioskPlace(), language, Assets().url)
    words = [str(word) for word in bundle["words"].values()]
    text = unescape(re.sub(r"<[^>]*>", " ", " ".join([*bundle["screens"].values(), *words])))
    needed = {letter for letter in text if letter.isprintable()}

    assert needed - letters("angsila-400") - letters("han-400") == set()


def test_what_is_bold_has_a_bold_glyph() -> None:
    """Names and the words of the screens are set in the heavier cut."""
    pack = load_pack()
    names = "".join("".join(entry.names.values()) for entry in pack.entries)

    assert {n for n in names if n.isprintable()} - letters("angsila-600") - letters(
        "han-600"
    ) == set()


@pytest.mark.parametrize("file", FILES)
def test_a_subset_does_not_bear_the_reserved_name(file: str) -> None:
    """The licence keeps "Plex" for the original, and asks that its text goes along."""
    font = TTFont(FONTS / f"{file}.woff2")
    names = {name.nameID: name.toUnicode() for name in font["name"].names}

    assert names[1].startswith("Angsila")
    assert not any("Plex" in names[number] for number in (1, 3, 4, 6))
    assert "SIL Open Font License" in (FONTS / "OFL.txt").read_text()


def test_fonts_are_light() -> None:
    """Thai with Latin at most 60 KB, Chinese at most 400 KB."""
    size = {file: (FONTS / f"{file}.woff2").stat().st_size for file in FILES}

    assert size["angsila-400"] + size["angsila-600"] <= THAI_AND_LATIN_BYTES_MAX
    assert size["han-400"] + size["han-600"] <= CHINESE_BYTES_MAX
