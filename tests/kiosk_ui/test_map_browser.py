"""The map in a real Chromium: what a finger finds on it."""

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.screen import SIZES, Served, open_screen, reset, served, set_mode, show

TARGET_MM = 15

# In the page: every target of the map that is on the screen, as left, top, right, bottom.
TARGETS = """() => {
  const view = document.querySelector('.mapview').getBoundingClientRect();
  return [...document.querySelectorAll('.map button')]
    .filter((one) => one.offsetParent)
    .map((one) => [one.className || one.dataset.act, one.getBoundingClientRect(),
      Boolean(one.closest('.plan'))])
    .filter(([, box, pinned]) => !pinned || (box.left >= view.left && box.right <= view.right &&
      box.top >= view.top && box.bottom <= view.bottom))
    .map(([name, box]) => [name, box.left, box.top, box.right, box.bottom]);
}"""
PLAN_AT = """() => new DOMMatrix(
  getComputedStyle(document.querySelector('.plan:not([hidden])')).transform).toJSON()"""


@pytest.fixture
def page(browser: Browser, screen: Served) -> Iterator[Page]:
    """The map in English, untouched."""
    page = open_screen(browser, screen, "#en/map")
    yield page
    page.context.close()


def plan_at(page: Page) -> tuple[float, float]:
    """Where the plan lies under its view."""
    matrix: Any = page.evaluate(PLAN_AT)
    return matrix["e"], matrix["f"]


def test_a_pin_leads_to_its_entry_and_back_to_the_same_map(
    browser: Browser, screen: Served
) -> None:
    """Home, map, pin, details: three more taps; Back finds plan, card and zoom as they were."""
    page = open_screen(browser, screen, "#en/home")
    page.locator('[data-go="map"]').click()
    page.locator('[data-id="old-market"]:visible').click()
    expect(page.locator(".mapcard")).to_contain_text("Old Market")
    expect(page.locator(".mapcard")).to_contain_text("min walk")
    expect(page.locator(".mapcard")).to_contain_text("within 120 m")
    page.locator('[data-act="zoom"][data-by="1"]').click()
    page.get_by_role("button", name="Details").click()
    expect(page.locator(".entry h1")).to_contain_text("Ang Sila Old Market")

    page.locator("[data-back]").click()
    expect(page.locator(".mapcard")).to_contain_text("Old Market")
    expect(page.locator('[data-act="zoom"][data-by="-1"]')).to_be_enabled()
    page.context.close()


def test_the_kiosk_is_marked_where_it_was_surveyed(page: Page) -> None:
    """You are here, and rings that say how far one gets on foot."""
    expect(page.locator(".you span:visible")).to_contain_text("You are here")
    expect(page.locator(".walk:visible").first).to_have_text("5 min")
    expect(page.locator(".maptold")).to_contain_text("Schematic")


def test_crowded_pins_are_one_with_a_number_that_opens(page: Page) -> None:
    """A tap comes closer until each has room; where none is left, it lists them."""
    crowd = page.locator(".many").first
    expect(crowd).to_have_text("2")
    for _ in range(3):
        if page.locator(".mapcard").is_visible():
            break
        page.locator(".many:visible").last.click()
    listed = page.locator(".mapcard .row1")
    expect(listed).to_have_count(2)  # Temple and stalls have the same coordinates.

    listed.first.click()
    expect(page.locator(".entry h1")).to_be_visible()


