"""A link that comes back: nobody waits out a pause, and the present goes ahead of hello."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer

from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.identity import Identity, Key
from sync.journal import Journal
from sync.uplink import Options, Uplink
from tests.beside import beside
from tests.enrolled import KIOSK
from tests.waiting import until

PAUSE_S = "3600"


class Bell:
    """The kernel's word, given by the test."""

    def __init__(self) -> None:
        self.ring: Callable[[], None] = lambda: None

    async def watch(self, changed: Callable[[], None]) -> None:
        """Never ring by itself."""
        self.ring = changed
        await asyncio.get_running_loop().create_future()


class Road:
    """The way to the city: what went along it, and whether anything may."""

    def __init__(self) -> None:
        self.closed = True
        self.went: list[str] = []

    @web.middleware
    async def pass_on(self, request: web.Request, handler: Any) -> web.StreamResponse:
        """Let a request through, or ask the kiosk to come again in an hour."""
        self.went.append(request.path)
        if self.closed:
            raise web.HTTPServiceUnavailable(headers={"Retry-After": PAUSE_S})
        response: web.StreamResponse = await handler(request)
        return response


async def test_a_new_link_ends_the_pause_and_the_present_goes_first(
    journal: Journal,
    archive: Archive,
    city_key: Key,
    identity: Identity,
    levels: Callable[..., None],
) -> None:
    """An hour of pause ends when the kernel says so; readings come first, and come once."""
    road, bell = Road(), Bell()
    app = make_app(archive, city_key)
    app.middlewares.insert(0, road.pass_on)
    levels(3)
    async with TestServer(app) as server:
        options = Options(str(server.make_url("/")), KIOSK)
        uplink = Uplink(journal, journal.clock, options, identity, bell)
        async with beside(uplink.keep()):
            await until(lambda: uplink._state == "offline")
            assert road.went == ["/v1/segments"]
            road.closed = False
            levels(2)
            await journal.seal()
            bell.ring()
            await until(lambda: uplink._state == "online")
    schema = [path for path in road.went if path.startswith("/v1/schema/")]
    readings = [path for path in road.went if path not in schema]
    assert readings[:4] == ["/v1/segments", "/v1/segments", "/v1/segments", "/v1/time"]
    assert readings[4] == "/v1/hello"
    ((lanes),) = [kiosk["lanes"] for kiosk in await archive.fleet()]
    assert [lane["got"] for lane in lanes if lane["lane"] == "readings"] == [[[1, 5]]]
    assert journal.pending() == 0


async def test_a_link_that_comes_while_all_is_well_changes_nothing(
    journal: Journal, uplink: Uplink, levels: Callable[..., None]
) -> None:
    """A router that prolongs its routes does not make a segment each time."""
    levels(3)
    await uplink.flush()
    levels(2)
    uplink.link_came()
    await uplink.flush()
    assert journal.pending() == 2
