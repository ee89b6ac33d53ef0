"""One test for each row of the table of verdicts."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from drivers.reading import Reading
from sync import wire
from sync.city.archive import Archive
from sync.clock import Clock
from sync.entry import Anchor, Lane
from sync.journal import Journal, Options
from sync.uplink import ForkError, Uplink, UplinkError
from tests.enrolled import KIOSK
from tests.sync.lines import flush_from_hello

BOOT = "0123456789abcdef0123456789abcdef"
HOUR_MS = 3_600_000


def clock() -> Clock:
    """A clock that stands still."""
    return Clock((), boot=BOOT, boottime_ms=lambda: 50_000)


class Kiosks:
    """Kiosks with one key and a card each, so that the city takes them for the same."""

    def __init__(
        self, folder: Path, make_uplink: Callable[[Journal], Uplink], running: AsyncExitStack
    ) -> None:
        self._folder = folder
        self._make_uplink = make_uplink
        self._running = running

    async def start(self, card: str = "kiosk", options: Options | None = None) -> Journal:
        """Open the journal on a card; it is closed with the test."""
        journal = await Journal.open(self._folder / card, clock(), options)
        self._running.push_async_callback(journal.close)
        return journal

    async def clone(self, journal: Journal) -> tuple[Journal, Journal]:
        """Copy the card of the kiosk; both are started again."""
        await journal.close()
        shutil.copytree(self._folder / "kiosk", self._folder / "clone")
        return await self.start(), await self.start("clone")

    async def send(self, journal: Journal) -> None:
        """Bring the city up to date, on a line that knows nothing of those before it."""
        await self._make_uplink(journal).flush()

    async def settle(self, journal: Journal) -> None:
        """The same; a fork begins a new epoch and is tried again."""
        uplink = self._make_uplink(journal)
        try:
            await uplink.flush()
        except ForkError:
            await uplink.flush()


@pytest.fixture
async def kiosks(tmp_path: Path, make_uplink: Callable[[Journal], Uplink]) -> AsyncIterator[Kiosks]:
    """All of them stop with the test."""
    async with AsyncExitStack() as running:
        yield Kiosks(tmp_path, make_uplink, running)


@pytest.fixture
async def journal(kiosks: Kiosks) -> Journal:
    """A kiosk whose first value, 1.0, is at the city."""
    journal = await kiosks.start()
    await add(journal, 1.0)
    await kiosks.send(journal)
    return journal


async def add(journal: Journal, *values: float) -> None:
    """Append and seal water levels."""
    for value in values:
        reading = Reading("water_level", value, "m")
        journal.append("pier", [reading], 0, simulated=False, decimals={"water_level": 3})
    await journal.seal()


async def lanes_at(archive: Archive) -> list[dict[str, Any]]:
    """Every lane of the one kiosk, of all its epochs."""
    (kiosk,) = await archive.fleet()
    lanes: list[dict[str, Any]] = kiosk["lanes"]
    return lanes


async def values_at(archive: Archive) -> list[float | None]:
    """Every value of the city, of all epochs, in the order of their lanes."""
    found: list[int | None] = []
    for lane in await lanes_at(archive):
        if lane["lane"] == "readings":
            epoch = bytes.fromhex(lane["epoch"])
            for body in await archive.segments(KIOSK, Lane.READINGS, epoch, 0, 999):
                found.extend(row.scaled for row in rows_of(body))
    return [None if scaled is None else scaled / 1000 for scaled in found]


def rows_of(body: bytes) -> list[wire.Row]:
    """The rows of a stored segment."""
    return wire.segment_rows(wire.decode_segment(body))


async def alerts(archive: Archive) -> list[str]:
    """What the operator is alerted to."""
    return [lane["alert"] for lane in await lanes_at(archive) if lane["alert"]]


class Backup:
    """A copy of the city's archive, as an operator would make it."""

    def __init__(self, archive: Archive, path: Path) -> None:
        self._archive = archive
        self._path = path

    async def take(self) -> None:
        """Copy the archive while the city goes on."""
        await asyncio.to_thread(self._copy)

    def _copy(self) -> None:
        source = sqlite3.connect(self._archive.name)
        with sqlite3.connect(self._path) as target:
            source.backup(target)
        target.close()
        source.close()

    async def put_back(self) -> None:
        """Put the copy in place of what has come since."""
        await self._archive._thread.run(self._restore)

    def _restore(self) -> None:
        archive = self._archive
        archive._database.close()
        shutil.copy(self._path, archive.name)
        for suffix in ("-wal", "-shm"):
            Path(f"{archive.name}{suffix}").unlink(missing_ok=True)
        archive._database.connect()


@pytest.fixture
def backup(archive: Archive, tmp_path: Path) -> Backup:
    """Of this city, when the test takes it."""
    return Backup(archive, tmp_path / "backup.db")


