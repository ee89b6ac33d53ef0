"""Nothing that a person does with hands or keys leads off the page."""

import os
import random
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Frame, Page, expect

from tests.kiosk_ui.screen import Served, open_screen

ACTIONS = 20_000 if os.environ.get("KIOSK_FULL") else 400
HEAP_GROWTH_MAX = 1.3
CHORDS = (
    *(f"F{number}" for number in range(1, 13)),
    *("Control+p", "Control+s", "Control+o", "Control+u", "Control+f", "Control+g", "Control+j"),
    *(
        "Control+Shift+i",
        "Control+Shift+j",
        "Control+Shift+Delete",
        "Control+Plus",
        "Control+Minus",
    ),
    *("Alt+ArrowLeft", "Alt+ArrowRight", "Alt+Home", "Alt+d", "Meta+l", "Meta+r", "PrintScreen"),
    *("ContextMenu", "Escape", "BrowserBack", "BrowserHome", "Control+c", "Control+v", "Control+x"),
)
KEYS = ("Tab", "Shift+Tab", "Enter", "Space", "ArrowDown", "ArrowUp", "Backspace", "a", "7")


class Fence:
    """What must not happen to a page while it is played with."""

    def __init__(self, page: Page, origin: str) -> None:
        self.broken: list[str] = []
        self._page = page
        self._home = f"{origin}/"
        page.on("pageerror", lambda error: self.broken.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.broken.append(f"dialog: {dialog.message}"))
        page.on("download", lambda _: self.broken.append("download"))
        page.on("filechooser", lambda _: self.broken.append("file chooser"))
        page.context.on("page", lambda other: self.broken.append(f"window: {other.url}"))
        page.on("framenavigated", self._went)

    def _went(self, frame: Frame) -> None:
        if frame.url != self._home:
            self.broken.append(f"went to {frame.url}")

    def check(self) -> None:
        """All of it, so far."""
        assert self.broken == []
        assert len(self._page.context.pages) == 1


@pytest.mark.parametrize("chord", CHORDS)
def test_a_chord_of_the_browser_is_refused(page: Page, chord: str) -> None:
    """The page takes it first, and takes it away."""
    taken = page.evaluate(
        """(chord) => {
          const [key, ...held] = chord.split('+').reverse();
          const event = new KeyboardEvent('keydown', {
            key, bubbles: true, cancelable: true, ctrlKey: held.includes('Control'),
            altKey: held.includes('Alt'), metaKey: held.includes('Meta'),
            shiftKey: held.includes('Shift') });
          document.body.dispatchEvent(event);
          return event.defaultPrevented;
        }""",
        chord,
    )
    assert taken


@pytest.fixture(scope="module")
def page(browser: Browser, screen: Served) -> Iterator[Page]:
    """One page for the tests that change nothing."""
    page = open_screen(browser, screen, "#en/home")
    yield page
    page.context.close()


def test_menus_drags_selections_and_the_clipboard_are_refused(page: Page) -> None:
    """A long press opens no menu, nothing is dragged, marked, copied, pasted or opened."""
    refused = page.evaluate(
        """() => ['contextmenu', 'dragstart', 'drop', 'selectstart', 'auxclick', 'copy', 'cut',
              'paste', 'wheel', 'touchmove'].filter((name) => {
            const event = new Event(name, { bubbles: true, cancelable: true });
            document.querySelector('#screen h1').dispatchEvent(event);
            return !event.defaultPrevented;
          })"""
    )
    assert refused == []
    assert page.evaluate("() => window.open('about:blank')") is None
    assert page.evaluate("() => getComputedStyle(document.body).touchAction") == "none"
    assert page.evaluate("() => document.querySelectorAll('a[href],iframe,form').length") == 0


def test_a_print_shows_nothing(page: Page) -> None:
    """If a print should ever start, its paper is empty."""
    page.emulate_media(media="print")
    expect(page.locator("body")).to_be_hidden()
    page.emulate_media(media="screen")


def test_a_monkey_stays_on_the_page(browser: Browser, screen: Served) -> None:
    """Random taps, drags, many fingers and keys: one window, no error, no dialog, no way out."""
    chance = random.Random(20261122)  # noqa: S311 # the same monkey each time
    page = open_screen(browser, screen, has_touch=True)
    fence = Fence(page, screen.url)
    touch = page.context.new_cdp_session(page)
    touch.send("HeapProfiler.collectGarbage")
    before = touch.send("Runtime.getHeapUsage")["usedSize"]
    for number in range(ACTIONS):
        what = chance.random()
        x, y = chance.randrange(1280), chance.randrange(800)
        if what < 0.7:
            page.touchscreen.tap(x, y)
        elif what < 0.8:
            page.keyboard.press(chance.choice(KEYS))
        elif what < 0.88:
            fingers = [
                {"x": chance.randrange(1280), "y": chance.randrange(800), "id": finger}
                for finger in range(chance.randrange(2, 6))
            ]
            touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": fingers})
            moved = [{**finger, "x": finger["x"] // 2} for finger in fingers]
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": moved})
            touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        elif what < 0.94:
            page.mouse.move(0, y)
            page.mouse.down(button=chance.choice(("left", "middle", "right")))
            page.mouse.move(x, y)
            page.mouse.up()
        else:
            page.mouse.wheel(chance.randrange(-500, 500), chance.randrange(-500, 500))
        if number % 100 == 0:
            fence.check()

    fence.check()
    assert page.evaluate("() => [scrollX, scrollY, visualViewport.scale]") == [0, 0, 1]
    touch.send("HeapProfiler.collectGarbage")
    after = touch.send("Runtime.getHeapUsage")["usedSize"]
    # Templates are parsed once per screen, so the first minutes may grow by all of them.
    assert after <= before * HEAP_GROWTH_MAX + 20_000_000
    page.locator(".emergency").click()
    expect(page.get_by_text("1669", exact=True)).to_be_visible()
    page.context.close()
