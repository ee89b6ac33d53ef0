import random
from struct import pack

from drivers import sensirion, sps30
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C, FakeLine
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True


sps30.EXECUTION_S = 0.001  # A fake chip is ready at once.
STARTED = bytes.fromhex("7e00000000ff7e")
STOPPED = bytes.fromhex("7e00014300bb7e")  # Not allowed: it did not measure.
NOTHING_NEW = bytes.fromhex("7e00030000fc7e")


def measured(i: int = 0) -> "dict[str, Any]":
    """A captured measurement."""
    return [row for row in rows("sps30", "frame") if "pm1" in row["expected"]][i]


def test_captured_frames() -> None:
    """Each captured answer gives its ten values or its fault."""
    found = rows("sps30", "frame")
    assert len(found) == 5
    for row in found:
        fault = row["expected"].get("fault", "")
        frame = bytes.fromhex(row["input"]["frame"])

        def decode(frame: bytes = frame) -> "dict[str, float]":
            _, state, answer = sps30.parse(frame)
            sps30.check_state(state)
            return sps30.measurement(answer)

        assert fault_of(decode) == fault
        if not fault:
            values = decode()
            assert all(abs(values[name] - row["expected"][name]) < 0.001 for name in values)


def test_commands() -> None:
    """Each request has the bytes of the data sheet, with its escapes."""
    found = rows("sps30", "cmd")
    assert len(found) == 6
    for row in found:
        code, arguments = int(row["input"]["cmd"], 16), bytes.fromhex(row["input"]["data"])
        assert sps30.request(code, arguments).hex() == row["expected"]["tx"]


def test_escapes_are_undone_one_by_one() -> None:
    """7D 5D 31 is 7D 31 and not 11; stuffing and unstuffing undo each other."""
    for row in rows("sps30", "bytes"):
        assert sps30.unstuff(bytes.fromhex(row["input"]["bytes"])).hex() == row["expected"]["bytes"]
    every = bytes(range(256)) + b"\x7d\x31\x7d\x5d\x7e"
    assert sps30.unstuff(sps30.stuff(every)) == every
    assert 0x7E not in sps30.stuff(every)
    assert fault_of(sps30.unstuff, b"\x00\x7d") == "incomplete"


async def test_a_reading_over_the_line() -> None:
    """A refused stop does no harm, and an answer that is not new is asked for again."""
    frame = bytes.fromhex(measured()["input"]["frame"])
    sps30.PERIOD_S = 0.003
    line = FakeLine([STOPPED, STARTED, NOTHING_NEW, b"\xff" + frame[:9], frame[9:]])
    driver = sps30.SPS30(line, warm_up_s=0)
    await driver.start()
    readings = await driver.read()
    assert [one.value for one in readings[:4]] == [5.2, 9.5, 12.6, 13.3]
    assert readings[9] == ("typical_particle_size", 0.83, "um", "ok")
    assert line.written.endswith(sps30.request(sps30.READ))


async def test_a_sensor_that_measures_nothing_new_says_so() -> None:
    """After some tries the reading has no data; nothing old is shown as new."""
    sps30.PERIOD_S = 0.003
    driver = sps30.SPS30(FakeLine([STOPPED, STARTED] + [NOTHING_NEW] * 3), warm_up_s=0)
    await driver.start()
    assert await fault_awaited(driver.read()) == "no_new_data"


async def test_a_refused_start_is_an_error() -> None:
    """The state of the answer is read, and named."""
    refused = bytes.fromhex("7e00004300bc7e")
    driver = sps30.SPS30(FakeLine([STOPPED, refused]), warm_up_s=0)
    assert await fault_awaited(driver.start()) == "device"


async def test_a_reading_over_i2c() -> None:
    """Twenty words with their CRCs are ten floats."""
    packed = b"".join([pack(">f", float(i)) for i in range(1, 11)])
    answer = b""
    for at in range(0, len(packed), 2):
        answer += packed[at : at + 2] + bytes([sensirion.crc8(packed[at : at + 2])])
    answers: dict[bytes, bytes | list[bytes]] = {
        sensirion.command(sps30.I2C_DATA_READY): sensirion.command(0, 1)[2:],
        sensirion.command(sps30.I2C_READ): answer,
    }
    i2c = FakeI2C({}, -1, {sps30.ADDRESS: answers})
    driver = sps30.SPS30I2C(DirectI2C(i2c), warm_up_s=0)
    await driver.start()
    assert [one.value for one in await driver.read()] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert [command.hex() for command in i2c.commands[:2]] == ["0104", "00100300ac"]


def test_a_float_that_is_no_number_is_no_reading() -> None:
    """NaN and infinity never leave the driver."""
    values = sps30.measurement(pack(">ff", float("nan"), float("inf")) + bytes(32))
    readings = sps30.readings(sps30.SPEC, values)
    assert [one.value for one in readings[:2]] == [None, None]


def test_the_scanner_finds_the_frame_after_any_noise() -> None:
    """Random bytes cost little memory; the second of two frames is found at the latest."""
    rng = random  # MicroPython has no Random of one's own.
    rng.seed(3)
    frame = bytes.fromhex(measured(1)["input"]["frame"])
    scanner = sps30.make_scanner()
    for _ in range(40):
        noise = bytes([rng.choice((0x7E, 0x7D, rng.randrange(256))) for _ in range(60)])
        # Noise that ends in a mark may take the first frame's mark for its own end.
        assert frame in scanner.feed(noise + frame + frame)
        assert scanner.pending_bytes < sps30.FRAME_BYTES_MAX
