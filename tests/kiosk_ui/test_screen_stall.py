"""A stall's card and its keeper's screens in a real Chromium."""

from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.pinpad import WRONG, enter
from tests.kiosk_ui.screen import Served, open_on_clock, open_screen, reset, show

HOLD_MS = 3_000


def hold(page: Page) -> None:
    """Rest a finger on the card until something comes."""
    page.locator(".stall .wares").hover()
    page.mouse.down()
    page.locator(".pinpad").wait_for()
    page.mouse.up()


def test_a_keeper_tells_what_holds_today(browser: Browser, own_screen: Served) -> None:
    """Three seconds, the PIN, open, a price, sold out, and yes: it stands on the card at once."""
    page = open_screen(browser, own_screen, "#en/stall/12")
    other = open_screen(browser, own_screen, "#en/stall/12")
    expect(page.locator("[data-told]")).to_have_text("No news for today, please ask")
    hold(page)
    expect(page.locator(".pinpad h1")).to_have_text("PIN of stall 12")
    enter(page)
    page.locator("[data-act=open][data-value=open]").click()
    more = page.locator("[data-good=oyster] [data-act=price][data-value='1']")
    more.click()
    more.click()
    page.locator("[data-good=mussel] [data-act=gone]").click()
    page.locator("[data-act=confirm]").click()
    expect(page.locator(".vendor h1")).to_have_text("ถูกต้องไหม")
    page.locator("[data-act=tell-today]").click()
    expect(page.locator(".stall [data-told]")).to_have_text("บันทึกแล้ว แสดงถึงเที่ยงคืน")

    for shown in (page, other):
        show(shown, "en", "stall/12")
        expect(shown.locator("[data-open-today]")).to_have_text("Open today", timeout=10_000)
        expect(shown.locator("[data-good=oyster] span")).to_have_text("120 baht/kg")
        expect(shown.locator("[data-good=mussel] span")).to_have_text("Sold out")
        expect(shown.locator("[data-told]")).to_contain_text("Updated by the stall at")
    page.context.close()
    other.context.close()


def test_a_wrong_pin_says_how_many_tries_are_left(browser: Browser, own_screen: Served) -> None:
    """After the fifth the pad says how long to wait."""
    page = open_screen(browser, own_screen, "#en/stall/12")
    hold(page)
    for left in (4, 3, 2, 1):
        enter(page, WRONG)
        expect(page.locator("[data-said]")).to_have_text(f"Wrong PIN. Tries left: {left}")
    enter(page, WRONG)
    expect(page.locator("[data-said]")).to_have_text("Too many wrong PINs. Please wait 15 min.")
    page.context.close()


def test_a_short_touch_opens_no_pad(browser: Browser, own_screen: Served) -> None:
    """Nor does a finger that leaves in time."""
    page = open_on_clock(browser, own_screen)
    show(page, "en", "stall/12")
    page.locator(".stall .wares").hover()
    page.mouse.down()
    page.clock.run_for(HOLD_MS - 100)
    page.mouse.up()
    page.clock.run_for(HOLD_MS)

    expect(page.locator(".stall")).to_be_visible()
    page.context.close()


def test_a_session_goes_with_the_person(browser: Browser, own_screen: Served) -> None:
    """After a reset the keeper's screens ask for the PIN again."""
    page = open_screen(browser, own_screen, "#th/stall/12")
    hold(page)
    enter(page)
    expect(page.locator(".vendor")).to_be_visible()
    reset(page)
    show(page, "th", "vendor/12")

    expect(page.locator(".stall")).to_be_visible()
    page.context.close()


def test_a_session_that_is_over_is_said(browser: Browser, own_screen: Served) -> None:
    """The service may have started again: it knows no token of before, and nothing is stored."""
    page = open_screen(browser, own_screen, "#th/stall/12")
    hold(page)
    enter(page)
    page.locator("[data-act=open][data-value=closed]").click()
    page.locator("[data-act=confirm]").click()
    own_screen.kill()
    page.locator("[data-act=tell-today]").click()
    expect(page.locator("[data-said]")).to_have_text("ยังไม่ได้บันทึก โปรดลองใหม่")
    own_screen.start()
    page.locator("[data-act=tell-today]").click()
    expect(page.locator("[data-said]")).to_have_text("หมดเวลา โปรดใส่รหัสอีกครั้ง")
    page.context.close()
