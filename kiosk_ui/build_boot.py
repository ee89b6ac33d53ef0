"""Write the boot page: one file with its letters in it, which needs nothing else to be shown.

    python -m kiosk_ui.build_boot LOOPED_SEMIBOLD CJK_BOLD.ttc

The fonts are those of `kiosk_ui.build_fonts`. The browser opens the file from the disk, so it
is there before the service is, and without it.
"""

from __future__ import annotations

import base64
import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from kiosk_ui.build_fonts import LATIN, SIMPLIFIED_CHINESE, is_han, make_subset

HERE = Path(__file__).parent
SOURCE = HERE / "templates" / "boot.html"
PAGE = HERE / "boot.html"


def main(arguments: list[str]) -> None:
    """Write the page."""
    looped, cjk = (Path(text) for text in arguments)
    source = SOURCE.read_text(encoding="utf-8")
    letters = shown(source)
    latin = "".join(sorted({*LATIN, *(letter for letter in letters if not is_han(letter))}))
    han = "".join(sorted(letter for letter in letters if is_han(letter)))
    page = source.replace("@LATIN@", subset(looped, -1, latin, "Angsila Boot"))
    page = page.replace("@HAN@", subset(cjk, SIMPLIFIED_CHINESE, han, "Angsila Boot Han"))
    PAGE.write_text(page, encoding="utf-8")


def shown(source: str) -> set[str]:
    """The characters of the page's text."""
    text = re.sub(r"(?s)<style>.*?</style>|<script>.*?</script>|<[^>]*>", "", source)
    return {letter for letter in text if letter.isprintable()}


def subset(font: Path, number: int, letters: str, family: str) -> str:
    """The font of these letters, in base64."""
    with TemporaryDirectory() as folder:
        target = Path(folder) / "font.woff2"
        make_subset(font, number, letters, family, target)
        return base64.b64encode(target.read_bytes()).decode()


if __name__ == "__main__":
    main(sys.argv[1:])
