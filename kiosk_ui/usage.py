"""POST /api/usage: how often what was looked at, as sums; nothing that leads to a person.

A page counts by itself and sends sums. Here they are kept in RAM, by hour, language, place and
kind, and once an hour they become one event. What was counted less than five times is added up
over all places, and what is still less than five waits for the next hour: no cell that leaves
tells of fewer than five. A place that is no screen, entry or stall of ours is counted without
its name, so that nothing a person typed can come along.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

from kiosk_ui.posts import Pace, answer, read_post, refused
from kiosk_ui.tell import FACES
from kiosk_ui.tiles import CHIPS, TILES
from sync.entry import SyncError

if TYPE_CHECKING:
    from collections.abc import Collection

    from kiosk_ui.content import Pack
    from sync.journal import Journal

KIND = "usage"
KINDS = ("view", "qr_shown", "extend", "reset", "sos", *(f"face_{face}" for face in FACES))
OTHER = "other"
CELL_MIN = 5
CELLS_MAX = 200  # Of one event; what is counted least is added up.
ROWS_MAX = 500  # Of one message.
COUNT_MAX = 10_000
POSTS_MAX, POSTS_MS = 120, 3_600_000
HOUR_MS = 3_600_000
BANGKOK_MS = 7 * HOUR_MS
SCREENS = (
    "attract",
    "home",
    "today",
    "map",
    "search",
    "sos",
    "access",
    "language",
    "tell",
    "stall",
)


class Cell(NamedTuple):
    """What is counted together."""

    language: str
    place: str
    kind: str


class Usage:
    """The counters of one kiosk."""

    def __init__(self, journal: Journal) -> None:
        self.languages: Collection[str] = frozenset()
        self._places: Collection[str] = frozenset()
        self._journal = journal
        self._hour = self._this_hour()
        self._cells: Counter[Cell] = Counter()
        self._pace = Pace(POSTS_MAX, POSTS_MS)
        self._lock = asyncio.Lock()

    def renew(self, places: Collection[str], languages: Collection[str]) -> None:
        """Another pack is shown."""
        self._places, self.languages = places, languages

    def _this_hour(self) -> int:
        """Which hour it is: of the wall clock, or of the boot where that is not set."""
        clock = self._journal.clock
        utc_ms = clock.utc_ms()
        return (clock.boottime_ms() if utc_ms is None else utc_ms) // HOUR_MS

    def must_be_slow(self) -> None:
        """Refuse a page that sends too often."""
        now_ms = self._journal.clock.boottime_ms()
        if wait_ms := self._pace.wait_ms(now_ms):
            wait_s = -(-wait_ms // 1000)
            message = f"counters come too often: wait {wait_s} s"
            raise refused(web.HTTPTooManyRequests, message, {"Retry-After": str(wait_s)})
        self._pace.take(now_ms)

    async def add(self, sums: Counter[Cell]) -> None:
        """Count these; those of an hour that is over go to the city first."""
        async with self._lock:
            if self._this_hour() != self._hour:
                await self._flush()
            for cell, count in sums.items():
                place = cell.place if cell.place in self._places else OTHER
                self._cells[cell._replace(place=place)] += count

    async def flush(self) -> None:
        """Hand on what has been counted so far, as at a stop."""
        async with self._lock:
            await self._flush()

    async def _flush(self) -> None:
        told, left = merged(self._cells)
        if told:
            rows = [[*cell, count] for cell, count in sorted(told.items())]
            # Where the card takes nothing now, it waits in the journal's RAM.
            with suppress(SyncError):
                await self._journal.event(KIND, {"hour": self._hour_text(), "cells": rows})
        self._hour, self._cells = self._this_hour(), left

    def _hour_text(self) -> str | None:
        """The local hour of a day, 0 to 23; None where the clock was not set."""
        if self._journal.clock.utc_ms() is None:
            return None
        return f"{(self._hour * HOUR_MS + BANGKOK_MS) // HOUR_MS % 24:02}"


def merged(cells: Counter[Cell]) -> tuple[Counter[Cell], Counter[Cell]]:
    """What may be told, and what must wait: no cell that is told counts fewer than five."""
    told: Counter[Cell] = Counter()
    rest: Counter[Cell] = Counter()
    for number, (cell, count) in enumerate(cells.most_common()):
        if count >= CELL_MIN and number < CELLS_MAX and cell.place != OTHER:
            told[cell] = count
        else:
            rest[Cell("", OTHER, cell.kind)] += count
    left = Counter({cell: count for cell, count in rest.items() if count < CELL_MIN})
    return told + (rest - left), left


def known_places(pack: Pack, stalls: Collection[str]) -> frozenset[str]:
    """Every screen that may be counted by its name."""
    return frozenset(
        {
            *SCREENS,
            *(tile.go for tile in (*TILES, *CHIPS)),
            *(f"entry/{entry.id}" for entry in pack.entries),
            *(f"stall/{number}" for number in stalls),
        }
    )


USAGE = web.AppKey("usage", Usage)


async def count(request: web.Request) -> web.Response:
    """POST /api/usage {"counts": [[language, place, kind, count], …]}."""
    fields = await read_post(request)
    fields.only("counts")
    usage = request.app[USAGE]
    usage.must_be_slow()
    rows = fields.value("counts")
    if not isinstance(rows, list) or len(rows) > ROWS_MAX:
        raise fields.wrong("counts", f"a list of at most {ROWS_MAX} rows is wanted")
    await usage.add(_sums(rows, usage.languages))
    return answer({"counted": len(rows)})


def _sums(rows: list[Any], languages: Collection[str]) -> Counter[Cell]:
    sums: Counter[Cell] = Counter()
    for number, row in enumerate(rows):
        wanted = "[language, place, kind, count] is wanted"
        if not isinstance(row, list) or len(row) != 4:
            raise refused(web.HTTPBadRequest, f"counts, row {number}: {wanted}")
        language, place, kind, times = row
        good = (
            all(isinstance(word, str) for word in (language, place, kind))
            and language in languages
            and kind in KINDS
            and type(times) is int
            and 1 <= times <= COUNT_MAX
        )
        if not good:
            # What was sent is not repeated: it might be somebody's name.
            raise refused(web.HTTPBadRequest, f"counts, row {number}: {wanted}")
        sums[Cell(language, place, kind)] += times
    return sums


async def flush_usage(app: web.Application) -> None:
    """On shutdown: the last hour's sums go on, too."""
    await app[USAGE].flush()
