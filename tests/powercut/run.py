"""`make powercut N=50`: cut a kiosk's power N times at random, and see what is lost.

SEED=7 chooses other moments; SYNCHRONOUS=NORMAL plants a fault that must be found. The moments
are drawn from the seed, but a machine under load is never twice at the same instruction then.
Exit status: 0 nothing promised was lost, 1 something was, 2 no machine can run here.

`make powercut-liar`: the card says yes to all writes and for seconds on end keeps none. No
software can keep its promises on it. What is owed: the kiosk comes back after each cut, and
claims to have nothing that is not there. How much the card took is told, and does not fail. Where
it gave back an older state as a whole, only the city can notice: by the chain of the segments.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from statistics import median

from tests.powercut.machine import Machine, MachineError, make_card, prepare, repair
from tests.powercut.oracle import LOST, NOT_THERE, Oracle

MEMORY_DISK = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108
EXIT_LOST = 1
EXIT_NO_MACHINE = 2
EXIT_STOPPED = 130
READY_MAX_S = 60.0
INTAKE_MAX_S = 2.5
WAIT_FOR_PHASE_S = 5.0
PHASES = ("commit", "event", "seal", "prune", "checkpoint")
AT_START = ("upgrade", "salvage")
# Where a cut is aimed at, and how often of 20. What is aimed at "start" hits the program's start,
# where leftovers are sealed and space is taken; "mount" hits ext4 as it replays its own journal.
# "salvage" sets a sound journal aside and hits the start that saves all of it; "upgrade" makes it
# one of an older version and hits the start that takes it over.
AIMS = {
    "mount": 1,
    "start": 2,
    "salvage": 2,
    "upgrade": 2,
    "intake": 2,
    "commit": 2,
    "event": 2,
    "seal": 2,
    "prune": 3,
    "checkpoint": 2,
}
NOT_READY = "kiosk did not become ready"
OWED_BY_ALL = (NOT_READY, NOT_THERE)  # Whatever the card does.
FALLS_MAX = 5  # Before it is ready.
SYNCHRONOUS = ("", "OFF", "NORMAL", "FULL", "EXTRA")


def say(line: str = "") -> None:
    """Print a line at once: a cut takes seconds."""
    print(line, flush=True)  # noqa: T201  A command prints.


class Moment:
    """When to cut, as it becomes known from what the machine says."""

    def __init__(self, chance: random.Random, oracle: Oracle) -> None:
        self.aim = chance.choices(list(AIMS), list(AIMS.values()))[0]
        self._oracle = oracle
        self._share = chance.uniform(0.0, 1.1)  # Of the phase; a little of what follows, too.
        self._intake_s = chance.uniform(0.1, INTAKE_MAX_S)
        self._armed_at_s: float | None = None
        self.at_s: float | None = None

    def heard(self, line: str, at_s: float) -> None:
        """Take a line of the console."""
        if self._armed_at_s is not None:
            if at_s >= self._armed_at_s and line == f"@B {self.aim}":
                self.at_s = at_s + self._share * self._oracle.typical_s(self.aim)
                self._armed_at_s = None
        elif self.at_s is not None:
            return  # The program fell and was started again: the moment stays.
        elif (line, self.aim) == ("@M", "mount"):
            self.at_s = at_s + self._share * 0.2
        elif self.aim in AT_START and line == f"@B {self.aim}":
            self.at_s = at_s + self._share * self._oracle.typical_s(self.aim)
        elif (line, self.aim) == ("@S", "start"):
            self.at_s = at_s + self._share * self._oracle.typical_s("start")
        elif line == "@K":
            self.at_s = at_s + self._intake_s
            if self.aim in PHASES:
                self._armed_at_s = self.at_s
                self.at_s += WAIT_FOR_PHASE_S  # Should there be none.


def run_until(machine: Machine, oracle: Oracle, moment: Moment | None) -> None:
    """Listen until the moment; without one, until the program has ended. Raises `MachineError`."""
    give_up_at_s = machine.on_at_s + READY_MAX_S
    while True:
        cut_at_s = moment.at_s if moment else None
        line = machine.hear(give_up_at_s if cut_at_s is None else cut_at_s)
        now_s = time.monotonic()
        if line is None:
            if cut_at_s is None:
                raise MachineError(
                    f"no answer for {READY_MAX_S:.0f} s: {' / '.join(machine.words)}"
                )
            return
        oracle.hear(line, now_s)
        if moment is None and line.startswith("@Z"):
            return
        if oracle.falls > FALLS_MAX:
            raise MachineError(f"it fell {oracle.falls} times: {' / '.join(machine.words)}")
        if moment:
            moment.heard(line, now_s)
        if line.startswith("@X"):
            words = "\n    ".join(machine.words)
            raise MachineError(f"{line.removeprefix('@X ')}\n    {words}")


def cycle(machine: Machine, oracle: Oracle, moment: Moment | None) -> None:
    """One run of the machine, from power on to the cut. Raises `MachineError`."""
    oracle.power_on(machine.on_at_s)
    try:
        run_until(machine, oracle, moment)
    finally:
        said = machine.cut()
    for line in said:
        oracle.hear(line, machine.off_at_s)
    if moment:
        oracle.power_off(machine.off_at_s)


def cut_often(
    oracle: Oracle, cuts: int, seed: str, environment: dict[str, str], *, lies: bool
) -> None:
    """Cut the power again and again, and look once more at the end. Raises `MachineError`."""
    chance = random.Random(seed)  # noqa: S311  To repeat it, not to keep a secret.
    # The host's own power stays on, so the card may be in its memory: that is much faster.
    with (
        tempfile.TemporaryDirectory(prefix="powercut-") as name,
        tempfile.TemporaryDirectory(prefix="powercut-", dir=MEMORY_DISK) as card,
    ):
        folder = Path(name)
        image = Path(card) / "card.img"
        make_card(image)
        aim = ""  # Of the last cut.
        for number in range(1, cuts + 2):
            told = {**environment, "POWERCUT_SEED": f"{seed}-{number}"}
            moment = Moment(chance, oracle) if number <= cuts else None
            if moment is None:
                told["POWERCUT_LAST"] = "1"
            elif moment.aim == "salvage" and oracle.counts["starts"]:
                told["POWERCUT_CONDEMN"] = "1"
                oracle.condemned = True
            elif moment.aim == "upgrade" and not lies:
                told["POWERCUT_OLD"] = "1"
            if lies and moment:
                told["POWERCUT_TRUE_S"] = str(chance.randrange(1, 5))
                told["POWERCUT_LIES_S"] = str(chance.randrange(1, 4))
            before = oracle.losses.copy()
            if sys.stderr.isatty():
                print(f"... {number - 1} of {cuts}", file=sys.stderr)  # noqa: T201  The same.
            try:
                if lies:
                    oracle.counts["file systems mended"] += repair(image)
                cycle(Machine(folder, image, oracle.ask(), told), oracle, moment)
            except MachineError as error:
                if not oracle.counts["starts"]:
                    raise
                oracle.losses[NOT_READY] += 1
                say(f"cut {number}: {error}")
                break
            tell_losses(oracle, number - 1, aim, oracle.losses - before)
            aim = moment.aim if moment else ""


def tell_losses(oracle: Oracle, cut: int, aim: str, found: Counter[str]) -> None:
    """One line for a cut that has cost something."""
    if not found:
        return
    noticed = "new epochs" in found
    oracle.counts["cuts with a loss"] += 1
    oracle.counts["of them noticed by the kiosk"] += noticed
    says = "noticed: a new epoch" if noticed else "not noticed: the epoch goes on"
    lost = ", ".join(f"{kind} {count}" for kind, count in found.items() if kind.endswith(LOST))
    say(f"after cut {cut}, aimed at {aim}: {lost or 'no entries lost'}; {says}")


def report(oracle: Oracle) -> None:
    """The table."""
    counts = oracle.counts
    during = ", ".join(f"{name} {count}" for name, count in oracle.cut_during.most_common())
    say(f"cuts                         {counts['cuts']:>8}   during: {during}")
    for name in (
        "commits promised",
        "readings promised",
        "events promised",
        "acks",
        "entries acked",
        "prunes",
        "promises checked",
    ):
        say(f"{name:<28} {counts[name]:>8}")
    say(
        f"{'uncommitted readings lost':<28} {counts['uncommitted readings lost']:>8}   at most "
        f"{oracle.lost_uncommitted_max} in one cut, the oldest "
        f"{oracle.lost_uncommitted_max_s:.2f} s old: allowed"
    )
    if oracle.ready_s:
        for name, times_s in (
            ("ready after start", oracle.ready_s),
            ("ready after power on", oracle.from_power_on_s),
        ):
            say(f"{name:<28} {median(times_s):>8.2f} s median, {max(times_s):.2f} s at most")
    say(f"{'bytes on the card':<28} {oracle.card_bytes:>8}   at most")
    for name in (
        "journals set aside on purpose",
        "falls",
        "file systems mended",
        "cuts with a loss",
        "of them noticed by the kiosk",
    ):
        if name in counts:
            say(f"{name:<28} {counts[name]:>8}")
    say(f"{'lost or broken':<28} {oracle.losses.total():>8}")
    for name, count in oracle.losses.items():
        say(f"    {name:<52} {count:>8}")
    for words in oracle.troubles:
        say(f"    {words}")


def main() -> int:
    """Cut N times; the exit status says whether a promise was broken."""
    cuts = int(os.environ.get("N") or "50")
    seed = os.environ.get("SEED") or "1"
    synchronous = (os.environ.get("SYNCHRONOUS") or "").upper()
    if synchronous not in SYNCHRONOUS:
        say(f"not a value of SYNCHRONOUS: {synchronous!r}; there are {', '.join(SYNCHRONOUS[1:])}")
        return EXIT_NO_MACHINE
    # As Ctrl-C: the machine is put out, its folder removed, and what was seen so far is told.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start_s = time.monotonic()
    lies = sys.argv[1:] == ["liar"]
    planted = {"SYNCHRONOUS": synchronous} if synchronous else {}
    oracle = Oracle()
    stopped = False
    try:
        prepare()
        cut_often(oracle, cuts, seed, planted, lies=lies)
    except MachineError as error:
        say(f"No power can be cut here: {error}")
        return EXIT_NO_MACHINE
    except KeyboardInterrupt:
        stopped = True
    report(oracle)
    took_s = time.monotonic() - start_s
    broken = oracle.losses
    verdict = "nothing promised was lost"
    if lies:
        broken = Counter({kind: broken[kind] for kind in broken if kind.endswith(OWED_BY_ALL)})
        verdict = "on a card that lies the kiosk came back and claimed nothing it has not"
    if broken:
        verdict = f"a promise was broken: {', '.join(broken)}"
    say(f"{oracle.counts['cuts']} power cuts in {took_s:.0f} s, seed {seed}: {verdict}")
    if stopped:
        say("stopped before the end")
    return EXIT_LOST if broken else EXIT_STOPPED if stopped else 0


if __name__ == "__main__":
    sys.exit(main())
