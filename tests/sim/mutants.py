"""`make sim-mutants`: planted faults, each a small change of the product, that must be found.

    python -m tests.sim.mutants
    python -m tests.sim.mutants delete_before_ack

The simulator tests the product, and this tests the simulator: it ends with status 1 when a fault
stays hidden for SEEDS_MAX universes.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

from peewee import OperationalError

from sync import clock, journal, journal_file, uplink, wire
from sync.city import archive, intake, lanes, store, tables
from sync.entry import Event, Lane
from sync.ranges import Ranges

SEEDS_MAX = 10


class Mutant(NamedTuple):
    """One planted fault."""

    what: str
    plant: Callable[[], None]
    only: list[str] | None = None  # Kinds of faults it takes to see it; None: whatever is drawn.


def delete_before_ack() -> None:
    """Over quota the oldest go, whether the city has them or not."""
    forget = journal_file.JournalFile._forget_acked

    def planted(self: Any, lane: Lane, bytes_wanted: int, *, only_safe: bool) -> int:
        state = self.lanes[lane]
        kept = state.got, state.safe
        state.got, state.safe = Ranges([(1, max(1, state.sealed))]), state.sealed
        try:
            return forget(self, lane, bytes_wanted, only_safe=only_safe)
        finally:
            state.got, state.safe = kept

    _put(journal_file.JournalFile, "_forget_acked", planted)


def no_duplicate_check() -> None:
    """The city stores whatever comes."""

    class Blind(Ranges):
        def touches(self, first: int, last: int) -> bool:
            del first, last
            return False

    make, make_tables = lanes.LaneState.__init__, tables.Tables.__init__

    def planted(self: Any, row: Any) -> None:
        make(self, row)
        self.got = Blind(self.got)

    def without_index(self: Any, database: Any) -> None:
        make_tables(self, database)
        self.segment._meta.indexes = []

    _put(lanes.LaneState, "__init__", planted)
    _put(tables.Tables, "__init__", without_index)


def wall_clock_trusted() -> None:
    """The wall clock is believed without NTP."""

    def planted(self: Any) -> Any:
        return self._offer("ntp", self._wall_ms(), 60)

    _put(clock.Clock, "poll", planted)


def _synchronous(module: Any, word: str) -> None:
    pragmas = [(name, word if name == "synchronous" else value) for name, value in module.PRAGMAS]
    module.PRAGMAS = tuple(pragmas)


def journal_normal() -> None:
    """The journal's commits are not synced."""
    _synchronous(journal_file, "normal")


def journal_off() -> None:
    """The journal syncs nothing at all."""
    _synchronous(journal_file, "off")


def archive_normal() -> None:
    """The city answers before its commit is synced."""
    _synchronous(store, "normal")


def ack_by_count() -> None:
    """The kiosk counts what has arrived, and does not look which it is."""
    acked = journal.Journal.acked

    def planted(self: Any, lane: Lane, got: Ranges, safe: int) -> None:
        counted = Ranges([(1, got.count())]) if got else Ranges()
        acked(self, lane, counted, max(safe, got.count()))

    _put(journal.Journal, "acked", planted)


def upload_uncommitted() -> None:
    """Segments are sent before the transaction that made them has ended."""
    for name in ("_begin", "_end", "_undo"):
        _put(journal_file.JournalFile, name, lambda _: None)
    _commit_every_third(journal_file.JournalFile, "write")


def answer_before_commit() -> None:
    """The city acks before its transaction has ended."""
    _commit_every_third(archive.Archive, "_take")


def _commit_every_third(owner: Any, name: str) -> None:
    function = getattr(owner, name)

    def planted(self: Any, *args: Any) -> Any:
        self.calls = getattr(self, "calls", 0) + 1
        if self.calls % 3 == 1 or not getattr(self, "outer", None):
            self.outer = self._database.transaction()
            self.outer.__enter__()
        result = function(self, *args)
        if self.calls % 3 == 0:
            self.outer.__exit__(None, None, None)
            self.outer = None
        return result

    planted.__name__ = name
    _put(owner, name, planted)


def seq_restarts() -> None:
    """The next seq is counted from the entries that are still held."""
    load = journal_file.JournalFile._load_lane

    def planted(self: Any, lane: Lane, state: Any) -> None:
        load(self, lane, state)
        table = self._tables.segment[lane]
        state.next = 1 + sum(row.count for row in table.select(table.count))

    _put(journal_file.JournalFile, "_load_lane", planted)


def epochs_mixed() -> None:
    """The city takes the seqs of all epochs of a kiosk for the same."""
    find = lanes.Lanes.find

    def planted(self: Any, kiosk: str, lane: Lane, epoch: bytes) -> Any:
        found = find(self, kiosk, lane, bytes(wire.ID_BYTES))
        found.epoch = epoch
        return found

    _put(lanes.Lanes, "find", planted)


def anchors_not_sent() -> None:
    """What ties a boot to UTC stays on the kiosk."""
    _put(journal.Journal, "anchors", property(lambda _: []))


def quality_dropped() -> None:
    """Every reading is said to be good."""
    _put(wire, "quality_index", lambda _: 0)


