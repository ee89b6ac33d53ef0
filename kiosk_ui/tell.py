"""POST /api/tell: what a person tells the city, on the card before they get their ticket.

Words of their own go onto the card only sealed, once the kiosk knows its city.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui.pin import PINS
from kiosk_ui.posts import Pace, answer, read_post, refused
from sync import wire
from sync.entry import Lane, SyncError
from sync.identity import Identity, IdentityError
from sync.letters import seal

if TYPE_CHECKING:
    from collections.abc import Collection

    from kiosk_ui.posts import Fields
    from sync.journal import Journal

KIND = "feedback"
# What it may be about, in the order of the screen. The city knows these words.
REASONS = ("toilet", "litter", "light", "path", "wrong_info", "smell", "danger", "kiosk_fault")
FACES = ("good", "fair", "bad")
TEXT_MAX = 200
SOON_MAX, SOON_MS = 10, 10 * 60_000
DAY_MAX, DAY_MS = 300, 24 * 3_600_000
KEYS_MAX = 256
RECALLED_MAX = 200  # Events that are read after a start, for keys that a page may send again.
RECALLED_BYTES_MAX = 256 * 1024
# Letters that are not mistaken for one another or for a digit, and make no words.
LETTERS = "BCDFGHJKLMNPRTWX"


def ticket_of(epoch: bytes, seq: int) -> str:
    """A short number that this kiosk gives once: "KM-1532".

    The letters are of the journal's epoch, so a new card does not give old numbers again.
    """
    return f"{LETTERS[epoch[0] >> 4]}{LETTERS[epoch[0] & 15]}-{seq}"


class Feedback:
    """What people told this kiosk."""

    def __init__(self, journal: Journal) -> None:
        self.entries: Collection[str] = frozenset()  # Screens that it may be about.
        self.languages: Collection[str] = frozenset()
        self._journal = journal
        self._tickets: dict[str, str] = {}  # Key -> ticket, the newest last.
        self._recalled = False
        self._paces = (Pace(SOON_MAX, SOON_MS), Pace(DAY_MAX, DAY_MS))
        self._lock = asyncio.Lock()

    def renew(self, entries: Collection[str], languages: Collection[str]) -> None:
        """Another pack is shown."""
        self.entries, self.languages = entries, languages

    @property
    def kept(self) -> str:
        """What outlasts a ticket: the card, or only the power."""
        return "memory" if self._journal.memory else "card"

    async def take(self, key: str, body: dict[str, Any]) -> str:
        """Commit it and give its ticket; the same one for the same key.

        Raises an answer of 429 or 503.
        """
        async with self._lock:
            await self._recall()
            known = self._tickets.get(key)
            if known is None:
                letter_key = await asyncio.to_thread(self._letter_key) if "text" in body else b""
                return await self._commit(key, body, letter_key)
            # It is in the journal, and maybe in its RAM only, as the first answer said.
            await self._journal.commit()
            if self._journal.trouble:
                raise _not_stored(self._journal.trouble)
            return known

    def _letter_key(self) -> bytes:
        """The city's, or nothing where this kiosk has no city yet: then nobody could open it."""
        try:
            enrolment = Identity(self._journal.folder).enrolment()
        except IdentityError:  # The uplink says so, and goes nowhere until it is mended.
            return b""
        return enrolment.letter_key if enrolment else b""

    async def _commit(self, key: str, body: dict[str, Any], letter_key: bytes) -> str:
        journal = self._journal
        now_ms = journal.clock.boottime_ms()
        wait_s = max(-(-pace.wait_ms(now_ms) // 1000) for pace in self._paces)
        if wait_s:
            raise refused(
                web.HTTPTooManyRequests,
                f"many reports just now: try again in {wait_s} s",
                {"Retry-After": str(wait_s)},
                wait_s=wait_s,
            )
        for pace in self._paces:
            pace.take(now_ms)
        # Nothing runs between here and the moment the journal gives out this number.
        ticket = ticket_of(journal.epoch, journal.position(Lane.EVENTS).next)
        try:
            if letter_key:
                body["sealed"] = seal(body.pop("text"), ticket, letter_key)
            self._note(key, ticket)
            await journal.event(KIND, {"ticket": ticket, "key": key, **body})
        except SyncError as error:
            raise _not_stored(str(error)) from None
        return ticket

    def _note(self, key: str, ticket: str) -> None:
        self._tickets[key] = ticket
        while len(self._tickets) > KEYS_MAX:
            del self._tickets[next(iter(self._tickets))]

    async def _recall(self) -> None:
        """Read the keys of the newest events once: a page may not have heard our last answer."""
        if self._recalled:
            return
        last = self._journal.position(Lane.EVENTS).committed
        found = await self._journal.segments(
            Lane.EVENTS,
            max(1, last - RECALLED_MAX),
            last,
            limit=RECALLED_MAX,
            bytes_max=RECALLED_BYTES_MAX,
            newest=True,
        )
        for stored in reversed(found):
            for event in wire.segment_events(wire.decode_segment(stored.body)):
                key, ticket = event.body.get("key"), event.body.get("ticket")
                if event.kind == KIND and isinstance(key, str) and isinstance(ticket, str):
                    self._note(key, ticket)
        self._recalled = True


def _not_stored(why: str) -> web.HTTPError:
    return refused(web.HTTPServiceUnavailable, f"it could not be stored now: {why}")


FEEDBACK = web.AppKey("feedback", Feedback)


async def tell(request: web.Request) -> web.Response:
    """POST /api/tell {"key", "reason", "face", "text", "entry", "language"}: a ticket.

    There is a reason or a face; the rest may be missing. `kept` says what the ticket is worth:
    "card" outlives a power cut, "memory" does not, since the card takes nothing.
    """
    fields = await read_post(request)
    feedback = request.app[FEEDBACK]
    body = _body(fields, feedback)
    stall = str(body.get("entry", ""))
    if stall.startswith("stall/") and request.app[PINS].left_s(fields.value("token"), stall):
        body["by"] = stall
    ticket = await feedback.take(fields.key("key"), body)
    return answer({"ticket": ticket, "kept": feedback.kept})


def _body(fields: Fields, feedback: Feedback) -> dict[str, Any]:
    """What of it goes to the city. Raises an answer of 400."""
    fields.only("key", "reason", "face", "text", "entry", "language", "token")
    body: dict[str, Any] = {}
    tables = {
        "reason": REASONS,
        "face": FACES,
        "entry": feedback.entries,
        "language": feedback.languages,
    }
    for name, allowed in tables.items():
        if fields.has(name):
            body[name] = fields.one_of(name, allowed)
    if not body.keys() & {"reason", "face"}:
        raise fields.wrong("reason", "a reason or a face is wanted")
    if text := fields.words("text", TEXT_MAX):
        body["text"] = text
    return body
