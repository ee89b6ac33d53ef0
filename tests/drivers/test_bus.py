from drivers.bus import DirectI2C, Scanner
from drivers.errors import BusError
from drivers.fake_bus import FakeI2C

PORTABLE = True

# A frame of this test: a head, one byte, and that byte again.
HEAD = b"\xaa\xab"


def scanner() -> Scanner:
    """A scanner for the frames of this test."""
    return Scanner(HEAD, 4, lambda frame: frame[2] == frame[3])


def test_frames_are_found_between_noise() -> None:
    """Good frames come out in their order, and what lies between is counted."""
    one = scanner()
    assert one.feed(b"\x01\xaa\xab\x05\x05\xaa\xaa\xab\x06\x06\xff") == [
        b"\xaa\xab\x05\x05",
        b"\xaa\xab\x06\x06",
    ]
    assert (one.damaged, one.skipped_bytes, one.pending_bytes) == (0, 3, 0)


def test_a_frame_inside_a_bad_one_is_found() -> None:
    """After a bad frame the search goes on one byte later, not behind it."""
    one = scanner()
    assert one.feed(b"\xaa\xab\xaa\xab\x07\x07") == [b"\xaa\xab\x07\x07"]
    assert one.damaged == 1


def test_a_head_may_break_between_two_chunks() -> None:
    """The first byte of a head is kept for the next chunk."""
    one = scanner()
    assert one.feed(b"\xff\xff\xaa") == []
    assert one.pending_bytes == 1
    assert one.feed(b"\xab\x01\x01") == [b"\xaa\xab\x01\x01"]


def test_a_reset_forgets_the_beginning() -> None:
    """Half a frame from before does not mix with what comes after."""
    one = scanner()
    one.feed(b"\xaa\xab\x01")
    one.reset()
    assert one.feed(b"\x01") == []
    assert one.pending_bytes == 0


def test_every_byte_is_accounted_for() -> None:
    """What went in is in frames, skipped, or pending; nothing is counted twice."""
    one = scanner()
    fed = good = 0
    for step in range(500):
        chunk = bytes([(0xAA, 0xAB, 0x01, 0x01, 0xAA)[step * n % 5] for n in range(step % 9)])
        fed += len(chunk)
        good += len(one.feed(chunk))
        assert one.pending_bytes < 4
    assert good > 0
    assert fed == good * 4 + one.skipped_bytes + one.pending_bytes


async def test_a_nodes_bus_turns_os_errors_into_bus_errors() -> None:
    """The message names chip and register, in both directions."""
    bus = DirectI2C(FakeI2C({}))
    messages = []
    for transfer in (bus.readfrom_mem(0x76, 0xD0, 1), bus.writeto_mem(0x76, 0xE0, b"\xb6")):
        try:
            await transfer
        except BusError as error:
            messages.append(str(error)[:22])
    assert messages == ["I2C 0x76 register 0xd0", "I2C 0x76 register 0xe0"]


def test_a_frame_may_say_its_own_size() -> None:
    """Its second byte is its length; one that is longer than allowed is skipped at once."""

    def size_of(stream: bytes, at: int) -> int:
        return stream[at + 1] if at + 1 < len(stream) else 0

    one = Scanner(b"\xaa", 6, lambda frame: frame[-1:] == b"\xbb", size_of)
    assert one.feed(b"\xaa") == []
    assert one.feed(b"\x03\xbb\xaa\xf0\x00\xaa\x04\x00") == [b"\xaa\x03\xbb"]
    assert one.feed(b"\xbb") == [b"\xaa\x04\x00\xbb"]
    assert (one.damaged, one.skipped_bytes, one.pending_bytes) == (1, 3, 0)


async def test_a_command_and_its_answer() -> None:
    """A chip without registers is written to and read from; what it does not know fails."""
    i2c = FakeI2C({}, -1, {0x44: {b"\xfd": b"\x01\x02"}})
    bus = DirectI2C(i2c)
    await bus.writeto(0x44, b"\xfd")
    assert await bus.readfrom(0x44, 2) == b"\x01\x02"
    await bus.writeto(0x44, b"\xff")
    message = ""
    try:
        await bus.readfrom(0x44, 2)
    except BusError as error:
        message = str(error)
    assert message.startswith("I2C 0x44: ")
