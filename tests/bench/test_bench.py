from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from tests.bench import bench_card, bench_wire
from tests.bench.figures import Beside, Figure, write
from tests.bench.reference_day import reference_day
from tests.bench.replay import ReplayError, ram_folder, replay

# Only figures that do not depend on how fast or how busy the machine is.
HOURS = 4.0  # Long enough that a start does not outweigh it.


@pytest.mark.parametrize(
    ("beats", "goal"), [(True, bench_wire.GOAL_BEATS), (False, bench_wire.GOAL_MS_TIMES)]
)
async def test_readings_take_few_bytes_on_the_wire_and_come_out_equal(
    beats: bool,  # noqa: FBT001  pytest hands it in.
    goal: float,
) -> None:
    """The wire keeps its goal with both kinds of time stamps, and each reading arrives equal."""
    day = list(reference_day(beats=beats, hours=HOURS))

    with tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()) as folder:
        replayed = await replay(day, Path(folder) / "kiosk", Path(folder) / "city")

    # What was refused is one upload a life, and would count for a day's share of it here.
    assert (replayed.upload_bytes - replayed.refused_bytes) / len(day) <= goal


async def test_a_reading_that_changes_on_its_way_is_noticed(tmp_path: Path) -> None:
    """The bench compares what the city decodes with what was measured, to the digit."""
    day = list(reference_day(hours=0.01))
    # Finer than the decimals that its stream keeps: the journal rounds it, so it arrives changed.
    day[3] = day[3]._replace(value=day[3].value + 0.04)

    with pytest.raises(ReplayError, match="came to the city as"):
        await replay(day, tmp_path / "kiosk", tmp_path / "city")


async def test_readings_cost_the_card_few_bytes() -> None:
    """On a real ext4 the journal keeps its goal, opening and clean stop included."""
    day = list(reference_day(hours=HOURS))
    try:
        with bench_card.card(bench_card.LAZY) as card:
            written = await bench_card.write_journal(day, card)
    except bench_card.NoCardError as error:
        pytest.skip(str(error))

    assert written.bytes / len(day) <= bench_card.GOAL


def test_figures_are_written_as_json(tmp_path: Path) -> None:
    """A script finds name, value, unit, goal and what stands beside each figure."""
    figure = Figure("start", 2.5, "x", 3.0, beside=(Beside("bare", 1.0),))
    write([figure], tmp_path / "build" / "bench.json")

    (found,) = json.loads((tmp_path / "build" / "bench.json").read_text(encoding="utf-8"))

    assert found["name"] == "start"
    assert (found["value"], found["unit"], found["goal"]) == (2.5, "x", 3.0)
    assert found["beside"] == [{"name": "bare", "value": 1.0}]


@pytest.mark.parametrize(("better", "reached"), [("lower", True), ("higher", False)])
def test_a_goal_has_a_side(better: str, reached: bool) -> None:  # noqa: FBT001  pytest hands it in.
    """Fewer bytes than the goal reach it, fewer readings a second miss it."""
    figure = Figure("any", 2.0, "x", 3.0, "higher" if better == "higher" else "lower")

    assert figure.reached is reached
    assert figure._replace(goal=None).reached is None
