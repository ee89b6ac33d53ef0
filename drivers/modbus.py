"""Modbus RTU: probes that keep their values in registers, over RS485."""

import asyncio
from struct import unpack_from

from drivers.aio import within
from drivers.errors import BusError, ChecksumError, DriverError, FrameError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from drivers.bus import ByteStream
    from drivers.reading import SpecRow

BAUD = 9600
READ_HOLDING = 3
READ_INPUT = 4
EXCEPTION_BIT = 0x80
# Modbus application protocol V1.1b3, section 7.
EXCEPTIONS = {
    1: "illegal function",
    2: "illegal data address",
    3: "illegal data value",
    4: "device failure",
    5: "acknowledge",
    6: "device busy",
    8: "memory parity error",
    10: "gateway path unavailable",
    11: "gateway target did not answer",
}
REGISTERS_MAX = 125  # Section 6.3.
FRAME_BYTES_MAX = 256  # Modbus over serial line V1.02, section 2.5.1.
ANSWER_MAX_S = 1.0
UNIT_MAX = 247

# Type of a value in the register map → registers, struct format of their bytes.
TYPES = {
    "u16": (1, ">H"),
    "s16": (1, ">h"),
    "u32": (2, ">I"),
    "s32": (2, ">i"),
    "f32": (2, ">f"),
}


class Modbus:
    """One probe with its register map, alone or with others on one line.

    A line of the map is `quantity, unit, register, type, scale, lowest, highest, decimals`.
    The value is the register's number times `scale`.
    """

    KIND = "modbus"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = ()

    def __init__(
        self,
        line: "ByteStream",
        registers: "tuple[Row, ...]",
        *,
        unit: int = 1,
        function: int = READ_HOLDING,
        turn: "asyncio.Lock | None" = None,
    ) -> None:
        if not 1 <= unit <= UNIT_MAX:
            raise DriverError(f"modbus: unit = {unit} is not from 1 to {UNIT_MAX}", "input")
        if function not in {READ_HOLDING, READ_INPUT}:
            raise DriverError(f"modbus: function = {function} is not 3 or 4", "input")
        self._line = line
        self._turn = turn or asyncio.Lock()  # Units on one line share it.
        self._unit = unit
        self._function = function
        self._rows = registers
        self._first = min([row.register for row in registers])
        self._count = max([row.register + TYPES[row.type][0] for row in registers]) - self._first
        if self._count > REGISTERS_MAX:
            raise DriverError(f"modbus: a map of {self._count} registers, at most 125", "input")
        self.SPEC = tuple([row.spec for row in registers])

    async def start(self) -> None:
        """Open the line and ask once. Raises `DriverError`."""
        await self._line.open()
        await self.read()

    async def read(self) -> tuple[Reading, ...]:
        """Read all registers of the map at once. Raises `DriverError`."""
        async with self._turn:
            self._line.drop_pending()
            await self._line.write(request(self._unit, self._function, self._first, self._count))
            frame = await within(ANSWER_MAX_S, f"modbus unit {self._unit}", self._answer())
        registers = decode_answer(frame, self._unit, self._function, self._count)
        return readings(self._rows, self._first, registers)

    async def close(self) -> None:
        """Give the line back."""
        await self._line.close()

    async def _answer(self) -> bytes:
        """Collect bytes until they are an answer, whole or damaged. Raises `BusError`."""
        frame = b""
        while len(frame) < FRAME_BYTES_MAX:
            frame += await self._line.read()
            if len(frame) > 2 and len(frame) >= answer_bytes(frame):
                break
        return frame


class Row:
    """One value in a register map."""

    def __init__(self, text: str) -> None:
        """Read a line such as `ph, [pH], 0, u16, 0.01, 0, 14, 2`. Raises `DriverError`."""
        parts = [part.strip() for part in text.split(",")]
        if len(parts) != 8 or parts[3] not in TYPES:
            known = ", ".join(sorted(TYPES))
            raise DriverError(
                f"not quantity, unit, register, type ({known}), scale, lowest, highest,"
                f" decimals: {text!r}",
                "input",
            )
        try:
            self.register = int(parts[2])
            self.scale = float(parts[4])
            low, high, decimals = float(parts[5]), float(parts[6]), int(parts[7])
        except ValueError as error:
            raise DriverError(f"not a number in the register map: {text!r}", "input") from error
        if not 0 <= self.register <= 0xFFFF:
            raise DriverError(f"no register {self.register} in {text!r}", "input")
        self.type = parts[3]
        self.spec: SpecRow = (parts[0], parts[1], low, high, decimals)


def register_map(text: str) -> "tuple[Row, ...]":
    """The lines of a register map, parted by semicolons. Raises `DriverError`."""
    rows = tuple([Row(line) for line in text.split(";") if line.strip()])
    if not rows:
        raise DriverError("modbus: the register map is empty", "input")
    return rows


