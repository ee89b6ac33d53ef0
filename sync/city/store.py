"""Where the archive's tables are: what differs between embedded SQLite and PostgreSQL.

Models and queries are the same on both. A store opens the database, owns the threads that may
talk to it, and gives turns: transactions that see each other's work.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

from sync.entry import SyncError
from sync.orm import Database, DatabaseError, Model, SqliteDatabase
from sync.sql_thread import SqlThread

FILE = "city.db"
VERSION = 1
NUL_INSTEAD = "\N{REPLACEMENT CHARACTER}"  # No text of PostgreSQL has a U+0000.
PRAGMAS = (
    ("page_size", 4096),
    ("journal_mode", "wal"),
    ("synchronous", "full"),  # What has been acked must survive a power cut.
    ("foreign_keys", 1),
)


class ArchiveError(SyncError):
    """The archive cannot be opened, or not be reached any more."""


class AwayError(ArchiveError):
    """The database does not answer now: nothing was promised, and who asked may come again."""


class Store(Protocol):
    """A database that an archive can live in."""

    name: str  # As it is told to people: without any password.

    @property
    def database(self) -> Database:
        """What its tables are bound to."""

    @property
    def thread(self) -> SqlThread:
        """What its work runs on."""

    def open(self, tables: list[type[Model]]) -> None:
        """Connect, and make what tables are missing. Raises `ArchiveError`."""

    async def close(self) -> None:
        """Let all connections go, and the threads."""

    def turn(self, *names: str) -> AbstractContextManager[object]:
        """A transaction; others that name one of the same things wait until it has ended."""

    def agree(self, fact: str, ours: str) -> str:
        """What all receivers of this database hold for true; `ours` where nobody said so yet."""


class SqliteStore:
    """One file, one thread, one receiver."""

    def __init__(
        self, path: Path, database: SqliteDatabase | None = None, thread: SqlThread | None = None
    ) -> None:
        self.name = str(path)
        self.database = database or SqliteDatabase(None, lock_type="IMMEDIATE", thread_safe=False)
        self.thread = thread or SqlThread("archive")
        self._path = path

    def open(self, tables: list[type[Model]]) -> None:
        """Open or make the file. Raises `ArchiveError`."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(f"state folder {self._path.parent}: {error.strerror}") from None
        self.database.init(str(self._path), pragmas=PRAGMAS)
        try:
            self.database.connect()
            version = self.database.pragma("user_version")
            if version not in (0, VERSION):
                raise ArchiveError(f"{self._path} has version {version}, not {VERSION}")
            with self.database.atomic():
                self.database.create_tables(tables)
                self.database.pragma("user_version", VERSION)
        except DatabaseError as error:
            raise ArchiveError(f"{self._path}: {error}") from None

    async def close(self) -> None:
        """Let the file go, and the thread."""
        await self.thread.run(self._close_file)
        self.thread.close()

    def _close_file(self) -> None:
        if not self.database.is_closed():
            self.database.close()

    def turn(self, *names: str) -> AbstractContextManager[object]:
        """A transaction. There is one writer, so all of them wait for each other."""
        del names
        turn: AbstractContextManager[object] = self.database.atomic()
        return turn

    def agree(self, fact: str, ours: str) -> str:
        """Nobody else has this file."""
        del fact
        return ours


def open_store(folder: Path, address: str) -> Store:
    """The store at `address`, or the file in `folder` where it is empty. Raises `ArchiveError`."""
    if not address:
        return SqliteStore(folder / FILE)
    # It takes long to import, and is not there on a kiosk.
    from sync.city.postgres import PostgresStore  # noqa: PLC0415  See above.

    return PostgresStore(address)
