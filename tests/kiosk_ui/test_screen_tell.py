"""Tell the city in a real Chromium, on a really served kiosk."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Request, expect

from kiosk_ui.screen_tell import CHOICES, MOODS
from kiosk_ui.tell import FACES, REASONS
from tests.kiosk_ui.screen import (
    LANGUAGES,
    SIZES,
    Served,
    open_screen,
    pages_of,
    reset,
    served,
    show,
)

TARGET_MM = 15
GAP_MM = 2.9  # 3 mm, less a rounding of pixels.
PLANTED = ("somchai", "malee", "quiet sea")


class Posts:
    """What a page sends to one address while a test looks at it."""

    def __init__(self, page: Page, path: str) -> None:
        self.bodies: list[dict[str, Any]] = []
        self._path = path
        page.on("request", self._note)

    def _note(self, request: Request) -> None:
        if request.url.endswith(self._path) and request.post_data:
            self.bodies.append(json.loads(request.post_data))


def write(page: Page, text: str) -> None:
    """Type on the keys of the page."""
    for letter in text:
        if letter == " ":
            page.locator(".keys [data-command=space]").tap()
        else:
            page.locator(f'.keys [data-key="{letter}"]').tap()


def test_the_screen_offers_what_the_service_takes() -> None:
    """The eight reasons and three faces are the ones of the table."""
    assert tuple(choice.value for choice in CHOICES) == REASONS
    assert tuple(mood.value for mood in MOODS) == FACES


def test_a_broken_light_is_three_taps(browser: Browser, own_screen: Served) -> None:
    """The chip, the reason, send; then the ticket that the service gave stands there large."""
    page = open_screen(browser, own_screen, "#en/home", has_touch=True)
    page.locator('[data-go="tell"]').tap()
    page.get_by_role("button", name="Broken light").tap()
    with page.expect_response("**/api/tell") as answered:
        page.get_by_role("button", name="Send").tap()

    ticket = answered.value.json()["ticket"]
    expect(page.locator("[data-ticket]")).to_have_text(ticket)
    expect(page.locator(".outcome")).to_contain_text("Your number · angsila-1")
    page.context.close()


def test_nothing_chosen_cannot_be_sent(browser: Browser, own_screen: Served) -> None:
    """A reason or a face wakes the button, and a second tap takes it back."""
    page = open_screen(browser, own_screen, "#en/tell")
    send = page.get_by_role("button", name="Send")
    expect(send).to_be_disabled()
    page.get_by_role("button", name="Good").click()
    expect(send).to_be_enabled()
    page.get_by_role("button", name="Good").click()
    expect(send).to_be_disabled()
    page.context.close()


def test_words_of_ones_own_come_after_the_notice(browser: Browser, own_screen: Served) -> None:
    """What was chosen before is still chosen after writing, and all of it is sent."""
    page = open_screen(browser, own_screen, "#en/tell", has_touch=True)
    posts = Posts(page, "/api/tell")
    page.get_by_role("button", name="Litter").tap()
    page.get_by_role("button", name="Add words").tap()
    expect(page.locator(".notice")).to_contain_text("no names, phone numbers")
    page.get_by_role("button", name="Write").tap()
    write(page, "bin full")
    expect(page.locator("[data-left]")).to_have_text("8/200")
    page.get_by_role("button", name="Done").tap()
    expect(page.get_by_role("button", name="Litter")).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-own]")).to_have_text("bin full")
    page.get_by_role("button", name="Send").tap()
    expect(page.locator("[data-ticket]")).not_to_be_empty()

    [sent] = posts.bodies
    assert {key: sent[key] for key in ("reason", "text", "language")} == {
        "reason": "litter",
        "text": "bin full",
        "language": "en",
    }
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_an_entry_has_a_way_to_say_that_it_is_wrong(browser: Browser, size: str) -> None:
    """One tap on the entry, and the reason is chosen and the entry named; another sends it."""
    with served(size) as screen:
        page = open_screen(browser, screen, "#en/entry/nacha-shrine")
        for number in range(pages_of(page, "en", "entry/nacha-shrine")):
            show(page, "en", "entry/nacha-shrine", number)
            if page.locator("[data-about]:visible").count():
                break
        posts = Posts(page, "/api/tell")
        page.locator("[data-about]:visible").click()
        expect(page.locator("[data-value=wrong_info]")).to_have_attribute("aria-pressed", "true")
        expect(page.locator("h1 [data-name]")).to_contain_text("Na Cha")
        page.locator("[data-act=send]").click()
        expect(page.locator("[data-ticket]")).not_to_be_empty()
        page.context.close()

    assert posts.bodies[0]["reason"] == "wrong_info"
    assert posts.bodies[0]["entry"] == "entry/nacha-shrine"


def test_wrong_info_says_and_sends_what_it_is_about(browser: Browser, own_screen: Served) -> None:
    """The entry that was read last; another reason is about no entry."""
    page = open_screen(browser, own_screen, "#en/entry/oyster")
    posts = Posts(page, "/api/tell")
    for reason in ("Wrong info", "Smell"):
        show(page, "en", "tell")
        page.get_by_role("button", name=reason).click()
        page.get_by_role("button", name="Send").click()
        expect(page.locator("[data-ticket]")).not_to_be_empty()

    assert [sent.get("entry") for sent in posts.bodies] == ["entry/oyster", None]
    show(page, "en", "tell")
    page.get_by_role("button", name="Wrong info").click()
    expect(page.locator(".tell h1")).to_have_text("Tell the city Oysters")
    page.context.close()


def test_a_dead_service_is_said_and_tried_again(browser: Browser, own_screen: Served) -> None:
    """Nothing is called stored that is not; the ticket comes by itself with the service."""
    page = open_screen(browser, own_screen, "#en/tell")
    posts = Posts(page, "/api/tell")
    own_screen.kill()
    page.get_by_role("button", name="Broken light").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".outcome")).to_contain_text("Not stored yet")
    expect(page.locator("[data-ticket]")).to_be_hidden()

    own_screen.start()
    expect(page.locator("[data-ticket]")).to_be_visible(timeout=15_000)
    assert len({sent["key"] for sent in posts.bodies}) == 1
    page.context.close()


def test_what_could_not_be_stored_goes_with_the_person(
    browser: Browser, own_screen: Served
) -> None:
    """After the reset it is not sent any more, nor are words that were written."""
    page = open_screen(browser, own_screen, "#en/tell")
    own_screen.kill()
    page.get_by_role("button", name="Broken light").click()
    page.get_by_role("button", name="Send").click()
    expect(page.locator(".outcome")).to_contain_text("Not stored yet")
    reset(page)
    posts = Posts(page, "/api/tell")
    own_screen.start()
    expect(page.locator("body")).to_have_attribute("data-live", "yes", timeout=15_000)
    show(page, "en", "tell/words")
    expect(page.locator("textarea")).to_have_value("")
    show(page, "en", "tell")
    expect(page.get_by_role("button", name="Send")).to_be_disabled()

    assert posts.bodies == []
    page.context.close()


def test_counters_hold_screens_and_no_word_that_was_typed(
    browser: Browser, own_screen: Served
) -> None:
    """At the reset the page sends sums by language, screen and kind, and nothing else."""
    page = open_screen(browser, own_screen, "#en/home", has_touch=True)
    usage = Posts(page, "/api/usage")
    for planted in PLANTED:
        show(page, "en", "search")
        write(page, planted)
        show(page, "en", "tell/words")
        write(page, planted)
    show(page, "en", "sos")
    with page.expect_response("**/api/usage") as answered:
        reset(page)

    assert answered.value.ok
    sent = json.dumps(usage.bodies)
    counts = {tuple(row[:3]): row[3] for row in usage.bodies[0]["counts"]}
    assert counts["en", "tell/words", "view"] == len(PLANTED)
    assert counts["en", "sos", "sos"] == counts["en", "sos", "reset"] == 1
    assert [planted for planted in PLANTED if planted in sent] == []
    assert all(len(row) == 4 for row in usage.bodies[0]["counts"])
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_what_is_to_be_tapped_is_large_and_apart(browser: Browser, size: str) -> None:
    """15 mm at least, and 3 mm between two, on every page of these screens."""
    with served(size, pack="stalls") as screen:
        page = open_screen(browser, screen)
        for name in ("tell", "tell/notice", "tell/words", "tell/done", "pin", "stall/12"):
            show(page, "th", name)
            boxes = page.evaluate(
                "() => [...document.querySelectorAll('#screen button')]"
                ".filter((b) => b.offsetParent && !b.closest('.keys'))"
                ".map((b) => b.getBoundingClientRect())"
                ".map((r) => [r.left, r.top, r.right, r.bottom])"
            )
            scale = SIZES[size][2]
            for number, (left, top, right, bottom) in enumerate(boxes):
                assert min(right - left, bottom - top) / scale >= TARGET_MM - 0.1, (name, number)
                for other in boxes[number + 1 :]:
                    apart = max(
                        other[0] - right, left - other[2], other[1] - bottom, top - other[3]
                    )
                    assert apart / scale >= GAP_MM, (name, number, other)
        page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_all_reasons_stand_on_one_page(browser: Browser, size: str) -> None:
    """At the normal size of text nobody has to turn a page to find theirs."""
    with served(size) as screen:
        page = open_screen(browser, screen)
        for language in LANGUAGES:
            show(page, language, "tell")
            expect(page.locator(".reasons button:visible")).to_have_count(len(REASONS))
        page.context.close()
