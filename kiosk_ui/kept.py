"""A small JSON object on the card, written whole or not at all."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

FILE_BYTES_MAX = 256 * 1024


class Kept:
    """One object that outlives the process: counters of wrong PINs, what stalls told today."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.value: dict[str, Any] = _read(path)

    def write(self, value: dict[str, Any]) -> bool:
        """Remember `value`; False where the card did not take it, so that it is in RAM only.

        Blocks: call it off the event loop.
        """
        self.value = value
        fresh = self._path.with_suffix(".new")
        try:
            with fresh.open("w", encoding="utf-8") as file:
                json.dump(value, file)
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self._path)
            folder = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)
        except OSError:
            return False
        return True


def _read(path: Path) -> dict[str, Any]:
    """What was written last; nothing where that is damaged or was never written."""
    try:
        with path.open("rb") as file:
            value = json.loads(file.read(FILE_BYTES_MAX))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}
