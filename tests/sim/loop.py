"""Virtual time: an asyncio loop that jumps to the next timer when there is nothing to do."""

from __future__ import annotations

import asyncio
import contextvars
import heapq
import random
from collections.abc import Callable, Coroutine
from typing import Any

# Where asyncio keeps its parts is private and the same in 3.11 to 3.14: mypy knows none of it.
STEPS_AT_ONE_MOMENT_MAX = 1_000_000
JITTERED = 0.25  # Of the steps of tasks.
JITTER_MAX_S = 1e-6


class SimError(Exception):
    """Root of what is wrong in a simulated universe."""


class DeadlockError(SimError):
    """Nobody will ever do anything again."""


class LivelockError(SimError):
    """Somebody is busy for ever and time stands still."""


class Host:
    """One boot of one machine: what runs on it stops for good when its power goes.

    Nothing of it is cleaned up: no `finally` runs, no socket says goodbye. So its coroutines
    are kept, or else the garbage collector would run their `finally` blocks.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.alive = True
        self.kept: list[Any] = []
        self.context = contextvars.copy_context()
        self.context.run(HOST.set, self)


HOST: contextvars.ContextVar[Host | None] = contextvars.ContextVar("HOST", default=None)


def _powered(context: contextvars.Context) -> bool:
    host = context.get(HOST)
    return host is None or host.alive


class _Handle(asyncio.Handle):
    """A call that is not made once its machine is off."""

    _context: contextvars.Context

    def _run(self) -> None:
        if _powered(self._context):
            super()._run()


class _TimerHandle(asyncio.TimerHandle):
    """The same, for later."""

    _context: contextvars.Context

    def _run(self) -> None:
        if _powered(self._context):
            super()._run()


class SimLoop(asyncio.BaseEventLoop):
    """One universe's time, in seconds since it began."""

    _ready: Any
    _scheduled: Any

    def __init__(self, rng: random.Random, network: Any) -> None:
        super().__init__()
        self._rng = rng
        self.network = network
        self._now_s = 0.0
        self._selector = self  # Asked for events when nothing is ready.
        self._clock_resolution = 1e-7
        self._steps = 0
        self.tasks_made = 0
        self.set_task_factory(_make_task)  # type: ignore[arg-type]  # Its kind is private.

    # --- time ------------------------------------------------------------------------------------

    def time(self) -> float:
        """Seconds since the universe began."""
        return self._now_s

    def select(self, wait_s: float | None) -> list[Any]:
        """Jump to the next timer."""
        if wait_s is None:
            raise DeadlockError(f"nothing will happen after {self._now_s:.3f} s")
        if wait_s > 0:
            self._now_s += wait_s
            self._steps = 0
        self._steps += 1
        if self._steps > STEPS_AT_ONE_MOMENT_MAX:
            raise LivelockError(f"time stands still at {self._now_s:.3f} s")
        return []

    def _process_events(self, events: list[Any]) -> None:
        """There are no files to watch."""

    def _write_to_self(self) -> None:
        """There is no other thread that would wake it."""

    # --- calls -----------------------------------------------------------------------------------

    def _call_soon(
        self, callback: Callable[..., Any], args: Any, context: contextvars.Context | None
    ) -> asyncio.Handle:
        # Only steps of tasks may change places: transports and futures promise an order.
        owner = getattr(callback, "__self__", None)
        if isinstance(owner, asyncio.Task) and self._rng.random() < JITTERED:
            late_s = self._rng.random() * JITTER_MAX_S
            return self.call_at(self._now_s + late_s, callback, *args, context=context)
        handle = _Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle

    def call_at(  # type: ignore[override]  # The same, less exactly said.
        self,
        when: float,
        callback: Callable[..., Any],
        *args: Any,
        context: contextvars.Context | None = None,
    ) -> asyncio.TimerHandle:
        """Call at a moment of virtual time."""
        timer = _TimerHandle(when, callback, args, self, context)
        heapq.heappush(self._scheduled, timer)
        timer._scheduled = True  # type: ignore[attr-defined]
        return timer

    def run_in_executor(  # type: ignore[override]  # The same, less exactly said.
        self, executor: Any, func: Callable[..., Any], *args: Any
    ) -> Any:
        """Call on what stands for a thread: a little later, on this one."""
        del executor
        done = self.create_future()
        self.call_later(self._rng.random() * 0.01, self._finish, done, func, args)
        return done

    def _finish(self, done: asyncio.Future[Any], func: Callable[..., Any], args: Any) -> None:
        if done.cancelled():
            return
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  As an executor does: it is the caller's.
            done.set_exception(error)

    # --- sockets: a machine that is not there ------------------------------------------------

    async def sock_connect(self, sock: Any, address: Any) -> None:
        """Find the way to a server of this universe."""
        await self.network.connect(sock, address)

    async def create_connection(self, protocol_factory: Any, *_: Any, **options: Any) -> Any:
        """Put a protocol on a way that `sock_connect` has found."""
        return self.network.attach(protocol_factory, options["sock"])

    async def create_server(
        self, protocol_factory: Any, host: Any = None, port: Any = None, **_: Any
    ) -> Any:
        """Listen in this universe."""
        return self.network.listen(protocol_factory, (host, port))


class _Task(asyncio.Task[Any]):
    """A task with a number.

    A task group keeps its tasks in a set and cancels them in the set's order: by the number,
    that is the same in every process; by the address it is not.
    """

    def __init__(self, *args: Any, number: int, **options: Any) -> None:
        self.number = number
        super().__init__(*args, **options)

    def __hash__(self) -> int:
        return self.number


def _make_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any
) -> asyncio.Task[Any]:
    assert isinstance(loop, SimLoop)
    context = options.get("context")
    host = HOST.get() if context is None else context.get(HOST)
    loop.tasks_made += 1
    task = _Task(coroutine, loop=loop, number=loop.tasks_made, **options)
    if host is not None:
        host.kept.append(task)
        if len(host.kept) > 4096:
            host.kept = [kept for kept in host.kept if not _is_done(kept)]
    return task


def _is_done(kept: Any) -> bool:
    return isinstance(kept, asyncio.Task) and kept.done()


def start_on(host: Host, coroutine: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
    """Let a machine run something. No group waits for it: its power may go at any moment."""
    loop = asyncio.get_running_loop()
    return _make_task(loop, coroutine, context=host.context)


async def passed(seconds: float) -> None:
    """Return when virtual time has moved on by `seconds`: no nap, since nobody waits."""
    loop = asyncio.get_running_loop()
    done = loop.create_future()
    timer = loop.call_later(seconds, _set, done)
    try:
        await done
    finally:
        timer.cancel()


async def for_ever() -> None:
    """Never return, as what waits for a machine that is off."""
    await asyncio.get_running_loop().create_future()


def _set(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
