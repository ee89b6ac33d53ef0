"""Sensirion SPS30: fine particles in the air, over a serial line or over I²C."""

import asyncio
from struct import unpack_from

from drivers.aio import within
from drivers.bus import Scanner
from drivers.errors import BusError, ChecksumError, FrameError, NoDataError
from drivers.port import ticks_ms
from drivers.reading import Reading, measured, without_values
from drivers.sensirion import command, words
from drivers.warm_up import WarmUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.bus import ByteStream, I2CBus
    from drivers.reading import SpecRow

BAUD = 115200
ADDRESS = 0x69

# SHDLC (data sheet SPS30, section 5.1): a byte that could be taken for a mark is sent as
# the escape byte and itself with bit 5 turned.
MARK = 0x7E
ESCAPE = 0x7D
ESCAPED = (0x7E, 0x7D, 0x11, 0x13)
FLIPPED_BIT = 0x20
# The longest answer: 255 data bytes, 5 bytes around them, each of them escaped, two marks.
FRAME_BYTES_MAX = 2 * (255 + 5) + 2

# Commands over the serial line (data sheet 5.3).
START = 0x00
STOP = 0x01
READ = 0x03
AS_FLOATS = b"\x01\x03"  # Subcommand 01; big-endian IEEE 754.
STATES = {
    0x01: "wrong data length",
    0x02: "unknown command",
    0x03: "no access right",
    0x04: "illegal parameter",
    0x28: "argument out of range",
    0x43: "command not allowed in this state",
}
STATE_BITS = 0x7F  # Bit 7 is the device's error flag, for its status register.

# Commands over I²C (data sheet 6.3).
I2C_START = 0x0010
I2C_AS_FLOATS = 0x0300
I2C_STOP = 0x0104
I2C_DATA_READY = 0x0202
I2C_READ = 0x0300

ANSWER_MAX_S = 1.0
EXECUTION_S = 0.02  # Data sheet 6.3: at most 20 ms.
PERIOD_S = 1.0  # A measurement comes every second.
TRIES_MAX = 3
# Data sheet, table 1: 8 s from 200 particles/cm³ on, 30 s in very clean air.
WARM_UP_S = 30

VALUES = ("pm1", "pm25", "pm4", "pm10", "n05", "n1", "n25", "n4", "n10", "size_um")
VALUES_BYTES = 4 * len(VALUES)
SPEC: "tuple[SpecRow, ...]" = (
    ("pm1", "ug/m3", 0, 1000, 1),
    ("pm2_5", "ug/m3", 0, 1000, 1),
    ("pm4", "ug/m3", 0, 1000, 1),
    ("pm10", "ug/m3", 0, 1000, 1),
    # Particles from 0.3 µm up to that size, in a cubic centimetre.
    ("particles_to_0_5um", "/cm3", 0, 3000, 1),
    ("particles_to_1um", "/cm3", 0, 3000, 1),
    ("particles_to_2_5um", "/cm3", 0, 3000, 1),
    ("particles_to_4um", "/cm3", 0, 3000, 1),
    ("particles_to_10um", "/cm3", 0, 3000, 1),
    ("typical_particle_size", "um", 0, 10, 2),
)


