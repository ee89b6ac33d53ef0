"""A card under SQLite and the product's files: what was not synced may not survive a power cut.

What programs see lies in a folder; what the card holds for sure of a file that SQLite has open
is kept beside it in RAM. Each boot gets a folder of its own, so that what was running when the
power went can reach nothing any more. Plain files count as synced when they are written.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
from playhouse.apsw_ext import APSWDatabase  # type: ignore[import-untyped]

from sync.sql_thread import SqlThread
from tests.sim.loop import HOST, Host

SECTOR_BYTES = 512
SLOW = 0.02  # Of the calls: a card stalls while it cleans up.
Image = dict[str, bytes]


@dataclass
class Stored:
    """What the card has of one file for sure, and what it still owes."""

    inode: int
    durable: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)  # None: cut off there.
    entered: bool = False  # The folder names it for sure.

    def sync(self) -> None:
        """All of it is on the card now."""
        for offset, written in self.pending:
            _apply(self.durable, offset, written)
        self.pending.clear()
        self.entered = True


class Disk:
    """The card of one machine, and what can go wrong with it."""

    def __init__(self, name: str, rng: random.Random, record: Callable[..., None]) -> None:
        self.name = name
        self.rng = rng
        self.record = record
        self.boots = 0
        self.folder = Path(name) / "0"
        self.folder.mkdir(parents=True)
        self.files: dict[str, Stored] = {}
        self.quota_bytes: int | None = None
        self.lies = 0.0  # How many of the syncs do nothing.
        self.lied = 0
        self.sync_errors = 0.0  # How many of them fail,
        self.sync_errors_max = 0  # and how often that happens.
        self.errors = 0  # Writes and syncs that failed so far.
        self.torn = False
        self.operations = 0
        self.cut_at_operation: int | None = None
        self.power_cut: Callable[[], None] = _nothing
        self._gone: dict[str, bytes] = {}  # Deleted, and nothing synced since.
        self._vfs = _Vfs(f"sim-{name}", self)

    def database(self) -> APSWDatabase:
        """A database object on this card, for one boot."""
        return _Database(None, vfs=self._vfs.name, lock_type="IMMEDIATE", thread_safe=False)

    # --- the power goes --------------------------------------------------------------------------

    def crash(self) -> None:
        """What was not synced is kept, lost or torn, sector by sector."""
        keep = self.rng.choice([0.0, 0.0, 0.5, 0.5, 0.9, 1.0])
        image = self.snapshot()
        for name in sorted(self._gone):
            if name not in image and self.rng.random() < 0.5:
                image[name] = self._gone[name]
        for name in sorted(image):
            stored = self._stored(name)
            if stored is None:
                continue
            if not stored.entered and self.rng.random() > keep:
                del image[name]
                continue
            for offset, written in stored.pending:
                self._crash_write(stored.durable, offset, written, keep)
            image[name] = bytes(stored.durable)
        self.restore(image)
        self.record("crash", self.name, keep)

    def _crash_write(
        self, durable: bytearray, offset: int, written: bytes | None, keep: float
    ) -> None:
        if written is None:
            if self.rng.random() < keep:
                _apply(durable, offset, None)
            return
        end = offset + len(written)
        at = offset
        while at < end:
            until = min(end, at - at % SECTOR_BYTES + SECTOR_BYTES)
            piece = written[at - offset : until - offset]
            chance = self.rng.random()
            if chance < keep:
                _apply(durable, at, piece)
            elif self.torn and chance < keep + 0.1:
                _apply(durable, at, piece[: self.rng.randrange(len(piece) + 1)])
            at = until

    def snapshot(self) -> Image:
        """An image of the card as programs see it."""
        found = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in found}

    def restore(self, image: Image) -> None:
        """Start a new boot from an image; whoever had files open has nothing now."""
        old = self.folder
        self.boots += 1
        self.cut_at_operation = None
        self.folder = Path(self.name) / str(self.boots)
        self.files.clear()
        self._gone.clear()
        for name, content in image.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        self.folder.mkdir(exist_ok=True)
        shutil.rmtree(old)
        old.mkdir()  # What still runs there may believe in it.

    def rot(self, bits: int) -> list[str]:
        """Flip bits in the database that lies on the card; the names of the files hit."""
        hit = []
        for _ in range(bits):
            image = self.snapshot()
            names = [name for name in image if image[name] and name.startswith("journal.db")]
            if not names:
                break
            name = self.rng.choice(names)
            place, bit = self.rng.randrange(len(image[name])), 1 << self.rng.randrange(8)
            with (self.folder / name).open("r+b") as file:
                file.seek(place)
                file.write(bytes([image[name][place] ^ bit]))
            stored = self._stored(name)
            if stored is not None and place < len(stored.durable):
                stored.durable[place] ^= bit
            hit.append(name)
        return hit

    # --- what the VFS asks -----------------------------------------------------------------------

    def _stored(self, name: str) -> Stored | None:
        """What is known of a file that SQLite has opened, unless another has its name now."""
        path = self.folder / name
        stored = self.files.get(str(path))
        if stored is None or not path.exists() or path.stat().st_ino != stored.inode:
            return None
        return stored

    def open(self, path: str) -> Stored:
        """Take up a file, or make it."""
        file = Path(path)
        stored = self.files.get(path)
        if stored is not None and file.exists() and file.stat().st_ino == stored.inode:
            return stored
        made = not file.exists()
        file.touch()
        stored = Stored(file.stat().st_ino, bytearray(file.read_bytes()), [], entered=not made)
        self.files[path] = stored
        return stored

    def delete(self, path: str, *, synced: bool) -> None:
        """Take a file's name away; a power cut may bring it back."""
        stored = self.files.pop(path, None)
        if stored is not None and stored.entered and not synced:
            self._gone[str(Path(path).relative_to(self.folder))] = bytes(stored.durable)
        Path(path).unlink()

    def synced(self) -> None:
        """The folder is synced with a file."""
        self._gone.clear()

    def used_bytes(self) -> int:
        """How much of the card SQLite's files take."""
        return sum(Path(path).stat().st_size for path in self.files if Path(path).exists())

    def step(self) -> None:
        """Count an operation; the power may go at this very one."""
        self.operations += 1
        if self.cut_at_operation is not None and self.operations >= self.cut_at_operation:
            self.cut_at_operation = None
            self.power_cut()


