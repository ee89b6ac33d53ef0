"""TI ADS1115: a voltage over I²C."""

import asyncio

from drivers.errors import BusError, DriverError, FrameError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

ADDRESS = 0x48  # To 0x4B by the ADDR pin.

# Registers (data sheet SBAS444, section 8.1).
REG_CONVERSION = 0x00
REG_CONFIG = 0x01

# Config register: start, input against ground, range, single shot, 128 samples per second,
# comparator off.
OS_START = 0x8000
OS_DONE = 0x8000
MUX_SINGLE = 0x4000  # AIN0 against ground; the next inputs follow in steps.
MUX_STEP = 0x1000
MODE_SINGLE_SHOT = 0x0100
DATA_RATE_128 = 0x0080
COMPARATOR_OFF = 0x0003
# Full-scale range in volts → PGA bits.
RANGES = {6.144: 0, 4.096: 1, 2.048: 2, 1.024: 3, 0.512: 4, 0.256: 5}
PGA_STEP = 0x0200

CONVERSION_S = 0.009  # 1/128 s and 10 % tolerance of the oscillator.
POLL_S = 0.001
POLLS_MAX = 10
TURNS_MAX = 5
HIGHEST = 0x7FFF
LOWEST = -0x8000


class ADS1115:
    """One input of one converter on one bus."""

    KIND = "ads1115"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (("voltage", "V", -6.144, 6.144, 4),)

    def __init__(
        self, bus: "I2CBus", address: int = ADDRESS, *, channel: int = 0, range_v: float = 4.096
    ) -> None:
        if not 0 <= channel <= 3:
            raise DriverError(f"{self.KIND}: no channel {channel}; known: 0 to 3", "input")
        check_range(range_v)
        self._bus = bus
        self._address = address
        self._range_v = range_v
        self._config = (
            OS_START
            | (MUX_SINGLE + MUX_STEP * channel)
            | PGA_STEP * RANGES[range_v]
            | MODE_SINGLE_SHOT
            | DATA_RATE_128
            | COMPARATOR_OFF
        )

    async def start(self) -> None:
        """Look whether the chip answers. Raises `BusError`."""
        await self._bus.open()
        await self._bus.readfrom_mem(self._address, REG_CONFIG, 2)

    async def read(self) -> tuple[Reading, ...]:
        """Convert once. Raises `DriverError`."""
        # The inputs share one converter. When another one's turn came in between, its
        # configuration stands in the register, and what was converted is not ours.
        for _ in range(TURNS_MAX):
            if await self._convert():
                answer = await self._bus.readfrom_mem(self._address, REG_CONVERSION, 2)
                return (reading(self.SPEC[0], decode(answer), self._range_v),)
        raise BusError(f"{self.KIND} is busy with other inputs", "timeout")

    async def _convert(self) -> bool:
        """Start a conversion and wait for its end; False if another input's came between."""
        await self._bus.writeto_mem(self._address, REG_CONFIG, self._config.to_bytes(2, "big"))
        await asyncio.sleep(CONVERSION_S)
        for _ in range(POLLS_MAX):
            high, low = await self._bus.readfrom_mem(self._address, REG_CONFIG, 2)
            config = high << 8 | low
            if config & OS_DONE:
                return config == self._config
            await asyncio.sleep(POLL_S)
        raise BusError(f"{self.KIND} does not end its conversion", "timeout")

    async def close(self) -> None:
        """Give the bus back; the chip sleeps after each conversion."""
        await self._bus.close()


def check_range(range_v: float) -> None:
    """Raise `DriverError` for a range that the chip does not have."""
    if range_v not in RANGES:
        known = ", ".join([str(one) for one in sorted(RANGES)])
        raise DriverError(f"ads1115: no range of {range_v} V; known: {known}", "input")


def decode(answer: bytes) -> int:
    """The signed number in the conversion register. Raises `FrameError`."""
    # D15 ... D0, big-endian, two's complement                       data sheet 8.1.2
    if len(answer) != 2:
        raise FrameError(f"conversion of {len(answer)} bytes, wanted 2", "length")
    raw = answer[0] << 8 | answer[1]
    return raw - 0x10000 if raw & 0x8000 else raw


def volts(raw: int, range_v: float) -> float:
    """Volts of a number: the full-scale range is 2^15 steps (data sheet, table 7-3)."""
    return raw * range_v / 32768


def reading(row: "SpecRow", raw: int, range_v: float) -> Reading:
    """The reading of a number; at the ends of the range the voltage may be beyond."""
    found = measured(row, volts(raw, range_v))
    if raw in {HIGHEST, LOWEST}:
        return Reading(found.quantity, found.value, found.unit, "saturated")
    return found