def crc16(frame: bytes) -> int:
    """CRC-16 of Modbus over serial line V1.02, section 6.2.2: 0xA001 from 0xFFFF."""
    crc = 0xFFFF
    for byte in frame:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


def with_crc(frame: bytes) -> bytes:
    """`frame` and its CRC, low byte first."""
    return frame + crc16(frame).to_bytes(2, "little")


def request(unit: int, function: int, first: int, count: int) -> bytes:
    """Ask a unit for `count` registers from `first` on."""
    # unit  function  first register (16)  count (16)  CRC (16, low byte first)
    return with_crc(bytes([unit, function]) + first.to_bytes(2, "big") + count.to_bytes(2, "big"))


def answer_bytes(frame: bytes) -> int:
    """How long the answer is that begins like this; it has at least 3 bytes."""
    return 5 if frame[1] & EXCEPTION_BIT else frame[2] + 5


def check(frame: bytes) -> None:
    """Raise `FrameError` or `ChecksumError` if these bytes are no frame."""
    if not 4 <= len(frame) <= FRAME_BYTES_MAX:
        fault = "incomplete" if len(frame) < 4 else "length"
        raise FrameError(f"frame of {len(frame)} bytes, wanted 4 to {FRAME_BYTES_MAX}", fault)
    if with_crc(frame[:-2]) != frame:
        said = frame[-2] | frame[-1] << 8
        given = crc16(frame[:-2])
        raise ChecksumError(f"frame says CRC 0x{said:04x}, its bytes give 0x{given:04x}", "crc")


def parse(frame: bytes) -> "dict[str, Any]":
    """Name what a request or an answer for registers says.

    Raises `FrameError`, `ChecksumError`, or `BusError` with the fault "exception".
    """
    check(frame)
    named: dict[str, Any] = {"unit": frame[0], "fc": frame[1], "crc_ok": True}
    if frame[1] & EXCEPTION_BIT:
        raise_exception(frame)
    # A request for registers has 8 bytes; an answer has an odd number, for its byte count
    # is even.
    if len(frame) == 8:
        named["addr"], named["count"] = unpack_from(">HH", frame, 2)
    elif frame[1] in {READ_HOLDING, READ_INPUT} and frame[2] == len(frame) - 5:
        named["registers"] = list(words(frame))
    else:
        named["payload"] = frame[2:-2].hex()
    return named


def raise_exception(frame: bytes) -> None:
    """Raise `BusError` that says in words what the unit complains about."""
    # unit  function + 0x80  exception code  CRC
    code = frame[2]
    why = EXCEPTIONS.get(code, "unknown exception")
    error = BusError(f"unit {frame[0]} answers exception {code}: {why}", "exception")
    error.fields = {
        "unit": frame[0],
        "fc": frame[1] & ~EXCEPTION_BIT & 0xFF,
        "exception": code,
        "crc_ok": True,
    }
    raise error


def words(frame: bytes) -> "tuple[int, ...]":
    """The registers in an answer."""
    # unit  function  byte count  register (16, big-endian) ...  CRC
    return unpack_from(f">{frame[2] // 2}H", frame, 3)


def decode_answer(frame: bytes, unit: int, function: int, count: int) -> "tuple[int, ...]":
    """The registers in the answer to a request.

    Raises `FrameError` (of another unit, function or length), `ChecksumError`, or
    `BusError` with the fault "exception".
    """
    if len(frame) >= 3 and frame[0] == unit and len(frame) < answer_bytes(frame):
        raise FrameError(f"answer of {len(frame)} bytes breaks off", "incomplete")
    check(frame)
    if frame[0] != unit:
        raise FrameError(f"unit {frame[0]} answers, asked was {unit}", "wrong_unit")
    if frame[1] & EXCEPTION_BIT:
        raise_exception(frame)
    if frame[1] != function:
        raise FrameError(f"answer to function {frame[1]}, asked was {function}")
    if frame[2] != 2 * count or len(frame) != frame[2] + 5:
        raise FrameError(f"answer has {frame[2]} bytes of data, wanted {2 * count}", "length")
    return words(frame)


def value_of(registers: "tuple[int, ...]", at: int, kind: str) -> float:
    """The number that begins with register `at`, high word first."""
    count, layout = TYPES[kind]
    packed = b"".join([registers[at + i].to_bytes(2, "big") for i in range(count)])
    number: float = unpack_from(layout, packed, 0)[0]
    return number


def readings(
    rows: "tuple[Row, ...]", first: int, registers: "tuple[int, ...]"
) -> tuple[Reading, ...]:
    """Turn registers from `first` on into the readings of a map."""
    return tuple(
        [
            measured(row.spec, value_of(registers, row.register - first, row.type) * row.scale)
            for row in rows
        ]
    )
