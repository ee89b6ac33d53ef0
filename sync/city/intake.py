"""Takes one upload in: what it brings is checked piece by piece, and written in few statements.

All of it runs within one turn of its kiosk, so nothing of that kiosk changes meanwhile.
"""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from sync import wire, wire_pb2
from sync.city.lanes import Lanes, LaneState
from sync.city.store import NUL_INSTEAD
from sync.city.tables import Latest, NewSegment, Tables
from sync.city.times import Times
from sync.entry import Lane, Stream, SyncError


class SchemaUnknownError(SyncError):
    """A segment names a dictionary that the city does not have: put it, then try again."""


class ForkError(SyncError):
    """Two writers have used the same seqs of one epoch: the second needs an epoch of its own."""


class _Span(NamedTuple):
    """How far a boot reaches in a lane."""

    first_seq: int
    last_seq: int
    last_ms: int


class Intake:
    """One upload of one kiosk, while it is taken in."""

    def __init__(self, tables: Tables, times: Times, lanes: Lanes, kiosk: str, now_ms: int) -> None:
        self._tables = tables
        self._times = times
        self._lanes = lanes
        self._kiosk = kiosk
        self._now_ms = now_ms
        self._touched: dict[tuple[Lane, bytes], LaneState] = {}
        self._new: dict[tuple[int, int], NewSegment] = {}  # By lane and first seq,
        self._ends: dict[tuple[int, int], NewSegment] = {}  # and by lane and last seq.
        self._latest: dict[str, Latest] = {}
        self._spans: dict[tuple[int, str], _Span] = {}
        self._schemas: dict[bytes, tuple[Stream, ...]] = {}

    def take(self, segment: wire.Segment, body: bytes) -> str:
        """Take one segment; where it has to be kept aside, why.

        Raises `ForkError`, `SchemaUnknownError`.
        """
        lane = self._lane(segment.lane, segment.epoch)
        digest = wire.sha256(body)
        if lane.got.touches(segment.first_seq, segment.last_seq):
            return self._again(lane, segment, digest)
        self._check_links(lane, segment, digest)
        try:
            newest = self._newest_values(lane, segment)
        except wire.WireError as error:
            return self._keep_aside(lane, segment, body, str(error))
        first, entries = segment.first_seq, segment.entries
        new = NewSegment(lane.id, first, entries, digest, self._now_ms, body)
        self._new[lane.id, first] = self._ends[lane.id, segment.last_seq] = new
        lane.got.add(first, segment.last_seq)
        self._note_boot(lane, segment, newest)
        for value in newest:
            old = self._latest.get(value.stream)
            if old is None or (old.lane, old.seq) < (value.lane, value.seq):
                self._latest[value.stream] = value
        return ""

    def lose(self, lost: wire_pb2.Lost) -> None:
        """Note what the kiosk could not keep."""
        lane = self._lane(Lane(lost.lane), lost.epoch)
        lane.lost.add(lost.range.first, lost.range.last)
        lane.reasons[f"{lost.range.first}-{lost.range.last}"] = lost.reason

    def finish(self) -> list[wire_pb2.LaneAtCity]:
        """Write everything; what the kiosk is told once that is committed."""
        self._tables.segment_rows.write(list(self._new.values()))
        for (lane_id, boot), span in self._spans.items():
            self._times.note_boot(lane_id, boot, *span)
        for lane in self._touched.values():
            self._lanes.keep(lane, self._now_ms)
        self._keep_latest()
        return [self._lanes.answer(lane) for lane in self._touched.values()]

    def _lane(self, lane: Lane, epoch: bytes) -> LaneState:
        found = self._touched.get((lane, epoch))
        if found is None:
            found = self._touched[lane, epoch] = self._lanes.find(self._kiosk, lane, epoch)
        return found

    def _again(self, lane: LaneState, segment: wire.Segment, digest: bytes) -> str:
        """See that what comes for seqs that are here is what is here. Raises `ForkError`."""
        new = self._new.get((lane.id, segment.first_seq))
        twin = new or self._lanes.beginning_at(lane, segment.first_seq)
        if twin is not None and bytes(twin.sha256) == digest:
            return ""  # Sent again, since the answer was lost: it is already here.
        kept = self._tables.quarantine
        aside = kept.get_or_none((kept.lane == lane.id) & (kept.sha256 == digest))
        if aside is not None:
            return str(aside.reason)
        raise _fork(segment, "other content is stored for these seqs")

    def _check_links(self, lane: LaneState, segment: wire.Segment, digest: bytes) -> None:
        """See that a segment and its stored neighbours are of one chain. Raises `ForkError`.

        What fits between the seqs of another writer must not look like his: a kiosk that sees
        the hash at the end of a range trusts all that is before it.
        """
        if segment.previous == wire.UNLINKED:
            return
        seq = segment.first_seq - 1
        before: Any = self._ends.get((lane.id, seq))
        if before is None and lane.got.covers(seq, seq):
            before = self._lanes.ending_at(lane, seq)
        if (
            before is not None
            and bytes(before.sha256) != segment.previous
            and self._previous(before) != wire.UNLINKED
        ):
            raise _fork(segment, "the segment before is of another chain")
        seq = segment.last_seq + 1
        behind: Any = self._new.get((lane.id, seq))
        if behind is None and lane.got.covers(seq, seq):
            behind = self._lanes.beginning_at(lane, seq)
        if behind is not None and self._previous(behind) not in (wire.UNLINKED, digest):
            raise _fork(segment, "the segment behind is of another chain")

    def _previous(self, stored: Any) -> bytes:
        body = stored.body if isinstance(stored, NewSegment) else self._lanes.body(stored.id)
        previous: bytes = wire.decode_segment(body).previous
        return previous

    def _keep_aside(self, lane: LaneState, segment: wire.Segment, body: bytes, reason: str) -> str:
        self._tables.quarantine.create(
            lane=lane.id,
            first_seq=segment.first_seq,
            entries=segment.entries,
            sha256=wire.sha256(body),
            received_ms=self._now_ms,
            reason=reason,
            body=body,
        )
        lane.got.add(segment.first_seq, segment.last_seq)
        return reason

    def _newest_values(self, lane: LaneState, segment: wire.Segment) -> list[Latest]:
        """Decode a segment whole, so that nothing unreadable is stored as good."""
        if segment.lane is Lane.EVENTS:
            wire.segment_events(segment)
            return []
        streams = self._schema(segment.schema)
        newest = {row.stream: row for row in wire.segment_rows(segment)}
        boot = segment.boot.hex()
        entries = [wire.to_entry(row, streams, boot) for row in newest.values()]
        return [
            Latest(
                self._kiosk,
                _storable(entry.stream.name),
                lane.id,
                entry.seq,
                boot,
                entry.at_ms,
                json.dumps(entry.value),
                entry.stream.unit,
                entry.quality,
                entry.stream.simulated,
                self._now_ms,
            )
            for entry in entries
        ]

    def _schema(self, prefix: bytes) -> tuple[Stream, ...]:
        """Not kept beyond the upload: a database that was restored may lack it."""
        streams = self._schemas.get(prefix)
        if streams is None:
            streams = find_schema(self._tables, self._kiosk, prefix)
            self._schemas[prefix] = streams
        return streams

    def _note_boot(self, lane: LaneState, segment: wire.Segment, newest: list[Latest]) -> None:
        place = lane.id, segment.boot.hex()
        latest_ms = max((value.at_ms for value in newest), default=0)
        new = _Span(segment.first_seq, segment.last_seq, latest_ms)
        old = self._spans.get(place, new)
        self._spans[place] = _Span(
            min(old.first_seq, new.first_seq),
            max(old.last_seq, new.last_seq),
            max(old.last_ms, new.last_ms),
        )

    def _keep_latest(self) -> None:
        table = self._tables.latest
        query: Any = table.select(table.stream, table.lane, table.seq)
        rows = query.where(table.kiosk == self._kiosk).tuples()
        kept = {stream: (lane, seq) for stream, lane, seq in rows}
        newer = [
            value
            for value in self._latest.values()
            if kept.get(value.stream, (0, 0)) < (value.lane, value.seq)
        ]
        self._tables.latest_rows.write(newer)


def find_schema(tables: Tables, kiosk: str, prefix: bytes) -> tuple[Stream, ...]:
    """A kiosk's dictionary of streams. Raises `SchemaUnknownError`."""
    body = schema_body(tables, kiosk, prefix)
    if body is None:
        raise SchemaUnknownError(prefix.hex())
    return wire.decode_schema(body)


def schema_body(tables: Tables, kiosk: str, prefix: bytes) -> bytes | None:
    """The bytes of a kiosk's dictionary."""
    table = tables.schema
    row = table.get_or_none((table.kiosk == kiosk) & (table.prefix == prefix))
    return None if row is None else bytes(row.body)


def _storable(name: str) -> str:
    """The name as every database keeps it, or it would not be found again."""
    return name.replace("\0", NUL_INSTEAD)


def _fork(segment: wire.Segment, why: str) -> ForkError:
    lane, first, last = segment.lane.name.lower(), segment.first_seq, segment.last_seq
    return ForkError(f"{lane} {first} to {last} of epoch {segment.epoch.hex()}: {why}")
