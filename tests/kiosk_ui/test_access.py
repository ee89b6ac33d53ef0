"""Access: larger text, contrast, reach, speech and time, and a kiosk used by keyboard alone."""

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.screen import Served, open_on_clock, open_screen, show

BODY_GROWTH = {"a1": 1.3, "a2": 1.6}
IDLE_S = 60
SLOW = 3


def text_px(page: Page) -> float:
    """How large what people read is set."""
    found: float = page.evaluate(
        "() => parseFloat(getComputedStyle(document.documentElement).fontSize)"
    )
    return found


def test_text_grows_by_what_was_asked_for(browser: Browser, screen: Served) -> None:
    """A, A+ and A++ are 100, 130 and 160 %."""
    page = open_screen(browser, screen, "#en/access", has_touch=True)
    before = text_px(page)
    for value, growth in BODY_GROWTH.items():
        show(page, "en", "access")
        while not page.locator(f"[data-value={value}]").is_visible():
            page.locator('[data-turn="1"]').tap()
        page.locator(f"[data-value={value}]").tap()
        assert text_px(page) == pytest.approx(before * growth)
    page.context.close()


def test_every_mode_is_a_tap_away_and_said(browser: Browser, screen: Served) -> None:
    """The button says whether it is on, to the eye and to a screen reader; home takes it along."""
    page = open_screen(browser, screen, "#en/home", has_touch=True)
    page.locator('#bar [data-go="access"]').tap()
    contrast = page.locator("[data-value=contrast]")
    expect(contrast).to_have_attribute("aria-pressed", "false")
    contrast.tap()
    expect(contrast).to_have_attribute("aria-pressed", "true")
    expect(contrast).to_contain_text("On")
    page.locator('#bar [data-go="home"]').tap()
    expect(page.locator("html")).to_have_attribute("data-contrast", "high")

    page.locator('#bar [data-go="access"]').tap()
    expect(page.locator("[data-value=contrast]")).to_have_attribute("aria-pressed", "true")
    page.context.close()


def test_a_kiosk_without_a_voice_says_so(browser: Browser, screen: Served) -> None:
    """Nobody is offered what this kiosk cannot do."""
    page = open_screen(browser, screen, "#en/access")
    expect(page.locator("[data-value=listen]")).to_be_disabled()
    expect(page.locator("[data-value=listen]")).to_contain_text("No voice here")
    show(page, "en", "entry/oyster")
    expect(page.locator(".tale [data-act=listen]")).to_be_hidden()
    page.context.close()


@pytest.mark.parametrize(
    ("name", "patience"), [("home", 1.0), ("list/see", 1.0), ("search", 1.5), ("map", 1.5)]
)
def test_typing_and_looking_about_take_longer(
    browser: Browser, screen: Served, name: str, patience: float
) -> None:
    """60 s for reading, 90 s for a map and for typing, before the screen asks."""
    page = open_on_clock(browser, screen)
    show(page, "en", name)
    page.clock.run_for(round(IDLE_S * patience - 3) * 1000)
    expect(page.locator("#asking")).to_be_hidden()
    page.clock.run_for(6_000)
    expect(page.locator("#asking")).to_be_visible()
    page.context.close()


def test_after_the_reset_nothing_of_the_person_is_left(browser: Browser, screen: Served) -> None:
    """Language, modes, history, scroll, selection, storage: all as on a fresh page."""
    page = open_on_clock(browser, screen)
    page.evaluate("() => { sessionStorage.setItem('a', 'b'); localStorage.setItem('a', 'b'); }")
    show(page, "en", "access")
    for value in ("contrast", "reach", "slow"):
        while not page.locator(f"[data-value={value}]").is_visible():
            page.locator('[data-turn="1"]').click()
        page.locator(f"[data-value={value}]").click()
    show(page, "en", "entry/oyster")

    page.clock.run_for((SLOW * IDLE_S + 25) * 1000)
    expect(page.locator(".attract")).to_be_visible()
    left = page.evaluate(
        """() => ({
          modes: ['text', 'contrast', 'reach', 'listen', 'slow']
            .filter((name) => name in document.documentElement.dataset),
          language: document.documentElement.lang,
          stored: sessionStorage.length + localStorage.length,
          hash: location.hash, search: location.search, scrolled: scrollX + scrollY,
          selected: String(getSelection()), focused: document.activeElement.tagName,
        })"""
    )
    assert left == {
        "modes": [],
        "language": "th",
        "stored": 0,
        "hash": "",
        "search": "",
        "scrolled": 0,
        "selected": "",
        "focused": "BODY",
    }
    show(page, "th", "home")
    expect(page.locator("[data-back]")).to_be_disabled()
    page.context.close()


def tab_to(page: Page, selector: str) -> None:
    """Go on with the Tab key until the focus is there, and can be seen."""
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("(wanted) => document.activeElement.matches(wanted)", selector):
            outline = page.evaluate(
                "() => parseFloat(getComputedStyle(document.activeElement).outlineWidth)"
            )
            assert outline >= 3
            return
    raise AssertionError(f"the Tab key never comes to {selector}")


def test_oysters_are_found_by_keyboard_alone(browser: Browser, screen: Served) -> None:
    """First screen, home, list, entry and back, with Tab and Enter."""
    page = open_screen(browser, screen)
    tab_to(page, ".languages [lang=en]")
    page.keyboard.press("Enter")
    tab_to(page, '.tile[data-go="list/eat"]')
    page.keyboard.press("Enter")
    tab_to(page, '.card[data-go="entry/oyster"]')
    page.keyboard.press("Enter")
    expect(page.locator("#screen h1")).to_have_text("Oysters")
    tab_to(page, "[data-back]")
    page.keyboard.press("Enter")
    expect(page.locator("#screen h1")).to_have_text("Eat & buy")
    page.context.close()


def test_help_is_found_by_keyboard_alone(browser: Browser, screen: Served) -> None:
    """The emergency screen can be come to from the very first one."""
    page = open_screen(browser, screen)
    tab_to(page, ".emergency")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1669", exact=True)).to_be_visible()
    page.context.close()


def test_contrast_is_set_by_keyboard_alone(browser: Browser, screen: Served) -> None:
    """Access is on the bar, and its buttons answer to the space bar; pages are turned, too."""
    page = open_screen(browser, screen, "#en/home")
    tab_to(page, '#bar [data-go="access"]')
    page.keyboard.press("Enter")
    tab_to(page, "[data-value=contrast]")
    page.keyboard.press("Space")
    expect(page.locator("html")).to_have_attribute("data-contrast", "high")
    show(page, "en", "list/see")
    tab_to(page, '[data-turn="1"]')
    page.keyboard.press("Enter")
    expect(page.locator("[data-count]")).to_contain_text("2/")
    page.context.close()


def test_the_focus_stays_in_the_question_and_comes_back(browser: Browser, screen: Served) -> None:
    """While the screen asks, nothing beneath can be reached; then all is as it was."""
    page = open_on_clock(browser, screen)
    show(page, "en", "home")
    tab_to(page, '.tile[data-go="today"]')
    page.clock.run_for((IDLE_S + 2) * 1000)
    expect(page.locator("[data-stay]")).to_be_focused()
    assert page.evaluate("() => document.querySelector('#screen').inert") is True
    page.keyboard.press("Enter")
    expect(page.locator("#asking")).to_be_hidden()
    expect(page.locator('.tile[data-go="today"]')).to_be_focused()
    page.context.close()
