"""What happened at the kiosks, as the operator reads it: one line for each event."""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from sync.letters import LetterError, Opener

LISTED_MAX = 10_000
BANGKOK = timezone(timedelta(hours=7))
# What stands first of each kind; the rest of a body follows as JSON.
COLUMNS = {"feedback": ("ticket", "reason", "face"), "stall": ("stall", "open")}
HIDDEN = ("key",)  # Only tells repetitions apart.


class Happened(NamedTuple):
    """One event of one kiosk, and when it was, as well as that is known."""

    kiosk: str
    epoch: str
    seq: int
    kind: str
    body: dict[str, Any]
    utc_ms: int | None
    error_ms: int | None
    received_ms: int


def with_words(event: Happened, opener: Opener) -> Happened:
    """The event with the words of its letter, where it has one; or with why they stay sealed."""
    sealed = event.body.get("sealed")
    if not isinstance(sealed, str):
        return event
    body = dict(event.body)
    try:
        body["text"] = opener.open(sealed, str(body.get("ticket")))
        del body["sealed"]
    except LetterError as error:
        body["not_opened"] = str(error)
    return event._replace(body=body)


def line(event: Happened) -> str:
    """One event on one line. What people wrote cannot steer a terminal."""
    first = COLUMNS.get(event.kind, ())
    columns = [str(event.body.get(name) or "-") for name in first]
    rest = {key: value for key, value in event.body.items() if key not in (*first, *HIDDEN)}
    more = [json.dumps(rest, ensure_ascii=False)] if rest else []
    text = "  ".join([when(event), event.kiosk, event.kind, *columns, *more])
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def when(event: Happened) -> str:
    """The time in Bangkok, give or take; where nobody knows it, when the city heard of it."""
    if event.utc_ms is None or event.error_ms is None:
        return f"before {_local(event.received_ms)}"
    return f"{_local(event.utc_ms)} ± {_rounded(event.error_ms)}"


def _local(utc_ms: int) -> str:
    try:
        return datetime.fromtimestamp(utc_ms / 1000, BANGKOK).strftime("%Y-%m-%d %H:%M:%S")
    except (ValueError, OverflowError, OSError):
        return f"UTC {utc_ms} ms"


def _rounded(error_ms: int) -> str:
    seconds = error_ms / 1000
    return f"{seconds:.1f} s" if seconds < 120 else f"{seconds / 60:.0f} min"
