"""The door for our own nodes on the local network: packets in, drivers for boards out."""

import asyncio
import json
import logging
from collections.abc import Mapping

from aiohttp import web

from drivers.errors import DriverError, NoDataError
from drivers.linux.adverts import address_bytes
from drivers.linux.lan_node import deliver

BODY_BYTES_MAX = 1024
ANSWER_MAX_S = 2.0  # What a node that is being answered gets at the end.

# What a refused packet is answered with; anything else that is wrong with it is 400.
STATUS = {"replayed": 409, "key": 403}

BOARD_FILES = web.AppKey("board_files", dict)

log = logging.getLogger(__name__)


def make_door(files: Mapping[str, bytes]) -> web.Application:
    """Put up the routes. `files` is what mip fetches: path below /mip → contents."""
    app = web.Application(client_max_size=BODY_BYTES_MAX)
    app[BOARD_FILES] = dict(files)
    app.add_routes([web.post("/node", take), web.get("/mip/{path:.+}", board_file)])
    return app


async def take(request: web.Request) -> web.Response:
    """POST /node {"address": …, "packet": …}, both hexadecimal: one sealed packet.

    204 taken; 400 no packet; 403 not sealed, or with another key; 404 no node of ours;
    409 replayed. Each refusal says why as text.
    """
    try:
        body = json.loads(await request.read())
        address = address_bytes(body["address"]).hex(":").upper()
        packet = bytes.fromhex(body["packet"])
    except (ValueError, KeyError, TypeError, AttributeError, DriverError) as error:
        raise web.HTTPBadRequest(text=f"not a packet of a node: {error!r}") from error
    try:
        deliver(address, packet)
    except NoDataError as error:
        raise web.HTTPNotFound(text=str(error)) from error
    except DriverError as error:
        return web.Response(status=STATUS.get(error.fault, 400), text=str(error))
    return web.Response(status=204)


async def board_file(request: web.Request) -> web.Response:
    """GET /mip/package.json and what it names: `mpremote mip install http://KIOSK/mip/`."""
    path = request.match_info["path"]
    body = request.app[BOARD_FILES].get(path)
    if body is None:
        raise web.HTTPNotFound(text=f"there is no {path}")
    return web.Response(body=body, content_type="application/octet-stream")


async def serve(host: str, port: int, files: Mapping[str, bytes]) -> None:
    """Keep the door open, for ever. Raises `OSError` if the port is taken."""
    runner = web.AppRunner(make_door(files), access_log=None, shutdown_timeout=ANSWER_MAX_S)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        log.info("nodes are heard at http://%s:%d", host, port)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()
