"""Runs the city's receiver until it is told to stop."""

from __future__ import annotations

import asyncio
import logging
import signal
from pathlib import Path

from aiohttp import web

from sync.city import blobs
from sync.city.archive import Archive, ArchiveError
from sync.city.receiver import make_app
from sync.identity import CITY_KEY, Key, read_or_make_key

log = logging.getLogger(__name__)

SHUTDOWN_TIMEOUT_S = 1.0  # What a request under way gets when the city stops.


async def run(folder: Path, host: str, port: int, address: str = "") -> None:
    """Serve until SIGTERM or SIGINT; the archive is in `folder`, or at `address`.

    Raises `ArchiveError`, `IdentityError`, `OSError` for a port in use.
    """
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    archive = await Archive.open(folder, address)
    try:
        key = await agreed_key(archive)
        if address:
            await check_blobs(archive)
        runner = web.AppRunner(make_app(archive, key), access_log=None)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port, shutdown_timeout=SHUTDOWN_TIMEOUT_S)
            await site.start()
            log.info("city on http://%s:%d", host, port)
            if address:
                log.info("archive at %s", archive.name)
            await stopping.wait()
        finally:
            await runner.cleanup()
    finally:
        await archive.close()


async def agreed_key(archive: Archive) -> Key:
    """The city's key, which all receivers on one database share; made where there is none.

    Raises `ArchiveError`: a kiosk would take the answers of a receiver with another key for
    those of a stranger.
    """
    path = archive.folder / CITY_KEY
    key = await asyncio.to_thread(read_or_make_key, path)
    agreed = await archive.agree("city_key", key.id)
    if agreed != key.id:
        raise ArchiveError(
            f"{archive.name} is of the city with key {agreed}, and {path} is key {key.id}:"
            f" put that city's {CITY_KEY} there"
        )
    return key


async def check_blobs(archive: Archive) -> None:
    """See that all receivers on one database have one folder of blobs. Raises `ArchiveError`.

    Otherwise a kiosk would hear of new content from one and ask another one for it.
    """
    folder = archive.folder / blobs.FOLDER
    try:
        ours = await asyncio.to_thread(blobs.mark_of, archive.folder)
    except OSError as error:
        raise ArchiveError(f"{folder}: {error.strerror}") from None
    agreed = await archive.agree("blobs", ours)
    if agreed != ours:
        raise ArchiveError(
            f"{folder} is not the folder that the other receivers on {archive.name} have: share"
            f" theirs; or write {agreed} into {folder / blobs.MARK}, where it is lost or a copy"
        )
