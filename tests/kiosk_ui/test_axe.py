"""axe's rules of WCAG 2.2 AA and good practice, on every kind of screen in every mode."""

import os
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import (  # type: ignore[import-untyped] # no types
    Axe,
)
from playwright.sync_api import Browser, Page

from tests.kiosk_ui.screen import (
    LANGUAGES,
    MODES,
    Served,
    all_screens,
    ask,
    set_mode,
    show,
)
from tests.kiosk_ui.speaking import Ear, open_speaking

FULL = bool(os.environ.get("KIOSK_FULL"))
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
SOME = [
    *("attract", "home", "list/see", "entry/nacha-shrine", "sos", "today"),
    *("access", "language", "privacy", "toilet", "map", "search", "tell"),
]


def violations(page: Page, mode: str) -> list[str]:
    """What axe finds wrong with what is shown now."""
    options: dict[str, Any] = {"runOnly": TAGS, "resultTypes": ["violations"]}
    if mode == "contrast":
        options["rules"] = {"color-contrast-enhanced": {"enabled": True}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{rule['id']}: {node['html'][:90]}" for rule in found for node in rule["nodes"]]


@pytest.fixture(scope="module")
def browser(speaking: tuple[Browser, Ear]) -> Browser:
    """With voices, as on a kiosk: their buttons take room."""
    return speaking[0]


@pytest.mark.parametrize("mode", MODES if FULL else ("a", "a2", "contrast"))
def test_axe_finds_nothing_wrong(browser: Browser, screen: Served, mode: str) -> None:
    """No violation on any screen; with high contrast, all text has 7:1."""
    page = open_speaking(browser, screen)
    names = [name for name, _ in all_screens(page)] if FULL else SOME
    set_mode(page, mode)
    wrong = {}
    for number, name in enumerate(names):
        for language in LANGUAGES if FULL else [LANGUAGES[number % len(LANGUAGES)]]:
            if name != "attract" or mode == "a":  # The first screen knows no modes.
                show(page, language, name)
                if found := violations(page, mode):
                    wrong[language, name] = found
    page.context.close()

    assert wrong == {}


def test_axe_finds_nothing_wrong_with_the_question(browser: Browser, screen: Served) -> None:
    """The question before a reset is a dialog that is named, described and holds the focus."""
    page = open_speaking(browser, screen, "#en/home")
    ask(page)
    wrong = violations(page, "a")
    focused = page.evaluate("() => document.activeElement.hasAttribute('data-stay')")
    page.context.close()

    assert wrong == []
    assert focused
