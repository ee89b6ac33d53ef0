"""Packs that the city wants shown: fetched over whatever link there is, then tried."""

import asyncio
import logging
import random
from pathlib import Path

import aiohttp

from edge.packs import Packs
from kiosk_ui.errors import ContentError
from sync import local
from sync.clock import Clock
from sync.content import BlobError, Wanted, Wish, fetch
from sync.uplink import WALL_SOURCES

FOLDER = "incoming"
CONNECT_TIMEOUT_S = 10
STALL_TIMEOUT_S = 60  # Without a byte from the city.
RETRY_FIRST_S = 5.0
RETRY_MAX_S = 900.0
TRIES_MAX = 3  # Of one file, where the power goes or the card is full each time.

log = logging.getLogger(__name__)


class PackFetcher:
    """Does what the city wants of the screen, until something has become of each file."""

    def __init__(self, city_url: str, wish: Wish, clock: Clock, packs: Packs, folder: Path) -> None:
        self._city_url = city_url
        self._wish = wish
        self._clock = clock
        self._packs = packs
        self._folder = folder / FOLDER
        self._rng = random.Random()  # noqa: S311  It spreads retries, it keeps no secret.

    async def keep(self) -> None:
        """Fetch and show what the city wants, for ever."""
        timeout = aiohttp.ClientTimeout(
            total=None, sock_connect=CONNECT_TIMEOUT_S, sock_read=STALL_TIMEOUT_S
        )
        done: Wanted | None = None
        async with aiohttp.ClientSession(timeout=timeout, auto_decompress=False) as session:
            while True:
                wanted = await self._wish.other_than(done)
                if wanted.length_bytes > local.PACK_BYTES_MAX:
                    log.warning("the city wants a pack of %d bytes", wanted.length_bytes)
                elif not self._packs.store.handled(wanted.sha256):
                    path = await self._fetch(session, wanted)
                    if path is None:
                        continue  # Something else is wanted by now.
                    if not await self._show(wanted, path):
                        continue
                done = wanted

    async def _fetch(self, session: aiohttp.ClientSession, wanted: Wanted) -> Path | None:
        """Try until the file is here; None where the city wants another one meanwhile."""
        failures = 0
        while self._wish.last == wanted:
            try:
                self._folder.mkdir(mode=0o700, exist_ok=True)
                dated = self._clock.source in WALL_SOURCES
                return await fetch(
                    session, self._city_url, wanted.sha256, self._folder, dated=dated
                )
            except (aiohttp.ClientError, BlobError, TimeoutError, OSError) as error:
                if not failures:
                    log.warning("content %s…: %s", wanted.sha256[:8], error or "too slow")
                failures += 1
                ceiling_s = min(RETRY_FIRST_S * 2**failures, RETRY_MAX_S)
                await asyncio.sleep(self._rng.uniform(RETRY_FIRST_S, ceiling_s))
        return None

    async def _show(self, wanted: Wanted, path: Path) -> bool:
        """Try the pack; whether something has become of it, for then it is not fetched again."""
        store = self._packs.store
        outcome = ""
        try:
            if await asyncio.to_thread(store.note_try, wanted.sha256) <= TRIES_MAX:
                outcome = await self._activate(wanted, path)
            await asyncio.to_thread(store.note_handled, wanted.sha256)
            await asyncio.to_thread(self._forget)
        except OSError as error:
            log.warning("content %s… cannot be kept: %s", wanted.sha256[:8], error)
            await asyncio.sleep(self._rng.uniform(RETRY_FIRST_S, RETRY_MAX_S))
            return False
        if outcome:  # Said only now: whoever reads it may pull the plug, and the card knows.
            log.warning("%s", outcome)
        return True

    async def _activate(self, wanted: Wanted, path: Path) -> str:
        """Show the pack; a line about what became of it. Raises `OSError`."""
        try:
            return await self._packs.activate(path, by_hand=False)
        except ContentError as error:
            return f"content {wanted.sha256[:8]}… is not shown: {error}"

    def _forget(self) -> None:
        """Take away what was fetched: the pack lies unpacked among the others, or nowhere."""
        for old in self._folder.iterdir():
            old.unlink()
