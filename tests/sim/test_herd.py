"""Many kiosks come back at the same moment to a city that is slow."""

from __future__ import annotations

from pathlib import Path

from tests.sim.stories import all_come_back
from tests.sim.town import card_of

KIOSKS = 40  # `make bench` has 200.
RATIO_MAX = 1.3


def test_a_herd_is_drained_about_as_fast_as_the_city_can(tmp_path: Path) -> None:
    """Some are asked to come again; nothing is dropped, and the city is hardly ever idle."""
    with card_of(tmp_path / "journal", 3.0) as card:
        herd = all_come_back(card, KIOSKS)
    assert herd.missing == 0
    assert herd.refused > 0
    assert herd.drained_s <= RATIO_MAX * herd.ideal_s
    assert herd.complaints_s < herd.drained_s
