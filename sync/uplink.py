"""The kiosk's end of the wire: sends segments while there is a link, and learns what arrived.

The order of sending: events with the newest readings, then the backlog from its oldest end, so
that a city sees the present at once and the kiosk can forget the past in order. Bodies are only
as large as the link carries in a few seconds, so the next complaint does not wait for long.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple
from urllib.parse import quote

import aiohttp
from google.protobuf.message import DecodeError

from sync import wire, wire_pb2
from sync.call import PROTOBUF, CallError, Reply, send
from sync.clock import Clock
from sync.content import Wish
from sync.entry import Anchor, Lane, StoredSegment, SyncError
from sync.identity import (
    REPLACED,
    REVOKED,
    UNKNOWN,
    Enrolment,
    Identity,
    IdentityError,
    make_nonce,
)
from sync.journal import Journal, JournalError
from sync.netlink import Links
from sync.race import first_answer
from sync.ranges import Ranges
from sync.signature import SignatureError

log = logging.getLogger(__name__)

BODY_BYTES_MAX = 256 * 1024
BODY_BYTES_FIRST = 32 * 1024
BODY_BYTES_MIN = 16 * 1024  # Below it headers and signatures begin to count.
BODY_TARGET_S = 8.0  # How long one upload should take at most.
GROW_AFTER = 8  # Bodies that went through, after one that did not.
SEAL_PERIOD_S = 60.0  # A link that comes and goes does not make a segment each time.
SEGMENTS_MAX = 256
AHEAD_EVENTS_MAX = 4  # Segments: an event has one of its own, mostly.
AHEAD_BYTES_MAX = 8 * 1024  # Of each lane; the first segment goes in any case.
CONNECT_TIMEOUT_S = 10
STALL_TIMEOUT_S = 60  # Without a byte from the city.
UPLOAD_TIMEOUT_S = 300
RETRY_FIRST_S = 1.0
ANCHORS_MAX = 64  # In one message: the last of each boot, then the newest.
LOST_MAX = 1000  # In one message: the oldest.
HELLO_PERIOD_S = 3600
RETRY_AFTER_MAX_S = 3600.0  # What anybody on the way may ask for.
ENROLLED_LOOK_S = 5.0
# What a kiosk acts on must be the city's own word. Anybody on the way may say 503.
MUST_VERIFY = (200, 204, 401, 409, 428)
WALL_SOURCES = ("ntp", "system")  # Then the machine's own clock is right as well.


class UplinkError(SyncError):
    """The city cannot be reached, or does not answer as a city does."""

    state = "offline"


class PortalError(UplinkError):
    """Somebody answers in the city's place: a captive portal says 200 to everything."""

    state = "portal"


class NotEnrolledError(UplinkError):
    """This kiosk has no key that a city knows."""

    state = "not enrolled"


class UnknownKeyError(UplinkError):
    """The city has never seen this kiosk's key, or has lost its registry."""

    state = "not enrolled"


class RevokedError(UplinkError):
    """The city believes this kiosk no more."""

    state = "revoked"


class ForkError(UplinkError):
    """Another writer has used this journal's epoch, so a new one was begun."""


