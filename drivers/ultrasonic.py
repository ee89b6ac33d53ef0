"""A02YYUW, JSN-SR04T and AJ-SR04M: distance to the water by ultrasound, over a serial line."""

from drivers.bus import Scanner
from drivers.errors import ChecksumError, DriverError, FrameError, NoDataError
from drivers.line import LineSensor
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import ByteStream
    from drivers.reading import SpecRow

BAUD = 9600
HEAD = 0xFF
FRAME_BYTES = 4
POLL = b"\x55"  # What a JSN-SR04T in mode 2 waits for before it measures.

# Waves move the surface while it is measured, and single echoes come from a gull or a rope:
# a reading is the median of so many, and says how far apart they were.
ECHOES = 15
ECHOES_MAX = 200
LOST_MAX = 3  # Of the frames of one reading, so many times `echoes` may hold no echo.
QUANTITIES = ("distance", "water_level")


class A02YYUW(LineSensor):
    """One sensor that looks down on one surface.

    With the quantity `water_level` the height of the sensor above the zero of the gauge
    turns the distance into a level.
    """

    KIND = "a02yyuw"
    FRAME_MAX_S = 2.0  # A frame comes every 100 to 300 ms.
    NEAREST_MM = 30
    FARTHEST_MM = 4500
    POLLED = False
    HEAD_COUNTS = True  # Whether the first byte is part of the checksum.
    SPEC: "tuple[SpecRow, ...]" = (
        ("distance", "m", 0.03, 4.5, 3),
        ("distance_spread", "m", 0, 4.5, 3),
    )

    def __init__(
        self,
        line: "ByteStream",
        *,
        echoes: int = ECHOES,
        quantity: str = "distance",
        mount_height_m: float = 0.0,
    ) -> None:
        if not 1 <= echoes <= ECHOES_MAX:
            raise DriverError(f"{self.KIND}: echoes = {echoes} is not from 1 to 200", "input")
        if quantity not in QUANTITIES:
            raise DriverError(f"{self.KIND} cannot measure {quantity!r}", "input")
        self._echoes = echoes
        self._mount_height_m = mount_height_m if quantity == "water_level" else None
        nearest, farthest = self.NEAREST_MM / 1000, self.FARTHEST_MM / 1000
        low, high = nearest, farthest
        if self._mount_height_m is not None:
            low, high = mount_height_m - farthest, mount_height_m - nearest
        self.SPEC = (
            (quantity, "m", low, high, 3),
            (quantity + "_spread", "m", 0, farthest, 3),
        )
        super().__init__(line)

    def make_scanner(self) -> Scanner:
        """What finds the frames of 4 bytes."""
        return Scanner(bytes([HEAD]), FRAME_BYTES, self.is_good)

    def take(self, frame: bytes) -> tuple[Reading, ...]:
        """Readings of one echo alone. Raises `DriverError`."""
        return self.readings_of([self.decode(frame)])

    async def ask(self) -> None:
        """Start a measurement of a sensor that waits for it. Raises `BusError`."""
        if self.POLLED:
            await self._line.write(POLL)

    async def read(self) -> tuple[Reading, ...]:
        """Measure as many echoes as were asked for. Raises `DriverError`."""
        self.forget()
        self._every_frame = True
        heard: list[int] = []
        for _ in range(self._echoes * LOST_MAX):
            distance_mm = self.distance_mm(await self.next_frame())
            if self.is_echo(distance_mm):
                heard.append(distance_mm)
            if len(heard) == self._echoes:
                break
        if len(heard) * LOST_MAX < self._echoes:
            raise NoDataError(f"{self.KIND}: {len(heard)} echoes only", "out_of_range")
        return self.readings_of(heard)

    def readings_of(self, heard_mm: "list[int]") -> tuple[Reading, ...]:
        """Median and spread of some distances."""
        in_order = sorted(heard_mm)
        value_m = in_order[len(in_order) // 2] / 1000
        if self._mount_height_m is not None:
            value_m = self._mount_height_m - value_m
        spread_m = (in_order[-1] - in_order[0]) / 1000
        return measured(self.SPEC[0], value_m), measured(self.SPEC[1], spread_m)

    @classmethod
    def is_echo(cls, distance_mm: int) -> bool:
        """Whether a distance can be true; 0 means that no echo came back."""
        return cls.NEAREST_MM <= distance_mm <= cls.FARTHEST_MM

    @classmethod
    def is_good(cls, frame: bytes) -> bool:
        """Whether these 4 bytes are a frame, by head and checksum."""
        return len(frame) == FRAME_BYTES and frame[0] == HEAD and cls.sum_of(frame) == frame[3]

    @classmethod
    def sum_of(cls, frame: bytes) -> int:
        """The checksum that a frame should have."""
        return (frame[1] + frame[2] + (HEAD if cls.HEAD_COUNTS else 0)) & 0xFF

    @classmethod
    def distance_mm(cls, frame: bytes) -> int:
        """The distance in a frame, in mm. Raises `FrameError` or `ChecksumError`."""
        # ff  distance (16, big-endian, mm)  sum      data sheet A02YYUW, "UART output"
        if frame[:1] != bytes([HEAD]):
            raise FrameError(f"frame starts with {frame[:1].hex()}, wanted ff")
        if len(frame) != FRAME_BYTES:
            fault = "incomplete" if len(frame) < FRAME_BYTES else "length"
            raise FrameError(f"frame of {len(frame)} bytes, wanted {FRAME_BYTES}", fault)
        if not cls.is_good(frame):
            raise ChecksumError(
                f"checksum says 0x{frame[3]:02x}, bytes add up to 0x{cls.sum_of(frame):02x}"
            )
        return frame[1] << 8 | frame[2]

    @classmethod
    def decode(cls, frame: bytes) -> int:
        """The distance in a frame, in mm, if it can be true.

        Raises `FrameError`, `ChecksumError`, or `NoDataError` for no echo.
        """
        distance_mm = cls.distance_mm(frame)
        if not cls.is_echo(distance_mm):
            why = f"not from {cls.NEAREST_MM} to {cls.FARTHEST_MM} mm" if distance_mm else "no echo"
            error = NoDataError(f"distance of {distance_mm} mm: {why}", "out_of_range")
            error.fields = {"raw_mm": distance_mm}
            raise error
        return distance_mm


class JSNSR04T(A02YYUW):
    """The waterproof one with its box; it wants to be asked (mode 2, 120 kΩ on R27)."""

    KIND = "jsn_sr04t"
    NEAREST_MM = 250
    FARTHEST_MM = 6000
    POLLED = True


class AJSR04M(A02YYUW):
    """Its lookalike, which leaves the first byte out of the checksum."""

    KIND = "aj_sr04m"
    NEAREST_MM = 200
    FARTHEST_MM = 8000
    POLLED = True
    HEAD_COUNTS = False
