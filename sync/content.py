"""Fetches files that the city names by their SHA-256, going on where the link broke off."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

import aiohttp

from sync.entry import SyncError

BLOB_BYTES_MAX = 64 * 1024 * 1024
CHUNK_BYTES = 64 * 1024


class BlobError(SyncError):
    """The city does not give the file that was asked for."""


async def fetch(session: aiohttp.ClientSession, city_url: str, digest: str, folder: Path) -> Path:
    """The file with this hash, in `folder` under its hash. Raises `BlobError`, `ClientError`.

    What has arrived stays beside it as `<hash>.part`, so that a call after a broken link asks
    for the rest only. A file is moved to its name when its hash is right, and never before.
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
    async with session.get(url, headers=headers, allow_redirects=False) as response:
        if response.status == 416:  # All of it is here already; its hash decides.
            pass
        elif response.status not in (200, 206):
            raise BlobError(f"{digest}: the city answers {response.status}")
        else:
            await _append(response, part, have_bytes if response.status == 206 else 0)
    with part.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        os.fsync(file.fileno())
    if found != digest:
        part.unlink()
        raise BlobError(f"{digest}: what arrived has the hash {found}")
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
