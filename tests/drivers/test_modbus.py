import asyncio

from drivers import modbus
from drivers.fake_bus import FakeLine
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

PORTABLE = True

MAP = "ph, [pH], 0, u16, 0.01, 0, 14, 2; water_temperature, Cel, 1, s16, 0.1, -20, 80, 1"
ANSWER = bytes.fromhex("010304032c0125fbf5")


def probe(chunks: "list[bytes]", unit: int = 1) -> "tuple[FakeLine, modbus.Modbus]":
    """A line with those answers, and a probe on it."""
    line = FakeLine(chunks)
    return line, modbus.Modbus(line, modbus.register_map(MAP), unit=unit)


def test_captured_frames() -> None:
    """Each request is named, and each damaged or refusing frame is a fault."""
    found = rows("modbus", "frame")
    assert len(found) == 4
    for row in found:
        frame = bytes.fromhex(row["input"]["frame"])
        fault = row["expected"].get("fault", "")
        assert fault_of(modbus.parse, frame) == fault
        if not fault:
            assert modbus.parse(frame) == row["expected"]


def test_answers_to_a_request() -> None:
    """An answer gives its registers; one of another unit, or of another size, is refused."""
    assert modbus.decode_answer(ANSWER, 1, 3, 2) == (0x032C, 0x0125)
    for answer, fault in (
        (modbus.with_crc(b"\x02" + ANSWER[1:-2]), "wrong_unit"),
        (modbus.with_crc(b"\x01\x04" + ANSWER[2:-2]), "framing"),
        (modbus.with_crc(b"\x01\x03\x02\x03\x2c"), "length"),
        (modbus.with_crc(b"\x01\x83\x02"), "exception"),
        (ANSWER[:-1], "incomplete"),
        (ANSWER[:3], "incomplete"),
        (ANSWER[:-1] + b"\x00", "crc"),
        (b"", "incomplete"),
    ):
        assert fault_of(modbus.decode_answer, answer, 1, 3, 2) == fault


def test_no_flipped_bit_goes_unnoticed() -> None:
    """A damaged answer is an error, never a wrong reading."""
    for bit in range(len(ANSWER) * 8):
        damaged = bytearray(ANSWER)
        damaged[bit // 8] ^= 1 << bit % 8
        assert fault_of(modbus.decode_answer, bytes(damaged), 1, 3, 2)


def test_types_of_a_register_map() -> None:
    """Signs, two registers high word first, and floats."""
    registers = (0xFFCE, 0x0001, 0x86A0, 0x41C8, 0x0000)
    assert modbus.value_of(registers, 0, "s16") == -50
    assert modbus.value_of(registers, 0, "u16") == 65486
    assert modbus.value_of(registers, 1, "u32") == 100000
    assert modbus.value_of(registers, 1, "s32") == 100000
    assert modbus.value_of(registers, 3, "f32") == 25.0


def test_a_wrong_register_map_is_named() -> None:
    """A line that is too short, has an unknown type or no number is refused."""
    for text in (
        "",
        "ph, [pH], 0",
        "ph, [pH], 0, u8, 1, 0, 14, 2",
        "ph, [pH], x, u16, 1, 0, 14, 2",
        "ph, [pH], 70000, u16, 1, 0, 14, 2",
    ):
        assert fault_of(modbus.register_map, text) == "input"
    far = modbus.register_map(MAP.replace(" 1, s16", " 200, s16"))
    assert fault_of(modbus.Modbus, FakeLine([]), far) == "input"


async def test_a_reading_arrives_in_pieces() -> None:
    """The request is sent, and the answer is collected until it is whole."""
    line, driver = probe([ANSWER, ANSWER[:2], ANSWER[2:6], ANSWER[6:]])
    await driver.start()
    assert await driver.read() == (
        ("ph", 8.12, "[pH]", "ok"),
        ("water_temperature", 29.3, "Cel", "ok"),
    )
    assert line.written == bytes.fromhex("010300000002c40b") * 2


async def test_a_neighbour_that_answers_is_no_reading() -> None:
    """A late answer of another unit is an error."""
    _, driver = probe([ANSWER], unit=2)
    assert await fault_awaited(driver.start()) == "wrong_unit"


async def test_units_on_one_line_take_turns() -> None:
    """Nobody asks while another waits for its answer."""
    line = FakeLine([ANSWER, ANSWER])
    await line.open()
    turn = asyncio.Lock()
    one = modbus.Modbus(line, modbus.register_map(MAP), turn=turn)
    await turn.acquire()
    try:
        await asyncio.wait_for(one.read(), 0.01)
    except asyncio.TimeoutError:  # MicroPython has it only here
        assert line.written == b""
    turn.release()
    assert len(await one.read()) == 2
