"""The city's receiver: HTTP in front of the archive.

What kiosks send is signed, see `door`. What the operator reads - the page, /health, /v1/fleet and
the GETs of segments and schemas - is open to whoever reaches the port, so the city listens on
loopback unless it is told otherwise, and whatever lets others in has to check who they are.
"""

from __future__ import annotations

import html
import time
from typing import Any

from aiohttp import web

from sync import wire, wire_pb2
from sync.city import blobs, door
from sync.city.admission import RETRY_AFTER_S, Admission
from sync.city.archive import Archive, AwayError, ForkError, SchemaUnknownError
from sync.city.door import PROTOBUF
from sync.entry import Lane
from sync.identity import Key
from sync.wire import WireError

BODY_BYTES_MAX = 1024 * 1024
HELLO_BYTES_MAX = 64 * 1024
SEGMENTS_MAX = 256  # In one upload.
SCHEMAS_MAX = 16  # In one hello.
LISTED_MAX = 500  # Segments in one answer of GET /v1/segments.
CHAIN_MAX = 4000  # Hashes in one answer of GET /v1/chain,
CHAIN_BODIES_MAX = 1  # and segments, where these are wanted: one alone may be large.

ASIDE_SHOWN_MAX = 3  # Of a lane, the latest.
REFUSED_MAX = 160  # Characters of a reason in the fleet.

ARCHIVE: web.AppKey[Archive] = web.AppKey("archive", Archive)
ADMISSION: web.AppKey[Admission] = web.AppKey("admission", Admission)


def make_app(archive: Archive, key: Key) -> web.Application:
    """The receiver on `archive`, which signs with `key`; who makes it closes the archive."""
    app = web.Application(
        client_max_size=BODY_BYTES_MAX,
        middlewares=[door.sign_answers, _wait_for_database, _name_errors],
    )
    app[ARCHIVE] = archive
    app[door.KEY] = key
    app[door.REGISTRY] = archive.registry
    app[door.UTC_MS] = archive.utc_ms
    app[ADMISSION] = Admission()
    app[blobs.BLOBS] = archive.folder / blobs.FOLDER
    app[blobs.WISHED] = blobs.Wishes(app[blobs.BLOBS])
    app[door.LIMITS] = wire_pb2.Limits(body_bytes_max=BODY_BYTES_MAX, segments_max=SEGMENTS_MAX)
    app.add_routes(
        [
            web.get("/", page),
            web.get("/health", health),
            web.get(door.TIME_PATH, door.tell_time),
            web.post("/v1/enrol", door.enrol),
            web.post("/v1/rotate", door.rotate),
            web.post("/v1/hello", hello),
            web.post("/v1/segments", take_segments),
            web.get("/v1/segments", list_segments),
            web.get("/v1/chain", list_chain),
            web.put("/v1/schema/{hash}", put_schema),
            web.get("/v1/schema/{hash}", get_schema),
            web.get("/v1/fleet", fleet),
            web.get("/v1/blob/{sha256}", blobs.give),
        ]
    )
    return app


@web.middleware
async def _wait_for_database(request: web.Request, handler: Any) -> web.StreamResponse:
    """Without the database nothing is acked: whoever asked is to come again."""
    try:
        response: web.StreamResponse = await handler(request)
    except AwayError:
        raise web.HTTPServiceUnavailable(
            text="the archive's database is away\n", headers={"Retry-After": str(RETRY_AFTER_S)}
        ) from None
    return response


@web.middleware
async def _name_errors(request: web.Request, handler: Any) -> web.StreamResponse:
    """What the peer got wrong is answered with 400 and the reason, and the operator sees it."""
    try:
        response: web.StreamResponse = await handler(request)
    except WireError as error:
        await _tell_operator(request, str(error))
        raise web.HTTPBadRequest(text=f"{error}\n") from None
    except web.HTTPRequestEntityTooLarge as error:
        await _tell_operator(request, error.text or error.reason)
        raise
    return response


async def _tell_operator(request: web.Request, reason: str) -> None:
    known = request.get(door.CALLER)
    if known is not None:  # Anybody else might be meant to look like one of ours.
        what = f"refused: {request.path}: {reason}"[:REFUSED_MAX]
        await request.app[door.REGISTRY].alarm(known.kiosk, what, known.public.id)


