"""Winsen MH-Z19B: carbon dioxide over a serial line."""

from drivers.bus import Scanner
from drivers.errors import ChecksumError, FrameError
from drivers.line import LineSensor
from drivers.port import ticks_ms
from drivers.reading import Reading, measured, without_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.bus import ByteStream
    from drivers.reading import SpecRow

BAUD = 9600
HEAD = b"\xff\x86"
FRAME_BYTES = 9
WARM_UP_S = 180  # Data sheet, "preheat time": 3 minutes.

# Commands (data sheet, "commands list"), before their checksum.
COMMANDS = {
    "read": b"\xff\x01\x86\x00\x00\x00\x00\x00",
    "zero": b"\xff\x01\x87\x00\x00\x00\x00\x00",
    "self_calibration_on": b"\xff\x01\x79\xa0\x00\x00\x00\x00",
    "self_calibration_off": b"\xff\x01\x79\x00\x00\x00\x00\x00",
}


class MHZ19B(LineSensor):
    """One sensor on one serial line; it is asked for each reading.

    `self_calibration` takes the lowest value of a day for fresh air. That is right in the
    open and wrong in a room that is never aired.
    """

    KIND = "mhz19b"
    FRAME_MAX_S = 2.0
    SPEC: "tuple[SpecRow, ...]" = (("co2", "[ppm]", 1, 10000, 0),)

    def __init__(
        self,
        line: "ByteStream",
        *,
        self_calibration: bool = True,
        warm_up_s: float = WARM_UP_S,
        now_ms: "Callable[[], int]" = ticks_ms,
    ) -> None:
        super().__init__(line, warm_up_s=warm_up_s, now_ms=now_ms)
        self._self_calibration = self_calibration

    def make_scanner(self) -> Scanner:
        """What finds the frames of 9 bytes."""
        return Scanner(HEAD, FRAME_BYTES, is_good)

    async def prepare(self) -> None:
        """Say how to calibrate. Raises `BusError`."""
        how = "self_calibration_on" if self._self_calibration else "self_calibration_off"
        await self._line.write(command(how))

    async def ask(self) -> None:
        """Ask for a frame. Raises `BusError`."""
        await self._line.write(command("read"))

    def take(self, frame: bytes) -> tuple[Reading, ...]:
        """Reading of one good frame. Raises `DriverError`."""
        return readings(self.SPEC, decode(frame)[0])


def command(name: str) -> bytes:
    """The bytes of a command. Raises `FrameError` for one that does not exist."""
    if name not in COMMANDS:
        known = ", ".join(sorted(COMMANDS))
        raise FrameError(f"no command {name!r}; known: {known}", "input")
    return COMMANDS[name] + bytes([checksum(COMMANDS[name])])


def checksum(frame: bytes) -> int:
    """256 minus the sum of bytes 1 to 7 (data sheet, "checksum calculation")."""
    return -sum(frame[1:8]) & 0xFF


def is_good(frame: bytes) -> bool:
    """Whether these 9 bytes are an answer, by head and checksum."""
    return len(frame) == FRAME_BYTES and frame[:2] == HEAD and checksum(frame) == frame[8]


def decode(frame: bytes) -> "tuple[int, int]":
    """Ppm, and °C inside the sensor. Raises `FrameError` or `ChecksumError`."""
    # ff 86  CO2 (16, big-endian)  °C + 40  status  0  0  checksum   data sheet, command 0x86
    # The temperature is not documented; it is the sensor's own and not that of the air.
    if not HEAD.startswith(frame[:2]):
        raise FrameError(f"frame starts with {frame[:2].hex()}, wanted ff86")
    if len(frame) != FRAME_BYTES:
        fault = "incomplete" if len(frame) < FRAME_BYTES else "length"
        raise FrameError(f"frame of {len(frame)} bytes, wanted {FRAME_BYTES}", fault)
    if not is_good(frame):
        raise ChecksumError(f"checksum says 0x{frame[8]:02x}, bytes give 0x{checksum(frame):02x}")
    return frame[2] << 8 | frame[3], frame[4] - 40


def readings(spec: "tuple[SpecRow, ...]", co2: int) -> tuple[Reading, ...]:
    """The reading of a frame; before the lamp is warm the sensor says 0."""
    return (measured(spec[0], co2),) if co2 else without_values(spec, "warming_up")
