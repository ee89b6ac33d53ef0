"""An I²C bus of register models and a scripted serial line, for tests and for a bench."""

import asyncio

from drivers.errors import BusError


class FakeI2C:
    """Chips behind the names of `machine.I2C`.

    `chips` are tables of registers. `answers` are chips that take commands: what was written
    last → what is then read, again and again, or a list of what is read one after another.
    What such a chip does not know it does not acknowledge. `fail_at` is the number of a
    transfer, counted from 0, that fails as an unplugged wire does. `writes` and `commands`
    remember what was written, in its order.
    """

    def __init__(
        self,
        chips: "dict[int, dict[int, int]]",
        fail_at: int = -1,
        answers: "dict[int, dict[bytes, bytes | list[bytes]]] | None" = None,
    ) -> None:
        self.chips = chips
        self.fail_at = fail_at
        self.answers = answers or {}
        self.transfers = 0
        self.writes: list[tuple[int, int, bytes]] = []
        self.commands: list[bytes] = []

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
        """Read registers; those that were never set are zero. Raises `OSError`."""
        self._transfer(addr)
        if addr in self.answers:
            return self._answer(addr, bytes([memaddr]), nbytes)
        registers = self.chips[addr]
        return bytes([registers.get(memaddr + i, 0) for i in range(nbytes)])

    def writeto_mem(self, addr: int, memaddr: int, buf: bytes) -> None:
        """Write registers. Raises `OSError`."""
        self._transfer(addr)
        self.writes.append((addr, memaddr, bytes(buf)))
        registers = self.chips.get(addr, {})
        for i, byte in enumerate(buf):
            registers[memaddr + i] = byte

    def readfrom(self, addr: int, nbytes: int) -> bytes:
        """Read the answer to the last command. Raises `OSError`."""
        self._transfer(addr)
        return self._answer(addr, self.commands[-1] if self.commands else b"", nbytes)

    def writeto(self, addr: int, buf: bytes) -> None:
        """Send a command. Raises `OSError`."""
        self._transfer(addr)
        self.commands.append(bytes(buf))

    def _transfer(self, addr: int) -> None:
        number = self.transfers
        self.transfers += 1
        if number == self.fail_at or (addr not in self.chips and addr not in self.answers):
            raise OSError(121, "Remote I/O error")

    def _answer(self, addr: int, command: bytes, nbytes: int) -> bytes:
        answer = self.answers.get(addr, {}).get(command, [])
        if isinstance(answer, list):
            if not answer:
                raise OSError(121, "Remote I/O error")
            answer = answer.pop(0)
        return answer[:nbytes]


class FakeLine:
    """A serial line that gives the chunks of a list, one for each `read`, then is silent."""

    def __init__(self, chunks: "list[bytes]") -> None:
        self.chunks = chunks
        self.written = b""
        self.opened = False

    async def open(self) -> None:
        """Make the line ready."""
        self.opened = True

    async def close(self) -> None:
        """Give it back."""
        self.opened = False

    async def read(self) -> bytes:
        """Return the next chunk; wait for ever when there is none. Raises `BusError`."""
        if not self.opened:
            raise BusError("the line is not open")
        if not self.chunks:
            await asyncio.Event().wait()
        return self.chunks.pop(0)

    async def write(self, frame: bytes) -> None:
        """Remember what was sent."""
        self.written += frame

    def drop_pending(self) -> None:
        """Nothing waits: a chunk comes when it is read."""
