"""Waiting for other processes and for slow lines, with a limit.

A process tells us nothing when it becomes ready, so somebody has to look again and again, and a
serial line takes its time; it is done here and nowhere else. Within one process, tests await
events.
"""

import asyncio
import json
import os
import signal
import socket
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

ANGSILA = str(Path(sys.executable).with_name("angsila"))
LOOK_S = 0.05
LINE_BYTES = 48  # Written at once; a frame of most sensors is cut in two by it.
WAIT_MAX_S = 60.0  # Only a machine that is very busy needs more than a few seconds.


async def until(true: Callable[[], Any], limit_s: float = WAIT_MAX_S) -> Any:
    """Look until `true()` gives something, and return it. Raises `TimeoutError`."""
    async with asyncio.timeout(limit_s):
        while True:
            if found := await asyncio.to_thread(true):
                return found
            await asyncio.sleep(LOOK_S)


async def send_at(bytes_per_s: int, descriptor: int, stream: bytes) -> None:
    """Write to a terminal no faster than a line of this speed carries."""
    for first in range(0, len(stream), LINE_BYTES):
        piece = stream[first : first + LINE_BYTES]
        os.write(descriptor, piece)
        await asyncio.sleep(len(piece) / bytes_per_s)


def get(url: str) -> Any:
    """GET a JSON document; None while nobody answers."""
    try:
        with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 # our own
            return json.load(response)
    except (urllib.error.URLError, OSError, ValueError):
        return None


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


class Process:
    """An `angsila` that runs beside the test."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.pid = process.pid

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._process.returncode

    async def line(self, words: str) -> str:
        """Read its output up to the line that has `words`."""
        if self._process.stdout is None:
            raise AssertionError("its output is not ours")
        async with asyncio.timeout(WAIT_MAX_S):
            async for line in self._process.stdout:
                if words in line.decode():
                    return line.decode().strip()
        raise AssertionError(f"it ended without saying {words!r}")

    async def end(self, number: int = signal.SIGTERM, limit_s: float = 3.0) -> tuple[int, str]:
        """Send a signal, wait, and return the exit status and the rest of the output."""
        if self.status is None:
            os.kill(self.pid, number)
        return await self.ended(limit_s)

    async def ended(self, limit_s: float = WAIT_MAX_S) -> tuple[int, str]:
        """Wait for the end; the exit status and the rest of the output."""
        async with asyncio.timeout(limit_s):
            output, _ = await self._process.communicate()
        if self.status is None:
            raise AssertionError("it goes on")
        return self.status, output.decode()


@asynccontextmanager
async def angsila(
    *arguments: str | Path, under: Sequence[str] = (), **environment: str
) -> AsyncIterator[Process]:
    """Run the command during the block, by another command if need be.

    What still runs at the end is killed, with all that it has started.
    """
    process = await asyncio.create_subprocess_exec(
        *under,
        ANGSILA,
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env={**os.environ, **environment},
        start_new_session=bool(under),
    )
    try:
        yield Process(process)
    finally:
        if process.returncode is None:
            if under:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                process.kill()
            await process.communicate()
