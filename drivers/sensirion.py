"""What all Sensirion chips on I²C share: 16-bit words, each followed by its own CRC."""

from drivers.errors import ChecksumError, FrameError

CRC_POLYNOMIAL = 0x31
CRC_START = 0xFF
WORD_BYTES = 3  # Two bytes and their CRC.


def crc8(run: bytes) -> int:
    """CRC-8 of the data sheets: x^8 + x^5 + x^4 + 1 from 0xFF; 0xBEEF gives 0x92."""
    crc = CRC_START
    for byte in run:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ CRC_POLYNOMIAL) & 0xFF if crc & 0x80 else crc << 1
    return crc


def words(answer: bytes, count: int) -> "tuple[int, ...]":
    """The `count` words of an answer. Raises `FrameError` or `ChecksumError`."""
    # Byte 0    1    2     3    4    5
    #      high low  crc   high low  crc  ...
    if len(answer) != count * WORD_BYTES:
        fault = "incomplete" if len(answer) < count * WORD_BYTES else "length"
        raise FrameError(f"{len(answer)} bytes, wanted {count * WORD_BYTES}", fault)
    found = []
    for at in range(0, len(answer), WORD_BYTES):
        word, crc = answer[at : at + 2], answer[at + 2]
        if crc8(word) != crc:
            raise ChecksumError(
                f"word {at // WORD_BYTES} of {answer.hex()} says CRC 0x{crc:02x},"
                f" its bytes give 0x{crc8(word):02x}",
                "crc",
            )
        found.append(word[0] << 8 | word[1])
    return tuple(found)


def command(code: int, *arguments: int) -> bytes:
    """A command of 16 bits and its arguments, each argument with its CRC."""
    frame = code.to_bytes(2, "big")
    for argument in arguments:
        word = argument.to_bytes(2, "big")
        frame += word + bytes([crc8(word)])
    return frame
