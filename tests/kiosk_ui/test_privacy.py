"""What a person leaves behind when they have gone: nothing, on the page or on the disk."""

import random
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.desk_client import PIN
from tests.kiosk_ui.pinpad import enter
from tests.kiosk_ui.screen import (
    CHROMIUM,
    SWITCHES,
    WIDE,
    Served,
    open_on_clock,
    open_screen,
    reset,
    served,
    settle,
    show,
)

EXTENDED = 12
PLANTED = 200
LONGEST_MS = 5 * 60_000 + 61_000  # A technician has five minutes.
SIGN = "xqz"  # Begins each planted name, and no word of a program.
SYLLABLES = ("chai", "mali", "som", "nok", "phan", "wit", "rung", "dao", "kit", "lek")
# In the page: all there is of it, but for what the service says and the clock shows.
LEFT = """async () => {
  const copy = document.documentElement.cloneNode(true);
  for (const one of copy.querySelectorAll('[data-stale],[data-card]')) one.remove();
  for (const one of copy.querySelectorAll('#screen [data-live]')) one.replaceChildren();
  delete copy.querySelector('body').dataset.live;
  for (const one of copy.querySelectorAll('[data-fresh],[data-level]')) {
    delete one.dataset.fresh;
    delete one.dataset.level;
  }
  const { here } = await import(document.querySelector('script[type=module]').src);
  return {
    page: copy.outerHTML.replaceAll(/(>)\\s+/g, '$1'),
    place: here.current(),
    url: location.href,
    state: history.state,
    session: { ...sessionStorage },
    local: { ...localStorage },
    cookies: document.cookie,
    databases: await indexedDB.databases(),
    caches: (await caches.keys()).length,
    marked: String(getSelection()),
    scrolled: [scrollX, scrollY],
    fields: [...document.querySelectorAll('input,textarea')].map((one) => one.value),
  };
}"""


def opened(browser: Browser, screen: Served) -> Page:
    """A page that has all it needs without a network."""
    page = open_on_clock(browser, screen, has_touch=True)
    page.evaluate("() => navigator.serviceWorker.ready.then(() => true)")
    return page


def leave(page: Page) -> None:
    """Walk away, and let the time pass until the screen has asked and started over."""
    page.clock.run_for(LONGEST_MS)
    expect(page.locator(".attract")).to_be_visible()
    # The first screen takes turns with its languages.
    while page.evaluate("() => document.documentElement.lang") != "th":
        page.clock.run_for(1_000)


def visitor(page: Page) -> None:
    """Look around in another language, larger and with more contrast; search, and begin to tell."""
    show(page, "en", "access")
    page.locator('[data-act="mode"][data-value="contrast"]').tap()
    page.locator('[data-act="text"][data-value="a2"]').tap()
    show(page, "en", "search")
    page.keyboard.type("somchai")
    show(page, "zh", "map")
    page.locator('[data-act="zoom"][data-by="1"]').tap()
    show(page, "en", "tell/words")
    page.keyboard.type("my name is malee")
    show(page, "zh", "list/see", 2)


def keeper(page: Page) -> None:
    """Open one's stall for today, and go before it is confirmed."""
    show(page, "th", "stall/12")
    page.locator(".stall .wares").hover()
    page.mouse.down()
    page.clock.run_for(3_100)
    page.locator(".pinpad").wait_for()
    page.mouse.up()
    enter(page)
    page.locator("[data-act=open][data-value=open]").click()


def technician(page: Page) -> None:
    """Look at how the kiosk is."""
    show(page, "en", "technician")
    enter(page, PIN)
    page.locator("[data-facts] dl").first.wait_for()


