"""The 1-Wire devices of a Linux machine: the kernel's files below /sys."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from drivers.ds18b20 import FAMILY
from drivers.errors import BusError

ROOT = Path("/sys/bus/w1/devices")

# A conversion takes 0.75 s, and the kernel tries up to three times.
READ_MAX_S = 5.0
TEXT_BYTES_MAX = 512


class W1Probe:
    """One probe by its name in sysfs; an empty `device` takes the only one there is."""

    def __init__(self, device: str = "", root: Path = ROOT, family: int = FAMILY) -> None:
        self._wanted = device
        self._root = root
        self._family = family
        self._file: Path | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Find the probe. Raises `BusError` with the fault "absent"."""
        await self.close()
        self._file = find(self._root, self._wanted, self._family) / "w1_slave"
        self._thread = ThreadPoolExecutor(1, f"w1-{self._file.parent.name}")

    async def close(self) -> None:
        """Give the probe back. A conversion that hangs is not waited for."""
        if self._thread is not None:
            self._thread.shutdown(wait=False, cancel_futures=True)
        self._file = self._thread = None

    async def w1_slave(self) -> str:
        """Let the probe convert, and return its scratchpad as text. Raises `BusError`."""
        file, thread = self._file, self._thread
        if file is None or thread is None:
            raise BusError("the 1-Wire probe is not open")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(READ_MAX_S):
                return await loop.run_in_executor(thread, read_text, file)
        except TimeoutError as error:
            raise BusError(f"{file}: nothing within {READ_MAX_S} s", "timeout") from error
        except OSError as error:
            raise BusError(f"{file}: {error.strerror}") from error


def read_text(file: Path) -> str:
    """The beginning of a file of sysfs; reading it makes the probe convert."""
    with file.open("rb", buffering=0) as stream:
        return stream.read(TEXT_BYTES_MAX).decode("ascii", "replace")


def find(root: Path, device: str, family: int = FAMILY) -> Path:
    """The folder of a probe. Raises `BusError` that says which ones are there."""
    if not root.is_dir():
        raise BusError(f"{root} does not exist: 1-Wire is off", "absent")
    found = sorted(path.name for path in root.glob(f"{family:02x}-*"))
    if device:
        if device not in found:
            there = ", ".join(found) or "none"
            raise BusError(f"no 1-Wire probe {device}; there: {there}", "absent")
        return root / device
    if len(found) != 1:
        there = ", ".join(found) or "none"
        raise BusError(f"1-Wire probe not named, so there must be one; there: {there}", "absent")
    return root / found[0]
