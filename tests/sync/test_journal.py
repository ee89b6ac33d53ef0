import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from peewee import OperationalError

from drivers.reading import Reading
from sync import wire
from sync.clock import Clock
from sync.entry import Anchor, Lane
from sync.journal import FILE, Journal, JournalBusyError, JournalError, Options
from sync.ranges import Ranges
from tests.sync import plug

BOOT = "0123456789abcdef0123456789abcdef"
OTHER_BOOT = "fedcba9876543210fedcba9876543210"
DECIMALS = {"water_level": 3, "air_temperature": 2}


def clock(boot: str = BOOT) -> Clock:
    """A clock that stands still."""
    return Clock((), boot=boot, boottime_ms=lambda: 50_000)


def add(journal: Journal, *values: float | None, at_ms: int = 50_000) -> None:
    """Append water levels."""
    readings = [Reading("water_level", v, "m", "ok" if v is not None else "io") for v in values]
    journal.append("pier", readings, at_ms, simulated=False, decimals=DECIMALS)


async def rows_of(journal: Journal, lane: Lane = Lane.READINGS) -> list[wire.Row]:
    """Every sealed row."""
    last = journal.position(lane).sealed
    found = await journal.segments(lane, 1, last, limit=1000, bytes_max=2**30)
    return [row for each in found for row in wire.segment_rows(wire.decode_segment(each.body))]


async def test_an_appended_reading_is_visible_at_once(journal: Journal) -> None:
    """The screen sees a reading before any commit."""
    add(journal, 1.25)
    entry = journal.latest()["pier/water_level"]
    assert (entry.seq, entry.value, entry.quality) == (1, 1.25, "ok")
    assert await journal.after(0, 10) == [entry]
    assert journal.position(Lane.READINGS).committed == 0


async def test_after_waits_for_the_next_append(journal: Journal) -> None:
    """A reader at the end of the tail waits, and gets what comes."""
    add(journal, 1.0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(journal.after(1, 10))
        await asyncio.sleep(0)
        assert not task.done()
        add(journal, 2.0)
    assert [entry.seq for entry in task.result()] == [2]


async def test_committed_entries_survive_a_new_start(tmp_path: Path) -> None:
    """What was committed is there after a crash; what was not gives back its seqs."""
    first = await Journal.open(tmp_path, clock())
    add(first, 1.0, 2.0)
    await first.commit()
    add(first, 3.0)
    await plug.pull(first)

    second = await Journal.open(tmp_path, clock())
    assert second.seq == 2
    assert second.epoch == first.epoch
    add(second, 4.0)
    await second.seal()
    assert [row.scaled for row in await rows_of(second)] == [1000, 2000, 4000]
    await second.close()


async def test_a_boot_ends_its_segment(tmp_path: Path) -> None:
    """Entries of an earlier boot are sealed under that boot, since they carry its clock."""
    first = await Journal.open(tmp_path, clock())
    add(first, 1.0)
    await first.close()
    second = await Journal.open(tmp_path, clock(OTHER_BOOT))
    add(second, 2.0)
    await second.seal()
    found = await second.segments(Lane.READINGS, 1, 2, limit=10, bytes_max=2**20)
    boots = [wire.decode_segment(each.body).boot.hex() for each in found]
    assert boots == [BOOT, OTHER_BOOT]
    assert second.clock.boot == OTHER_BOOT
    await second.close()


async def test_the_chain_links_every_segment(journal: Journal) -> None:
    """Each segment carries the hash of the one before, the first carries none."""
    for value in (1.0, 2.0, 3.0):
        add(journal, value)
        await journal.seal()
    found = await journal.segments(Lane.READINGS, 1, 3, limit=10, bytes_max=2**20)
    links = [wire.decode_segment(each.body).previous for each in found]
    hashes = [wire.sha256(each.body) for each in found]
    assert links == [b"", *hashes[:-1]]
    assert journal.position(Lane.READINGS).chain == hashes[-1]


async def test_an_event_is_committed_before_its_seq_is_known(tmp_path: Path) -> None:
    """When `event` returns, a crash cannot take the event."""
    first = await Journal.open(tmp_path, clock())
    assert await first.event("feedback", {"face": 1}) == 1
    await plug.pull(first)
    second = await Journal.open(tmp_path, clock())
    found = await second.segments(Lane.EVENTS, 1, 1, limit=1, bytes_max=2**20)
    events = wire.segment_events(wire.decode_segment(found[0].body))
    assert [(event.seq, event.kind, event.body) for event in events] == [
        (1, "feedback", {"face": 1})
    ]
    assert await second.event("feedback", {"face": 2}) == 2
    await second.close()


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 1e300])
async def test_what_is_no_value_is_refused(journal: Journal, value: float) -> None:
    """NaN, infinity and absurd numbers raise, and what came before them stays."""
    with pytest.raises(JournalError, match="pier/water_level"):
        add(journal, 1.0, value)
    add(journal, 2.0)
    await journal.seal()
    assert [row.scaled for row in await rows_of(journal)] == [1000, 2000]


