from pathlib import Path

import pytest

from edge.errors import EdgeError, SettingsError
from edge.set_time import read_time, set_time
from sync import local
from sync.clock import Clock
from sync.journal import Journal

WHEN = "2027-01-15T12:00:00+07:00"
WHEN_MS = 1_799_989_200_000


async def test_a_technician_sets_a_clock_that_nobody_has_set(tmp_path: Path) -> None:
    """The time is taken with its error, and its anchor survives the next start."""
    clock = Clock(("technician",))
    journal = await Journal.open(tmp_path, clock)
    async with local.serve(journal, None):
        await set_time(tmp_path, WHEN, 30.0)
    assert clock.source == "technician"
    assert 30_000 <= (clock.error_ms or 0) <= 30_100  # A quartz goes its own way from there.
    await journal.close()
    again = await Journal.open(tmp_path, Clock(()))
    assert [anchor.utc_ms for anchor in again.anchors] == [WHEN_MS]
    await again.close()


async def test_a_better_clock_is_not_moved(tmp_path: Path) -> None:
    """Where NTP has set the clock, a technician's watch is refused, and it is said why."""
    clock = Clock(("ntp", "technician"), ntp_error_ms=lambda: 5, wall_ms=lambda: WHEN_MS)
    clock.poll()
    journal = await Journal.open(tmp_path, clock)
    async with local.serve(journal, None):
        with pytest.raises(EdgeError, match="ntp"):
            await set_time(tmp_path, WHEN, 30.0)
    await journal.close()


async def test_without_a_kiosk_it_says_so(tmp_path: Path) -> None:
    """A folder on which nothing runs is named."""
    with pytest.raises(EdgeError, match="no kiosk runs"):
        await set_time(tmp_path, WHEN, 30.0)


async def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    """A mistyped folder is one line."""
    with pytest.raises(EdgeError, match=r"state folder .*nowhere: No such file"):
        await set_time(tmp_path / "nowhere", WHEN, 30.0)


@pytest.mark.parametrize("error_s", [-1.0, float("nan"), float("inf")])
async def test_an_error_that_is_none_is_refused(tmp_path: Path, error_s: float) -> None:
    """With an error below 0 a watch would go before every better clock."""
    with pytest.raises(SettingsError, match="is not from 0 to 86400"):
        await set_time(tmp_path, WHEN, error_s)


@pytest.mark.parametrize("text", ["noon", "2027-01-15T12:00:00"])
def test_what_is_no_time_is_refused(text: str) -> None:
    """A time needs its zone, since a kiosk's own may be wrong."""
    with pytest.raises(SettingsError, match=text):
        read_time(text)
