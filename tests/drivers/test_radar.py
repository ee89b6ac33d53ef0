import random

from drivers import radar
from drivers.fake_bus import FakeLine
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True

REPORT = bytes.fromhex("f4f3f2f10d0002aa0251000000003b00005500f8f7f6f5")
TARGETS = bytes.fromhex("aaff03000e03b186100040010000000000000000000000000000000055cc")


def test_captured_reports() -> None:
    """Each report of an LD2410 gives its values or its fault."""
    found = [row for row in rows("radar", "frame") if row["sensor"] == "LD2410"]
    assert len(found) == 6
    for row in found:
        frame = bytes.fromhex(row["input"]["frame"])
        fault = row["expected"].get("fault", "")
        assert fault_of(radar.decode_report, frame) == fault
        if not fault:
            assert radar.decode_report(frame) == row["expected"]


def test_captured_targets() -> None:
    """Each frame of an LD2450 gives its targets; bit 15 means positive."""
    found = [row for row in rows("radar", "frame") if row["sensor"] == "LD2450"]
    assert len(found) == 4
    for row in found:
        targets = radar.decode_targets(bytes.fromhex(row["input"]["frame"]))
        assert [list(one) for one in targets] == row["expected"]["targets_x_y_speed_res"]


def test_damaged_frames() -> None:
    """Without a checksum every mark and length counts."""
    assert fault_of(radar.decode_report, REPORT[:12]) == "incomplete"
    assert fault_of(radar.decode_report, REPORT[:7] + b"\xab" + REPORT[8:]) == "framing"
    assert fault_of(radar.decode_report, REPORT[:6] + b"\x03" + REPORT[7:]) == "framing"
    assert fault_of(radar.decode_targets, TARGETS[:20]) == "incomplete"
    assert fault_of(radar.decode_targets, TARGETS[:-1] + b"\xcd") == "framing"
    assert fault_of(radar.decode_targets, TARGETS + b"\x00") == "length"


async def test_presence() -> None:
    """Somebody still at 0 cm is there; nobody has no distance, whatever the frame says."""
    nobody = REPORT[:8] + b"\x00" + REPORT[9:]
    moving = REPORT[:8] + b"\x01" + REPORT[9:]
    driver = radar.LD2410(FakeLine([moving, nobody]))
    await driver.start()
    assert await driver.read() == (
        ("presence", 1, "1", "ok"),
        ("target_distance", 0.81, "m", "ok"),
    )
    assert await driver.read() == (
        ("presence", 0, "1", "ok"),
        ("target_distance", None, "m", "no_data"),
    )


def test_a_radar_that_measures_its_noise_sees_nobody() -> None:
    """Newer firmware has states for it, in which nothing is known."""
    said = radar.decode_report(REPORT[:8] + b"\x04" + REPORT[9:])
    assert [one.quality for one in radar.presence(radar.LD2410.SPEC, said)] == ["no_data"] * 2
    assert fault_of(radar.decode_report, REPORT[:8] + b"\x07" + REPORT[9:]) == "framing"


async def test_targets() -> None:
    """The number of people, and the distance of the nearest one."""
    empty = TARGETS[:4] + bytes(24) + TARGETS[-2:]
    driver = radar.LD2450(FakeLine([TARGETS, empty]))
    await driver.start()
    assert [one.value for one in await driver.read()] == [1, 1.88]
    assert [one.value for one in await driver.read()] == [0, None]


def test_a_target_on_the_moon_is_damage() -> None:
    """In a stream, whether a target can be there is the best check there is."""
    assert radar.is_good_report(REPORT)
    assert not radar.is_good_report(REPORT[:10] + b"\x7f" + REPORT[11:])
    assert not radar.is_good_report(REPORT[:11] + b"\x65" + REPORT[12:])
    assert radar.is_good_targets(TARGETS)
    assert not radar.is_good_targets(TARGETS[:6] + b"\xff\xff" + TARGETS[8:])
    assert not radar.is_good_targets(TARGETS[:6] + b"\xb1\x06" + TARGETS[8:])


def test_the_scanners_find_the_frame_after_any_noise() -> None:
    """Random bytes cost little memory; the second of two frames is found at the latest."""
    rng = random  # MicroPython has no Random of one's own.
    rng.seed(3)
    engineering = next(
        row for row in rows("radar", "frame") if row["expected"].get("mode") == "engineering"
    )
    for driver, frame in (
        (radar.LD2410(FakeLine([])), REPORT),
        (radar.LD2410(FakeLine([])), bytes.fromhex(engineering["input"]["frame"])),
        (radar.LD2450(FakeLine([])), TARGETS),
    ):
        scanner = driver.make_scanner()
        for _ in range(40):
            noise = bytes([rng.choice((frame[0], frame[1], rng.randrange(256))) for _ in range(40)])
            noise += frame[: rng.randrange(len(frame))]
            assert frame in scanner.feed(noise + frame + frame + bytes(64))
            assert scanner.pending_bytes < radar.REPORT_BYTES_MAX
