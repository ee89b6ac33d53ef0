"""How a kiosk becomes known to its city, and changes its key there."""

from __future__ import annotations

from collections.abc import Mapping

import aiohttp
from google.protobuf.message import DecodeError

from sync import wire_pb2
from sync.call import CallError, Reply, send
from sync.entry import SyncError
from sync.identity import (
    Enrolment,
    Identity,
    Key,
    PublicKey,
    make_nonce,
    read_token,
    rotation_proof,
)
from sync.letters import LetterError, checked_letter_key
from sync.signature import SignatureError

TIMEOUT_S = 30


class EnrolmentError(SyncError):
    """The city does not take this kiosk, or it is not the city."""


async def enrol(
    identity: Identity,
    city_url: str,
    token: str,
    kiosk: str,
    *,
    software: str = "",
    hardware: Mapping[str, str] | None = None,
) -> Enrolment:
    """Make this kiosk known to the city that has given the token, and keep what it answers.

    Doing it again with the same token is safe: after a power cut the city gives the same answer.
    Raises `EnrolmentError`, `IdentityError` and what aiohttp raises.
    """
    secret, fingerprint = read_token(token)
    key = identity.key()
    request = wire_pb2.EnrolRequest(
        token=secret,
        public_key=key.public.raw,
        kiosk=kiosk,
        software=software,
        hardware=hardware or {},
    )
    reply = await _post(city_url, "/v1/enrol", request.SerializeToString(), key)
    told = wire_pb2.EnrolReply()
    city_keys = _city_keys(told, reply, fingerprint)
    try:
        letter_key = checked_letter_key(told.letter_key)
    except LetterError as error:
        raise EnrolmentError(f"the city's answer: {error}") from None
    enrolment = Enrolment(key, told.device, told.kiosk, told.site, city_url, city_keys, letter_key)
    identity.keep(enrolment)
    return enrolment


def _city_keys(
    told: wire_pb2.EnrolReply, reply: Reply, fingerprint: bytes
) -> tuple[PublicKey, ...]:
    """The city's keys, of which the one that the token names has signed the answer."""
    if reply.status == 200:
        try:
            told.ParseFromString(reply.body)
            keys = tuple(PublicKey(raw) for raw in told.city_keys)
            reply.verify(key for key in keys if key.fingerprint == fingerprint)
        except (DecodeError, SignatureError) as error:
            raise EnrolmentError(f"this is not the city that gave the token: {error}") from None
        return keys
    raise _refused(reply)


async def rotate(identity: Identity) -> Enrolment:
    """Put a new key in place of this kiosk's; one that was begun before is ended.

    Raises `EnrolmentError`, `IdentityError` and what aiohttp raises.
    """
    enrolment = identity.enrolment()
    if enrolment is None:
        raise EnrolmentError("this kiosk is not enrolled")
    old, new = enrolment.key, identity.next_key()
    request = wire_pb2.RotateRequest(
        public_key=new.public.raw,
        proof=new.sign(rotation_proof(enrolment.device, old.public, new.public)),
    )
    reply = await _post(enrolment.city_url, "/v1/rotate", request.SerializeToString(), old)
    if reply.status != 200:
        raise _refused(reply)
    try:
        reply.verify(enrolment.city_keys)
    except SignatureError as error:
        raise EnrolmentError(f"the answer is not the city's: {error}") from None
    # From here on a power cut is mended by the uplink: the city says that the old key is replaced.
    identity.finish_rotation()
    return enrolment._replace(key=new)


async def _post(city_url: str, path: str, body: bytes, key: Key) -> Reply:
    limit = aiohttp.ClientTimeout(total=TIMEOUT_S)
    async with aiohttp.ClientSession(timeout=limit, auto_decompress=False) as session:
        try:
            return await send(
                session, city_url, "POST", path, body, key=key, nonce=make_nonce(), dated=False
            )
        except CallError as error:
            raise EnrolmentError(str(error)) from None


def _refused(reply: Reply) -> EnrolmentError:
    reason = reply.body[:300].decode("utf-8", "replace").strip()
    return EnrolmentError(f"the city says {reply.status}: {reason}")
