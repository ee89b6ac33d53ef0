"""Notices of the city in a real Chromium."""

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk_ui.pack_screens import TEXT_SIZES
from tests.kiosk_ui.screen import (
    CUT,
    LANGUAGES,
    SIZES,
    WIDE,
    open_on_clock,
    open_screen,
    pages_of,
    served,
    set_mode,
    show,
)

LINE = "#screen .line:visible"
URGENT_RGB = "rgb(184, 67, 15)"  # The orange of what is now.
# What is touched, against the 15 mm that it must be high and wide, and the screen it must be on.
SMALL = """() => {
  const mm = parseFloat(getComputedStyle(document.documentElement).getPropertyValue('--mm'));
  return [...document.querySelectorAll('#screen button')].filter((e) => e.offsetParent)
    .map((e) => [e.textContent.trim(), e.getBoundingClientRect()])
    .filter(([, r]) => Math.min(r.width, r.height) < 15 * mm || r.bottom > innerHeight || r.top < 0)
    .map(([name]) => name);
}"""


def line(page: Page) -> str:
    """What the one line says; nothing where there is none."""
    shown = page.locator(LINE)
    return shown.inner_text().strip() if shown.count() else ""


def test_one_line_leads_to_the_whole_text(browser: Browser) -> None:
    """From the first screen and from home; one whose days are others is not shown."""
    with served(WIDE, pack="calm") as screen:
        page = open_screen(browser, screen, "#en/attract")
        expect(page.locator(LINE)).to_have_text("North side of the pier closed for three days")
        page.locator(LINE).click()
        expect(page.locator(".news [data-say]")).to_contain_text("go in by the south")
        expect(page.locator("[data-act=next-notice]")).to_be_hidden()
        page.locator("[data-go=home]").click()
        expect(page.locator(LINE)).to_have_count(1)
        page.locator(LINE).click()
        expect(page.locator(".news h1")).to_be_visible()
        page.context.close()


def test_the_urgent_one_stands_first_and_leads_on(browser: Browser) -> None:
    """In red-orange above everything that can be touched there, and says how many more."""
    with served(WIDE, pack="notices") as screen:
        page = open_screen(browser, screen, "#en/home")
        urgent = page.locator(LINE)
        expect(urgent).to_have_text("High waves: stay out of the sea +2")
        expect(urgent).to_have_css("background-color", URGENT_RGB)
        box = urgent.bounding_box()
        tiles = [one.bounding_box() for one in page.locator(".tile:not(.line):visible").all()]
        assert box
        assert all(tile and tile["y"] >= box["y"] + box["height"] for tile in tiles)

        urgent.click()
        titles = []
        for _ in range(3):
            titles.append(page.locator(".news h1").inner_text())
            page.locator("[data-act=next-notice]").click()
        assert titles[1] == "The path is slippery in the rain"
        expect(page.locator(".news h1")).to_have_text("High waves: stay out of the sea")
        page.context.close()


def test_it_goes_at_midnight_without_a_restart(browser: Browser) -> None:
    """Also while the service is away: the page's clock goes on, and the tiles have the room."""
    with served(WIDE, pack="calm") as screen:
        page = open_on_clock(browser, screen)
        show(page, "en", "home")
        expect(page.locator(LINE)).to_have_count(1)
        screen.kill()
        page.clock.fast_forward(2 * 24 * 3_600_000)
        show(page, "en", "home")

        expect(page.locator(LINE)).to_have_count(0)
        expect(page.locator(".tile:visible")).to_have_count(10)
        page.context.close()


def test_an_unset_clock_shows_what_has_no_days(browser: Browser) -> None:
    """Nobody knows whether another is over."""
    with served(WIDE, trust="nobody", pack="notices") as screen:
        page = open_screen(browser, screen, "#en/home")
        expect(page.locator(LINE)).to_have_text("The path is slippery in the rain")
        page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_it_fits(browser: Browser, size: str) -> None:
    """Nothing is cut off and every target is large, in all languages and sizes of text."""
    with served(size, pack="notices") as screen:
        page = open_screen(browser, screen)
        wrong = []
        for mode in (*TEXT_SIZES, "reach"):
            set_mode(page, mode)
            for language in LANGUAGES:
                names = ("attract",) if mode == "a" else ()
                for name in (*names, "home", "notice/storm", "notice/pier-work"):
                    for number in range(pages_of(page, language, name)):
                        show(page, language, name, number)
                        found = [*page.evaluate(CUT), *page.evaluate(SMALL)]
                        # What flows over more pages is wider than its box.
                        found = [one for one in found if "ARTICLE.panel" not in one]
                        wrong += [(mode, language, name, number, one) for one in found]
        page.context.close()
    assert wrong == []
