"""TI INA219: voltage, current and power of a supply over I²C."""

from drivers.errors import DriverError, FrameError, NoDataError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

ADDRESS = 0x40  # To 0x4F by the pins A0 and A1.

# Registers (data sheet SBOS448, section 8.6).
REG_CONFIG = 0x00
REG_SHUNT = 0x01
REG_BUS = 0x02
REG_POWER = 0x03
REG_CURRENT = 0x04
REG_CALIBRATION = 0x05

# 32 V, shunt ±320 mV, 12 bits, mean of 16 samples (8.5 ms), both without end.
CONFIG = b"\x3e\x67"

SHUNT_LSB_V = 10e-6
BUS_LSB_V = 4e-3
POWER_OF_CURRENT = 20  # The power's last digit is 20 times the current's.
CALIBRATION_CONSTANT = 0.04096
OVERFLOW = 0x01
CONVERSION_READY = 0x02


class INA219:
    """One sensor on one bus, with the shunt that is soldered on its board."""

    KIND = "ina219"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (
        ("voltage", "V", 0, 32, 2),
        ("current", "A", -1000, 1000, 3),
        ("power", "W", 0, 32000, 2),
    )

    def __init__(
        self,
        bus: "I2CBus",
        address: int = ADDRESS,
        *,
        shunt_ohm: float = 0.1,
        current_max_a: float = 3.2,
    ) -> None:
        self._bus = bus
        self._address = address
        self._lsb_a, self._calibration = calibration(shunt_ohm, current_max_a)

    async def start(self) -> None:
        """Set the chip. Raises `BusError`."""
        await self._bus.open()
        await self._bus.writeto_mem(self._address, REG_CONFIG, CONFIG)

    async def read(self) -> tuple[Reading, ...]:
        """Read the newest conversion. Raises `DriverError`."""
        # Written each time, so that a chip that lost its power comes back by itself.
        await self._bus.writeto_mem(self._address, REG_CONFIG, CONFIG)
        calibration_bytes = self._calibration.to_bytes(2, "big")
        await self._bus.writeto_mem(self._address, REG_CALIBRATION, calibration_bytes)
        registers = {}
        for register in (REG_BUS, REG_CURRENT, REG_POWER):
            registers[register] = word(await self._bus.readfrom_mem(self._address, register, 2))
        return readings(self.SPEC, registers, self._lsb_a)

    async def close(self) -> None:
        """Give the bus back."""
        await self._bus.close()


def calibration(shunt_ohm: float, current_max_a: float) -> "tuple[float, int]":
    """Last digit of the current in amperes, and the calibration register (section 8.5.1).

    Raises `DriverError` for a shunt that the register cannot express.
    """
    if not (shunt_ohm > 0 and current_max_a > 0):
        raise DriverError(f"ina219: shunt {shunt_ohm} Ohm, {current_max_a} A at most", "input")
    lsb_a = current_max_a / 32768
    value = int(CALIBRATION_CONSTANT / (lsb_a * shunt_ohm))
    if not 0 < value <= 0xFFFE:
        raise DriverError(f"ina219: calibration {value} is not from 1 to 65534", "input")
    return lsb_a, value


def word(answer: bytes) -> int:
    """The 16 bits of a register. Raises `FrameError`."""
    if len(answer) != 2:
        raise FrameError(f"register of {len(answer)} bytes, wanted 2", "length")
    return answer[0] << 8 | answer[1]


def signed(raw: int) -> int:
    """A register as two's complement."""
    return raw - 0x10000 if raw & 0x8000 else raw


def shunt_volts(raw: int) -> float:
    """Volts across the shunt (section 8.6.3.1)."""
    return signed(raw) * SHUNT_LSB_V


def bus_volts(raw: int) -> float:
    """Volts of the supply (section 8.6.3.2)."""
    # BD12 ... BD0  -  CNVR  OVF
    return (raw >> 3) * BUS_LSB_V


def is_overflow(bus_raw: int) -> bool:
    """Whether current and power were too large for the chip's arithmetic."""
    return bus_raw & OVERFLOW != 0


def readings(
    spec: "tuple[SpecRow, ...]", registers: "dict[int, int]", lsb_a: float
) -> tuple[Reading, ...]:
    """Turn the registers 2, 3 and 4 into the readings of `spec`."""
    bus_raw = registers[REG_BUS]
    if not bus_raw & CONVERSION_READY:
        raise NoDataError("the conversion is not ready")
    found = [
        measured(spec[0], bus_volts(bus_raw)),
        measured(spec[1], signed(registers[REG_CURRENT]) * lsb_a),
        measured(spec[2], registers[REG_POWER] * POWER_OF_CURRENT * lsb_a),
    ]
    if is_overflow(bus_raw):
        found[1:] = [Reading(row[0], None, row[1], "out_of_range") for row in spec[1:]]
    return tuple(found)
