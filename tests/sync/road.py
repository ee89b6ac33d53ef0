"""A road between a kiosk and its city, with somebody of the test's choice on it."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import aiohttp
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer

from sync.city.receiver import BODY_BYTES_MAX

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

HEADERS = ("Content-Type", "Content-Digest", "Signature-Input", "Signature")


@asynccontextmanager
async def road(
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]],
) -> AsyncIterator[str]:
    """Let one handler answer whatever is asked, once it has been read; its address."""

    async def answer(request: web.Request) -> web.StreamResponse:
        await request.read()
        return await handler(request)

    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


async def pass_on(city: BaseTestServer, request: web.Request) -> web.Response:
    """Ask the city the same, and answer what it says."""
    headers = {name: value for name, value in request.headers.items() if name != "Host"}
    url = city.make_url(request.raw_path)
    body = await request.read()
    async with (
        aiohttp.ClientSession(auto_decompress=False) as session,
        session.request(request.method, url, data=body or None, headers=headers) as answer,
    ):
        told = {name: answer.headers[name] for name in HEADERS if name in answer.headers}
        return web.Response(status=answer.status, body=await answer.read(), headers=told)
