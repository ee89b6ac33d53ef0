"""GET /api/boot.svg: tells the boot page, which comes from the disk, that it may go over.

A page from a file may look at no answer of ours, but it sees whether a picture arrives.
"""

from __future__ import annotations

from aiohttp import web

GO = b'<svg xmlns="http://www.w3.org/2000/svg" width="1" height="1"/>'


class Gate:
    """Whether the screen may open; it may not after it has failed too often."""

    def __init__(self) -> None:
        self.closed = False


GATE = web.AppKey("gate", Gate)


async def boot(request: web.Request) -> web.Response:
    """GET /api/boot.svg: a picture, or 503 where the boot page is to stay."""
    headers = {"Cache-Control": "no-store", "Cross-Origin-Resource-Policy": "cross-origin"}
    if request.app[GATE].closed:
        raise web.HTTPServiceUnavailable(text="the screen has failed too often", headers=headers)
    return web.Response(body=GO, content_type="image/svg+xml", headers=headers)
