"""The screens in a real Chromium, on a really served kiosk."""

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Error, Page, Request, expect

from kiosk_ui.languages import HTML_LANGUAGE, LANGUAGE_NAMES
from tests.kiosk_ui.screen import (
    CUT,
    LANGUAGES,
    SIZES,
    WIDE,
    Served,
    ask,
    is_marked,
    mark,
    open_on_clock,
    open_screen,
    served,
    show,
)

NODES_MAX = 900
TARGET_MM = 15
PRIMARY_MM = 19.9  # 20 mm, less a rounding of pixels.
SMALL = "800x480"
# The service's own messages, but for what they say of the card.
FULL_CARD = """
const Real = EventSource;
window.EventSource = class extends Real {
  addEventListener(kind, hear) {
    super.addEventListener(kind, (event) =>
      hear(event.data ? { data: event.data.replace('"card":"ok"', '"card":"full"') } : event));
  }
};
"""
STALE_MS_MAX = 2_000
LIVE_MS_MAX = 10_000

# In the page: show every page of every screen in every language; what is cut off, most nodes.
WALK = f"""async (languages) => {{
  const cutOff = {CUT};
  const {{ router, here }} = await import(document.querySelector('script[type=module]').src);
  const cut = [];
  let nodes = 0;
  for (const language of languages) {{
    for (const screen of Object.keys(here.bundles[language].screens)) {{
      for (let page = 0; ; page += 1) {{
        router.show({{ language, screen, page }});
        if (here.current().page !== page) break;
        cut.push(...cutOff().map((line) => `${{language}} ${{screen}} ${{page}}: ${{line}}`));
        nodes = Math.max(nodes, document.querySelectorAll('*').length);
        if (document.querySelector('#pager').hidden) break;
      }}
    }}
  }}
  return [cut, nodes];
}}"""


class Watch:
    """What a page says and asks for while a test looks at it."""

    def __init__(self, page: Page, origin: str) -> None:
        self.errors: list[str] = []
        self.foreign: list[str] = []
        self._origin = origin
        page.on("pageerror", self._error)
        page.on("console", self._console)
        page.on("request", self._request)

    def _error(self, error: Error) -> None:
        self.errors.append(str(error))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._origin):
            self.foreign.append(request.url)


@pytest.mark.parametrize("size", SIZES)
def test_no_screen_is_cut_off_in_any_language(browser: Browser, size: str) -> None:
    """Every page of every screen fits its panel, is light, and speaks without a complaint."""
    with served(size) as screen:
        page = open_screen(browser, screen)
        watch = Watch(page, screen.url)
        cut, nodes = page.evaluate(WALK, list(LANGUAGES))
        page.context.close()

    assert cut == []
    assert nodes <= NODES_MAX
    assert watch.errors == []
    assert watch.foreign == []


@pytest.mark.parametrize("size", SIZES)
def test_every_target_is_large_enough(browser: Browser, size: str) -> None:
    """Nothing to touch is under 15 mm, and what most people touch is 20 mm."""
    with served(size) as screen:
        page = open_screen(browser, screen)
        for name in ("attract", "home", "list/see", "today", "sos", "entry/oyster"):
            show(page, "th", name)
            for box in page.evaluate(
                "() => [...document.querySelectorAll('button')].filter((b) => b.offsetParent)"
                ".map((b) => [b.className, b.offsetWidth, b.offsetHeight])"
            ):
                kind, width, height = box
                wanted = PRIMARY_MM if kind == "tile" else TARGET_MM
                assert min(width, height) / SIZES[size][2] >= wanted, (name, box)
        page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_person_finds_every_kind_of_screen_by_touch(
    browser: Browser, screen: Served, language: str
) -> None:
    """From the first screen through all tiles, a list's next page and an entry, and back."""
    page = open_screen(browser, screen, has_touch=True)
    page.locator(f".languages [data-language={language}]").tap()
    expect(page.locator("html")).to_have_attribute("lang", HTML_LANGUAGE[language])
    tiles = page.locator(".tile:not(.small)")
    assert tiles.count() == 6

    for number in range(6):
        tiles.nth(number).tap()
        expect(page.locator("#screen h1")).to_be_visible()
        if page.locator("#pager").is_visible():
            page.locator('[data-turn="1"]').tap()
            expect(page.locator("[data-count]")).to_contain_text("2/")
        if page.locator(".card:visible").count():
            page.locator(".card:visible").first.tap()
            expect(page.locator(".entry h1")).to_be_visible()
            page.locator("[data-back]").tap()
            expect(page.locator(".card:visible").first).to_be_visible()
        page.locator('#bar [data-go="home"]').tap()
        expect(tiles.first).to_be_visible()

    page.locator(".emergency").tap()
    for phone in ("191", "1669", "199", "1155"):
        expect(page.get_by_text(phone, exact=True)).to_be_visible()
    page.context.close()


