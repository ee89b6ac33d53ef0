"""Epochs that have ended: what is left to send of them, and what the kiosk still answers for.

An epoch ends when the card has damaged its file, or when another writer has used it. What could
be salvaged waits in tables until the city has it. After that the kiosk has nothing of the epoch
any more, but still answers for it: a city that goes back to a backup may lack what it had, and
only who remembers that can declare it lost. This memory is a plain file beside the database,
since the next damage takes the database.

Line:  CRC-32 of the rest, 8 hex digits | blank | {"epoch": hex, "lanes": {lane: [[first, last]]}}
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from sync import wire
from sync.entry import Anchor, Lane, Lost, StoredSegment
from sync.journal_tables import Tables, add_lost, crc, fitting, stored_segment
from sync.orm import SqliteDatabase
from sync.ranges import Ranges
from sync.salvage import Saved
from sync.wire import Segment

DAMAGED = "damaged"  # Folder of journals that were set aside, one numbered folder for each.
FILE = "journal.epochs"
PORTION = 32  # Segments in one transaction: all of a large journal would not fit into the log.
CLOSED_MAX = 32  # The newest: each costs 80 bytes of every hello.
FORGOTTEN = "acked and deleted, then lost by the city"
UNREADABLE = "the card was damaged"

AnswersFor = dict[Lane, Ranges]


class ClosedEpochs:
    """Epochs of which the city has heard everything, and what the kiosk answers for in each."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lines = 0
        self.epochs: dict[bytes, AnswersFor] = {}

    def load(self) -> None:
        """Read the file, as far as the card gives it back."""
        self.epochs, self._lines = {}, 0
        try:
            lines = self._path.read_bytes().splitlines()
        except OSError:
            return  # There has been none, mostly.
        for line in filter(None, lines):
            self._lines += 1
            check, _, text = line.partition(b" ")
            if check == _check(text):
                kept = json.loads(text)
                self._remember(bytes.fromhex(kept["epoch"]), _by_lane(kept["lanes"]))

    def add(self, epoch: bytes, answers: AnswersFor, *, memory: bool = False) -> None:
        """Remember an epoch for good, or with `memory` until the power goes. Raises `OSError`."""
        if not memory:
            self._write("ab", [_line(epoch, answers)])
            self._lines += 1
        self._remember(epoch, answers)
        if self._lines > 2 * CLOSED_MAX and not memory:
            self._write("wb", [_line(*each) for each in self.epochs.items()])
            self._lines = len(self.epochs)

    def _remember(self, epoch: bytes, answers: AnswersFor) -> None:
        known = self.epochs.pop(epoch, {})
        for lane, found in known.items():
            answers[lane] = Ranges([*answers.get(lane, ()), *found])
        self.epochs[epoch] = answers
        for oldest in list(self.epochs)[:-CLOSED_MAX]:
            del self.epochs[oldest]

    def _write(self, mode: str, lines: list[bytes]) -> None:
        path = self._path if mode == "ab" else self._path.with_suffix(".new")
        with path.open(mode) as file:
            # A line that a power cut has torn ends here, whatever it was.
            file.write(b"\n" + b"\n".join(lines) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        path.replace(self._path)
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _by_lane(lanes: Mapping[str, Iterable[tuple[int, int]]]) -> AnswersFor:
    """Ranges as `_as_json` has written them."""
    return {Lane(int(lane)): Ranges(found) for lane, found in lanes.items()}


def _as_json(ranges: AnswersFor) -> dict[str, list[tuple[int, int]]]:
    return {str(int(lane)): list(found) for lane, found in ranges.items()}


def _line(epoch: bytes, answers: AnswersFor) -> bytes:
    text = json.dumps({"epoch": epoch.hex(), "lanes": _as_json(answers)}).encode()
    return _check(text) + b" " + text


def _check(text: bytes) -> bytes:
    return b"%08x" % zlib.crc32(text)


class OldEpoch:
    """A journal that was set aside, as far as it could be read."""

    def __init__(self, highest: Mapping[Lane, int]) -> None:
        self.highest = dict(highest)
        self.moved: AnswersFor = {}  # Seqs that were ours, and are another writer's now.
        self.done: set[Lane] = set()  # Lanes of which the city has told what it has.

    def answers_for(self, lane: Lane) -> Ranges:
        """Seqs that the city has from here, or has to be told of."""
        highest = self.highest.get(lane, 0)
        whole = Ranges([(1, highest)] if highest else [])
        return whole - self.moved.get(lane, Ranges())


class OldEpochs:
    """All ended epochs of one state folder. All methods run on the SQL thread."""

    def __init__(self, folder: Path, database: SqliteDatabase, tables: Tables) -> None:
        self.open: dict[bytes, OldEpoch] = {}  # Something of these is left to send or to tell.
        self.closed = ClosedEpochs(folder)
        self._aside = folder / DAMAGED
        self._database = database
        self._tables = tables

    def load(self) -> None:
        """Take up what an earlier run knew."""
        self.open = {}
        fact = self._tables.fact
        for row in fact.select().where(fact.key.startswith("old:")):
            highest = json.loads(bytes(row.value))
            epoch = bytes.fromhex(row.key.removeprefix("old:"))
            self.open[epoch] = OldEpoch({Lane(int(lane)): seq for lane, seq in highest.items()})
        for row in fact.select().where(fact.key.startswith("moved:")):
            epoch = bytes.fromhex(row.key.removeprefix("moved:"))
            self.open[epoch].moved = _by_lane(json.loads(bytes(row.value)))
        self.closed.load()

    # --- folders of damaged journals -----------------------------------------------------------

    def set_aside(self, files: Iterable[Path], why: str) -> None:
        """Move the files of a damaged journal to a folder of their own."""
        number = 1 + max((int(old.name) for old in self._aside.glob("[0-9]*")), default=0)
        target = self._aside / str(number)
        # What was salvaged before and is not at the city goes down with this file, so it is
        # salvaged again. First of all: a start that is cut off after the move does not return here.
        for done in self._aside.glob("[0-9]*/done"):
            done.unlink()
        target.mkdir(parents=True)
        for file in files:
            if file.exists():
                file.rename(target / file.name)
        (target / "why").write_text(why, encoding="utf-8")

    def to_salvage(self) -> list[Path]:
        """Folders of damaged journals that have not been salvaged yet, oldest first."""
        found = sorted(self._aside.glob("[0-9]*"), key=lambda path: int(path.name))
        return [path for path in found if not (path / "done").exists()]

    def add_saved(self, saved: Saved, source: Path, anchors: list[Anchor], lost: list[Lost]) -> int:
        """Queue what a damaged journal still held under its old epoch; how many segments.

        What it knew of boots and of losses of still older epochs is added to `anchors`, `lost`.
        """
        new_anchors = [anchor for anchor in saved.anchors if anchor not in anchors]
        new_lost = [each for each in saved.lost if each.epoch != saved.epoch and each not in lost]
        self._add_segments(saved)
        with self._database.atomic():
            for body in saved.schemas:
                self._tables.saved_schema.create(body=body)
            for anchor in new_anchors:
                self._tables.anchor.create(**anchor._asdict(), crc=crc(*anchor))
            add_lost(self._tables, new_lost)
            if saved.epoch is not None:
                self._note_old(saved.epoch, saved.highest)
        anchors.extend(new_anchors)
        lost.extend(new_lost)
        if saved.epoch is not None:
            self.open[saved.epoch] = OldEpoch(saved.highest)
        (source / "done").write_text(saved.epoch.hex() if saved.epoch else "", encoding="utf-8")
        return len(saved.segments)

    def _add_segments(self, saved: Saved) -> None:
        table = self._tables.saved
        mine = table.select(table.lane, table.first_seq).where(table.epoch == saved.epoch)
        # A salvage that was cut off, or found no room, had come so far.
        have = {(row.lane, row.first_seq) for row in mine}
        rest = [(key, body) for key, body in saved.segments.items() if key not in have]
        for start in range(0, len(rest), PORTION):
            with self._database.atomic():
                for _, body in rest[start : start + PORTION]:
                    self._add_saved_segment(wire.decode_segment(body), body)

    def part(
        self,
        epoch: bytes,
        gone: Iterable[Segment],
        ours: bytes,
        fresh: Iterable[tuple[Segment, bytes]],
    ) -> None:
        """Put `fresh` segments and their bytes, of epoch `ours`, in the place of these."""
        tables, old = self._tables, self.open[epoch]
        moved = {lane: Ranges(found) for lane, found in old.moved.items()}
        highest = dict.fromkeys(Lane, 0)
        with self._database.atomic():
            for segment in gone:
                moved.setdefault(segment.lane, Ranges()).add(segment.first_seq, segment.last_seq)
                tables.saved.delete().where(
                    (tables.saved.epoch == epoch)
                    & (tables.saved.lane == segment.lane)
                    & (tables.saved.first_seq == segment.first_seq)
                ).execute()
            for segment, body in fresh:
                self._add_saved_segment(segment, body)
                highest[segment.lane] = segment.last_seq
            value = json.dumps(_as_json(moved)).encode()
            tables.fact.replace(key=f"moved:{epoch.hex()}", value=value).execute()
            if any(highest.values()):
                self._note_old(ours, highest)
        old.moved = moved
        if any(highest.values()):
            self.open[ours] = OldEpoch(highest)

    def _note_old(self, epoch: bytes, highest: Mapping[Lane, int]) -> None:
        value = json.dumps({str(int(lane)): seq for lane, seq in highest.items()})
        self._tables.fact.replace(key=f"old:{epoch.hex()}", value=value.encode()).execute()

    def _add_saved_segment(self, segment: Segment, body: bytes) -> None:
        self._tables.saved.create(
            epoch=segment.epoch,
            lane=segment.lane,
            first_seq=segment.first_seq,
            count=segment.entries,
            sha256=wire.sha256(body),
            body=body,
        )

    # --- what is left to send and to tell ------------------------------------------------------

    def read_saved(self, epoch: bytes, limit: int, bytes_max: int) -> list[StoredSegment]:
        """Salvaged segments of an old epoch, events first."""
        table = self._tables.saved
        query = table.select().where(table.epoch == epoch).order_by(table.lane, table.first_seq)
        return [stored_segment(row) for row in fitting(query.limit(limit), bytes_max)]

    def learn(self, epoch: bytes, lane: Lane, got: Ranges, told: Ranges, lost: list[Lost]) -> None:
        """The city has `got` of an old epoch's lane: forget that, declare what nobody has.

        It has been told of `told`, and is going to be told of `lost`, which grows.
        """
        there = Ranges([*got, *told])
        for each in lost:
            if (each.epoch, each.lane) == (epoch, lane):
                there.add(each.first, each.last)
        old = self.open.get(epoch)
        with self._database.atomic():
            if old is None:
                wanted = self.closed.epochs[epoch].get(lane, Ranges())
            else:
                wanted = old.answers_for(lane)
                self._forget_saved(epoch, lane, got, there)
            # What was there once, and is not, the city has lost.
            reason = UNREADABLE if old is not None and lane not in old.done else FORGOTTEN
            losses = [Lost(epoch, lane, first, last, reason) for first, last in wanted - there]
            add_lost(self._tables, losses)
        lost.extend(losses)
        if old is not None:
            old.done.add(lane)

    def _forget_saved(self, epoch: bytes, lane: Lane, got: Ranges, there: Ranges) -> None:
        """Delete what the city has; what is left is `there`, too."""
        table = self._tables.saved
        mine = (table.epoch == epoch) & (table.lane == lane)
        for row in list(table.select(table.id, table.first_seq, table.count).where(mine)):
            last = row.first_seq + row.count - 1
            if got.covers(row.first_seq, last):
                table.delete().where(table.id == row.id).execute()
            there.add(row.first_seq, last)

    def close(self, epoch: bytes, lost: list[Lost]) -> bool:
        """Close an old epoch when nothing of it is left to tell; whether it was closed."""
        tables, old = self._tables, self.open.get(epoch)
        if old is None or len(old.done) < len(Lane) or any(each.epoch == epoch for each in lost):
            return False
        if tables.saved.select().where(tables.saved.epoch == epoch).exists():
            return False
        answers = {lane: found for lane in old.highest if (found := old.answers_for(lane))}
        if answers:
            try:
                self.closed.add(epoch, answers)
            except OSError:
                return False  # A full card. It stays open, and is asked about again.
        with self._database.atomic():
            tables.fact.delete_by_id(f"old:{epoch.hex()}")
            tables.fact.delete_by_id(f"moved:{epoch.hex()}")
            if len(self.open) == 1:
                tables.saved_schema.delete().execute()
        del self.open[epoch]
        # Only now: were this file damaged as well, the folder would be needed once more.
        for done in self._aside.glob("[0-9]*/done"):
            if done.read_text(encoding="utf-8") == epoch.hex():
                shutil.rmtree(done.parent, ignore_errors=True)
        return True
