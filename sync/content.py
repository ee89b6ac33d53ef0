"""What the city wants shown, fetched by its SHA-256, going on where the link broke off."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp

from sync.call import undated_tls
from sync.entry import SyncError

BLOB_BYTES_MAX = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


class BlobError(SyncError):
    """The city does not give the file that was asked for."""


class Wanted(NamedTuple):
    """A file that the city wants this kiosk to use."""

    sha256: str  # In hex.
    length_bytes: int


class Wish:
    """The last thing that the city wanted, and a wait for another one."""

    def __init__(self) -> None:
        self.last: Wanted | None = None
        self._changed = asyncio.Event()

    def learn(self, content: Any) -> None:
        """Take in a `Content` of the city's signed answer; an empty one wants nothing new."""
        wanted = Wanted(content.sha256.hex(), content.length)
        if content.sha256 and wanted != self.last:
            self.last = wanted
            self._changed.set()
            self._changed = asyncio.Event()

    async def other_than(self, known: Wanted | None) -> Wanted:
        """What the city wants, once that is not `known`."""
        while self.last is None or self.last == known:
            await self._changed.wait()
        return self.last


async def fetch(
    session: aiohttp.ClientSession,
    city_url: str,
    digest: str,
    folder: Path,
    *,
    dated: bool = True,
) -> Path:
    """The file with this hash, in `folder` under its hash. Raises `BlobError`, `ClientError`.

    What has arrived stays beside it as `<hash>.part`, so that a call after a broken link asks
    for the rest only. A file is moved to its name when its hash is right, and never before.
    `dated` says whether this machine's wall clock can judge a TLS certificate's dates.
    """
    if not re.fullmatch(r"[0-9a-f]{64}", digest):
        raise BlobError(f"not a SHA-256 in hex digits: {digest[:80]!r}")
    whole = folder / digest
    if whole.exists():
        return whole
    part = folder / f"{digest}.part"
    have_bytes = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={have_bytes}-"} if have_bytes else {}
    url = f"{city_url.rstrip('/')}/v1/blob/{digest}"
    tls = True if dated or not url.startswith("https:") else undated_tls()
    async with session.get(url, headers=headers, allow_redirects=False, ssl=tls) as response:
        if response.status == 416:  # All of it is here already; its hash decides.
            pass
        elif response.status not in (200, 206):
            raise BlobError(f"{digest}: the city answers {response.status}")
        else:
            await _append(response, part, have_bytes if response.status == 206 else 0)
    return await asyncio.to_thread(_settle, part, whole)


def _settle(part: Path, whole: Path) -> Path:
    """Give a file its name, if that is its hash. Blocks for as long as the card takes."""
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    if found != whole.name:
        part.unlink()
        raise BlobError(f"{whole.name}: what arrived has the hash {found}")
    part.rename(whole)
    return whole


async def _append(response: aiohttp.ClientResponse, part: Path, start_bytes: int) -> None:
    """Write what comes behind the first `start_bytes` of the part that is here."""
    with part.open("ab") as file:
        file.truncate(start_bytes)
        async for chunk in response.content.iter_chunked(CHUNK_BYTES):
            file.write(chunk)
            if file.tell() > BLOB_BYTES_MAX:
                raise BlobError(f"{part.stem}: over {BLOB_BYTES_MAX} bytes")
