"""What a mobile link does to an upload; each case ends in the one comparison of both ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import aiohttp
import pytest
from aiohttp.test_utils import BaseTestServer

from sync import uplink as uplink_module
from sync.entry import Lane
from sync.journal import Journal
from sync.uplink import Uplink
from sync.verify import verify
from tests.sync.lines import Measure, flush_from_hello

CHUNK_BYTES = 512


class Link:
    """A TCP link to the city that breaks in ways the test chooses."""

    def __init__(self, city: BaseTestServer) -> None:
        self._city = city
        self.bytes_up_max = 2**40  # Then the connection is reset.
        self.swallows = False  # Whether what comes from the city gets lost, for ever.
        self.broke = 0
        self.recorded: list[bytes] = []  # What went up each connection.

    async def carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection."""
        far_reader, far_writer = await asyncio.open_connection(self._city.host, self._city.port)
        self.recorded.append(b"")
        number = len(self.recorded) - 1
        try:
            async with asyncio.TaskGroup() as group:
                down = group.create_task(self._down(far_reader, writer))
                while chunk := await reader.read(CHUNK_BYTES):
                    self.recorded[number] += chunk
                    if len(self.recorded[number]) > self.bytes_up_max:
                        self.broke += 1
                        writer.transport.abort()
                        break
                    far_writer.write(chunk)
                    await far_writer.drain()
                down.cancel()
        except* ConnectionError:
            pass  # Either end has gone: that is what links do.
        finally:
            writer.close()
            far_writer.close()

    async def _down(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while chunk := await reader.read(CHUNK_BYTES):
            if not self.swallows:
                writer.write(chunk)
                await writer.drain()
        writer.close()


@pytest.fixture
def link(city: BaseTestServer) -> Link:
    """A link that is well to begin with."""
    return Link(city)


@pytest.fixture
async def uplink(
    link: Link, journal: Journal, make_uplink: Callable[..., Uplink]
) -> AsyncIterator[Uplink]:
    """The kiosk's line to the city, over that link."""
    server = await asyncio.start_server(link.carry, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server:
        yield make_uplink(journal, f"http://127.0.0.1:{port}")


async def agree(journal: Journal, tmp_path: Path, entries: int) -> None:
    """Nothing missing, nothing doubled, and as many as there were; the kiosk has stopped."""
    await journal.close()
    reports = await verify(tmp_path, str(tmp_path / "city"), wait_s=0)
    readings = reports[Lane.READINGS]
    found = (readings.entries, readings.missing.count(), readings.doubled.count())
    assert found == (entries, 0, 0)


async def test_an_upload_cut_off_in_its_body_is_sent_again(
    tmp_path: Path, journal: Journal, link: Link, uplink: Uplink, measure: Measure
) -> None:
    """Half a body stores nothing, and the whole one comes with the next try."""
    for _ in range(40):
        await measure(100)
    link.bytes_up_max = 3_000
    with pytest.raises((aiohttp.ClientError, OSError)):
        await uplink.flush()
    assert link.broke == 1
    link.bytes_up_max = 2**40
    await uplink.flush()
    await agree(journal, tmp_path, 4000)


async def test_a_link_that_is_dead_without_a_word_is_given_up(
    tmp_path: Path,
    journal: Journal,
    link: Link,
    uplink: Uplink,
    measure: Measure,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The city stores, its answer never comes and nothing is closed: the kiosk asks again."""
    await measure(50)
    await uplink.flush()
    await measure(50)
    link.swallows = True
    monkeypatch.setattr(uplink_module, "CONNECT_TIMEOUT_S", 0.3)
    with pytest.raises(TimeoutError):
        await uplink.flush()
    link.swallows = False
    monkeypatch.undo()
    await flush_from_hello(uplink)
    await agree(journal, tmp_path, 100)


async def test_an_upload_replayed_much_later_changes_nothing(
    tmp_path: Path,
    journal: Journal,
    link: Link,
    uplink: Uplink,
    city: BaseTestServer,
    measure: Measure,
) -> None:
    """Whoever recorded an upload can send it again for ever: it is already here."""
    await measure(50)
    await uplink.flush()
    (recorded,) = [bytes_up for bytes_up in link.recorded if b"POST /v1/segments" in bytes_up]
    upload = recorded[recorded.index(b"POST /v1/segments") :]
    for _ in range(2):
        reader, writer = await asyncio.open_connection(city.host, city.port)
        writer.write(upload)
        assert (await reader.readline()).startswith(b"HTTP/1.1 200")
        writer.close()
    await agree(journal, tmp_path, 50)
