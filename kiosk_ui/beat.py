"""POST /api/beat: the page's sign of life, with which kind of screen it shows and no more."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from aiohttp import web

from kiosk_ui.posts import read_post

FRAME_MS_MAX = 60_000
HEAP_KB_MAX = 2**31
ERRORS_MAX = 2**31
FAULT_MAX = 200
VIEW_MAX = 40
RELEASE_MAX = 40
ATTRACT = "attract"


class Beat(NamedTuple):
    """One sign of life. There is nothing of the person in it."""

    heard_s: float  # On the event loop's clock.
    view: str  # What kind of screen: "entry", and not which one.
    release: str
    frame_ms: int  # How long a frame took; -1 where none came.
    heap_kb: int
    errors: int
    checked: bool  # Whether the page has tried this release,
    fault: str  # and what was wrong.

    @property
    def alive(self) -> bool:
        """Whether the panel is painted: a script can run in a window that is frozen."""
        return self.frame_ms >= 0

    @property
    def idle(self) -> bool:
        """Whether nobody uses the screen."""
        return self.view == ATTRACT


class Beats:
    """The last sign of life, and a wait for the next one."""

    def __init__(self) -> None:
        self.last: Beat | None = None
        self._heard = asyncio.Event()

    def take(self, beat: Beat) -> None:
        """Note a sign of life."""
        self.last = beat
        self._heard.set()
        self._heard = asyncio.Event()

    async def next(self, limit_s: float) -> Beat | None:
        """The next sign of life, or None where there is none in time."""
        heard = self._heard
        try:
            async with asyncio.timeout(limit_s):
                await heard.wait()
        except TimeoutError:
            return None
        return self.last


BEATS = web.AppKey("beats", Beats)


async def beat(request: web.Request) -> web.Response:
    """POST /api/beat."""
    said = await read_post(request)
    said.only("view", "release", "frame_ms", "heap_kb", "errors", "checked", "fault")
    taken = Beat(
        heard_s=asyncio.get_running_loop().time(),
        view=said.words("view", VIEW_MAX),
        release=said.words("release", RELEASE_MAX),
        frame_ms=said.whole("frame_ms", -1, FRAME_MS_MAX),
        heap_kb=said.whole("heap_kb", 0, HEAP_KB_MAX),
        errors=said.whole("errors", 0, ERRORS_MAX),
        checked=said.value("checked") is True,
        fault=said.words("fault", FAULT_MAX),
    )
    request.app[BEATS].take(taken)
    return web.Response(status=204)
