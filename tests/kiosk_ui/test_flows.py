"""The eight things people come for, by touch, and with the service killed half-way."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk_ui.languages import HTML_LANGUAGE
from tests.kiosk_ui.flows import (
    DRIVER,
    FLOWS,
    HELP,
    REPORT,
    TOUCHES_MAX,
    Flow,
    begin,
    see_answer,
    touch,
    turn_to_answer,
)
from tests.kiosk_ui.screen import (
    LANGUAGES,
    LIVE_MS_MAX,
    SIZES,
    WIDE,
    Served,
    is_marked,
    mark,
    open_screen,
    reset,
    served,
)

BY_NAME = [pytest.param(flow, id=flow.name) for flow in FLOWS]


@pytest.fixture(scope="module")
def pages(browser: Browser, screen: Served) -> Iterator[dict[str, Page]]:
    """A page for each language, which is never loaded again."""
    found = {one: open_screen(browser, screen, has_touch=True) for one in LANGUAGES}
    for page in found.values():
        mark(page)
    yield found
    for page in found.values():
        page.context.close()


@pytest.mark.parametrize("flow", BY_NAME)
def test_the_answer_is_so_many_touches_away(pages: dict[str, Page], flow: Flow) -> None:
    """In each language, and in no more touches than were promised."""
    for language, page in pages.items():
        begin(page, language)
        assert go_through(page, flow, language) <= TOUCHES_MAX[flow.name]


def test_the_first_screen_costs_one_touch_more(pages: dict[str, Page]) -> None:
    """The one that wakes it, on the word of one's own language."""
    for language, page in pages.items():
        reset(page)
        page.locator(f".languages [data-language={language}]").tap()
        assert go_through(page, DRIVER, language) <= TOUCHES_MAX[DRIVER.name]


def test_help_needs_no_home(pages: dict[str, Page]) -> None:
    """It is one touch from the first screen as well."""
    for page in pages.values():
        reset(page)
        touch(page, HELP)
        expect(page.get_by_text("1669", exact=True)).to_be_visible()


def go_through(page: Page, flow: Flow, language: str) -> int:
    """From home to the answer; how many touches that took."""
    touch(page, flow)
    turns = turn_to_answer(page, flow)
    see_answer(page, flow, language)
    return len(flow.touches) + turns


@pytest.mark.parametrize("size", [size for size in SIZES if size != WIDE])
def test_it_is_no_farther_on_other_panels(browser: Browser, size: str) -> None:
    """On a small panel an entry has two pages, and all is within what was promised all the same."""
    with served(size) as screen:
        page = open_screen(browser, screen, has_touch=True)
        for flow in FLOWS:
            for language in LANGUAGES:
                begin(page, language)
                assert go_through(page, flow, language) <= TOUCHES_MAX[flow.name], flow.name
        page.context.close()


@pytest.mark.parametrize("flow", BY_NAME)
def test_a_dead_service_stops_nobody_half_way(
    pages: dict[str, Page], screen: Served, flow: Flow
) -> None:
    """Killed and cut off between two touches, everybody finishes; it comes back by itself.

    Only the report needs the service: it says that nothing is stored yet, and when it is.
    """
    half = len(flow.touches) // 2
    for language, page in pages.items():
        begin(page, language)
        touch(page, flow, 0, half)
    for page in pages.values():
        page.context.set_offline(True)
    screen.kill()

    for language, page in pages.items():
        expect(page.locator("body")).to_have_attribute("data-live", "no")
        touch(page, flow, half)
        turn_to_answer(page, flow)
        see_answer(page, flow, language)
        if flow == REPORT:
            expect(page.locator('.outcome [data-state~="lost"]').first).to_be_visible()
            expect(page.locator("[data-ticket]")).to_be_hidden()
        expect(page.locator("html")).to_have_attribute("lang", HTML_LANGUAGE[language])

    screen.start()
    for page in pages.values():
        page.context.set_offline(False)
    for page in pages.values():
        expect(page.locator("body")).to_have_attribute("data-live", "yes", timeout=LIVE_MS_MAX)
        if flow == REPORT:
            expect(page.locator("[data-ticket]")).to_be_visible(timeout=LIVE_MS_MAX)
            expect(page.locator("[data-ticket]")).not_to_be_empty()
        assert is_marked(page)
