"""One test for each row of the table of verdicts."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from drivers.reading import Reading
from sync import wire
from sync.city.archive import Archive
from sync.clock import Clock
from sync.entry import Lane
from sync.journal import Journal, Options
from sync.uplink import ForkError, Uplink

BOOT = "0123456789abcdef0123456789abcdef"


def clock() -> Clock:
    """A clock that stands still."""
    return Clock((), boot=BOOT, boottime_ms=lambda: 50_000)


async def add(journal: Journal, *values: float) -> None:
    """Append and seal water levels."""
    for value in values:
        reading = Reading("water_level", value, "m")
        journal.append("pier", [reading], 0, simulated=False, decimals={"water_level": 3})
    await journal.seal()


async def values_at(archive: Archive) -> list[float | None]:
    """Every value of the city, of all epochs, in the order of their lanes."""
    found: list[int | None] = []
    for kiosk in await archive.fleet():
        for lane in kiosk["lanes"]:
            if lane["lane"] != "readings":
                continue
            epoch = bytes.fromhex(lane["epoch"])
            for body in await archive.segments(kiosk["kiosk"], Lane.READINGS, epoch, 0, 999):
                found.extend(row.scaled for row in rows_of(body))
    return [None if scaled is None else scaled / 1000 for scaled in found]


def rows_of(body: bytes) -> list[wire.Row]:
    """The rows of a stored segment."""
    return wire.segment_rows(wire.decode_segment(body))


async def alerts(archive: Archive) -> list[str]:
    """What the operator is alerted to."""
    return [
        lane["alert"] for kiosk in await archive.fleet() for lane in kiosk["lanes"] if lane["alert"]
    ]


async def settled(uplink: Uplink) -> None:
    """Bring the city up to date; a fork begins a new epoch and is tried again."""
    try:
        await uplink.flush()
    except ForkError:
        await uplink.flush()


async def test_normal(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """Both ends agree: the kiosk goes on in its epoch."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await add(journal, 2.0)
    await make_uplink(journal).flush()
    assert await values_at(archive) == [1.0, 2.0]
    assert await alerts(archive) == []
    await journal.close()


