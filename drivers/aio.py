"""Waiting with a limit, the same on both Pythons."""

import asyncio

from drivers.errors import BusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any, TypeVar

    Answer = TypeVar("Answer")


async def within(limit_s: float, what: str, work: "Coroutine[Any, Any, Answer]") -> "Answer":
    """Await `work`, but not for longer than `limit_s`.

    Raises `BusError` with the fault "timeout" that names `what` was waited for.
    """
    try:
        return await asyncio.wait_for(work, limit_s)
    # On CPython 3.11 this is an OSError too; MicroPython has it only under asyncio.
    except asyncio.TimeoutError:
        raise BusError(what + ": nothing within " + str(limit_s) + " s", "timeout") from None
