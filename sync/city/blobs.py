"""Files that kiosks may fetch, kept under their SHA-256 so that a link can break at any byte.

Which one a kiosk is to show stands in a small file beside them, so that every receiver that
shares the folder says the same.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import uuid
from pathlib import Path
from typing import Any

from aiohttp import web

from sync import wire_pb2

FOLDER = "blobs"
WISHES = "content.json"
MARK = "folder.id"  # So that receivers notice when they do not share it.
EVERYBODY = "*"  # No kiosk's id.
WISHES_BYTES_MAX = 4 * 1024 * 1024
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


def want(folder: Path, digest: str, kiosk: str = EVERYBODY) -> None:
    """Let kiosks know that they are to show this blob; one kiosk's wish goes before all others'."""
    blobs = folder / FOLDER
    wishes = _read(blobs / WISHES)
    if kiosk == EVERYBODY:
        wishes.clear()  # What was wanted of single kiosks was wanted before this.
    wishes[kiosk] = {"sha256": digest, "bytes": (blobs / digest).stat().st_size}
    part = blobs / f"{WISHES}.{os.getpid()}"
    with part.open("w") as file:
        json.dump(wishes, file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    part.rename(blobs / WISHES)


def mark_of(folder: Path) -> str:
    """What tells this folder of blobs from any other; made where there is none yet."""
    path = folder / FOLDER / MARK
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        mark = uuid.uuid4().hex
        part = path.with_name(f"{MARK}.{mark}")
        with part.open("w") as file:
            file.write(f"{mark}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            path.hardlink_to(part)
        except FileExistsError:
            pass  # Another receiver was first: its mark counts.
        finally:
            part.unlink()
    return path.read_text().strip()


class Wishes:
    """What kiosks are to show, read again when an operator has changed it."""

    def __init__(self, blobs: Path) -> None:
        self._path = blobs / WISHES
        self._stamp: tuple[int, int] | None = None
        self._wishes: dict[str, Any] = {}

    def of(self, kiosk: str) -> wire_pb2.Content | None:
        """What this kiosk is to show; None for what it shows already."""
        try:
            found = self._path.stat()
        except OSError:
            return None
        stamp = (found.st_mtime_ns, found.st_ino)
        if stamp != self._stamp:
            self._stamp, self._wishes = stamp, _read(self._path)
        wish = self._wishes.get(kiosk, self._wishes.get(EVERYBODY))
        if wish is None:
            return None
        return wire_pb2.Content(sha256=bytes.fromhex(wish["sha256"]), length=wish["bytes"])


WISHED: web.AppKey[Wishes] = web.AppKey("wishes", Wishes)


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            return dict(json.loads(file.read(WISHES_BYTES_MAX)))
    except FileNotFoundError:
        return {}


async def give(request: web.Request) -> web.StreamResponse:
    """GET /v1/blob/{sha256}: the file, or the bytes of it that Range asks for (RFC 9110).

    Not signed: the name says what must arrive, and whoever sends it cannot change that.
    """
    digest = request.match_info["sha256"]
    path = request.app[BLOBS] / digest
    if not re.fullmatch(r"[0-9a-f]{64}", digest) or not path.exists():
        raise web.HTTPNotFound(text=f"no blob {digest[:64]}\n")
    return web.FileResponse(path, headers={"Cache-Control": "immutable, max-age=31536000"})
