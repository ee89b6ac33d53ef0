"""Atlas Scientific EZO circuits: pH, dissolved oxygen and conductivity of water over I²C."""

import asyncio

from drivers.errors import BusError, FrameError, NoDataError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

READ = b"R"
TEMPERATURE = "T,{:.1f}"  # The temperature of the water, for compensation.

# First byte of an answer (data sheets, "response codes"): anything but 1 is a fault.
OK = 1
STATUSES = {
    2: ("syntax", "syntax error"),
    254: ("pending", "still processing, not ready"),
    255: ("no_data", "no data to send"),
}
ANSWER_BYTES = 40

READ_S = 0.9  # Data sheets: a reading takes 900 ms.
COMMAND_S = 0.3
PENDING_S = 0.3
PENDING_MAX = 3


class EZO:
    """One circuit on one bus, with the probe's own quantity."""

    KIND = ""
    SIMULATED = False
    # A probe ages in the sea: without a dated calibration its number is an estimate.
    NEEDS_CALIBRATION = True
    SPEC: "tuple[SpecRow, ...]" = ()
    ADDRESS = 0

    def __init__(
        self, bus: "I2CBus", address: int = 0, *, water_temperature_celsius: float = 25.0
    ) -> None:
        self._bus = bus
        self._address = address or self.ADDRESS
        self._celsius = water_temperature_celsius

    async def start(self) -> None:
        """Say how warm the water is as a rule. Raises `DriverError`."""
        await self._bus.open()
        await self._bus.writeto(self._address, TEMPERATURE.format(self._celsius).encode())
        await asyncio.sleep(COMMAND_S)
        parse(await self._bus.readfrom(self._address, ANSWER_BYTES))

    async def read(self) -> tuple[Reading, ...]:
        """Measure once, about a second. Raises `DriverError`."""
        await self._bus.writeto(self._address, READ)
        await asyncio.sleep(READ_S)
        for _ in range(PENDING_MAX):
            answer = await self._bus.readfrom(self._address, ANSWER_BYTES)
            if answer[0] != 254:
                return readings(self.SPEC, decode(answer))
            await asyncio.sleep(PENDING_S)
        raise BusError(f"{self.KIND} stays busy", "timeout")

    async def close(self) -> None:
        """Give the bus back."""
        await self._bus.close()


class EZOPH(EZO):
    """The circuit for pH."""

    KIND = "ezo_ph"
    ADDRESS = 0x63
    SPEC: "tuple[SpecRow, ...]" = (("ph", "[pH]", 0.001, 14, 2),)


class EZODO(EZO):
    """The circuit for dissolved oxygen."""

    KIND = "ezo_do"
    ADDRESS = 0x61
    SPEC: "tuple[SpecRow, ...]" = (("dissolved_oxygen", "mg/L", 0, 100, 2),)


class EZOEC(EZO):
    """The circuit for conductivity."""

    KIND = "ezo_ec"
    ADDRESS = 0x64
    SPEC: "tuple[SpecRow, ...]" = (("conductivity", "uS/cm", 0, 500000, 0),)


def parse(answer: bytes) -> str:
    """The text of an answer. Raises `NoDataError`, `BusError` or `FrameError`."""
    # status  text ...  00 00 ...                     data sheets, "requesting data"
    if not answer:
        raise FrameError("answer of no bytes", "incomplete")
    # The Pi's I²C sets the highest bit of some bytes when a chip stretches the clock; the
    # circuit speaks ASCII, so it can be taken off again, and off a 1 or a 2 as well.
    status = answer[0] if answer[0] in STATUSES else answer[0] & 0x7F
    if status in STATUSES:
        fault, why = STATUSES[status]
        error = BusError if fault == "syntax" else NoDataError
        raise error(f"the circuit answers {status}: {why}", fault)
    if status != OK:
        raise FrameError(f"answer starts with {answer[0]}, wanted 1, 2, 254 or 255")
    text = bytes([byte & 0x7F for byte in answer[1:]])
    end = text.find(b"\x00")
    return (text if end < 0 else text[:end]).decode()


def decode(answer: bytes) -> "tuple[float, ...]":
    """The numbers of a reading. Raises `DriverError`."""
    text = parse(answer)
    if not text:
        raise NoDataError("the circuit answers 1, but no number")
    try:
        values = tuple([float(part) for part in text.split(",")])
    except ValueError as error:
        raise FrameError(f"not the numbers of a reading: {text!r}") from error
    for value in values:
        if not abs(value) < 1e9:
            raise FrameError(f"not the numbers of a reading: {text!r}")
    return values


def readings(spec: "tuple[SpecRow, ...]", values: "tuple[float, ...]") -> tuple[Reading, ...]:
    """Turn the first number of an answer into the reading of `spec`."""
    return (measured(spec[0], values[0]),)
