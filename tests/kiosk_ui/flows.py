"""What people come for, and the touches that it takes: for tests, the bench and the soak.

A flow begins at home and ends where its answer is seen. Who finds the first screen touches it once
before; what is one touch from anywhere, such as help, is one from there as well.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from playwright.sync_api import expect

from kiosk_ui.content import load_pack
from tests.kiosk_ui.screen import reset, show

if TYPE_CHECKING:
    from playwright.sync_api import Page

PACK = load_pack()
NAMES = {entry.id: entry.names for entry in PACK.entries}
CLOCK_TIME = re.compile(r"\d\d:\d\d")


class Flow(NamedTuple):
    """Where to touch, one after the other, and where the answer stands then."""

    name: str
    touches: tuple[str, ...]
    answer: str
    entry: str = ""  # Whose name the answer is, in the reader's language.
    says: re.Pattern[str] | str = ""

    def expected(self, language: str) -> re.Pattern[str] | str:
        """What the answer has in it."""
        return NAMES[self.entry][language] if self.entry else self.says


def go(screen: str) -> str:
    """What leads to a screen, on the screen itself."""
    return f'#screen [data-go="{screen}"]:visible'


SHRINE = (go("search"), '#screen .hit[data-go="entry/nacha-shrine"]')
# A Thai reader has the name as the heading.
THAI = ".driver .thai, html[lang=th] .entry h1"
FLOWS = (
    Flow("oysters near me", (go("list/eat"), go("entry/oyster")), ".entry h1", "oyster"),
    Flow("toilet", (go("toilet"),), "#screen", says="038-142-100"),
    Flow("high tide", (go("today"),), '#screen [data-live="tide.high"]', says=CLOCK_TIME),
    Flow("bus to Bang Saen", (go("list/around"), go("entry/songthaew")), ".entry h1", "songthaew"),
    Flow("the shrine's name for a driver", SHRINE, THAI, says="หน่าจา"),
    Flow("take it with me", SHRINE, ".entry .qr"),
    Flow(
        "report a broken light",
        (go("tell"), '[data-act="reason"][data-value="light"]', '[data-act="send"]'),
        ".outcome",
    ),
    Flow("emergency", ('#bar [data-go="sos"]',), ".help", says="1669"),
)
DRIVER, REPORT, HELP = FLOWS[4], FLOWS[6], FLOWS[7]
# From home, with those that turn a page.
TOUCHES_MAX = {
    "oysters near me": 2,
    "toilet": 2,
    "high tide": 1,
    "bus to Bang Saen": 2,
    "the shrine's name for a driver": 3,
    "take it with me": 3,
    "report a broken light": 3,
    "emergency": 1,
}


def begin(page: Page, language: str) -> None:
    """A fresh person stands at home, in this language."""
    reset(page)
    show(page, language, "home")


def touch(page: Page, flow: Flow, first: int = 0, end: int | None = None) -> None:
    """Touch what the flow asks for, with a finger, from one step to another."""
    for place in flow.touches[first:end]:
        page.locator(place).first.tap()


def turn_to_answer(page: Page, flow: Flow) -> int:
    """Turn pages until the answer is there; how many touches that took."""
    turns = 0
    page.locator(flow.answer).first.wait_for(state="attached")
    while not page.locator(flow.answer).first.is_visible():
        page.locator('#pager [data-turn="1"]:enabled').tap()
        turns += 1
    return turns


def see_answer(page: Page, flow: Flow, language: str) -> None:
    """The answer is on the screen."""
    answer = page.locator(flow.answer).first
    expect(answer).to_be_visible()
    if expected := flow.expected(language):
        expect(answer).to_contain_text(expected)
