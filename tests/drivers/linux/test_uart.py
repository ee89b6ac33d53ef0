import asyncio
import fcntl
import os
import random
import struct
import tty
from collections.abc import Iterator
from pathlib import Path

import pytest

from drivers import pms5003
from drivers.errors import BusError
from drivers.linux import uart
from drivers.linux.uart import PENDING_BYTES_MAX, UART, SharedUART

CAPTURED = (
    "424d001c00000008000800000008000800d20046002d001e00000000970002c5",
    "424d001c00000007000700000007000700bd003f002a001b000000009700029f",
    "424d001c00000007000700000007000700b4003c00270018000000009700028d",
    "424d001c0005000d00160005000d001602fd00fc001d000f00060006970003c5",
)


class Pty:
    """A serial cable: the sensor's end, and the path of ours."""

    def __init__(self) -> None:
        self.sensor, self._ours = os.openpty()
        tty.setraw(self._ours)
        os.set_blocking(self.sensor, False)
        self.path = os.ttyname(self._ours)

    def unplug(self) -> None:
        """Take the sensor's end away."""
        if self.sensor >= 0:
            os.close(self.sensor)
            self.sensor = -1

    def close(self) -> None:
        """Remove the cable."""
        self.unplug()
        os.close(self._ours)


@pytest.fixture
def pty() -> Iterator[Pty]:
    """Give a cable, and remove it after the test."""
    cable = Pty()
    yield cable
    cable.close()


async def read_at_least(line: UART, size: int) -> bytes:
    """Read until so many bytes have come."""
    found = b""
    async with asyncio.timeout(5):
        while len(found) < size:
            found += await line.read()
    return found


