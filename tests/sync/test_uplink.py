"""How the uplink paces itself on a link and before a city that cannot take everything at once."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from drivers.reading import Reading
from sync import uplink as module
from sync.city import receiver
from sync.city.admission import RETRY_AFTER_S, SMALL_BYTES_MAX, UPLOADS_MAX
from sync.city.archive import Archive
from sync.entry import Anchor, Lane
from sync.journal import Journal
from sync.uplink import (
    ANCHORS_MAX,
    BODY_BYTES_FIRST,
    BODY_BYTES_MAX,
    BODY_BYTES_MIN,
    BODY_TARGET_S,
    GROW_AFTER,
    Pace,
    RetryAfterError,
    TooLargeError,
    Uplink,
)
from tests.sync.lines import state
from tests.sync.road import pass_on, road

NARROW_BYTES = 20 * 1024
HOUR_MS = 3_600_000


def test_a_body_grows_while_it_goes_through_at_once() -> None:
    """A fast link gets the largest body within a few uploads."""
    pace = Pace()
    for _ in range(4):
        pace.carried(pace.bytes_max, 0.1)
    assert pace.bytes_max == BODY_BYTES_MAX


def test_a_small_body_says_nothing_about_a_large_one() -> None:
    """A thousand complaints that went through at once do not make the backlog's bodies larger."""
    pace = Pace()
    for _ in range(1000):
        pace.carried(300, 0.1)
    assert pace.bytes_max == BODY_BYTES_FIRST


@pytest.mark.parametrize(
    "learn", [Pace.failed, lambda pace: pace.carried(pace.bytes_max, BODY_TARGET_S + 1)]
)
def test_a_body_shrinks_to_what_a_link_carries(learn: Callable[[Pace], None]) -> None:
    """What took too long or did not get through is halved, down to a floor."""
    pace = Pace()
    learn(pace)
    assert pace.bytes_max == BODY_BYTES_FIRST // 2
    for _ in range(9):
        learn(pace)
    assert pace.bytes_max == BODY_BYTES_MIN


def test_a_body_grows_back_slowly() -> None:
    """After one that did not get through, several have to; what was refused is not tried again."""
    pace = Pace()
    pace.failed()
    for _ in range(GROW_AFTER - 1):
        pace.carried(pace.bytes_max, 0.1)
    assert pace.bytes_max == BODY_BYTES_FIRST // 2
    pace.carried(pace.bytes_max, 0.1)
    assert pace.bytes_max == BODY_BYTES_FIRST
    pace.refused()
    for _ in range(9 * GROW_AFTER):
        pace.carried(pace.bytes_max, 0.1)
    assert pace.bytes_max == BODY_BYTES_FIRST // 2


def test_a_body_that_suits_the_link_stays() -> None:
    """Between half the target and all of it nothing is changed."""
    pace = Pace()
    pace.carried(pace.bytes_max, BODY_TARGET_S * 0.7)
    assert pace.bytes_max == BODY_BYTES_FIRST


@asynccontextmanager
async def gated(city: BaseTestServer, gate: Callable[[web.Request], Any]) -> AsyncIterator[str]:
    """A box before the city that answers some requests itself; its address."""

    async def answer(request: web.Request) -> web.Response:
        if refusal := gate(request):
            raise refusal
        return await pass_on(city, request)

    async with road(answer) as url:
        yield url


async def fill(journal: Journal, segments: int) -> None:
    """A backlog of segments that do not compress, about 0.5 KB each."""
    chance = random.Random(segments)  # noqa: S311  It makes values, no secrets.
    for number in range(segments):
        for place in range(100):
            at_ms = (number * 100 + place) * 10_000 + chance.randrange(3000)
            reading = Reading("water_level", chance.randrange(100_000) / 1000, "m")
            journal.append("pier", [reading], at_ms, simulated=True, decimals={"water_level": 3})
        await journal.seal()


async def test_a_body_that_is_too_large_is_halved(
    journal: Journal, make_uplink: Callable[..., Uplink], city: BaseTestServer
) -> None:
    """Whoever says 413 to a body gets smaller ones, and everything arrives."""
    await fill(journal, 120)

    def narrow(request: web.Request) -> web.HTTPException | None:
        size = request.content_length or 0
        return web.HTTPRequestEntityTooLarge(NARROW_BYTES, size) if size > NARROW_BYTES else None

    async with gated(city, narrow) as url:
        uplink = make_uplink(journal, url)
        with pytest.raises(TooLargeError, match="413 for"):
            await uplink.flush()
        await uplink.flush()
    assert journal.pending() == 0


async def test_a_city_that_asks_for_patience_is_not_asked_again_where_it_stands(
    journal: Journal,
    make_uplink: Callable[..., Uplink],
    city: BaseTestServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """After a 503 the kiosk comes back with what it wanted to send, without a second hello."""
    await fill(journal, 2)
    calls = []

    def full_at_first(request: web.Request) -> web.HTTPException | None:
        calls.append(request.path)
        if calls.count("/v1/segments") == 1 and request.path == "/v1/segments":
            return web.HTTPServiceUnavailable(headers={"Retry-After": "0"})
        return None

    monkeypatch.setattr(module, "RETRY_FIRST_S", 0.01)
    async with gated(city, full_at_first) as url:
        uplink = make_uplink(journal, url)
        await state(uplink, "online")
    assert calls.count("/v1/hello") == 1
    assert journal.pending() == 0


async def test_what_was_not_sealed_is_sent_when_the_link_is_there(
    journal: Journal, uplink: Uplink, archive: Archive, levels: Callable[..., None]
) -> None:
    """The city sees the newest value at once, not after the ten minutes of a segment."""
    levels(3)
    await uplink.flush()
    ((stream,),) = [kiosk["streams"] for kiosk in await archive.fleet()]
    assert stream["value"] == 1.002
    assert journal.position(Lane.READINGS).sealed == 3


async def test_every_boot_of_a_long_absence_gets_its_time(
    journal: Journal, uplink: Uplink, archive: Archive
) -> None:
    """Days of hourly anchors do not push out the one that an earlier boot had."""
    utc_ms = time.time_ns() // 1_000_000 - 4 * 24 * HOUR_MS
    journal.add_anchor(Anchor("aa" * 16, 1_000, utc_ms, 20, "ntp"))
    for hour in range(3 * 24):
        at_ms = hour * HOUR_MS
        journal.add_anchor(Anchor("bb" * 16, at_ms, utc_ms + at_ms + 9 * HOUR_MS, 20, "ntp"))
    await uplink.flush()
    table = archive._times._anchor
    told = await archive._thread.run(lambda: [row.boot for row in table.select()])
    assert set(told) == {"aa" * 16, "bb" * 16, journal.clock.boot}
    assert len(told) == ANCHORS_MAX


async def test_a_full_city_takes_a_complaint(
    journal: Journal, uplink: Uplink, city: BaseTestServer, levels: Callable[..., None]
) -> None:
    """Where every place for uploads is taken, small ones go through, and large ones wait."""
    assert isinstance(city, TestServer)
    admission = city.app[receiver.ADMISSION]
    levels(3)
    await journal.event("feedback", {"face": 1})
    with ExitStack() as places:
        for _ in range(UPLOADS_MAX):
            places.enter_context(admission.upload(SMALL_BYTES_MAX + 1))
        await uplink.flush()
        assert journal.pending() == 0
        await fill(journal, 40)
        with pytest.raises(RetryAfterError, match="/v1/segments: 503") as full:
            await uplink.flush()
    assert full.value.seconds == RETRY_AFTER_S
    await uplink.flush()
    assert journal.pending() == 0
