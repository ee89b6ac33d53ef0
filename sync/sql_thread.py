"""One thread that owns one SQLite connection, so that SQL never holds up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class SqlThread:
    """Runs functions one after the other, in the order they were handed in."""

    def __init__(self, name: str) -> None:
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix=name)

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call `function` on the thread.

        A transaction that has begun is not left half known: who is cancelled while it runs
        is cancelled when it has ended.
        """
        work = asyncio.wrap_future(self._executor.submit(function, *args, **kwargs))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            await asyncio.wait([work])
            if not work.cancelled():
                work.exception()  # Seen, if not handled: the cancellation goes first.
            raise

    def close(self) -> None:
        """Wait for what is under way, then end the thread."""
        self._executor.shutdown(wait=True)
