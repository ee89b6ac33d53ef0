"""What the kiosk has promised on its console, and whether it kept it. Pure: lines in, counts out.

M                                   the card is about to be mounted
S                                   the program has started
R ready_ms epoch next oldest next oldest   the journal is open (readings, then events)
H lane first last found hash        answer to a question of `ask`: these entries
S lane first last hash              the same: this segment, "-" where there is none
V lane claimed found declared       entries it says it has, has, and has declared as lost
K                                   all questions are answered
I seq                               readings up to here are taken in: no promise yet
B phase, D phase                    begin and end of a commit, seal, prune, checkpoint, event,
                                    or at the start of an upgrade, a salvage
C first last hash                   these readings are committed: the promise
E seq hash                          this event is committed: the promise
A lane first last hash              this segment is at the city, who now has all up to `last`
O oldest oldest                     pruned up to here (readings, then events)
X words                             something went wrong
Z words                             what SQLite's integrity check says, after a clean stop
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median

EVENTS, READINGS = 1, 2
LANES = {READINGS: "readings", EVENTS: "events", 3: "summaries"}
LOST = "committed and lost"
NOT_THERE = "claimed but not there"
PHASE_S = 0.01  # How long a phase is thought to take until one has been seen.
PHASES_KEPT = 50
BEFORE_CUT = ("checkpoint", "prune", "seal", "event", "commit")


@dataclass
class Lane:
    """What is known of one lane."""

    # First and last seq → hash. Promises must be there after every cut until the city has them;
    # segments have been seen outside and must never change.
    promises: dict[tuple[int, int], str] = field(default_factory=dict)
    segments: dict[tuple[int, int], str] = field(default_factory=dict)
    acked: int = 0
    next: int = 1  # As of the last start.
    oldest: int = 1


class Oracle:
    """Listens to the console over all power cuts."""

    def __init__(self) -> None:
        self.epoch = ""
        self.epochs: dict[str, dict[int, Lane]] = {}
        self.losses: Counter[str] = Counter()  # Each a broken promise.
        self.counts: Counter[str] = Counter()
        self.troubles: list[str] = []  # Words of the machine's own.
        self.cut_during: Counter[str] = Counter()
        self.ready_s: list[float] = []
        self.from_power_on_s: list[float] = []
        self.lost_uncommitted_max = 0
        self.lost_uncommitted_max_s = 0.0
        self.phase_s: dict[str, list[float]] = {}
        self.condemned = False  # The journal is to be set aside, until all of it is found again.
        self.card_bytes = 0  # At most.
        self.falls = 0  # Of the program since it was last ready.
        self.ready = self.checked = False
        self._taken: list[tuple[int, float]] = []  # Since the last commit, with the time.
        self._promised = 0  # The last reading that is promised.
        self._off_at_s = 0.0
        self._began: dict[str, float] = {}
        self._on_at_s = 0.0
        self._started = self._mounting = False

    @property
    def lanes(self) -> dict[int, Lane]:
        """The lanes of the epoch that is going on."""
        return self.epochs.setdefault(self.epoch, {number: Lane() for number in LANES})

    def ask(self) -> str:
        """Everything that a kiosk must be asked at its next start."""
        lines = []
        for epoch, lanes in self.epochs.items():
            for number, lane in lanes.items():
                head = f"{epoch} {number}"
                lines.append(f"A {head} 1 {lane.acked}")
                lines += [f"H {head} {first} {last}" for first, last in lane.promises]
                lines += [f"G {head} {first} {last}" for first, last in lane.segments]
        return "\n".join(lines)

    def typical_s(self, phase: str) -> float:
        """How long a phase takes here."""
        return median(self.phase_s.get(phase) or [PHASE_S])

    # --- the machine -----------------------------------------------------------------------------

    def power_on(self, at_s: float) -> None:
        """The machine starts."""
        self._on_at_s = at_s
        self._began = {}
        self.falls = 0
        self.ready = self.checked = self._started = self._mounting = False

    def power_off(self, at_s: float) -> None:
        """The power is cut, and everything printed before has been heard."""
        self.counts["cuts"] += 1
        self._off_at_s = at_s
        self.cut_during[self._doing()] += 1

    def _doing(self) -> str:
        if self.checked:
            return next((phase for phase in BEFORE_CUT if phase in self._began), "intake")
        if self.ready:
            return "salvage" if "salvage" in self._began and self.condemned else "check"
        if self._started:
            return "upgrade" if "upgrade" in self._began else "opening"
        return "mount" if self._mounting else "boot"

    def hear(self, line: str, at_s: float) -> None:
        """Take one line of the console, "@" included. Raises `KeyError` on an unknown word."""
        word, *rest = line.strip().removeprefix("@").split(" ")
        HEARD[word](self, rest, at_s)

    def _mount(self, _rest: list[str], _at_s: float) -> None:
        self._mounting = True

    def _start(self, _rest: list[str], at_s: float) -> None:
        self._started = True
        self.ready = self.checked = False
        self.counts["starts"] += 1
        self._began["start"] = at_s

    def _begin(self, rest: list[str], at_s: float) -> None:
        self._began[rest[0]] = at_s

    def _done(self, rest: list[str], at_s: float) -> None:
        began_s = self._began.pop(rest[0], at_s)
        known = self.phase_s.setdefault(rest[0], [])
        known.append(at_s - began_s)
        del known[:-PHASES_KEPT]

    def _trouble(self, rest: list[str], _at_s: float) -> None:
        self.troubles.append(" ".join(rest))

    def _damaged(self, rest: list[str], at_s: float) -> None:
        if self.condemned:
            self.counts["journals set aside on purpose"] += 1
            return
        self.losses["files damaged"] += 1
        self._trouble(rest, at_s)

    def _integrity(self, rest: list[str], at_s: float) -> None:
        if rest != ["ok"]:
            self._damaged(rest, at_s)

    def _fell(self, _rest: list[str], _at_s: float) -> None:
        self.counts["falls"] += 1
        self.falls += 1

    # --- what it says about the time before the cut

    def _open(self, rest: list[str], at_s: float) -> None:
        ready_ms, epoch, *stands = rest
        self._done(["start"], at_s)
        self.ready = True
        self.falls = 0
        self.ready_s.append(int(ready_ms) / 1000)
        self.from_power_on_s.append(at_s - self._on_at_s)
        if epoch != self.epoch and self.epoch and not self.condemned:
            self.losses["new epochs"] += 1
        self.epoch = epoch
        for stand in stands:
            number, following, oldest = map(int, stand.split(":"))
            lane = self.lanes[number]
            lane.next, lane.oldest = following, oldest
            again = lane.acked - following + 1
            if again > 0:
                self.losses[f"{LANES[number]}: seqs of the city to be handed out again"] += again
        self._count_uncommitted(self.lanes[READINGS].next)

    def _count_uncommitted(self, following: int) -> None:
        gone = [(seq, at_s) for seq, at_s in self._taken if seq >= following]
        if gone:
            lost = gone[-1][0] - max(following - 1, self._promised)
            self.counts["uncommitted readings lost"] += lost
            self.lost_uncommitted_max = max(self.lost_uncommitted_max, lost)
            old_s = self._off_at_s - gone[0][1]
            self.lost_uncommitted_max_s = max(self.lost_uncommitted_max_s, old_s)
        self._taken = []
        self._promised = following - 1

    def _entries(self, rest: list[str], _at_s: float) -> None:
        """Compare entries with what was promised of them."""
        epoch, digest = rest[0], rest[5]
        number, first, last, found = map(int, rest[1:5])
        lane, name = self.epochs[epoch][number], LANES[number]
        promised = lane.promises.get((first, last))
        if promised is None:
            return
        self.counts["promises checked"] += 1
        # Of a journal that was set aside nobody is told what it had pruned.
        oldest = lane.oldest if epoch == self.epoch else lane.acked + 1
        expected = last - max(first, oldest) + 1
        too_soon = min(last, oldest - 1) - max(first, lane.acked + 1) + 1
        if too_soon > 0:
            self.losses[f"{name}: deleted before the city had them"] += too_soon
        if found < expected:
            self.losses[f"{name}: {LOST}"] += expected - found
        elif first >= oldest and digest != promised:
            self.losses[f"{name}: with other content"] += found
        elif expected > 0:
            return  # Kept, and asked for again after the next cut.
        del lane.promises[first, last]

    def _segment(self, rest: list[str], _at_s: float) -> None:
        """Compare a segment with the one that the city has seen."""
        epoch, digest = rest[0], rest[4]
        number, first, last = map(int, rest[1:4])
        lane = self.epochs[epoch][number]
        known = lane.segments.get((first, last))
        if known in (None, digest):
            return
        if epoch == self.epoch and first >= lane.oldest:
            self.losses[f"{LANES[number]}: segments of the city changed or lost"] += 1
        del lane.segments[first, last]

    def _claim(self, rest: list[str], _at_s: float) -> None:
        lane, claimed, bare = map(int, rest)
        self.counts["entries claimed"] += claimed
        if bare:
            self.losses[f"{LANES[lane]}: {NOT_THERE}"] += bare

    def _used(self, rest: list[str], _at_s: float) -> None:
        self.card_bytes = max(self.card_bytes, int(rest[0]))

    def _check_done(self, _rest: list[str], _at_s: float) -> None:
        # What was lost is counted once: from here on the kiosk's own state counts.
        self.checked = True
        self.condemned = False
        self.epochs = {self.epoch: self.lanes}
        for lane in self.lanes.values():
            lane.acked = min(lane.acked, lane.next - 1)

    # --- what it promises ------------------------------------------------------------------------

    def _taken_in(self, rest: list[str], at_s: float) -> None:
        self._taken.append((int(rest[0]), at_s))

    def _committed(self, rest: list[str], _at_s: float) -> None:
        first, last = map(int, rest[:2])
        self.lanes[READINGS].promises[first, last] = rest[2]
        self._taken = [item for item in self._taken if item[0] > last]
        self._promised = last
        self.counts["commits promised"] += 1
        self.counts["readings promised"] += last - first + 1

    def _event(self, rest: list[str], _at_s: float) -> None:
        seq = int(rest[0])
        self.lanes[EVENTS].promises[seq, seq] = rest[1]
        self.counts["events promised"] += 1

    def _acked(self, rest: list[str], _at_s: float) -> None:
        number, first, last = map(int, rest[:3])
        self.lanes[number].acked = last
        self.lanes[number].segments[first, last] = rest[3]
        self.counts["acks"] += 1
        self.counts["entries acked"] += last - first + 1

    def _pruned(self, _rest: list[str], _at_s: float) -> None:
        self.counts["prunes"] += 1


HEARD: dict[str, Callable[[Oracle, list[str], float], None]] = {
    "M": Oracle._mount,
    "S": Oracle._start,
    "R": Oracle._open,
    "W": Oracle._damaged,
    "H": Oracle._entries,
    "G": Oracle._segment,
    "V": Oracle._claim,
    "U": Oracle._used,
    "K": Oracle._check_done,
    "I": Oracle._taken_in,
    "B": Oracle._begin,
    "D": Oracle._done,
    "C": Oracle._committed,
    "E": Oracle._event,
    "A": Oracle._acked,
    "O": Oracle._pruned,
    "F": Oracle._fell,
    "X": Oracle._trouble,
    "Z": Oracle._integrity,
}
