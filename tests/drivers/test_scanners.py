"""Every scanner of a serial sensor among a million bytes of noise and damage."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import catalog, sps30
from drivers.bus import Scanner
from drivers.errors import DriverError
from edge.scan import NoLine

FRAMES = Path(__file__).parent.parent / "frames"
FUZZ_BYTES = 1_000_000
CHUNK_BYTES_MAX = 300
FRAME_BYTES_MAX = 256  # No sensor of ours has a longer one.

# Kind → where its captured frames stand, and the prefix of their ids.
CAPTURED = {
    "a02yyuw": ("ultrasonic", "a02yyuw"),
    "ld2410": ("radar", "ld2410"),
    "ld2450": ("radar", "ld2450"),
    "mhz19b": ("mhz19b", "mhz19b"),
    "pms5003": ("pms5003", "pms5003"),
    "pms5003t": ("pms5003", "own-pms5003t"),
    "sds011": ("sds011", "sds011"),
    "sps30": ("sps30", "sps30-cap"),
}


class Sensor:
    """A scanner, and what its driver makes of a frame."""

    def __init__(self, kind: str) -> None:
        self.frames = good_frames(kind)
        module, name, _, _ = catalog.KINDS[kind]
        self._driver = getattr(__import__(module, None, None, (name,)), name)(NoLine())
        self.scanner: Scanner = self._driver.scanner

    def take(self, frame: bytes) -> None:
        """Read a frame as the driver does. Raises `DriverError`."""
        if isinstance(self._driver, sps30.SPS30):
            sps30.parse(frame)
        else:
            self._driver.take(frame)


def good_frames(kind: str) -> list[bytes]:
    """Captured frames of a kind that are whole."""
    file, prefix = CAPTURED[kind]
    rows = json.loads((FRAMES / f"{file}.json").read_text())
    captured = [
        bytes.fromhex(row["input"]["frame"])
        for row in rows
        if row["id"].startswith(prefix) and "frame" in row["input"]
    ]
    module, name, _, _ = catalog.KINDS[kind]
    scanner = getattr(__import__(module, None, None, (name,)), name)(NoLine()).scanner
    return [frame for frame in captured if scanner.feed(frame) == [frame] or scanner.reset()]


def damaged(rng: random.Random, frames: list[bytes]) -> bytes:
    """Noise, or a frame that was flipped, cut, doubled or begun twice."""
    frame = bytearray(rng.choice(frames))
    match rng.randrange(5):
        case 0:
            return rng.randbytes(rng.randrange(1, 60))
        case 1:
            frame[rng.randrange(len(frame))] ^= 1 << rng.randrange(8)
        case 2:
            del frame[rng.randrange(len(frame)) :]
        case 3:
            at = rng.randrange(len(frame))
            frame[at:at] = frame[: rng.randrange(1, len(frame))]
        case _:
            frame = bytearray(frame[:2] * rng.randrange(1, 20))
    return bytes(frame)


def stream(rng: random.Random, frames: list[bytes]) -> Iterator[bytes]:
    """FUZZ_BYTES of damage, in chunks of any length."""
    left = FUZZ_BYTES
    while left > 0:
        chunk = b"".join(damaged(rng, frames) for _ in range(rng.randrange(1, 6)))
        chunk = chunk[: rng.randrange(1, CHUNK_BYTES_MAX)]
        left -= len(chunk)
        yield chunk


@pytest.mark.parametrize("kind", sorted(CAPTURED))
def test_noise_does_no_harm(kind: str) -> None:
    """Nothing but a `DriverError` comes of it, the memory stays flat, the next frame is found."""
    rng = random.Random(kind)  # noqa: S311 # seeded, no secret
    sensor = Sensor(kind)
    assert sensor.frames, "there is no captured frame to begin with"
    for number, chunk in enumerate(stream(rng, sensor.frames)):
        for frame in sensor.scanner.feed(chunk):
            try:
                sensor.take(frame)
            except DriverError:
                continue
        assert sensor.scanner.pending_bytes <= FRAME_BYTES_MAX
        if number % 50 == 0:
            check_next(sensor, rng.choice(sensor.frames))


def check_next(sensor: Sensor, frame: bytes) -> None:
    """The first good frame after noise is found, once what came before it is seen through."""
    found = sensor.scanner.feed(frame + bytes(FRAME_BYTES_MAX) + frame)
    assert frame in found


def test_every_scanner_is_among_them() -> None:
    """A new sensor on a serial line has to stand in this file as well."""
    lines = {
        kind
        for kind, (_, _, options, _) in catalog.KINDS.items()
        if "port" in options and "registers" not in options
    }
    # Two that share the frames of the A02YYUW, but for one byte in the sum.
    assert lines - {"aj_sr04m", "jsn_sr04t"} == set(CAPTURED)
