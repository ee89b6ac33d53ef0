"""The service gone at every kind of screen, and what remembers it gone as well."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.screen import LANGUAGES, Served, chromium, open_screen, served, show

WIDE = "1280x800"
LIVE_MS_MAX = 60_000  # Only a machine that is very busy needs more than five seconds.
SCREENS = (
    *("attract", "home", "list/see", "entry/nacha-shrine", "map", "today", "search", "toilet"),
    *("tell", "tell/words", "access", "language", "privacy", "stall/12", "technician"),
)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def screen() -> Iterator[Served]:
    """One wide screen with a stall and a technician's PIN."""
    with served(WIDE, pack="stalls") as screen:
        yield screen


def get_help(page: Page) -> None:
    """One touch from anywhere, and the numbers to call are there."""
    page.locator("#bar .emergency").tap()
    expect(page.get_by_text("1669", exact=True)).to_be_visible()


def test_every_screen_answers_while_nobody_serves_it(browser: Browser, screen: Served) -> None:
    """In each language help is one touch away and Back leads back; then its database is lost.

    With an empty state folder the same page is live again, without being loaded anew.
    """
    page = open_screen(browser, screen, has_touch=True)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => { window.same = true; })")
    screen.kill()
    expect(page.locator("body")).to_have_attribute("data-live", "no")
    for language in LANGUAGES:
        for name in SCREENS:
            show(page, language, name)
            get_help(page)
            page.locator("#bar [data-back]").tap()
            expect(page.locator("body")).not_to_have_attribute("data-screen", "sos")
        show(page, language, "home")
        expect(page.locator(".home [data-stale]")).to_be_visible()

    for file in screen.folder.iterdir():
        file.unlink()
    screen.start()
    expect(page.locator("body")).to_have_attribute("data-live", "yes", timeout=LIVE_MS_MAX)
    expect(page.locator(".home [data-stale]")).to_be_hidden()
    get_help(page)
    assert page.evaluate("() => window.same") is True
    page.context.close()
