"""The desk at which the tests of posts sit: a kiosk whose clock they move."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.kiosk_ui.desk_client import Desk, Time, opened_desk


@pytest.fixture
def now() -> Time:
    """The hand on the clock."""
    return Time()


@pytest.fixture
async def desk(tmp_path: Path, now: Time) -> AsyncIterator[Desk]:
    """A kiosk at noon."""
    async with opened_desk(tmp_path, now) as desk:
        yield desk
