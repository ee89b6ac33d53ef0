"""What many tests share: a browser, a served screen, and the desk at which posts are tested."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.kiosk_ui.desk_client import Desk, Time, opened_desk
from tests.kiosk_ui.screen import WIDE, Served, chromium, served
from tests.kiosk_ui.speaking import Ear, speaking_chromium


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of a file."""
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def speaking() -> Iterator[tuple[Browser, Ear]]:
    """One with the voices of a kiosk, and what hears them."""
    with speaking_chromium() as found:
        yield found


@pytest.fixture(scope="module")
def screen() -> Iterator[Served]:
    """One wide screen for all tests of a file; who kills it starts it again."""
    with served(WIDE) as screen:
        yield screen


@pytest.fixture(scope="module")
def stall_screen() -> Iterator[Served]:
    """The same with two stalls, their keepers' PINs and a technician's."""
    with served(WIDE, pack="stalls") as screen:
        yield screen


@pytest.fixture
def own_screen() -> Iterator[Served]:
    """The same for one test alone: it may be killed, and nobody has told it anything before."""
    with served(WIDE, pack="stalls") as screen:
        yield screen


@pytest.fixture
def now() -> Time:
    """The hand on the clock."""
    return Time()


@pytest.fixture
async def desk(tmp_path: Path, now: Time) -> AsyncIterator[Desk]:
    """A kiosk at noon."""
    async with opened_desk(tmp_path, now) as desk:
        yield desk
