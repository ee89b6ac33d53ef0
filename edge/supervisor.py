"""Supervision: a sensor that fails costs its own readings and nothing else."""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from typing import Protocol

PAUSE_FIRST_S = 1.0
PAUSE_MAX_S = 60.0
BUGS_MAX = 5  # So many bugs in a row, and the sensor is left alone for a while.
QUARANTINE_S = 3600.0
HEALTHY_S = 600.0  # A sensor that ran for so long has outlived its earlier bugs.

Sleep = Callable[[float], Awaitable[object]]

log = logging.getLogger(__name__)


class Part(Protocol):
    """What is supervised: it runs for ever, and is told of its own bugs."""

    name: str

    async def run(self) -> None:
        """Work for ever. Whatever comes out of here is a bug."""

    def broken(self, error: Exception, *, quarantined: bool) -> None:
        """Note a bug, for the screen and for the city."""


async def supervise(part: Part, sleep: Sleep = asyncio.sleep) -> None:
    """Run `part` for ever: start it again after a bug, leave it alone after many.

    This is the one place where everything is caught. A driver decodes what strangers
    built, so a bug in one is a matter of time; the other sensors, the screen and the
    journal must not pay for it.
    """
    loop = asyncio.get_running_loop()
    waits = pauses(seed=part.name)
    bugs = 0
    while True:
        started_s = loop.time()
        try:
            await part.run()
        except Exception as bug:  # noqa: BLE001 # the docstring says why it may stand here
            error = bug
        else:
            error = RuntimeError(f"{part.name} ended, although it runs for ever")
        if loop.time() - started_s >= HEALTHY_S:
            waits, bugs = pauses(seed=part.name), 0
        bugs += 1
        quarantined = bugs >= BUGS_MAX
        log.error("%s has a bug, number %d in a row", part.name, bugs, exc_info=error)
        part.broken(error, quarantined=quarantined)
        await sleep(QUARANTINE_S if quarantined else next(waits))


def pauses(
    first_s: float = PAUSE_FIRST_S, max_s: float = PAUSE_MAX_S, seed: str = ""
) -> Iterator[float]:
    """Yield how long to wait before each try, for ever: doubling to `max_s`, with jitter.

    The jitter takes up to half away, so that sensors that went together, as on a bus
    that was unplugged, do not all come back in the same instant. Its seed is a name: what
    one sensor did in the field, it does again on the bench.
    """
    chance = random.Random(seed)  # noqa: S311 # spread, no secret
    pause_s = first_s
    while True:
        yield pause_s * chance.uniform(0.5, 1.0)
        pause_s = min(pause_s * 2, max_s)
