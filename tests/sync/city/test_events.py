from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sync import wire_pb2
from sync.city.archive import Archive
from sync.city.events import Happened, line, when
from sync.clock import Clock
from sync.entry import Lane
from sync.journal import Journal

NOON_UTC_MS = 1_800_000_000_000 // 86_400_000 * 86_400_000 + 5 * 3_600_000
FEEDBACK = {"ticket": "KM-2", "key": "0" * 32, "reason": "light", "face": "bad", "text": "ไฟดับ"}


@pytest.fixture
async def archive(tmp_path: Path) -> AsyncIterator[Archive]:
    """A city that has heard of four events of one kiosk and one of another."""
    archive = await Archive.open(tmp_path / "city", wall_ms=lambda: NOON_UTC_MS + 60_000)
    for kiosk, kinds in (
        ("pier-1", ("health", "feedback", "usage", "feedback")),
        ("pier-2", ("stall",)),
    ):
        clock = Clock(
            boottime_ms=lambda: 5_000, wall_ms=lambda: NOON_UTC_MS, ntp_error_ms=lambda: 1_500
        )
        journal = await Journal.open(tmp_path / kiosk, clock)
        anchor = clock.poll()
        if anchor is None:
            raise AssertionError("the clock is set")
        for kind in kinds:
            await journal.event(kind, dict(FEEDBACK) if kind == "feedback" else {"n": 1})
        found = await journal.segments(Lane.EVENTS, 1, 9, limit=9, bytes_max=100_000)
        upload = wire_pb2.Upload(kiosk=kiosk, segments=[stored.body for stored in found])
        upload.anchors.add(
            boot=bytes.fromhex(anchor.boot),
            boottime_ms=anchor.boottime_ms,
            utc_ms=anchor.utc_ms,
            error_ms=anchor.error_ms,
            source=anchor.source,
        )
        await archive.take(upload)
        await journal.close()
    yield archive
    await archive.close()


async def test_the_newest_events_of_a_kind_are_listed(archive: Archive) -> None:
    """With kiosk, number, time and its error, and the body as the kiosk wrote it."""
    found = await archive.events(["feedback"], "", 10)

    assert [(one.kiosk, one.seq) for one in found] == [("pier-1", 4), ("pier-1", 2)]
    assert found[0].body == FEEDBACK
    assert (found[0].utc_ms, found[0].error_ms) == (NOON_UTC_MS, 1_500)


async def test_events_of_one_kiosk_or_so_many_are_listed(archive: Archive) -> None:
    """Without a kind all of them are."""
    assert [one.kind for one in await archive.events([], "pier-2", 10)] == ["stall"]
    assert len(await archive.events([], "", 10)) == 5
    assert [one.kind for one in await archive.events([], "", 2)] == ["stall", "feedback"]
    assert await archive.events(["no-such"], "", 10) == []


def happened(**body: object) -> Happened:
    """One event of feedback at noon in Bangkok."""
    return Happened("pier-1", "00", 2, "feedback", dict(body), NOON_UTC_MS, 1_500, NOON_UTC_MS)


def test_a_line_begins_with_time_kiosk_ticket_and_reason() -> None:
    """The key, which only tells repetitions apart, is no matter for a person."""
    day = when(happened())

    assert line(happened(**FEEDBACK)) == (
        f'{day}  pier-1  feedback  KM-2  light  bad  {{"text": "ไฟดับ"}}'
    )
    assert day.endswith("12:00:00 ± 1.5 s")


def test_what_people_wrote_does_not_steer_the_terminal() -> None:
    """A kiosk that was taken over could send anything."""
    shown = line(happened(ticket="\x1b[2J", reason="a\u202eb", text="\x1b]0;x\x07"))

    assert shown.isprintable()


def test_a_time_that_nobody_knows_is_bounded_by_when_it_came() -> None:
    """It was before that, for sure."""
    assert when(happened()._replace(utc_ms=None)).startswith("before ")
    assert when(happened()._replace(error_ms=3_600_000)).endswith("± 60 min")
