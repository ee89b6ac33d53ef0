import random

from drivers import sds011
from drivers.fake_bus import FakeLine
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True

FRAME = bytes.fromhex("aac0d4043a0aa1601dab")


def test_captured_frames() -> None:
    """Each captured frame gives its values or its fault."""
    found = rows("sds011", "frame")
    assert len(found) == 5
    for row in found:
        frame = bytes.fromhex(row["input"]["frame"])
        fault = row["expected"].get("fault", "")
        assert fault_of(sds011.decode, frame) == fault
        if not fault:
            wanted = row["expected"]
            assert sds011.decode(frame) == (wanted["pm25"], wanted["pm10"], wanted["device_id"])


def test_commands() -> None:
    """Each command has the bytes that were captured, and an unknown one is refused."""
    found = rows("sds011", "command")
    assert len(found) == 4
    for row in found:
        assert sds011.command(row["input"]["command"]).hex() == row["expected"]["tx"]
    assert fault_of(sds011.command, "explode") == "input"


async def test_a_reading_from_start_to_close() -> None:
    """The sensor is woken; what it sends first after noise is the reading."""
    line = FakeLine([b"\xaa\xc0\x00", FRAME[:4], FRAME[4:]])
    driver = sds011.SDS011(line, warm_up_s=0)
    await driver.start()
    readings = await driver.read()
    await driver.close()
    assert [(one.quantity, one.value) for one in readings] == [("pm2_5", 123.6), ("pm10", 261.8)]
    assert line.written.startswith(sds011.command("wake"))
    assert not line.opened


async def test_a_sensor_is_warming_up_at_first() -> None:
    """There is no value before the fan has turned for a while, nor one of zeros."""
    driver = sds011.SDS011(FakeLine([FRAME]))
    await driver.start()
    assert [one.quality for one in await driver.read()] == ["warming_up"] * 2
    zeros = sds011.readings(sds011.SDS011.SPEC, (0.0, 0.0, "a160"))
    assert [(one.value, one.quality) for one in zeros] == [(None, "warming_up")] * 2


def test_no_flipped_bit_goes_unnoticed() -> None:
    """A damaged frame is an error, never a wrong reading."""
    for bit in range(len(FRAME) * 8):
        damaged = bytearray(FRAME)
        damaged[bit // 8] ^= 1 << bit % 8
        assert fault_of(sds011.decode, bytes(damaged))


def test_the_scanner_finds_the_frame_after_any_noise() -> None:
    """Random bytes cost no memory and no good frame."""
    rng = random  # MicroPython has no Random of one's own.
    rng.seed(3)
    scanner = sds011.SDS011(FakeLine([])).make_scanner()
    found = 0
    for _ in range(200):
        noise = bytes([rng.choice((0xAA, 0xC0, 0xAB, rng.randrange(256))) for _ in range(40)])
        found += scanner.feed(noise + FRAME + bytes(10)).count(FRAME)
        assert scanner.pending_bytes < sds011.FRAME_BYTES
    assert found == 200
