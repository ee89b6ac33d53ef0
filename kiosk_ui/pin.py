"""PINs of technician and stalls: their hashes, how often one may be wrong, and who is in.

A hash is what a settings file or a pack holds: `scrypt$N$R$P$SALT$HASH`, salt and hash in hex
digits. `hash_pin` makes one; `angsila technician-pin` and `angsila stall-pin` print it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, NamedTuple

from aiohttp import web

from kiosk_ui.posts import Pace, answer, read_post, refused

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.kept import Kept
    from sync.clock import Clock

DIGITS = 6
FREE_TRIES = 5
PAUSE_FIRST_MS = 30_000
PAUSE_MAX_MS = 3_600_000
STALL_PAUSE_MS = 15 * 60_000
WRONG_MAX, WRONG_WINDOW_MS = 60, 3_600_000  # Of all doors together: nobody tries stall by stall.
SESSION_MS = 300_000
SESSIONS_MAX = 8

N, R, P = 2**14, 8, 1  # 16 MB and about 80 ms for each try.
N_MAX, R_MAX, P_MAX = 2**15, 8, 4
MEMORY_BYTES_MAX = 64 * 1024 * 1024
_HASH = re.compile(r"scrypt\$(\d{1,6})\$(\d{1,2})\$(\d)\$([0-9a-f]{16,64})\$([0-9a-f]{64})")
_EASY = ("012345678901234", "987654321098765")


def is_pin(text: object) -> bool:
    """Whether a text is a PIN, and none that everybody tries first."""
    if not isinstance(text, str) or not re.fullmatch(rf"[0-9]{{{DIGITS}}}", text):
        return False
    return len(set(text)) > 1 and not any(text in row for row in _EASY)


def hash_pin(pin: str) -> str:
    """What may be written down of a PIN. Takes about 80 ms."""
    salt = os.urandom(16)
    return f"scrypt${N}${R}${P}${salt.hex()}${_scrypt(pin, salt, N, R, P).hex()}"


def is_hash(text: object) -> bool:
    """Whether a text is a hash that we can check, and at a price that we can pay."""
    found = _HASH.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return False
    n, r, p = int(found[1]), int(found[2]), int(found[3])
    power_of_two = n > 1 and n & (n - 1) == 0
    return power_of_two and n <= N_MAX and 1 <= r <= R_MAX and 1 <= p <= P_MAX


def fits(pin: str, kept: str) -> bool:
    """Whether a PIN belongs to a hash. Blocks for about 80 ms: call it off the event loop."""
    found = _HASH.fullmatch(kept)
    if found is None or not is_hash(kept):
        return False
    n, r, p = int(found[1]), int(found[2]), int(found[3])
    got = _scrypt(pin, bytes.fromhex(found[4]), n, r, p)
    return hmac.compare_digest(got, bytes.fromhex(found[5]))


def _scrypt(pin: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(pin.encode(), salt=salt, n=n, r=r, p=p, maxmem=MEMORY_BYTES_MAX, dklen=32)


def pause_ms(door: str, failed: int) -> int:
    """How long a door stays shut after so many wrong PINs in a row.

    The technician's opens more: 30 s, doubling to an hour. A stall's: a quarter of an hour.
    """
    if failed < FREE_TRIES:
        return 0
    if door != "technician":
        return STALL_PAUSE_MS
    return min(PAUSE_FIRST_MS << min(failed - FREE_TRIES, 10), PAUSE_MAX_MS)


class _Session(NamedTuple):
    door: str
    until_ms: int


class Pins:
    """The doors of one kiosk: "technician" and "stall/12", each with the hash of its PIN."""

    def __init__(self, kept: Kept, clock: Clock) -> None:
        self.doors: Mapping[str, str] = {}  # Settings and pack say which there are.
        self._kept = kept
        self._clock = clock
        self._wrong = Pace(WRONG_MAX, WRONG_WINDOW_MS)
        self._sessions: dict[str, _Session] = {}
        self._lock = asyncio.Lock()

    def wait_ms(self, door: str) -> int:
        """How long a door is still shut. Time without power does not count."""
        now_ms = self._clock.boottime_ms()
        failed, since_ms = self._count(door)
        return max(0, pause_ms(door, failed) - (now_ms - since_ms), self._wrong.wait_ms(now_ms))

    def _count(self, door: str) -> tuple[int, int]:
        """How often in a row the PIN was wrong, and since when that counts in this boot."""
        row = self._kept.value.get(door)
        if not isinstance(row, dict) or type(row.get("failed")) is not int:
            return 0, 0
        same_boot = row.get("boot") == self._clock.boot and type(row.get("at_ms")) is int
        return row["failed"], row["at_ms"] if same_boot else 0

    async def enter(self, door: str, pin: str) -> str:
        """The token of a session behind the door. Raises an answer of 4xx.

        The try is counted on the card before it is looked at, so nothing is won by pulling the
        plug. A card that takes no count leaves no free tries: each costs as much as the fifth.
        """
        async with self._lock:
            self._must_be_open(door)
            failed = self._count(door)[0] + 1
            if not await self._keep(door, failed) and failed < FREE_TRIES:
                failed = FREE_TRIES
                await self._keep(door, failed)
            if not await asyncio.to_thread(fits, pin, self.doors[door]):
                self._wrong.take(self._clock.boottime_ms())
                left = max(0, FREE_TRIES - failed)
                wait_s = -(-self.wait_ms(door) // 1000)
                message = "this is not the PIN"
                raise refused(web.HTTPForbidden, message, tries_left=left, wait_s=wait_s)
            await self._keep(door, 0)
            return self._begin(door)

    def _must_be_open(self, door: str) -> None:
        wait_s = -(-self.wait_ms(door) // 1000)
        if wait_s:
            raise refused(
                web.HTTPTooManyRequests,
                f"too many wrong PINs: shut for {wait_s} s",
                {"Retry-After": str(wait_s)},
                tries_left=0,
                wait_s=wait_s,
            )

    async def _keep(self, door: str, failed: int) -> bool:
        rows = {name: row for name, row in self._kept.value.items() if name in self.doors}
        rows.pop(door, None)
        if failed:
            now_ms = self._clock.boottime_ms()
            rows[door] = {"failed": failed, "boot": self._clock.boot, "at_ms": now_ms}
        return await asyncio.to_thread(self._kept.write, rows)

    def _begin(self, door: str) -> str:
        now_ms = self._clock.boottime_ms()
        alive = {key: one for key, one in self._sessions.items() if one.until_ms > now_ms}
        self._sessions = dict(list(alive.items())[1 - SESSIONS_MAX :])
        token = secrets.token_urlsafe(16)
        self._sessions[token] = _Session(door, now_ms + SESSION_MS)
        return token

    def left_s(self, token: object, door: str) -> int:
        """How long a session behind this door still lasts; 0 where there is none."""
        found = self._sessions.get(token) if isinstance(token, str) else None
        if found is None or found.door != door:
            return 0
        return max(0, -(-(found.until_ms - self._clock.boottime_ms()) // 1000))

    def must_hold(self, token: object, door: str) -> int:
        """The same; refuses who has none."""
        left_s = self.left_s(token, door)
        if not left_s:
            raise refused(web.HTTPUnauthorized, f"no session, or it is over: {door}")
        return left_s


PINS = web.AppKey("pins", Pins)


async def enter(request: web.Request) -> web.Response:
    """POST /api/pin {"door", "pin"}: a session of five minutes, as a token."""
    fields = await read_post(request)
    fields.only("door", "pin")
    pins = request.app[PINS]
    door = fields.one_of("door", pins.doors)
    pin: Any = fields.value("pin")
    if not isinstance(pin, str) or not re.fullmatch(rf"[0-9]{{{DIGITS}}}", pin):
        # What was typed is not repeated: an answer may end up in a log.
        raise refused(web.HTTPBadRequest, f"pin: {DIGITS} digits are wanted")
    token = await pins.enter(door, pin)
    return answer({"token": token, "door": door, "left_s": pins.left_s(token, door)})
