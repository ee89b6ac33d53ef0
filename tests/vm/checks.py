"""Checks of the virtual machine: what was measured, what was wanted, and how they are told."""

from __future__ import annotations

import json
from typing import NamedTuple

MARK = "@ "
END = "@end"
NAMES_MAX = 46


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    measured: str
    wanted: str
    is_ok: bool


def as_line(check: Check) -> str:
    """A check as one line of the console."""
    return MARK + json.dumps(check)


def from_line(line: str) -> Check | None:
    """The check that stands in a line of the console, if one does.

    The kernel may have written on the same line before.
    """
    text = line.partition(MARK)[2]
    try:
        name, measured, wanted, is_ok = json.loads(text)
    except (ValueError, TypeError):
        return None
    return Check(str(name), str(measured), str(wanted), is_ok is True)


def compared(name: str, measured: object, wanted: object) -> Check:
    """A check that both are the same."""
    return Check(name, str(measured), str(wanted), measured == wanted)


def at_most(name: str, seconds: float, limit_s: float, note: str = "") -> Check:
    """A check that something took no longer than allowed."""
    return Check(name, f"{seconds:.1f} s{note}", f"< {limit_s:.0f} s", seconds < limit_s)


def table(checks: list[Check]) -> str:
    """All checks, for a person."""
    rows = [("CHECK", "MEASURED", "WANTED", "")]
    rows += [
        (one.name, one.measured, one.wanted, "ok" if one.is_ok else "NOT OK") for one in checks
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    return "\n".join(
        "  ".join(word.ljust(width) for word, width in zip(row, (*widths, 0), strict=True)).rstrip()
        for row in rows
    )


def missing(checks: list[Check], wanted: tuple[str, ...]) -> list[Check]:
    """The checks that nobody came to, as checks that are not ok."""
    told = {one.name for one in checks}
    return [Check(name, "not run", "", is_ok=False) for name in wanted if name not in told]