class SPS30:
    """One sensor on one serial line."""

    KIND = "sps30"
    SIMULATED = False
    SPEC = SPEC

    def __init__(
        self,
        line: "ByteStream",
        *,
        warm_up_s: float = WARM_UP_S,
        now_ms: "Callable[[], int]" = ticks_ms,
    ) -> None:
        self._line = line
        self._warm = WarmUp(warm_up_s, now_ms)
        self.scanner = make_scanner()

    async def start(self) -> None:
        """Let the sensor measure. Raises `DriverError`."""
        await self._line.open()
        # One that still measures refuses to start again; stopped, it starts with its fan.
        await self._ask(STOP, b"", may_refuse=True)
        await self._ask(START, AS_FLOATS)
        self._warm.begin()

    async def read(self) -> tuple[Reading, ...]:
        """Ask for the newest measurement. Raises `DriverError`."""
        for tries_left in range(TRIES_MAX - 1, -1, -1):
            answer = await self._ask(READ, b"")
            if answer or not tries_left:
                break
            await asyncio.sleep(PERIOD_S / TRIES_MAX)
        return self._warm.covered(self.SPEC, readings(self.SPEC, measurement(answer)))

    async def close(self) -> None:
        """Give the line back. The fan goes on: a restart would cost another warm-up."""
        await self._line.close()

    async def _ask(self, code: int, arguments: bytes, *, may_refuse: bool = False) -> bytes:
        """Data of the answer to a command. Raises `DriverError`."""
        self.scanner.reset()
        self._line.drop_pending()
        await self._line.write(request(code, arguments))
        frame = await within(ANSWER_MAX_S, self.KIND, self._answer_to(code))
        _, state, answer = parse(frame)
        if not may_refuse:
            check_state(state)
        return answer

    async def _answer_to(self, code: int) -> bytes:
        while True:
            for frame in self.scanner.feed(await self._line.read()):
                if parse(frame)[0] == code:
                    return frame