class RetryAfterError(UplinkError):
    """The city asks to be left alone for `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


class TooLargeError(UplinkError):
    """The city, or a box before it, takes no bodies of this size."""


class Pace:
    """How large a body the link carries in a few seconds."""

    def __init__(self) -> None:
        self.bytes_max = BODY_BYTES_FIRST
        self._most = BODY_BYTES_MAX
        self._to_grow = 1  # Bodies that must go through first.
        self._went = 0

    def carried(self, body_bytes: int, took_s: float) -> None:
        """Learn how long a body was on its way."""
        if took_s > BODY_TARGET_S:
            self.failed()
        elif took_s < BODY_TARGET_S / 2 and body_bytes > self.bytes_max // 2:
            self._went += 1
            if self._went >= self._to_grow:
                self._went = 0
                self.bytes_max = min(self.bytes_max * 2, self._most)

    def failed(self) -> None:
        """Learn that a body did not get through: smaller ones, and slowly back."""
        self.bytes_max = max(self.bytes_max // 2, BODY_BYTES_MIN)
        self._to_grow, self._went = GROW_AFTER, 0

    def refused(self) -> None:
        """Learn that somebody takes no bodies of this size, now or ever."""
        self.failed()
        self._most = self.bytes_max


class _Part(NamedTuple):
    """What goes into one upload."""

    epoch: bytes
    segments: list[StoredSegment]


@dataclass(frozen=True, slots=True)
class Options:
    """Where the city is, and how patient to be."""

    city_url: str
    kiosk: str
    name: str = ""
    software: str = ""
    retry_max_s: float = 900.0


class Uplink:
    """One kiosk's line to its city."""

    def __init__(
        self,
        journal: Journal,
        clock: Clock,
        options: Options,
        identity: Identity,
        links: Links | None = None,
    ) -> None:
        self._journal = journal
        self._clock = clock
        self._options = options
        self._identity = identity
        self._links = links
        self._enrolment: Enrolment | None = None  # Read when it is first needed.
        self.make_nonce = make_nonce
        self.content = Wish()
        self._rng = random.Random()  # noqa: S311  It spreads retries, it keeps no secret.
        self._limits = (BODY_BYTES_MAX, SEGMENTS_MAX)
        self._pace = Pace()
        self._seal_due = 0.0
        self._nudged = asyncio.Event()
        self._has_new_link = False
        self._connected = asyncio.Event()
        self._state = "connecting"
        self._reason = ""
        self._last_ack: float | None = None
        self._anchors_sent = 0
        self._hello_due = 0.0

    def status(self) -> dict[str, Any]:
        """What the screen and the technician are shown."""
        now = asyncio.get_running_loop().time()
        return {
            "state": self._state,
            "reason": self._reason,
            "city": self._options.city_url,
            "pending": self._journal.pending(),
            "last_ack_age_s": None if self._last_ack is None else round(now - self._last_ack, 1),
        }

    def nudge(self) -> None:
        """Try now, whatever pause is under way."""
        self._nudged.set()

    def link_came(self) -> None:
        """Try now, since there may be a way out again: the present goes ahead of all else."""
        if self._state != "online":
            self._has_new_link = True
            self._nudged.set()

    async def keep(self) -> None:
        """Keep the city up to date, for ever."""
        async with asyncio.TaskGroup() as group:
            if self._links is not None:
                group.create_task(self._links.watch(self.link_came))
            await self._keep()

    async def _keep(self) -> None:
        self._has_new_link = True
        timeout = aiohttp.ClientTimeout(
            total=UPLOAD_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S
        )
        failures = 0
        async with self._session(timeout) as session:
            while True:
                try:
                    await self._bring_up_to_date(session)
                except (
                    aiohttp.ClientError,
                    TimeoutError,
                    OSError,
                    UplinkError,
                    JournalError,
                ) as error:
                    failures += 1
                    state = error.state if isinstance(error, UplinkError) else "offline"
                    self._went(state, f"{type(error).__name__}: {error}")
                    await self._pause(self._retry_s(error, failures))
                    if not isinstance(error, RetryAfterError):
                        self._hello_due = 0.0
                    continue
                failures = 0
                await self._wait_for_more()

    async def flush(self) -> None:
        """Send all there is once, for a clean stop. Raises what a failed call raises."""
        timeout = aiohttp.ClientTimeout(total=CONNECT_TIMEOUT_S)
        async with self._session(timeout) as session:
            await self._bring_up_to_date(session)

    def _session(self, patience: aiohttp.ClientTimeout) -> aiohttp.ClientSession:
        async def connected(*_: Any) -> None:
            self._connected.set()

        trace = aiohttp.TraceConfig()
        trace.on_connection_create_end.append(connected)
        trace.on_connection_reuseconn.append(connected)
        return aiohttp.ClientSession(timeout=patience, auto_decompress=False, trace_configs=[trace])

    async def _bring_up_to_date(self, session: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        enrolment = self._enrolled()
        try:
            if self._has_new_link:
                self._has_new_link = False
                await self._send_ahead(session)
            if self._clock.utc_ms() is None and "city" in self._clock.trust:
                await self._ask_time(session, enrolment)
            if loop.time() >= self._hello_due:
                await self._hello(session)
                self._hello_due = loop.time() + HELLO_PERIOD_S
            await self._seal_present()
            while part := await self._next_part():
                try:
                    await self._send(session, part)
                except ForkError:
                    if part.epoch == self._journal.epoch:
                        raise
                    await self._part_old(session, part)
        except ForkError as error:
            await self._move_on(session, str(error))
            raise
        self._went("online", "")

    async def _seal_present(self) -> None:
        """There is a link again: the city is to see the present, not the last full segment."""
        now = asyncio.get_running_loop().time()
        if self._state != "online" and now >= self._seal_due:
            self._seal_due = now + SEAL_PERIOD_S
            await self._journal.seal()

    async def _send_ahead(self, session: aiohttp.ClientSession) -> None:
        """Send the present before hello, which would cost it a round trip.

        What the city says of it is not learned here: hello compares both ends, and sends again
        what has not come. Other content under these seqs is a fork now as it would be then.
        """
        await self._seal_present()
        part = await self._newest_of_all()
        if not part.segments:
            return
        upload = wire_pb2.Upload(
            kiosk=self._options.kiosk, segments=[segment.body for segment in part.segments]
        )
        upload.anchors.extend(map(wire.encode_anchor, self._journal.anchors[-1:]))
        self._connected.clear()
        answer = await first_answer(lambda: self._upload(session, upload), self._connected)
        _parse(wire_pb2.UploadReply, answer)

    async def _wait_for_more(self) -> None:
        async with asyncio.TaskGroup() as group:
            waits = [
                group.create_task(self._journal.wait_sealed()),
                group.create_task(self._pause(HELLO_PERIOD_S)),
            ]
            await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
            for task in waits:
                task.cancel()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._nudged.wait()
        except TimeoutError:
            pass
        self._nudged.clear()

    def _retry_s(self, error: Exception, failures: int) -> float:
        """Full jitter: 200 kiosks that lose a city together do not come back together."""
        if isinstance(error, RetryAfterError):
            return min(error.seconds, RETRY_AFTER_MAX_S) * self._rng.uniform(1.0, 1.5)
        if isinstance(error, NotEnrolledError):
            return ENROLLED_LOOK_S
        ceiling_s = min(RETRY_FIRST_S * 2**failures, self._options.retry_max_s)
        return self._rng.uniform(min(RETRY_FIRST_S, ceiling_s), ceiling_s)

    def _went(self, state: str, reason: str) -> None:
        if state != self._state:
            log.warning("city %s: %s", self._options.city_url, f"{state} {reason}".rstrip())
        self._state, self._reason = state, reason

    # --- calls -----------------------------------------------------------------------------------

    async def _hello(self, session: aiohttp.ClientSession) -> None:
        journal = self._journal
        request = wire_pb2.HelloRequest(
            kiosk=self._options.kiosk,
            name=self._options.name,
            software=self._options.software,
            boot=bytes.fromhex(self._clock.boot),
            boottime_ms=self._clock.boottime_ms(),
        )
        request.anchors.extend(map(wire.encode_anchor, _worth_telling(journal.anchors)))
        request.lanes.extend(await self._lanes())
        if journal.streams:
            request.schemas.append(wire.sha256(journal.schema())[: wire.SCHEMA_BYTES])
        sent_ms = self._clock.boottime_ms()
        anchors = len(journal.anchors)
        body = await self._call(session, "POST", "/v1/hello", request.SerializeToString())
        reply = _parse(wire_pb2.HelloReply, body)
        self.content.learn(reply.wanted_content)
        self._anchors_sent = anchors
        if reply.limits.body_bytes_max and reply.limits.segments_max:
            self._limits = (
                min(BODY_BYTES_MAX, reply.limits.body_bytes_max),
                min(SEGMENTS_MAX, reply.limits.segments_max),
            )
        self._learn_time(reply.utc_ms, sent_ms)
        for wanted in reply.schemas_wanted:
            await self._put_schema(session, wanted)
        if fork := await self._judge(reply.lanes):
            raise ForkError(fork)
        await self._learn_lanes(reply.lanes)
        for lane in Lane:
            await journal.declare_forgotten(lane)

    async def _lanes(self) -> list[wire_pb2.LaneAtKiosk]:
        """Where each lane stands, of this epoch and of those that have ended."""
        journal = self._journal
        lanes = []
        for lane in Lane:
            position = journal.position(lane)
            got = position.got.without_hole()
            lanes.append(
                _lane_at_kiosk(
                    journal.epoch,
                    lane,
                    next=position.sealed + 1,
                    got=got,
                    safe=position.safe,
                    chain=await journal.chain_at(lane, got) or b"",
                )
            )
        for epoch, highest in journal.old_epochs.items():
            lanes.extend(
                _lane_at_kiosk(epoch, lane, next=last + 1) for lane, last in highest.items()
            )
        for epoch, answers in journal.closed_epochs.items():
            # Another writer may have gone on in it: no seq there is beyond what we expect.
            lanes.extend(
                _lane_at_kiosk(epoch, lane, next=wire.SEQ_MAX, got=ours.without_hole())
                for lane, ours in answers.items()
            )
        return lanes

    async def _judge(self, lanes: Any) -> str:
        """Why another writer must have used this epoch; empty where all is as it should be.

        A card restored from an image is behind the city; of two cards with one content the
        second finds other bytes at the city than its own.
        """
        for at_city in lanes:
            if at_city.epoch != self._journal.epoch:
                continue
            lane = Lane(at_city.lane)
            position = self._journal.position(lane)
            name = lane.name.lower()
            if at_city.verdict in (wire_pb2.VERDICT_FORK, wire_pb2.VERDICT_CARD_RESTORED):
                return f"{name}: the city says {wire_pb2.Verdict.Name(at_city.verdict)}"
            for gone in at_city.lost:
                if gone.last >= position.next:
                    return f"{name}: losses up to {gone.last} were told, not by this card"
            for found, chain in zip(at_city.got, at_city.chain, strict=False):
                if found.last > position.sealed:
                    return f"{name}: the city has {found.last}, this card {position.sealed}"
                ours = await self._journal.chain_at(lane, found.last)
                if chain and found.last >= position.oldest and ours != chain:
                    return f"{name}: the city has other bytes up to {found.last}"
        return ""

    async def _move_on(self, session: aiohttp.ClientSession, why: str) -> None:
        """Begin an epoch of our own with what the city does not have of this card.

        Another writer's entries may stand at the city under our seqs, so each of our segments
        is looked for by its hash; and where the city has other segments, entry by entry: what a
        card's image held unsealed may have been sealed otherwise before the image was used.
        """
        journal = self._journal
        for lane in Lane:
            ours, others = Ranges(), []
            shared = 0
            async for first, last, digest in self._listed(session, lane):
                if await journal.chain_at(lane, last) == digest:
                    ours.add(first, last)
                    shared = max(shared, last)
                elif first <= journal.position(lane).sealed:
                    others.append(first)
            async for segment, entries in self._at_city(session, lane, others):
                for seq in await self._same_entries(lane, entries):
                    ours.add(seq, seq)
                shared = max(shared, await self._shared_past(lane, segment))
            await self._send_shared(session, lane, ours, shared)
            journal.acked(lane, ours, 0)
        await journal.new_epoch(why)

    async def _part_old(self, session: aiohttp.ClientSession, part: _Part) -> None:
        """Another writer has used an epoch that a damaged card ended: what is left of it moves.

        A card that was restored from an image, and damaged before the city was asked about it.
        """
        by_lane: dict[Lane, dict[int, Any]] = {}
        for segment in part.segments:
            lane = wire.decode_segment(segment.body).lane
            by_lane.setdefault(lane, {}).update(wire.entries_by_seq(segment.body))
        same = {
            lane: await self._same_at_city(session, part.epoch, lane, entries)
            for lane, entries in by_lane.items()
        }
        await self._journal.part_old(part.epoch, part.segments, same)

    async def _same_at_city(
        self, session: aiohttp.ClientSession, epoch: bytes, lane: Lane, entries: dict[int, Any]
    ) -> Ranges:
        """Seqs under which the city has these very entries."""
        near = [
            first
            async for first, last, _ in self._listed(session, lane, epoch)
            if last >= min(entries) and first <= max(entries)
        ]
        same = Ranges()
        async for _, theirs in self._at_city(session, lane, near, epoch):
            for seq, entry in theirs.items():
                if entries.get(seq) == entry:
                    same.add(seq, seq)
        return same

    async def _listed(
        self, session: aiohttp.ClientSession, lane: Lane, epoch: bytes = b""
    ) -> AsyncIterator[tuple[int, int, bytes]]:
        """First seq, last seq and hash of each segment that the city has of a lane."""
        after = 0
        while (reply := await self._ask_chain(session, lane, after, epoch=epoch)).first:
            for found in zip(reply.first, reply.last, reply.sha256, strict=False):
                yield found
            after = max(reply.first)

    async def _at_city(
        self, session: aiohttp.ClientSession, lane: Lane, firsts: Iterable[int], epoch: bytes = b""
    ) -> AsyncIterator[tuple[wire.Segment, dict[int, Any]]]:
        """The city's segments that begin at these rising seqs, and some of those behind them."""
        known = 0  # One answer holds several.
        for first in firsts:
            if first > known:
                stored = await self._ask_chain(session, lane, first - 1, "&bodies=1", epoch)
                known = max(stored.first, default=first)
                for body in stored.body:
                    try:
                        yield wire.decode_segment(body), wire.entries_by_seq(body)
                    except wire.WireError as error:
                        # What is ours in it nobody can tell now, and nothing may come twice.
                        raise UplinkError(
                            f"the city has a segment that is damaged: {error}"
                        ) from None

    async def _shared_past(self, lane: Lane, segment: wire.Segment) -> int:
        """The last of our seqs, where one of the city's segments builds on it; else 0."""
        before = segment.first_seq - 1
        return before if await self._journal.chain_at(lane, before) == segment.previous else 0

    async def _send_shared(
        self, session: aiohttp.ClientSession, lane: Lane, ours: Ranges, shared: int
    ) -> None:
        """Send what both writers have up to `shared`, and the city has not; `ours` grows.

        It stays in the epoch that they shared. If each moved it to its own, it would come twice.
        """
        journal = self._journal
        for first, last in ours.holes(journal.position(lane).oldest, shared):
            after = first - 1
            while after < last and (
                segments := await journal.segments(
                    lane, after + 1, last, limit=self._limits[1], bytes_max=self._pace.bytes_max
                )
            ):
                upload = wire_pb2.Upload(
                    kiosk=self._options.kiosk, segments=[segment.body for segment in segments]
                )
                try:
                    answer = await self._upload(session, upload)
                except ForkError:
                    return  # The city sees it otherwise: then it moves.
                for seqs in self._taken(lane, segments, answer):
                    ours.add(*seqs)
                after = segments[-1].last_seq

    def _taken(
        self, lane: Lane, segments: Iterable[StoredSegment], answer: bytes
    ) -> list[tuple[int, int]]:
        """First and last seqs of the segments that the city has, as its answer says."""
        got = Ranges(
            (found.first, found.last)
            for at_city in _parse(wire_pb2.UploadReply, answer).lanes
            if (at_city.epoch, at_city.lane) == (self._journal.epoch, lane)
            for found in at_city.got
        )
        found = [(segment.first_seq, segment.last_seq) for segment in segments]
        return [seqs for seqs in found if got.covers(*seqs)]

    async def _ask_chain(
        self,
        session: aiohttp.ClientSession,
        lane: Lane,
        after: int,
        more: str = "",
        epoch: bytes = b"",
    ) -> Any:
        name = (epoch or self._journal.epoch).hex()
        query = f"lane={lane.name.lower()}&epoch={name}&after={after}{more}"
        path = f"/v1/chain?kiosk={quote(self._options.kiosk)}&{query}"
        return _parse(wire_pb2.ChainReply, await self._call(session, "GET", path, b""))

    async def _same_entries(self, lane: Lane, theirs: dict[int, Any]) -> list[int]:
        """Seqs under which one of the city's segments has the very entries that this card has."""
        held = await self._journal.segments(
            lane, min(theirs), max(theirs), limit=SEGMENTS_MAX, bytes_max=BODY_BYTES_MAX
        )
        mine = {seq: one for each in held for seq, one in wire.entries_by_seq(each.body).items()}
        return [seq for seq, entry in theirs.items() if mine.get(seq) == entry]

    async def _send(self, session: aiohttp.ClientSession, part: _Part) -> None:
        journal = self._journal
        anchors = len(journal.anchors)
        upload = wire_pb2.Upload(
            kiosk=self._options.kiosk, segments=[segment.body for segment in part.segments]
        )
        upload.anchors.extend(map(wire.encode_anchor, journal.anchors[self._anchors_sent :]))
        for lost in journal.lost[:LOST_MAX]:
            upload.lost.add(
                epoch=lost.epoch,
                lane=wire_pb2.Lane.Name(lost.lane),
                range=wire_pb2.Range(first=lost.first, last=lost.last),
                reason=lost.reason,
            )
        reply = _parse(wire_pb2.UploadReply, await self._upload(session, upload))
        self.content.learn(reply.wanted_content)
        self._anchors_sent = anchors
        self._check_only_ours(part, reply.lanes)
        got = await self._learn_lanes(reply.lanes)
        for aside in reply.quarantined:
            log.error(
                "the city keeps %s %d..%d aside: %s",
                Lane(aside.lane).name,
                aside.range.first,
                aside.range.last,
                aside.reason,
            )
        for segment in part.segments:
            there = got.get((part.epoch, wire.decode_segment(segment.body).lane), Ranges())
            if not there.covers(segment.first_seq, segment.last_seq):
                raise UplinkError("the city answered, but has not taken what was sent")

    async def _upload(self, session: aiohttp.ClientSession, upload: wire_pb2.Upload) -> bytes:
        """Send an upload; the answer's body. How that went decides how large the next may be."""
        body = upload.SerializeToString()
        loop = asyncio.get_running_loop()
        started = loop.time()
        try:
            answer = await self._call(session, "POST", "/v1/segments", body)
        except TooLargeError:
            self._pace.refused()
            raise
        except (TimeoutError, aiohttp.ClientError):
            self._pace.failed()
            raise
        self._pace.carried(len(body), loop.time() - started)
        return answer

    def _check_only_ours(self, part: _Part, lanes: Any) -> None:
        """What has arrived since hello came from here, and is there still. Raises `UplinkError`.

        A city that was brought back from a backup between two uploads has forgotten more than
        what it lacks of a lane: the times of boots, old losses. The next hello tells it all.
        """
        sent = {lane: Ranges(self._journal.position(lane).got) for lane in Lane}
        for segment in part.segments:
            sent[wire.decode_segment(segment.body).lane].add(segment.first_seq, segment.last_seq)
        for at_city in lanes:
            if at_city.epoch != self._journal.epoch:
                continue
            lane, got = Lane(at_city.lane), _ranges(at_city.got)
            for first, last in got:
                if not sent[lane].covers(first, last):
                    raise UplinkError(f"the city has {first}..{last}, sent by another")
            for first, last in self._journal.position(lane).got - got:
                raise UplinkError(f"the city has {first}..{last} no more: from a backup?")

    async def _call(
        self, session: aiohttp.ClientSession, method: str, path: str, body: bytes
    ) -> bytes:
        """One call; the answer's body. A schema that the city lacks is put on the way."""
        for _ in range(2):
            status, headers, answer = await self._exchange(session, method, path, body)
            if status != 428:
                break
            try:
                prefix = bytes.fromhex(answer.decode("ascii"))
            except ValueError:
                raise UplinkError(f"428 names no schema: {answer[:80]!r}") from None
            await self._put_schema(session, prefix)
        if status == 409:
            raise ForkError(f"the city says: {answer[:200].decode(errors='replace')}")
        if status in (429, 503):
            raise RetryAfterError(f"{path}: {status}", _retry_after_s(headers))
        if status == 413:
            raise TooLargeError(f"{path}: 413 for {len(body)} bytes")
        if status not in (200, 204):
            text = answer[:200].decode("utf-8", "replace").strip()
            raise UplinkError(f"{path}: {status} {text}")
        self._last_ack = asyncio.get_running_loop().time()
        return answer

    async def _exchange(
        self, session: aiohttp.ClientSession, method: str, path: str, body: bytes
    ) -> tuple[int, Any, bytes]:
        """Send a signed request; an answer to act on is the city's, or an error.

        Whoever has rotated the key meanwhile has not told us: the city does, and we go on at once.
        """
        enrolment = self._enrolled()
        reply = await self._send_verified(session, method, path, body, enrolment)
        if reply.status == 401 and _reason(reply).startswith(REPLACED):
            self._enrolment = None
            self._finish_rotation()
            enrolment, old = self._enrolled(), enrolment
            if enrolment.key.id != old.key.id:
                reply = await self._send_verified(session, method, path, body, enrolment)
        if reply.status == 401:
            self._enrolment = None  # Somebody may enrol this kiosk anew meanwhile.
            reason = _reason(reply)
            if reason.startswith(REVOKED):
                raise RevokedError(reason)
            if reason.startswith(UNKNOWN):
                raise UnknownKeyError(reason)
            raise UplinkError(f"{path}: 401 {reason}")
        return reply.status, reply.headers, reply.body

    async def _send_verified(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: bytes,
        enrolment: Enrolment,
    ) -> Reply:
        reply = await self._send_signed(session, method, path, body, enrolment)
        if reply.status in MUST_VERIFY:
            _verify(reply, path, enrolment)
        return reply

    async def _send_signed(
        self,
        session: aiohttp.ClientSession,
        method: str,
        path: str,
        body: bytes,
        enrolment: Enrolment | None,
    ) -> Reply:
        dated = self._clock.source in WALL_SOURCES
        key, nonce = (enrolment.key, self.make_nonce()) if enrolment else (None, "")
        url = self._options.city_url
        try:
            return await send(session, url, method, path, body, key=key, nonce=nonce, dated=dated)
        except CallError as error:
            raise UplinkError(str(error)) from None

    async def _ask_time(self, session: aiohttp.ClientSession, enrolment: Enrolment) -> None:
        """Ask the time before hello, in case a certificate's date depends on it."""
        nonce = self.make_nonce()
        path = f"/v1/time?nonce={nonce}"
        sent_ms = self._clock.boottime_ms()
        reply = await self._send_signed(session, "GET", path, b"", None)
        if reply.status != 200:
            raise UplinkError(f"/v1/time: {reply.status}")
        _verify(reply, "/v1/time", enrolment)
        told = _parse(wire_pb2.TimeReply, reply.body)
        if told.nonce != nonce:
            raise PortalError(f"/v1/time: an answer to {told.nonce[:80]!r}, not to {nonce!r}")
        self._learn_time(told.utc_ms, sent_ms)

    def _enrolled(self) -> Enrolment:
        """What we sign with. Raises `NotEnrolledError`."""
        if self._enrolment is None:
            try:
                found = self._identity.enrolment()
            except IdentityError as error:
                raise NotEnrolledError(str(error)) from None
            if found is None:
                raise NotEnrolledError("angsila enrol makes this kiosk known to its city")
            if found.kiosk != self._options.kiosk:
                raise NotEnrolledError(
                    f"enrolled as {found.kiosk}, but the settings say {self._options.kiosk}"
                )
            self._enrolment = found
        return self._enrolment

    def _finish_rotation(self) -> bool:
        try:
            return self._identity.finish_rotation()
        except IdentityError as error:
            raise UplinkError(str(error)) from None

    async def _put_schema(self, session: aiohttp.ClientSession, prefix: bytes) -> None:
        schema = await self._journal.schema_of(prefix)
        if schema is None:
            raise UplinkError(f"the city wants a schema that is not ours: {prefix.hex()}")
        path = f"/v1/schema/{wire.sha256(schema).hex()}?kiosk={quote(self._options.kiosk)}"
        status, _, answer = await self._exchange(session, "PUT", path, schema)
        if status != 204:
            raise UplinkError(f"{path}: {status} {answer[:200]!r}")

    # --- what to send, and what was heard -----------------------------------------------------

    async def _next_part(self) -> _Part | None:
        """Events and the newest readings, each lane from its oldest end, then old epochs."""
        journal = self._journal
        bytes_max, limit = min(self._limits[0], self._pace.bytes_max), self._limits[1]
        part = await self._oldest(Lane.EVENTS, max(1, limit - 1), bytes_max)
        present = [*(part.segments if part else ()), *await self._newest(bytes_max)]
        if present:
            return _Part(journal.epoch, present)
        for lane in (Lane.READINGS, Lane.SUMMARIES):
            if part := await self._oldest(lane, limit, bytes_max):
                return part
        for epoch in journal.old_epochs:
            if found := await journal.saved(epoch, limit=limit, bytes_max=bytes_max):
                return _Part(epoch, found)
        # Losses are told with the next segments, or alone where there are none.
        return _Part(journal.epoch, []) if journal.lost else None

    async def _newest_of_all(self) -> _Part:
        """The newest events and readings that the city is not known to have."""
        found: list[StoredSegment] = []
        for lane, limit in ((Lane.EVENTS, AHEAD_EVENTS_MAX), (Lane.READINGS, 1)):
            position = self._journal.position(lane)
            first = max(position.oldest, position.got.without_hole() + 1)
            newest = await self._journal.segments(
                lane, first, position.sealed, limit=limit, bytes_max=AHEAD_BYTES_MAX, newest=True
            )
            found.extend(reversed(newest))
        return _Part(self._journal.epoch, found)

    async def _newest(self, bytes_max: int) -> list[StoredSegment]:
        """The newest segment of readings, unless the city has it."""
        readings = self._journal.position(Lane.READINGS)
        end = readings.sealed
        if not end or readings.got.covers(end, end):
            return []
        return await self._journal.segments(
            Lane.READINGS, end, end, limit=1, bytes_max=bytes_max, newest=True
        )

    async def _oldest(self, lane: Lane, limit: int, bytes_max: int) -> _Part | None:
        position = self._journal.position(lane)
        holes = self._journal.settled(lane).holes(position.oldest, position.sealed)
        if not holes:
            return None
        found = await self._journal.segments(lane, *holes[0], limit=limit, bytes_max=bytes_max)
        return _Part(self._journal.epoch, found) if found else None

    async def _learn_lanes(self, lanes: Any) -> dict[tuple[bytes, Lane], Ranges]:
        """Take in what the city has; the same, by epoch and lane."""
        journal = self._journal
        learned = {}
        for at_city in lanes:
            if at_city.lane not in list(Lane):
                continue
            lane = Lane(at_city.lane)
            got, told = _ranges(at_city.got), _ranges(at_city.lost)
            learned[at_city.epoch, lane] = got
            if at_city.epoch == journal.epoch:
                journal.acked(lane, got, at_city.safe)
            await journal.told(at_city.epoch, lane, told)
            await journal.acked_old(at_city.epoch, lane, got, told)
        return learned

    def _learn_time(self, utc_ms: int, sent_ms: int) -> None:
        """The answer was written somewhere on its way here and back (Cristian, 1989)."""
        round_trip_ms = self._clock.boottime_ms() - sent_ms
        anchor = self._clock.told("city", utc_ms + round_trip_ms // 2, round_trip_ms // 2 + 1)
        if anchor is not None:
            self._journal.add_anchor(anchor)


def _ranges(found: Iterable[Any]) -> Ranges:
    return Ranges((each.first, each.last) for each in found)


def _lane_at_kiosk(epoch: bytes, lane: Lane, **fields: Any) -> wire_pb2.LaneAtKiosk:
    return wire_pb2.LaneAtKiosk(lane=wire_pb2.Lane.Name(lane), epoch=epoch, **fields)


def _worth_telling(anchors: list[Anchor]) -> list[Anchor]:
    """As many anchors as fit, so that no boot stays without one since a later one had many."""
    last_of_each = {anchor.boot: anchor for anchor in anchors}
    first = list(last_of_each.values())[-ANCHORS_MAX:]
    others = [anchor for anchor in anchors if last_of_each[anchor.boot] is not anchor]
    return first + others[len(others) - min(len(others), ANCHORS_MAX - len(first)) :]


def _verify(reply: Reply, path: str, enrolment: Enrolment) -> None:
    """See that the city gave this answer to this call. Raises `PortalError`."""
    if reply.status == 200 and reply.content_type != PROTOBUF:
        raise PortalError(f"{path}: 200 with {reply.content_type}, not {PROTOBUF}")
    try:
        reply.verify(enrolment.city_keys)
    except SignatureError as error:
        raise PortalError(f"{path}: a {reply.status} that is not the city's: {error}") from None


def _reason(reply: Reply) -> str:
    return reply.body[:200].decode("utf-8", "replace").strip()


def _retry_after_s(headers: Any) -> float:
    text = headers.get("Retry-After", "")
    return float(text) if text.isascii() and text.isdigit() else RETRY_FIRST_S


def _parse(kind: Callable[[], Any], body: bytes) -> Any:
    message = kind()
    try:
        message.ParseFromString(body)
    except DecodeError:
        name = message.DESCRIPTOR.name
        raise PortalError(f"the answer is no {name}: {body[:80]!r}") from None
    return message
