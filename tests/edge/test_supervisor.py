import asyncio
import itertools
import logging

import pytest

from edge.supervisor import (
    BUGS_MAX,
    PAUSE_FIRST_S,
    PAUSE_MAX_S,
    QUARANTINE_S,
    pauses,
    supervise,
)


class Buggy:
    """A part that has a bug each time it runs."""

    name = "pier"

    def __init__(self) -> None:
        self.quarantined: list[bool] = []

    async def run(self) -> None:
        """Fail as a driver does that was handed something no one thought of."""
        raise ZeroDivisionError(f"run {len(self.quarantined)}")

    def broken(self, error: Exception, *, quarantined: bool) -> None:
        """Note it."""
        assert isinstance(error, ZeroDivisionError)
        self.quarantined.append(quarantined)


async def waits_of(part: Buggy, count: int) -> list[float]:
    """The first `count` pauses that a supervised part gets."""
    waits: list[float] = []

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == count:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    with pytest.raises(asyncio.CancelledError):
        await supervise(part, sleep)
    return waits


async def test_a_bug_is_survived_and_many_lead_to_quarantine() -> None:
    """A part with a bug is started again, and after BUGS_MAX of them left alone for an hour."""
    part = Buggy()

    waits = await waits_of(part, BUGS_MAX + 1)

    assert part.quarantined == [False] * (BUGS_MAX - 1) + [True, True]
    assert all(wait <= PAUSE_MAX_S for wait in waits[: BUGS_MAX - 1])
    assert waits[BUGS_MAX - 1 :] == [QUARANTINE_S, QUARANTINE_S]


async def test_a_bug_is_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    """The log holds the part's name and the trace that a programmer needs."""
    with caplog.at_level(logging.ERROR):
        await waits_of(Buggy(), 1)

    assert "pier has a bug" in caplog.text
    assert "ZeroDivisionError: run 0" in caplog.text


async def test_cancellation_ends_a_part_and_is_no_bug() -> None:
    """Who is cancelled is not started again."""
    part = Buggy()
    running = asyncio.Event()

    async def run() -> None:
        running.set()
        await asyncio.Event().wait()

    part.run = run  # type: ignore[method-assign] # this part is well
    async with asyncio.TaskGroup() as group:
        task = group.create_task(supervise(part))
        await running.wait()
        task.cancel()

    assert task.cancelled()
    assert part.quarantined == []


def test_a_part_has_pauses_of_its_own() -> None:
    """The same part waits the same every time, and another one something else."""
    one, again, other = (
        list(itertools.islice(pauses(seed=name), 5)) for name in ("pier", "pier", "deck")
    )

    assert one == again
    assert all(pause_s != other_s for pause_s, other_s in zip(one, other, strict=True))


def test_pauses_double_up_to_their_limit_and_are_spread() -> None:
    """Each pause is between half and all of a doubling step, and none is over the limit."""
    steps = [PAUSE_FIRST_S * 2**number for number in range(6)] + [PAUSE_MAX_S] * 4

    for pause_s, step_s in zip(itertools.islice(pauses(), 10), steps, strict=True):
        assert step_s / 2 <= pause_s <= step_s
