"""A microphone of a Linux machine: ALSA's own recorder, read through a pipe."""

from __future__ import annotations

import asyncio
import sys
from array import array
from asyncio.subprocess import DEVNULL, PIPE, Process
from typing import TYPE_CHECKING

from drivers.errors import BusError

if TYPE_CHECKING:
    from collections.abc import Sequence

RECORDER = ("arecord", "-q", "-t", "raw", "-f", "S32_LE", "-c", "1", "-r", "48000", "-D")
SAMPLE_BYTES = 4
FULL_SCALE = 1 << 31
SAMPLES_MAX_S = 5.0  # The first samples take a while, those after them their own time.
STOP_MAX_S = 2.0
DRAIN_BYTES = 65_536


class Microphone:
    """Samples of one ALSA device, as they come. Nothing of them is kept.

    What nobody reads stops at the pipe's 64 KB, a third of a second.
    """

    SAMPLES_PER_S = 48_000

    def __init__(self, device: str = "default", recorder: Sequence[str] = RECORDER) -> None:
        self._command = (*recorder, device)
        self._process: Process | None = None

    async def open(self) -> None:
        """Start to listen. Raises `BusError` with the fault "absent"."""
        await self.close()
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command, stdin=DEVNULL, stdout=PIPE, stderr=DEVNULL
            )
        except OSError as error:
            message = f"{self._command[0]} cannot be started: {error.strerror}"
            raise BusError(message, "absent") from error

    async def close(self) -> None:
        """Stop, and wait until the device is free."""
        process, self._process = self._process, None
        if process is None:
            return
        if process.returncode is None:
            process.terminate()
        try:
            async with asyncio.timeout(STOP_MAX_S):
                await gone(process)
        except TimeoutError:
            process.kill()
            await gone(process)

    async def samples(self, count: int) -> list[float]:
        """The next `count` samples, from -1 to 1. Raises `BusError`."""
        if self._process is None or self._process.stdout is None:
            raise BusError("the microphone is not open")
        try:
            async with asyncio.timeout(SAMPLES_MAX_S):
                packed = await self._process.stdout.readexactly(count * SAMPLE_BYTES)
        except TimeoutError as error:
            message = f"the microphone is silent: no samples within {SAMPLES_MAX_S} s"
            raise BusError(message, "timeout") from error
        except asyncio.IncompleteReadError as error:
            message = f"{self._command[0]} has stopped: no device {self._command[-1]!r}?"
            raise BusError(message) from error
        numbers = array("i", packed)
        if sys.byteorder == "big":
            numbers.byteswap()
        return [number / FULL_SCALE for number in numbers]


async def gone(process: Process) -> None:
    """Wait for the end of a recorder, and of its pipe: one that is full stays open."""
    while process.stdout is not None and await process.stdout.read(DRAIN_BYTES):
        pass
    await process.wait()
