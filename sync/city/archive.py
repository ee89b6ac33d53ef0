"""The city's archive: every segment as the kiosk encoded it, and what of each lane has come.

Segments are the truth. A segment, the range it covers and the newest values it brings are
written in one transaction, and only then answered: what a kiosk has been told is stored, is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from peewee import (
    AutoField,
    BigIntegerField,
    BlobField,
    BooleanField,
    CompositeKey,
    DatabaseError,
    ForeignKeyField,
    IntegerField,
    Model,
    SqliteDatabase,
    TextField,
)

from sync import wire, wire_pb2
from sync.city.events import Happened
from sync.city.registry import Registry
from sync.city.times import Times
from sync.entry import Anchor, Lane, Stream, SyncError
from sync.ranges import Ranges
from sync.sql_thread import SqlThread

FILE = "city.db"
VERSION = 1
KIOSK_MAX = 64  # Characters of a kiosk's id.
PRAGMAS = (
    ("page_size", 4096),
    ("journal_mode", "wal"),
    ("synchronous", "full"),  # What has been acked must survive a power cut.
    ("foreign_keys", 1),
)


# Verdicts that need no person.
QUIET = (wire_pb2.VERDICT_NORMAL, wire_pb2.VERDICT_ACK_WAS_LOST)


class ArchiveError(SyncError):
    """The archive cannot be opened."""


class SchemaUnknownError(SyncError):
    """A segment names a dictionary that the city does not have: put it, then try again."""


class ForkError(SyncError):
    """Two writers have used the same seqs of one epoch: the second needs an epoch of its own."""


class Taken(NamedTuple):
    """What became of an upload."""

    lanes: list[wire_pb2.LaneAtCity]
    quarantined: list[wire_pb2.Quarantined]


class _Latest(NamedTuple):
    """The newest entry of one stream, as it is kept."""

    kiosk: str
    stream: str
    lane: int
    seq: int
    boot: str
    at_ms: int
    value: str  # JSON number or null: what the kiosk measured, to the digit.
    unit: str
    quality: str
    simulated: bool
    received_ms: int


class Archive:
    """All kiosks' data on embedded SQLite. Made by `open`."""

    def __init__(
        self,
        path: Path,
        wall_ms: Callable[[], int],
        database: SqliteDatabase,
        thread: SqlThread,
    ) -> None:
        self._path = path
        self._wall_ms = wall_ms
        self._thread = thread
        self._database = database
        self._tables = Tables(self._database)
        self._times = Times(database)
        self.registry = Registry(database, thread, wall_ms, self._note_kiosk)

    @classmethod
    async def open(
        cls,
        folder: Path,
        *,
        wall_ms: Callable[[], int] | None = None,
        database: SqliteDatabase | None = None,
        thread: SqlThread | None = None,
    ) -> Archive:
        """Open or make the archive in `folder`. Raises `ArchiveError`.

        `wall_ms`, `database` and `thread` are where it touches the world: a simulation brings
        its own.
        """
        archive = cls(
            folder / FILE,
            wall_ms or (lambda: time.time_ns() // 1_000_000),
            database or SqliteDatabase(None, lock_type="IMMEDIATE", thread_safe=False),
            thread or SqlThread("archive"),
        )
        try:
            await archive._thread.run(archive._open_file)
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
        return self._path.parent

    async def close(self) -> None:
        """Let the file go."""
        await self._thread.run(self._close_file)
        self._thread.close()

    def _open_file(self) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(f"state folder {self._path.parent}: {error.strerror}") from None
        self._database.init(str(self._path), pragmas=PRAGMAS)
        try:
            self._database.connect()
            version = self._database.pragma("user_version")
            if version not in (0, VERSION):
                raise ArchiveError(f"{self._path} has version {version}, not {VERSION}")
            with self._database.atomic():
                self._database.create_tables(
                    [*self._tables.all(), *self._times.tables(), *self.registry.tables()]
                )
                self._database.pragma("user_version", VERSION)
        except DatabaseError as error:
            raise ArchiveError(f"{self._path}: {error}") from None

    def _close_file(self) -> None:
        if not self._database.is_closed():
            self._database.close()

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
        with self._database.atomic():
            self._note_kiosk(hello.kiosk, name=hello.name, software=hello.software)
            self._times.take(hello.kiosk, anchors, self._wall_ms())
            return [self._judge(hello.kiosk, at_kiosk) for at_kiosk in hello.lanes]

    def _judge(self, kiosk: str, at_kiosk: wire_pb2.LaneAtKiosk) -> wire_pb2.LaneAtCity:
        """Compare one lane at both ends, as the table of verdicts has it."""
        lane = self._lane(kiosk, Lane(at_kiosk.lane), at_kiosk.epoch)
        answer = self._answer(lane)
        answer.verdict = _verdict(at_kiosk, lane.got, self._chain_at(lane, at_kiosk.got))
        if answer.verdict not in QUIET:
            name = wire_pb2.Verdict.Name(answer.verdict).removeprefix("VERDICT_").lower()
            self._tables.lane.update(alert=name).where(self._tables.lane.id == lane.id).execute()
        return answer

    def _answer(self, lane: _Lane) -> wire_pb2.LaneAtCity:
        """What the kiosk is told of one lane. There is no replica yet, so `safe` is `got`."""
        return wire_pb2.LaneAtCity(
            lane=wire_pb2.Lane.Name(lane.lane),
            epoch=lane.epoch,
            got=[wire_pb2.Range(first=first, last=last) for first, last in lane.got],
            safe=lane.got.without_hole(),
            chain=[self._chain_at(lane, last) or b"" for _, last in lane.got],
            lost=[wire_pb2.Range(first=first, last=last) for first, last in lane.lost],
        )

    def _chain_at(self, lane: _Lane, seq: int) -> bytes | None:
        """SHA-256 of the stored segment that ends at `seq`; None where none ends there."""
        row = self._segment_to(lane, seq)
        if row is None or row.first_seq + row.entries - 1 != seq:
            return None
        return bytes(row.sha256)

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
        with self._database.atomic():
            self._note_kiosk(kiosk)
            table.insert(kiosk=kiosk, prefix=prefix, body=body).on_conflict_ignore().execute()

    async def take(self, upload: wire_pb2.Upload) -> Taken:
        """Store an upload, whole or not at all.

        Raises `WireError` where its frame is wrong, `SchemaUnknownError`, `ForkError`. A segment
        that is well framed is never refused for its content: it is kept aside, acked, and said.
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
        table = self._tables.lane
        with self._database.atomic():
            for lane, epoch in {(segment.lane, segment.epoch) for segment, _ in segments}:
                row = self._lane(kiosk, lane, epoch)
                table.update(alert="fork").where(table.id == row.id).execute()

    def _take(
        self,
        upload: wire_pb2.Upload,
        segments: list[tuple[wire.Segment, bytes]],
        anchors: list[Anchor],
    ) -> Taken:
        kiosk = upload.kiosk
        lanes: dict[int, _Lane] = {}
        latest: dict[str, _Latest] = {}
        quarantined = []
        with self._database.atomic():
            self._note_kiosk(kiosk)
            self._times.take(kiosk, anchors, self._wall_ms())
            for segment, body in segments:
                lane = self._lane(kiosk, segment.lane, segment.epoch, lanes)
                reason = self._store(kiosk, lane, segment, body, latest)
                if reason:
                    quarantined.append(_quarantined(segment, reason))
            for lost in upload.lost:
                lane = self._lane(kiosk, Lane(lost.lane), lost.epoch, lanes)
                lane.lost.add(lost.range.first, lost.range.last)
                lane.reasons[f"{lost.range.first}-{lost.range.last}"] = lost.reason
            for lane in lanes.values():
                self._keep_lane(lane)
            self._keep_latest(kiosk, latest.values())
            answers = [self._answer(lane) for lane in lanes.values()]
        return Taken(answers, quarantined)

    def _store(
        self,
        kiosk: str,
        lane: _Lane,
        segment: wire.Segment,
        body: bytes,
        latest: dict[str, _Latest],
    ) -> str:
        """Store one segment; where it had to be kept aside, why."""
        digest = wire.sha256(body)
        table = self._tables.segment
        if lane.got.touches(segment.first_seq, segment.last_seq):
            twin = table.get_or_none(
                (table.lane == lane.id) & (table.first_seq == segment.first_seq)
            )
            if twin is not None and bytes(twin.sha256) == digest:
                return ""  # Sent again, since the answer was lost: it is already here.
            kept = self._tables.quarantine
            aside = kept.get_or_none((kept.lane == lane.id) & (kept.sha256 == digest))
            if aside is not None:
                return str(aside.reason)
            raise _fork(segment, "other content is stored for these seqs")
        self._check_links(lane, segment, digest)
        try:
            found = self._newest_values(kiosk, lane, segment)
        except wire.WireError as error:
            return self._keep_aside(lane, segment, body, str(error))
        table.create(
            lane=lane.id,
            first_seq=segment.first_seq,
            entries=segment.entries,
            sha256=digest,
            received_ms=self._wall_ms(),
            body=body,
        )
        lane.got.add(segment.first_seq, segment.last_seq)
        latest_ms = max((new.at_ms for new in found), default=0)
        boot = segment.boot.hex()
        self._times.note_boot(lane.id, boot, segment.first_seq, segment.last_seq, latest_ms)
        for new in found:
            old = latest.get(new.stream)
            if old is None or (old.lane, old.seq) < (new.lane, new.seq):
                latest[new.stream] = new
        return ""

    def _check_links(self, lane: _Lane, segment: wire.Segment, digest: bytes) -> None:
        """See that a segment and its stored neighbours are of one chain. Raises `ForkError`.

        What fits between the seqs of another writer must not look like his: a kiosk that sees
        the hash at the end of a range trusts all that is before it.
        """
        if segment.previous == wire.UNLINKED:
            return
        before = self._segment_to(lane, segment.first_seq - 1)
        if before is not None and before.first_seq + before.entries == segment.first_seq:
            linked = wire.decode_segment(bytes(before.body)).previous != wire.UNLINKED
            if linked and bytes(before.sha256) != segment.previous:
                raise _fork(segment, "the segment before is of another chain")
        table = self._tables.segment
        behind = table.get_or_none(
            (table.lane == lane.id) & (table.first_seq == segment.last_seq + 1)
        )
        if behind is not None:
            previous = wire.decode_segment(bytes(behind.body)).previous
            if previous not in (wire.UNLINKED, digest):
                raise _fork(segment, "the segment behind is of another chain")

    def _segment_to(self, lane: _Lane, seq: int) -> Any:
        """The stored segment that reaches to `seq` or beyond."""
        table = self._tables.segment
        query = table.select().where((table.lane == lane.id) & (table.first_seq <= seq))
        return query.order_by(table.first_seq.desc()).first()

    def _keep_aside(self, lane: _Lane, segment: wire.Segment, body: bytes, reason: str) -> str:
        self._tables.quarantine.create(
            lane=lane.id,
            first_seq=segment.first_seq,
            entries=segment.entries,
            sha256=wire.sha256(body),
            received_ms=self._wall_ms(),
            reason=reason,
            body=body,
        )
        lane.got.add(segment.first_seq, segment.last_seq)
        return reason

    def _newest_values(self, kiosk: str, lane: _Lane, segment: wire.Segment) -> list[_Latest]:
        """Decode a segment whole, so that nothing unreadable is stored as good."""
        if segment.lane is Lane.EVENTS:
            wire.segment_events(segment)
            return []
        streams = self._schema(kiosk, segment.schema)
        newest = {row.stream: row for row in wire.segment_rows(segment)}
        boot = segment.boot.hex()
        found = []
        for row in newest.values():
            entry = wire.to_entry(row, streams, boot)
            found.append(
                _Latest(
                    kiosk,
                    entry.stream.name,
                    lane.id,
                    entry.seq,
                    boot,
                    entry.at_ms,
                    json.dumps(entry.value),
                    entry.stream.unit,
                    entry.quality,
                    entry.stream.simulated,
                    self._wall_ms(),
                )
            )
        return found

    def _schema(self, kiosk: str, prefix: bytes) -> tuple[Stream, ...]:
        table = self._tables.schema
        row = table.get_or_none((table.kiosk == kiosk) & (table.prefix == prefix))
        if row is None:
            raise SchemaUnknownError(prefix.hex())
        return wire.decode_schema(bytes(row.body))

    def _keep_latest(self, kiosk: str, newer: Iterable[_Latest]) -> None:
        table = self._tables.latest
        query = table.select(table.stream, table.lane, table.seq).where(table.kiosk == kiosk)
        kept = {row.stream: (row.lane, row.seq) for row in query}
        for new in newer:
            if kept.get(new.stream, (0, 0)) < (new.lane, new.seq):
                table.replace(**new._asdict()).execute()

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

    def _lane(
        self, kiosk: str, lane: Lane, epoch: bytes, known: dict[int, _Lane] | None = None
    ) -> _Lane:
        table = self._tables.lane
        wanted = (table.kiosk == kiosk) & (table.lane == lane) & (table.epoch == epoch.hex())
        row = table.get_or_none(wanted)
        if row is None:
            row = table.create(kiosk=kiosk, lane=int(lane), epoch=epoch.hex())
        if known is None:
            return _Lane(row)
        return known.setdefault(row.id, _Lane(row))

    def _keep_lane(self, lane: _Lane) -> None:
        table = self._tables.lane
        query = table.update(
            got=json.dumps(list(lane.got)),
            lost=json.dumps(list(lane.lost)),
            reasons=json.dumps(lane.reasons),
            last_seen_ms=self._wall_ms(),
        )
        query.where(table.id == lane.id).execute()

    # --- what the operator reads ---------------------------------------------------------------

    async def count(self) -> int:
        """How many kiosks there are."""
        kiosks: int = await self._thread.run(self._tables.kiosk.select().count)
        return kiosks

    async def fleet(self) -> list[dict[str, Any]]:
        """Every kiosk: its lanes with what has come and what is lost, and its newest values."""
        return await self._thread.run(self._fleet)

    def _fleet(self) -> list[dict[str, Any]]:
        tables = self._tables
        now_ms = self._wall_ms()
        fleet = []
        for kiosk in tables.kiosk.select().order_by(tables.kiosk.id):
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
                    **self.registry.report(kiosk.id),
                }
            )
        return fleet

    def _lane_report(self, row: Any, now_ms: int, streams: list[dict[str, Any]]) -> dict[str, Any]:
        lane, table = _Lane(row), self._tables.quarantine
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
        query = table.select().where(table.kiosk == kiosk).order_by(table.stream)
        streams = []
        for row in query:
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

    async def events(self, kinds: Iterable[str], kiosk: str, limit: int) -> list[Happened]:
        """The newest events of these kinds, or of all; of one kiosk, or of all where it is ""."""
        return await self._thread.run(self._events, frozenset(kinds), kiosk, limit)

    def _events(self, kinds: frozenset[str], kiosk: str, limit: int) -> list[Happened]:
        table, lanes = self._tables.segment, self._tables.lane
        query = table.select(table, lanes).join(lanes).where(lanes.lane == Lane.EVENTS)
        if kiosk:
            query = query.where(lanes.kiosk == kiosk)
        found: list[Happened] = []
        rows: Any = query.order_by(table.id.desc())
        for row in rows:
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

    async def segments(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int
    ) -> list[bytes]:
        """Stored segments that begin after `after`, oldest first."""
        return await self._thread.run(self._segments, kiosk, lane, epoch, after, limit)

    def _segments(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int
    ) -> list[bytes]:
        return [bytes(row.body) for row in self._stored(kiosk, lane, epoch, after, limit)]

    def _stored(self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int) -> Any:
        table, lanes = self._tables.segment, self._tables.lane
        wanted = (lanes.kiosk == kiosk) & (lanes.lane == lane) & (lanes.epoch == epoch.hex())
        query = table.select().join(lanes).where(wanted & (table.first_seq > after))
        return query.order_by(table.first_seq).limit(limit)

    async def chain(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int, *, bodies: bool
    ) -> wire_pb2.ChainReply:
        """Ranges and hashes of stored segments that begin after `after`, oldest first."""
        return await self._thread.run(self._chain, kiosk, lane, epoch, after, limit, bodies=bodies)

    def _chain(
        self, kiosk: str, lane: Lane, epoch: bytes, after: int, limit: int, *, bodies: bool
    ) -> wire_pb2.ChainReply:
        reply = wire_pb2.ChainReply()
        for row in self._stored(kiosk, lane, epoch, after, limit):
            reply.first.append(row.first_seq)
            reply.last.append(row.first_seq + row.entries - 1)
            reply.sha256.append(bytes(row.sha256))
            if bodies:
                reply.body.append(bytes(row.body))
        return reply

    async def schema(self, kiosk: str, prefix: bytes) -> bytes | None:
        """A kiosk's dictionary of streams."""
        return await self._thread.run(self._schema_body, kiosk, prefix)

    def _schema_body(self, kiosk: str, prefix: bytes) -> bytes | None:
        table = self._tables.schema
        row = table.get_or_none((table.kiosk == kiosk) & (table.prefix == prefix))
        return None if row is None else bytes(row.body)


class _Lane:
    """One lane of one epoch while it is worked on."""

    def __init__(self, row: Any) -> None:
        self.id: int = row.id
        self.lane = Lane(row.lane)
        self.epoch = bytes.fromhex(row.epoch)
        self.got = Ranges(json.loads(row.got))
        self.lost = Ranges(json.loads(row.lost))
        self.reasons: dict[str, str] = json.loads(row.reasons)


class Tables:
    """The tables of one archive, bound to its connection."""

    def __init__(self, database: SqliteDatabase) -> None:
        class Kiosk(Model):
            id = TextField(primary_key=True)
            name = TextField()
            software = TextField()
            first_seen_ms = BigIntegerField()
            last_seen_ms = BigIntegerField()

        class LaneRow(Model):
            id = AutoField()
            kiosk = ForeignKeyField(Kiosk, column_name="kiosk", object_id_name="kiosk_id")
            lane = IntegerField()
            epoch = TextField()  # 32 hex digits.
            got = TextField(default="[]")  # JSON list of [first, last].
            lost = TextField(default="[]")
            reasons = TextField(default="{}")  # JSON: "first-last" → why it is lost.
            alert = TextField(default="")  # The last verdict that needs a person.
            last_seen_ms = BigIntegerField(null=True)

            class Meta:
                table_name = "lane"
                indexes = ((("kiosk", "lane", "epoch"), True),)

        class SegmentRow(Model):
            id = AutoField()
            lane = ForeignKeyField(LaneRow, column_name="lane", object_id_name="lane_id")
            first_seq = BigIntegerField()
            entries = IntegerField()
            sha256 = BlobField()
            received_ms = BigIntegerField()
            body = BlobField()

            class Meta:
                table_name = "segment"
                indexes = ((("lane", "first_seq"), True),)

        class Quarantine(Model):
            id = AutoField()
            lane = ForeignKeyField(LaneRow, column_name="lane", object_id_name="lane_id")
            first_seq = BigIntegerField()
            entries = IntegerField()
            sha256 = BlobField()
            received_ms = BigIntegerField()
            reason = TextField()
            body = BlobField()

        class SchemaRow(Model):
            kiosk = ForeignKeyField(Kiosk, column_name="kiosk", object_id_name="kiosk_id")
            prefix = BlobField()
            body = BlobField()

            class Meta:
                table_name = "schema"
                primary_key = CompositeKey("kiosk", "prefix")

        class LatestRow(Model):
            kiosk = ForeignKeyField(Kiosk, column_name="kiosk", object_id_name="kiosk_id")
            stream = TextField()
            lane = IntegerField()
            seq = BigIntegerField()
            boot = TextField()
            at_ms = BigIntegerField()
            value = TextField()
            unit = TextField()
            quality = TextField()
            simulated = BooleanField()
            received_ms = BigIntegerField()

            class Meta:
                table_name = "latest"
                primary_key = CompositeKey("kiosk", "stream")

        self.kiosk = Kiosk
        self.lane = LaneRow
        self.segment = SegmentRow
        self.quarantine = Quarantine
        self.schema = SchemaRow
        self.latest = LatestRow
        database.bind(self.all(), bind_refs=False, bind_backrefs=False)

    def all(self) -> list[type[Model]]:
        """Every table, those that others refer to first."""
        return [
            self.kiosk,
            self.lane,
            self.segment,
            self.quarantine,
            self.schema,
            self.latest,
        ]


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


def _fork(segment: wire.Segment, why: str) -> ForkError:
    lane, first, last = segment.lane.name.lower(), segment.first_seq, segment.last_seq
    return ForkError(f"{lane} {first} to {last} of epoch {segment.epoch.hex()}: {why}")


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
