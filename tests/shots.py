"""A picture of every screen in every language and size: `python tests/shots.py`."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.kiosk_ui.screen import (
    CUT,
    LANGUAGES,
    SIZES,
    all_screens,
    ask,
    chromium,
    open_screen,
    served,
    show,
)

SHOTS = Path("build/shots")


def file_name(screen: str, number: int, language: str, size: str) -> str:
    """`<screen>-<language>-<width>x<height>.png`; later pages of a screen carry their number."""
    page = "" if number == 0 else f"-{number + 1}"
    return f"{screen.replace('/', '-')}{page}-{language}-{size}.png"


def main() -> int:
    """Write the pictures; say what is cut off on any of them."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    for old in SHOTS.glob("*.png"):
        old.unlink()
    count, cut = 0, 0
    with chromium() as browser:
        for size in SIZES:
            with served(size) as screen:
                page = open_screen(browser, screen)
                for name, pages in all_screens(page):
                    for language in LANGUAGES:
                        for number in range(pages):
                            show(page, language, name, number)
                            file = file_name(name, number, language, size)
                            page.screenshot(path=SHOTS / file)
                            count += 1
                            for line in page.evaluate(CUT):
                                cut += 1
                                sys.stdout.write(f"{file}: cut off: {line}\n")
                for language in LANGUAGES:
                    show(page, language, "home")
                    ask(page)
                    page.screenshot(path=SHOTS / file_name("asking", 0, language, size))
                    count += 1
                    ask(page, None)
                page.context.close()
    sys.stdout.write(f"{count} pictures in {SHOTS}, {cut} places cut off\n")
    return 1 if cut else 0


if __name__ == "__main__":
    sys.exit(main())
