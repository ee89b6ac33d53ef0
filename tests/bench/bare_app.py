"""The least that aiohttp can be asked for: one page, on the socket that was handed over."""

from __future__ import annotations

import socket

from aiohttp import web


async def page(request: web.Request) -> web.Response:
    """GET /."""
    del request
    return web.Response(text="<!doctype html><title>Bare</title>", content_type="text/html")


def main() -> None:
    """Serve until SIGTERM."""
    app = web.Application()
    app.add_routes([web.get("/", page)])
    web.run_app(app, sock=socket.socket(fileno=3), print=None, access_log=None)


if __name__ == "__main__":
    main()
