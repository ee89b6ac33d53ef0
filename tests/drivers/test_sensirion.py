from drivers import sensirion
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True


def test_captured_checksums() -> None:
    """The CRC of the data sheets and of recorded traffic comes out."""
    found = rows("sensirion", "bytes")
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
