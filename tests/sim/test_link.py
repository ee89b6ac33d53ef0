"""One kiosk after a long absence, over 64 kbit/s with 8 % loss and a round trip of 600 ms."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.stories import Return, come_back
from tests.sim.town import card_of

SEEDS = 5
HOURS = 24.0
FIRST_LIVE_VALUE_MAX_S = 5.0


@pytest.fixture(scope="module")
def card(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A card with a day of backlog and a complaint."""
    with card_of(tmp_path_factory.mktemp("card") / "journal", HOURS) as folder:
        yield folder


@pytest.fixture(scope="module")
def returns(card: Path) -> list[Return]:
    """A few returns, each with losses of its own."""
    return [come_back(card, seed) for seed in range(SEEDS)]


def test_the_city_sees_the_present_within_seconds(returns: list[Return]) -> None:
    """What was measured when the link came is at the city in 5 s, before a day of backlog."""
    assert max(each.live_value_s for each in returns) < FIRST_LIVE_VALUE_MAX_S
    assert all(each.live_value_s < each.backlog_s / 2 for each in returns)


def test_a_complaint_is_in_the_first_upload(returns: list[Return]) -> None:
    """Whatever else is waiting, what a person wanted to say goes first."""
    assert {each.complaint_uploads for each in returns} == {1}


def test_a_complaint_amid_the_backlog_waits_for_one_upload(returns: list[Return]) -> None:
    """It comes with the upload after the one under way."""
    assert max(each.late_complaint_uploads for each in returns) <= 2


def test_the_whole_backlog_arrives(returns: list[Return]) -> None:
    """Nothing is lost to the losses of the link."""
    assert [each.missing for each in returns] == [0] * SEEDS


def test_a_kiosk_without_the_time_does_not_wait_for_it(card: Path) -> None:
    """The present goes ahead, and the time it was measured at follows."""
    found = [come_back(card, seed, has_time=False) for seed in range(3)]
    assert max(each.live_value_s for each in found) < FIRST_LIVE_VALUE_MAX_S
    assert [each.missing for each in found] == [0] * 3
