"""Pulling a journal's plug."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sync.journal import Journal


async def pull(journal: Journal) -> None:
    """End a journal without a clean close: nothing is committed or sealed any more."""
    await journal._thread.run(journal._file.close)
    journal._thread.close()