def test_the_language_changes_and_the_screen_stays(browser: Browser, screen: Served) -> None:
    """By its own name, without a flag, wherever one is."""
    page = open_screen(browser, screen, "#en/entry/oyster")
    expect(page.locator("#screen h1")).to_have_text("Oysters")

    page.locator('#bar [data-go="language"]').click()
    page.get_by_role("button", name=LANGUAGE_NAMES["zh"]).click()
    expect(page.locator("#screen h1")).to_have_text("牡蛎")
    page.locator('#bar [data-go="language"]').click()
    page.get_by_role("button", name=LANGUAGE_NAMES["th"]).click()
    expect(page.locator("#screen h1")).to_have_text("หอยนางรม")
    page.context.close()


def test_a_touch_that_slides_off_does_nothing(browser: Browser, screen: Served) -> None:
    """A tap counts where it is let go (WCAG 2.5.2)."""
    page = open_screen(browser, screen, "#en/home")
    box = page.locator(".tile").first.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 20, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(5, 300)
    page.mouse.up()

    expect(page.locator(".tile").first).to_be_visible()
    page.context.close()


def test_live_values_are_shown_with_unit_age_source_and_truth(
    browser: Browser, screen: Served
) -> None:
    """Today says what, how much, since when, by whom, and whether it is simulated."""
    page = open_screen(browser, screen, "#en/today@3")
    humidity = page.locator("[data-quantity=relative_humidity]")
    expect(humidity).to_contain_text("74%")
    expect(humidity).to_contain_text("simulated · just now · air")

    show(page, "en", "today", 4)
    expect(page.locator("[data-quantity=people]")).to_contain_text("12")
    # How the kiosk itself is doing is no business of a visitor's.
    assert page.locator("[data-quantity=memory_used]").count() == 0

    show(page, "en", "today", 0)
    expect(page.locator(".tidepanel")).to_contain_text("not for navigation")
    assert page.locator(".curve .line").get_attribute("d")
    page.context.close()


def test_without_a_clock_there_is_no_tide_and_the_screen_says_why(browser: Browser) -> None:
    """No time, no date, no curve for a wrong hour; measured values stay."""
    with served(WIDE, trust="nobody") as screen:
        page = open_screen(browser, screen, "#en/today")
        expect(page.locator(".tidepanel")).to_contain_text("The clock is not set")
        expect(page.locator(".curve")).to_be_hidden()
        assert page.evaluate(CUT) == []
        show(page, "en", "today", 2)
        expect(page.locator(".moonpanel")).to_contain_text("sun and moon are not shown")
        expect(page.locator(".moonpanel .disc")).to_be_hidden()
        expect(page.locator(".sunpanel .turns")).to_be_hidden()
        assert page.evaluate(CUT) == []
        show(page, "en", "home")
        expect(page.locator(".clock")).to_have_text("--:--")
        expect(page.locator(".strip .tide")).to_contain_text("Clock not set")
        expect(page.locator('[data-age="heat"]')).to_contain_text("37")
        assert page.evaluate(CUT) == []
        page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_a_dead_service_leaves_fits_as_well(browser: Browser, size: str) -> None:
    """The line about missing values costs room, and nothing is cut off by it."""
    with served(size) as screen:
        page = open_screen(browser, screen)
        screen.kill()
        expect(page.locator("body")).to_have_attribute("data-live", "no")
        cut, _ = page.evaluate(WALK, list(LANGUAGES))
        page.context.close()

    assert cut == []


def test_all_letters_come_from_our_fonts(browser: Browser, screen: Served) -> None:
    """Chromium never falls back to a font of the system, which a Pi may not have."""
    page = open_screen(browser, screen)
    session = page.context.new_cdp_session(page)
    session.send("DOM.enable")
    session.send("CSS.enable")
    for language in LANGUAGES:
        for name in ("attract", "home", "today", "sos", "list/see", "entry/nacha-shrine"):
            show(page, language, name)
            root = session.send("DOM.getDocument")["root"]["nodeId"]
            found = session.send("DOM.querySelectorAll", {"nodeId": root, "selector": "body *"})
            fonts = {
                font["familyName"]
                for node in found["nodeIds"]
                for font in session.send("CSS.getPlatformFontsForNode", {"nodeId": node})["fonts"]
            }
            assert fonts <= {"Angsila Sans", "Angsila Han"}, (language, name)
    page.context.close()


