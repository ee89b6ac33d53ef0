"""Files that kiosks may fetch, kept under their SHA-256 so that a link can break at any byte."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from pathlib import Path

from aiohttp import web

FOLDER = "blobs"
BLOBS: web.AppKey[Path] = web.AppKey("blobs", Path)


def add(folder: Path, path: Path) -> str:
    """Keep a copy of a file in the city's state folder; its hash."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    blobs = folder / FOLDER
    blobs.mkdir(parents=True, exist_ok=True)
    whole, part = blobs / digest, blobs / f"{digest}.part"
    if not whole.exists():
        shutil.copyfile(path, part)
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.rename(whole)
    return digest


async def give(request: web.Request) -> web.StreamResponse:
    """GET /v1/blob/{sha256}: the file, or the bytes of it that Range asks for (RFC 9110).

    Not signed: the name says what must arrive, and whoever sends it cannot change that.
    """
    digest = request.match_info["sha256"]
    path = request.app[BLOBS] / digest
    if not re.fullmatch(r"[0-9a-f]{64}", digest) or not path.exists():
        raise web.HTTPNotFound(text=f"no blob {digest[:64]}\n")
    return web.FileResponse(path, headers={"Cache-Control": "immutable, max-age=31536000"})
