"""The technician's screen in a real Chromium."""

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk_ui.i18n import say
from kiosk_ui.screen_technician import FACTS
from tests.kiosk_ui.pinpad import WRONG, enter
from tests.kiosk_ui.screen import SIZES, WIDE, Served, open_screen, pages_of, served, show


def knock(page: Page, times: int) -> None:
    """Tap the top right corner."""
    for _ in range(times):
        page.touchscreen.tap(SIZES[WIDE][0] - 20, 20)


def test_five_taps_and_the_pin_show_how_the_kiosk_is(
    browser: Browser, stall_screen: Served
) -> None:
    """Every fact that the service tells is on one of the pages, and no page scrolls."""
    page = open_screen(browser, stall_screen, "#en/home", has_touch=True)
    knock(page, 4)
    expect(page.locator(".home")).to_be_visible()
    knock(page, 1)
    expect(page.locator(".pinpad h1")).to_have_text("PIN of the technician")
    enter(page)
    expect(page.locator("[data-facts] dl").first).to_be_visible()
    seen = ""
    for number in range(pages_of(page, "en", "technician")):
        show(page, "en", "technician", number)
        expect(page.locator("[data-facts] dl:visible")).to_have_count(1)
        seen += page.locator("[data-facts] dl:visible").inner_text()
    for words in FACTS.values():
        assert say("en", words) in seen
    for fact in ("angsila-1", "10000000abcdef01", "12.4 / 29.0 GB", "pier/water_level", "1.87 m"):
        assert fact in seen

    page.get_by_role("button", name="Leave").click()
    expect(page.locator(".home")).to_be_visible()
    show(page, "en", "technician")
    expect(page.locator(".pinpad")).to_be_visible()
    page.context.close()


def test_taps_elsewhere_do_not_count(browser: Browser, stall_screen: Served) -> None:
    """Four in the corner, one beside it, and one more are not five."""
    page = open_screen(browser, stall_screen, "#en/sos", has_touch=True)
    knock(page, 4)
    page.touchscreen.tap(300, 30)
    knock(page, 1)

    expect(page.locator(".help")).to_be_visible()
    page.context.close()


def test_the_digits_change_places(browser: Browser, stall_screen: Served) -> None:
    """Who watches the finger learns nothing: after each try they stand elsewhere."""
    page = open_screen(browser, stall_screen, "#en/home")
    orders = set()
    for _ in range(4):
        show(page, "en", "home")
        show(page, "en", "technician")
        order = page.locator("[data-act=digit]").all_inner_texts()
        assert sorted(order) == list("0123456789")
        orders.add("".join(order))

    assert len(orders) > 1
    page.context.close()


def test_a_kiosk_without_a_pin_lets_nobody_in(browser: Browser) -> None:
    """It says that none is set."""
    with served(WIDE) as screen:
        page = open_screen(browser, screen, "#en/technician")
        enter(page, WRONG)

        expect(page.locator("[data-said]")).to_have_text("No PIN is set.")
        page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_circle_is_as_large_as_the_coin(browser: Browser, size: str) -> None:
    """26 mm, by the scale of the panel."""
    with served(size, pack="stalls") as screen:
        page = open_screen(browser, screen, "#en/technician")
        enter(page)
        page.locator("[data-facts] dl").first.wait_for()
        show(page, "en", "technician/scale")
        box = page.locator(".coin").bounding_box()
        page.context.close()

    assert box is not None
    assert box["width"] == pytest.approx(26 * SIZES[size][2], abs=1)
    assert box["height"] == pytest.approx(box["width"], abs=1)
