"""Nova SDS011: fine particles in the air over a serial line."""

from struct import unpack_from

from drivers.bus import Scanner
from drivers.errors import ChecksumError, FrameError
from drivers.line import LineSensor
from drivers.reading import Reading, measured, without_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.reading import SpecRow

BAUD = 9600
HEAD = b"\xaa\xc0"
TAIL = 0xAB
FRAME_BYTES = 10

FRAME_MAX_S = 3.0  # In active mode a frame comes every second (protocol V1.3).
# The fan has to draw in fresh air before the values are of this place and time: 15 s, and
# 5 s of readings after it, as the sensor.community firmware waits.
WARM_UP_S = 20

# Commands (protocol V1.3): the bytes after AA B4 that are not zero.
COMMANDS = {
    "active": b"\x02\x01\x00",
    "passive": b"\x02\x01\x01",
    "query": b"\x04",
    "read": b"\x04",
    "report_active_mode": b"\x02\x01\x00",
    "report_query_mode": b"\x02\x01\x01",
    "sleep": b"\x06\x01\x00",
    "wake": b"\x06\x01\x01",
    "work_without_pause": b"\x08\x01\x00",
    "firmware": b"\x07",
}


class SDS011(LineSensor):
    """One sensor on one serial line."""

    KIND = "sds011"
    FRAME_MAX_S = FRAME_MAX_S
    WARM_UP_S = WARM_UP_S
    SPEC: "tuple[SpecRow, ...]" = (
        ("pm2_5", "ug/m3", 0, 999.9, 1),
        ("pm10", "ug/m3", 0, 1999.9, 1),
    )

    def make_scanner(self) -> Scanner:
        """What finds the frames of 10 bytes."""
        return Scanner(HEAD, FRAME_BYTES, is_good)

    async def prepare(self) -> None:
        """Wake the sensor and let it send without pauses. Raises `BusError`."""
        for name in ("wake", "work_without_pause", "report_active_mode"):
            await self._line.write(command(name))

    def take(self, frame: bytes) -> tuple[Reading, ...]:
        """Readings of one good frame. Raises `DriverError`."""
        return readings(self.SPEC, decode(frame))


def command(name: str) -> bytes:
    """The bytes of a command to every sensor. Raises `FrameError` for an unknown one."""
    # aa b4  command (13 bytes)  ff ff  sum of the 15 bytes before  ab      protocol V1.3
    if name not in COMMANDS:
        known = ", ".join(sorted(COMMANDS))
        raise FrameError(f"no command {name!r}; known: {known}", "input")
    body = COMMANDS[name] + bytes(13 - len(COMMANDS[name])) + b"\xff\xff"
    return b"\xaa\xb4" + body + bytes([sum(body) & 0xFF, TAIL])


def is_good(frame: bytes) -> bool:
    """Whether these 10 bytes are a frame, by head, checksum and tail."""
    return (
        len(frame) == FRAME_BYTES
        and frame[:2] == HEAD
        and frame[9] == TAIL
        and sum(frame[2:8]) & 0xFF == frame[8]
    )


def check(frame: bytes) -> None:
    """Raise `FrameError` or `ChecksumError` that says what is wrong with a frame."""
    if not HEAD.startswith(frame[:2]):
        raise FrameError(f"frame starts with {frame[:2].hex()}, wanted aac0")
    if len(frame) != FRAME_BYTES:
        fault = "incomplete" if len(frame) < FRAME_BYTES else "length"
        raise FrameError(f"frame of {len(frame)} bytes, wanted {FRAME_BYTES}", fault)
    if frame[9] != TAIL:
        raise FrameError(f"frame ends with 0x{frame[9]:02x}, wanted 0xab")
    if not is_good(frame):
        summed = sum(frame[2:8]) & 0xFF
        raise ChecksumError(f"checksum says 0x{frame[8]:02x}, bytes add up to 0x{summed:02x}")


def decode(frame: bytes) -> "tuple[float, float, str]":
    """PM2.5 and PM10 in µg/m³ and the sensor's id. Raises `FrameError` or `ChecksumError`."""
    # aa c0  PM2.5 (16)  PM10 (16)  id (16)  sum of bytes 2 to 7  ab    protocol V1.3
    #        little-endian, in 0.1 µg/m³
    check(frame)
    pm2_5, pm10 = unpack_from("<HH", frame, 2)
    return pm2_5 / 10, pm10 / 10, frame[6:8].hex()


def readings(
    spec: "tuple[SpecRow, ...]", decoded: "tuple[float, float, str]"
) -> tuple[Reading, ...]:
    """Turn what `decode` returned into the readings of `spec`."""
    if decoded[0] == 0 and decoded[1] == 0:
        # Before the laser is on, the sensor sends good frames of zeros.
        return without_values(spec, "warming_up")
    return measured(spec[0], decoded[0]), measured(spec[1], decoded[1])
