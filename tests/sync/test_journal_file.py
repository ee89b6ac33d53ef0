import random
from pathlib import Path

import pytest
from peewee import OperationalError

from drivers.reading import Reading
from sync import journal_file, old_epochs
from sync.clock import Clock
from sync.entry import Lane
from sync.journal import FILE, Journal
from sync.journal_file import CONDEMNED
from sync.old_epochs import DAMAGED
from sync.ranges import Ranges
from sync.salvage import Saved

CLOCK = Clock((), boot="0123456789abcdef0123456789abcdef", boottime_ms=lambda: 50_000)

# A journal of which nothing is left but how far it went.
OLDER = Saved(bytes(16), {}, [], [], {Lane.READINGS: 7}, [])


async def set_aside_and_salvaged(folder: Path) -> Journal:
    """The journal of a start that finds the last one condemned."""
    (folder / CONDEMNED).write_text("the card has damaged a row")
    journal = await Journal.open(folder, CLOCK)
    await journal._salvage()
    return journal


async def fill(journal: Journal) -> bytes:
    """Three readings and an event that the city does not have; their epoch."""
    readings = [Reading("water_level", 1.0, "m")] * 3
    journal.append("pier", readings, 50_000, simulated=False, decimals={"water_level": 3})
    await journal.seal()
    await journal.event("complaint", {"text": "wet"})
    return journal.epoch


async def held(journal: Journal, epoch: bytes) -> list[tuple[int, int]]:
    """First and last seq of each segment that is kept of an old epoch."""
    found = await journal.saved(epoch, limit=100, bytes_max=2**20)
    return [(each.first_seq, each.last_seq) for each in found]


async def test_damage_upon_damage_loses_nothing_that_was_salvaged(tmp_path: Path) -> None:
    """What waits under two old epochs is kept under both, though their seqs are the same."""
    journal = await Journal.open(tmp_path, CLOCK)
    first = await fill(journal)
    await journal.close()
    journal = await set_aside_and_salvaged(tmp_path)
    second = await fill(journal)
    await journal.close()

    journal = await set_aside_and_salvaged(tmp_path)

    assert await held(journal, first) == [(1, 1), (1, 3)]
    assert (await held(journal, second))[-1] == (1, 3)
    await journal.close()


async def test_salvage_waits_for_room_on_a_full_card(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a damaged journal holds stays in its folder until there is room; nothing crashes."""
    journal = await Journal.open(tmp_path, CLOCK)
    epoch = await fill(journal)
    await journal.close()
    (tmp_path / CONDEMNED).write_text("the card has damaged a row")
    journal = await Journal.open(tmp_path, CLOCK)

    def refuse(*_: object) -> None:
        raise OperationalError("database or disk is full")

    with monkeypatch.context() as full:
        full.setattr(journal._file, "add_saved", refuse)
        full.setattr(journal._file, "grow", lambda: False)
        assert not await journal._salvage()
    assert journal.old_epochs == {}
    assert await journal._salvage()
    assert await held(journal, epoch) == [(1, 1), (1, 3)]
    await journal.close()


async def test_more_than_the_reserve_can_be_salvaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file grows for what a damaged one held, a reserve at a time, whatever is free in it."""
    monkeypatch.setattr(journal_file, "RESERVE_BYTES", 16 * 1024)
    monkeypatch.setattr(old_epochs, "PORTION", 4)
    journal = await Journal.open(tmp_path, CLOCK)
    epoch = journal.epoch
    for number in range(20):
        # Only what cannot be packed takes room.
        text = random.Random(number).randbytes(1000).hex()  # noqa: S311
        await journal.event("complaint", {"text": text})
    await journal.close()

    journal = await set_aside_and_salvaged(tmp_path)

    assert await held(journal, epoch) == [(seq, seq) for seq in range(1, 21)]
    size = (tmp_path / FILE).stat().st_size
    assert size > 16 * 1024
    await journal.close()


async def test_losses_of_an_older_epoch_outlive_a_damaged_file(tmp_path: Path) -> None:
    """What a journal was to tell the city of an epoch before its own is told by the next one."""
    journal = await Journal.open(tmp_path, CLOCK)
    await fill(journal)
    older = bytes(16)
    await journal._run(journal._file.old.add_saved, OLDER, tmp_path, [], journal._file.lost)
    await journal.acked_old(older, Lane.READINGS, Ranges(), Ranges())
    declared = journal.lost
    assert [(lost.epoch, lost.first, lost.last) for lost in declared] == [(older, 1, 7)]
    await journal.close()

    journal = await set_aside_and_salvaged(tmp_path)

    assert journal.lost == declared
    await journal.close()


async def test_a_damaged_journal_goes_when_the_city_has_it_all(tmp_path: Path) -> None:
    """Its folder stays as long as it may be needed, and no longer."""
    journal = await Journal.open(tmp_path, CLOCK)
    epoch = await fill(journal)
    await journal.close()
    journal = await set_aside_and_salvaged(tmp_path)
    assert len(list((tmp_path / DAMAGED).iterdir())) == 1

    for lane, highest in journal.old_epochs[epoch].items():
        got = Ranges([(1, highest)] if highest else [])
        await journal.acked_old(epoch, lane, got, Ranges())

    assert epoch not in journal.old_epochs
    assert list((tmp_path / DAMAGED).iterdir()) == []
    await journal.close()
