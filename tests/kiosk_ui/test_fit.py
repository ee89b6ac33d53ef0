"""Every screen fits every panel in every mode: sizes, gaps, cuts and what is within reach."""

import os

import pytest
from playwright.sync_api import Browser

from tests.kiosk_ui.fit import check
from tests.kiosk_ui.flows import PACK
from tests.kiosk_ui.screen import LANGUAGES, MODES, PANELS, pages_of, served, set_mode, show
from tests.kiosk_ui.speaking import Ear, open_speaking

FULL = bool(os.environ.get("KIOSK_FULL"))
NODES_MAX = 900
PAGES_MAX = 3
USUALLY_ON_ONE_PAGE = 0.85
ON_ONE_PAGE = {"800x480": 0.65}  # So low that a code to take along needs a page of its own.
# One of each kind; all of them with KIOSK_FULL.
SOME = (
    *("home", "list/see", "entry/nacha-shrine", "entry/oyster", "sos", "access", "toilet"),
    *("map", "search", "tell", "today"),
)
# In the page: one more style sheet, as the policy of the page lets a script have it.
ADD_STYLE = """(style) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(style);
  document.adoptedStyleSheets = [sheet];
}"""
# What only a pack with stalls and a technician's PIN has.
OWN = ("stall", "vendor", "pin", "technician", "tell")
FEW = [("800x480", "a2"), ("1280x800", "reach"), ("1080x1920", "a2"), ("480x800", "contrast")]
CASES = [(panel, mode) for panel in PANELS for mode in MODES] if FULL else FEW


@pytest.fixture(scope="module")
def browser(speaking: tuple[Browser, Ear]) -> Browser:
    """With voices, as on a kiosk: their buttons take room."""
    return speaking[0]


@pytest.mark.parametrize(("panel", "mode"), CASES)
def test_everything_fits_and_can_be_touched(browser: Browser, panel: str, mode: str) -> None:
    """Targets of 15 and 20 mm, 3 mm apart; nothing cut, nothing scrolls; low in reach mode."""
    with served(panel) as screen:
        page = open_speaking(browser, screen)
        found = check(page, panel, mode, *(() if FULL else SOME))
        page.context.close()

    assert found["wrong"] == []
    assert found["nodes"] <= NODES_MAX
    assert found["pages"] > 0


@pytest.mark.parametrize("panel", PANELS if FULL else ["480x800"])
def test_most_entries_are_seen_at_once(browser: Browser, panel: str) -> None:
    """Who walks on after forty seconds turns no page: also on the smallest panel, upright."""
    with served(panel) as screen:
        page = open_speaking(browser, screen)
        counts = [
            pages_of(page, language, f"entry/{entry.id}")
            for language in (LANGUAGES if FULL else ("en",))
            for entry in PACK.entries
        ]
        page.context.close()

    assert counts.count(1) / len(counts) >= ON_ONE_PAGE.get(panel, USUALLY_ON_ONE_PAGE)
    assert max(counts) <= PAGES_MAX


@pytest.mark.parametrize("panel", PANELS if FULL else ["1280x800"])
def test_all_of_the_pack_fits_at_the_usual_size(browser: Browser, panel: str) -> None:
    """Every page of every screen that a person can come to without changing a thing."""
    with served(panel) as screen:
        page = open_speaking(browser, screen)
        found = check(page, panel, "a")
        page.context.close()

    assert found["wrong"] == []


@pytest.mark.parametrize(("panel", "mode"), CASES if FULL else FEW[:2])
def test_the_screens_of_stalls_and_of_the_technician_fit(
    browser: Browser, panel: str, mode: str
) -> None:
    """Those that a visitor does not come to keep the same rules."""
    with served(panel, pack="stalls") as screen:
        page = open_speaking(browser, screen)
        found = check(page, panel, mode, *OWN)
        page.context.close()

    assert found["wrong"] == []
    assert found["pages"] > len(LANGUAGES) * len(OWN)


