"""A kiosk that its city knows: the shortest way there for tests about something else."""

from pathlib import Path

from aiohttp import web

from sync import wire_pb2
from sync.call import PROTOBUF
from sync.city.archive import Archive
from sync.identity import Enrolment, Identity, Key, make_nonce, sign_answer, sign_request
from sync.signature import Message, content_digest

KIOSK = "kiosk-1"
UTC_MS = 1_800_000_000_000


def device(folder: Path) -> Identity:
    """A device that nobody knows yet."""
    folder.mkdir(parents=True, exist_ok=True)
    return Identity(folder)


async def enrolled(archive: Archive, city_key: Key, folder: Path, kiosk: str = KIOSK) -> Identity:
    """Make a device in `folder`, and enter it at the city with a token of its own."""
    identity = device(folder)
    key = identity.key()
    token = await archive.registry.new_token("pier")
    known = await archive.registry.enrol(token, key.public, kiosk, {})
    identity.keep(
        Enrolment(key, known.device, known.kiosk, known.site, "http://city", (city_key.public,))
    )
    return identity


def signed(key: Key, method: str, path: str, body: bytes, **headers: str) -> dict[str, str]:
    """The headers of a request as a kiosk with this key sends them, or with others instead."""
    sent = {"Content-Type": PROTOBUF, "Content-Digest": content_digest(body)} | headers
    asked = Message({name.lower(): value for name, value in sent.items()}, method, path)
    return sent | sign_request(key, asked, make_nonce())


def city_says(key: Key, request: web.Request, body: bytes) -> web.Response:
    """A city's answer, signed with this key; it tells the time to who asks for it."""
    if request.path == "/v1/time":
        reply = wire_pb2.TimeReply(utc_ms=UTC_MS, nonce=request.query["nonce"])
        body = reply.SerializeToString()
    response = web.Response(body=body, content_type=PROTOBUF)
    response.headers["Content-Digest"] = content_digest(body)
    asked = Message(request.headers, request.method, request.raw_path)
    answer = Message(response.headers, status=response.status)
    response.headers.update(sign_answer(key, answer, asked))
    return response
