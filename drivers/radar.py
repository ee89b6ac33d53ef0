"""Hi-Link LD2410 and LD2450: who is there, by radar, over a serial line."""

from struct import unpack_from

from drivers.bus import Scanner
from drivers.errors import FrameError
from drivers.line import LineSensor
from drivers.reading import Reading, measured, without_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from drivers.reading import SpecRow

BAUD = 256_000

# LD2410 (serial communication protocol V1.02, section 2.3).
REPORT_HEAD = b"\xf4\xf3\xf2\xf1"
REPORT_TAIL = b"\xf8\xf7\xf6\xf5"
REPORT_AROUND_BYTES = 10  # Head, length and tail.
REPORT_BYTES_MAX = 64
BASIC = 0x02
ENGINEERING = 0x01
MODES = {BASIC: "basic", ENGINEERING: "engineering"}
INNER_HEAD = 0xAA
INNER_TAIL = b"\x55\x00"
BASIC_BYTES = 13
ENERGY_MAX = 100  # Energies are per cent.
FARTHEST_CM = 900  # Twelve gates of 75 cm; the sensor has nine.
GATES_MAX = 9
NOBODY, MOVING, STILL, BOTH = range(4)
STATE_MAX = 6  # 4 to 6: newer firmware measures the noise of the place and sees nobody.

# LD2450 (serial communication protocol V1.03, section 2.3).
TARGETS_HEAD = b"\xaa\xff\x03\x00"
TARGETS_TAIL = b"\x55\xcc"
TARGETS_BYTES = 30
TARGETS_MAX = 3
FARTHEST_MM = 8000  # The sensor sees 6 m; farther than that is no target but damage.


class LD2410(LineSensor):
    """One sensor that tells presence and distance."""

    KIND = "ld2410"
    FRAME_MAX_S = 2.0  # Ten frames a second.
    SPEC: "tuple[SpecRow, ...]" = (
        ("presence", "1", 0, 1, 0),
        ("target_distance", "m", 0, 8, 2),
    )

    def make_scanner(self) -> Scanner:
        """What finds the frames of either mode."""
        return Scanner(REPORT_HEAD, REPORT_BYTES_MAX, is_good_report, report_size)

    def take(self, frame: bytes) -> tuple[Reading, ...]:
        """Readings of one good frame. Raises `DriverError`."""
        return presence(self.SPEC, decode_report(frame))


class LD2450(LineSensor):
    """One sensor that follows up to three people."""

    KIND = "ld2450"
    FRAME_MAX_S = 2.0  # Ten frames a second.
    SPEC: "tuple[SpecRow, ...]" = (
        ("targets", "1", 0, 3, 0),
        ("target_distance", "m", 0, 8, 2),
    )

    def make_scanner(self) -> Scanner:
        """What finds the frames of 30 bytes."""
        return Scanner(TARGETS_HEAD, TARGETS_BYTES, is_good_targets)

    def take(self, frame: bytes) -> tuple[Reading, ...]:
        """Readings of one good frame. Raises `DriverError`."""
        return nearest(self.SPEC, decode_targets(frame))


def report_size(stream: bytes, at: int) -> int:
    """The length of the report at `at`, or 0 as long as its length field is not there."""
    if len(stream) - at < 6:
        return 0
    return (stream[at + 4] | stream[at + 5] << 8) + REPORT_AROUND_BYTES


def is_good_report(frame: bytes) -> bool:
    """Whether these bytes are a report of an LD2410 that can be true."""
    try:
        said = decode_report(frame)
    except FrameError:
        return False
    energy: int = max(said["moving_energy"], said["static_energy"])
    farthest_cm: int = max(said["moving_cm"], said["static_cm"], said["detect_cm"])
    return energy <= ENERGY_MAX and farthest_cm <= FARTHEST_CM


def decode_report(frame: bytes) -> "dict[str, Any]":
    """Name what a report of an LD2410 says. Raises `FrameError`.

    There is no checksum: head, length, both inner marks and tail must all be right.
    """
    # f4 f3 f2 f1  length (16)  type  aa  target data  55 00  f8 f7 f6 f5      little-endian
    # target data: state  moving cm (16)  energy  still cm (16)  energy  detection cm (16)
    if not REPORT_HEAD.startswith(frame[:4]):
        raise FrameError(f"report starts with {frame[:4].hex()}, wanted f4f3f2f1")
    if len(frame) < 6 or len(frame) < report_size(frame, 0):
        raise FrameError(f"report of {len(frame)} bytes breaks off", "incomplete")
    inner = frame[6:-4]
    length = unpack_from("<H", frame, 4)[0]
    if length != len(inner) or length < BASIC_BYTES:
        raise FrameError(f"length field says {length}, report has {len(inner)}", "length")
    if frame[-4:] != REPORT_TAIL or inner[1] != INNER_HEAD or inner[-2:] != INNER_TAIL:
        raise FrameError(f"marks of the report are damaged: {frame.hex()}")
    if inner[0] not in MODES or inner[2] > STATE_MAX:
        raise FrameError(f"report of type 0x{inner[0]:02x}, state {inner[2]}")
    names = ("moving_cm", "moving_energy", "static_cm", "static_energy", "detect_cm")
    said: dict[str, Any] = {"mode": MODES[inner[0]], "state": inner[2]}
    said.update(zip(names, unpack_from("<HBHBH", inner, 3)))  # noqa: B905 # not portable
    if inner[0] == ENGINEERING:
        said.update(gates(inner[11:-2]))
    elif length != BASIC_BYTES:
        raise FrameError(f"length field says {length}, wanted {BASIC_BYTES}", "length")
    return said


