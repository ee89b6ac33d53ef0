"""Plantower PMS5003 and PMS5003T: particles in the air over a serial line.

A PMSA003I is the same sensor on I²C.
"""

from struct import unpack_from

from drivers.bus import Scanner
from drivers.errors import ChecksumError, FrameError, WrongChipError
from drivers.line import LineSensor
from drivers.port import ticks_ms
from drivers.reading import Reading, measured, without_values
from drivers.warm_up import WarmUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

ADDRESS = 0x12  # Of a PMSA003I, which is the same sensor on I²C.
BAUD = 9600
HEAD = b"\x42\x4d"
FRAME_BYTES = 32
LENGTH = 28  # What the length field says: the words and the checksum after it.

# A frame comes every 2.3 s in still air, faster when the values change (data manual,
# "active mode"); so long may one take, with its 32 bytes.
FRAME_MAX_S = 5.0
# The fan turns for 30 s before the values are stable (data manual, "circuit attentions").
WARM_UP_S = 30

# Commands (data manual, appendix II), before their checksum.
COMMANDS = {
    "passive": b"\x42\x4d\xe1\x00\x00",
    "active": b"\x42\x4d\xe1\x00\x01",
    "read": b"\x42\x4d\xe2\x00\x00",
    "sleep": b"\x42\x4d\xe4\x00\x00",
    "wake": b"\x42\x4d\xe4\x00\x01",
}

# The 13 words of a frame, in their order, by kind. Both have the same length and head, so
# only the settings can tell which sensor is connected.
PMS5003_WORDS = (
    "cf1_pm1",
    "cf1_pm25",
    "cf1_pm10",
    "pm1",
    "pm25",
    "pm10",
    "n03",
    "n05",
    "n10",
    "n25",
    "n50",
    "n100",
)
PMS5003T_WORDS = (
    "cf1_pm1",
    "cf1_pm25",
    "cf1_pm10",
    "pm1",
    "pm25",
    "pm10",
    "n03",
    "n05",
    "n10",
    "n25",
    "temperature_tenths",
    "humidity_tenths",
)
# Quantity → word and divisor. The atmospheric values count outdoors, not those for a
# factory (CF=1).
SOURCES = {
    "pm1": ("pm1", 1),
    "pm2_5": ("pm25", 1),
    "pm10": ("pm10", 1),
    "particles_0_3um": ("n03", 1),
    "particles_0_5um": ("n05", 1),
    "particles_1um": ("n10", 1),
    "particles_2_5um": ("n25", 1),
    "particles_5um": ("n50", 1),
    "particles_10um": ("n100", 1),
    "air_temperature": ("temperature_tenths", 10),
    "relative_humidity": ("humidity_tenths", 10),
}


class PMS5003(LineSensor):
    """One sensor on one serial line."""

    KIND = "pms5003"
    FRAME_MAX_S = FRAME_MAX_S
    WARM_UP_S = WARM_UP_S
    WORDS = PMS5003_WORDS
    SPEC: "tuple[SpecRow, ...]" = (
        ("pm1", "ug/m3", 0, 1000, 0),
        ("pm2_5", "ug/m3", 0, 1000, 0),
        ("pm10", "ug/m3", 0, 1000, 0),
        # Particles larger than that, in a tenth of a litre.
        ("particles_0_3um", "/dL", 0, 65535, 0),
        ("particles_0_5um", "/dL", 0, 65535, 0),
        ("particles_1um", "/dL", 0, 65535, 0),
        ("particles_2_5um", "/dL", 0, 65535, 0),
        ("particles_5um", "/dL", 0, 65535, 0),
        ("particles_10um", "/dL", 0, 65535, 0),
    )

    def make_scanner(self) -> Scanner:
        """What finds the frames of 32 bytes."""
        return Scanner(HEAD, FRAME_BYTES, is_good)

    async def prepare(self) -> None:
        """Wake the sensor and let it send. Raises `BusError`."""
        await self._line.write(command("wake"))
        await self._line.write(command("active"))

    def take(self, frame: bytes) -> tuple[Reading, ...]:
        """Readings of one good frame. Raises `DriverError`."""
        words = decode(frame, self.WORDS)
        check_counts(words)
        return readings(self.SPEC, words)


class PMS5003T(PMS5003):
    """The sister with a thermometer and a hygrometer instead of the two largest counts."""

    KIND = "pms5003t"
    WORDS = PMS5003T_WORDS
    SPEC: "tuple[SpecRow, ...]" = (
        ("pm1", "ug/m3", 0, 1000, 0),
        ("pm2_5", "ug/m3", 0, 1000, 0),
        ("pm10", "ug/m3", 0, 1000, 0),
        ("particles_0_3um", "/dL", 0, 65535, 0),
        ("particles_0_5um", "/dL", 0, 65535, 0),
        ("particles_1um", "/dL", 0, 65535, 0),
        ("particles_2_5um", "/dL", 0, 65535, 0),
        ("air_temperature", "Cel", -20, 99, 1),
        ("relative_humidity", "%", 0, 100, 1),
    )