@pytest.mark.parametrize("role", [visitor, keeper, technician])
def test_after_the_reset_all_is_as_on_the_first_day(
    browser: Browser, stall_screen: Served, role: Any
) -> None:
    """Page, storage, history, selection and cookies are those of a page that was just opened."""
    page = opened(browser, stall_screen)
    leave(page)
    fresh = page.evaluate(LEFT)
    length = page.evaluate("() => history.length")
    role(page)
    leave(page)
    left = page.evaluate(LEFT)

    assert left == fresh
    assert page.evaluate("() => history.length") == length
    show(page, "th", "vendor/12")
    expect(page.locator(".vendor")).to_have_count(0)
    show(page, "en", "technician")
    expect(page.locator(".pinpad")).to_be_visible()
    page.context.close()


def test_what_a_person_saw_is_collected_when_they_have_gone(
    browser: Browser, screen: Served
) -> None:
    """Not only out of sight: the screen that they left is no longer in the page's memory."""
    page = open_screen(browser, screen)
    show(page, "en", "search")
    page.evaluate("() => { window.left = new WeakRef(document.querySelector('#screen input')); }")
    assert page.evaluate("() => window.left.deref() !== undefined")
    reset(page)

    page.wait_for_function("() => window.left.deref() === undefined")
    page.context.close()


@pytest.mark.parametrize(
    ("name", "patience_s"),
    [("home", 60), ("tell", 90), ("technician", 300)],
)
def test_the_question_stands_for_twenty_seconds_and_can_always_be_put_off(
    browser: Browser, stall_screen: Served, name: str, patience_s: int
) -> None:
    """Never sooner, not a second less, twelve times in a row; after the last one it is over."""
    page = opened(browser, stall_screen)
    if name == "technician":
        technician(page)
    else:
        show(page, "en", name)
    question = page.locator("#asking")
    page.clock.run_for(patience_s * 1_000)  # The first one may be a second late.
    if not question.is_visible():
        page.clock.run_for(1_000)
    for _ in range(EXTENDED):
        page.clock.run_for(19_000)
        expect(page.locator("[data-countdown]")).to_have_text("1")
        page.locator("[data-stay]").tap()
        expect(question).to_be_hidden()
        page.clock.run_for((patience_s - 1) * 1_000)
        expect(question).to_be_hidden()
        page.clock.run_for(1_000)
        expect(page.locator("[data-countdown]")).to_have_text("20")

    page.clock.run_for(19_000)
    expect(question).to_be_visible()
    page.clock.run_for(1_000)
    expect(question).to_be_hidden()
    expect(page.locator(".attract")).to_be_visible()
    page.context.close()


def test_two_hundred_names_are_nowhere_on_the_disk(browser: Browser, tmp_path: Path) -> None:
    """What was typed and not sent is in no file of the service and in none of the browser."""
    chance = random.Random(4)  # noqa: S311 # the same names each time
    found_names = {SIGN + "".join(chance.choices(SYLLABLES, k=4)) for _ in range(2 * PLANTED)}
    names = sorted(found_names)[:PLANTED]
    asked: list[str] = []
    with served(WIDE) as screen:
        context = browser.browser_type.launch_persistent_context(
            tmp_path / "profile", executable_path=CHROMIUM, args=list(SWITCHES), has_touch=True
        )
        page = context.pages[0]
        page.goto(screen.url)
        settle(page)
        context.on("request", lambda one: asked.append(f"{one.url} {one.post_data}"))
        for family, field in (("search", ".search input"), ("tell/words", "textarea")):
            show(page, "en", family)
            page.locator(field).evaluate(
                """(field, names) => names.forEach((name) => {
                  field.value = name;
                  field.dispatchEvent(new Event('input'));
                })""",
                names,
            )
            page.keyboard.type(names[0])
        with page.expect_response("**/api/usage"):
            reset(page)
        screen.kill()
        context.close()
        files = [
            path
            for folder in (screen.folder, tmp_path / "profile")
            for path in folder.rglob("*")
            if path.is_file()
        ]
        signs = (SIGN.encode(), SIGN.encode("utf-16-le"))
        found = [path for path in files if any(sign in path.read_bytes() for sign in signs)]

    assert len(names) == PLANTED
    assert len(files) > 10
    assert found == []
    assert asked
    assert [one for one in asked if SIGN in one] == []
