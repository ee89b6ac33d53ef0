"""ROHM BH1750 and Vishay VEML7700: illuminance over I²C."""

import asyncio

from drivers.errors import DriverError, FrameError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

BH1750_ADDRESS = 0x23  # 0x5C with ADDR high.
# One-time modes (data sheet BH1750FVI, "instruction set"): name → command, longest time,
# steps in a count.
BH1750_MODES = {
    "H-res": (0x20, 0.18, 1),
    "H-res2": (0x21, 0.18, 2),
    "L-res": (0x23, 0.024, 1),
}
POWER_ON = b"\x01"
MTREG_DEFAULT = 69
MTREG_MIN = 31
MTREG_MAX = 254
COUNTS_PER_LUX = 1.2

VEML7700_ADDRESS = 0x10
# Command codes (data sheet VEML7700, table 1).
REG_ALS_CONF = 0x00
REG_ALS = 0x04
GAINS = {1.0: 0, 2.0: 1, 0.125: 2, 0.25: 3}
INTEGRATION_TIMES_MS = {25: 0b1100, 50: 0b1000, 100: 0, 200: 1, 400: 2, 800: 3}
GAIN_BIT = 11
INTEGRATION_BIT = 6
# Lux of a count at gain 1 and 100 ms. Newer data sheets say a sixth more than older ones
# (0.0042 for 0.0036 at gain 2 and 800 ms, so 0.0672 for 0.0576); libraries have both.
LUX_PER_COUNT = 0.0672
# Application note "Designing the VEML7700": the chip's response is not linear above 1000 lx.
CORRECTED_FROM_LUX = 1000
CORRECTION = (6.0135e-13, -9.3924e-9, 8.1488e-5, 1.0023, 0.0)

SATURATED = 0xFFFF


class BH1750:
    """One sensor on one bus. A higher `mtreg` sees less light, more finely."""

    KIND = "bh1750"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (("illuminance", "lx", 0, 121557, 1),)

    def __init__(
        self,
        bus: "I2CBus",
        address: int = BH1750_ADDRESS,
        *,
        mode: str = "H-res",
        mtreg: int = MTREG_DEFAULT,
    ) -> None:
        check_bh1750(mode, mtreg)
        self._bus = bus
        self._address = address
        self._mode = mode
        self._mtreg = mtreg

    async def start(self) -> None:
        """Wake the chip and set its measuring time. Raises `BusError`."""
        await self._bus.open()
        await self._bus.writeto(self._address, POWER_ON)
        # 01000 MT7 MT6 MT5, then 011 MT4 ... MT0
        await self._bus.writeto(self._address, bytes([0x40 | self._mtreg >> 5]))
        await self._bus.writeto(self._address, bytes([0x60 | self._mtreg & 0x1F]))

    async def read(self) -> tuple[Reading, ...]:
        """Measure once. Raises `DriverError`."""
        code, longest_s, _ = BH1750_MODES[self._mode]
        await self._bus.writeto(self._address, bytes([code]))
        await asyncio.sleep(longest_s * max(self._mtreg / MTREG_DEFAULT, 1))
        raw = count(await self._bus.readfrom(self._address, 2))
        return (reading(self.SPEC[0], raw, bh1750_lux(raw, self._mode, self._mtreg)),)

    async def close(self) -> None:
        """Give the bus back; the chip sleeps after each measurement."""
        await self._bus.close()


class VEML7700:
    """One sensor on one bus; low gain and a short time for the sun, the other for the night."""

    KIND = "veml7700"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (("illuminance", "lx", 0, 200000, 2),)

    def __init__(
        self,
        bus: "I2CBus",
        address: int = VEML7700_ADDRESS,
        *,
        gain: float = 0.125,
        integration_ms: int = 100,
        lux_per_count: float = LUX_PER_COUNT,
    ) -> None:
        check_veml7700(gain, integration_ms)
        self._bus = bus
        self._address = address
        self._gain = gain
        self._integration_ms = integration_ms
        self._lux_per_count = lux_per_count

    async def start(self) -> None:
        """Set the chip and wait for its first count. Raises `BusError`."""
        await self._bus.open()
        config = GAINS[self._gain] << GAIN_BIT
        config |= INTEGRATION_TIMES_MS[self._integration_ms] << INTEGRATION_BIT
        await self._bus.writeto_mem(self._address, REG_ALS_CONF, config.to_bytes(2, "little"))
        await asyncio.sleep(0.005 + 2 * self._integration_ms / 1000)  # Waking takes 2.5 ms.

    async def read(self) -> tuple[Reading, ...]:
        """Read the newest count. Raises `DriverError`."""
        answer = await self._bus.readfrom_mem(self._address, REG_ALS, 2)
        raw = count(bytes([answer[1], answer[0]]))  # Low byte first.
        lux = veml7700_lux(raw, self._gain, self._integration_ms, self._lux_per_count)
        return (reading(self.SPEC[0], raw, lux),)

    async def close(self) -> None:
        """Give the bus back."""
        await self._bus.close()


def count(answer: bytes) -> int:
    """The 16 bits of a measurement, high byte first. Raises `FrameError`."""
    if len(answer) != 2:
        raise FrameError(f"measurement of {len(answer)} bytes, wanted 2", "length")
    return answer[0] << 8 | answer[1]


def check_bh1750(mode: str, mtreg: int) -> None:
    """Raise `DriverError` for a mode or a measuring time that the chip does not have."""
    if mode not in BH1750_MODES:
        known = ", ".join(sorted(BH1750_MODES))
        raise DriverError(f"bh1750: no mode {mode!r}; known: {known}", "input")
    if not MTREG_MIN <= mtreg <= MTREG_MAX:
        raise DriverError(f"bh1750: mtreg = {mtreg} is not from 31 to 254", "input")


def check_veml7700(gain: float, integration_ms: int) -> None:
    """Raise `DriverError` for a gain or a time that the chip does not have."""
    if gain not in GAINS:
        raise DriverError(f"veml7700: no gain {gain}; known: 0.125, 0.25, 1, 2", "input")
    if integration_ms not in INTEGRATION_TIMES_MS:
        known = ", ".join([str(one) for one in sorted(INTEGRATION_TIMES_MS)])
        raise DriverError(f"veml7700: no time of {integration_ms} ms; known: {known}", "input")


def bh1750_lux(raw: int, mode: str, mtreg: int = MTREG_DEFAULT) -> float:
    """Lux of a count (data sheet, "measurement sequence example" and "measurement time")."""
    return raw / COUNTS_PER_LUX * MTREG_DEFAULT / mtreg / BH1750_MODES[mode][2]


def veml7700_lux(
    raw: int,
    gain: float,
    integration_ms: int,
    lux_per_count: float = LUX_PER_COUNT,
    *,
    corrected: bool = True,
) -> float:
    """Lux of a count, above 1000 lx by the polynomial of the application note."""
    lux = raw * lux_per_count / gain * 100 / integration_ms
    if not corrected or lux <= CORRECTED_FROM_LUX:
        return lux
    curve = 0.0
    for coefficient in CORRECTION:
        curve = curve * lux + coefficient
    return curve


def reading(row: "SpecRow", raw: int, lux: float) -> Reading:
    """The reading of a count; at its highest the light may be brighter."""
    found = measured(row, lux)
    if raw == SATURATED and found.value is not None:
        return Reading(found.quantity, found.value, found.unit, "saturated")
    return found
