"""A few universes in the suite: the long runs are `make sim` and `make sim-mutants`."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sim.mutants import MUTANTS
from tests.sim.run import in_processes

ROOT = Path(__file__).resolve().parents[2]
RUN_MAX_S = 120
SEEDS = 3


def test_nothing_is_lost_in_a_few_universes() -> None:
    """What was promised is at the city or declared lost, once, unchanged and at its time."""
    for result in in_processes([(seed, None, "") for seed in range(SEEDS)]):
        assert result.failures == [], f"make sim SEEDS=1 FROM={result.seed}"
        assert result.counts["promised"] > 100


def test_a_seed_is_the_same_universe_in_every_process() -> None:
    """The digest of all events depends on the seed alone: no hash, no address, no clock."""
    command = [sys.executable, "-m", "tests.sim.run", "--seeds", "1", "--from", "5"]
    running = [
        subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            stdout=subprocess.PIPE,
            text=True,
        )
        for seed in ("1", "2")
    ]
    lines = [process.communicate(timeout=RUN_MAX_S)[0].splitlines()[0] for process in running]
    assert lines[0].startswith("seed 5 ")
    assert lines[0] == lines[1]


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("no_duplicate_check", "DOUBLED"),
        ("quality_dropped", "WRONG"),
        ("wall_clock_trusted", "WRONG TIME"),
    ],
)
def test_a_planted_fault_is_found(name: str, finding: str) -> None:
    """The simulator is tested, too: it names what a changed product does wrong."""
    assert name in MUTANTS
    (result,) = in_processes([(0, None, name)])
    assert any(failure.startswith(finding) for failure in result.failures), result.failures


def test_a_failing_seed_says_how_to_repeat_it() -> None:
    """Status 1, what is wrong, and one command."""
    command = [sys.executable, "-m", "tests.sim.run", "--seeds", "1", "--only", "twice"]
    command += ["--mutant", "no_duplicate_check"]
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=RUN_MAX_S, check=False
    )
    assert done.returncode == 1
    assert "again: make sim SEEDS=1 FROM=0 ONLY=twice" in done.stdout
