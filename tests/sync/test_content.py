from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from sync import wire_pb2
from sync.city import blobs
from sync.content import BlobError, Wanted, Wish, fetch

CONTENT = bytes(range(256)) * 4096  # 1 MiB


class Road:
    """A city's files, behind a link that breaks after so many bytes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.breaks_after = 0
        self.asked: list[str | None] = []

    async def give(self, request: web.Request) -> web.StreamResponse:
        """Hand a file out, or the start of it."""
        self.asked.append(request.headers.get("Range"))
        if not self.breaks_after:
            return await blobs.give(request)
        path = request.app[blobs.BLOBS] / request.match_info["sha256"]
        content = path.read_bytes()
        response = web.StreamResponse(headers={"Content-Length": str(len(content))})
        await response.prepare(request)
        await response.write(content[: self.breaks_after])
        assert request.transport is not None
        request.transport.abort()
        return response


@pytest.fixture
def road(tmp_path: Path) -> Road:
    """A road to a city that has one file."""
    path = tmp_path / "original"
    path.write_bytes(CONTENT)
    assert blobs.add(tmp_path / "city", path) == hashlib.sha256(CONTENT).hexdigest()
    return Road(tmp_path / "city" / blobs.FOLDER)


@pytest.fixture
async def url(road: Road) -> AsyncIterator[str]:
    """Where it is."""
    app = web.Application()
    app[blobs.BLOBS] = road.folder
    app.router.add_get("/v1/blob/{sha256}", road.give)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


DIGEST = hashlib.sha256(CONTENT).hexdigest()


async def test_a_file_arrives_under_its_hash(url: str, tmp_path: Path) -> None:
    """What arrives is the file, whole, and a second call asks nobody."""
    async with aiohttp.ClientSession() as session:
        path = await fetch(session, url, DIGEST, tmp_path)
        assert path.read_bytes() == CONTENT
        assert await fetch(session, "http://127.0.0.1:1", DIGEST, tmp_path) == path


async def test_a_broken_link_costs_only_the_rest(url: str, road: Road, tmp_path: Path) -> None:
    """After a break the next call asks for the bytes that are missing, and no others."""
    async with aiohttp.ClientSession() as session:
        road.breaks_after = 300_000
        with pytest.raises(aiohttp.ClientError):
            await fetch(session, url, DIGEST, tmp_path)
        have = (tmp_path / f"{DIGEST}.part").stat().st_size
        assert 0 < have <= 300_000
        road.breaks_after = 0
        path = await fetch(session, url, DIGEST, tmp_path)
    assert road.asked == [None, f"bytes={have}-"]
    assert path.read_bytes() == CONTENT


async def test_a_file_that_is_another_is_thrown_away(url: str, tmp_path: Path) -> None:
    """A part that is wrong makes a wrong whole: it is refused, and the next call is clean."""
    part = tmp_path / f"{DIGEST}.part"
    part.write_bytes(b"\x01" * 1000)
    async with aiohttp.ClientSession() as session:
        with pytest.raises(BlobError, match="has the hash"):
            await fetch(session, url, DIGEST, tmp_path)
        assert not part.exists()
        assert (await fetch(session, url, DIGEST, tmp_path)).exists()


async def test_a_part_that_is_already_whole_needs_no_byte(url: str, tmp_path: Path) -> None:
    """A power cut between the last byte and the new name costs nothing."""
    (tmp_path / f"{DIGEST}.part").write_bytes(CONTENT)
    async with aiohttp.ClientSession() as session:
        path = await fetch(session, url, DIGEST, tmp_path)
    assert path.read_bytes() == CONTENT


@pytest.mark.parametrize(
    ("digest", "reason"),
    [("0" * 64, "404"), ("..", "not a SHA-256"), ("A" * 64, "not a SHA-256")],
)
async def test_what_is_not_there_is_said(
    url: str, tmp_path: Path, digest: str, reason: str
) -> None:
    """A hash that the city does not have, or that is none, is an error with its name."""
    async with aiohttp.ClientSession() as session:
        with pytest.raises(BlobError, match=reason):
            await fetch(session, url, digest, tmp_path)


async def test_a_wish_is_heard_once() -> None:
    """What the city wants is told when it changes, and not with each of its answers."""
    wish = Wish()
    wish.learn(wire_pb2.Content())
    assert wish.last is None

    content = wire_pb2.Content(sha256=bytes.fromhex(DIGEST), length=len(CONTENT))
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wish.other_than(None))
        await asyncio.sleep(0)
        wish.learn(content)
    first = waiting.result()
    assert first == Wanted(DIGEST, len(CONTENT))

    wish.learn(content)
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(wish.other_than(first))
        await asyncio.sleep(0)
        assert not waiting.done()
        wish.learn(wire_pb2.Content(sha256=bytes(32), length=1))
    assert waiting.result() == Wanted("0" * 64, 1)
