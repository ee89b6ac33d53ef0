"""Opening hours as the page evaluates them, in Bangkok's time."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from kiosk_ui.content import load_pack
from kiosk_ui.screen_toilet import TAG
from tests.kiosk_ui.screen import Served, open_screen, show

BANGKOK = timezone(timedelta(hours=7))
MONDAY = datetime(2026, 11, 23, tzinfo=BANGKOK)


@pytest.fixture(scope="module")
def page(browser: Browser, screen: Served) -> Iterator[Page]:
    """A page of a kiosk whose clock is set."""
    page = open_screen(browser, screen)
    yield page
    page.context.close()


def open_at(page: Page, rule: str | None, when: datetime | None) -> Any:
    """What the page's own module says."""
    return page.evaluate(
        """async ([rule, ms]) => {
          const { hours } = await import(document.querySelector('script[type=module]').src);
          return hours.openAt(rule, ms);
        }""",
        [rule, None if when is None else when.astimezone(UTC).timestamp() * 1000],
    )


@pytest.mark.parametrize(
    ("rule", "hour", "minute", "days", "expected"),
    [
        ("Mo-Su 07:00-18:00", 6, 59, 0, {"open": False, "until": 420}),
        ("Mo-Su 07:00-18:00", 7, 0, 0, {"open": True, "until": 1080}),
        ("Mo-Su 07:00-18:00", 17, 59, 6, {"open": True, "until": 1080}),
        ("Mo-Su 07:00-18:00", 18, 0, 0, {"open": False, "until": None}),
        ("Mo-Fr 08:30-16:30", 9, 0, 4, {"open": True, "until": 990}),
        ("Mo-Fr 08:30-16:30", 9, 0, 5, {"open": False, "until": None}),
        ("Fr-Mo 08:00-12:00", 9, 0, 6, {"open": True, "until": 720}),
        ("Fr-Mo 08:00-12:00", 9, 0, 1, {"open": False, "until": None}),
        ("08:00-12:00,13:00-17:00", 12, 30, 2, {"open": False, "until": 780}),
        ("Mo-Su 18:00-02:00", 1, 0, 3, {"open": True, "until": 120}),
        ("Mo-Su 08:00-17:00; We off", 9, 0, 2, {"open": False, "until": None}),
        ("24/7", 3, 0, 0, {"open": True, "until": None}),
    ],
)
def test_the_rules_of_the_pack_are_understood(
    page: Page, rule: str, hour: int, minute: int, days: int, expected: dict[str, Any]
) -> None:
    """Days, spans, spans over midnight and exceptions, in the town's own time."""
    when = MONDAY + timedelta(days=days, hours=hour, minutes=minute)
    assert open_at(page, rule, when) == expected


@pytest.mark.parametrize("rule", ["", "sunrise-sunset", "Mo-Fr", "PH off", "Xy 08:00-09:00", None])
def test_any_other_rule_is_asked_not_guessed(page: Page, rule: str | None) -> None:
    """What is not understood is never "open"."""
    assert open_at(page, rule, MONDAY) is None


def test_without_a_clock_nothing_is_open(page: Page) -> None:
    """Nobody knows, so it says nothing."""
    assert open_at(page, "24/7", MONDAY) is not None
    assert open_at(page, "Mo-Su 00:00-24:00", None) is None


def test_unknown_hours_are_never_called_open(page: Page) -> None:
    """In the list of sights, only what has hours can be open; unsure ones ask to check."""
    show(page, "en", "list/see")
    said = {
        card["id"]: card["text"]
        for card in page.locator(".card").evaluate_all(
            "(all) => all.map((e) => ({ id: e.dataset.go.slice(6),"
            " text: e.querySelector('[data-open]').textContent }))"
        )
    }
    known = {entry.id for entry in load_pack().entries if entry.hours and entry.hours.rule}
    assert said["nacha-shrine"] == "Check hours"
    assert {said[name] for name in said if name not in known} == {"Hours: ask"}


def test_open_places_come_first(page: Page) -> None:
    """A list begins with what is open now, then by the minutes to walk."""
    show(page, "en", "list/see")
    page.evaluate(
        """async () => {
          const { here } = await import(document.querySelector('script[type=module]').src);
          const bundle = here.bundles.en;
          const card = (id, hours) => `<button class="card" data-go="entry/${id}"
            data-hours="${hours}" data-sure="high"><small><i data-open></i></small></button>`;
          bundle.screens['list/test'] = '<section class="list"><div class="cards" ' +
            'data-pages="grid">' + card('near', '') + card('shut', 'Mo-Su 00:00-00:01') +
            card('open', '24/7') + '</div></section>';
        }"""
    )
    show(page, "en", "list/test")
    cards = page.locator(".card")
    assert cards.evaluate_all("(all) => all.map((e) => e.dataset.go)") == [
        "entry/open",
        "entry/near",
        "entry/shut",
    ]


def test_without_a_toilet_in_the_pack_the_screen_says_so(page: Page) -> None:
    """The shipped pack knows none, so it says whom to ask and makes none up."""
    pack = load_pack()
    assert not [entry for entry in pack.entries if TAG in entry.tags]
    show(page, "en", "toilet")
    expect(page.locator("#screen")).to_contain_text("no toilet in our list")
    expect(page.locator("#screen")).to_contain_text("142")
