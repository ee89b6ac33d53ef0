import json

from drivers import sensirion
from drivers.errors import DriverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

PORTABLE = True

FRAMES = __file__.rsplit("/", 2)[0] + "/frames/sensirion.json"


def rows(key: str) -> "list[dict[str, Any]]":
    """The captured rows that have `key`."""
    with open(FRAMES) as file:
        found: list[dict[str, Any]] = json.load(file)
    return [row for row in found if key in row["input"]]


def fault_of(call: "Callable[..., Any]", *given: "Any") -> str:
    """The fault that a call ends in, or an empty string."""
    try:
        call(*given)
    except DriverError as error:
        return error.fault
    return ""


def test_captured_checksums() -> None:
    """The CRC of the data sheets and of recorded traffic comes out."""
    found = rows("bytes")
    assert len(found) == 5
    for row in found:
        crc = sensirion.crc8(bytes.fromhex(row["input"]["bytes"]))
        assert f"{crc:02x}" == row["expected"]["crc8"]


def test_a_command_carries_its_arguments_with_their_crc() -> None:
    """A command has 16 bits, each argument another 16 and a CRC."""
    assert sensirion.command(0x21B1).hex() == "21b1"
    assert sensirion.command(0x2416, 0xBEEF).hex() == "2416beef92"


def test_no_flipped_bit_goes_unnoticed() -> None:
    """A damaged word is an error, never a wrong value."""
    answer = bytes.fromhex("01f4336667a25eb93c")
    assert sensirion.words(answer, 3) == (0x01F4, 0x6667, 0x5EB9)
    for bit in range(len(answer) * 8):
        damaged = bytearray(answer)
        damaged[bit // 8] ^= 1 << bit % 8
        assert fault_of(sensirion.words, bytes(damaged), 3) == "crc"


def test_an_answer_of_another_length_is_refused() -> None:
    """Too few bytes and too many are told apart."""
    answer = bytes.fromhex("01f4336667a2")
    assert fault_of(sensirion.words, answer, 3) == "incomplete"
    assert fault_of(sensirion.words, answer, 1) == "length"
