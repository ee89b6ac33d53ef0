"""Who may come in: checks who signed a request, signs the answers, enrols devices.

Without an enrolled key a kiosk can ask the time and be enrolled, and nothing else.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from aiohttp import web

from sync import identity, signature, wire, wire_pb2
from sync.city.registry import Known, Registry, RegistryError, TakenError, TokenError
from sync.identity import REPLACED, REVOKED, UNKNOWN, Key, PublicKey
from sync.signature import Message, SignatureError, Signed
from sync.wire import WireError

PROTOBUF = "application/x-protobuf"
NONCE_MAX = 64
TIME_PATH = "/v1/time"
NOT_YOURS = "a revoked device still calls"

KEY: web.AppKey[Key] = web.AppKey("key", Key)
REGISTRY: web.AppKey[Registry] = web.AppKey("registry", Registry)
LIMITS: web.AppKey[wire_pb2.Limits] = web.AppKey("limits", wire_pb2.Limits)
UTC_MS: web.AppKey[Callable[[], int]] = web.AppKey("utc_ms")
CALLER: web.RequestKey[Known] = web.RequestKey("caller", Known)  # Who has signed a request.


@web.middleware
async def sign_answers(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Every answer to a signed request is signed, a refusal too, and so is the time."""
    asked = _message(request)
    wanted = "Signature" in request.headers or request.path == TIME_PATH
    try:
        response = await handler(request)
    except web.HTTPException as refusal:
        if wanted:
            _sign(request, refusal, asked)
        raise
    if wanted and isinstance(response, web.Response):
        _sign(request, response, asked)
    return response


def _sign(request: web.Request, response: web.Response, asked: Message) -> None:
    body = response.body if isinstance(response.body, bytes) else b""
    response.headers["Content-Digest"] = signature.content_digest(body)
    answer = Message(response.headers, status=response.status)
    try:
        response.headers.update(identity.sign_answer(request.app[KEY], answer, asked))
    except SignatureError:
        # The request cannot be named, its path or its signature is no printable ASCII. Its
        # refusal goes out unsigned, and whoever sent it has no use for a signature.
        del response.headers["Content-Digest"]


def _message(request: web.Request) -> Message:
    return Message(request.headers, request.method, request.raw_path)


async def caller(request: web.Request, kiosk: str | None = None) -> Known:
    """Who has signed this request, before its body is read.

    Raises `HTTPUnauthorized` with the reason; also for a good key that is not `kiosk`'s.
    """
    signed, known = await _recognise(request)
    request[CALLER] = known
    if known.successor:
        raise refused(f"{REPLACED}: key {signed.keyid} by {known.successor}")
    if kiosk is not None:
        must_be(known, kiosk)
    return known


async def _recognise(request: web.Request) -> tuple[Signed, Known]:
    asked = _message(request)
    try:
        signed = identity.read_request(asked)
    except SignatureError as error:
        raise refused(str(error)) from None
    known = await request.app[REGISTRY].known(signed.keyid)
    if known is None:
        raise refused(f"{UNKNOWN} key {signed.keyid[:80]!r}: this kiosk is not enrolled here")
    try:
        identity.verify_request(known.public, signed, asked)
    except SignatureError as error:
        raise refused(str(error)) from None
    if known.revoked:
        await request.app[REGISTRY].alarm(known.kiosk, NOT_YOURS, known.public.id)
        raise refused(f"{REVOKED}: device {known.device} of {known.kiosk}")
    return signed, known


def must_be(known: Known, kiosk: str) -> None:
    """See that a device speaks for its own kiosk. Raises `HTTPUnauthorized`."""
    if known.kiosk != kiosk:
        raise refused(f"the key of {known.kiosk} does not speak for {kiosk[:80]!r}")


def refused(reason: str) -> web.HTTPUnauthorized:
    """The answer to who is not let in."""
    return web.HTTPUnauthorized(text=f"{reason}\n", headers={"WWW-Authenticate": "Signature"})


async def read_body(request: web.Request) -> bytes:
    """The body, checked against its Content-Digest (RFC 9530). Raises `WireError`."""
    body = await request.read()
    try:
        good = signature.matches(request.headers.get("Content-Digest", ""), body)
    except SignatureError as error:
        raise WireError(str(error)) from None
    if not good:
        raise WireError(f"the body of {len(body)} bytes does not match its Content-Digest")
    return body


async def not_a_copy(request: web.Request, known: Known, hello: wire_pb2.HelloRequest) -> None:
    """See that a hello is not an old one, sent once more. Raises `HTTPUnauthorized`."""
    if len(hello.boot) != wire.ID_BYTES or hello.boottime_ms > wire.TIME_MAX_MS:
        raise WireError(f"not a moment of a boot: {hello.boot.hex()[:64]}, {hello.boottime_ms}")
    if not await request.app[REGISTRY].fresh(known.device, hello.boot, hello.boottime_ms):
        raise refused("replayed: a later hello of this boot has come already")


# --- calls -----------------------------------------------------------------------------------


async def tell_time(request: web.Request) -> web.Response:
    """GET /v1/time?nonce=: UTC in ms. Anybody may ask; the answer fits no other question."""
    nonce = request.query.get("nonce", "")
    if len(nonce) > NONCE_MAX:
        raise WireError(f"a nonce of {len(nonce)} characters; {NONCE_MAX} are allowed")
    reply = wire_pb2.TimeReply(utc_ms=request.app[UTC_MS](), nonce=nonce)
    return web.Response(body=reply.SerializeToString(), content_type=PROTOBUF)


async def enrol(request: web.Request) -> web.Response:
    """POST /v1/enrol: a token and a key, signed with that key; who that makes the device."""
    asked = _message(request)
    try:
        signed = identity.read_request(asked)
        message = wire.parse_enrol(await read_body(request))
        public = PublicKey(message.public_key)
        identity.verify_request(public, signed, asked)
    except SignatureError as error:
        raise refused(str(error)) from None
    try:
        enrolled = await request.app[REGISTRY].enrol(
            message.token, public, message.kiosk, message.hardware
        )
    except TokenError as error:
        raise refused(str(error)) from None
    except TakenError as error:
        raise web.HTTPConflict(text=f"{error}\n") from None
    except RegistryError as error:
        raise WireError(str(error)) from None
    reply = wire_pb2.EnrolReply(
        device=enrolled.device,
        kiosk=enrolled.kiosk,
        site=enrolled.site,
        city_keys=[request.app[KEY].public.raw],
        limits=request.app[LIMITS],
        letter_key=request.app[KEY].opener().public,
    )
    return web.Response(body=reply.SerializeToString(), content_type=PROTOBUF)


async def rotate(request: web.Request) -> web.Response:
    """POST /v1/rotate: a new key for a device, signed with the old one and with itself."""
    signed, known = await _recognise(request)
    message = wire.parse_rotate(await read_body(request))
    try:
        new = PublicKey(message.public_key)
        new.verify(message.proof, identity.rotation_proof(known.device, known.public, new))
    except SignatureError as error:
        raise refused(str(error)) from None
    if known.successor not in ("", new.id):
        raise refused(f"{REPLACED}: key {signed.keyid} by {known.successor}")
    try:
        await request.app[REGISTRY].rotate(known, new)
    except TakenError as error:
        raise web.HTTPConflict(text=f"{error}\n") from None
    reply = wire_pb2.RotateReply(device=known.device)
    return web.Response(body=reply.SerializeToString(), content_type=PROTOBUF)
