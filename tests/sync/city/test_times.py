from collections.abc import Iterator

import pytest
from peewee import SqliteDatabase

from sync.city.times import Times
from sync.entry import Anchor

A, B, C = "aa" * 16, "bb" * 16, "cc" * 16
HOUR_MS = 3_600_000
NOON_MS = 1_800_000_000_000


@pytest.fixture
def times() -> Iterator[Times]:
    """Three boots of one lane: 1 to 10, 11 to 20, 21 to 30, an hour each."""
    database = SqliteDatabase(":memory:")
    found = Times(database)
    database.create_tables(found.tables())
    for number, boot in enumerate((A, B, C)):
        found.note_boot(1, boot, number * 10 + 1, number * 10 + 10, HOUR_MS)
    yield found
    database.close()


def test_an_anchor_of_the_same_boot_is_used_whole(times: Times) -> None:
    """Where the boot was told the time, its entries have it, also those before."""
    anchor = Anchor(B, HOUR_MS, NOON_MS, 20, "ntp")
    times.add_anchors("kiosk", [anchor])
    assert times.bind("kiosk", 1, B, 0, NOON_MS) == anchor


def test_a_boot_that_nobody_told_the_time_lies_between_its_neighbours(times: Times) -> None:
    """It began after the boot before had its last entry, and ended before the next began."""
    times.add_anchors("kiosk", [Anchor(A, HOUR_MS, NOON_MS, 0, "ntp")])
    times.add_anchors("kiosk", [Anchor(C, 0, NOON_MS + 3 * HOUR_MS, 0, "ntp")])
    found = times.bind("kiosk", 1, B, HOUR_MS // 2, NOON_MS + 9 * HOUR_MS)
    assert found is not None
    # Three hours lie between; one of them is the boot itself, so it is known to an hour.
    assert found.source == "estimated"
    assert found.utc_at(HOUR_MS // 2) == NOON_MS + HOUR_MS // 2 + HOUR_MS
    assert found.error_ms == HOUR_MS


def test_the_last_boot_ended_before_the_city_knew_of_it(times: Times) -> None:
    """Without a later boot the moment of arrival is the bound."""
    times.add_anchors("kiosk", [Anchor(B, HOUR_MS, NOON_MS, 0, "ntp")])
    found = times.bind("kiosk", 1, C, HOUR_MS, NOON_MS + 2 * HOUR_MS)
    assert found is not None
    assert found.utc_ms - found.error_ms == NOON_MS + HOUR_MS
    assert found.utc_ms + found.error_ms == NOON_MS + 2 * HOUR_MS


def test_what_was_measured_later_bounds_nothing_before_it(times: Times) -> None:
    """An early segment of a last boot came when the boot still had most of its hour before it."""
    times.add_anchors("kiosk", [Anchor(B, HOUR_MS, NOON_MS, 0, "ntp")])
    seen_ms = NOON_MS + HOUR_MS // 4  # The boot's end is known from a segment that came later.
    found = times.bind("kiosk", 1, C, HOUR_MS // 8, seen_ms)
    assert found is not None
    assert found.utc_ms + found.error_ms == seen_ms


def test_what_nothing_bounds_has_no_time(times: Times) -> None:
    """A first boot without an anchor is not given a time that was made up."""
    times.add_anchors("kiosk", [Anchor(B, HOUR_MS, NOON_MS, 0, "ntp")])
    assert times.bind("kiosk", 1, A, 0, NOON_MS) is None
    assert times.bind("another", 1, B, 0, NOON_MS) is None


def test_segments_may_come_in_any_order() -> None:
    """The newest segment comes first, the backlog later: the boot is what all of them say."""
    database = SqliteDatabase(":memory:")
    times = Times(database)
    database.create_tables(times.tables())
    times.note_boot(1, A, 91, 100, 9_000)
    times.note_boot(1, A, 1, 10, 1_000)
    row = times._boot.get()
    assert (row.first_seq, row.last_seq, row.last_ms) == (1, 100, 9_000)
    database.close()
