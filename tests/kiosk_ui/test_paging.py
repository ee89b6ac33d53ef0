"""How often a screen is laid out before it is seen: what makes a slow processor feel slow."""

import pytest
from playwright.sync_api import Browser, CDPSession

from tests.kiosk_ui.screen import LANGUAGES, Served, open_screen, show

# One to look whether it still fits, one for what was written since; values that come just then add
# to them. Measuring anew takes five and more.
LAYOUTS_MAX = 4
STYLES_MAX = 8
TRIES = 3  # Once a second the clock on the screen is painted as well.


def counts(cdp: CDPSession) -> tuple[int, int]:
    """How often this page has been laid out and has had styles computed."""
    found = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    return int(found["LayoutCount"]), int(found["RecalcStyleCount"])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "name", ["home", "list/eat", "list/around", "entry/nacha-shrine", "today", "search", "tell"]
)
def test_a_screen_that_was_shown_is_not_measured_again(
    browser: Browser, screen: Served, language: str, name: str
) -> None:
    """What it came to the first time is kept: only its values may have changed."""
    page = open_screen(browser, screen)
    cdp = page.context.new_cdp_session(page)
    cdp.send("Performance.enable")
    layouts, styles = [], []
    for _ in range(TRIES + 1):
        show(page, language, "attract")
        before = counts(cdp)
        show(page, language, name)
        after = counts(cdp)
        layouts.append(after[0] - before[0])
        styles.append(after[1] - before[1])
    page.context.close()

    assert 0 < min(layouts[1:]) <= LAYOUTS_MAX
    assert min(styles[1:]) <= STYLES_MAX
