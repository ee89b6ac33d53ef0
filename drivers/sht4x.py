"""Sensirion SHT4x (SHT40, SHT41, SHT45): air temperature and humidity over I²C."""

import asyncio

from drivers.reading import Reading, measured
from drivers.sensirion import words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

ADDRESS = 0x44  # 0x45 and 0x46 by order number.

# Commands (data sheet SHT4x, section 4.5).
MEASURE_HIGH_PRECISION = b"\xfd"
READ_SERIAL_NUMBER = b"\x89"
SOFT_RESET = b"\x94"

CONVERSION_S = 0.010  # Data sheet 3.1: at most 8.3 ms; the chip does not answer before.
RESET_S = 0.002  # The same: at most 1 ms.


class SHT4x:
    """One sensor on one bus."""

    KIND = "sht4x"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (
        ("air_temperature", "Cel", -40, 125, 2),
        ("relative_humidity", "%", 0, 100, 1),
    )

    def __init__(self, bus: "I2CBus", address: int = ADDRESS) -> None:
        self._bus = bus
        self._address = address

    async def start(self) -> None:
        """Reset the chip and read its serial number. Raises `DriverError`."""
        await self._bus.open()
        await self._bus.writeto(self._address, SOFT_RESET)
        await asyncio.sleep(RESET_S)
        # Another chip at this address has no CRC of this kind, and is found out here.
        await self._ask(READ_SERIAL_NUMBER)

    async def read(self) -> tuple[Reading, ...]:
        """Measure once. Raises `DriverError`."""
        return readings(self.SPEC, *await self._ask(MEASURE_HIGH_PRECISION))

    async def close(self) -> None:
        """Give the bus back; the chip sleeps after each measurement."""
        await self._bus.close()

    async def _ask(self, code: bytes) -> "tuple[int, ...]":
        await self._bus.writeto(self._address, code)
        await asyncio.sleep(CONVERSION_S)
        return words(await self._bus.readfrom(self._address, 6), 2)


def decode(answer: bytes) -> "tuple[float, float]":
    """°C and % of the six bytes of one measurement. Raises `FrameError` or `ChecksumError`."""
    # Byte 0    1    2     3    4    5                        data sheet 4.4
    #      TTTT TTTT crcT  HHHH HHHH crcH      big-endian
    ticks_t, ticks_rh = words(answer, 2)
    return celsius(ticks_t), percent(ticks_rh)


def celsius(ticks: int) -> float:
    """°C of the 16 bits of a temperature (data sheet 4.6)."""
    return -45 + 175 * ticks / 65535


def percent(ticks: int) -> float:
    """% of the 16 bits of a humidity, from 0 to 100.

    The formula goes from -6 to 119 so that the ends are reached; the data sheet (4.6)
    says to crop it.
    """
    return min(max(-6 + 125 * ticks / 65535, 0.0), 100.0)


def readings(spec: "tuple[SpecRow, ...]", ticks_t: int, ticks_rh: int) -> tuple[Reading, ...]:
    """Turn the two words of a measurement into the readings of `spec`."""
    return measured(spec[0], celsius(ticks_t)), measured(spec[1], percent(ticks_rh))
