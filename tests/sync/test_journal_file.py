from pathlib import Path

from drivers.reading import Reading
from sync.clock import Clock
from sync.journal import Journal
from sync.journal_file import CONDEMNED, DAMAGED
from sync.ranges import Ranges

CLOCK = Clock((), boot="0123456789abcdef0123456789abcdef", boottime_ms=lambda: 50_000)


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
