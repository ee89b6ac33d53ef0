"""What an entry says, as one line, and the hash of some: the same for promised and found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable

from sync.entry import Event, Stream
from sync.wire import Row


def reading_line(row: Row, stream: Stream, boot: str) -> str:
    """All that a reading says, its scaled integer instead of a float."""
    return "|".join(map(str, (*row, *stream, boot)))


def event_line(event: Event) -> str:
    """All that an event says."""
    return "|".join(
        map(str, (event.seq, event.boot, event.at_ms, event.kind, json.dumps(event.body)))
    )


def digest(lines: Iterable[str]) -> str:
    """Enough of a SHA-256 to notice any change."""
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]
