import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.usage import (
    CELL_MIN,
    CELLS_MAX,
    COUNT_MAX,
    OTHER,
    POSTS_MAX,
    ROWS_MAX,
    USAGE,
    Cell,
    merged,
)
from tests.kiosk_ui.desk_client import HOUR_MS, Desk, Time, opened_desk

PLANTED = 200


async def test_sums_leave_once_an_hour_as_one_event(desk: Desk, now: Time) -> None:
    """What was counted at noon leaves with the first message after one."""
    for _ in range(3):
        await desk.post("/api/usage", {"counts": [["th", "entry/oyster", "view", 4]]})
        now.ms += 10 * 60_000
    assert await desk.events("usage") == []

    now.ms += HOUR_MS // 2
    await desk.post("/api/usage", {"counts": [["en", "today", "view", 7]]})
    [event] = await desk.events("usage")
    assert event.body == {"hour": "12", "cells": [["th", "entry/oyster", "view", 12]]}

    await desk.app[USAGE].flush()
    assert (await desk.events("usage"))[1].body == {
        "hour": "13",
        "cells": [["en", "today", "view", 7]],
    }


async def test_a_stop_hands_on_what_was_counted(tmp_path: Path, now: Time) -> None:
    """The nightly restart costs no counters of five and more."""
    async with opened_desk(tmp_path, now) as desk:
        await desk.post("/api/usage", {"counts": [["th", "home", "view", 9]]})
    async with opened_desk(tmp_path, now) as desk:
        [event] = await desk.events("usage")

    assert event.body["cells"] == [["th", "home", "view", 9]]


def test_no_cell_that_leaves_tells_of_fewer_than_five() -> None:
    """Small cells are added up by kind, and what is still small waits; nothing is lost."""
    chance = random.Random(4)  # noqa: S311 # the same cells each time
    for _ in range(200):
        kinds = ("view", "reset", "sos")
        cells = Counter(
            {
                Cell(chance.choice(["th", "en"]), f"entry/{number}", chance.choice(kinds)): count
                for number in range(chance.randrange(300))
                if (count := chance.choice([1, 2, 3, 4, 5, 9, 40]))
            }
        )
        told, left = merged(cells)

        assert all(count >= CELL_MIN for count in told.values())
        assert all(0 < count < CELL_MIN and cell.place == OTHER for cell, count in left.items())
        assert len(told) <= CELLS_MAX + len(kinds)
        for kind in kinds:
            assert _of(kind, cells) == _of(kind, told) + _of(kind, left)


def _of(kind: str, cells: Counter[Cell]) -> int:
    return sum(count for cell, count in cells.items() if cell.kind == kind)


async def test_what_is_small_waits_for_the_next_hour(desk: Desk, now: Time) -> None:
    """Two and three views of different hours become one cell of five."""
    await desk.post("/api/usage", {"counts": [["th", "entry/oyster", "view", 2]]})
    now.ms += HOUR_MS
    await desk.post("/api/usage", {"counts": [["en", "entry/mussel", "view", 3]]})
    assert await desk.events("usage") == []

    await desk.app[USAGE].flush()
    [event] = await desk.events("usage")
    assert event.body["cells"] == [["", OTHER, "view", 5]]


async def test_without_a_clock_the_hour_is_not_known(desk: Desk) -> None:
    """Nobody makes one up."""
    desk.journal.clock.anchor = None
    await desk.post("/api/usage", {"counts": [["th", "home", "view", 9]]})
    await desk.app[USAGE].flush()

    assert (await desk.events("usage"))[0].body["hour"] is None


@pytest.mark.parametrize(
    "counts",
    [
        None,
        {},
        "view",
        [["th", "home", "view"]],
        [["th", "home", "view", 0]],
        [["th", "home", "view", -5]],
        [["th", "home", "view", 1.5]],
        [["th", "home", "view", True]],
        [["th", "home", "view", COUNT_MAX + 1]],
        [["xx", "home", "view", 1]],
        [[["th"], "home", "view", 1]],
        [["th", {"a": 1}, "view", 1]],
        [["th", "home", "Somchai 081 234 5678", 1]],
        [["th", "home", ["view"], 1]],
        [["th", "home", "view", 1]] * (ROWS_MAX + 1),
    ],
)
async def test_wrong_counters_are_refused(desk: Desk, counts: Any) -> None:
    """The answer names the row, and repeats nothing that might be somebody's name."""
    status, said = await desk.post("/api/usage", {"counts": counts})

    assert status == 400
    assert said["error"].startswith("counts")
    assert "Somchai" not in said["error"]


async def test_counters_come_no_oftener_than_a_page_sends_them(desk: Desk) -> None:
    """A page gone wild is told to wait."""
    statuses = [(await desk.post("/api/usage", {"counts": []}))[0] for _ in range(POSTS_MAX + 1)]

    assert statuses == [200] * POSTS_MAX + [429]


async def test_no_planted_name_number_or_query_reaches_the_card_or_the_city(
    tmp_path: Path, now: Time
) -> None:
    """Of 200 texts in all places of a counter, none is on the card or in what is sent."""
    planted = [f"สมชาย-{number}" for number in range(PLANTED // 4)]
    planted += [f"Somchai{number}" for number in range(PLANTED // 4)]
    planted += [f"08123{number:05}" for number in range(PLANTED // 4)]
    planted += [f"entry/where is {number}" for number in range(PLANTED // 4)]
    async with opened_desk(tmp_path, now) as desk:
        for number in range(0, PLANTED, 20):
            some = planted[number : number + 20]
            rows: list[Any] = [["th", text, "view", 6] for text in some]
            assert (await desk.post("/api/usage", {"counts": rows}))[0] == 200
            for text in some[:3]:
                assert (await desk.post("/api/usage", {"counts": [["th", "home", text, 6]]}))[
                    0
                ] == 400
                assert (await desk.post("/api/usage", {"counts": [[text, "home", "view", 6]]}))[
                    0
                ] == 400
        now.ms += HOUR_MS
        await desk.post("/api/usage", {"counts": []})
        await desk.journal.seal()
        events = await desk.events()  # As they are sent: on the card they are packed.

    assert [event.body["cells"] for event in events] == [[["", OTHER, "view", 6 * PLANTED]]]
    assert [text for text in planted if text.encode() in on_card(tmp_path)] == []
    assert [text for text in planted if text in repr(events)] == []


def on_card(folder: Path) -> bytes:
    """Every byte that the kiosk wrote."""
    return b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
