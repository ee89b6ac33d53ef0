"""Two tries of one call: when the second begins, and which of them counts."""

from __future__ import annotations

import asyncio

import pytest

from sync import race
from sync.race import first_answer


class Tries:
    """A call whose tries do what the test says, one after the other."""

    def __init__(self, *answers: str | Exception | None) -> None:
        self._answers = list(answers)
        self.begun = 0
        self.cancelled = 0
        self.first, self.second = asyncio.Event(), asyncio.Event()

    async def attempt(self) -> str:
        """Return or raise the next answer once the second has begun; None never comes."""
        answer = self._answers[self.begun]
        self.begun += 1
        (self.first if self.begun == 1 else self.second).set()
        try:
            await self.second.wait()
            if answer is None:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        if isinstance(answer, Exception):
            raise answer
        return str(answer)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(race, "SECOND_TRY_S", 0.01)


async def test_a_second_try_helps_where_the_first_has_no_connection() -> None:
    """The one that succeeds counts, and the other is ended."""
    tries = Tries(None, "here")
    assert await first_answer(tries.attempt, asyncio.Event()) == "here"
    assert (tries.begun, tries.cancelled) == (2, 1)


async def test_a_city_that_has_taken_the_connection_is_given_time() -> None:
    """A slow city is not asked twice."""
    tries, connected = Tries("here"), asyncio.Event()
    connected.set()
    async with asyncio.TaskGroup() as group:
        answer = group.create_task(first_answer(tries.attempt, connected))
        await tries.first.wait()
        tries.second.set()
    assert (answer.result(), tries.begun) == ("here", 1)


async def test_a_failed_try_waits_for_the_other() -> None:
    """One error is none as long as somebody is on the way."""
    tries = Tries(ConnectionResetError("gone"), "here")
    assert await first_answer(tries.attempt, asyncio.Event()) == "here"


async def test_what_fails_at_once_is_not_tried_twice() -> None:
    """Nobody listens there: that is an answer."""
    tries = Tries(ConnectionRefusedError("nobody"))
    tries.second.set()
    with pytest.raises(ConnectionRefusedError, match="nobody"):
        await first_answer(tries.attempt, asyncio.Event())
    assert tries.begun == 1


async def test_two_failures_are_an_error() -> None:
    """None of both came through."""
    tries = Tries(ConnectionResetError("one"), ConnectionResetError("two"))
    with pytest.raises(ConnectionResetError, match=r"one|two"):
        await first_answer(tries.attempt, asyncio.Event())
    assert tries.begun == 2
