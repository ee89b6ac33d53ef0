"""The pad on which a keeper or a technician types a PIN, as browser tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.kiosk_ui.desk_client import PIN

if TYPE_CHECKING:
    from playwright.sync_api import Page

WRONG = "135790"


def enter(page: Page, pin: str = PIN) -> None:
    """Type a PIN on the pad, wherever its digits are."""
    for digit in pin:
        page.locator("[data-act=digit]", has_text=digit).click()