async def test_a_lost_ack_is_adopted(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """The city has more than the kiosk knows of, of the same chain: nothing is sent again."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await journal.close()
    again = await Journal.open(tmp_path / "kiosk", clock())  # Has forgotten every ack.
    assert again.pending() == 1
    await make_uplink(again).flush()
    assert again.pending() == 0
    assert await values_at(archive) == [1.0]
    assert await alerts(archive) == []
    await again.close()


async def test_a_restored_city_gets_again_what_is_still_held(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """A city from a backup lacks the newest entries: they are sent again."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await asyncio.to_thread(backup, archive, tmp_path / "backup.db")
    uplink = make_uplink(journal)
    await add(journal, 2.0)
    await uplink.flush()
    await archive._thread.run(restore, archive, tmp_path / "backup.db")
    uplink._hello_due = 0.0
    await uplink.flush()
    assert await values_at(archive) == [1.0, 2.0]
    assert [alert for alert in await alerts(archive) if alert != "city_restored"] == []
    await journal.close()


def backup(archive: Archive, path: Path) -> None:
    """Copy the archive as an operator would."""
    source = sqlite3.connect(archive._path)
    with sqlite3.connect(path) as target:
        source.backup(target)
    target.close()
    source.close()


def restore(archive: Archive, path: Path) -> None:
    """Put the copy back in place of what has come since; on the archive's thread."""
    archive._database.close()
    shutil.copy(path, archive._path)
    for suffix in ("-wal", "-shm"):
        Path(f"{archive._path}{suffix}").unlink(missing_ok=True)
    archive._database.connect()


async def test_a_restored_city_hears_of_what_nobody_has(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """What the kiosk has deleted after the ack and the city has lost since is declared."""
    journal = await Journal.open(tmp_path / "kiosk", clock(), Options(quota_bytes=0))
    await make_uplink(journal).flush()
    await asyncio.to_thread(backup, archive, tmp_path / "backup.db")
    uplink = make_uplink(journal)
    for value in (1.0, 2.0, 3.0):
        await add(journal, value)
        await uplink.flush()
    await add(journal, 4.0)  # Sealing prunes what is safe.
    assert journal.position(Lane.READINGS).oldest == 4
    await archive._thread.run(restore, archive, tmp_path / "backup.db")
    uplink._hello_due = 0.0
    await uplink.flush()
    lost = [lane["lost"] for kiosk in await archive.fleet() for lane in kiosk["lanes"]]
    assert [[1, 3]] in lost
    assert await values_at(archive) == [4.0]
    assert journal.pending() == 0
    await journal.close()


async def test_a_restored_city_hears_of_an_epoch_that_has_ended(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """Of a damaged journal nothing is kept once the city has it; its loss is declared all the same.

    And again when the next journal has been damaged, too: the memory is not in the database.
    """
    folder = tmp_path / "kiosk"
    journal = await Journal.open(folder, clock())
    epoch = journal.epoch
    await make_uplink(journal).flush()
    await asyncio.to_thread(backup, archive, tmp_path / "backup.db")
    await add(journal, 1.0, 2.0)
    for _ in range(2):
        journal._file.condemn("a test says so")
        await journal.close()
        journal = await Journal.open(folder, clock())
        await journal._salvage()
        await make_uplink(journal).flush()
        assert journal.old_epochs == {}
    assert await values_at(archive) == [1.0, 2.0]

    await archive._thread.run(restore, archive, tmp_path / "backup.db")
    uplink = make_uplink(journal)
    await uplink.flush()

    lanes = [lane for kiosk in await archive.fleet() for lane in kiosk["lanes"]]
    (lost,) = [
        lane["lost"] for lane in lanes if (lane["epoch"], lane["lane"]) == (epoch.hex(), "readings")
    ]
    assert lost == [[1, 2]]
    assert journal.lost == []
    await journal.close()


async def test_a_gap_that_a_restored_city_has_forgotten_is_told_again(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """No segment holds a gap: it neither stops what comes behind it nor stays a secret."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await make_uplink(journal).flush()
    await asyncio.to_thread(backup, archive, tmp_path / "backup.db")
    await add(journal, 1.0)
    position = journal.position(Lane.READINGS)
    position.next += 5
    journal.declare_lost(Lane.READINGS, 2, 6, "the card takes no commits")
    await add(journal, 7.0)
    await add(journal, 8.0)
    uplink = make_uplink(journal)
    await uplink.flush()
    assert journal.lost == []

    await archive._thread.run(restore, archive, tmp_path / "backup.db")
    uplink._hello_due = 0.0
    await uplink.flush()

    assert await values_at(archive) == [1.0, 7.0, 8.0]
    lost = [lane["lost"] for kiosk in await archive.fleet() for lane in kiosk["lanes"]]
    assert [[2, 6]] in lost
    assert journal.pending() == 0
    await journal.close()


async def test_a_restored_card_gets_an_epoch_of_its_own(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """A card from an older image is behind the city; what it makes now moves to a new epoch."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await journal.close()
    shutil.copytree(tmp_path / "kiosk", tmp_path / "image")
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 2.0, 3.0, 4.0)
    await make_uplink(journal).flush()
    await journal.close()

    old = await Journal.open(tmp_path / "image", clock())
    epoch = old.epoch
    await add(old, 5.0)
    await settled(make_uplink(old))
    assert old.epoch != epoch
    assert await values_at(archive) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert "card_restored" in await alerts(archive)
    await old.close()


async def test_of_two_clones_both_data_sets_are_kept(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """Two cards with one content: the second finds other bytes than its own, and moves on."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await journal.close()
    shutil.copytree(tmp_path / "kiosk", tmp_path / "clone")
    one = await Journal.open(tmp_path / "kiosk", clock())
    two = await Journal.open(tmp_path / "clone", clock())
    await add(one, 2.0, 3.0)
    await make_uplink(one).flush()
    await add(two, 12.0, 13.0, 14.0)
    await settled(make_uplink(two))
    await add(one, 4.0)
    await settled(make_uplink(one))
    assert one.epoch != two.epoch
    assert sorted(await values_at(archive), key=str) == sorted(
        [1.0, 2.0, 3.0, 4.0, 12.0, 13.0, 14.0], key=str
    )
    events = await two.segments(Lane.EVENTS, 1, 99, limit=9, bytes_max=2**20)
    kinds = [
        event.kind
        for each in events
        for event in wire.segment_events(wire.decode_segment(each.body))
    ]
    assert "epoch" in kinds
    await one.close()
    await two.close()


async def test_what_two_clones_share_comes_once(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """What both cards hold and the city has not yet is sent under the epoch that they shared."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await add(journal, 2.0)
    await journal.close()
    shutil.copytree(tmp_path / "kiosk", tmp_path / "clone")
    one = await Journal.open(tmp_path / "kiosk", clock())
    two = await Journal.open(tmp_path / "clone", clock())
    await add(one, 3.0)
    uplink = make_uplink(one)
    async with uplink._session(aiohttp.ClientTimeout(10)) as session:
        await uplink._send_ahead(session)
    assert await values_at(archive) == [1.0, 3.0]

    await add(two, 13.0)
    await settled(make_uplink(two))
    await uplink.flush()
    assert sorted(await values_at(archive), key=str) == [1.0, 13.0, 2.0, 3.0]
    assert one.epoch != two.epoch
    await one.close()
    await two.close()


async def test_losses_that_another_card_has_told_hide_nothing(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """Seqs that a clone has declared lost are not this card's: it goes on in a new epoch."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await journal.close()
    shutil.copytree(tmp_path / "kiosk", tmp_path / "clone")
    two = await Journal.open(tmp_path / "clone", clock())
    two.position(Lane.READINGS).next += 5
    two.declare_lost(Lane.READINGS, 2, 6, "no room")
    await two.commit()
    await make_uplink(two).flush()
    await two.close()

    one = await Journal.open(tmp_path / "kiosk", clock())
    epoch = one.epoch
    await add(one, 2.0)
    await settled(make_uplink(one))
    assert await values_at(archive) == [1.0, 2.0]
    assert one.epoch != epoch
    await one.close()


async def test_clones_that_upload_in_turns_overwrite_nothing(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """A clone that has said hello before the other one sent is caught at its upload."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    await add(journal, 1.0)
    await make_uplink(journal).flush()
    await journal.close()
    shutil.copytree(tmp_path / "kiosk", tmp_path / "clone")
    one = await Journal.open(tmp_path / "kiosk", clock())
    two = await Journal.open(tmp_path / "clone", clock())
    uplinks = make_uplink(one), make_uplink(two)
    for uplink in uplinks:
        await uplink.flush()
    await add(one, 2.0)
    await add(two, 12.0)
    await uplinks[0].flush()
    with pytest.raises(ForkError):
        await uplinks[1].flush()
    await uplinks[1].flush()
    assert sorted(await values_at(archive), key=str) == [1.0, 12.0, 2.0]
    assert "fork" in await alerts(archive)
    await one.close()
    await two.close()
