"""The lanes of all kiosks: which seqs have come, which are lost, and how the chain stands."""

from __future__ import annotations

import json
from typing import Any

from sync import wire_pb2
from sync.city.tables import Tables
from sync.entry import Lane
from sync.ranges import Ranges


class LaneState:
    """One lane of one epoch while it is worked on."""

    def __init__(self, row: Any) -> None:
        self.id: int = row.id
        self.lane = Lane(row.lane)
        self.epoch = bytes.fromhex(row.epoch)
        self.got = Ranges(json.loads(row.got))
        self.lost = Ranges(json.loads(row.lost))
        self.reasons: dict[str, str] = json.loads(row.reasons)


class Lanes:
    """Finds lanes and their segments, and writes down how they are. Runs within a turn."""

    def __init__(self, tables: Tables) -> None:
        self._tables = tables
        self._segment = tables.segment

    def find(self, kiosk: str, lane: Lane, epoch: bytes) -> LaneState:
        """A kiosk's lane, which is made where it is new."""
        table = self._tables.lane
        wanted = (table.kiosk == kiosk) & (table.lane == lane) & (table.epoch == epoch.hex())
        row = table.get_or_none(wanted)
        if row is None:
            row = table.create(kiosk=kiosk, lane=int(lane), epoch=epoch.hex())
        return LaneState(row)

    def keep(self, lane: LaneState, now_ms: int) -> None:
        """Write down what has come of a lane, and what is lost."""
        table = self._tables.lane
        query = table.update(
            got=json.dumps(list(lane.got)),
            lost=json.dumps(list(lane.lost)),
            reasons=json.dumps(lane.reasons),
            last_seen_ms=now_ms,
        )
        query.where(table.id == lane.id).execute()

    def alert(self, lane: LaneState, what: str) -> None:
        """Let the operator know that a lane needs a person."""
        table = self._tables.lane
        table.update(alert=what).where(table.id == lane.id).execute()

    def answer(self, lane: LaneState) -> wire_pb2.LaneAtCity:
        """What the kiosk is told of one lane. There is no other ack yet, so `safe` is `got`."""
        return wire_pb2.LaneAtCity(
            lane=wire_pb2.Lane.Name(lane.lane),
            epoch=lane.epoch,
            got=[wire_pb2.Range(first=first, last=last) for first, last in lane.got],
            safe=lane.got.without_hole(),
            chain=[self.chain_at(lane, last) or b"" for _, last in lane.got],
            lost=[wire_pb2.Range(first=first, last=last) for first, last in lane.lost],
        )

    def chain_at(self, lane: LaneState, seq: int) -> bytes | None:
        """SHA-256 of the stored segment that ends at `seq`; None where none ends there."""
        row = self.ending_at(lane, seq)
        return None if row is None else bytes(row.sha256)

    def ending_at(self, lane: LaneState, seq: int) -> Any:
        """The stored segment that ends at `seq`, without its body; None where none does."""
        query = self._heads().where(
            (self._segment.lane == lane.id) & (self._segment.first_seq <= seq)
        )
        row = query.order_by(self._segment.first_seq.desc()).first()
        return row if row is not None and row.first_seq + row.entries - 1 == seq else None

    def beginning_at(self, lane: LaneState, seq: int) -> Any:
        """The stored segment that begins at `seq`, without its body; None where none does."""
        wanted = (self._segment.lane == lane.id) & (self._segment.first_seq == seq)
        return self._heads().where(wanted).first()

    def _heads(self) -> Any:
        table = self._segment
        return table.select(table.id, table.first_seq, table.entries, table.sha256)

    def body(self, segment_id: int) -> bytes:
        """The bytes of a stored segment."""
        return bytes(self._segment.get_by_id(segment_id).body)