class PMSA003I:
    """The same sensor on I²C: a read of 32 bytes gives the newest frame."""

    KIND = "pmsa003i"
    SIMULATED = False
    SPEC = PMS5003.SPEC

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
        """Look whether the sensor answers. Raises `DriverError`."""
        await self._bus.open()
        check(await self._bus.readfrom(self._address, FRAME_BYTES))
        self._warm.begin()

    async def read(self) -> tuple[Reading, ...]:
        """Read the newest frame. Raises `DriverError`."""
        words = decode(await self._bus.readfrom(self._address, FRAME_BYTES))
        return self._warm.covered(self.SPEC, readings(self.SPEC, words))

    async def close(self) -> None:
        """Give the bus back. The fan goes on: a restart would cost another warm-up."""
        await self._bus.close()


def command(name: str) -> bytes:
    """The bytes of a command. Raises `FrameError` for one that does not exist."""
    # 42 4d  command  data (2)  sum of all before (2)      data manual, appendix II
    if name not in COMMANDS:
        known = ", ".join(sorted(COMMANDS))
        raise FrameError(f"no command {name!r}; known: {known}", "input")
    return with_sum(COMMANDS[name])


def with_sum(frame: bytes) -> bytes:
    """`frame` and its checksum."""
    return frame + (sum(frame) & 0xFFFF).to_bytes(2, "big")


def is_good(frame: bytes) -> bool:
    """Whether these 32 bytes are a frame, by head, length field and checksum."""
    return frame[:2] == HEAD and frame[2:4] == b"\x00\x1c" and with_sum(frame[:30]) == frame


def check(frame: bytes) -> None:
    """Raise `FrameError` or `ChecksumError` that says what is wrong with a frame."""
    if not HEAD.startswith(frame[:2]):
        raise FrameError(f"frame starts with {frame[:2].hex()}, wanted 424d")
    if len(frame) >= 4:
        length = unpack_from(">H", frame, 2)[0]
        if length != LENGTH:
            raise FrameError(f"length field says {length}, wanted {LENGTH}", "length")
    if len(frame) < FRAME_BYTES:
        raise FrameError(f"frame of {len(frame)} bytes, wanted {FRAME_BYTES}", "incomplete")
    if len(frame) > FRAME_BYTES:
        raise FrameError(f"frame of {len(frame)} bytes, wanted {FRAME_BYTES}", "length")
    if not is_good(frame):
        said = unpack_from(">H", frame, 30)[0]
        raise ChecksumError(f"checksum says 0x{said:04x}, bytes add up to 0x{sum(frame[:30]):04x}")


def decode(frame: bytes, names: "tuple[str, ...]" = PMS5003_WORDS) -> "dict[str, int]":
    """Name the words of one frame. Raises `FrameError` or `ChecksumError`."""
    # 42 4d  00 1c  data 1 ... data 13 (16 bits each)  sum of all before (16 bits)
    #                         data manual, appendix I; everything big-endian
    # data 1-3 CF=1, 4-6 atmospheric, 7-12 counts, 13 version and error code
    check(frame)
    words = dict(zip(names, unpack_from(">12H", frame, 4)))  # noqa: B905 # not portable
    if "temperature_tenths" in words:
        words["temperature_tenths"] = unpack_from(">h", frame, 24)[0]
    words["version"] = frame[28]
    words["error_code"] = frame[29]
    return words


def check_counts(words: "dict[str, int]") -> None:
    """Raise `WrongChipError` for counts that only a PMS5003T's words can look like.

    Each count is of particles larger than its size, so the counts fall. Where a sister's
    frame is read as a PMS5003's, temperature and humidity stand in for the last two.
    """
    if "n100" not in words:
        return
    counts = [words[name] for name in ("n25", "n50", "n100")]
    if not counts[0] >= counts[1] >= counts[2]:
        raise WrongChipError(f"counts rise with the size, {counts}: this is a PMS5003T")


def readings(spec: "tuple[SpecRow, ...]", words: "dict[str, int]") -> tuple[Reading, ...]:
    """Turn the words of a frame into the readings of `spec`."""
    if not any(words[name] for name in words if name not in {"version", "error_code"}):
        # Before the laser is on, the sensor sends good frames full of zeros.
        return without_values(spec, "warming_up")
    found = []
    for row in spec:
        name, divisor = SOURCES[row[0]]
        found.append(measured(row, words[name] / divisor))
    return tuple(found)
