"""Maxim DS18B20 and DS18S20: temperature of water or of a cabinet over 1-Wire."""

from drivers.errors import ChecksumError, DriverError, FrameError, NoDataError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    from drivers.reading import SpecRow

    class Probe(Protocol):
        """One device on a 1-Wire bus that someone else converses with."""

        async def open(self) -> None:
            """Find the device. Raises `BusError`."""

        async def close(self) -> None:
            """Give it back."""

        async def w1_slave(self) -> str:
            """Let it convert, and return its scratchpad as the kernel prints it."""


SCRATCHPAD_BYTES = 9
ROM_BYTES = 8
FAMILY = 0x28
FAMILY_S = 0x10  # Of a DS18S20.

# After power-on the scratchpad holds 85 °C, which nobody measured. A true 85 °C has another
# byte 6: there the chip leaves 16 minus the last four bits of the count, so 0x10.
POWER_ON_RAW = 0x0550
POWER_ON_BYTE_6 = 0x0C
POWER_ON_RAW_S = 0x00AA  # Of a DS18S20; byte 6 is the same.

QUANTITIES = ("temperature", "water_temperature", "air_temperature")


class DS18B20:
    """One probe. `quantity` says what its tip hangs in."""

    KIND = "ds18b20"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (("temperature", "Cel", -55, 125, 2),)

    def __init__(self, probe: "Probe", quantity: str = "temperature") -> None:
        if quantity not in QUANTITIES:
            raise DriverError(f"{self.KIND} cannot measure {quantity!r}", "input")
        self._probe = probe
        _, unit, low, high, decimals = self.SPEC[0]
        self.SPEC = ((quantity, unit, low, high, decimals),)

    @staticmethod
    def decode(scratchpad: bytes) -> float:
        """Temperature in °C of a scratchpad. Raises `DriverError`."""
        return decode(scratchpad)

    async def start(self) -> None:
        """Look whether the probe is there. Raises `BusError`."""
        await self._probe.open()

    async def read(self) -> tuple[Reading, ...]:
        """Convert and read once, about 0.75 s. Raises `DriverError`."""
        scratchpad = parse_w1_slave(await self._probe.w1_slave())
        return (measured(self.SPEC[0], self.decode(scratchpad)),)

    async def close(self) -> None:
        """Give the probe back."""
        await self._probe.close()


class DS18S20(DS18B20):
    """The older sister, also sold as DS1820: half degrees, and a remainder beside them."""

    KIND = "ds18s20"

    @staticmethod
    def decode(scratchpad: bytes) -> float:
        """Temperature in °C of a scratchpad. Raises `DriverError`."""
        return decode_s(scratchpad)


def decode(scratchpad: bytes) -> float:
    """Temperature in °C of the nine bytes of a scratchpad.

    Raises `FrameError`, `ChecksumError`, or `NoDataError` for the power-on pattern.
    """
    # Byte 0    1    2   3   4       5         6         7         8     data sheet, figure 7
    #      LSB  MSB  TH  TL  config  reserved  reserved  reserved  crc
    raw = raw_of(scratchpad)
    if raw == POWER_ON_RAW and scratchpad[6] == POWER_ON_BYTE_6:
        raise power_on(celsius(raw))
    return celsius(raw, resolution_bits(scratchpad[4]))


def decode_s(scratchpad: bytes) -> float:
    """Temperature in °C of the scratchpad of a DS18S20.

    Raises `FrameError`, `ChecksumError`, or `NoDataError` for the power-on pattern.
    """
    # Byte 0    1    2   3   4         5         6             7            8   data sheet,
    #      LSB  MSB  TH  TL  reserved  reserved  COUNT REMAIN  COUNT PER C  crc   figure 6
    raw = raw_of(scratchpad)
    if raw == POWER_ON_RAW_S and scratchpad[6] == POWER_ON_BYTE_6:
        raise power_on(raw / 2)
    # Section "operation - measuring temperature": the half degree is cut off, and what is
    # left of the count tells more.
    whole = (raw - 0x10000 if raw & 0x8000 else raw) >> 1
    remain, per_degree = scratchpad[6], scratchpad[7]
    if not per_degree:
        raise FrameError(f"COUNT PER C is 0: {scratchpad.hex()}")
    return whole - 0.25 + (per_degree - remain) / per_degree


