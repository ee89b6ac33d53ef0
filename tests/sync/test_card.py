"""What the journal does when the card is full, damaged or read-only."""

from __future__ import annotations

import gc
import os
import random
import shutil
import sqlite3
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from drivers.reading import Reading
from sync import wire
from sync.city.archive import Archive
from sync.clock import Clock
from sync.entry import Anchor, Event, Lane, Stream
from sync.journal import FILE, Journal, Options
from sync.journal_file import CONDEMNED
from sync.journal_tables import VERSION, DamagedError, crc
from sync.ranges import Ranges
from sync.salvage import _add_open_rows
from sync.uplink import Uplink
from tests.sync import plug
from tests.sync.version_1 import take_back

BOOT = "0123456789abcdef0123456789abcdef"
DECIMALS = {"water_level": 3}
SEGMENTS = 60
PER_SEGMENT = 84
UNKNOWN = Event(1, BOOT, 1, "health", {})
LOOPS = 150
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")


def clock() -> Clock:
    """A clock that stands still."""
    return Clock((), boot=BOOT, boottime_ms=lambda: 50_000)


def add(journal: Journal, count: int, seed: int = 0, *, spread: float = 4.0) -> None:
    """Append `count` water levels, 10 s apart."""
    rng = random.Random(seed)  # noqa: S311
    for _ in range(count):
        reading = Reading("water_level", rng.uniform(0, spread), "m")
        at_ms = (journal.seq + 1) * 10_000
        journal.append("pier", [reading], at_ms, simulated=False, decimals=DECIMALS)


async def filled(folder: Path) -> tuple[Journal, dict[int, wire.Row]]:
    """A journal with sealed and with open entries, none of them at the city."""
    journal = await Journal.open(folder, clock())
    for number in range(SEGMENTS):
        add(journal, PER_SEGMENT, number)
        await journal.seal()
    await journal.event("feedback", {"face": 1})
    add(journal, 40, 99)
    await journal.commit()
    add(journal, 2, 100)
    await journal.commit()
    rows = dict(zip(range(1, journal.seq + 1), await sealed_rows(journal), strict=False))
    rows |= {row.seq: row for row in journal._file.open_rows}
    return journal, rows


async def sealed_rows(journal: Journal, lane: Lane = Lane.READINGS) -> list[wire.Row]:
    """Every sealed row."""
    last = journal.position(lane).sealed
    found = await journal.segments(lane, 1, last, limit=10_000, bytes_max=2**30)
    return [row for each in found for row in wire.segment_rows(wire.decode_segment(each.body))]


async def pull_the_plug(journal: Journal, folder: Path) -> None:
    """Copy the files as they are on the card, and end the journal."""
    copy = folder.with_name("card")
    shutil.copytree(folder, copy)
    await journal.close()
    shutil.rmtree(folder)
    copy.rename(folder)


