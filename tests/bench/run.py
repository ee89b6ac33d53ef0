"""`make bench`: measure everything, print a table, write build/bench.json.

Names of parts on the command line (wire, card, intake, drain, postgres, identity, link,
thingsboard, service, stall, sensors) measure only those.
BENCH_DRAIN=200000 drains a smaller backlog, BENCH_SETTLE=10 lets the service settle for less.
"""

from __future__ import annotations

import asyncio
import logging
import os
import platform
import sqlite3
import sys
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

from tests.bench import (
    bench_card,
    bench_drain,
    bench_identity,
    bench_intake,
    bench_link,
    bench_postgres,
    bench_sensors,
    bench_service,
    bench_stall,
    bench_thingsboard,
    bench_wire,
)
from tests.bench.figures import Figure, say, say_progress, show, write

OUTPUT = Path(__file__).resolve().parents[2] / "build" / "bench.json"
EXIT_USAGE = 2

PARTS: dict[str, Callable[[], Coroutine[Any, Any, list[Figure]]]] = {
    "wire": bench_wire.measure,
    "card": bench_card.measure,
    "intake": bench_intake.measure,
    "drain": bench_drain.measure,
    "postgres": bench_postgres.measure,
    "identity": bench_identity.measure,
    "link": bench_link.measure,
    "thingsboard": bench_thingsboard.measure,
    "service": bench_service.measure,
    "stall": bench_stall.measure,
    "sensors": bench_sensors.measure,
}


def main() -> int:
    """Measure the parts that were asked for, all by default."""
    asked = sys.argv[1:] or list(PARTS)
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        say(f"not a part of the bench: {unknown[0]!r}; there are {', '.join(PARTS)}")
        return EXIT_USAGE
    logging.getLogger("sync").setLevel(logging.ERROR)  # That a city came online is no news here.
    say(
        f"CPython {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, "
        f"{platform.system()} {platform.release()} {platform.machine()}"
    )
    start = time.monotonic()
    figures: list[Figure] = []
    for name in asked:
        say_progress(name)
        for figure in asyncio.run(PARTS[name]()):
            show(figure)
            figures.append(figure)
    write(figures, OUTPUT)
    missed = [figure.name for figure in figures if figure.reached is False]
    say()
    say(
        f"{len(figures)} figures in {time.monotonic() - start:.0f} s, written to {OUTPUT}; "
        f"goals missed: {', '.join(missed) or 'none'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
