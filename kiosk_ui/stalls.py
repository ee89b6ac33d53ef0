"""The market's stalls: what a pack says of them, and what their keepers tell for today.

`stalls.json` of a pack is a list, one object for each stall:

    {"number": "12",                        what is written over the stall, up to 6 characters
     "names": {"th": …, "en": …, "zh": …},  whose stall it is
     "entry": "fishing-pier-market",        where it stands; may be missing
     "goods": [{"id": "oyster",             up to 6; an entry of the pack gives its names, or
                "names": {…},               they stand here
                "unit": {"th": "กก.", "en": "kg", "zh": "公斤"}}],   may be missing
     "price_presets": {"oyster": [100, 120, 150]},    baht, rising, up to 12; may be missing
     "pin": "scrypt$16384$8$1$…$…"}         of `kiosk_ui.pin.hash_pin`, `angsila stall-pin`

What a stall tells holds for today in Bangkok and is gone at midnight. It outlives a restart in
a small file. While nobody vouches for the clock there is no today: then nothing is taken in and
nothing is shown.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui.errors import ContentError
from kiosk_ui.languages import Words
from kiosk_ui.pack_rows import words, wrong
from kiosk_ui.pin import PINS, is_hash
from kiosk_ui.posts import Pace, answer, read_post, refused
from sync.entry import SyncError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.content import Pack
    from kiosk_ui.kept import Kept
    from kiosk_ui.posts import Fields
    from sync.journal import Journal

KIND = "stall"
NAME_MAX = 60
UNIT_MAX = 20
GOODS_MAX = 6
PRESETS_MAX = 12
PRICE_MAX_BAHT = 100_000
CHANGES_MAX, CHANGES_MS = 120, 3_600_000
DAY_MS = 24 * 3_600_000
BANGKOK_MS = 7 * 3_600_000
OPEN = ("open", "closed")
_NUMBER = re.compile(r"[0-9A-Za-z]{1,6}")


@dataclass(frozen=True)
class Good:
    """One thing that a stall sells."""

    id: str
    names: Words
    unit: Words | None
    presets: tuple[int, ...]  # Prices in baht that its keeper can choose from.


@dataclass(frozen=True)
class Stall:
    """One stall as the pack has it."""

    number: str
    names: Words
    entry: str | None
    goods: tuple[Good, ...]
    pin: str

    @property
    def door(self) -> str:
        """What its PIN opens; also the name of its screen."""
        return f"stall/{self.number}"


def read_stalls(pack: Pack) -> tuple[Stall, ...]:
    """The stalls of a pack. Raises `ContentError`."""
    stalls = tuple(_stall(row, pack) for row in pack.stalls)
    numbers = [stall.number for stall in stalls]
    for number in numbers:
        if numbers.count(number) > 1:
            raise ContentError(f"stalls.json: number: used twice: {number!r}")
    return stalls


def _stall(row: Any, pack: Pack) -> Stall:
    number = row.get("number") if isinstance(row, dict) else None
    if not isinstance(number, str) or not _NUMBER.fullmatch(number):
        raise wrong("stalls.json: number", "1 to 6 letters or digits", number)
    where = f"stalls.json: {number}"
    entry, goods = row.get("entry"), row.get("goods")
    known = {one.id: one.names for one in pack.entries}
    if entry is not None and entry not in known:
        raise wrong(f"{where}: entry", "an entry of the pack", entry)
    if not isinstance(goods, list) or len(goods) > GOODS_MAX:
        raise wrong(f"{where}: goods", f"a list of at most {GOODS_MAX}", goods)
    if not is_hash(row.get("pin")):
        raise wrong(f"{where}: pin", "a hash like scrypt$16384$8$1$SALT$HASH", "")
    presets = row.get("price_presets") or {}
    if not isinstance(presets, dict):
        raise wrong(f"{where}: price_presets", "prices by good", presets)
    found = tuple(_good(where, good, presets, known, pack.languages) for good in goods)
    for key in presets.keys() - {good.id for good in found}:
        raise wrong(f"{where}: price_presets", "a good of this stall", key)
    return Stall(
        number=number,
        names=words(f"{where}: names", row.get("names"), NAME_MAX, pack.languages),
        entry=entry,
        goods=found,
        pin=row["pin"],
    )


def _good(
    where: str,
    row: Any,
    presets: Mapping[str, Any],
    known: Mapping[str, Words],
    languages: tuple[str, ...],
) -> Good:
    key = row.get("id") if isinstance(row, dict) else None
    if not isinstance(key, str) or not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", key):
        raise wrong(f"{where}: goods.id", "a short name in a-z, 0-9 and -", key)
    names = row.get("names") or known.get(key)
    unit = row.get("unit")
    return Good(
        id=key,
        names=words(f"{where}: {key}.names", names, NAME_MAX, languages),
        unit=None if unit is None else words(f"{where}: {key}.unit", unit, UNIT_MAX, languages),
        presets=_presets(f"{where}: price_presets.{key}", presets.get(key, [])),
    )


def _presets(where: str, prices: Any) -> tuple[int, ...]:
    wanted = f"up to {PRESETS_MAX} prices in whole baht, rising"
    if not isinstance(prices, list) or len(prices) > PRESETS_MAX:
        raise wrong(where, wanted, prices)
    last = 0
    for price in prices:
        if type(price) is not int or not last < price <= PRICE_MAX_BAHT:
            raise wrong(where, wanted, prices)
        last = price
    return tuple(prices)


class Stalls:
    """What the stalls of this kiosk told for today."""

    def __init__(self, kept: Kept, journal: Journal) -> None:
        self.by_number: Mapping[str, Stall] = {}  # Of the pack that is shown.
        self._kept = kept
        self._journal = journal
        self._pace = Pace(CHANGES_MAX, CHANGES_MS)
        self._lock = asyncio.Lock()

    def today(self) -> dict[str, Any]:
        """By number what each told for today; empty while the clock is not set."""
        day = self._day()
        if day is None or self._kept.value.get("day") != day:
            return {}
        told = self._kept.value.get("told")
        if not isinstance(told, dict):
            return {}
        return {number: one for number, one in told.items() if number in self.by_number}

    def _day(self) -> int | None:
        """The number of this day in Bangkok."""
        utc_ms = self._journal.clock.utc_ms()
        return None if utc_ms is None else (utc_ms + BANGKOK_MS) // DAY_MS

    async def tell(self, stall: Stall, told: dict[str, Any]) -> dict[str, Any]:
        """Take in what a stall tells: to the city as an event, and to this kiosk's screens.

        It replaces what the stall told before, so nothing doubles when it comes again. Raises
        an answer of 409, 429 or 503, and changes nothing then.
        """
        async with self._lock:
            journal = self._journal
            now_ms, utc_ms, day = journal.clock.boottime_ms(), journal.clock.utc_ms(), self._day()
            if utc_ms is None or day is None:
                message = "the clock is not set, so nobody knows when today ends"
                raise refused(web.HTTPConflict, message)
            if wait_ms := self._pace.wait_ms(now_ms):
                wait_s = -(-wait_ms // 1000)
                message = f"too many changes: wait {wait_s} s"
                raise refused(web.HTTPTooManyRequests, message, {"Retry-After": str(wait_s)})
            self._pace.take(now_ms)
            try:
                await journal.event(KIND, {"stall": stall.number, **told})
            except SyncError as error:
                message = f"it could not be stored now: {error}"
                raise refused(web.HTTPServiceUnavailable, message) from None
            midnight_ms = (day + 1) * DAY_MS - BANGKOK_MS
            shown = {"at_ms": utc_ms, "until_ms": midnight_ms, **told}
            rows = {**self.today(), stall.number: shown}
            await asyncio.to_thread(self._kept.write, {"day": day, "told": rows})
            return shown


STALLS = web.AppKey("stalls", Stalls)


async def tell_today(request: web.Request) -> web.Response:
    """POST /api/stall {"token", "number", "open", "sold_out", "prices"}: what holds today."""
    fields = await read_post(request)
    fields.only("token", "number", "open", "sold_out", "prices")
    stalls = request.app[STALLS]
    stall = stalls.by_number[fields.one_of("number", stalls.by_number)]
    request.app[PINS].must_hold(fields.value("token"), stall.door)
    shown = await stalls.tell(stall, _told(fields, stall))
    return answer({"stall": stall.number, **shown})


def _told(fields: Fields, stall: Stall) -> dict[str, Any]:
    goods = {good.id: good for good in stall.goods}
    gone: Any = fields.value("sold_out") or []
    if not isinstance(gone, list) or len(gone) > GOODS_MAX or not all(_is(g, goods) for g in gone):
        raise fields.wrong("sold_out", "a list of this stall's goods is wanted")
    prices: Any = fields.value("prices") or {}
    good_prices = isinstance(prices, dict) and all(
        _is(key, goods) and type(price) is int and price in goods[key].presets
        for key, price in prices.items()
    )
    if not good_prices:
        raise fields.wrong("prices", "prices of this stall's presets are wanted")
    return {
        "open": fields.one_of("open", OPEN) if fields.has("open") else None,
        "sold_out": sorted(set(gone)),
        "prices": prices,
    }


def _is(key: Any, goods: Mapping[str, Good]) -> bool:
    return isinstance(key, str) and key in goods