def transmission(rng: random.Random) -> tuple[list[bytes], list[bytes], bytes]:
    """Clean frames, damaged frames, and a stream that holds both between noise."""
    clean, damaged, stream = [], [], b""
    for number in range(200):
        frame = bytes.fromhex(rng.choice(CAPTURED))
        # The particle count numbers the frames, so that none can stand for another.
        frame = pms5003.with_sum(frame[:16] + (1000 + number).to_bytes(2, "big") + frame[18:30])
        if rng.random() < 0.4:
            bit = rng.randrange(len(frame) * 8)
            broken = bytearray(frame)
            broken[bit // 8] ^= 1 << bit % 8
            damaged.append(bytes(broken))
            stream += broken
        else:
            clean.append(frame)
            stream += frame
        if rng.random() < 0.5:
            stream += bytes(rng.choice(b"\x42\x4d\x00\x1c\xff") for _ in range(rng.randrange(40)))
    # The last frame may wait behind a false head for bytes that a live sensor would send.
    return clean, damaged, stream + bytes(pms5003.FRAME_BYTES)


async def send(pty: Pty, stream: bytes, rng: random.Random) -> None:
    """Write `stream` in pieces of any size, as fast as the cable takes them."""
    while stream:
        piece = stream[: rng.randrange(1, 90)]
        try:
            written = os.write(pty.sensor, piece)
        except BlockingIOError:
            written = 0
        stream = stream[written:]
        await asyncio.sleep(0)


@pytest.mark.parametrize("seed", range(5))
async def test_every_clean_frame_comes_through_and_no_damaged_one(pty: Pty, seed: int) -> None:
    """Through a real serial line with noise and flipped bits, exactly the clean frames arrive."""
    rng = random.Random(seed)  # noqa: S311 # seeded, no secret
    clean, damaged, stream = transmission(rng)
    assert len(clean) > 80
    assert len(damaged) > 40
    wanted = [pms5003.readings(pms5003.PMS5003.SPEC, pms5003.decode(frame)) for frame in clean]
    driver = pms5003.PMS5003(UART(pty.path), every_frame=True, warm_up_s=0)
    await driver.start()
    found = []
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(send(pty, stream, rng))
        for _ in clean:
            found.append(await driver.read())  # noqa: PERF401 # one after the other
    await driver.close()
    assert found == wanted
    assert driver.scanner.damaged >= len(damaged) - 16  # Some lose their head with the bit.


async def test_bytes_pass_unchanged(pty: Pty) -> None:
    """No byte is translated, echoed or taken as a signal."""
    every = bytes(range(256))
    line = UART(pty.path)
    await line.open()
    os.write(pty.sensor, every)
    assert await read_at_least(line, 256) == every
    await line.write(every)
    assert os.read(pty.sensor, 1024) == every
    await line.close()


async def test_the_line_is_set_to_8n1(pty: Pty) -> None:
    """The device runs at the wanted speed, whatever it was set to before."""
    line = UART(pty.path, 9600)
    await line.open()
    witness = await asyncio.create_subprocess_exec(
        "stty", "-a", "-F", pty.path, stdout=asyncio.subprocess.PIPE
    )
    attributes = (await witness.communicate())[0].decode()
    await line.close()
    for setting in ("speed 9600 baud", "cs8", "-parenb", "-cstopb", "-crtscts", "-icanon", "-echo"):
        assert setting in attributes


async def test_an_unplugged_device_is_a_bus_error(pty: Pty) -> None:
    """A reader that waits is told, what had come is still given, and it stays an error."""
    line = UART(pty.path)
    await line.open()
    os.write(pty.sensor, b"last words")
    assert await read_at_least(line, 10) == b"last words"
    pty.unplug()
    for _ in range(2):
        with pytest.raises(BusError, match=pty.path):
            async with asyncio.timeout(5):
                await line.read()
    await line.close()
    with pytest.raises(BusError, match="not open"):
        await line.read()


async def test_a_sensor_that_is_silent_is_a_timeout(
    pty: Pty, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line without a frame is a fault after the sensor's own longest pause."""
    monkeypatch.setattr(pms5003, "FRAME_MAX_S", 0.02)
    driver = pms5003.PMS5003(UART(pty.path))
    await driver.start()
    with pytest.raises(BusError, match="pms5003") as caught:
        await driver.read()
    assert caught.value.quality == "timeout"
    await driver.close()


async def test_a_late_reader_gets_the_newest_bytes(pty: Pty) -> None:
    """The buffer is bounded: the oldest bytes go, and are counted."""
    line = UART(pty.path)
    await line.open()
    sent = 0
    async with asyncio.timeout(5):
        while line.dropped_bytes < 5000:
            try:
                sent += os.write(pty.sensor, bytes([sent // 1024 % 256]) * 1024)
            except BlockingIOError:
                await asyncio.sleep(0)
    kept = await line.read()
    assert len(kept) == PENDING_BYTES_MAX
    assert kept[-1] != kept[0]
    await line.close()


async def test_what_came_before_a_beat_is_forgotten(pty: Pty) -> None:
    """Without `every_frame` a reading is of now: frames from before the beat are dropped."""
    old, new = (bytes.fromhex(text) for text in CAPTURED[2:])
    line = UART(pty.path)
    driver = pms5003.PMS5003(line, warm_up_s=0)
    await driver.start()
    os.write(pty.sensor, old * 3)
    assert await read_at_least(line, 96) == old * 3
    os.write(pty.sensor, old)
    async with asyncio.timeout(5), asyncio.TaskGroup() as group:
        while not line.pending_bytes:  # noqa: ASYNC110 # the kernel's turn, there is no event
            await asyncio.sleep(0)
        reading = group.create_task(driver.read())
        await asyncio.sleep(0)
        os.write(pty.sensor, new)
    assert reading.result()[1].value == 13
    await driver.close()


async def test_a_missing_device_is_absent(tmp_path: Path) -> None:
    """No device, or a file that is none, is a state with a name."""
    with pytest.raises(BusError, match="No such file") as caught:
        await UART(str(tmp_path / "ttyUSB9")).open()
    assert caught.value.quality == "absent"
    plain = tmp_path / "plain"
    plain.touch()
    with pytest.raises(BusError, match="no serial device"):
        await UART(str(plain)).open()


async def test_a_line_can_be_opened_again(pty: Pty) -> None:
    """After a close, or an open without one, the line works as before."""
    line = UART(pty.path)
    await line.open()
    await line.open()
    await line.close()
    await line.close()
    await line.open()
    os.write(pty.sensor, b"again")
    assert await read_at_least(line, 5) == b"again"
    await line.close()


def test_an_unknown_speed_is_refused() -> None:
    """The message lists the speeds there are."""
    with pytest.raises(BusError, match="115200"):
        UART("/dev/null", 12345)


async def test_a_radar_has_a_speed_of_its_own(pty: Pty) -> None:
    """256000 baud has no name in termios; the kernel takes it all the same."""
    line = UART(pty.path, 256_000)
    await line.open()
    assert line._fd is not None
    flags = bytearray(struct.calcsize(uart.TERMIOS2))
    fcntl.ioctl(line._fd, uart.TCGETS2, flags)
    assert struct.unpack(uart.TERMIOS2, flags)[-2:] == (256_000, 256_000)
    os.write(pty.sensor, b"\xaa\xff\x03\x00")
    assert await read_at_least(line, 4) == b"\xaa\xff\x03\x00"
    await line.close()


async def test_a_shared_line_closes_with_its_last_user(pty: Pty) -> None:
    """Two probes open it; when one stops, the other still reads."""
    line = SharedUART(pty.path)
    await line.open()
    await line.open()
    await line.close()
    os.write(pty.sensor, b"tide")
    assert await read_at_least(line, 4) == b"tide"
    await line.close()
    with pytest.raises(BusError, match="not open"):
        await line.read()


def test_one_line_is_one_object() -> None:
    """Whoever names the same device gets the same line, and its lock."""
    assert uart.shared("/dev/ttyUSB9", 9600) is uart.shared("/dev/ttyUSB9", 9600)
