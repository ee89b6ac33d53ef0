"""What a driver may ask of its wires."""

from drivers.errors import BusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    class I2CBus(Protocol):
        """An I²C bus by the names of `machine.I2C`, made to be awaited.

        Every method raises `BusError`.
        """

        async def open(self) -> None:
            """Make the bus ready."""

        async def close(self) -> None:
            """Give it back."""

        async def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
            """Read registers of a chip."""

        async def writeto_mem(self, addr: int, memaddr: int, buf: bytes) -> None:
            """Write registers of a chip."""

        async def readfrom(self, addr: int, nbytes: int) -> bytes:
            """Read the answer of a chip that takes commands."""

        async def writeto(self, addr: int, buf: bytes) -> None:
            """Send a command."""

    class NodeI2C(Protocol):
        """What of `machine.I2C` is used on a node."""

        def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
            """Read registers of a chip."""

        def writeto_mem(self, addr: int, memaddr: int, buf: bytes) -> None:
            """Write registers of a chip."""

        def readfrom(self, addr: int, nbytes: int) -> bytes:
            """Read the answer of a chip that takes commands."""

        def writeto(self, addr: int, buf: bytes) -> object:
            """Send a command."""

    class ByteStream(Protocol):
        """A serial line. Every method raises `BusError`."""

        async def open(self) -> None:
            """Make the line ready."""

        async def close(self) -> None:
            """Give it back."""

        async def read(self) -> bytes:
            """Wait for bytes and return all that have come."""

        async def write(self, frame: bytes) -> None:
            """Send bytes."""

        def drop_pending(self) -> None:
            """Forget what has come and was not read yet."""


class DirectI2C:
    """A node's own `machine.I2C`, awaited by name only: a transfer takes under 2 ms."""

    def __init__(self, i2c: "NodeI2C") -> None:
        self._i2c = i2c

    async def open(self) -> None:
        """Nothing to do: the node made its bus at boot."""

    async def close(self) -> None:
        """Nothing to do: other chips are on the bus."""

    async def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
        """Read registers. Raises `BusError`."""
        try:
            return self._i2c.readfrom_mem(addr, memaddr, nbytes)
        except OSError as error:
            raise BusError(transfer_failed(addr, memaddr, error)) from error

    async def writeto_mem(self, addr: int, memaddr: int, buf: bytes) -> None:
        """Write registers. Raises `BusError`."""
        try:
            self._i2c.writeto_mem(addr, memaddr, buf)
        except OSError as error:
            raise BusError(transfer_failed(addr, memaddr, error)) from error

    async def readfrom(self, addr: int, nbytes: int) -> bytes:
        """Read the answer to a command. Raises `BusError`."""
        try:
            return self._i2c.readfrom(addr, nbytes)
        except OSError as error:
            raise BusError(transfer_failed(addr, None, error)) from error

    async def writeto(self, addr: int, buf: bytes) -> None:
        """Send a command. Raises `BusError`."""
        try:
            self._i2c.writeto(addr, buf)
        except OSError as error:
            raise BusError(transfer_failed(addr, None, error)) from error


def transfer_failed(addr: int, memaddr: "int | None", error: OSError) -> str:
    """Say which transfer failed, and how."""
    register = "" if memaddr is None else f" register 0x{memaddr:02x}"
    return f"I2C 0x{addr:02x}{register}: {error}"


class Scanner:
    """Finds frames in a byte stream with noise.

    `frame_bytes` is the size of a frame, or of the largest one if `size_of` tells sizes
    apart: from the stream and the place of a head it says how long that frame is, or 0 as
    long as it cannot know.

    After a bad frame it slides by one byte and not by a whole frame: the head may stand
    inside noise, and a true frame may begin inside a false one. It never holds more than
    one chunk and one frame.
    """

    def __init__(
        self,
        head: bytes,
        frame_bytes: int,
        is_good: "Callable[[bytes], bool]",
        size_of: "Callable[[bytes, int], int] | None" = None,
    ) -> None:
        self._head = head
        self._frame_bytes = frame_bytes
        self._is_good = is_good
        self._size_of = size_of
        self._rest = b""
        self.damaged = 0  # Heads that no good frame followed.
        self.skipped_bytes = 0  # Bytes that belong to no good frame.

    @property
    def pending_bytes(self) -> int:
        """How many bytes wait for the rest of their frame."""
        return len(self._rest)

    def reset(self) -> None:
        """Forget the beginning of a frame."""
        self._rest = b""

    def feed(self, chunk: bytes) -> "list[bytes]":
        """Take the next bytes and return the good frames that are now complete."""
        stream = self._rest + chunk
        frames = []
        at = 0
        while True:
            found = stream.find(self._head, at)
            if found < 0:
                found = self._partial_head(stream, at)
            self.skipped_bytes += found - at
            at = found
            length = self._frame_bytes
            if self._size_of is not None:
                length = self._size_of(stream, at) or length
            if length <= self._frame_bytes and len(stream) - at < length:
                break
            frame = stream[at : at + length]
            if length <= self._frame_bytes and self._is_good(frame):
                frames.append(frame)
                at += length
            else:
                self.damaged += 1
                self.skipped_bytes += 1
                at += 1
        self._rest = stream[at:]
        return frames

    def _partial_head(self, stream: bytes, at: int) -> int:
        """Where the stream ends in the beginning of a head, or its end."""
        for size in range(len(self._head) - 1, 0, -1):
            if len(stream) - at >= size and stream.endswith(self._head[:size]):
                return len(stream) - size
        return len(stream)
