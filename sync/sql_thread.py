"""Threads that own the connections to a database, so that SQL never holds up the event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

log = logging.getLogger(__name__)


class SqlThread:
    """Runs functions in the order they were handed in: one after the other on one thread."""

    def __init__(self, name: str, threads: int = 1) -> None:
        self._executor = ThreadPoolExecutor(max_workers=threads, thread_name_prefix=name)

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
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Result] = loop.create_future()
        # One future and one call back into the loop: half of what wrap_future() and shield() cost.
        work = self._executor.submit(function, *args, **kwargs)
        work.add_done_callback(partial(_tell, loop, ended))
        try:
            return await ended
        except asyncio.CancelledError:
            over = asyncio.wrap_future(work)
            await asyncio.wait([over])
            if error := over.exception():
                log.warning("a call failed whose caller had gone: %r", error)
            raise

    def close(self) -> None:
        """Wait for what is under way, then end the thread."""
        self._executor.shutdown(wait=True)


def _tell(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Future[Result], work: Future[Result]
) -> None:
    """Tell the loop, from the thread, that a call has ended."""
    if not loop.is_closed():
        loop.call_soon_threadsafe(_finish, ended, work)


def _finish(ended: asyncio.Future[Result], work: Future[Result]) -> None:
    if ended.done():
        return  # Its caller was cancelled.
    if error := work.exception():
        ended.set_exception(error)
    else:
        ended.set_result(work.result())
