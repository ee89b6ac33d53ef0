"""A journal as a kiosk has it that was last started before version 2."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from sync.journal_tables import VERSION, crc

if TYPE_CHECKING:
    from pathlib import Path


def take_back(path: Path, *changes: str) -> bool:
    """Make a journal that nobody has open one of version 1; False where it is none of version 2.

    The check of an open row did not say then of which epoch the row is. `changes` are more
    statements for the same transaction.
    """
    with closing(sqlite3.connect(path)) as database, database:
        if database.execute("PRAGMA user_version").fetchone() != (VERSION,):
            return False
        for row in database.execute("SELECT * FROM open").fetchall():
            check = (crc(*row[:4]), row[0])
            database.execute("UPDATE open SET crc = ? WHERE first_seq = ?", check)
        for change in ("PRAGMA user_version = 1", *changes):
            database.execute(change)
    return True
