"""A card in RAM under SQLite: what has not been synced may be lost, kept or torn at a power cut."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import apsw
from playhouse.apsw_ext import APSWDatabase

from sync.sql_thread import SqlThread
from tests.sim.loop import HOST, Host

SECTOR_BYTES = 512
DELETED = "deleted"


@dataclass
class Stored:
    """One file: as programs see it, and as the card has it for sure."""

    image: bytearray = field(default_factory=bytearray)
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
    """The files of one machine, and what can go wrong with them."""

    def __init__(self, name: str, rng: random.Random, record: Callable[..., None]) -> None:
        self.name = name
        self.rng = rng
        self.record = record
        self.files: dict[str, Stored] = {}
        self.gone: dict[str, Stored] = {}  # Deleted, and the folder not synced since.
        self.incarnation = 0  # Handles of an earlier boot reach nothing.
        self.quota_bytes: int | None = None
        self.lies = 0.0  # How many of the syncs do nothing.
        self.lied = 0
        self.sync_errors = 0.0
        self.errors = 0  # Syncs and writes that failed so far.
        self.torn = False
        self.operations = 0
        self.cut_at_operation: int | None = None
        self.power_cut: Callable[[], None] = _nothing
        self.vfs = _Vfs(f"sim-{name}-{id(self):x}", self)

    def database(self) -> APSWDatabase:
        """A database object on this card, for one boot."""
        return _Database(None, vfs=self.vfs.name, lock_type="IMMEDIATE", thread_safe=False)

    def crash(self) -> None:
        """The power goes: what was not synced is kept, lost or torn, sector by sector."""
        self.incarnation += 1
        self.cut_at_operation = None
        keep = self.rng.choice([0.0, 0.0, 0.5, 0.5, 0.9, 1.0])
        for name in sorted(self.gone):
            if name not in self.files and self.rng.random() < 0.5:
                self.files[name] = self.gone[name]
        self.gone.clear()
        for name in sorted(self.files):
            stored = self.files[name]
            if not stored.entered and self.rng.random() > keep:
                del self.files[name]
                continue
            for offset, written in stored.pending:
                self._crash_write(stored.durable, offset, written, keep)
            stored.pending.clear()
            stored.image = bytearray(stored.durable)
            stored.entered = True
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

    def snapshot(self) -> dict[str, bytes]:
        """An image of the card as programs see it."""
        return {name: bytes(stored.image) for name, stored in self.files.items()}

    def restore(self, image: dict[str, bytes]) -> None:
        """Put an image on the card, instead of what is there."""
        self.incarnation += 1
        self.gone.clear()
        self.files = {
            name: Stored(bytearray(content), bytearray(content), [], entered=True)
            for name, content in image.items()
        }

    def rot(self, bits: int) -> None:
        """Flip bits in what lies on the card."""
        for _ in range(bits):
            names = sorted(name for name, stored in self.files.items() if stored.image)
            if not names:
                return
            stored = self.files[self.rng.choice(names)]
            place, bit = self.rng.randrange(len(stored.image)), 1 << self.rng.randrange(8)
            stored.image[place] ^= bit
            if place < len(stored.durable):
                stored.durable[place] ^= bit

    def used_bytes(self) -> int:
        """How much of the card is taken."""
        return sum(len(stored.image) for stored in self.files.values())

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


class _Database(APSWDatabase):  # type: ignore[misc]
    """The product's pragmas, on a file system without shared memory."""

    def _connect(self) -> Any:
        connection = apsw.Connection(self.database, **self.connect_params)
        # Without it a log would need shared memory, which a VFS in Python cannot give.
        connection.execute("PRAGMA locking_mode=exclusive")
        self._add_conn_hooks(connection)
        host = HOST.get()
        if host is not None:
            host.kept.append(connection)  # Or the collector would close the file cleanly.
        return connection


class _Vfs(apsw.VFS):
    """Hands SQLite's calls to a card."""

    def __init__(self, name: str, disk: Disk) -> None:
        self.name = name
        self._disk = disk
        super().__init__(name, "")

    def xOpen(self, name: Any, flags: list[int]) -> Any:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        wanted = flags[0]
        flags[1] = wanted & ~apsw.SQLITE_OPEN_DELETEONCLOSE
        if path is None:
            return _File(self._disk, "", Stored())
        stored = self._disk.files.get(path)
        if stored is None:
            if not wanted & apsw.SQLITE_OPEN_CREATE:
                raise apsw.CantOpenError(f"no file {path}")
            stored = self._disk.files[path] = Stored()
        return _File(self._disk, path, stored)

    def xAccess(self, pathname: str, flags: int) -> bool:
        del flags
        return pathname in self._disk.files

    def xDelete(self, filename: str, syncdir: bool) -> None:
        self._disk.step()
        stored = self._disk.files.pop(filename, None)
        if stored is None:
            raise apsw.IOError(f"no file {filename}")
        if not syncdir:
            self._disk.gone[filename] = stored

    def xFullPathname(self, name: str) -> str:
        return name

    def xRandomness(self, numbytes: int) -> bytes:
        return self._disk.rng.randbytes(numbytes)

    def xSleep(self, microseconds: int) -> int:
        return microseconds


class _File:
    """One open file."""

    def __init__(self, disk: Disk, path: str, stored: Stored) -> None:
        self._disk = disk
        self._path = path
        self._stored = stored
        self._incarnation = disk.incarnation

    def _off(self) -> bool:
        """Whether the machine that opened it has lost its power since."""
        if self._path:
            self._disk.step()
        return self._incarnation != self._disk.incarnation

    def xRead(self, amount: int, offset: int) -> bytes:
        return bytes(self._stored.image[offset : offset + amount])

    def xWrite(self, data: Any, offset: int) -> None:
        if self._off():
            return
        written = bytes(data)
        disk, stored = self._disk, self._stored
        grows = offset + len(written) - len(stored.image)
        if disk.quota_bytes is not None and self._path and grows > 0:
            if disk.used_bytes() + grows > disk.quota_bytes:
                disk.errors += 1
                raise apsw.FullError(f"{self._path}: the card is full")
        disk.record("write", self._path[-5:], offset, len(written))
        _apply(stored.image, offset, written)
        stored.pending.append((offset, written))

    def xTruncate(self, newsize: int) -> None:
        if self._off():
            return
        _apply(self._stored.image, newsize, None)
        self._stored.pending.append((newsize, None))

    def xSync(self, flags: int) -> None:
        del flags
        if self._off():
            return
        disk = self._disk
        if disk.sync_errors and disk.rng.random() < disk.sync_errors:
            disk.errors += 1
            raise apsw.IOError(f"{self._path}: fsync failed")
        if disk.lies and disk.rng.random() < disk.lies:
            disk.lied += 1
            return
        disk.record("sync", self._path[-5:])
        self._stored.sync()
        disk.gone.clear()

    def xFileSize(self) -> int:
        return len(self._stored.image)

    def xClose(self) -> None:
        """Nothing is held."""

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

    def __init__(self, host: Host, rng: random.Random, done: Callable[[], None]) -> None:
        self._host = host
        self._rng = rng
        self._done = done
        self._free_at_s = 0.0

    async def run(self, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Call `function`, after those that were handed in before."""
        loop = asyncio.get_running_loop()
        work = loop.create_future()
        slow = self._rng.random() < 0.02
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
        except Exception as error:  # noqa: BLE001  As a thread's executor does: it is the caller's.
            if self._host.alive:
                work.set_exception(error)
            return
        if self._host.alive:
            self._done()
            work.set_result(result)

    def close(self) -> None:
        """There is no thread to end."""
