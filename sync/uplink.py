"""The kiosk's end of the wire: sends segments while there is a link, and learns what arrived.

The order of sending: events, then the newest readings, then the backlog from its oldest end,
so that a city sees the present at once and the kiosk can forget the past in order.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import aiohttp
from google.protobuf.message import DecodeError

from sync import wire, wire_pb2
from sync.clock import Clock
from sync.entry import Lane, SyncError
from sync.journal import Journal, StoredSegment
from sync.ranges import Ranges

log = logging.getLogger(__name__)

PROTOBUF = "application/x-protobuf"
BODY_BYTES_MAX = 256 * 1024  # On a 64 kbit/s link that is half a minute.
SEGMENTS_MAX = 256
REPLY_BYTES_MAX = 256 * 1024
CONNECT_TIMEOUT_S = 10
STALL_TIMEOUT_S = 60  # Without a byte from the city.
UPLOAD_TIMEOUT_S = 300
RETRY_FIRST_S = 1.0
ANCHORS_MAX = 64  # In one message: the newest.
HELLO_PERIOD_S = 3600


class UplinkError(SyncError):
    """The city cannot be reached, or does not answer as a city does."""


class PortalError(UplinkError):
    """Somebody answers in the city's place: a captive portal says 200 to everything."""


class RetryAfterError(UplinkError):
    """The city asks to be left alone for `seconds`."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds


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

    def __init__(self, journal: Journal, clock: Clock, options: Options) -> None:
        self._journal = journal
        self._clock = clock
        self._options = options
        self._rng = random.Random()  # noqa: S311  It spreads retries, it keeps no secret.
        self._limits = (BODY_BYTES_MAX, SEGMENTS_MAX)
        self._nudged = asyncio.Event()
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

    async def keep(self) -> None:
        """Keep the city up to date, for ever."""
        timeout = aiohttp.ClientTimeout(
            total=UPLOAD_TIMEOUT_S, sock_connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S
        )
        failures = 0
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            while True:
                try:
                    await self._bring_up_to_date(session)
                except (aiohttp.ClientError, TimeoutError, OSError, UplinkError) as error:
                    failures += 1
                    state = "portal" if isinstance(error, PortalError) else "offline"
                    self._went(state, f"{type(error).__name__}: {error}")
                    await self._pause(self._retry_s(error, failures))
                    self._hello_due = 0.0
                    continue
                failures = 0
                await self._wait_for_more()

    async def flush(self) -> None:
        """Send all there is once, for a clean stop. Raises what a failed call raises."""
        timeout = aiohttp.ClientTimeout(total=CONNECT_TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            await self._bring_up_to_date(session)

    async def _bring_up_to_date(self, session: aiohttp.ClientSession) -> None:
        loop = asyncio.get_running_loop()
        if loop.time() >= self._hello_due:
            await self._hello(session)
            self._hello_due = loop.time() + HELLO_PERIOD_S
        while True:
            lane, segments = await self._next_segments()
            if not segments:
                break
            await self._send(session, lane, segments)
        self._went("online", "")

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
            return error.seconds * self._rng.uniform(1.0, 1.5)
        ceiling_s = min(RETRY_FIRST_S * 2**failures, self._options.retry_max_s)
        return self._rng.uniform(min(RETRY_FIRST_S, ceiling_s), ceiling_s)

    def _went(self, state: str, reason: str) -> None:
        if state != self._state:
            log.warning("city %s: %s %s", self._options.city_url, state, reason)
        self._state, self._reason = state, reason

    # --- calls -----------------------------------------------------------------------------------

    async def _hello(self, session: aiohttp.ClientSession) -> None:
        journal = self._journal
        request = wire_pb2.HelloRequest(
            kiosk=self._options.kiosk,
            name=self._options.name,
            software=self._options.software,
            boot=bytes.fromhex(self._clock.boot),
        )
        request.anchors.extend(map(wire.encode_anchor, journal.anchors[-ANCHORS_MAX:]))
        for lane in Lane:
            position = journal.position(lane)
            request.lanes.add(
                lane=wire_pb2.Lane.Name(lane),
                epoch=journal.epoch,
                next=position.next,
                got=position.got.without_hole(),
                safe=position.safe,
                chain=position.chain,
            )
        sent_ms = self._clock.boottime_ms()
        anchors = len(journal.anchors)
        body = await self._call(session, "POST", "/v1/hello", request.SerializeToString())
        reply = _parse(wire_pb2.HelloReply, body)
        self._anchors_sent = anchors
        if reply.limits.body_bytes_max and reply.limits.segments_max:
            self._limits = (
                min(BODY_BYTES_MAX, reply.limits.body_bytes_max),
                min(SEGMENTS_MAX, reply.limits.segments_max),
            )
        self._learn_time(reply.utc_ms, sent_ms)
        for lane in Lane:
            self._journal.acked(lane, Ranges(), 0)
        self._learn_lanes(reply.lanes)

    async def _send(
        self, session: aiohttp.ClientSession, lane: Lane, segments: list[StoredSegment]
    ) -> None:
        journal = self._journal
        anchors = len(journal.anchors)
        upload = wire_pb2.Upload(
            kiosk=self._options.kiosk, segments=[segment.body for segment in segments]
        )
        upload.anchors.extend(map(wire.encode_anchor, journal.anchors[self._anchors_sent :]))
        for lost in journal.lost:
            upload.lost.add(
                epoch=journal.epoch,
                lane=wire_pb2.Lane.Name(lost.lane),
                range=wire_pb2.Range(first=lost.first, last=lost.last),
                reason=lost.reason,
            )
        body = upload.SerializeToString()
        reply = _parse(
            wire_pb2.UploadReply, await self._call(session, "POST", "/v1/segments", body)
        )
        self._anchors_sent = anchors
        self._learn_lanes(reply.lanes)
        for aside in reply.quarantined:
            log.error(
                "the city keeps %s %d..%d aside: %s",
                Lane(aside.lane).name,
                aside.range.first,
                aside.range.last,
                aside.reason,
            )
        got = journal.position(lane).got
        if not all(got.covers(segment.first_seq, segment.last_seq) for segment in segments):
            raise UplinkError("the city answered, but has not taken what was sent")

    async def _call(
        self, session: aiohttp.ClientSession, method: str, path: str, body: bytes
    ) -> bytes:
        """One call; the answer's body. A schema that the city lacks is put on the way."""
        for _ in range(2):
            status, headers, answer = await self._exchange(session, method, path, body)
            if status != 428:
                break
            await self._put_schema(session, answer)
        if status in (429, 503):
            raise RetryAfterError(f"{path}: {status}", _retry_after_s(headers))
        if status not in (200, 204):
            text = answer[:200].decode("utf-8", "replace").strip()
            raise UplinkError(f"{path}: {status} {text}")
        self._last_ack = asyncio.get_running_loop().time()
        return answer

    async def _exchange(
        self, session: aiohttp.ClientSession, method: str, path: str, body: bytes
    ) -> tuple[int, Any, bytes]:
        digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
        headers = {
            "Content-Type": PROTOBUF,
            "Content-Digest": f"sha-256=:{digest}:",
        }
        url = self._options.city_url.rstrip("/") + path
        async with session.request(
            method, url, data=body, headers=headers, allow_redirects=False
        ) as response:
            answer = b""
            async for chunk in response.content.iter_any():
                answer += chunk
                if len(answer) > REPLY_BYTES_MAX:
                    raise UplinkError(f"{path}: an answer of over {REPLY_BYTES_MAX} bytes")
            if response.status == 200 and response.content_type != PROTOBUF:
                raise PortalError(f"{path}: 200 with {response.content_type}, not {PROTOBUF}")
            return response.status, response.headers, answer

    async def _put_schema(self, session: aiohttp.ClientSession, answer: bytes) -> None:
        try:
            prefix = bytes.fromhex(answer.decode("ascii"))
        except ValueError:
            raise UplinkError(f"428 names no schema: {answer[:80]!r}") from None
        schema = self._journal.schema_of(prefix)
        if schema is None:
            raise UplinkError(f"the city wants a schema that is not ours: {prefix.hex()}")
        path = f"/v1/schema/{wire.sha256(schema).hex()}?kiosk={quote(self._options.kiosk)}"
        status, _, answer = await self._exchange(session, "PUT", path, schema)
        if status != 204:
            raise UplinkError(f"{path}: {status} {answer[:200]!r}")

    # --- what to send, and what was heard -----------------------------------------------------

    async def _next_segments(self) -> tuple[Lane, list[StoredSegment]]:
        bytes_max, limit = self._limits
        events = await self._oldest(Lane.EVENTS, limit, bytes_max)
        if events:
            return Lane.EVENTS, events
        position = self._journal.position(Lane.READINGS)
        if not position.got.covers(position.sealed, position.sealed) and position.sealed:
            newest = await self._journal.segments(
                Lane.READINGS,
                position.sealed,
                position.sealed,
                limit=1,
                bytes_max=bytes_max,
                newest=True,
            )
            if newest:
                return Lane.READINGS, newest
        return Lane.READINGS, await self._oldest(Lane.READINGS, limit, bytes_max)

    async def _oldest(self, lane: Lane, limit: int, bytes_max: int) -> list[StoredSegment]:
        position = self._journal.position(lane)
        holes = position.got.holes(position.oldest, position.sealed)
        if not holes:
            return []
        first, last = holes[0]
        return await self._journal.segments(lane, first, last, limit=limit, bytes_max=bytes_max)

    def _learn_lanes(self, lanes: Any) -> None:
        for at_city in lanes:
            if at_city.epoch != self._journal.epoch or at_city.lane not in list(Lane):
                continue
            got = Ranges((found.first, found.last) for found in at_city.got)
            self._journal.acked(Lane(at_city.lane), got, at_city.safe)
            told = Ranges((found.first, found.last) for found in at_city.lost)
            self._journal.lost = [
                lost
                for lost in self._journal.lost
                if lost.lane != at_city.lane or not told.covers(lost.first, lost.last)
            ]

    def _learn_time(self, utc_ms: int, sent_ms: int) -> None:
        """The answer was written somewhere on its way here and back (Cristian, 1989)."""
        round_trip_ms = self._clock.boottime_ms() - sent_ms
        anchor = self._clock.told("city", utc_ms + round_trip_ms // 2, round_trip_ms // 2 + 1)
        if anchor is not None:
            self._journal.add_anchor(anchor)


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
