"""A city as a process of its own, which takes in the kiosks of a test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from edge.enrol import enrol, new_token
from tests.waiting import angsila, free_port, get, until


class Town:
    """A city that runs."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    async def enrol(self, state: Path, kiosk: str) -> None:
        """Make a kiosk known; it may run already."""
        await enrol(state, self.url, await new_token(self.folder, "bench"), kiosk)


@asynccontextmanager
async def town(folder: Path) -> AsyncIterator[Town]:
    """A city that answers, during the block."""
    port = free_port()
    async with angsila("city", "--state", folder, "--port", str(port)):
        running = Town(folder, port)
        await until(lambda: get(f"{running.url}/health"))
        yield running
