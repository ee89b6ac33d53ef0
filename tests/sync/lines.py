"""Lines to the city: an uplink that runs, and one that begins anew."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from sync.uplink import Uplink
from tests.beside import beside

Measure = Callable[[int], Awaitable[None]]  # The fixture that seals so many levels.
STATE_MAX_S = 10


async def flush_from_hello(uplink: Uplink) -> None:
    """Say hello first, as an uplink does after any failure, and send what the city lacks."""
    uplink._hello_due = 0.0
    await uplink.flush()


async def state(uplink: Uplink, wanted: str) -> str:
    """Let an uplink run until it is in a state; the reason that it gives."""
    async with asyncio.timeout(STATE_MAX_S), beside(uplink.keep()):
        while uplink.status()["state"] != wanted:  # noqa: ASYNC110  It has no event.
            await asyncio.sleep(0)
    return str(uplink.status()["reason"])
