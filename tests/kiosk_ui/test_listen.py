"""The kiosk speaks: Chromium, speech-dispatcher and espeak-ng with the settings that we ship."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.screen import Served, open_on_clock, show
from tests.kiosk_ui.speaking import Ear, open_speaking

IDLE_S = 60
SLOW = 3
SOUND_MIN_S = 0.3
PEAK_MIN = 3_000
PRESS_HELP = """() => ['keydown', 'keyup'].forEach((type) => document.body.dispatchEvent(
  new KeyboardEvent(type, { key: 'Help', bubbles: true, cancelable: true })))"""


@pytest.fixture
def ear(speaking: tuple[Browser, Ear]) -> Ear:
    """What listens, from now on."""
    speaking[1].forget()
    return speaking[1]


@pytest.fixture
def page(speaking: tuple[Browser, Ear], screen: Served) -> Iterator[Page]:
    """A kiosk with voices."""
    page = open_speaking(speaking[0], screen, has_touch=True)
    yield page
    page.context.close()


def turn_on(page: Page) -> None:
    """Ask for everything to be read aloud."""
    show(page, "en", "access")
    page.locator("[data-value=listen]").tap()


@pytest.mark.parametrize(
    ("language", "voice", "words"),
    [("th", "th", "หอยนางรม"), ("en", "en-gb", "Oysters"), ("zh", "cmn", "牡蛎")],
)
def test_an_entry_is_read_in_each_language(
    page: Page, ear: Ear, language: str, voice: str, words: str
) -> None:
    """A tap on Listen gives sound, by the voice of the language that the person reads."""
    show(page, language, "entry/oyster")
    page.locator(".tale [data-act=listen]").tap()
    said = ear.until(words)
    assert said.voice == voice
    assert said.sound_s > SOUND_MIN_S
    assert said.peak > PEAK_MIN


def test_each_screen_speaks_once_that_is_wanted(page: Page, ear: Ear) -> None:
    """Whoever asked for it hears the text of what comes next; who turns it off hears no more."""
    turn_on(page)
    show(page, "en", "entry/oyster")
    assert ear.until("farmed").voice == "en-gb"
    show(page, "en", "access")
    page.locator("[data-value=listen]").tap()
    page.wait_for_function("() => !speechSynthesis.speaking && !speechSynthesis.pending")


def test_the_keyboard_is_told_what_it_is_at(page: Page, ear: Ear) -> None:
    """The tabulator speaks the button that Enter would press."""
    turn_on(page)
    show(page, "en", "home")
    page.keyboard.press("Tab")
    first = page.evaluate("() => document.activeElement.innerText.trim().split('\\n')[0]")
    assert first
    ear.until(first)


def test_a_button_beside_the_screen_starts_it(page: Page, ear: Ear) -> None:
    """The key Help opens home, aloud; a second press ends it. No sight is needed for either."""
    page.evaluate(PRESS_HELP)
    expect(page.locator("body")).to_have_attribute("data-screen", "home")
    expect(page.locator("html")).to_have_attribute("data-listen", "on")
    heading = page.locator("#screen h1").inner_text().split("\n")[0]
    assert ear.until(heading).voice == "th"
    page.evaluate(PRESS_HELP)
    expect(page.locator("html")).not_to_have_attribute("data-listen", "on")


@pytest.mark.parametrize("keys", [(), ("Tab",)])
def test_the_warning_is_spoken_and_comes_later(
    speaking: tuple[Browser, Ear], screen: Served, ear: Ear, keys: tuple[str, ...]
) -> None:
    """Whoever listens has three times as long, and hears the question; any key is an answer."""
    page = open_on_clock(speaking[0], screen, has_touch=True)
    turn_on(page)
    for key in keys:
        page.keyboard.press(key)
    page.clock.run_for((IDLE_S + 5) * 1000)
    expect(page.locator("#asking")).to_be_hidden()
    page.clock.run_for((SLOW - 1) * IDLE_S * 1000)
    expect(page.locator("#asking")).to_be_visible()
    ear.until("20 seconds")
    page.evaluate(PRESS_HELP)
    expect(page.locator("#asking")).to_be_hidden()
    expect(page.locator("html")).to_have_attribute("data-listen", "on")
    page.context.close()
