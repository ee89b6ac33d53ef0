"""A stand-in for what a board's MicroPython calls `machine`: one bus with one BME280."""

CALIB_88 = bytes.fromhex("106e6c665e015d95b8d5d00b771e9dfff9ffac260ad8bd10004b")
CALIB_E1 = bytes.fromhex("6e01001305001e")
MEASURED = bytes.fromhex("4b77007ff500790b")
PARTS = ((0x88, CALIB_88), (0xD0, b"\x60"), (0xE1, CALIB_E1), (0xF7, MEASURED))
ADDRESS = 0x76


class Pin:
    """A pin, by its number."""

    def __init__(self, number: int) -> None:
        self.number = number


class I2C:
    """The bus: registers that were measured once."""

    def __init__(self, number: int, sda: Pin, scl: Pin) -> None:
        self.pins = (number, sda.number, scl.number)
        self.registers = {start + i: part[i] for start, part in PARTS for i in range(len(part))}

    def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
        """Read registers of the chip; nobody else answers."""
        self.check(addr)
        return bytes([self.registers.get(memaddr + i, 0) for i in range(nbytes)])

    def writeto_mem(self, addr: int, memaddr: int, buf: bytes) -> None:
        """Take what is written and measure the same again."""
        self.check(addr)
        del memaddr, buf  # Not kept.

    def check(self, addr: int) -> None:
        """As an address that nobody acknowledges. Raises `OSError`."""
        if addr != ADDRESS:
            raise OSError(19, "no such device")


class UART:
    """No serial line is wired to this board."""


def reset() -> None:
    """The end of what a board does."""
    raise SystemExit(1)