def random_pages(count: int) -> Callable[[Path], None]:
    """Damage `count` pages of the database."""

    def damage(folder: Path) -> None:
        path = folder / FILE
        rng = random.Random(count)  # noqa: S311
        with path.open("r+b") as file:
            for _ in range(count):
                file.seek(rng.randrange(path.stat().st_size // 1024) * 1024)
                file.write(rng.randbytes(1024))

    return damage


def overwrite(start: int, size: int) -> Callable[[Path], None]:
    """Damage `size` bytes from `start`."""

    def damage(folder: Path) -> None:
        with (folder / FILE).open("r+b") as file:
            file.seek(start)
            file.write(random.Random(1).randbytes(size))  # noqa: S311

    return damage


def bit_flips(folder: Path) -> None:
    """Flip a bit in every 20 KB of every file."""
    rng = random.Random(7)  # noqa: S311
    for path in (folder / FILE, folder / f"{FILE}-wal"):
        data = bytearray(path.read_bytes())
        for _ in range(len(data) // 20_000):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        path.write_bytes(data)


def no_letter(text: bytes) -> Callable[[Path], None]:
    """Make of a name, wherever it stands in the database, one that is no UTF-8."""

    def damage(folder: Path) -> None:
        path = folder / FILE
        with closing(sqlite3.connect(path)) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        path.write_bytes(path.read_bytes().replace(text, b"\xb2" + text[1:]))

    return damage


def truncate(name: str, keep: float) -> Callable[[Path], None]:
    """Cut a file off."""

    def damage(folder: Path) -> None:
        path = folder / name
        os.truncate(path, int(path.stat().st_size * keep))

    return damage


MATRIX = {
    "5 random pages": random_pages(5),
    "20 random pages": random_pages(20),
    "the header": overwrite(0, 100),
    "the root page": overwrite(0, 1024),
    "the first 64 KB": overwrite(0, 64 * 1024),
    "a truncated log": truncate(f"{FILE}-wal", 0.5),
    "no log": truncate(f"{FILE}-wal", 0),
    "a zero-length file": truncate(FILE, 0),
    "bit flips": bit_flips,
    "no letter in a column's name": no_letter(b"boottime_ms"),
    "no letter in a stream's name": no_letter(b"pier"),
}


@pytest.mark.parametrize("case", MATRIX)
async def test_what_is_readable_of_a_damaged_card_arrives(
    case: str, tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """However the card is damaged, nearly all of it arrives, and the rest is declared.

    The entries keep their epoch and seq, and everything of these seqs that is not at the city
    is in the gap records.
    """
    folder = tmp_path / "kiosk"
    journal, rows = await filled(folder)
    epoch = journal.epoch
    await pull_the_plug(journal, folder)
    MATRIX[case](folder)

    for _ in range(3):  # Damage deep in the file is found when it is read.
        journal = await Journal.open(folder, clock())
        await journal._salvage()
        add(journal, 1)
        try:
            await journal.seal()
            await make_uplink(journal).flush()
        except Exception:  # noqa: BLE001  Whatever it is, systemd would start again.
            assert (folder / CONDEMNED).exists()
            await plug.pull(journal)
            continue
        break
    assert journal.pending() == 0
    assert journal.old_epochs == {}
    await journal.close()

    (lane,) = [
        lane
        for kiosk in await archive.fleet()
        for lane in kiosk["lanes"]
        if lane["epoch"] == epoch.hex() and lane["lane"] == "readings"
    ]
    bodies = await archive.segments(kiosk_of(await archive.fleet()), Lane.READINGS, epoch, 0, 9999)
    found = {
        row.seq: row for body in bodies for row in wire.segment_rows(wire.decode_segment(body))
    }
    mine = {seq: row for seq, row in found.items() if seq in rows}
    assert all(rows[seq]._replace(stream=0) == row._replace(stream=0) for seq, row in mine.items())
    assert len(mine) >= 0.95 * len(rows)
    declared = Ranges(lane["lost"])
    highest = max(found)
    assert [list(hole) for hole in Ranges(lane["got"]).holes(1, highest)] == list(
        map(list, declared)
    )


def kiosk_of(fleet: list[dict[str, object]]) -> str:
    """The id of the one kiosk."""
    ((kiosk),) = [kiosk["kiosk"] for kiosk in fleet]
    return str(kiosk)


@pytest.fixture
def small_card(tmp_path: Path) -> Iterator[Path]:
    """A real ext4 card of a few MB."""
    image, point = tmp_path / "card.img", tmp_path / "card"
    point.mkdir()
    with image.open("wb") as file:
        file.truncate(8 * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-b", "4096", "-m", "0", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(point)], check=True)
    yield point
    subprocess.run(["umount", "-l", str(point)], check=True)


def fill(card: Path) -> None:
    """Leave not a byte free."""
    with (card / "ballast").open("wb", buffering=0) as file:
        for chunk in (65536, 4096, 1):
            try:
                while True:
                    file.write(bytes(chunk))
            except OSError:
                continue


@needs_root
async def test_with_no_byte_free_intake_acks_and_pruning_go_on(small_card: Path) -> None:
    """On a full card new readings are committed, at the cost of the oldest acked ones."""
    journal = await Journal.open(small_card / "state", clock())
    add(journal, 100)
    await journal.seal()
    fill(small_card)
    assert shutil.disk_usage(small_card).free == 0
    for number in range(LOOPS):
        add(journal, 1000, number, spread=1e9)
        await journal.seal()
        sealed = journal.position(Lane.READINGS).sealed
        journal.acked(Lane.READINGS, Ranges([(1, sealed)]), sealed)
    state = journal.position(Lane.READINGS)
    assert state.committed == 100 + LOOPS * 1000
    assert state.oldest > 1
    assert (journal.lost, journal.trouble) == ([], "")
    await journal.close()


@needs_root
async def test_with_no_byte_free_and_no_city_the_oldest_are_thinned(small_card: Path) -> None:
    """Without a city the oldest readings become minutes, then go; each loss is declared."""
    journal = await Journal.open(small_card / "state", clock())
    event = await journal.event("feedback", {"face": 1})
    fill(small_card)
    for number in range(LOOPS):
        add(journal, 1000, number, spread=1e9)
        await journal.seal()
    assert event == 1
    assert journal.position(Lane.EVENTS).oldest == 1, "events stay"
    readings, summaries = journal.position(Lane.READINGS), journal.position(Lane.SUMMARIES)
    assert readings.committed == LOOPS * 1000
    assert readings.oldest > 1
    assert summaries.sealed > 0
    lost = Ranges((each.first, each.last) for each in journal.lost if each.lane is Lane.READINGS)
    assert list(lost) == [(1, readings.oldest - 1)]
    await journal.close()
    gc.collect()  # The tracebacks of "disk is full" still hold cursors, and they the file's lock.

    again = await Journal.open(small_card / "state", clock())
    assert again.seq == LOOPS * 1000
    assert Ranges((e.first, e.last) for e in again.lost if e.lane is Lane.READINGS) == lost
    await again.close()


async def test_over_quota_the_oldest_readings_become_minutes(
    tmp_path: Path, archive: Archive, make_uplink: Callable[[Journal], Uplink]
) -> None:
    """What is thinned arrives as min, mean and max, and the readings it stood for as lost."""
    options = Options(quota_bytes=2 * 6000)
    journal = await Journal.open(tmp_path / "kiosk", clock(), options)
    for number in range(20):
        add(journal, 120, number)
        await journal.seal()
    await make_uplink(journal).flush()
    lanes = {lane["lane"]: lane for kiosk in await archive.fleet() for lane in kiosk["lanes"]}
    lost, got = Ranges(lanes["readings"]["lost"]), Ranges(lanes["readings"]["got"])
    assert lost
    assert not any(lost.touches(first, last) for first, last in got)
    assert lost.count() + got.count() == 20 * 120
    assert "thinned" in " ".join(lanes["readings"]["lost_reasons"].values())
    names = [s["stream"] for kiosk in await archive.fleet() for s in kiosk["streams"]]
    assert "pier/water_level.mean" in names
    assert journal.pending() == 0
    assert journal.lost == []
    await journal.close()


@needs_root
async def test_a_read_only_card_means_a_journal_in_memory(small_card: Path) -> None:
    """On a card that takes no writes the kiosk goes on, and says that it keeps nothing."""
    state = small_card / "state"
    journal = await Journal.open(state, clock())
    epoch = journal.epoch
    add(journal, 3)
    await journal.close()
    subprocess.run(["mount", "-o", "remount,ro", str(small_card)], check=True)  # noqa: ASYNC221
    journal = await Journal.open(state, clock())
    assert journal.memory
    assert journal.epoch != epoch
    add(journal, 5)
    await journal.seal()
    assert [row.seq for row in await sealed_rows(journal)] == [1, 2, 3, 4, 5]
    await journal.close()
    subprocess.run(["mount", "-o", "remount,rw", str(small_card)], check=True)  # noqa: ASYNC221
    journal = await Journal.open(state, clock())
    assert (journal.memory, journal.epoch, journal.seq) == (False, epoch, 3)
    await journal.close()


async def test_a_condemned_journal_is_set_aside_at_the_next_start(tmp_path: Path) -> None:
    """A file found damaged while it runs is not opened again, and what it held is sent."""
    journal, rows = await filled(tmp_path / "kiosk")
    epoch = journal.epoch
    journal._file.condemn("a test says so")
    await plug.pull(journal)
    again = await Journal.open(tmp_path / "kiosk", clock())
    assert again.epoch != epoch
    assert again.damage == "a test says so"
    await again._salvage()
    assert again.old_epochs[epoch][Lane.READINGS] == max(rows)
    await again.close()


async def test_a_flipped_bit_in_the_name_of_a_column_is_damage(tmp_path: Path) -> None:
    """SQLite calls it a wrong query; the journal sets the file aside and starts all the same."""
    journal, rows = await filled(tmp_path / "kiosk")
    epoch = journal.epoch
    await journal.close()
    path = tmp_path / "kiosk" / FILE
    content = path.read_bytes()
    place = content.index(b'CREATE TABLE "open" ("first_seq"') + len('CREATE TABLE "open" ("')
    path.write_bytes(content[:place] + b"g" + content[place + 1 :])
    again = await Journal.open(tmp_path / "kiosk", clock())
    assert "no such column" in again.damage
    await again._salvage()
    assert again.old_epochs[epoch][Lane.READINGS] == max(rows)
    await again.close()


def flip(table: Any) -> None:
    """Flip a bit in the middle of the oldest segment of a table."""
    row = table.select().order_by(table.first_seq).first()
    body = bytearray(row.body)
    body[len(body) // 2] ^= 1
    table.update(body=bytes(body)).where(table.first_seq == row.first_seq).execute()


@pytest.mark.parametrize(
    ("lane", "use"),
    [
        (Lane.READINGS, lambda journal: journal.new_epoch("another writer has used it")),
        (Lane.EVENTS, lambda journal: journal.new_epoch("another writer has used it")),
        (Lane.READINGS, lambda journal: journal._thin()),
        (Lane.READINGS, sealed_rows),
        (Lane.EVENTS, lambda journal: journal._run(journal._file.seq_of, UNKNOWN)),
    ],
    ids=["new epoch, readings", "new epoch, events", "thinning", "upload", "event that moved"],
)
async def test_a_flipped_bit_in_a_segment_is_damage_wherever_it_is_read(
    tmp_path: Path, lane: Lane, use: Callable[[Journal], Awaitable[object]]
) -> None:
    """The file is set aside at the next start, which gets on; it is not read again for ever."""
    journal, rows = await filled(tmp_path / "kiosk")
    await journal.seal()
    epoch = journal.epoch
    await journal._run(flip, journal._file._tables.segment[lane])
    with pytest.raises(DamagedError, match="has damaged the segment from 1 on"):
        await use(journal)
    assert journal.epoch == epoch
    await journal.close()

    again = await Journal.open(tmp_path / "kiosk", clock())
    assert "has damaged the segment" in again.damage
    await again._salvage()
    # The spare copy has it.
    assert again.old_epochs[epoch][Lane.READINGS] == max(rows)
    found = await again.saved(epoch, limit=10_000, bytes_max=2**30)
    assert sum(one.entries for one in found) == max(rows) + 1
    await again._run(flip, again._file._tables.saved)
    with pytest.raises(DamagedError, match="has damaged the segment"):
        await again.saved(epoch, limit=10_000, bytes_max=2**30)
    await again.close()

    last = await Journal.open(tmp_path / "kiosk", clock())
    await last._salvage()
    found = await last.saved(epoch, limit=10_000, bytes_max=2**30)
    assert sum(one.entries for one in found) == max(rows) + 1
    await last.close()


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE lost SET lane = -126",
        "UPDATE lost SET last = last + 1",
        "UPDATE anchor SET utc_ms = utc_ms + 1",
        "UPDATE open SET count = count + 1",
        "UPDATE stream SET decimals = decimals + 1",
        "UPDATE fact SET key = 'epock' WHERE key = 'epoch'",
        "UPDATE fact SET value = X'7B' WHERE key LIKE 'old:%'",
        "UPDATE fact SET value = CAST('{\"9\": 1}' AS BLOB) WHERE key LIKE 'old:%'",
        "UPDATE fact SET key = 'old:xy' WHERE key LIKE 'old:%'",
        "UPDATE fact SET key = replace(key, 'old:', 'moved:') WHERE key LIKE 'old:%'",
    ],
)
async def test_a_row_that_says_what_no_journal_writes_is_damage(
    tmp_path: Path, change: str
) -> None:
    """The service starts all the same, and what the file held is sent."""
    journal, rows = await filled(tmp_path / "kiosk")
    journal._file.condemn("so that there is an old epoch")
    await journal.close()
    journal = await Journal.open(tmp_path / "kiosk", clock())
    epoch = journal.epoch
    await journal._salvage()
    journal.add_anchor(Anchor(BOOT, 1_000, 1_800_000_000_000, 50, "ntp"))
    add(journal, 3)
    journal.declare_lost(Lane.READINGS, 90, 91, "a test says so")
    await journal.commit()
    await journal.close()
    with closing(sqlite3.connect(tmp_path / "kiosk" / FILE)) as database, database:
        assert database.execute(change).rowcount > 0

    again = await Journal.open(tmp_path / "kiosk", clock())
    assert again.damage
    assert again.epoch != epoch
    await again._salvage()
    assert max(highest[Lane.READINGS] for highest in again.old_epochs.values()) == max(rows)
    await again.close()


# Where the head of an SQLite file says something that one bit can turn into a refusal:
# https://sqlite.org/fileformat2.html, section 1.3.
HEAD_BYTES = {
    "page size": (16, 2),
    "versions of the format": (18, 2),
    "free pages": (36, 4),
    "format of the schema": (44, 4),
    "largest root page": (52, 4),
    "user version": (60, 4),
}


@pytest.mark.parametrize("field", HEAD_BYTES)
async def test_a_flipped_bit_in_the_head_of_the_file_keeps_nobody_out(
    tmp_path: Path, field: str
) -> None:
    """The kiosk comes up in any case, and has what it had, in this journal or an older one."""
    journal = await Journal.open(tmp_path / "kiosk", clock())
    add(journal, 30)
    await journal.commit()
    await plug.pull(journal)
    whole = (tmp_path / "kiosk" / FILE).read_bytes()
    first, size = HEAD_BYTES[field]

    for bit in range(8 * size):
        folder = tmp_path / str(bit)
        shutil.copytree(tmp_path / "kiosk", folder)
        flipped = bytearray(whole)
        flipped[first + bit // 8] ^= 1 << bit % 8
        (folder / FILE).write_bytes(flipped)

        again = await Journal.open(folder, clock())
        await again._salvage()
        await again.seal()
        seqs = [row.seq for row in await sealed_rows(again)]
        for epoch in again.old_epochs:
            for stored in await again.saved(epoch, limit=100, bytes_max=2**20):
                segment = wire.decode_segment(stored.body)
                if segment.lane is Lane.READINGS:
                    seqs += [row.seq for row in wire.segment_rows(segment)]
        assert seqs == list(range(1, 31)), bit
        await again.close()
        shutil.rmtree(folder)


async def test_a_journal_of_version_1_goes_on_as_version_2(tmp_path: Path) -> None:
    """Its open rows are checked as they were written, and bound to their epoch."""
    journal, rows = await filled(tmp_path / "kiosk")
    epoch = journal.epoch
    await plug.pull(journal)
    path = tmp_path / "kiosk" / FILE

    assert take_back(path)
    again = await Journal.open(tmp_path / "kiosk", clock())
    assert (again.epoch, again.damage) == (epoch, "")
    assert {row.seq: row for row in again._file.open_rows} == {
        seq: row for seq, row in rows.items() if seq > SEGMENTS * PER_SEGMENT
    }
    await plug.pull(again)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("PRAGMA user_version").fetchone() == (VERSION,)

    assert take_back(path, "UPDATE open SET count = count + 1")
    damaged = await Journal.open(tmp_path / "kiosk", clock())
    assert "has damaged the row" in damaged.damage
    await damaged.close()


def test_an_open_row_of_an_epoch_that_has_ended_is_not_salvaged_for_another() -> None:
    """Free pages still hold it, under seqs that the new epoch has used for other entries."""
    ended, epoch = bytes(16), bytes([1]) * 16
    row = (1, 1, bytes.fromhex(BOOT), wire.pack_rows([wire.Row(1, 0, 10, 5, 0)]))
    streams = [Stream("pier", "water_level", "m", 3, simulated=False)]
    for of, taken in ((ended, 0), (epoch, 1)):
        segments: dict[tuple[Lane, int], bytes] = {}
        _add_open_rows(segments, epoch, streams, [(*row, crc(of, *row))])
        assert len(segments) == taken


async def test_a_flipped_bit_in_a_count_makes_out_no_loss(tmp_path: Path) -> None:
    """A segment that says of itself that it is shorter than it is: the file is damaged."""
    journal, _ = await filled(tmp_path / "kiosk")
    table = journal._file._tables.segment[Lane.READINGS]

    def shorten() -> None:
        table.update(count=PER_SEGMENT - 1).where(table.first_seq == 1).execute()

    await journal._run(shorten)
    with pytest.raises(DamagedError, match="the segment from 1 on"):
        await journal.declare_forgotten(Lane.READINGS)
    assert journal.lost == []
    await journal.close()
