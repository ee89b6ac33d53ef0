"""The spare copy: every sealed segment once more, in plain files beside the database.

A card loses whole blocks, and a database that has lost the wrong one cannot be read at all. A
file of framed segments can: what is damaged is skipped, and the next frame is found by its mark.
It costs one block each time a segment is sealed.

Frame:  mark 4 | kind 1 | length 4, big-endian | SHA-256 32 | body
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sync import wire
from sync.entry import Lane

FOLDER = "spare"
MARK = b"\xf0AS\x01"
SEGMENT, SCHEMA = b"D", b"S"
HEAD_BYTES = len(MARK) + 1 + 4 + 32
FILE_BYTES_MAX = 256 * 1024
BODY_BYTES_MAX = 1024 * 1024


class Frame(NamedTuple):
    """One thing that was kept."""

    kind: bytes
    body: bytes


class Spare:
    """Appends frames to files of a bounded size; each goes when all it holds is safe."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder / FOLDER
        self._path: Path | None = None
        self._held: dict[Path, dict[Lane, int]] = {}
        self._schema = b""
        self.error = ""  # Why the last frame could not be written, for health.

    def add(self, lane: Lane, last_seq: int, body: bytes, schema: bytes) -> None:
        """Keep a sealed segment, with its dictionary where that is new to the file."""
        try:
            path = self._file()
            frames = frame(SEGMENT, body)
            if lane is not Lane.EVENTS and schema != self._schema:
                frames = frame(SCHEMA, schema) + frames
            with path.open("ab") as file:
                file.write(frames)
                file.flush()
                os.fdatasync(file.fileno())
            self._held.setdefault(path, {})[lane] = last_seq
            if lane is not Lane.EVENTS:
                self._schema = schema
            self.error = ""
        except OSError as error:
            # The database has it. A full card must not stop the journal for want of a copy.
            self.error = str(error)

    def newest(self) -> list[bytes]:
        """The segments of the newest file of an earlier run, oldest first."""
        found = files(self._folder)
        if not found:
            return []
        return [kept.body for kept in frames(found[-1].read_bytes()) if kept.kind == SEGMENT]

    def clear(self) -> None:
        """Forget everything, since what it holds has moved to a new epoch."""
        for path in files(self._folder):
            path.unlink(missing_ok=True)
        self._path, self._held = None, {}

    def forget(self, safe: dict[Lane, int]) -> None:
        """Delete files that hold nothing beyond what is safe (or gone) in each lane."""
        self._look_into_one()
        for path, lanes in list(self._held.items()):
            if path != self._path and all(last <= safe[lane] for lane, last in lanes.items()):
                path.unlink(missing_ok=True)
                del self._held[path]

    def _look_into_one(self) -> None:
        # Files of an earlier run would stay for ever if nobody knew what they hold. Reading one
        # at a time costs the start nothing, and more are not made while room is being made.
        for path in files(self._folder):
            if path != self._path and path not in self._held:
                self._held[path] = _last_seqs(path.read_bytes())
                return

    def _file(self) -> Path:
        path = self._path
        if path is None or path.stat().st_size >= FILE_BYTES_MAX:
            self._folder.mkdir(exist_ok=True)
            number = max((int(old.stem) for old in files(self._folder)), default=0) + 1
            path = self._path = self._folder / f"{number:08}.log"
            path.touch()
            self._schema = b""
        return path


def _last_seqs(content: bytes) -> dict[Lane, int]:
    held: dict[Lane, int] = {}
    for kept in frames(content):
        if kept.kind != SEGMENT:
            continue
        try:
            segment = wire.decode_segment(kept.body)
        except wire.WireError:
            continue  # A salvage could not read it, either.
        held[segment.lane] = max(segment.last_seq, held.get(segment.lane, 0))
    return held


def files(folder: Path) -> list[Path]:
    """The spare files in `folder`, oldest first."""
    found = folder.glob("*.log") if folder.is_dir() else []
    return sorted(path for path in found if re.fullmatch(r"\d{8}", path.stem))


def frame(kind: bytes, body: bytes) -> bytes:
    """Mark, kind, length and check in front of `body`."""
    return MARK + kind + len(body).to_bytes(4, "big") + hashlib.sha256(body).digest() + body


def frames(content: bytes) -> Iterator[Frame]:
    """Yield every whole, undamaged frame in `content`, whatever stands between them."""
    place = content.find(MARK)
    while place >= 0:
        head = content[place : place + HEAD_BYTES]
        body_bytes = int.from_bytes(head[5:9], "big")
        body = content[place + HEAD_BYTES : place + HEAD_BYTES + body_bytes]
        if body_bytes <= BODY_BYTES_MAX and head[9:] == hashlib.sha256(body).digest():
            yield Frame(head[4:5], body)
            place = content.find(MARK, place + HEAD_BYTES + body_bytes)
        else:
            place = content.find(MARK, place + 1)
