"""One signed call from a kiosk to its city."""

from __future__ import annotations

import ssl
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import aiohttp

from sync import identity, signature
from sync.entry import SyncError
from sync.identity import Key, PublicKey
from sync.signature import Message

PROTOBUF = "application/x-protobuf"
REPLY_BYTES_MAX = 256 * 1024
# X509_V_FLAG_NO_CHECK_TIME of OpenSSL's x509_vfy.h, which Python gives no name.
NO_CHECK_TIME = 0x200000


class CallError(SyncError):
    """An answer that is none of a city's."""


class Reply(NamedTuple):
    """What came back, and to what it must be the answer."""

    status: int
    headers: Mapping[str, str]
    content_type: str
    body: bytes
    asked: Message

    def verify(self, city_keys: Iterable[PublicKey]) -> None:
        """See that one of these keys has signed it for this call. Raises `SignatureError`."""
        keys = {key.id: key for key in city_keys}
        identity.verify_answer(
            keys, Message(self.headers, status=self.status), self.body, self.asked
        )


async def send(
    session: aiohttp.ClientSession,
    city_url: str,
    method: str,
    path: str,
    body: bytes = b"",
    *,
    key: Key | None,
    nonce: str = "",
    dated: bool = True,
) -> Reply:
    """Send a request, signed with `key`; the answer, which is still to be verified.

    `path` is sent as it is, so it has nothing in it that needs quoting. `dated` says whether this
    machine's wall clock can judge a TLS certificate's dates. Raises `CallError` and what aiohttp
    raises.
    """
    url = city_url.rstrip("/") + path
    headers = {}
    if key is not None:
        headers = {"Content-Type": PROTOBUF, "Content-Digest": signature.content_digest(body)}
    asked = Message(Lowered(headers), method, path)
    if key is not None:
        headers |= identity.sign_request(key, asked, nonce)
        asked = asked._replace(headers=Lowered(headers))
    tls = True if dated or not url.startswith("https:") else undated_tls()
    async with session.request(
        method, url, data=body or None, headers=headers, allow_redirects=False, ssl=tls
    ) as response:
        answer = b""
        async for chunk in response.content.iter_any():
            answer += chunk
            if len(answer) > REPLY_BYTES_MAX:
                raise CallError(f"{path}: an answer of over {REPLY_BYTES_MAX} bytes")
        return Reply(response.status, response.headers, response.content_type, answer, asked)


class Lowered(dict[str, str]):
    """Headers of ours, found in any case."""

    def __init__(self, headers: Mapping[str, str]) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header."""
        return super().get(name.lower(), default)


@lru_cache(maxsize=1)
def undated_tls() -> ssl.SSLContext:
    """TLS that checks everything but the dates, for a machine that may think it is 1970.

    Who answers is known by the signature in any case; a certificate that has expired gains
    nobody anything.
    """
    context = ssl.create_default_context()
    context.verify_flags |= NO_CHECK_TIME
    return context