def _nothing() -> None:
    """Nothing happens."""


def _apply(content: bytearray, offset: int, written: bytes | None) -> None:
    if written is None:
        del content[offset:]
        return
    if len(content) < offset:
        content.extend(bytes(offset - len(content)))
    content[offset : offset + len(written)] = written


class _Cursor(apsw.Cursor):
    """Says what goes wrong between two rows as Python's own sqlite3 does."""

    def fetchone(self) -> Any:
        try:
            return super().fetchone()
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise sqlite3.DatabaseError(str(error)) from error
        except apsw.IOError as error:
            raise sqlite3.OperationalError(str(error)) from error


class _Database(APSWDatabase):  # type: ignore[misc]
    """The product's pragmas, on a file system without shared memory."""

    def _connect(self) -> Any:
        connection = apsw.Connection(self.database, **self.connect_params)
        connection.cursor_factory = _Cursor
        host = HOST.get()
        if host is not None:
            host.kept.append(connection)  # Or the collector would close the file cleanly.
        # Without it a log would need shared memory, which a VFS in Python cannot give.
        connection.execute("PRAGMA locking_mode=exclusive")
        self._add_conn_hooks(connection)
        return connection


class _Vfs(apsw.VFS):
    """Hands SQLite's calls to a card."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.name = name
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        flags[1] = flags[0]
        if path is None:
            raise apsw.CantOpenError("no temporary files here: temp_store is memory")
        if not flags[0] & apsw.SQLITE_OPEN_CREATE and not Path(path).exists():
            raise apsw.CantOpenError(f"no file {path}")
        return _File(self._disk, path)

    def xAccess(self, pathname: str, flags: int) -> bool:
        del flags
        return Path(pathname).exists()

    def xDelete(self, filename: str, syncdir: bool) -> None:  # noqa: FBT001  SQLite's call.
        self._disk.step()
        if not Path(filename).is_relative_to(self._disk.folder):
            raise apsw.IOError("disk I/O error")
        if not Path(filename).exists():
            raise apsw.IOError("disk I/O error")
        self._disk.delete(filename, synced=syncdir)

    def xFullPathname(self, name: str) -> str:
        return name

    def xRandomness(self, numbytes: int) -> bytes:
        return self._disk.rng.randbytes(numbytes)

    def xSleep(self, microseconds: int) -> int:
        return microseconds


class _File:
    """One open file."""

    def __init__(self, disk: Disk, path: str) -> None:
        self._disk = disk
        self._boot = disk.boots
        if not Path(path).is_relative_to(disk.folder):
            raise apsw.CantOpenError("this machine has lost its power")
        self._short = path[-4:]
        self._stored = disk.open(path)
        self._file = os.open(path, os.O_RDWR)

    def _touch(self) -> None:
        """One operation. What runs on a machine that has lost its power gets nowhere."""
        if self._boot == self._disk.boots:
            self._disk.step()
        if self._boot != self._disk.boots:
            raise apsw.IOError("disk I/O error")

    def xRead(self, amount: int, offset: int) -> bytes:
        return os.pread(self._file, amount, offset)

    def xWrite(self, data: bytes, offset: int) -> None:
        self._touch()
        disk, written = self._disk, bytes(data)
        if disk.quota_bytes is not None:
            grows = offset + len(written) - self.xFileSize()
            if grows > 0 and disk.used_bytes() + grows > disk.quota_bytes:
                disk.errors += 1
                raise apsw.FullError("database or disk is full")
        disk.record("write", self._short, offset, len(written))
        os.pwrite(self._file, written, offset)
        self._stored.pending.append((offset, written))

    def xTruncate(self, newsize: int) -> None:
        self._touch()
        os.ftruncate(self._file, newsize)
        self._stored.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:
        del flags
        self._touch()
        disk = self._disk
        if disk.sync_errors and disk.rng.random() < disk.sync_errors:
            disk.errors += 1
            disk.sync_errors_max -= 1
            if disk.sync_errors_max <= 0:
                disk.sync_errors = 0.0
            raise apsw.IOError("disk I/O error")
        if disk.lies and disk.rng.random() < disk.lies:
            disk.lied += 1
            return
        disk.record("sync", self._short)
        self._stored.sync()
        disk.synced()

    def xFileSize(self) -> int:
        return os.fstat(self._file).st_size

    def xClose(self) -> None:
        os.close(self._file)

    def xLock(self, level: int) -> None:
        """One process has it."""

    def xUnlock(self, level: int) -> None:
        """One process has it."""

    def xCheckReservedLock(self) -> bool:
        return False

    def xFileControl(self, op: int, ptr: int) -> bool:
        del op, ptr
        return False

    def xSectorSize(self) -> int:
        return SECTOR_BYTES

    def xDeviceCharacteristics(self) -> int:
        return 0  # Not even that what stands beside a write survives a power cut.


class SimThread(SqlThread):
    """Stands for the SQL thread: one call after the other, each a little later."""

    def __init__(self, host: Host, rng: random.Random, done: Callable[[str, Any], None]) -> None:
        self._host = host
        self._rng = rng
        self._done = done
        self._free_at_s = 0.0

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function`, after those that were handed in before."""
        loop = asyncio.get_running_loop()
        work = loop.create_future()
        slow = self._rng.random() < SLOW
        took_s = self._rng.uniform(0.5, 8.0) if slow else self._rng.uniform(0.001, 0.03)
        self._free_at_s = max(self._free_at_s, loop.time()) + took_s
        loop.call_at(self._free_at_s, self._call, work, function, args, kwargs)
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()
            raise

    def _call(
        self, work: asyncio.Future[Any], function: Callable[..., Any], args: Any, kwargs: Any
    ) -> None:
        try:
            result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001  As a thread does: it is the caller's.
            if self._host.alive:
                work.set_exception(error)
            return
        if self._host.alive:
            self._done(function.__name__, args)
            work.set_result(result)

    def close(self) -> None:
        """There is no thread to end."""