def test_a_killed_service_takes_nothing_off_the_screen(browser: Browser) -> None:
    """Taps go on, the page says so, and it is live again without a reload, which works, too."""
    with served(WIDE) as screen:
        page = open_screen(browser, screen, "#en/home")
        mark(page)
        screen.kill()

        expect(page.locator(".home [data-stale]")).to_be_visible(timeout=STALE_MS_MAX)
        page.get_by_role("button", name="Eat & buy").click()
        page.locator(".card").first.click()
        expect(page.locator(".entry h1")).to_be_visible()
        page.locator('#bar [data-go="language"]').click()
        page.get_by_role("button", name="ไทย").click()
        page.locator(".emergency").click()
        expect(page.get_by_text("1669", exact=True)).to_be_visible()

        screen.start()
        expect(page.locator("body")).to_have_attribute("data-live", "yes", timeout=LIVE_MS_MAX)
        assert is_marked(page)

        screen.kill()
        page.reload()
        page.wait_for_selector("html[data-ready]")
        page.locator(".languages [data-language=en]").click()
        expect(page.locator(".tile").first).to_be_visible()
        page.context.close()


def test_a_card_that_takes_nothing_is_said(browser: Browser) -> None:
    """While measurements end with the power, the screen says so, and it fits."""
    with served(SMALL) as screen:
        page = open_screen(browser, screen, "#en/home", FULL_CARD)
        expect(page.locator(".home [data-card]")).to_be_visible()
        box = page.locator(".home [data-card]").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 800
        page.context.close()


def test_old_values_turn_grey_and_then_go(browser: Browser) -> None:
    """Without news a value is grey after ten minutes and no longer there after an hour."""
    with served(WIDE) as screen:
        page = open_on_clock(browser, screen)
        heat = page.locator('[data-age="heat"]')
        expect(heat).to_contain_text("°C")
        screen.kill()

        page.clock.fast_forward(11 * 60_000)
        expect(heat).to_have_attribute("data-fresh", "old")
        expect(heat).to_contain_text("°C")
        page.clock.fast_forward(50 * 60_000)
        expect(heat).to_have_attribute("data-fresh", "gone")
        expect(heat).not_to_contain_text("°C")
        page.context.close()


def test_a_forgotten_screen_asks_waits_and_starts_afresh(browser: Browser, screen: Served) -> None:
    """After 60 s it asks for 20 s; a touch extends, again and again; then all is reset."""
    page = open_on_clock(browser, screen)
    page.locator(".languages [data-language=en]").click()
    page.locator('[data-go="list/see"]').click()
    question = page.locator("#asking")

    for _ in range(12):
        page.clock.run_for(61_000)
        expect(question).to_be_visible()
        page.locator("[data-stay]").click()
        expect(question).to_be_hidden()
        expect(page.locator(".card").first).to_be_visible()

    page.clock.run_for(61_000)
    left = page.locator("[data-countdown]")
    left_s = int(left.text_content() or "")
    assert left_s in {19, 20}  # The page looks once a second, so it may ask a second late.
    page.clock.run_for((left_s - 1) * 1_000)
    expect(left).to_have_text("1")
    page.clock.run_for(1_000)
    expect(question).to_be_hidden()
    expect(page.locator(".attract")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "th")
    assert page.evaluate("() => sessionStorage.length + localStorage.length") == 0
    page.context.close()


def test_the_question_fits(browser: Browser, screen: Served) -> None:
    """The question has room in every language and size."""
    page = open_screen(browser, screen)
    for size, (width, height, _) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        for language in LANGUAGES:
            show(page, language, "home")
            ask(page)
            expect(page.locator("[data-stay]")).to_be_in_viewport()
            cut = page.locator("#asking *").evaluate_all(
                "(all) => all.filter((e) => !e.closest('svg') &&"
                " e.scrollWidth > e.clientWidth + 1).length"
            )
            assert cut == 0, (size, language)
            ask(page, None)
    page.context.close()


def test_the_first_screen_takes_turns_with_its_languages(browser: Browser, screen: Served) -> None:
    """Each language has its twelve seconds, and a touch anywhere goes on in that language."""
    page = open_on_clock(browser, screen)
    page.clock.run_for(13_000)
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.clock.run_for(13_000)
    expect(page.locator("html")).to_have_attribute("lang", "zh-Hans")

    page.locator(".attract h1").click()
    expect(page.locator(".home h1")).to_have_text("欢迎来到昂西拉")
    page.context.close()
