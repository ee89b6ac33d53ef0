"""Chromium on a served screen: how browser tests and pictures start both."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.kiosk_ui.served import READY
from tests.waiting import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = "/usr/bin/chromium"
# No sandbox inside a container; the others keep Chromium from talking to its makers. The last one
# is from angsila-screen.service.
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--js-flags=--expose-gc",
)
# Width and height in pixels, pixels per millimetre: 7", 10.1" and a standing 21.5" panel.
SIZES = {
    "800x480": (800, 480, 5.25),
    "1280x800": (1280, 800, 5.88),
    "1080x1920": (1080, 1920, 4.03),
}
WIDE = "1280x800"  # What tests show that are about no panel.
# The same standing or lying down, and a 15.6" panel: for what has to fit everywhere.
PANELS = {
    **SIZES,
    "480x800": (480, 800, 5.25),
    "800x1280": (800, 1280, 5.88),
    "1920x1080": (1920, 1080, 5.56),
}
LANGUAGES = ("th", "en", "zh")
LIVE_MS_MAX = 60_000  # Only a machine that is very busy needs more than five seconds.
# What the access screen can set, as attributes of the page.
MODES = {
    "a": {},
    "a1": {"text": "a1"},
    "a2": {"text": "a2"},
    "contrast": {"contrast": "high"},
    "reach": {"reach": "low"},
    "reach-a2": {"reach": "low", "text": "a2"},
}

# In the page: what the style sheet or a long word has cut off. A line box may be taller than
# its box by a fifth of a letter without touching anything; a map is a window on more.
CUT = """() => [...document.querySelectorAll('#screen *, #bar *, #pager *, #asking *')]
  .filter((e) => !e.closest('svg') && (!e.closest('.mapview') || e.closest('.mapcard')))
  .filter((e) => e.offsetParent && !e.matches('[data-flow]'))
  .filter((e) => getComputedStyle(e).display !== 'inline')
  .filter((e) => e.scrollWidth > e.clientWidth + 1 ||
    e.scrollHeight > e.clientHeight + 0.2 * parseFloat(getComputedStyle(e).fontSize))
  .map((e) => `${e.tagName}.${e.className} ${e.scrollWidth}>${e.clientWidth} ` +
    `${e.scrollHeight}>${e.clientHeight} ${e.textContent.trim().slice(0, 40)}`)"""


class Served:
    """One served screen, which can be killed and started again on its port."""

    def __init__(self, size: str, folder: Path, trust: str, pack: str = "shipped") -> None:
        self.size = size
        self.port = free_port()
        self.folder = folder
        self.trust = trust
        self.pack = pack
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start the process and wait for its word."""
        scale = str(PANELS[self.size][2])
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "tests.kiosk_ui.served"),
                *(str(self.port), scale, self.folder, self.trust, self.pack),
            ],
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        if self._process.stdout is None or self._process.stdout.readline().strip() != READY:
            raise RuntimeError(f"the screen of {self.size} did not start")

    def kill(self) -> None:
        """Kill it as a power cut does."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None


@contextmanager
def served(size: str, trust: str = "system", pack: str = "shipped") -> Iterator[Served]:
    """A screen for this panel during the block."""
    with TemporaryDirectory() as folder:
        screen = Served(size, Path(folder), trust, pack)
        try:
            screen.start()
            yield screen
        finally:
            screen.kill()


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's Chromium during the block."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
        yield browser
        browser.close()


def open_screen(
    browser: Browser, screen: Served, address: str = "", script: str = "", **context: Any
) -> Page:
    """A fresh page that has heard its first live values; `script` runs before all of its own."""
    width, height, _ = PANELS[screen.size]
    page = browser.new_context(viewport={"width": width, "height": height}, **context).new_page()
    if script:
        page.add_init_script(script)
    page.goto(f"{screen.url}/{address}")
    settle(page)
    return page


def open_on_clock(browser: Browser, screen: Served, **context: Any) -> Page:
    """The first screen, on a clock that stands still but when the test turns it."""
    page = open_screen(browser, screen, **context)
    page.clock.install()
    page.reload()
    settle(page)
    page.clock.pause_at(page.evaluate("() => Date.now() / 1000") + 1)
    return page


def settle(page: Page) -> None:
    """Wait until all languages, the fonts and the live values are here."""
    page.wait_for_selector("html[data-ready]")
    page.wait_for_selector("body[data-live=yes]", state="attached")
    page.evaluate("() => document.fonts.ready.then(() => true)")


def all_screens(page: Page) -> list[tuple[str, int]]:
    """Every screen of the first bundle, with its number of pages on this panel."""
    found = page.evaluate(
        """async () => {
          const { here } = await import(document.querySelector('script[type=module]').src);
          return Object.keys(Object.values(here.bundles)[0].screens);
        }"""
    )
    return [(name, pages_of(page, "th", name)) for name in found]


def pages_of(page: Page, language: str, name: str) -> int:
    """Show a screen; return how many pages it has here."""
    show(page, language, name)
    text = page.evaluate(
        "() => document.querySelector('#pager').hidden ? '' : "
        "document.querySelector('[data-count]').textContent"
    )
    return int(text.split("/")[1]) if text else 1


def show(page: Page, language: str, name: str, number: int = 0) -> None:
    """Show a page of a screen as the router does it, without the way there."""
    page.evaluate(
        """async ([language, screen, page]) => {
          const { router } = await import(document.querySelector('script[type=module]').src);
          document.dispatchEvent(new PointerEvent('pointerdown'));  // Somebody is here.
          router.show({language, screen, page});
        }""",
        [language, name, number],
    )


def reset(page: Page) -> None:
    """Start over for the next person, as the page does when nobody answers it."""
    page.evaluate(
        """async () => {
          const { router } = await import(document.querySelector('script[type=module]').src);
          router.start('th');
        }"""
    )


def mark(page: Page) -> None:
    """Wait until the page needs no service any more, and mark it."""
    page.evaluate("() => navigator.serviceWorker.ready.then(() => { window.same = true; })")


def is_marked(page: Page) -> bool:
    """Whether it is still that page, and none that was loaded since."""
    return page.evaluate("() => window.same") is True


def set_mode(page: Page, mode: str) -> None:
    """Set the page as the access screen does, without the way there."""
    page.evaluate(
        """(wanted) => {
          for (const name of ['text', 'contrast', 'reach', 'listen', 'slow']) {
            if (name in wanted) document.documentElement.dataset[name] = wanted[name];
            else delete document.documentElement.dataset[name];
          }
          dispatchEvent(new Event('resize'));
        }""",
        MODES[mode],
    )


def ask(page: Page, seconds: int | None = 20) -> None:
    """Put up the question before a reset, or take it away."""
    page.evaluate(
        """async (seconds) => {
          const { router } = await import(document.querySelector('script[type=module]').src);
          router.askStill(seconds);
        }""",
        seconds,
    )