def gates(rest: bytes) -> "dict[str, Any]":
    """Energy in each gate of 75 cm, as the engineering mode adds it. Raises `FrameError`."""
    # highest moving gate M  highest still gate S  M + 1 energies  S + 1 energies  light  out
    if len(rest) < 2 or rest[0] >= GATES_MAX or rest[1] >= GATES_MAX:
        raise FrameError(f"gates of an engineering report: {rest.hex()}", "length")
    moving, still = rest[0] + 1, rest[1] + 1
    if len(rest) < 2 + moving + still:
        raise FrameError(f"{len(rest) - 2} energies, wanted {moving + still}", "length")
    said: dict[str, Any] = {
        "max_moving_gate": rest[0],
        "max_static_gate": rest[1],
        "moving_gate_energy": list(rest[2 : 2 + moving]),
        "static_gate_energy": list(rest[2 + moving : 2 + moving + still]),
    }
    further = rest[2 + moving + still :]
    if further:
        said["light"] = further[0]
    if len(further) > 1:
        said["out_pin"] = further[1]
    return said


def presence(spec: "tuple[SpecRow, ...]", said: "dict[str, Any]") -> tuple[Reading, ...]:
    """Turn a report into the readings of `spec`."""
    quantity, unit = spec[1][:2]
    state = said["state"]
    if state > BOTH:
        return without_values(spec, "no_data")
    if state == NOBODY:
        # The distances of such a frame are those of whoever has left.
        return measured(spec[0], 0), Reading(quantity, None, unit, "no_data")
    centimetres = said["static_cm" if state == STILL else "moving_cm"]
    return measured(spec[0], 1), measured(spec[1], centimetres / 100)


def signed(raw: int) -> int:
    """A coordinate: bit 15 set means positive. It is no two's complement (section 2.3)."""
    return raw & 0x7FFF if raw & 0x8000 else -(raw & 0x7FFF)


def is_good_targets(frame: bytes) -> bool:
    """Whether these bytes are a frame of an LD2450, and its targets can be true.

    There is no checksum, so in a stream the place of a target is the best check there is.
    """
    try:
        targets = decode_targets(frame)
    except FrameError:
        return False
    return all(
        abs(x_mm) <= FARTHEST_MM and 0 <= y_mm <= FARTHEST_MM for x_mm, y_mm, _, _ in targets
    )


def decode_targets(frame: bytes) -> "list[tuple[int, int, int, int]]":
    """Each target: x and y in mm, speed in cm/s, resolution in mm. Raises `FrameError`."""
    # aa ff 03 00  3 times: x (16)  y (16)  speed (16)  resolution (16)  55 cc   little-endian
    if not TARGETS_HEAD.startswith(frame[:4]):
        raise FrameError(f"frame starts with {frame[:4].hex()}, wanted aaff0300")
    if len(frame) != TARGETS_BYTES:
        fault = "incomplete" if len(frame) < TARGETS_BYTES else "length"
        raise FrameError(f"frame of {len(frame)} bytes, wanted {TARGETS_BYTES}", fault)
    if frame[-2:] != TARGETS_TAIL:
        raise FrameError(f"frame ends with {frame[-2:].hex()}, wanted 55cc")
    targets = []
    for at in range(4, 4 + 8 * TARGETS_MAX, 8):
        if any(frame[at : at + 8]):  # A place without a target is all zero.
            x, y, speed, resolution = unpack_from("<4H", frame, at)
            targets.append((signed(x), signed(y), signed(speed), resolution))
    return targets


def nearest(
    spec: "tuple[SpecRow, ...]", targets: "list[tuple[int, int, int, int]]"
) -> tuple[Reading, ...]:
    """How many there are, and how far the nearest one is."""
    quantity, unit = spec[1][:2]
    if not targets:
        return measured(spec[0], 0), Reading(quantity, None, unit, "no_data")
    distance_mm = min([(x_mm**2 + y_mm**2) ** 0.5 for x_mm, y_mm, _, _ in targets])
    return measured(spec[0], len(targets)), measured(spec[1], distance_mm / 1000)
