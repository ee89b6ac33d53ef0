"""I²C adapters that only speak SMBus, as those of PCs do: its transfers, by the names of I²C."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from smbus2 import i2c_msg

I2C_M_RD = 0x0001  # linux/i2c.h
BLOCK_BYTES_MAX = 32  # I2C_SMBUS_BLOCK_MAX, of the same file.


class SMBus(Protocol):
    """What of smbus2's `SMBus` is used."""

    def close(self) -> None:
        """Give the device back."""

    def write_quick(self, i2c_addr: int) -> None:
        """Ask whether somebody is there. Raises `OSError`, as all of them."""

    def read_byte(self, i2c_addr: int) -> int:
        """Read a byte."""

    def write_byte(self, i2c_addr: int, value: int) -> None:
        """Send a command."""

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Read registers."""

    def write_i2c_block_data(self, i2c_addr: int, register: int, content: list[int], /) -> None:
        """Write registers."""


class SMBusAdapter:
    """Messages as far as SMBus has a transfer of the same bits on the wire (its version 2.0, 5.5).

    Chips with registers are read by it; one whose answer to a command has several bytes is not.
    """

    def __init__(self, bus: SMBus) -> None:
        self._bus = bus

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """Transfer messages. Raises `OSError`, EOPNOTSUPP for those that SMBus has not."""
        match [("read" if one.flags & I2C_M_RD else "write", bytes(one)) for one in messages]:
            case [("write", b"")]:
                self._bus.write_quick(messages[0].addr)
            case [("write", sent)] if len(sent) == 1:
                self._bus.write_byte(messages[0].addr, sent[0])
            case [("write", sent)] if len(sent) <= BLOCK_BYTES_MAX + 1:
                self._bus.write_i2c_block_data(messages[0].addr, sent[0], list(sent[1:]))
            case [("read", room)] if len(room) == 1:
                fill(messages[0], [self._bus.read_byte(messages[0].addr)])
            case [("write", sent), ("read", room)] if (
                len(sent) == 1 and len(room) <= BLOCK_BYTES_MAX
            ):
                address = messages[0].addr
                fill(messages[1], self._bus.read_i2c_block_data(address, sent[0], len(room)))
            case _:
                raise OSError(
                    errno.EOPNOTSUPP, "the adapter only speaks SMBus, which has no such transfer"
                )

    def close(self) -> None:
        """Give the device back."""
        self._bus.close()


def fill(message: i2c_msg, answer: list[int]) -> None:
    """Put an answer where the message wants it. Raises `OSError` for one that is too short."""
    if len(answer) < message.len:
        raise OSError(errno.EPROTO, f"{len(answer)} bytes were answered, wanted {message.len}")
    for at in range(message.len):
        message.buf[at] = bytes([answer[at]])
