"""A picture of every screen, language, panel and mode: `python tests/shots.py --help`.

Each picture goes to build/shots/<mode>/, and contact sheets of them to build/shots/.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ProcessPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from PIL import Image

from kiosk_ui.pack_screens import DRAWN
from tests.kiosk_ui.screen import (
    CUT,
    LANGUAGES,
    MODES,
    PANELS,
    all_screens,
    ask,
    pages_of,
    served,
    set_mode,
    show,
)
from tests.kiosk_ui.speaking import open_speaking, speaking_chromium

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from playwright.sync_api import Page

SHOTS = Path("build/shots")
USUAL_MODES = ("a", "a2", "contrast")
# Entries and articles are all alike: in modes but the usual one, these few stand for them.
SAMPLES = ("entry/nacha-shrine", "entry/old-market", "entry/oyster", "entry/songthaew")
# What the README shows, as mode, panel, language and screen.
BEST_FOLDER = Path("tests/pictures")
BEST = (
    ("a", "1080x1920", "th", "attract"),
    ("a", "1080x1920", "en", "home"),
    ("a", "1080x1920", "zh", "today"),
    ("a", "1080x1920", "en", "tell"),
    ("a", "1920x1080", "th", "home"),
    ("a", "1280x800", "zh", "entry/khao-sam-muk"),
    ("a", "1280x800", "en", "map"),
    ("a", "1280x800", "th", "search"),
    ("a2", "1280x800", "zh", "list/see"),
    ("contrast", "800x480", "th", "sos"),
)
BEST_QUALITY = 82
THUMB_PX = 240
THUMBS_IN_ROW = 8
THUMBS_MAX = 64
MARGIN_PX = 6


class Wanted(NamedTuple):
    """What of all there is."""

    modes: tuple[str, ...]
    languages: tuple[str, ...]
    screens: tuple[str, ...]
    every: bool


def file_name(screen: str, number: int, language: str, size: str) -> str:
    """`<screen>-<language>-<width>x<height>.png`; later pages of a screen carry their number."""
    page = "" if number == 0 else f"-{number + 1}"
    return f"{screen.replace('/', '-')}{page}-{language}-{size}.png"


def shoot_panel(panel: str, wanted: Wanted) -> tuple[int, list[str]]:
    """Take all pictures of one panel; how many there are, and what is cut off on them."""
    count, cut = 0, []
    with speaking_chromium() as (browser, _), served(panel) as screen:
        page = open_speaking(browser, screen)
        names = [
            name for name, _ in all_screens(page) if not wanted.screens or chosen(name, wanted)
        ]
        for mode in wanted.modes:
            folder = SHOTS / mode
            folder.mkdir(parents=True, exist_ok=True)
            set_mode(page, mode)
            for language in wanted.languages:
                files = []
                some = [name for name in names if stands(name, mode, wanted)]
                for file in shoot(page, some, language, panel):
                    files.append(folder / file)
                    page.evaluate(DRAWN)
                    page.screenshot(path=files[-1])
                    cut += [f"{mode}/{file}: cut off: {line}" for line in page.evaluate(CUT)]
                make_sheets(files, f"{mode}-{panel}-{language}")
                count += len(files)
        page.context.close()
    return count, cut


def chosen(name: str, wanted: Wanted) -> bool:
    """Whether a screen, or the family it belongs to, was asked for."""
    return name in wanted.screens or name.split("/", maxsplit=1)[0] in wanted.screens


def stands(name: str, mode: str, wanted: Wanted) -> bool:
    """Whether a screen is taken in this mode; nobody meets the first one with a mode of text."""
    if name == "attract" and ("text" in MODES[mode] or "reach" in MODES[mode]):
        return False
    return mode == "a" or wanted.every or not name.startswith("entry/") or name in SAMPLES


def shoot(page: Page, names: Sequence[str], language: str, panel: str) -> Iterator[str]:
    """Show page after page, and say what each picture is to be called."""
    for name in names:
        for number in range(pages_of(page, language, name)):
            show(page, language, name, number)
            yield file_name(name, number, language, panel)
    if "home" in names:
        show(page, language, "home")
        ask(page)
        yield file_name("asking", 0, language, panel)
        ask(page, None)


def make_sheets(files: Sequence[Path], name: str) -> None:
    """Many small pictures on one, so that a person can look at them all."""
    for start in range(0, len(files), THUMBS_MAX):
        thumbs = []
        for file in files[start : start + THUMBS_MAX]:
            with Image.open(file) as picture:
                height = round(picture.height * THUMB_PX / picture.width)
                thumbs.append(picture.convert("RGB").resize((THUMB_PX, height)))
        step_x, step_y = THUMB_PX + MARGIN_PX, thumbs[0].height + MARGIN_PX
        rows = -(-len(thumbs) // THUMBS_IN_ROW)
        sheet = Image.new("RGB", (THUMBS_IN_ROW * step_x, rows * step_y), "#555")
        for number, thumb in enumerate(thumbs):
            row, column = divmod(number, THUMBS_IN_ROW)
            sheet.paste(thumb, (column * step_x, row * step_y))
        sheet.save(SHOTS / f"sheet-{name}-{start // THUMBS_MAX + 1}.png")


def shoot_best() -> None:
    """Write the README's pictures into the tree, small."""
    BEST_FOLDER.mkdir(parents=True, exist_ok=True)
    with speaking_chromium() as (browser, _):
        for mode, panel, language, name in BEST:
            with served(panel) as screen:
                page = open_speaking(browser, screen)
                set_mode(page, mode)
                show(page, language, name)
                page.evaluate(DRAWN)
                file = BEST_FOLDER / file_name(name, 0, language, panel)
                with Image.open(BytesIO(page.screenshot())) as picture:
                    picture.convert("RGB").save(
                        file.with_suffix(".webp"), quality=BEST_QUALITY, method=6
                    )
                page.context.close()


def main(arguments: Sequence[str]) -> int:
    """Write the pictures; say what is cut off on any of them."""
    parser = argparse.ArgumentParser(description="Pictures of the kiosk's screens.")
    parser.add_argument("--panel", nargs="*", choices=PANELS, default=list(PANELS))
    parser.add_argument("--mode", nargs="*", choices=MODES, default=list(USUAL_MODES))
    parser.add_argument("--language", nargs="*", choices=LANGUAGES, default=list(LANGUAGES))
    parser.add_argument("--screen", nargs="*", default=[], help="such as home, list or list/see")
    parser.add_argument(
        "--every",
        action="store_true",
        help=f"all entries in all modes; without it, in modes but 'a' only {', '.join(SAMPLES)}",
    )
    parser.add_argument(
        "--best", action="store_true", help=f"only the README's, into {BEST_FOLDER}"
    )
    found = parser.parse_args(arguments)
    if found.best:
        shoot_best()
        return 0
    wanted = Wanted(
        tuple(found.mode), tuple(found.language), tuple(found.screen), every=found.every
    )

    SHOTS.mkdir(parents=True, exist_ok=True)
    for old in SHOTS.rglob("*.png"):
        old.unlink()
    with ProcessPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(shoot_panel, found.panel, [wanted] * len(found.panel)))
    cut = [line for _, lines in done for line in lines]
    for line in cut:
        sys.stdout.write(f"{line}\n")
    count = sum(number for number, _ in done)
    sys.stdout.write(f"{count} pictures in {SHOTS}, {len(cut)} places cut off\n")
    return 1 if cut else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