async def hello(request: web.Request) -> web.Response:
    """POST /v1/hello: a kiosk says where it stands, the city says what it has."""
    known = await door.caller(request)
    with request.app[ADMISSION].small():
        body = await door.read_body(request)
        if len(body) > HELLO_BYTES_MAX:
            raise WireError(f"a hello of {len(body)} bytes; {HELLO_BYTES_MAX} are allowed")
        message = wire.parse_hello(body)
        door.must_be(known, message.kiosk)
        await door.not_a_copy(request, known, message)
        lanes = await request.app[ARCHIVE].hello(message)
    utc_ms, limits = request.app[ARCHIVE].utc_ms(), request.app[door.LIMITS]
    wanted = await request.app[ARCHIVE].lacks(message.kiosk, message.schemas[:SCHEMAS_MAX])
    reply = wire_pb2.HelloReply(
        lanes=lanes,
        utc_ms=utc_ms,
        limits=limits,
        schemas_wanted=wanted,
        wanted_content=request.app[blobs.WISHED].of(message.kiosk),
    )
    return _protobuf(reply.SerializeToString())


async def take_segments(request: web.Request) -> web.Response:
    """POST /v1/segments: store, then answer what of these lanes has come."""
    known = await door.caller(request)
    with request.app[ADMISSION].upload(request.content_length) as turn:
        upload = wire.parse_upload(await door.read_body(request))
        door.must_be(known, upload.kiosk)
        if len(upload.segments) > SEGMENTS_MAX:
            raise WireError(f"{len(upload.segments)} segments; {SEGMENTS_MAX} are allowed")
        try:
            async with turn:
                taken = await request.app[ARCHIVE].take(upload)
        except SchemaUnknownError as error:
            # The one answer that a kiosk mends by itself: it puts the schema and tries again.
            return web.Response(status=428, text=str(error))
        except ForkError as error:
            raise web.HTTPConflict(text=f"{error}\n") from None
    utc_ms = request.app[ARCHIVE].utc_ms()
    reply = wire_pb2.UploadReply(
        lanes=taken.lanes,
        quarantined=taken.quarantined,
        utc_ms=utc_ms,
        wanted_content=request.app[blobs.WISHED].of(upload.kiosk),
    )
    return _protobuf(reply.SerializeToString())


async def put_schema(request: web.Request) -> web.Response:
    """PUT /v1/schema/{hash}?kiosk=: a kiosk's dictionary of streams."""
    kiosk = request.query.get("kiosk", "")
    await door.caller(request, kiosk)
    body = await door.read_body(request)
    await request.app[ARCHIVE].put_schema(kiosk, _from_hex(request.match_info["hash"]), body)
    return web.Response(status=204)


async def get_schema(request: web.Request) -> web.Response:
    """GET /v1/schema/{first 8 bytes of the hash}?kiosk=: the same, for who reads segments."""
    prefix = _from_hex(request.match_info["hash"])
    body = await request.app[ARCHIVE].schema(request.query.get("kiosk", ""), prefix)
    if body is None:
        raise web.HTTPNotFound(text=f"no schema {prefix.hex()}\n")
    return _protobuf(body)


async def list_segments(request: web.Request) -> web.Response:
    """GET /v1/segments?kiosk=&lane=&epoch=&after=: what is stored, as an Upload message."""
    lane = _read_lane(request)
    bodies = await request.app[ARCHIVE].segments(*lane, LISTED_MAX)
    upload = wire_pb2.Upload(kiosk=lane[0], segments=bodies)
    return _protobuf(upload.SerializeToString())


async def list_chain(request: web.Request) -> web.Response:
    """GET /v1/chain?kiosk=&lane=&epoch=&after=: the same by range and hash, for the kiosk."""
    await door.caller(request, request.query.get("kiosk", ""))
    bodies = request.query.get("bodies") == "1"
    limit = CHAIN_BODIES_MAX if bodies else CHAIN_MAX
    reply = await request.app[ARCHIVE].chain(*_read_lane(request), limit, bodies=bodies)
    return _protobuf(reply.SerializeToString())


def _read_lane(request: web.Request) -> tuple[str, Lane, bytes, int]:
    """Kiosk, lane, epoch and after of a query. Raises `WireError`."""
    query = request.query
    names = [lane.name.lower() for lane in Lane]
    if query.get("lane", "") not in names:
        raise WireError(f"not a lane: {query.get('lane', '')!r}; there are {names}")
    after = query.get("after", "0")
    if not (after.isascii() and after.isdigit()) or int(after) > wire.SEQ_MAX:
        raise WireError(f"not a sequence number: {after!r}")
    lane = Lane[query["lane"].upper()]
    return query.get("kiosk", ""), lane, _from_hex(query.get("epoch", "")), int(after)


