"""One thread that owns one SQLite connection, so that SQL never holds up the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, ParamSpec, TypeVar

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
        loop = asyncio.get_running_loop()
        ended: asyncio.Future[Result] = loop.create_future()
        call = partial(function, *args, **kwargs)
        # One future and one call back into the loop: half of what wrap_future() and shield() cost.
        work = self._executor.submit(_call, loop, ended, call)
        try:
            return await ended
        except asyncio.CancelledError:
            await asyncio.wait([asyncio.wrap_future(work)])
            raise

    def close(self) -> None:
        """Wait for what is under way, then end the thread."""
        self._executor.shutdown(wait=True)


def _call(
    loop: asyncio.AbstractEventLoop, ended: asyncio.Future[Result], call: Callable[[], Result]
) -> None:
    """Call, on the thread, and tell the loop how it ended."""
    try:
        result = call()
    except BaseException as error:  # noqa: BLE001  As an executor does: it is the caller's.
        loop.call_soon_threadsafe(_fail, ended, error)
    else:
        loop.call_soon_threadsafe(_finish, ended, result)


def _finish(ended: asyncio.Future[Result], result: Result) -> None:
    if not ended.done():  # Else its caller was cancelled.
        ended.set_result(result)


def _fail(ended: asyncio.Future[Any], error: BaseException) -> None:
    if not ended.done():
        ended.set_exception(error)
