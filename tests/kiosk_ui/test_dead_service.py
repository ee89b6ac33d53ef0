"""The service gone at every kind of screen, and what remembers it gone as well."""

from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.screen import LANGUAGES, LIVE_MS_MAX, Served, is_marked, mark, open_screen, show

SCREENS = (
    *("attract", "home", "list/see", "entry/nacha-shrine", "map", "today", "search", "toilet"),
    *("tell", "tell/words", "access", "language", "privacy", "stall/12", "technician"),
)


def get_help(page: Page) -> None:
    """One touch from anywhere, and the numbers to call are there."""
    page.locator("#bar .emergency").tap()
    expect(page.get_by_text("1669", exact=True)).to_be_visible()


def test_every_screen_answers_while_nobody_serves_it(browser: Browser, own_screen: Served) -> None:
    """In each language help is one touch away and Back leads back; then its database is lost.

    With an empty state folder the same page is live again, without being loaded anew.
    """
    page = open_screen(browser, own_screen, has_touch=True)
    mark(page)
    own_screen.kill()
    expect(page.locator("body")).to_have_attribute("data-live", "no")
    for language in LANGUAGES:
        for name in SCREENS:
            show(page, language, name)
            get_help(page)
            page.locator("#bar [data-back]").tap()
            expect(page.locator("body")).not_to_have_attribute("data-screen", "sos")
        show(page, language, "home")
        expect(page.locator(".home [data-stale]")).to_be_visible()

    for file in own_screen.folder.iterdir():
        file.unlink()
    own_screen.start()
    expect(page.locator("body")).to_have_attribute("data-live", "yes", timeout=LIVE_MS_MAX)
    expect(page.locator(".home [data-stale]")).to_be_hidden()
    get_help(page)
    assert is_marked(page)
    page.context.close()
