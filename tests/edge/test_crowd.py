from pathlib import Path

from tests.soak_ble import STRANGERS_PER_HOUR, crowd

HOURS = 3
RSS_KB_MAX = 1024  # The allocator's own steps; `make soak-ble` looks at 24 hours.


async def test_a_market_crowd_costs_no_memory_and_no_writes(tmp_path: Path) -> None:
    """5,000 strangers an hour reach the kiosk through bleak, and leave nothing in it."""
    async with crowd(tmp_path) as one:
        hours = [await one.hour() for _ in range(HOURS)]
        traces = one.traces(tmp_path / "kiosk")

    assert [hour.heard for hour in hours] == [STRANGERS_PER_HOUR] * HOURS
    assert [hour.written_bytes for hour in hours] == [0] * HOURS
    assert [hour.taken for hour in hours] == [0] * HOURS
    assert hours[-1].rss_kb - hours[0].rss_kb < RSS_KB_MAX
    assert traces == []
