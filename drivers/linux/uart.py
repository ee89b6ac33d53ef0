"""A serial line of a Linux machine, 8N1, without a thread: the loop watches the device."""

from __future__ import annotations

import asyncio
import fcntl
import os
import struct
import termios

from drivers.errors import BusError

SPEEDS = {
    9600: termios.B9600,
    19200: termios.B19200,
    38400: termios.B38400,
    57600: termios.B57600,
    115200: termios.B115200,
}
# Hi-Link's radars speak at a rate for which termios has no name. The kernel takes any rate
# in its own structure (asm-generic/termbits.h): four flags, line, 19 characters, two rates.
FREE_SPEEDS = (256_000,)
TCGETS2 = 0x802C542A
TCSETS2 = 0x402C542B
TERMIOS2 = "4IB19s2I"
BOTHER = 0o010000
CBAUD = 0o010017

# Half a minute of a talkative sensor at 9600 baud would be 28 KB; who reads so late wants
# the newest bytes, and the oldest are dropped.
PENDING_BYTES_MAX = 16_384
READ_BYTES_MAX = 4096
WRITE_MAX_S = 2.0


class UART:
    """One serial device. When it is unplugged every call raises `BusError` until `open`."""

    def __init__(self, path: str, baud: int = 9600) -> None:
        if baud not in SPEEDS and baud not in FREE_SPEEDS:
            known = ", ".join(str(speed) for speed in (*SPEEDS, *FREE_SPEEDS))
            raise BusError(f"{path}: no speed {baud}; known: {known}", "input")
        self._path = path
        self._baud = baud
        self._fd: int | None = None
        self._pending = bytearray()
        self._came = asyncio.Event()
        self._gone = ""
        self.dropped_bytes = 0  # What a late reader missed.

    @property
    def pending_bytes(self) -> int:
        """How many bytes have come and were not read yet."""
        return len(self._pending)

    async def open(self) -> None:
        """Open and configure the device. Raises `BusError` with the fault "absent"."""
        if self._fd is not None:
            await self.close()
        try:
            # Without O_NONBLOCK an open waits for a modem's carrier, perhaps for ever.
            fd = os.open(self._path, os.O_RDWR | os.O_NOCTTY | os.O_NONBLOCK)
        except OSError as error:
            raise BusError(f"{self._path}: {error.strerror}", "absent") from error
        try:
            configure(fd, SPEEDS.get(self._baud, termios.B38400))
            if self._baud in FREE_SPEEDS:
                set_free_speed(fd, self._baud)
        except (termios.error, OSError) as error:
            os.close(fd)
            raise BusError(f"{self._path} is no serial device: {error}", "absent") from error
        self._fd = fd
        self._gone = ""
        self.drop_pending()
        asyncio.get_running_loop().add_reader(fd, self._take)

    async def close(self) -> None:
        """Give the device back."""
        if self._fd is None:
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._fd)
        loop.remove_writer(self._fd)
        os.close(self._fd)
        self._fd = None

    async def read(self) -> bytes:
        """Wait for bytes and return all that have come. Raises `BusError`."""
        self._check_open()
        await self._came.wait()
        if not self._pending:
            raise BusError(f"{self._path} {self._gone}")
        chunk = bytes(self._pending)
        self._pending.clear()
        if not self._gone:
            self._came.clear()
        return chunk

    async def write(self, frame: bytes) -> None:
        """Send all of `frame`. Raises `BusError`, with the fault "timeout" if it gets stuck."""
        fd = self._check_open()
        rest = frame
        try:
            async with asyncio.timeout(WRITE_MAX_S):
                while rest:
                    try:
                        rest = rest[os.write(fd, rest) :]
                    except BlockingIOError:
                        await self._writable(fd)
        except TimeoutError as error:
            raise BusError(f"{self._path} takes no bytes", "timeout") from error
        except OSError as error:
            raise BusError(f"{self._path} cannot be written: {error}") from error

    def drop_pending(self) -> None:
        """Forget what has come and was not read yet."""
        self._pending.clear()
        if not self._gone:
            self._came.clear()

    def _take(self) -> None:
        """Move what the kernel has into the buffer; called by the loop."""
        fd = self._check_open()
        try:
            chunk = os.read(fd, READ_BYTES_MAX)
        except BlockingIOError:
            return
        except OSError as error:
            self._lose(f"is gone: {error.strerror}")
            return
        if not chunk:  # What a hang-up looks like on a real adapter.
            self._lose("is gone: end of file")
            return
        self._pending += chunk
        surplus = len(self._pending) - PENDING_BYTES_MAX
        if surplus > 0:
            del self._pending[:surplus]
            self.dropped_bytes += surplus
        self._came.set()

    def _lose(self, why: str) -> None:
        # A device that is gone stays readable, so the loop would call again without end.
        asyncio.get_running_loop().remove_reader(self._check_open())
        self._gone = why
        self._came.set()

    def _check_open(self) -> int:
        if self._fd is None:
            raise BusError(f"{self._path} is not open")
        return self._fd

    async def _writable(self, fd: int) -> None:
        """Wait until the device takes bytes again."""
        loop = asyncio.get_running_loop()
        ready = asyncio.Event()
        loop.add_writer(fd, ready.set)
        try:
            await ready.wait()
        finally:
            loop.remove_writer(fd)


def configure(fd: int, speed: int) -> None:
    """Raw bytes, eight bits, no parity, one stop bit, no flow control."""
    _, _, control, _, _, _, characters = termios.tcgetattr(fd)
    control &= ~(termios.CSIZE | termios.PARENB | termios.CSTOPB | termios.CRTSCTS)
    control |= termios.CS8 | termios.CREAD | termios.CLOCAL
    characters[termios.VMIN] = 1
    characters[termios.VTIME] = 0
    # No input, output or local flags: nothing is translated, echoed or taken as a signal.
    termios.tcsetattr(fd, termios.TCSANOW, [0, 0, control, 0, speed, speed, characters])


def set_free_speed(fd: int, baud: int) -> None:
    """Set a rate that has no name in termios. Raises `OSError`."""
    flags = bytearray(struct.calcsize(TERMIOS2))
    fcntl.ioctl(fd, TCGETS2, flags)
    *modes, line, characters, _, _ = struct.unpack(TERMIOS2, flags)
    modes[2] = modes[2] & ~CBAUD | BOTHER
    fcntl.ioctl(fd, TCSETS2, struct.pack(TERMIOS2, *modes, line, characters, baud, baud))


class SharedUART(UART):
    """A line with several units on it, such as RS485: opened once, and used in turns."""

    def __init__(self, path: str, baud: int = 9600) -> None:
        super().__init__(path, baud)
        self._users = 0
        self.turn = asyncio.Lock()

    async def open(self) -> None:
        """Open the device for one more user, again if it is gone. Raises `BusError`."""
        if self._fd is None or self._gone:
            await super().open()
        self._users += 1

    async def close(self) -> None:
        """Take one user away; the last one closes the device."""
        self._users = max(self._users - 1, 0)
        if not self._users:
            await super().close()


_lines: dict[str, SharedUART] = {}


def shared(path: str, baud: int) -> SharedUART:
    """The one object for a line; all units on it take turns."""
    return _lines.setdefault(path, SharedUART(path, baud))
