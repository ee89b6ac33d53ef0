from drivers import mhz19b
from drivers.fake_bus import FakeLine
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True

FRAME = bytes.fromhex("ff86027c42000000ba")


def test_a_captured_frame() -> None:
    """The captured frame gives its ppm, and 26 °C inside the sensor."""
    (row,) = rows("mhz19b", "frame")
    assert mhz19b.decode(bytes.fromhex(row["input"]["frame"])) == (row["expected"]["co2_ppm"], 26)


def test_damaged_frames() -> None:
    """Short, long and foreign frames are told apart, and no flipped bit goes unnoticed."""
    assert fault_of(mhz19b.decode, FRAME[:5]) == "incomplete"
    assert fault_of(mhz19b.decode, FRAME + b"\x00") == "length"
    assert fault_of(mhz19b.decode, b"\xfe" + FRAME[1:]) == "framing"
    assert fault_of(mhz19b.decode, FRAME[:8] + b"\x00") == "checksum"
    for bit in range(len(FRAME) * 8):
        damaged = bytearray(FRAME)
        damaged[bit // 8] ^= 1 << bit % 8
        assert fault_of(mhz19b.decode, bytes(damaged))


def test_commands() -> None:
    """The command to read has the bytes of the data sheet, and an unknown one is refused."""
    assert mhz19b.command("read").hex() == "ff0186000000000079"
    assert fault_of(mhz19b.command, "explode") == "input"


async def test_the_sensor_is_asked() -> None:
    """Each reading is asked for; zero means that the lamp is cold."""
    zero = bytes.fromhex("ff8600004200000038")
    line = FakeLine([FRAME, zero])
    driver = mhz19b.MHZ19B(line, self_calibration=False, warm_up_s=0)
    await driver.start()
    assert await driver.read() == (("co2", 636, "[ppm]", "ok"),)
    assert await driver.read() == (("co2", None, "[ppm]", "warming_up"),)
    assert line.written == b"".join(
        [mhz19b.command(name) for name in ("self_calibration_off", "read", "read")]
    )


async def test_the_first_minutes_have_no_value() -> None:
    """Three minutes after the start the lamp is warm, not before."""
    driver = mhz19b.MHZ19B(FakeLine([FRAME]))
    await driver.start()
    assert (await driver.read())[0].quality == "warming_up"
