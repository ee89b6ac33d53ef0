import random

from drivers import ultrasonic
from drivers.fake_bus import FakeLine
from drivers.ultrasonic import A02YYUW, AJSR04M, JSNSR04T
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

PORTABLE = True

KINDS = {"A02YYUW": A02YYUW, "JSN-SR04T": JSNSR04T, "AJ-SR04M": AJSR04M}


def frame_of(distance_mm: int, head: int = 0xFF) -> bytes:
    """A frame of an A02YYUW."""
    high, low = distance_mm >> 8, distance_mm & 0xFF
    return bytes([0xFF, high, low, (head + high + low) & 0xFF])


def test_captured_frames() -> None:
    """Each frame gives its distance or its fault, by the rules of its sensor."""
    found = rows("ultrasonic", "frame")
    assert len(found) == 7
    for row in found:
        kind = KINDS[row["sensor"].split("/")[0]]
        frame = bytes.fromhex(row["input"]["frame"])
        fault = row["expected"].get("fault", "")
        assert fault_of(kind.decode, frame) == fault
        if not fault:
            assert kind.decode(frame) == row["expected"]["distance_mm"]


async def test_a_reading_is_the_median_of_many_echoes() -> None:
    """A gull and a lost echo do not move it; how far apart the waves were is said."""
    heights = [2000, 2010, 1990, 300, 0, 2005, 1995]
    line = FakeLine([b"".join([frame_of(one) for one in heights])])
    driver = A02YYUW(line, echoes=6)
    await driver.start()
    readings = await driver.read()
    assert readings[0] == ("distance", 2.0, "m", "ok")
    assert readings[1] == ("distance_spread", 1.71, "m", "ok")


async def test_a_mount_height_turns_distance_into_level() -> None:
    """The sensor hangs 4 m above the zero of the gauge, and 1.5 m above the water."""
    driver = A02YYUW(
        FakeLine([frame_of(1500)]), echoes=1, quantity="water_level", mount_height_m=4.0
    )
    await driver.start()
    assert (await driver.read())[0] == ("water_level", 2.5, "m", "ok")


async def test_no_echo_at_all_is_no_reading() -> None:
    """Frames without an echo are good frames, and no distance."""
    driver = A02YYUW(FakeLine([frame_of(0)] * 20), echoes=2)
    await driver.start()
    assert await fault_awaited(driver.read()) == "out_of_range"


async def test_a_polled_sensor_is_asked_for_each_echo() -> None:
    """A JSN-SR04T in mode 2 measures when it gets 0x55."""
    line = FakeLine([frame_of(1000), frame_of(1002), frame_of(1001)])
    driver = JSNSR04T(line, echoes=3)
    await driver.start()
    assert (await driver.read())[0].value == 1.001
    assert line.written == b"\x55" * 3


def test_a_head_inside_a_frame_costs_one_byte() -> None:
    """After a bad sum the scanner slides by one byte, so FF in noise and payload do no harm."""
    good = frame_of(0xFF01)
    scanner = A02YYUW(FakeLine([])).make_scanner()
    assert scanner.feed(b"\x07\xff" + good + b"\xff\x07\xa1\x00" + good) == [good, good]
    assert scanner.damaged >= 1


def test_the_scanner_finds_frames_after_any_noise() -> None:
    """Random bytes cost no memory; one of two equal frames is found whatever came before."""
    rng = random  # MicroPython has no Random of one's own.
    rng.seed(3)
    scanner = A02YYUW(FakeLine([])).make_scanner()
    good = frame_of(1953)
    for _ in range(300):
        noise = bytes([rng.choice((0xFF, 0, rng.randrange(256))) for _ in range(20)])
        assert good in scanner.feed(noise + good + good)
        assert scanner.pending_bytes < ultrasonic.FRAME_BYTES


def test_wrong_options_are_refused() -> None:
    """A quantity or a number of echoes that makes no sense is named."""
    assert fault_of(lambda: A02YYUW(FakeLine([]), quantity="depth")) == "input"
    assert fault_of(lambda: A02YYUW(FakeLine([]), echoes=0)) == "input"
