"""The city's archive: every segment as the kiosk encoded it, and what of each lane has come.

Segments are the truth. A segment, the range it covers and the newest values it brings are
written in one transaction, and only then answered: what a kiosk has been told is stored, is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from sync import wire, wire_pb2
from sync.city.events import Happened
from sync.city.intake import ForkError, Intake, SchemaUnknownError, schema_body
from sync.city.lanes import Lanes
from sync.city.registry import Registry
from sync.city.report import Reports
from sync.city.store import FILE, ArchiveError, AwayError, SqliteStore, Store, open_store
from sync.city.tables import Tables
from sync.city.times import Times
from sync.entry import Anchor, Lane
from sync.orm import SqliteDatabase
from sync.ranges import Ranges
from sync.sql_thread import SqlThread

__all__ = [
    "FILE",
    "Archive",
    "ArchiveError",
    "AwayError",
    "ForkError",
    "SchemaUnknownError",
    "Taken",
]

KIOSK_MAX = 64  # Characters of a kiosk's id.

# Verdicts that need no person.
QUIET = (wire_pb2.VERDICT_NORMAL, wire_pb2.VERDICT_ACK_WAS_LOST)


class Taken(NamedTuple):
    """What became of an upload."""

    lanes: list[wire_pb2.LaneAtCity]
    quarantined: list[wire_pb2.Quarantined]


class Archive:
    """All kiosks' data, in one file or on PostgreSQL. Made by `open`."""

    def __init__(self, folder: Path, wall_ms: Callable[[], int], store: Store) -> None:
        self._folder = folder
        self._wall_ms = wall_ms
        self._store = store
        self._thread = store.thread
        self._database = store.database
        self._tables = Tables(self._database)
        self._times = Times(self._database)
        self._lanes = Lanes(self._tables)
        self.registry = Registry(store, wall_ms, self._note_kiosk)
        self._reports = Reports(self._tables, self._times, self.registry, wall_ms)

    @classmethod
    async def open(
        cls,
        folder: Path,
        address: str = "",
        *,
        wall_ms: Callable[[], int] | None = None,
        database: SqliteDatabase | None = None,
        thread: SqlThread | None = None,
    ) -> Archive:
        """Open or make the archive in `folder`, or at `address`. Raises `ArchiveError`.

        `wall_ms`, `database` and `thread` are where it touches the world: a simulation brings
        its own.
        """
        store: Store
        if database is None and thread is None:
            store = open_store(folder, address)
        else:
            store = SqliteStore(folder / FILE, database, thread)
        archive = cls(folder, wall_ms or (lambda: time.time_ns() // 1_000_000), store)
        try:
            await archive._thread.run(archive._open)
        except BaseException:
            await archive.close()
            raise
        return archive

    def utc_ms(self) -> int:
        """The city's clock."""
        return self._wall_ms()

    @property
    def folder(self) -> Path:
        """Where the city keeps its state."""
        return self._folder

    @property
    def name(self) -> str:
        """Where the archive is, as people are told."""
        return self._store.name

    async def close(self) -> None:
        """Let the database go."""
        await self._store.close()

    def _open(self) -> None:
        self._store.open([*self._tables.all(), *self._times.tables(), *self.registry.tables()])

    async def agree(self, fact: str, ours: str) -> str:
        """What all receivers on this database hold for true; `ours` where nobody said so yet."""
        return await self._thread.run(self._store.agree, fact, ours)

    # --- what kiosks bring -----------------------------------------------------------------------

    async def hello(self, hello: wire_pb2.HelloRequest) -> list[wire_pb2.LaneAtCity]:
        """Note that a kiosk is there; what the city has of its lanes. Raises `WireError`."""
        _check_kiosk(hello.kiosk)
        for at_kiosk in hello.lanes:
            _check_lane(at_kiosk.lane, at_kiosk.epoch)
        anchors = [wire.decode_anchor(anchor) for anchor in hello.anchors]
        return await self._thread.run(self._hello, hello, anchors)

    def _hello(
        self, hello: wire_pb2.HelloRequest, anchors: list[Anchor]
    ) -> list[wire_pb2.LaneAtCity]:
        with self._store.turn(hello.kiosk):
            self._note_kiosk(hello.kiosk, name=hello.name, software=hello.software)
            self._times.take(hello.kiosk, anchors, self._wall_ms())
            return [self._judge(hello.kiosk, at_kiosk) for at_kiosk in hello.lanes]

    def _judge(self, kiosk: str, at_kiosk: wire_pb2.LaneAtKiosk) -> wire_pb2.LaneAtCity:
        """Compare one lane at both ends, as the table of verdicts has it."""
        lane = self._lanes.find(kiosk, Lane(at_kiosk.lane), at_kiosk.epoch)
        answer = self._lanes.answer(lane)
        chain = self._lanes.chain_at(lane, min(at_kiosk.got, wire.SEQ_MAX))
        answer.verdict = _verdict(at_kiosk, lane.got, chain)
        if answer.verdict not in QUIET:
            name = wire_pb2.Verdict.Name(answer.verdict).removeprefix("VERDICT_").lower()
            self._lanes.alert(lane, name)
        return answer

    async def lacks(self, kiosk: str, prefixes: Iterable[bytes]) -> list[bytes]:
        """Those dictionaries of a kiosk that the city does not have."""
        return [prefix for prefix in prefixes if await self.schema(kiosk, prefix) is None]

    async def put_schema(self, kiosk: str, digest: bytes, body: bytes) -> None:
        """Keep a kiosk's dictionary of streams. Raises `WireError`."""
        _check_kiosk(kiosk)
        if wire.sha256(body) != digest:
            raise wire.WireError(f"this schema's hash is {wire.sha256(body).hex()}")
        wire.decode_schema(body)
        prefix = digest[: wire.SCHEMA_BYTES]
        await self._thread.run(self._put_schema, kiosk, prefix, body)

    def _put_schema(self, kiosk: str, prefix: bytes, body: bytes) -> None:
        table = self._tables.schema
        with self._store.turn(kiosk):
            self._note_kiosk(kiosk)
            table.insert(kiosk=kiosk, prefix=prefix, body=body).on_conflict_ignore().execute()

    async def take(self, upload: wire_pb2.Upload) -> Taken:
        """Store an upload, whole or not at all.

        Raises `WireError` where its frame is wrong, `SchemaUnknownError`, `ForkError`, and
        `AwayError`. A segment that is well framed is never refused for its content: it is kept
        aside, acked, and said.
        """
        _check_kiosk(upload.kiosk)
        segments = [(wire.decode_segment(body), body) for body in upload.segments]
        anchors = [wire.decode_anchor(anchor) for anchor in upload.anchors]
        for lost in upload.lost:
            _check_lane(lost.lane, lost.epoch)
            if not 1 <= lost.range.first <= lost.range.last <= wire.SEQ_MAX:
                raise wire.WireError(f"no range: {lost.range.first} to {lost.range.last}")
        try:
            return await self._thread.run(self._take, upload, segments, anchors)
        except ForkError:
            await self._thread.run(self._alert_fork, upload.kiosk, segments)
            raise

    def _alert_fork(self, kiosk: str, segments: list[tuple[wire.Segment, bytes]]) -> None:
        with self._store.turn(kiosk):
            self._note_kiosk(kiosk)  # Its first upload was taken back with all that it made.
            for lane, epoch in {(segment.lane, segment.epoch) for segment, _ in segments}:
                self._lanes.alert(self._lanes.find(kiosk, lane, epoch), "fork")

    def _take(
        self,
        upload: wire_pb2.Upload,
        segments: list[tuple[wire.Segment, bytes]],
        anchors: list[Anchor],
    ) -> Taken:
        kiosk, now_ms = upload.kiosk, self._wall_ms()
        quarantined = []
        with self._store.turn(kiosk):
            self._note_kiosk(kiosk)
            self._times.take(kiosk, anchors, now_ms)
            intake = Intake(self._tables, self._times, self._lanes, kiosk, now_ms)
            for segment, body in segments:
                reason = intake.take(segment, body)
                if reason:
                    quarantined.append(_quarantined(segment, reason))
            for lost in upload.lost:
                intake.lose(lost)
            answers = intake.finish()
        return Taken(answers, quarantined)

    def _note_kiosk(self, kiosk: str, *, name: str = "", software: str = "") -> None:
        table = self._tables.kiosk
        now_ms = self._wall_ms()
        seen: dict[str, Any] = {"last_seen_ms": now_ms}
        if name:
            seen["name"] = name[: wire.TEXT_MAX]
        if software:
            seen["software"] = software[: wire.TEXT_MAX]
        if not table.update(**seen).where(table.id == kiosk).execute():
            table.create(id=kiosk, first_seen_ms=now_ms, **{"name": "", "software": ""} | seen)

    # --- what the operator reads ---------------------------------------------------------------

    async def count(self) -> int:
        """How many kiosks there are."""
        kiosks: int = await self._thread.run(self._tables.kiosk.select().count)
        return kiosks

    async def fleet(self) -> list[dict[str, Any]]:
        """Every kiosk: its lanes with what has come and what is lost, and its newest values."""
        return await self._thread.run(self._reports.fleet)

    async def events(self, kinds: Iterable[str], kiosk: str, limit: int) -> list[Happened]:
        """The newest events of these kinds, or of all; of one kiosk, or of all where it is ""."""
        return await self._thread.run(self._reports.events, frozenset(kinds), kiosk, limit)

    async def segments(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int
    ) -> list[bytes]:
        """Stored segments that begin after `after`, oldest first."""
        return await self._thread.run(self._segments, kiosk, lane, epoch, after, limit)

    def _segments(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int
    ) -> list[bytes]:
        table = self._tables.segment
        stored = self._stored(kiosk, lane, epoch, after, limit, [table.body])
        return [bytes(row.body) for row in stored]

    def _stored(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int, columns: list[Any]
    ) -> Any:
        table, lanes = self._tables.segment, self._tables.lane
        wanted = (lanes.kiosk == kiosk) & (lanes.lane == lane) & (lanes.epoch == epoch.hex())
        query = table.select(*columns).join(lanes).where(wanted & (table.first_seq > after))
        return query.order_by(table.first_seq).limit(limit)

    async def chain(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int, *, bodies: bool
    ) -> wire_pb2.ChainReply:
        """Ranges and hashes of stored segments that begin after `after`, oldest first."""
        return await self._thread.run(self._chain, kiosk, lane, epoch, after, limit, bodies=bodies)

    def _chain(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int, *, bodies: bool
    ) -> wire_pb2.ChainReply:
        reply, table = wire_pb2.ChainReply(), self._tables.segment
        columns = [table.first_seq, table.entries, table.sha256, *([table.body] if bodies else [])]
        for row in self._stored(kiosk, lane, epoch, after, limit, columns):
            reply.first.append(row.first_seq)
            reply.last.append(row.first_seq + row.entries - 1)
            reply.sha256.append(bytes(row.sha256))
            if bodies:
                reply.body.append(bytes(row.body))
        return reply

    async def schema(self, kiosk: str, prefix: bytes) -> bytes | None:
        """A kiosk's dictionary of streams."""
        return await self._thread.run(schema_body, self._tables, kiosk, prefix)


def _verdict(at_kiosk: wire_pb2.LaneAtKiosk, got: Ranges, chain: bytes | None) -> wire_pb2.Verdict:
    """Where the two ends stand; `chain` is the city's at the kiosk's own `got`."""
    at_city = got.without_hole()
    if any(last >= at_kiosk.next for _, last in got):
        return wire_pb2.VERDICT_CARD_RESTORED
    if at_city < at_kiosk.got:
        return wire_pb2.VERDICT_CITY_RESTORED
    if at_kiosk.chain and chain != at_kiosk.chain:
        return wire_pb2.VERDICT_FORK
    if at_city > at_kiosk.got:
        return wire_pb2.VERDICT_ACK_WAS_LOST
    return wire_pb2.VERDICT_NORMAL


def _quarantined(segment: wire.Segment, reason: str) -> wire_pb2.Quarantined:
    return wire_pb2.Quarantined(
        lane=wire_pb2.Lane.Name(segment.lane),
        epoch=segment.epoch,
        range=wire_pb2.Range(first=segment.first_seq, last=segment.last_seq),
        reason=reason,
    )


def _check_kiosk(kiosk: str) -> None:
    if not kiosk or len(kiosk) > KIOSK_MAX or not kiosk.isprintable():
        raise wire.WireError(f"not a kiosk's id: {kiosk[:KIOSK_MAX]!r}")


def _check_lane(lane: int, epoch: bytes) -> None:
    if lane not in list(Lane):
        raise wire.WireError(f"not a lane: {lane}")
    if len(epoch) != wire.ID_BYTES:
        raise wire.WireError(f"epoch has {len(epoch)} bytes, not {wire.ID_BYTES}")
