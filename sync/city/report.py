"""What the operator reads: the fleet, and what happened at the kiosks."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

from sync import wire
from sync.city.events import Happened
from sync.city.lanes import LaneState
from sync.city.registry import Registry
from sync.city.tables import Tables
from sync.city.times import Times
from sync.entry import Lane

PAGE_ROWS = 256  # Segments of events that are in RAM at once.


class Reports:
    """Reads the archive's tables for people. Runs on its threads."""

    def __init__(
        self, tables: Tables, times: Times, registry: Registry, wall_ms: Callable[[], int]
    ) -> None:
        self._tables = tables
        self._times = times
        self._registry = registry
        self._wall_ms = wall_ms

    def fleet(self) -> list[dict[str, Any]]:
        """Every kiosk, in the order of their ids."""
        tables = self._tables
        now_ms = self._wall_ms()
        fleet = []
        # Sorted here: each database has an order of letters of its own.
        for kiosk in sorted(tables.kiosk.select(), key=lambda row: str(row.id)):
            streams = self._streams_of(kiosk.id)
            lanes = tables.lane.select().where(tables.lane.kiosk == kiosk.id)
            fleet.append(
                {
                    "kiosk": kiosk.id,
                    "name": kiosk.name,
                    "software": kiosk.software,
                    "last_seen_utc_ms": kiosk.last_seen_ms,
                    "last_seen_s": (now_ms - kiosk.last_seen_ms) / 1000,
                    "lanes": [
                        self._lane_report(row, now_ms, streams)
                        for row in lanes.order_by(tables.lane.id)
                    ],
                    "streams": streams,
                    "times_not_believed": self._times.report(kiosk.id),
                    **self._registry.report(kiosk.id),
                }
            )
        return fleet

    def _lane_report(self, row: Any, now_ms: int, streams: list[dict[str, Any]]) -> dict[str, Any]:
        lane, table = LaneState(row), self._tables.quarantine
        aside = table.select().where(table.lane == row.id).order_by(table.id)
        return {
            "lane": Lane(row.lane).name.lower(),
            "epoch": row.epoch,
            "got": [list(found) for found in lane.got],
            "lost": [list(found) for found in lane.lost],
            "lost_reasons": lane.reasons,
            "safe": lane.got.without_hole(),
            "entries": lane.got.count(),
            "alert": row.alert,
            "quarantined": [
                {"first": row.first_seq, "entries": row.entries, "reason": row.reason}
                for row in aside
            ],
            "last_seen_utc_ms": row.last_seen_ms,
            "last_seen_s": (now_ms - row.last_seen_ms) / 1000 if row.last_seen_ms else None,
            "streams": [stream["stream"] for stream in streams if stream["lane"] == row.id],
        }

    def _streams_of(self, kiosk: str) -> list[dict[str, Any]]:
        table = self._tables.latest
        query = table.select().where(table.kiosk == kiosk)
        streams = []
        for row in sorted(query, key=lambda row: str(row.stream)):
            anchor = self._times.bind(kiosk, row.lane, row.boot, row.at_ms, row.received_ms)
            streams.append(
                {
                    "stream": row.stream,
                    "value": json.loads(row.value),
                    "unit": row.unit,
                    "quality": row.quality,
                    "simulated": row.simulated,
                    "seq": row.seq,
                    "lane": row.lane,
                    "utc_ms": anchor.utc_at(row.at_ms) if anchor else None,
                    "error_ms": anchor.error_at(row.at_ms) if anchor else None,
                    "time_source": anchor.source if anchor else None,
                }
            )
        return streams

    def events(self, kinds: frozenset[str], kiosk: str, limit: int) -> list[Happened]:
        """The newest of these kinds, the newest first."""
        found: list[Happened] = []
        for row in self._event_segments(kiosk):
            for event in reversed(wire.segment_events(wire.decode_segment(bytes(row.body)))):
                if kinds and event.kind not in kinds:
                    continue
                owner, at_ms = str(row.lane.kiosk_id), event.at_ms
                anchor = self._times.bind(owner, row.lane.id, event.boot, at_ms, row.received_ms)
                found.append(
                    Happened(
                        owner,
                        row.lane.epoch,
                        event.seq,
                        event.kind,
                        event.body,
                        anchor.utc_at(at_ms) if anchor else None,
                        anchor.error_at(at_ms) if anchor else None,
                        row.received_ms,
                    )
                )
                if len(found) >= limit:
                    return found
        return found

    def _event_segments(self, kiosk: str) -> Iterator[Any]:
        """Stored segments of events, the newest first. PostgreSQL hands over all it is asked."""
        table, lanes = self._tables.segment, self._tables.lane
        query = table.select(table, lanes).join(lanes).where(lanes.lane == Lane.EVENTS)
        if kiosk:
            query = query.where(lanes.kiosk == kiosk)
        page: list[Any] = list(query.order_by(table.id.desc()).limit(PAGE_ROWS))
        while page:
            yield from page
            older = query.where(table.id < page[-1].id)
            page = list(older.order_by(table.id.desc()).limit(PAGE_ROWS))
