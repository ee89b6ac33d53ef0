"""Runs the city's receiver until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

from aiohttp import web

from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.identity import CITY_KEY, read_or_make_key

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S = 1.0  # What a request under way gets when the city stops.


async def run(folder: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT.

    Raises `ArchiveError`, `IdentityError`, `OSError` for a port in use.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    archive = await Archive.open(folder)
    try:
        key = await asyncio.to_thread(read_or_make_key, folder / CITY_KEY)
        runner = web.AppRunner(make_app(archive, key), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
            await site.start()
            log.info("city on http://%s:%d", host, port)
            await stopping.wait()
        finally:
            await runner.cleanup()
    finally:
        await archive.close()
