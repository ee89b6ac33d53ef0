"""`make sim`: run universes, some at once, and print one line for each.

    python -m tests.sim.run --seeds 40 --from 0
    python -m tests.sim.run --seeds 1 --from 17 --only partition,swallow --trace trace.txt

A failing seed prints what is wrong and the one command that repeats it; status 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from tests.sim import mutants, universe
from tests.sim.faults import KINDS
from tests.sim.universe import Result

SHOWN_MAX = 6


def main() -> int:
    """Run what the command line asks for."""
    options = _parse()
    if options.trace:
        with Path(options.trace).open("w") as trace:
            _plant(options.mutant)
            result = universe.run(options.first, options.only, trace)
        return _report(result, options)
    started_s = time.perf_counter()
    failed = 0
    simulated_s = promised = cuts = 0.0
    jobs = [
        (seed, options.only, options.mutant)
        for seed in range(options.first, options.first + options.seeds)
    ]
    for result in in_processes(jobs):
        failed += _report(result, options)
        simulated_s += result.simulated_s
        promised += result.counts.get("promised", 0)
        cuts += result.counts.get("power cuts", 0)
    took_s = time.perf_counter() - started_s
    print(
        f"{options.seeds} universes, {failed} failed: {simulated_s / 3600:.0f} simulated hours, "
        f"{promised:.0f} entries promised, {cuts:.0f} power cuts, in {took_s:.0f} s"
    )
    return 1 if failed else 0


def in_processes(jobs: list[tuple[int, list[str] | None, str]]) -> Iterator[Result]:
    """Each universe in a process of its own, as many at once as there are processors."""
    forked = multiprocessing.get_context("fork")
    processes = min(len(jobs), os.cpu_count() or 1)
    with forked.Pool(processes, maxtasksperchild=1) as pool:
        yield from pool.imap(_run, jobs, chunksize=1)


def _run(job: tuple[int, list[str] | None, str]) -> Result:
    seed, only, mutant = job
    _plant(mutant)
    return universe.run(seed, only)


def _plant(mutant: str) -> None:
    if mutant:
        mutants.MUTANTS[mutant].plant()


def _report(result: Result, options: argparse.Namespace) -> int:
    verdict = "FAILED" if result.failures else "ok"
    print(f"seed {result.seed} {result.digest} {verdict} {' '.join(result.kinds)}", flush=True)
    for failure in result.failures[:SHOWN_MAX]:
        print(f"    {failure}")
    if result.failures:
        only = f" ONLY={','.join(options.only)}" if options.only is not None else ""
        print(f"    again: make sim SEEDS=1 FROM={result.seed}{only}", flush=True)
    return 1 if result.failures else 0


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make sim", description=__doc__)
    parser.add_argument("--seeds", type=int, default=40)
    parser.add_argument("--from", dest="first", type=int, default=0)
    parser.add_argument("--only", help="kinds of faults, with commas between", default=None)
    parser.add_argument("--trace", help="a file for every event of the first seed", default="")
    parser.add_argument("--mutant", help="plant this fault", default="")
    options = parser.parse_args()
    if options.only is not None:
        options.only = [name for name in options.only.split(",") if name]
        unknown = [name for name in options.only if name not in KINDS]
        if unknown:
            parser.error(f"not kinds of faults: {unknown}; there are {list(KINDS)}")
    return options


if __name__ == "__main__":
    sys.exit(main())
