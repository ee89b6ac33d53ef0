import asyncio
import gc
import threading

import pytest

from sync.sql_thread import SqlThread


async def test_calls_run_in_order_on_one_thread() -> None:
    """Functions run one after the other, all on the same thread, which is not the loop's."""
    thread = SqlThread("test")
    ids = [await thread.run(threading.get_ident) for _ in range(5)]
    thread.close()
    assert len(set(ids)) == 1
    assert ids[0] != threading.get_ident()


async def test_a_cancelled_caller_waits_for_its_transaction() -> None:
    """Who is cancelled while a call runs goes on only when the call has ended."""
    thread = SqlThread("test")
    started, go, done = threading.Event(), threading.Event(), threading.Event()

    def transaction() -> None:
        started.set()
        go.wait()
        done.set()

    async with asyncio.TaskGroup() as group:
        task = group.create_task(thread.run(transaction))
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        go.set()
    assert done.is_set()
    assert task.cancelled()
    thread.close()


async def test_what_a_call_raises_after_its_caller_went_is_one_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is not lost, and not a traceback of the loop's, as a city ends without its database."""
    thread = SqlThread("test")
    started, go = threading.Event(), threading.Event()

    def fail() -> None:
        started.set()
        go.wait()
        raise ValueError("no")

    async with asyncio.TaskGroup() as group:
        task = group.create_task(thread.run(fail))
        await asyncio.get_running_loop().run_in_executor(None, started.wait)
        task.cancel()
        await asyncio.sleep(0)
        go.set()
    thread.close()
    gc.collect()
    assert task.cancelled()
    (line,) = caplog.messages
    assert line.endswith("ValueError('no')")


async def test_what_a_call_raises_reaches_its_caller() -> None:
    """An error on the thread is the caller's error."""
    thread = SqlThread("test")

    def fail() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await thread.run(fail)
    thread.close()