async def test_normal(kiosks: Kiosks, journal: Journal, archive: Archive) -> None:
    """Both ends agree: the kiosk goes on in its epoch."""
    await add(journal, 2.0)
    await kiosks.send(journal)
    assert await values_at(archive) == [1.0, 2.0]
    assert await alerts(archive) == []


async def test_a_lost_ack_is_adopted(kiosks: Kiosks, journal: Journal, archive: Archive) -> None:
    """The city has more than the kiosk knows of, of the same chain: nothing is sent again."""
    await journal.close()
    again = await kiosks.start()  # Has forgotten every ack.
    assert again.pending() == 1
    await kiosks.send(again)
    assert again.pending() == 0
    assert await values_at(archive) == [1.0]
    assert await alerts(archive) == []


async def test_a_restored_city_gets_again_what_is_still_held(
    journal: Journal, archive: Archive, backup: Backup, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """A city from a backup lacks the newest entries: they are sent again."""
    await backup.take()
    uplink = make_uplink(journal)
    await add(journal, 2.0)
    await uplink.flush()
    await backup.put_back()
    await flush_from_hello(uplink)
    assert await values_at(archive) == [1.0, 2.0]
    assert [alert for alert in await alerts(archive) if alert != "city_restored"] == []


async def test_a_restored_city_hears_of_what_nobody_has(
    kiosks: Kiosks, archive: Archive, backup: Backup, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """What the kiosk has deleted after the ack and the city has lost since is declared."""
    journal = await kiosks.start(options=Options(quota_bytes=0))
    await kiosks.send(journal)
    await backup.take()
    uplink = make_uplink(journal)
    for value in (1.0, 2.0, 3.0):
        await add(journal, value)
        await uplink.flush()
    await add(journal, 4.0)  # Sealing prunes what is safe.
    assert journal.position(Lane.READINGS).oldest == 4
    await backup.put_back()
    await flush_from_hello(uplink)
    lost = [lane["lost"] for lane in await lanes_at(archive)]
    assert [[1, 3]] in lost
    assert await values_at(archive) == [4.0]
    assert journal.pending() == 0


async def test_a_restored_city_hears_of_an_epoch_that_has_ended(
    kiosks: Kiosks, archive: Archive, backup: Backup, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """Of a damaged journal nothing is kept once the city has it; its loss is declared all the same.

    And again when the next journal has been damaged, too: the memory is not in the database.
    """
    journal = await kiosks.start()
    epoch = journal.epoch
    await kiosks.send(journal)
    await backup.take()
    await add(journal, 1.0, 2.0)
    for _ in range(2):
        journal._file.condemn("a test says so")
        await journal.close()
        journal = await kiosks.start()
        await journal._salvage()
        await kiosks.send(journal)
        assert journal.old_epochs == {}
    assert await values_at(archive) == [1.0, 2.0]

    await backup.put_back()
    uplink = make_uplink(journal)
    await uplink.flush()

    (lost,) = [
        lane["lost"]
        for lane in await lanes_at(archive)
        if (lane["epoch"], lane["lane"]) == (epoch.hex(), "readings")
    ]
    assert lost == [[1, 2]]
    assert journal.lost == []


async def test_a_gap_that_a_restored_city_has_forgotten_is_told_again(
    kiosks: Kiosks, archive: Archive, backup: Backup, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """No segment holds a gap: it neither stops what comes behind it nor stays a secret."""
    journal = await kiosks.start()
    await kiosks.send(journal)
    await backup.take()
    await add(journal, 1.0)
    position = journal.position(Lane.READINGS)
    position.next += 5
    journal.declare_lost(Lane.READINGS, 2, 6, "the card takes no commits")
    await add(journal, 7.0)
    await add(journal, 8.0)
    uplink = make_uplink(journal)
    await uplink.flush()
    assert journal.lost == []

    await backup.put_back()
    await flush_from_hello(uplink)

    assert await values_at(archive) == [1.0, 7.0, 8.0]
    lost = [lane["lost"] for lane in await lanes_at(archive)]
    assert [[2, 6]] in lost
    assert journal.pending() == 0


async def test_a_city_restored_between_two_uploads_hears_of_each_boot(
    journal: Journal, archive: Archive, backup: Backup, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """It has forgotten more than entries: a hello has to tell it when each boot was."""
    before = Anchor("ab" * 16, 0, archive.utc_ms() - HOUR_MS, 20, "ntp")
    await backup.take()
    uplink = make_uplink(journal)
    journal.add_anchor(before)
    await add(journal, 2.0)
    await uplink.flush()
    await backup.put_back()

    await add(journal, 3.0)
    with pytest.raises(UplinkError, match=r"the city has 2\.\.2 no more"):
        await uplink.flush()
    await flush_from_hello(uplink)
    assert await values_at(archive) == [1.0, 2.0, 3.0]
    bound = await archive._thread.run(archive._times.bind, KIOSK, 1, before.boot, 0, 0)
    assert bound == before


async def test_a_restored_card_gets_an_epoch_of_its_own(
    kiosks: Kiosks, journal: Journal, archive: Archive
) -> None:
    """A card from an older image is behind the city; what it makes now moves to a new epoch."""
    journal, old = await kiosks.clone(journal)
    await add(journal, 2.0, 3.0, 4.0)
    await kiosks.send(journal)
    await journal.close()

    epoch = old.epoch
    await add(old, 5.0)
    await kiosks.settle(old)
    assert old.epoch != epoch
    assert await values_at(archive) == [1.0, 2.0, 3.0, 4.0, 5.0]
    assert "card_restored" in await alerts(archive)


async def test_a_restored_card_that_is_damaged_next_brings_all(
    kiosks: Kiosks, journal: Journal, archive: Archive
) -> None:
    """Its epoch has ended before the city could say whose it is: what was salvaged moves, too."""
    journal, old = await kiosks.clone(journal)
    await add(journal, 2.0, 3.0)
    await kiosks.send(journal)
    await journal.close()

    await add(old, 12.0, 13.0, 14.0)
    epoch = old.epoch
    old._file.condemn("a test says so")
    await old.close()
    again = await kiosks.start("clone")
    await again._salvage()
    assert set(again.old_epochs) == {epoch}
    await kiosks.send(again)
    await kiosks.send(again)  # The hello that hears of all of it.
    assert sorted(await values_at(archive), key=str) == [1.0, 12.0, 13.0, 14.0, 2.0, 3.0]
    assert again.old_epochs == {}
    assert [lane["lost"] for lane in await lanes_at(archive) if lane["lost"]] == []


async def test_of_two_clones_both_data_sets_are_kept(
    kiosks: Kiosks, journal: Journal, archive: Archive
) -> None:
    """Two cards with one content: the second finds other bytes than its own, and moves on."""
    one, two = await kiosks.clone(journal)
    await add(one, 2.0, 3.0)
    await kiosks.send(one)
    await add(two, 12.0, 13.0, 14.0)
    await kiosks.settle(two)
    await add(one, 4.0)
    await kiosks.settle(one)
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


async def test_a_damaged_segment_at_the_city_is_told_and_waited_for(
    kiosks: Kiosks, journal: Journal, archive: Archive
) -> None:
    """Which entries of a fork it holds nobody can tell: the kiosk goes on, and asks again."""

    def put(body: bytes) -> bytes:
        table = archive._tables.segment
        row = table.select().order_by(table.first_seq.desc()).first()
        table.update(body=body).where(table.id == row.id).execute()
        return bytes(row.body)

    one, two = await kiosks.clone(journal)
    await add(one, 2.0)
    await kiosks.send(one)
    await add(two, 12.0)
    good = await archive._thread.run(put, b"no segment")
    for bad in (b"no segment", good[:-9] + bytes(9)):
        await archive._thread.run(put, bad)
        with pytest.raises(UplinkError, match="the city has a segment that is damaged"):
            await kiosks.send(two)
    assert two.epoch == one.epoch
    await archive._thread.run(put, good)
    await kiosks.settle(two)
    assert sorted(await values_at(archive), key=str) == [1.0, 12.0, 2.0]


async def test_what_two_clones_share_comes_once(
    kiosks: Kiosks, journal: Journal, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """What both cards hold and the city has not yet is sent under the epoch that they shared."""
    await add(journal, 2.0)
    one, two = await kiosks.clone(journal)
    await add(one, 3.0)
    uplink = make_uplink(one)
    async with uplink._session(aiohttp.ClientTimeout(10)) as session:
        await uplink._send_ahead(session)
    assert await values_at(archive) == [1.0, 3.0]

    await add(two, 13.0)
    await kiosks.settle(two)
    await uplink.flush()
    assert sorted(await values_at(archive), key=str) == [1.0, 13.0, 2.0, 3.0]
    assert one.epoch != two.epoch


async def test_losses_that_another_card_has_told_hide_nothing(
    kiosks: Kiosks, journal: Journal, archive: Archive
) -> None:
    """Seqs that a clone has declared lost are not this card's: it goes on in a new epoch."""
    one, two = await kiosks.clone(journal)
    two.position(Lane.READINGS).next += 5
    two.declare_lost(Lane.READINGS, 2, 6, "no room")
    await two.commit()
    await kiosks.send(two)
    await two.close()

    epoch = one.epoch
    await add(one, 2.0)
    await kiosks.settle(one)
    assert await values_at(archive) == [1.0, 2.0]
    assert one.epoch != epoch


async def test_clones_that_upload_in_turns_overwrite_nothing(
    kiosks: Kiosks, journal: Journal, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """A clone that has said hello before the other one sent is caught at its upload."""
    one, two = await kiosks.clone(journal)
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