def events_wait() -> None:
    """Complaints go after all readings."""
    oldest = uplink.Uplink._oldest

    async def planted(self: Any, lane: Lane, *limits: Any) -> Any:
        readings = await oldest(self, Lane.READINGS, *limits)
        return None if lane is Lane.EVENTS and readings else await oldest(self, lane, *limits)

    _put(uplink.Uplink, "_oldest", planted)


def losses_not_told() -> None:
    """What had to go for want of room is not declared."""
    _put(journal.Journal, "lost", property(lambda _: []))


def wrong_boot() -> None:
    """What an earlier boot has left is given to this one."""
    seal = journal_file.JournalFile._seal_left_over

    def planted(self: Any, boot: str) -> None:
        del boot
        seal(self, self._clock.boot)

    _put(journal_file.JournalFile, "_seal_left_over", planted)


def event_not_committed() -> None:
    """A person is thanked before the complaint is on the card."""

    async def planted(self: Any, kind: str, body: dict[str, Any]) -> int:
        lane = self.position(Lane.EVENTS)
        seq: int = lane.next
        lane.next += 1
        event = Event(seq, self.clock.boot, self.clock.boottime_ms(), kind, body)
        self._events.append(event)
        return seq

    _put(journal.Journal, "event", planted)


def round_trip_ignored() -> None:
    """The city's time is taken as if it had been on its way for no time."""
    told = clock.Clock.told

    def planted(self: Any, source: str, utc_ms: int, error_ms: int) -> Any:
        return told(self, source, utc_ms - error_ms, 1)

    _put(clock.Clock, "told", planted)


def chain_not_checked() -> None:
    """Neither end looks whose bytes the other has: seqs alone must do."""
    _put(journal_file.JournalFile, "chain_at", lambda *_: None)
    _put(lanes.Lanes, "chain_at", lambda *_: None)
    _put(intake.Intake, "_check_links", lambda *_: None)
    _put(uplink.Uplink, "_check_only_ours", lambda *_: None)

    async def no_verdict(*_: Any) -> str:
        return ""

    async def not_ahead(*_: Any) -> None:
        """The city would compare the newest segment with what it has under these seqs."""

    _put(uplink.Uplink, "_judge", no_verdict)
    _put(uplink.Uplink, "_send_ahead", not_ahead)


def ended_epochs_forgotten() -> None:
    """Once the city has a damaged journal, nobody remembers what was in it."""
    _put(journal.Journal, "closed_epochs", property(lambda _: {}))


def full_card_taken_for_written() -> None:
    """When a row does not fit, the file is asked whether it has all that was there before."""
    fill = journal_file.JournalFile._fill

    def planted(self: Any, batch: Any) -> Any:
        try:
            return fill(self, batch)
        except OperationalError:
            if not self._has_written(batch):
                raise
            return []

    _put(journal_file.JournalFile, "_fill", planted)


def _put(owner: Any, name: str, planted: Any) -> None:
    setattr(owner, name, planted)


MUTANTS: dict[str, Mutant] = {
    plant.__name__: Mutant((plant.__doc__ or "").strip(), plant)
    for plant in (
        delete_before_ack,
        no_duplicate_check,
        wall_clock_trusted,
        journal_normal,
        journal_off,
        archive_normal,
        ack_by_count,
        upload_uncommitted,
        answer_before_commit,
        seq_restarts,
        epochs_mixed,
        anchors_not_sent,
        quality_dropped,
        events_wait,
        losses_not_told,
        wrong_boot,
        event_not_committed,
        round_trip_ignored,
    )
}
MUTANTS["chain_not_checked"] = Mutant(
    "Neither end compares bytes.",
    chain_not_checked,
    ["kiosk_power_cut", "partition", "swallow", "card_clone"],
)
MUTANTS["ended_epochs_forgotten"] = Mutant(
    "Who has no entry of an epoch any more does not answer for it.",
    ended_epochs_forgotten,
    ["dying_card", "city_restore"],
)
MUTANTS["full_card_taken_for_written"] = Mutant(
    "A refused row counts as written.",
    full_card_taken_for_written,
    ["full_disk"],
)


def find(name: str, seeds_max: int = SEEDS_MAX) -> tuple[int, str] | None:
    """The first seed that finds a planted fault, and what it says; None where none does."""
    from tests.sim.run import in_processes  # noqa: PLC0415  It plants what stands here.

    for seed in range(seeds_max):
        (result,) = in_processes([(seed, MUTANTS[name].only, name)])
        if result.failures:
            # What is lost says more than that somebody is still waiting for it.
            return seed, min(result.failures, key=lambda text: text.startswith("NOT HOME"))
    return None


def main() -> int:
    """Plant the faults that are named, or all."""
    names = sys.argv[1:] or list(MUTANTS)
    unknown = [name for name in names if name not in MUTANTS]
    if unknown:
        print(f"not planted faults: {unknown}; there are {list(MUTANTS)}", file=sys.stderr)
        return 2
    started_s = time.perf_counter()
    hidden = 0
    for name in names:
        found = find(name)
        hidden += found is None
        said = "NOT FOUND" if found is None else f"seed {found[0]}: {found[1][:90]}"
        print(f"{name:20} {said}", flush=True)
    took_s = time.perf_counter() - started_s
    print(f"{len(names)} planted faults, {hidden} not found, in {took_s:.0f} s")
    return 1 if hidden else 0


if __name__ == "__main__":
    sys.exit(main())