async def test_an_unknown_quality_is_refused(journal: Journal) -> None:
    """A word that is no quality raises and takes no seq."""
    reading = Reading("water_level", 1.0, "m", "splendid")
    with pytest.raises(wire.WireError, match="splendid"):
        journal.append("pier", [reading], 0, simulated=False, decimals=DECIMALS)
    assert journal.seq == 0


async def test_an_event_that_is_none_is_refused(journal: Journal) -> None:
    """An event needs a kind and a body of JSON."""
    with pytest.raises(JournalError, match="not a kind"):
        await journal.event("", {})
    with pytest.raises(JournalError, match="feedback"):
        await journal.event("feedback", {"x": float("nan")})
    assert await journal.event("feedback", {}) == 1


async def test_a_second_process_is_told_that_it_is_busy(tmp_path: Path) -> None:
    """Only one process at a time has the journal, and the second one learns which file."""
    script = (
        "import asyncio, pathlib, sys\n"
        "from sync.clock import Clock\n"
        "from sync.journal import Journal\n"
        "async def main():\n"
        "    await Journal.open(pathlib.Path(sys.argv[1]), Clock(()))\n"
        "    print('open', flush=True)\n"
        "    await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(  # noqa: ASYNC220  The loop has nothing else to do.
        [sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        with pytest.raises(JournalBusyError, match=FILE):
            await Journal.open(tmp_path, clock())
    finally:
        process.send_signal(signal.SIGKILL)
        process.wait()
        if process.stdout:
            process.stdout.close()
    journal = await Journal.open(tmp_path, clock())
    await journal.close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
async def test_a_read_only_folder_is_said_in_one_line(tmp_path: Path) -> None:
    """A state folder that cannot be written is named with the reason."""
    mount = ["mount", "-t", "tmpfs", "-o", "ro", "tmpfs", str(tmp_path)]
    subprocess.run(mount, check=True)  # noqa: ASYNC221  The loop has nothing else to do.
    try:
        with pytest.raises(JournalError, match=r"state folder .*Read-only"):
            await Journal.open(tmp_path / "state", clock())
    finally:
        subprocess.run(["umount", str(tmp_path)], check=True)  # noqa: ASYNC221  The same.


async def test_a_folder_that_is_a_file_is_said_in_one_line(tmp_path: Path) -> None:
    """A state folder that is a file is named with the reason."""
    (tmp_path / "state").write_text("")
    with pytest.raises(JournalError, match=r"state folder .*exists"):
        await Journal.open(tmp_path / "state", clock())


async def test_the_file_is_set_up_as_decided(journal: Journal) -> None:
    """SQLite answers with the settings that the promise rests on."""
    names = ("synchronous", "journal_mode", "locking_mode", "page_size")
    found = [await journal._thread.run(journal._database.pragma, name) for name in names]
    assert found == [2, "wal", "exclusive", 1024]


async def test_over_quota_the_acked_go_first(tmp_path: Path) -> None:
    """Pruning takes the oldest that the city has, and nothing else while that is enough."""
    journal = await Journal.open(tmp_path, clock(), Options(quota_bytes=2 * 1500))
    for _ in range(12):
        add(journal, 1.0)
        await journal.seal()
    assert journal.position(Lane.READINGS).oldest == 1
    journal.acked(Lane.READINGS, Ranges([(1, 12)]), 12)
    for _ in range(8):
        add(journal, 1.0)
        await journal.seal()
    oldest = journal.position(Lane.READINGS).oldest
    assert 1 < oldest <= 13
    assert [row.seq for row in await rows_of(journal)] == list(range(oldest, 21))
    assert journal.lost == []
    await journal.close()


async def test_seqs_go_on_after_everything_was_pruned(tmp_path: Path) -> None:
    """However much is pruned, a new start never hands out a seq again."""
    journal = await Journal.open(tmp_path, clock(), Options(quota_bytes=0))
    for _ in range(3):
        add(journal, 1.0)
        await journal.seal()
        journal.acked(Lane.READINGS, Ranges([(1, journal.seq)]), journal.seq)
    await journal.seal()
    chain = journal.position(Lane.READINGS).chain
    await journal.close()
    again = await Journal.open(tmp_path, clock())
    add(again, 1.0)
    assert again.seq == 4
    assert again.position(Lane.READINGS).chain == chain
    await again.close()


async def test_anchors_and_streams_survive(tmp_path: Path) -> None:
    """What gives entries their names and times is kept with them."""
    anchor = Anchor(BOOT, 1, 1_795_000_000_000, 40, "ntp")
    journal = await Journal.open(tmp_path, clock())
    add(journal, 1.0)
    journal.add_anchor(anchor)
    await journal.close()
    again = await Journal.open(tmp_path, clock())
    assert again.anchors == [anchor]
    assert again.streams == journal.streams
    await again.close()


async def test_an_older_schema_can_still_be_told(journal: Journal) -> None:
    """The dictionary that a segment names can be sent after new streams have joined."""
    add(journal, 1.0)
    old = journal.schema()
    reading = Reading("air_temperature", 30.0, "Cel")
    journal.append("air", [reading], 0, simulated=False, decimals=DECIMALS)
    assert journal.schema() != old
    assert await journal.schema_of(wire.sha256(old)[: wire.SCHEMA_BYTES]) == old
    assert await journal.schema_of(b"nonsense") is None


async def test_late_entries_keep_their_order(journal: Journal) -> None:
    """A reading stamped with an earlier beat than its forerunner keeps its seq."""
    add(journal, 1.0, at_ms=20_000)
    add(journal, 2.0, at_ms=10_000)
    await journal.seal()
    assert [(row.seq, row.at_ms) for row in await rows_of(journal)] == [(1, 20_000), (2, 10_000)]


async def test_a_file_of_another_version_is_left_alone(tmp_path: Path) -> None:
    """A journal that a newer software has written is not touched."""
    journal = await Journal.open(tmp_path, clock())
    await journal.close()
    with sqlite3.connect(tmp_path / FILE) as connection:
        connection.execute("PRAGMA user_version = 99")
        connection.execute("UPDATE fact SET value = x'3939' WHERE key = 'version'")
    connection.close()
    with pytest.raises(JournalError, match="version 99"):
        await Journal.open(tmp_path, clock())


async def test_a_failed_commit_loses_nothing(journal: Journal, levels: Callable[..., None]) -> None:
    """When SQLite refuses a transaction, its entries wait for the next one."""
    levels(3)
    await journal._thread.run(journal._database.execute_sql, "PRAGMA query_only = 1")
    with pytest.raises(Exception, match="readonly"):
        await journal.seal()
    levels(2, start=2.0)
    await journal._thread.run(journal._database.execute_sql, "PRAGMA query_only = 0")
    await journal.seal()
    assert [row.seq for row in await rows_of(journal)] == [1, 2, 3, 4, 5]


async def test_a_commit_that_is_cancelled_is_written_once(journal: Journal) -> None:
    """Whoever stops the kiosk while it commits neither loses nor doubles the batch."""
    add(journal, 1.0)
    async with asyncio.TaskGroup() as group:
        task = group.create_task(journal.commit())
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()
    add(journal, 2.0)
    await journal.seal()
    assert [(row.seq, row.scaled) for row in await rows_of(journal)] == [(1, 1000), (2, 2000)]


async def test_a_commit_that_only_seems_to_fail_is_not_repeated(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When the log cannot be folded back, SQLite reports an error for a commit that happened."""
    add(journal, 1.0)
    await journal.commit()
    commit = journal._database.commit

    def commit_and_fail() -> None:
        commit()
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(journal._database, "commit", commit_and_fail)
    add(journal, 2.0)
    await journal.commit()
    add(journal, 3.0)
    await journal.seal()
    monkeypatch.undo()
    assert [row.scaled for row in await rows_of(journal)] == [1000, 2000, 3000]


async def test_a_row_that_does_not_fit_is_not_taken_for_one_that_was_written(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file without a free page refuses the first row of a batch: nothing of it has happened."""
    add(journal, 1.0)
    await journal.commit()
    execute: Any = journal._database.execute_sql
    refused: list[str] = []

    def refuse_once(sql: str, *args: Any) -> Any:
        if sql.startswith("INSERT INTO") and not refused:
            refused.append(sql)
            raise OperationalError("database or disk is full")
        return execute(sql, *args)

    monkeypatch.setattr(journal._database, "execute_sql", refuse_once)
    add(journal, 2.0)
    await journal.commit()
    monkeypatch.undo()
    await journal.seal()
    assert refused
    assert [row.scaled for row in await rows_of(journal)] == [1000, 2000]


async def test_a_card_without_any_room_ends_nothing(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where even giving up takes room that is not there, readings wait in RAM, and it is said."""

    def refuse(*_: Any, **__: Any) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as full:
        for name in ("write", "forget_acked"):
            full.setattr(journal._file, name, refuse)
        full.setattr(journal._file, "grow", lambda: False)
        add(journal, 1.0)
        await journal.commit()
        assert "disk is full" in journal.trouble
    await journal.seal()
    assert (journal.trouble, [row.scaled for row in await rows_of(journal)]) == ("", [1000])


async def test_a_commit_that_fails_is_not_taken_for_one_that_happened(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is not in the file stays in RAM, and comes with the next commit."""
    add(journal, 1.0)

    def fail() -> None:
        raise OperationalError("disk I/O error")

    monkeypatch.setattr(journal._database, "commit", fail)
    with pytest.raises(OperationalError):
        await journal.seal()
    monkeypatch.undo()
    add(journal, 2.0)
    await journal.seal()
    assert [row.scaled for row in await rows_of(journal)] == [1000, 2000]


async def test_an_event_that_is_told_while_the_epoch_changes_has_its_new_seq(
    journal: Journal,
) -> None:
    """Whoever waits for it gets the seq under which it is kept, and no error."""
    await journal.event("complaint", {"n": 1})
    journal.acked(Lane.EVENTS, Ranges([(1, 1)]), 1)

    async with asyncio.TaskGroup() as group:
        moving = group.create_task(journal.new_epoch("another writer"))
        await asyncio.sleep(0)
        telling = [group.create_task(journal.event("complaint", {"n": n})) for n in (2, 3)]
    assert moving.done()

    stored = await journal.segments(Lane.EVENTS, 1, 9, limit=9, bytes_max=2**20)
    kept = [event for each in stored for event in wire.entries_by_seq(each.body).values()]
    seqs = {event.body.get("n"): event.seq for event in kept}
    assert [seqs[2], seqs[3]] == [await each for each in telling]
    assert 1 not in seqs