def raw_of(scratchpad: bytes) -> int:
    """The 16 bits of the temperature. Raises `FrameError`, `ChecksumError`, `NoDataError`."""
    if len(scratchpad) != SCRATCHPAD_BYTES:
        fault = "incomplete" if len(scratchpad) < SCRATCHPAD_BYTES else "length"
        raise FrameError(f"scratchpad of {len(scratchpad)} bytes, wanted 9", fault)
    if crc8(scratchpad) != 0:
        raise ChecksumError(f"scratchpad fails its CRC: {scratchpad.hex()}", "crc")
    if not any(scratchpad):
        # All zeros match their CRC; a shorted data line reads like that.
        raise NoDataError("scratchpad is all zero: the data line is shorted")
    return scratchpad[0] | scratchpad[1] << 8


def power_on(raw_c: float) -> NoDataError:
    """The error for a scratchpad that still holds what it has after power-on."""
    error = NoDataError("85 °C is the power-on value: nothing was measured", "power_on_value")
    error.fields = {"raw_c": raw_c}
    return error


def resolution_bits(config: int) -> int:
    """How many bits a conversion gives, from the configuration byte (figure 10)."""
    # 0 R1 R0 1 1 1 1 1
    return 9 + (config >> 5 & 0x03)


def celsius(raw: int, bits: int = 12) -> float:
    """°C of the 16 bits of a temperature; bits below the resolution are undefined."""
    # s s s s s 64 32 16  8 4 2 1 1/2 1/4 1/8 1/16         data sheet, figure 4
    raw &= 0xFFFF ^ ((1 << 12 - bits) - 1)
    return (raw - 0x10000 if raw & 0x8000 else raw) / 16


def parse_w1_slave(text: str) -> bytes:
    """Return the scratchpad out of the text of the kernel's file `w1_slave`.

    Raises `NoDataError` if it is empty, `ChecksumError` if the kernel says NO.
    """
    # b8 01 4b 46 7f ff 08 10 8a : crc=8a YES
    # b8 01 4b 46 7f ff 08 10 8a t=27500
    words = text.strip().split("\n")[0].split()
    if not words:
        raise NoDataError("w1_slave is empty: the probe does not answer")
    if words[-1] == "NO":
        raise ChecksumError(f"the kernel found a bad CRC: {text.strip()!r}", "crc")
    if words[-1] != "YES" or ":" not in words:
        raise FrameError(f"not the text of w1_slave: {text[:80]!r}")
    try:
        return bytes([int(word, 16) for word in words[: words.index(":")]])
    except ValueError as error:
        raise FrameError(f"not the text of w1_slave: {text[:80]!r}") from error


def crc8(run: bytes) -> int:
    """Dallas CRC-8 (application note 27): x^8 + x^5 + x^4 + 1, reflected, from 0.

    Over bytes and their own CRC it is 0.
    """
    crc = 0
    for byte in run:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0x8C if crc & 1 else crc >> 1
    return crc


def check_rom(rom: bytes) -> None:
    """Raise `FrameError` or `ChecksumError` if `rom` is no 1-Wire address."""
    # family  serial (6 bytes)  crc
    if len(rom) != ROM_BYTES:
        raise FrameError(f"1-Wire address of {len(rom)} bytes, wanted 8", "length")
    if crc8(rom) != 0:
        raise ChecksumError(f"1-Wire address fails its CRC: {rom.hex()}", "crc")


def device_name(rom: bytes) -> str:
    """Linux's name of a device: its family, then its serial number from the highest byte on.

    Raises `FrameError` or `ChecksumError` if `rom` is no 1-Wire address.
    """
    check_rom(rom)
    return f"{rom[0]:02x}-" + "".join([f"{rom[i]:02x}" for i in range(6, 0, -1)])
