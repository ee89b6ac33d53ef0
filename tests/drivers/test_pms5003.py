import random

from drivers import pms5003
from drivers.bus import DirectI2C
from drivers.errors import DriverError
from drivers.fake_bus import FakeI2C, FakeLine
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of
from tests.drivers.ticks import Ticks

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True

FRAME = bytes.fromhex("424d001c00000008000800000008000800d20046002d001e00000000970002c5")
# A frame of a PMS5003T, built by hand from its data manual: -0.5 °C and 71.3 %.
FRAME_T = pms5003.with_sum(
    bytes.fromhex("424d001c00050007000900050007000900d20046002d001efffb02c99700")
)


def vectors(key: str) -> "list[dict[str, Any]]":
    """The captured rows that have `key`."""
    return [row for row in rows("pms5003", key) if row["sensor"] != "PMS5003T"]


async def sensor(chunks: "list[bytes]", **options: "Any") -> pms5003.PMS5003:
    """A started sensor that sends `chunks` and is warm."""
    driver = pms5003.PMS5003(FakeLine(chunks), **({"warm_up_s": 0} | options))
    await driver.start()
    return driver


def test_captured_frames() -> None:
    """Each captured frame gives its words or its fault."""
    rows = vectors("frame")
    assert len(rows) == 7
    for row in rows:
        frame = bytes.fromhex(row["input"]["frame"])
        fault = row["expected"].get("fault", "")
        assert fault_of(pms5003.decode, frame) == fault
        if not fault:
            words = pms5003.decode(frame)
            for name, value in row["expected"].items():
                assert words[name] == value


def test_commands() -> None:
    """Each command has the bytes that were captured, and an unknown one is refused."""
    rows = vectors("command")
    assert len(rows) == 5
    for row in rows:
        assert pms5003.command(row["input"]["command"]).hex() == row["expected"]["tx"]
    assert fault_of(pms5003.command, "explode") == "input"