@pytest.mark.parametrize(
    ("style", "told"),
    [
        (".facts{margin-left:-12em}", "lies over"),
        (".listen{margin-bottom:-2em}", "lies over"),
        (".listen{min-height:0!important;height:2em}", " mm"),
        ("#bar{gap:0!important}", "apart"),
        (".story .text{white-space:nowrap}", "cut"),
        (".facts .tel{white-space:normal!important;width:4em}", "torn"),
        (".story h1{width:2em}", "torn"),
        (".story h1{overflow:hidden;line-height:1!important}", "marks cut off"),
    ],
)
def test_what_is_wrong_is_found(browser: Browser, style: str, told: str) -> None:
    """The check can fail: things over one another, small, close together or cut are named."""
    with served("1280x800") as screen:
        page = open_speaking(browser, screen)
        page.evaluate(ADD_STYLE, style)
        found = check(page, "1280x800", "a", "entry/old-market", "entry/municipality")
        page.context.close()

    assert any(told in line for line in found["wrong"])


@pytest.mark.parametrize("panel", PANELS if FULL else ["800x480", "800x1280"])
@pytest.mark.parametrize("mode", ["a", "a1", "a2"])
def test_who_needs_help_or_another_language_turns_no_page(
    browser: Browser, panel: str, mode: str
) -> None:
    """All four numbers to call and all languages are seen at once, however large the letters."""
    with served(panel) as screen:
        page = open_speaking(browser, screen)
        set_mode(page, mode)
        for language in LANGUAGES:
            show(page, language, "sos")
            numbers = page.locator(".numbers b:visible").all_text_contents()
            assert numbers == ["191", "1669", "199", "1155"], language
            show(page, language, "language")
            assert page.locator(".words button:visible").count() == len(LANGUAGES), language
        page.context.close()


@pytest.mark.parametrize("panel", ["480x800", "800x1280", "1080x1920"])
def test_help_is_one_page_on_a_panel_that_stands(browser: Browser, panel: str) -> None:
    """The numbers and the words to say stand below each other, at the usual size."""
    with served(panel) as screen:
        page = open_speaking(browser, screen)
        assert [pages_of(page, language, "sos") for language in LANGUAGES] == [1, 1, 1]
        page.context.close()


def test_chips_with_room_keep_their_letters(browser: Browser) -> None:
    """A line of letters may be taller than its box: that alone makes no chip's letters smaller."""
    with served("1080x1920") as screen:
        page = open_speaking(browser, screen)
        show(page, "en", "search")
        sizes = page.locator(".hit").evaluate_all("(all) => all.map((one) => one.style.fontSize)")
        page.context.close()

    assert set(sizes) == {"1em"}


def test_sheets_that_have_room_share_a_page(browser: Browser) -> None:
    """In large letters, what the day brings is on no more pages than it needs."""
    with served("1080x1920") as screen:
        page = open_speaking(browser, screen)
        set_mode(page, "a2")
        show(page, "en", "today", 1)
        assert page.locator(".sheets > :visible").count() > 1
        page.context.close()


def test_a_long_text_goes_on_over_more_pages(browser: Browser) -> None:
    """At the largest text on the smallest panel each line of an entry is on one of its pages."""
    with served("800x480") as screen:
        page = open_speaking(browser, screen)
        page.evaluate("() => { document.documentElement.dataset.text = 'a2'; }")
        show(page, "en", "entry/nacha-shrine")
        count = int((page.locator("[data-count]").text_content() or "").split("/")[1])
        seen = 0.0
        whole = page.locator(".story").evaluate(
            "(e) => { const range = document.createRange(); range.selectNodeContents(e);"
            " return [...range.getClientRects()].filter((r) => r.width && r.height).length; }"
        )
        for number in range(count):
            show(page, "en", "entry/nacha-shrine", number)
            seen += page.evaluate(
                """() => {
                  const story = document.querySelector('.story');
                  if (!story.offsetParent) return 0;
                  const box = story.getBoundingClientRect();
                  const range = document.createRange();
                  range.selectNodeContents(story);
                  return [...range.getClientRects()].filter((r) => r.width && r.height &&
                    r.left >= box.left - 1 && r.right <= box.right + 1 &&
                    r.bottom <= box.bottom + 1).length;
                }"""
            )
        page.context.close()

    assert count > 1
    assert seen == whole > 0


def test_six_cards_and_one_page_of_home_at_the_usual_size(browser: Browser) -> None:
    """A 10 inch list holds six cards in every language, and home shows all ways on at once."""
    with served("1280x800") as screen:
        page = open_speaking(browser, screen)
        for language in LANGUAGES:
            show(page, language, "list/see")
            assert page.locator(".card:visible").count() == 6, language
            show(page, language, "home")
            assert page.locator("#pager").is_hidden(), language
            assert page.locator(".strip").is_visible(), language
        page.context.close()
