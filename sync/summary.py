"""Thins readings to what a minute had: its lowest, mean and highest value."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sync.entry import Stream
from sync.wire import Row

MINUTE_MS = 60_000
PARTS = ("min", "mean", "max")


def summarise(
    rows: Sequence[Row], streams: Sequence[Stream], number: Callable[[Stream], int]
) -> list[Row]:
    """One row for min, mean and max of each stream and minute, in order of time.

    `streams` names the rows' streams, `number` gives the index of a summary's stream. A row is
    stamped with the start of its minute. Where a minute has one value, its mean says it all.
    Entries without a value have none in the summary either. Seqs are left at 0.
    """
    minutes: dict[tuple[int, int], list[int]] = {}
    for row in rows:
        if row.scaled is not None:
            minutes.setdefault((row.at_ms // MINUTE_MS, row.stream), []).append(row.scaled)
    found = []
    for (minute, stream), values in sorted(minutes.items()):
        figures = {"mean": round(sum(values) / len(values))}
        if len(values) > 1:
            figures |= {"min": min(values), "max": max(values)}
        for part in PARTS:
            if part in figures:
                index = number(part_of(streams[stream], part))
                found.append(Row(0, index, minute * MINUTE_MS, figures[part], 0))
    return sorted(found, key=lambda row: (row.at_ms, row.stream))


def part_of(stream: Stream, part: str) -> Stream:
    """The stream of one figure of a summary."""
    return stream._replace(quantity=f"{stream.quantity}.{part}")