@pytest.mark.parametrize("size", SIZES)
def test_no_two_targets_of_the_map_overlap(browser: Browser, size: str) -> None:
    """On both plans, at every zoom, each is 15 mm and none lies on another."""
    with served(size) as screen:
        page = open_screen(browser, screen)
        for language, plan in (("en", "market"), ("th", "area")):
            show(page, language, "map")
            page.locator(f'.mapchips [data-plan="{plan}"]').click()
            while page.locator('[data-by="-1"]').is_enabled():
                page.locator('[data-by="-1"]').click()
            for _ in range(3):
                found = page.evaluate(TARGETS)
                for name, left, top, right, bottom in found:
                    assert min(right - left, bottom - top) / SIZES[size][2] >= TARGET_MM, name
                for one, two in combinations(found, 2):
                    apart = (
                        one[3] <= two[1] or two[3] <= one[1] or one[4] <= two[2] or two[4] <= one[2]
                    )
                    assert apart, (plan, one, two)
                if page.locator('[data-by="1"]').is_enabled():
                    page.locator('[data-by="1"]').click()
        page.context.close()


def test_the_map_moves_by_arrows_and_by_a_finger(page: Page) -> None:
    """By a transform alone, within its edges, and the end of a drag is no tap."""
    page.locator('[data-by="1"]').click()
    before = plan_at(page)
    page.locator('[data-pan="1 0"]').click()
    after = plan_at(page)
    assert after[0] < before[0]
    assert after[1] == before[1]

    pin = page.locator(".plan:not([hidden]) .pin:visible").first
    box = pin.bounding_box()
    view = page.locator(".mapview").bounding_box()
    assert box is not None
    assert view is not None
    x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 60, y + 40, steps=4)
    page.mouse.up()
    assert plan_at(page) == (after[0] + 60, after[1] + 40)
    expect(page.locator(".mapcard")).to_be_hidden()

    for _ in range(12):
        if page.locator('[data-pan="-1 0"]').is_enabled():
            page.locator('[data-pan="-1 0"]').click()
    expect(page.locator('[data-pan="-1 0"]')).to_be_disabled()


def test_a_chip_shows_its_kind_alone(page: Page) -> None:
    """A second tap shows all again; a kind without a place says so and leads to its list."""
    page.locator('.mapchips [data-plan="area"]').click()
    page.locator('.mapchips [data-kind="services"]').click()
    expect(page.locator(".pin:visible")).to_have_count(1)
    expect(page.locator(".pin.rough:visible")).to_have_count(1)
    page.locator('.mapchips [data-kind="services"]').click()
    assert page.locator(".pin:visible").count() > 3

    page.locator('.mapchips [data-kind="transport"]').click()
    expect(page.locator(".mapcard")).to_contain_text("No place of this kind")
    page.get_by_role("button", name="Show the list").click()
    expect(page.locator(".list h1")).to_be_visible()


def test_a_tap_beside_everything_closes_the_card(page: Page) -> None:
    """So does its cross."""
    page.locator('[data-id="old-market"]:visible').click()
    expect(page.locator(".mapcard")).to_be_visible()
    page.locator(".mapview").click(position={"x": 30, "y": 30})
    expect(page.locator(".mapcard")).to_be_hidden()

    page.locator('[data-id="old-market"]:visible').click()
    page.get_by_role("button", name="Close", exact=True).click()
    expect(page.locator(".mapcard")).to_be_hidden()


def test_places_are_stepped_through_from_below(page: Page) -> None:
    """In reach mode each place's card comes by the arrows, all round, without a pin's touch."""
    set_mode(page, "reach")
    page.locator('.maprail [data-step="1"]').click()
    names = []
    for _ in range(page.locator(".plan:not([hidden]) .pin[data-id]").count()):
        names.append(page.locator(".mapcard b").text_content())
        page.locator('.mapcard [data-step="1"]').click()

    assert len(set(names)) == len(names) > 2
    assert page.locator(".mapcard b").text_content() == names[0]


def test_the_next_person_finds_the_map_as_new(page: Page) -> None:
    """After a reset neither the plan nor the card of the last one is left."""
    page.locator('.mapchips [data-plan="area"]').click()
    page.locator(".pin.rough:visible").click()
    reset(page)
    show(page, "en", "map")

    expect(page.locator(".mapcard")).to_be_hidden()
    expect(page.locator('.mapchips [data-plan="market"]')).to_have_attribute("aria-pressed", "true")