def test_no_flipped_bit_goes_unnoticed() -> None:
    """A damaged frame is an error, never a wrong reading."""
    for bit in range(len(FRAME) * 8):
        damaged = bytearray(FRAME)
        damaged[bit // 8] ^= 1 << bit % 8
        assert fault_of(pms5003.decode, bytes(damaged)) != ""
        assert not pms5003.is_good(bytes(damaged))


def test_every_truncation_is_incomplete() -> None:
    """A frame that broke off is never read, however much of it came."""
    for size in range(len(FRAME)):
        assert fault_of(pms5003.decode, FRAME[:size]) == "incomplete"
    assert fault_of(pms5003.decode, FRAME + b"\0") == "length"
    assert fault_of(pms5003.decode, b"\x00" + FRAME[1:]) == "framing"


async def test_the_kind_decides_what_the_words_mean() -> None:
    """The sister model sends the same length; its last words are climate, with a sign."""
    driver = pms5003.PMS5003T(FakeLine([FRAME_T]), warm_up_s=0)
    await driver.start()
    readings = await driver.read()
    assert tuple(readings[-2]) == ("air_temperature", -0.5, "Cel", "ok")
    assert tuple(readings[-1]) == ("relative_humidity", 71.3, "%", "ok")
    assert len(readings) == 9


async def test_a_sisters_frame_is_refused() -> None:
    """A PMS5003T where the settings say PMS5003 shows no temperature as particles."""
    driver = pms5003.PMS5003(FakeLine([FRAME_T]), warm_up_s=0)
    await driver.start()
    fault = ""
    try:
        await driver.read()
    except DriverError as error:
        fault = error.fault
    assert fault == "wrong_chip"


async def test_a_reading_takes_the_atmospheric_values() -> None:
    """PM values outdoors are words 4 to 6; they are whole numbers."""
    frame = pms5003.with_sum(FRAME[:4] + bytes([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6]) + FRAME[16:30])
    readings = await (await sensor([frame])).read()
    assert [(one.quantity, one.value) for one in readings[:3]] == [
        ("pm1", 4),
        ("pm2_5", 5),
        ("pm10", 6),
    ]


async def test_a_start_wakes_the_sensor() -> None:
    """A sleeping sensor is woken and told to send by itself."""
    line = FakeLine([])
    await pms5003.PMS5003(line).start()
    assert line.written == pms5003.command("wake") + pms5003.command("active")


async def test_the_first_half_minute_has_no_values() -> None:
    """Until the fan has run for 30 s the readings say so; then they have values for ever."""
    ticks = Ticks()
    driver = await sensor([FRAME] * 4, warm_up_s=30, now_ms=ticks)
    qualities = []
    for ms in (0, 29_999, 30_000, 5):  # The last one is after the counter has wrapped.
        ticks.ms = ms
        reading = (await driver.read())[1]
        qualities.append((reading.value, reading.quality))
    assert qualities == [(None, "warming_up")] * 2 + [(8, "ok")] * 2


async def test_a_frame_of_zeros_is_a_laser_that_is_off() -> None:
    """A sensor that sends zeros is warming up; perfect air would still have particles."""
    zeros = pms5003.with_sum(FRAME[:4] + bytes(24) + FRAME[28:30])
    readings = await (await sensor([zeros])).read()
    assert [(one.value, one.quality) for one in readings] == [(None, "warming_up")] * 9


async def test_more_than_the_sensor_can_count_is_withheld() -> None:
    """A concentration beyond 1000 µg/m³ is out of range and has no value."""
    frame = pms5003.with_sum(FRAME[:12] + b"\x03\xe9" + FRAME[14:30])
    reading = (await (await sensor([frame])).read())[1]
    assert tuple(reading) == ("pm2_5", None, "ug/m3", "out_of_range")


async def test_every_frame_is_kept_in_order() -> None:
    """With `every_frame`, two frames in one chunk are two readings."""
    other = pms5003.with_sum(FRAME[:13] + b"\x09" + FRAME[14:30])
    driver = await sensor([FRAME + other], every_frame=True)
    first = await driver.read()
    second = await driver.read()
    assert (first[1].value, second[1].value) == (8, 9)


def test_a_frame_after_a_false_head_is_found() -> None:
    """The scanner slides by one byte, so a head inside noise hides no frame."""
    scanner = pms5003.PMS5003(FakeLine([])).scanner
    for cut in range(1, len(FRAME)):
        assert scanner.feed(FRAME[:cut] + FRAME) == [FRAME]
    assert scanner.damaged == len(FRAME) - 2  # One byte alone is no head yet.


def test_chunks_may_break_anywhere() -> None:
    """A frame that comes byte by byte is the same frame."""
    scanner = pms5003.PMS5003(FakeLine([])).scanner
    found = []
    for byte in b"\x42" + FRAME + b"\x42\x4d" + FRAME:
        found.extend(scanner.feed(bytes([byte])))
    assert found == [FRAME, FRAME]
    assert scanner.skipped_bytes == 3


def test_noise_costs_no_memory_and_no_frame() -> None:
    """After any noise the next good frame is found, and never more than a frame is kept."""
    rng = random
    rng.seed(7)
    scanner = pms5003.PMS5003(FakeLine([])).scanner
    good = 0
    for _ in range(300):
        noise = bytes([rng.choice(b"\x42\x4d\x00\x1c\xff") for _ in range(rng.randrange(70))])
        found = scanner.feed(noise) + scanner.feed(FRAME)
        assert scanner.pending_bytes < len(FRAME)
        # A false head right before the frame may hold it back until more bytes come.
        found += scanner.feed(bytes(len(FRAME)))
        assert found == [FRAME]
        good += 1
    assert good == 300


async def test_the_same_sensor_on_i2c() -> None:
    """A PMSA003I gives its newest frame for each read; it warms up as the others do."""
    now = Ticks()
    i2c = FakeI2C({}, -1, {pms5003.ADDRESS: {b"": FRAME}})
    driver = pms5003.PMSA003I(DirectI2C(i2c), now_ms=now)
    await driver.start()
    assert {one.quality for one in await driver.read()} == {"warming_up"}
    now.ms = 30_000
    assert [one.value for one in (await driver.read())[:3]] == [0, 8, 8]
    await driver.close()
