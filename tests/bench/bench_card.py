"""Bytes to the block device per reading: the journal beside plain rows and a bare log."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from sync import wire
from tests.bench.figures import Beside, Figure
from tests.bench.reference_day import BASE_MS, Arrival, reference_day
from tests.bench.replay import batches, ram_folder, replay

GOAL = 400.0
IMAGE_BYTES = 96 * 1024 * 1024
SECTOR_BYTES = 512  # Of /sys/block/*/stat, whatever the device says of itself.
WRITE_SECTORS = 6  # Its place in that file, see Documentation/block/stat.rst.
# A day of segments is about 90 KB: with this quota the second half of the day prunes.
QUOTA_BYTES = 48 * 1024
LAZY = "noatime,lazytime"
LAZYTIME = (
    "lazytime: each commit changes the log's mtime, and without it the kernel writes the inode "
    "back within 30 s. A replay in seconds would hide that, so the line without it is written "
    "back after each commit."
)


class NoCardError(Exception):
    """This machine lets us have no loop device."""


class Card(NamedTuple):
    """A place to write to, and how many bytes have come to its device so far."""

    folder: Path
    written_bytes: Callable[[], int]


async def measure(*, hours: float = 24.0) -> list[Figure]:
    """The reference day on an ext4 card; without loop devices, what the process wrote."""
    day = list(reference_day(hours=hours))
    try:
        with card(LAZY) as lazy:
            journal = await write_journal(day, lazy)
            besides = _peers(day, lazy)
        with card("noatime") as plain:
            written_back = await write_journal(day, plain, after_commit=lambda: sync(plain))
    except NoCardError as error:
        return [await _by_process(day, error)]
    besides.append(Beside("this journal without lazytime", written_back.bytes / len(day)))
    return [
        Figure(
            "card_bytes_per_reading",
            journal.bytes / len(day),
            "B/reading",
            GOAL,
            beside=tuple(besides),
            note=f"{_pruned(day, journal)}. {LAZYTIME}",
        )
    ]


async def _by_process(day: Sequence[Arrival], error: NoCardError) -> Figure:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=Path.cwd()) as folder:
        here = Card(Path(folder), _process_bytes)
        journal = await write_journal(day, here)
        return Figure(
            "card_bytes_per_reading_by_process_io",
            journal.bytes / len(day),
            "B/reading",
            GOAL,
            beside=tuple(_peers(day, here)),
            note=f"{_pruned(day, journal)}; write_bytes of /proc/self/io, without what the file "
            f"system writes of its own, since {error}",
        )


def _pruned(day: Sequence[Arrival], journal: Written) -> str:
    return f"acked, sealed, and {len(day) - journal.kept:,} of {len(day):,} readings pruned"


class Written(NamedTuple):
    """What the journal wrote, and how much of the day it still keeps."""

    bytes: int
    kept: int


async def write_journal(
    day: Sequence[Arrival], where: Card, *, after_commit: Callable[[], None] | None = None
) -> Written:
    """What the real journal writes, from its first opening to its clean stop."""
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()) as city_folder:
        sync(where)
        before = where.written_bytes()
        replayed = await replay(
            day,
            where.folder / "journal",
            Path(city_folder),
            quota_bytes=QUOTA_BYTES,
            after_commit=after_commit,
        )
        sync(where)
        return Written(where.written_bytes() - before, replayed.kept)


def _peers(day: Sequence[Arrival], where: Card) -> list[Beside]:
    return [
        Beside(name, _written(write, day, where) / len(day))
        for name, write in (
            ("plain SQLite rows, a commit every 30 s, FULL", _write_rows),
            ("preallocated log, fdatasync every 30 s (limit)", _write_log),
        )
    ]


def _written(
    write: Callable[[Sequence[Arrival], Path], Iterator[None]], day: Sequence[Arrival], where: Card
) -> int:
    """What a peer writes; it yields once, when it has made its files."""
    steps = write(day, where.folder)
    next(steps)
    sync(where)
    before = where.written_bytes()
    for _ in steps:
        pass
    sync(where)
    return where.written_bytes() - before


def _write_rows(day: Sequence[Arrival], folder: Path) -> Iterator[None]:
    database = sqlite3.connect(folder / "rows.db", isolation_level=None)
    database.execute("PRAGMA journal_mode = wal")
    database.execute("PRAGMA synchronous = full")
    database.execute(
        "CREATE TABLE entry (seq INTEGER PRIMARY KEY AUTOINCREMENT, at_ms INTEGER, "
        "sensor TEXT, quantity TEXT, value REAL, unit TEXT) STRICT"
    )
    yield
    for batch in batches(day):
        database.execute("BEGIN IMMEDIATE")
        database.executemany(
            "INSERT INTO entry (at_ms, sensor, quantity, value, unit) VALUES (?, ?, ?, ?, ?)",
            [arrival[:5] for arrival in batch.arrivals],
        )
        database.execute("COMMIT")
    database.close()


def _write_log(day: Sequence[Arrival], folder: Path) -> Iterator[None]:
    """The same columns as the journal's, one after the other in a file that is there already."""
    with (folder / "log").open("wb", buffering=0) as file:
        for _ in range(len(day) // 100 + 1):
            file.write(bytes(4096))  # In one piece it would be one large page to /proc/self/io.
        os.fsync(file.fileno())
        yield
        end = 0
        seq = 1
        for batch in batches(day):
            rows = [
                wire.Row(seq + place, _STREAMS[arrival[1:3]], arrival.at_ms - BASE_MS, scaled, 0)
                for place, arrival in enumerate(batch.arrivals)
                for scaled in [round(arrival.value * 10**arrival.decimals)]
            ]
            end += os.pwrite(file.fileno(), wire.pack_rows(rows), end)
            os.fdatasync(file.fileno())
            seq += len(rows)


class _Streams(dict[tuple[str, str], int]):
    """Numbers streams as they come."""

    def __missing__(self, key: tuple[str, str]) -> int:
        return self.setdefault(key, len(self))


_STREAMS = _Streams()


# --- the card --------------------------------------------------------------------------------


@contextlib.contextmanager
def card(options: str) -> Iterator[Card]:
    """A fresh ext4 card on a loop device, mounted with `options`. Raises `NoCardError`."""
    if os.geteuid() != 0:
        raise NoCardError("only root mounts a loop device")
    with contextlib.ExitStack() as stack:
        folder = Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()))
        )
        image, mounted = folder / "card.img", folder / "card"
        mounted.mkdir()
        with image.open("wb") as file:
            file.truncate(IMAGE_BYTES)
        # Tables are written now, and not by a kernel thread while we count.
        eager = "lazy_itable_init=0,lazy_journal_init=0"
        _command("mkfs.ext4", "-q", "-b", "4096", "-E", eager, str(image))
        device = _command("losetup", "--find", "--show", str(image)).strip()
        stack.callback(_command, "losetup", "--detach", device)
        _command("mount", "-t", "ext4", "-o", options, device, str(mounted))
        stack.callback(_command, "umount", str(mounted))
        statistics = Path("/sys/block", Path(device).name, "stat")
        yield Card(mounted, lambda: _device_bytes(statistics))


def sync(where: Card) -> None:
    """Have the file system write what it holds back."""
    _command("sync", "--file-system", str(where.folder))


def _device_bytes(statistics: Path) -> int:
    return int(statistics.read_text(encoding="ascii").split()[WRITE_SECTORS]) * SECTOR_BYTES


def _process_bytes() -> int:
    text = Path("/proc/self/io").read_text(encoding="ascii")
    return int(text.partition("\nwrite_bytes: ")[2].split()[0])


def _command(*words: str) -> str:
    """Run a system command; its output. Raises `NoCardError`."""
    path = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
    program = shutil.which(words[0], path=path)
    if program is None:
        raise NoCardError(f"there is no {words[0]}")
    done = subprocess.run(
        [program, *words[1:]], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        raise NoCardError(f"{' '.join(words)}: {done.stderr.strip()}")
    return done.stdout
