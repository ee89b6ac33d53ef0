"""The market's stalls among what is sold, and found by their number."""

import json
import urllib.request
from dataclasses import replace

import pytest
from playwright.sync_api import Browser, expect

from kiosk_ui.content import load_pack
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace
from kiosk_ui.screen_list import numbered
from tests.kiosk_ui.desk_client import PIN, stall_pack
from tests.kiosk_ui.screen import CUT, SIZES, Served, open_screen, pages_of, served, show


def post(screen: Served, path: str, **body: object) -> dict[str, object]:
    """What a page of ours would send, and what was said."""
    headers = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin"}
    raw = json.dumps(body).encode()
    sent = urllib.request.Request(screen.url + path, raw, headers)  # noqa: S310 # loopback
    with urllib.request.urlopen(sent, timeout=20) as answer:  # noqa: S310 # the same
        found: dict[str, object] = json.load(answer)
        return found


def tell(screen: Served, number: str, is_open: str) -> None:
    """A keeper says for today whether the stall is open."""
    token = post(screen, "/api/pin", door=f"stall/{number}", pin=PIN)["token"]
    post(screen, "/api/stall", token=token, number=number, open=is_open, sold_out=[], prices={})


def test_stalls_stand_in_the_list_of_what_is_sold() -> None:
    """By their number and behind the goods; a pack without stalls has none in any list."""
    market = render_bundle(stall_pack(), KioskPlace(), "en", str)["screens"]
    assert market["list/eat"].index("stall/7") < market["list/eat"].index("stall/12")
    assert market["list/eat"].index("entry/oyster") < market["list/eat"].index("stall/7")
    assert "stall/7" not in market["list/see"]

    plain = render_bundle(replace(load_pack(), stalls=()), KioskPlace(), "en", str)["screens"]
    assert "data-today" not in plain["list/eat"]


def test_numbers_are_in_the_order_of_counting() -> None:
    """As people walk along the stalls."""
    assert sorted(("12A", "B1", "12", "7"), key=numbered) == ["B1", "7", "12", "12A"]


@pytest.mark.parametrize("size", SIZES)
def test_what_is_open_now_comes_first(browser: Browser, size: str) -> None:
    """A stall that says so leads the list, a closed one ends it; its card says since when."""
    with served(size, pack="stalls") as screen:
        tell(screen, "12", "open")
        tell(screen, "7", "closed")
        page = open_screen(browser, screen)
        page.wait_for_function(
            """async () => {
              const { live } = await import(document.querySelector('script[type=module]').src);
              return Object.keys(live.heard().stalls).length === 2;
            }"""
        )
        show(page, "en", "list/eat")
        cards = page.locator(".card")
        expect(cards.first).to_have_attribute("data-go", "stall/12")
        expect(cards.first.locator("[data-open]")).to_have_text("Open today")
        expect(cards.last).to_have_attribute("data-go", "stall/7")
        expect(cards.last.locator("[data-open]")).to_have_text("Closed today")
        for number in range(pages_of(page, "en", "list/eat")):
            show(page, "en", "list/eat", number)
            assert page.evaluate(CUT) == []
        show(page, "en", "list/eat")
        page.locator(".card:visible").first.click()
        expect(page.locator("[data-told]")).to_contain_text("by the stall at")
        page.context.close()


def test_a_stall_is_found_by_its_number(browser: Browser, own_screen: Served) -> None:
    """As it is written over the stall, in the language of whoever looks for it."""
    for language, query in (("en", "stall 12"), ("th", "แผง 12"), ("zh", "12")):
        page = open_screen(browser, own_screen, f"#{language}/search")
        page.locator(".search input").fill(query)
        expect(page.locator(".hit").first).to_have_attribute("data-go", "stall/12")
        page.context.close()