async def fleet(request: web.Request) -> web.Response:
    """GET /v1/fleet: every kiosk, its lanes and its newest values."""
    return web.json_response({"kiosks": await request.app[ARCHIVE].fleet()})


async def health(request: web.Request) -> web.Response:
    """GET /health: whether the archive answers."""
    return web.json_response({"ok": True, "kiosks": await request.app[ARCHIVE].count()})


async def page(request: web.Request) -> web.Response:
    """GET /: the fleet, for a person."""
    parts = [_kiosk_html(kiosk) for kiosk in await request.app[ARCHIVE].fleet()]
    body = "".join(parts) or "<p>No kiosk has called yet.</p>"
    headers = {"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"}
    return web.Response(text=_PAGE.format(body=body), content_type="text/html", headers=headers)


_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Fleet</title>
<meta http-equiv="refresh" content="5">
<style>body{{font:16px/1.5 sans-serif;margin:2rem;color:#20272b;background:#f7f3ea}}
table{{border-collapse:collapse;margin:.5rem 0 1.5rem}}
td,th{{text-align:left;padding:.15rem 1rem .15rem 0;border-bottom:1px solid #dcd2bf}}
td.n{{text-align:right;font-variant-numeric:tabular-nums}}.s{{color:#56626a}}</style>
<h1>Fleet</h1>{body}</html>"""


def _kiosk_html(kiosk: dict[str, Any]) -> str:
    lanes = "".join(
        f"<tr><td>{lane['lane']}<td>{lane['epoch'][:8]}<td class=n>{lane['entries']}"
        f"<td>{_ranges_html(lane['got'])}<td>{_ranges_html(lane['lost'])}"
        f"<td class=n>{len(lane['quarantined'])}"
        for lane in kiosk["lanes"]
    )
    streams = "".join(
        f"<tr><td>{html.escape(stream['stream'])}"
        f"<td class=n>{'' if stream['value'] is None else stream['value']}"
        f"<td>{html.escape(stream['unit'])}<td>{html.escape(stream['quality'])}"
        f"<td class=s>{'simulated' if stream['simulated'] else ''}<td>{_time_html(stream)}"
        for stream in kiosk["streams"]
    )
    alarms = "".join(
        f"<p><strong>{html.escape(alarm['what'])}</strong>: key {html.escape(alarm['key'])}, "
        f"{alarm['times']} times"
        for alarm in kiosk["alarms"]
    )
    alarms += "".join(
        f"<p><strong>kept aside</strong>: {lane['lane']} from {aside['first']}, "
        f"{aside['entries']} entries: {html.escape(aside['reason'])}"
        for lane in kiosk["lanes"]
        for aside in lane["quarantined"][-ASIDE_SHOWN_MAX:]
    )
    alarms += "".join(
        f"<p><strong>time not believed</strong>: boot {aside['boot'][:8]}: "
        f"{html.escape(aside['reason'])}"
        for aside in kiosk["times_not_believed"]
    )
    devices = "".join(
        f" · {'revoked ' if device['revoked_utc_ms'] else ''}device {html.escape(device['device'])}"
        f" {html.escape(device['site'])}"
        for device in kiosk["devices"]
    )
    return (
        f"<h2>{html.escape(kiosk['name'] or kiosk['kiosk'])}</h2>"
        f"<p class=s>{html.escape(kiosk['kiosk'])} · {html.escape(kiosk['software'])} · "
        f"last seen {kiosk['last_seen_s']:.0f} s ago{devices}</p>{alarms}"
        "<table><tr><th>lane<th>epoch<th>entries<th>got<th>declared lost<th>kept aside"
        f"{lanes}</table><table><tr><th>stream<th>value<th>unit<th>quality<th><th>measured (UTC)"
        f"{streams}</table>"
    )


def _ranges_html(ranges: list[list[int]]) -> str:
    return ", ".join(f"{first}–{last}" for first, last in ranges) or "–"


def _time_html(stream: dict[str, Any]) -> str:
    if stream["utc_ms"] is None:
        return "not known"
    utc = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(stream["utc_ms"] / 1000))
    return f"{utc} ± {stream['error_ms'] / 1000:g} s"


def _from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text)
    except ValueError:
        raise WireError(f"not hex digits: {text[:80]!r}") from None


def _protobuf(body: bytes) -> web.Response:
    return web.Response(body=body, content_type=PROTOBUF)
