"""Two tries of one call: the second begins where the first has no connection soon.

On a bad link the packets that open a connection are lost like others, and each waits for a timer
that doubles. A second connection has losses of its own. On a good link there is no second try, nor
at a city that is slow and not far: it has taken the connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import aiohttp

from sync.entry import SyncError

SECOND_TRY_S = 1.0  # What TCP waits before it sends a lost SYN again (RFC 6298, 2.1).

Answer = TypeVar("Answer")


async def first_answer(
    attempt: Callable[[], Awaitable[Answer]], connected: asyncio.Event
) -> Answer:
    """What the first try that succeeds returns. Raises what the last one raised if none does.

    `attempt` may run twice at once and be cancelled; `connected` is set when it has a connection.
    """
    async with asyncio.TaskGroup() as group:
        tries = [group.create_task(_outcome(attempt))]
        reached = group.create_task(connected.wait())
        await asyncio.wait(
            [*tries, reached], timeout=SECOND_TRY_S, return_when=asyncio.FIRST_COMPLETED
        )
        if not (tries[0].done() or reached.done()):
            tries.append(group.create_task(_outcome(attempt)))
        answer, error = await _first_good(tries)
        for task in (*tries, reached):
            task.cancel()
    if error is not None:
        raise error
    return answer[0]


async def _outcome(
    attempt: Callable[[], Awaitable[Answer]],
) -> tuple[list[Answer], Exception | None]:
    try:
        return [await attempt()], None
    except (aiohttp.ClientError, TimeoutError, OSError, SyncError) as error:
        return [], error


async def _first_good(
    tries: list[asyncio.Task[tuple[list[Answer], Exception | None]]],
) -> tuple[list[Answer], Exception | None]:
    waiting = list(tries)
    while True:
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        ended = [task.result() for task in waiting if task.done()]
        waiting = [task for task in waiting if not task.done()]
        good = [outcome for outcome in ended if outcome[1] is None]
        if good or not waiting:
            return (good or ended)[0]