class SPS30I2C:
    """One sensor on one bus."""

    KIND = "sps30_i2c"
    SIMULATED = False
    SPEC = SPEC

    def __init__(
        self,
        bus: "I2CBus",
        address: int = ADDRESS,
        *,
        warm_up_s: float = WARM_UP_S,
        now_ms: "Callable[[], int]" = ticks_ms,
    ) -> None:
        self._bus = bus
        self._address = address
        self._warm = WarmUp(warm_up_s, now_ms)

    async def start(self) -> None:
        """Let the sensor measure. Raises `DriverError`."""
        await self._bus.open()
        await self._tell(I2C_STOP)
        await self._tell(I2C_START, I2C_AS_FLOATS)
        self._warm.begin()

    async def read(self) -> tuple[Reading, ...]:
        """Wait for the next measurement, up to a second. Raises `DriverError`."""
        for tries_left in range(TRIES_MAX, -1, -1):
            if (await self._ask(I2C_DATA_READY, 1))[0] & 0xFF:
                break
            if not tries_left:
                raise BusError(f"{self.KIND}: no measurement within {PERIOD_S} s", "timeout")
            await asyncio.sleep(PERIOD_S / TRIES_MAX)
        await self._tell(I2C_READ)
        answer = await self._bus.readfrom(self._address, VALUES_BYTES // 2 * 3)
        return self._warm.covered(self.SPEC, readings(self.SPEC, measurement(from_words(answer))))

    async def close(self) -> None:
        """Give the bus back. The fan goes on: a restart would cost another warm-up."""
        await self._bus.close()

    async def _tell(self, code: int, *arguments: int) -> None:
        await self._bus.writeto(self._address, command(code, *arguments))
        await asyncio.sleep(EXECUTION_S)

    async def _ask(self, code: int, count: int) -> "tuple[int, ...]":
        await self._tell(code)
        return words(await self._bus.readfrom(self._address, 3 * count), count)


def make_scanner() -> Scanner:
    """What finds answers between two marks."""
    return Scanner(bytes([MARK]), FRAME_BYTES_MAX, is_good, size_of)


def size_of(stream: bytes, at: int) -> int:
    """The length of the frame that begins at `at`: up to the next mark; 0 if it is not there."""
    end = stream.find(bytes([MARK]), at + 1)
    return end - at + 1 if end > 0 else 0


def is_good(frame: bytes) -> bool:
    """Whether these bytes are an answer of the sensor."""
    try:
        parse(frame)
    except (FrameError, ChecksumError):
        return False
    return True


def stuff(body: bytes) -> bytes:
    """`body` with an escape in front of each byte that could be taken for a mark."""
    stuffed = b""
    for byte in body:
        stuffed += bytes([ESCAPE, byte ^ FLIPPED_BIT] if byte in ESCAPED else [byte])
    return stuffed


def unstuff(stuffed: bytes) -> bytes:
    """Undo `stuff`, byte by byte. Raises `FrameError`.

    A chain of replacements would read 7D 5D 31 as 7D 31 and then as 11, but it is 7D 31.
    """
    body = bytearray()
    escaped = False
    for byte in stuffed:
        if escaped:
            body.append(byte ^ FLIPPED_BIT)
        elif byte != ESCAPE:
            body.append(byte)
        escaped = byte == ESCAPE and not escaped
    if escaped:
        raise FrameError(f"{stuffed.hex()} ends in an escape", "incomplete")
    return bytes(body)


def checksum(body: bytes) -> int:
    """The lowest byte of the inverted sum (data sheet 5.1)."""
    return ~sum(body) & 0xFF


def request(code: int, arguments: bytes = b"") -> bytes:
    """A frame to the sensor. Raises `FrameError` if it gets too long."""
    # 7e  address 0  command  length  data ...  checksum  7e            data sheet 5.1
    if len(arguments) > 255:
        raise FrameError(f"{len(arguments)} bytes of data, at most 255", "input")
    body = bytes([0, code, len(arguments)]) + arguments
    return bytes([MARK]) + stuff(body + bytes([checksum(body)])) + bytes([MARK])


def parse(frame: bytes) -> "tuple[int, int, bytes]":
    """Command, state and data of an answer. Raises `FrameError` or `ChecksumError`."""
    # 7e  address 0  command  state  length  data ...  checksum  7e     data sheet 5.1
    if not frame or frame[0] != MARK:
        raise FrameError(f"answer starts with {frame[:1].hex()}, wanted 7e")
    if len(frame) < 2 or frame[-1] != MARK:
        raise FrameError(f"answer of {len(frame)} bytes has no end", "incomplete")
    body = unstuff(frame[1:-1])
    if len(body) < 5:
        raise FrameError(f"answer of {len(body)} bytes, wanted at least 5", "incomplete")
    if checksum(body[:-1]) != body[-1]:
        raise ChecksumError(
            f"checksum says 0x{body[-1]:02x}, bytes give 0x{checksum(body[:-1]):02x}"
        )
    if body[0] != 0 or body[3] != len(body) - 5:
        raise FrameError(f"answer says {body[3]} bytes of data, has {len(body) - 5}", "length")
    return body[1], body[2], body[4:-1]


def check_state(state: int) -> None:
    """Raise `BusError` that says in words what the sensor complains about."""
    if state & STATE_BITS:
        why = STATES.get(state & STATE_BITS, "unknown error")
        error = BusError(f"the sensor answers state 0x{state & STATE_BITS:02x}: {why}", "device")
        error.fields = {"state": state & STATE_BITS}
        raise error


def from_words(answer: bytes) -> bytes:
    """The data in an answer over I²C. Raises `FrameError` or `ChecksumError`."""
    found = words(answer, VALUES_BYTES // 2)
    return b"".join([word.to_bytes(2, "big") for word in found])


def measurement(answer: bytes) -> "dict[str, float]":
    """Name the ten values of a measurement. Raises `FrameError` or `NoDataError`."""
    # PM1.0 PM2.5 PM4.0 PM10  NC0.5 NC1.0 NC2.5 NC4.0 NC10  typical size   data sheet 4.3
    #   µg/m³                   1/cm³                         µm           big-endian floats
    if not answer:
        raise NoDataError("no new measurement since the last one was read", "no_new_data")
    if len(answer) != VALUES_BYTES:
        fault = "incomplete" if len(answer) < VALUES_BYTES else "length"
        raise FrameError(f"measurement of {len(answer)} bytes, wanted {VALUES_BYTES}", fault)
    return {name: unpack_from(">f", answer, 4 * i)[0] for i, name in enumerate(VALUES)}


def readings(spec: "tuple[SpecRow, ...]", values: "dict[str, float]") -> tuple[Reading, ...]:
    """Turn the ten values into the readings of `spec`."""
    if not any(values.values()):
        return without_values(spec, "warming_up")  # Before the laser is on.
    return tuple([measured(row, values[name]) for row, name in zip(spec, VALUES)])  # noqa: B905
