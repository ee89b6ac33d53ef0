from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.health import SILENCE_MAX_MS, SLACK_MS, Canary, Progress, SensorState, TrialWrite

COMMIT_S = 30.0
WELL = Progress(sensors=3, taken=0, committed=0, acked=0, sealed=0, online=True)


def moving(now_ms: int) -> Progress:
    """A pipeline in which everything moves."""
    return replace(
        WELL, taken=now_ms, committed=now_ms - 1, acked=now_ms // 2, sealed=now_ms // 2 + 1
    )


def complaint_after(**stuck: Any) -> str:
    """What the canary says after an hour in which some fields of the pipeline stood still."""
    canary = Canary(COMMIT_S)
    complaint = ""
    for now_ms in range(1000, 3_600_000, 10_000):
        complaint = canary.look(replace(moving(now_ms), **stuck), now_ms)
    return complaint


def test_a_pipeline_that_moves_is_well() -> None:
    """The watchdog is fed while readings go all the way."""
    assert complaint_after() == ""


@pytest.mark.parametrize(
    ("stuck", "words"),
    [
        ({"taken": 5, "committed": 5}, "no reading from any sensor"),
        ({"committed": 5}, "nothing was committed"),
        ({"acked": 5}, "the city is online and takes nothing"),
    ],
)
def test_a_stage_that_is_stuck_is_named(stuck: dict[str, int], words: str) -> None:
    """A stall anywhere starves the watchdog, and the status says where it is."""
    assert complaint_after(**stuck).startswith(words)


def test_a_city_that_is_offline_is_no_stall() -> None:
    """Without a network a kiosk is well; it only has more to tell later."""
    assert complaint_after(acked=5, online=False) == ""


def test_sensors_that_are_all_quarantined_are_no_stall() -> None:
    """A restart would not heal them, and would take the screen away again and again."""
    assert complaint_after(sensors=0, taken=5, committed=5) == ""


def test_a_stall_is_called_one_only_after_its_limit() -> None:
    """A slow commit is not a dead one."""
    canary = Canary(COMMIT_S)
    stuck = replace(moving(10), committed=1)
    limit_ms = round(3 * COMMIT_S * 1000) + SLACK_MS
    assert limit_ms < SILENCE_MAX_MS

    assert canary.look(stuck, 0) == ""
    assert canary.look(replace(stuck, taken=11), limit_ms) == ""
    assert canary.look(replace(stuck, taken=12), limit_ms + 1) != ""


def test_a_sensor_turns_only_when_state_or_quality_change() -> None:
    """The same failure in other words is not told again."""
    sensor = SensorState("pier", "bme280", 10)

    assert sensor.turn("failed", "io", "no answer", 1000)
    assert not sensor.turn("failed", "io", "still no answer", 2000)
    assert (sensor.since_ms, sensor.why) == (1000, "still no answer")
    assert sensor.turn("failed", "wrong_chip", "a BMP280", 3000)


def test_a_test_write_tells_a_good_folder_from_a_bad_one(tmp_path: Path) -> None:
    """Health asks with a write, because a card can turn read-only while reads still work."""
    good, bad = TrialWrite(tmp_path), TrialWrite(tmp_path / "not there")

    assert (good.run(), good.why) == (True, "")
    assert not bad.run()
    assert "not there" in bad.why
