"""A kiosk in this process, with a probe of its event loop: `python -m tests.bench.sensors_kiosk`.

Arguments: a settings file, a state folder, seconds. Prints JSON: the delays of the loop and the
CPU it took, after a while to settle. Without a settings file it is an empty loop.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import time
from pathlib import Path

from edge import settings
from edge.service import run

TICK_S = 0.01
SETTLE_S = 5.0


async def probe(seconds: float) -> None:
    """Look how late the loop comes to a timer, then end the process's service."""
    await asyncio.sleep(SETTLE_S)
    loop = asyncio.get_running_loop()
    late_ms = []
    cpu_began_s, began_s = time.process_time(), loop.time()
    due_s = began_s
    while due_s - began_s < seconds:
        due_s = max(due_s, loop.time()) + TICK_S
        await asyncio.sleep(due_s - loop.time())
        late_ms.append((loop.time() - due_s) * 1000)
    spent_s = loop.time() - began_s
    late_ms.sort()
    found = {
        "p50_ms": late_ms[len(late_ms) // 2],
        "p99_ms": late_ms[len(late_ms) * 99 // 100],
        "max_ms": late_ms[-1],
        # The probe itself is in it: an empty loop tells how much.
        "cpu_percent": 100 * (time.process_time() - cpu_began_s) / spent_s,
    }
    print(json.dumps(found), flush=True)  # noqa: T201 # what the bench reads
    os.kill(os.getpid(), signal.SIGTERM)


async def main(arguments: list[str]) -> None:
    """Run both."""
    async with asyncio.TaskGroup() as group:
        group.create_task(probe(float(arguments[-1])))
        if len(arguments) > 1:
            await run(settings.load(Path(arguments[0])), Path(arguments[1]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
