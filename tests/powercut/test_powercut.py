from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys

import pytest

from tests.powercut.machine import HERE, KERNEL, ROOT
from tests.powercut.oracle import Oracle

RUN_MAX_S = 120
EXIT_NO_MACHINE = 2
EPOCH = "e0e0"

# A console with one cut, as a machine has printed it; hashes and epochs are shortened.
BEFORE = f"""\
@M
@S
@R 912 {EPOCH} 1:1:1 2:1:1 3:1:1
@V 1 0 0
@V 2 0 0
@K
@I 3
@B commit
@D commit
@C 1 3 aa
@B event
@D event
@E 1 bb
@B event
@D event
@E 2 b2
@I 5
@B seal
@D seal
@C 4 5 cc
@A 1 1 1 5a
@A 2 1 5 5b
@I 7
@B commit
@D commit
@C 6 7 dd
@I 9
@B commit"""
AFTER = f"""\
@M
@S
@R 930 {EPOCH} 1:3:1 2:8:1 3:1:1
@H {EPOCH} 2 1 3 3 aa
@H {EPOCH} 2 4 5 2 cc
@H {EPOCH} 2 6 7 2 dd
@H {EPOCH} 1 1 1 1 bb
@H {EPOCH} 1 2 2 1 b2
@G {EPOCH} 2 1 5 5b
@G {EPOCH} 1 1 1 5a
@V 1 2 0
@V 2 7 0
@K
@Z ok"""


def listen(after: str) -> Oracle:
    """An oracle that has heard one cut and the start after it, a line each millisecond."""
    oracle = Oracle()
    at_s = 0.0
    for console in (BEFORE, after):
        oracle.power_on(at_s)
        for line in console.splitlines():
            at_s += 0.001
            oracle.hear(line, at_s)
        if console is BEFORE:
            oracle.power_off(at_s)
    return oracle


def test_a_kept_promise_is_no_loss() -> None:
    """What comes back as promised is counted, and only the uncommitted readings are gone."""
    oracle = listen(AFTER)

    assert oracle.losses == {}
    assert oracle.troubles == []
    assert oracle.counts["promises checked"] == 5
    assert oracle.counts["uncommitted readings lost"] == 2
    assert oracle.cut_during == {"commit": 1}
    assert oracle.ready_s == [0.912, 0.93]


def test_what_the_city_has_may_be_pruned() -> None:
    """A segment that is at the city may go; what is left is still compared."""
    after = re.sub(r"2:8:1", "2:8:6", AFTER)
    after = re.sub(r"(H \S+ 2 1 3) 3 aa", r"\1 0 ff", after)
    after = re.sub(r"(H \S+ 2 4 5) 2 cc", r"\1 0 ff", after)
    after = re.sub(r"(G \S+ 2 1 5) 5b", r"\1 None", after)

    oracle = listen(after)

    assert oracle.losses == {}
    assert list(oracle.lanes[2].promises) == [(6, 7)]


@pytest.mark.parametrize(
    ("pattern", "planted", "kind", "count"),
    [
        (r"(H \S+ 2 6 7) 2 dd", r"\1 0 ff", "readings: committed and lost", 2),
        (r"(H \S+ 2 6 7) 2 dd", r"\1 1 ff", "readings: committed and lost", 1),
        (r"(H \S+ 2 6 7) 2 dd", r"\1 2 ff", "readings: with other content", 2),
        (r"(H \S+ 2 1 3) 3 aa", r"\1 3 ff", "readings: with other content", 3),
        (r"(H \S+ 1 2 2) 1 b2", r"\1 0 ff", "events: committed and lost", 1),
        (r"1:3:1", "1:3:3", "events: deleted before the city had them", 1),
        (r"2:8:1", "2:4:1", "readings: seqs of the city to be handed out again", 2),
        (r"(G \S+ 2 1 5) 5b", r"\1 ff", "readings: segments of the city changed or lost", 1),
        (r"(G \S+ 1 1 1) 5a", r"\1 None", "events: segments of the city changed or lost", 1),
        (r"V 2 7 0", "V 2 7 4", "readings: claimed but not there", 4),
        (r"R 930 e0e0", "R 930 e1e1", "new epochs", 1),
        (r"@V 1 2 0", "@W database disk image is malformed\n@V 1 2 0", "files damaged", 1),
        (r"@Z ok", "@Z row 7 missing from index", "files damaged", 1),
    ],
)
def test_a_planted_loss_is_found(pattern: str, planted: str, kind: str, count: int) -> None:
    """Each way to break a promise is found, named and counted."""
    after, changes = re.subn(pattern, planted, AFTER)

    oracle = listen(after)

    assert changes == 1
    assert oracle.losses[kind] == count


def test_a_journal_set_aside_on_purpose_must_be_found_again_under_its_old_epoch() -> None:
    """A new epoch is no loss then; a committed reading that was not salvaged is one."""
    oracle = Oracle()
    for line in BEFORE.splitlines():
        oracle.hear(line, 0.0)
    oracle.condemned = True
    aside = AFTER.replace(f"R 930 {EPOCH} 1:3:1 2:8:1", "R 930 e1e1 1:1:1 2:1:1")
    for line in aside.replace("2 6 7 2 dd", "2 6 7 1 ff").splitlines():
        oracle.hear(line, 1.0)

    assert oracle.losses == {"readings: committed and lost": 1}
    assert not oracle.condemned


def test_a_loss_is_counted_once() -> None:
    """What was found to be lost is not asked for again."""
    oracle = listen(re.sub(r"(H \S+ 2 6 7) 2 dd", r"\1 0 ff", AFTER))

    assert f"H {EPOCH} 2 1 3" in oracle.ask()
    assert f"H {EPOCH} 2 6 7" not in oracle.ask()


def test_nothing_is_forgotten_when_the_power_goes_before_the_answers() -> None:
    """A cut while the journal opens leaves every promise to be checked at the next start."""
    opening = "\n".join(AFTER.splitlines()[:2])

    oracle = listen(opening)

    assert len(re.findall(r"(?m)^H ", oracle.ask())) == 5
    assert len(re.findall(r"(?m)^G ", oracle.ask())) == 2


def test_a_real_power_cut_loses_nothing_promised() -> None:
    """A kernel with the real journal on a real ext4 is killed twice, and keeps what it promised."""
    if shutil.which(KERNEL) is None:
        pytest.skip(f"there is no {KERNEL} here; `make powercut` installs it")
    done = subprocess.run(
        [sys.executable, HERE / "run.py"],
        cwd=ROOT,
        env={**os.environ, "N": "2", "SEED": "suite"},
        capture_output=True,
        text=True,
        timeout=RUN_MAX_S,
        check=False,
    )
    if done.returncode == EXIT_NO_MACHINE:
        pytest.skip(done.stdout.strip())

    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 power cuts" in done.stdout
    assert "lost or broken                      0" in done.stdout
