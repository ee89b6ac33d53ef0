"""Subset the screen's fonts to the glyphs of the shipped workbook and of the screens' words.

    python -m kiosk_ui.build_fonts LOOPED_REGULAR LOOPED_SEMIBOLD CJK_REGULAR.ttc CJK_BOLD.ttc

The first two are IBM Plex Sans Thai Looped, the others Noto Sans CJK, both under the Open
Font License. "Plex" is a Reserved Font Name, so a subset must bear another name.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from fontTools import subset  # type: ignore[import-untyped] # it brings no types
from fontTools.ttLib import TTFont  # type: ignore[import-untyped] # it brings no types

from kiosk_ui.i18n import catalog
from kiosk_ui.languages import BROUGHT, LANGUAGE_NAMES
from kiosk_ui.place import PIER
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK, read_workbook
from kiosk_ui.workbook_sheets import BOLD_FIELDS

FONTS = Path(__file__).parent / "static" / "fonts"
SIMPLIFIED_CHINESE = 2  # Its place in Debian's NotoSansCJK collections.

# The browser writes dates and numbers of its own, so these are always there.
THAI_BLOCK = "".join(chr(code) for code in (*range(0x0E01, 0x0E3B), *range(0x0E3F, 0x0E5C)))
LATIN = "".join(chr(code) for code in range(0x20, 0x7F)) + "\u00a0°·×µ³²–—‘’“”…→↑↓≈©−◌"
CHINESE_DATES = "年月日周星期一二三四五六上下午时分秒零"
CHINESE_NAMES = "信息亭码头市场"  # A kiosk's own name comes from its settings.


def letters_needed() -> str:
    """Every character that the shipped content or a screen's words can show."""
    return "".join(sorted({letter for letter in content() + words() if letter.isprintable()}))


def bold_needed() -> str:
    """The characters of names and of the screen's words: no running text is bold."""
    return "".join(sorted(set(content(BOLD_FIELDS) + "".join(PIER.values()) + words())))


def content(fields: tuple[str, ...] = ()) -> str:
    """What stands in the shipped workbook, or in its columns of these fields.

    The pack is built with a check of the fonts, so the fonts cannot be made from the pack.
    """
    said = ""
    for sheet in read_workbook(DEFAULT_WORKBOOK).sheets.values():
        for row in sheet.rows:
            for column, text in row.cells.items():
                if not fields or sheet.name == "city" or column.rpartition("_")[0] in fields:
                    said += text
    return said


def words() -> str:
    """The words of the screens in all languages, and what dates are made of."""
    said = ""
    for language in BROUGHT:
        found: Any = catalog(language)
        said += "".join(found._catalog.values())  # noqa: SLF001 # gettext lists them nowhere else
    names = "".join(LANGUAGE_NAMES[language] for language in BROUGHT)
    return said + names + CHINESE_DATES + CHINESE_NAMES


def is_han(letter: str) -> bool:
    """Whether a character is taken from the Chinese font: Han and full-width forms."""
    return "\u3000" <= letter <= "\u9fff" or "\uff00" <= letter <= "\uffef"


def make_subset(source: Path, number: int, letters: str, family: str, target: Path) -> None:
    """Write the woff2 of these letters under another family name."""
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = ["*"] if number < 0 else ["kern", "palt", "locl", "ccmp"]
    options.hinting = False
    options.desubroutinize = True  # Brotli packs repeated outlines better: 5 % smaller.
    options.name_IDs = ["*"]
    options.drop_tables += ["vhea", "vmtx", "VORG", "BASE"]
    font = TTFont(source, fontNumber=number)
    subsetter = subset.Subsetter(options)
    subsetter.populate(text=letters)
    subsetter.subset(font)
    rename(font, family)
    font.flavor = "woff2"
    target.parent.mkdir(parents=True, exist_ok=True)
    font.save(target)


def rename(font: Any, family: str) -> None:
    """Give the font our family name; copyright and licence lines stay as they were."""
    names = font["name"]
    names.names = [name for name in names.names if name.nameID in (0, 2, 5, 7, 13, 14)]
    for name_id, text in ((1, family), (3, family), (4, family), (6, family.replace(" ", ""))):
        names.setName(text, name_id, 3, 1, 0x409)
    font["head"].modified = font["head"].created  # The same bytes each time.
    if "CFF " in font:
        cff = font["CFF "].cff
        cff.fontNames = [family.replace(" ", "")]
        cff.topDictIndex[0].FamilyName = family
        cff.topDictIndex[0].FullName = family


def main(arguments: list[str]) -> None:
    """Write the four subsets."""
    looped, looped_bold, cjk, cjk_bold = (Path(text) for text in arguments)
    letters = letters_needed()
    han = "".join(letter for letter in letters if is_han(letter))
    latin = "".join(sorted({*LATIN, *THAI_BLOCK, *(c for c in letters if not is_han(c))}))
    bold = "".join(letter for letter in bold_needed() if is_han(letter))
    make_subset(looped, -1, latin, "Angsila Sans", FONTS / "angsila-400.woff2")
    make_subset(looped_bold, -1, latin, "Angsila Sans", FONTS / "angsila-600.woff2")
    make_subset(cjk, SIMPLIFIED_CHINESE, han, "Angsila Han", FONTS / "han-400.woff2")
    make_subset(cjk_bold, SIMPLIFIED_CHINESE, bold, "Angsila Han", FONTS / "han-600.woff2")


if __name__ == "__main__":
    main(sys.argv[1:])
