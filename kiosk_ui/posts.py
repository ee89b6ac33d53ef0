"""What the page may send: small JSON objects, from our own page only, checked field by field."""

from __future__ import annotations

import asyncio
import json
import math
import unicodedata
from collections import deque
from typing import TYPE_CHECKING, Any, NoReturn

from aiohttp import web

from kiosk_ui.now import to_json

if TYPE_CHECKING:
    from collections.abc import Collection

BODY_BYTES_MAX = 16 * 1024
READ_MAX_S = 5.0
SHOWN_MAX = 80  # Characters of a wrong value, in an answer.
KEY_CHARS = frozenset("0123456789abcdef-")
KEY_LENGTH = (16, 40)  # A UUID is 36.


def refused(
    kind: type[web.HTTPError], message: str, headers: dict[str, str] | None = None, **more: Any
) -> web.HTTPError:
    """An answer of 4xx or 5xx that says in JSON what is wrong; to be raised."""
    return kind(
        text=to_json({"error": message, **more}),
        content_type="application/json",
        headers={"Cache-Control": "no-store", **(headers or {})},
    )


def answer(body: dict[str, Any]) -> web.Response:
    """An answer that is for this page and this moment."""
    return web.Response(
        text=to_json(body), content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def only_our_page(request: web.Request) -> None:
    """Refuse what a page from elsewhere, or no page, has sent.

    A browser says on every POST where it comes from, in one header or both, and no script can
    change them.
    """
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    ours = f"{request.scheme}://{request.host}"
    said = origin is not None or site is not None
    if not said or origin not in (None, ours) or site not in (None, "same-origin"):
        where = (origin or site or "nowhere")[:SHOWN_MAX]
        raise refused(web.HTTPForbidden, f"only this kiosk's own page may send: {where!r}")


async def read_post(request: web.Request) -> Fields:
    """The object that a page of ours has sent. Raises an answer of 4xx."""
    only_our_page(request)
    if request.content_type != "application/json":
        shown = request.content_type[:SHOWN_MAX]
        raise refused(web.HTTPUnsupportedMediaType, f"application/json is wanted: {shown!r}")
    raw = await _read(request)
    try:
        body = json.loads(raw, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        shown = raw[:SHOWN_MAX].decode(errors="replace")
        raise refused(web.HTTPBadRequest, f"not JSON: {shown!r}") from None
    if not isinstance(body, dict):
        raise refused(web.HTTPBadRequest, f"an object is wanted: {_shown(body)}")
    return Fields(body)


async def _read(request: web.Request) -> bytes:
    too_long = f"a body of at most {BODY_BYTES_MAX} bytes is wanted"
    if (request.content_length or 0) > BODY_BYTES_MAX:
        raise refused(_TooLarge, f"{too_long}: {request.content_length}")
    raw = b""
    try:
        async with asyncio.timeout(READ_MAX_S):
            while chunk := await request.content.readany():
                raw += chunk
                if len(raw) > BODY_BYTES_MAX:
                    raise refused(_TooLarge, too_long)
    except TimeoutError:
        raise refused(web.HTTPRequestTimeout, f"no whole body within {READ_MAX_S:g} s") from None
    return raw


class _TooLarge(web.HTTPClientError):
    """413; aiohttp's own wants numbers and writes the words itself."""

    status_code = 413


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"not JSON: {name}")


def _shown(value: Any) -> str:
    return ascii(value)[:SHOWN_MAX]


class Fields:
    """The fields of an object from outside; each complaint names the field and the value."""

    def __init__(self, body: dict[str, Any]) -> None:
        self._body = body

    def only(self, *names: str) -> None:
        """Refuse a field that is none of these."""
        for name in self._body:
            if name not in names:
                raise self.wrong(name[:SHOWN_MAX], f"no such field; there are {', '.join(names)}")

    def has(self, name: str) -> bool:
        """Whether there is anything in this field."""
        return self._body.get(name) is not None

    def value(self, name: str) -> Any:
        """What is in the field, whatever it is."""
        return self._body.get(name)

    def one_of(self, name: str, allowed: Collection[str]) -> str:
        """A word of a table."""
        value = self._body.get(name)
        if not isinstance(value, str) or value not in allowed:
            raise self.wrong(name, "a word of its table is wanted")
        return value

    def whole(self, name: str, low: int, high: int) -> int:
        """A whole number within its bounds."""
        value = self._body.get(name)
        if type(value) is not int or not low <= value <= high:
            raise self.wrong(name, f"a whole number from {low} to {high} is wanted")
        return value

    def key(self, name: str) -> str:
        """What the page calls this one thing it asks for, so that it is done once."""
        value = self._body.get(name)
        low, high = KEY_LENGTH
        if not isinstance(value, str) or not low <= len(value) <= high or set(value) - KEY_CHARS:
            raise self.wrong(name, f"{low} to {high} hex digits are wanted")
        return value

    def words(self, name: str, length_max: int) -> str:
        """What a person wrote, without what cannot be seen."""
        value = self._body.get(name, "")
        if not isinstance(value, str) or len(value) > length_max:
            raise self.wrong(name, f"a text of at most {length_max} characters is wanted")
        plain = unicodedata.normalize("NFC", " ".join(value.split()))
        return "".join(letter for letter in plain if letter.isprintable())[:length_max]

    def wrong(self, name: str, wanted: str) -> web.HTTPError:
        """The answer about one field; to be raised."""
        return refused(web.HTTPBadRequest, f"{name}: {wanted}: {_shown(self._body.get(name))}")


class Pace:
    """So many in any such time, and no more."""

    def __init__(self, count_max: int, window_ms: int) -> None:
        self._window_ms = window_ms
        self._taken: deque[int] = deque(maxlen=count_max)

    def wait_ms(self, now_ms: int) -> int:
        """How long until there is room for one more; 0 where there is."""
        if len(self._taken) < (self._taken.maxlen or 1):
            return 0
        return max(0, math.ceil(self._taken[0] + self._window_ms - now_ms))

    def take(self, now_ms: int) -> None:
        """Count one."""
        self._taken.append(now_ms)
