"""A running kiosk's local socket: what the commands on the same machine ask it.

The journal file belongs to one process, so a command that wants to read it asks that process.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Protocol

import aiohttp
from aiohttp import web

from sync import wire_pb2
from sync.entry import Lane, SyncError
from sync.journal import Journal
from sync.uplink import Uplink

SOCKET = "local.sock"
LISTED_MAX = 500
ANSWER_BYTES_MAX = 8 * 1024 * 1024
TIMEOUT_S = 30
CHUNK_BYTES = 64 * 1024
PACK_BYTES_MAX = 42 * 1024 * 1024
PACK_TIMEOUT_S = 300  # A pack is written to the card and read back.
INCOMING = "pack.part"

JOURNAL: web.AppKey[Journal] = web.AppKey("journal", Journal)


class OrderError(SyncError):
    """The running kiosk does not do what it was told; the message says why."""


class Orders(Protocol):
    """What a running kiosk does when it is told to."""

    async def take_pack(self, path: Path) -> str:
        """Show the pack in this file; a line about it. Raises `OrderError`."""

    async def go_back(self) -> str:
        """Show the pack before this one; a line about it. Raises `OrderError`."""


ORDERS: web.AppKey[Orders] = web.AppKey("orders", Orders)
UPLINK: web.AppKey[Uplink | None] = web.AppKey("uplink", Uplink)


class LocalError(SyncError):
    """The running kiosk does not answer as it should."""


@asynccontextmanager
async def serve(
    journal: Journal, uplink: Uplink | None, orders: Orders | None = None
) -> AsyncIterator[None]:
    """Answer on the socket in the journal's folder while the block runs."""
    app = web.Application()
    app[JOURNAL] = journal
    app[UPLINK] = uplink
    app.add_routes(
        [
            web.get("/lanes", lanes),
            web.get("/segments", segments),
            web.post("/flush", flush),
            web.post("/time", take_time),
        ]
    )
    if orders is not None:
        app[ORDERS] = orders
        app.add_routes([web.put("/pack", take_pack), web.post("/pack/rollback", go_back)])
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        with _short_path(journal.folder) as path:
            # Who holds the journal owns the socket: one left by a killed process is dead.
            Path(path).unlink(missing_ok=True)
            await web.UnixSite(runner, path).start()
            Path(path).chmod(0o600)
            yield
            Path(path).unlink(missing_ok=True)
    finally:
        await runner.cleanup()


async def lanes(request: web.Request) -> web.Response:
    """GET /lanes: the epoch, and for each lane its last sealed seq."""
    journal = request.app[JOURNAL]
    return web.json_response(
        {
            "epoch": journal.epoch.hex(),
            "lanes": {lane.name.lower(): journal.position(lane).sealed for lane in Lane},
        }
    )


async def segments(request: web.Request) -> web.Response:
    """GET /segments?lane=&after=: sealed segments from the one that holds `after` + 1 on."""
    lane = Lane[request.query["lane"].upper()]
    after = int(request.query["after"])
    journal = request.app[JOURNAL]
    found = await journal.segments(
        lane,
        after + 1,
        journal.position(lane).sealed,
        limit=LISTED_MAX,
        bytes_max=ANSWER_BYTES_MAX // 2,
    )
    upload = wire_pb2.Upload(segments=[segment.body for segment in found])
    return web.Response(body=upload.SerializeToString())


async def flush(request: web.Request) -> web.Response:
    """POST /flush: commit and seal everything, and have the uplink send it now."""
    await request.app[JOURNAL].seal()
    uplink = request.app[UPLINK]
    if uplink is not None:
        uplink.nudge()
    return web.Response(status=204)


async def take_time(request: web.Request) -> web.Response:
    """POST /time {"utc_ms", "error_ms"}: a technician tells the time; 409 where it is not taken."""
    told = await request.json()
    journal = request.app[JOURNAL]
    anchor = journal.clock.told("technician", int(told["utc_ms"]), int(told["error_ms"]))
    if anchor is None:
        state = journal.clock.state()
        raise web.HTTPConflict(text=f"not taken; the clock is {state}")
    journal.add_anchor(anchor)
    await journal.commit()
    return web.Response(status=204)


async def take_pack(request: web.Request) -> web.Response:
    """PUT /pack: show this pack; 409 where it is refused. The body is the pack file.

    It comes as bytes, because a service that sees little of the file system could not read the
    file of whoever gives the command.
    """
    path = request.app[JOURNAL].folder / INCOMING
    try:
        with path.open("wb") as file:
            async for chunk in request.content.iter_chunked(CHUNK_BYTES):
                file.write(chunk)
                if file.tell() > PACK_BYTES_MAX:
                    raise web.HTTPConflict(text=f"over {PACK_BYTES_MAX} bytes")
        return web.Response(text=await request.app[ORDERS].take_pack(path))
    except OrderError as error:
        raise web.HTTPConflict(text=str(error)) from None
    except OSError as error:
        raise web.HTTPConflict(text=f"the card: {error.strerror}") from None
    finally:
        path.unlink(missing_ok=True)


async def go_back(request: web.Request) -> web.Response:
    """POST /pack/rollback: show the pack before this one; 409 where there is none."""
    try:
        return web.Response(text=await request.app[ORDERS].go_back())
    except OrderError as error:
        raise web.HTTPConflict(text=str(error)) from None


@contextmanager
def _short_path(folder: Path) -> Iterator[str]:
    """A path to the socket that fits into the 108 bytes of `sockaddr_un`, see unix(7)."""
    descriptor = os.open(folder, os.O_PATH | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{SOCKET}"
    finally:
        os.close(descriptor)


@asynccontextmanager
async def connect(folder: Path) -> AsyncIterator[aiohttp.ClientSession]:
    """A session whose requests go to the kiosk that runs on the journal in `folder`."""
    timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
    with _short_path(folder) as path:
        connector = aiohttp.UnixConnector(path=path)
        async with aiohttp.ClientSession(
            "http://kiosk", connector=connector, timeout=timeout
        ) as session:
            yield session
