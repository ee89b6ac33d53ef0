"""What people write: only the city that it is for can open it."""

import base64

import pytest

from sync.identity import Key
from sync.letters import LetterError, Opener, checked_letter_key, seal

WORDS = "ไฟที่ท่าเรือดับ 码头的灯坏了"
TICKET = "KM-1532"


def test_the_city_opens_what_was_sealed_to_it() -> None:
    """Each time: its key for letters is made of the key that it keeps."""
    city = Key()
    sealed = seal(WORDS, TICKET, city.opener().public)

    assert city.opener().open(sealed, TICKET) == WORDS
    assert seal(WORDS, TICKET, city.opener().public) != sealed
    assert city.opener().public != city.public.raw


@pytest.mark.parametrize("bit", [0, 40 * 8, -1])
def test_a_letter_that_was_changed_is_not_opened(bit: int) -> None:
    """Neither the key that is in it nor its words."""
    opener = Key().opener()
    raw = bytearray(base64.b64decode(seal(WORDS, TICKET, opener.public)))
    raw[bit // 8] ^= 1

    with pytest.raises(LetterError, match=TICKET):
        opener.open(base64.b64encode(raw).decode(), TICKET)


@pytest.mark.parametrize("sealed", ["", "AAAA", "not base64", "ก", "A" * 4096])
def test_what_is_no_letter_is_not_opened(sealed: str) -> None:
    """Whatever a kiosk may have sent."""
    with pytest.raises(LetterError, match=TICKET):
        Opener(b"0" * 32).open(sealed, TICKET)


def test_a_letter_belongs_to_its_ticket_and_its_city() -> None:
    """Nobody puts words under another report, and another city reads nothing."""
    opener = Key().opener()
    sealed = seal(WORDS, TICKET, opener.public)

    with pytest.raises(LetterError, match="KM-1533"):
        opener.open(sealed, "KM-1533")
    with pytest.raises(LetterError, match="another city"):
        Key().opener().open(sealed, TICKET)


def test_a_key_of_the_wrong_length_is_named() -> None:
    """No key at all is one that was not told; everything else is a fault."""
    assert checked_letter_key(b"") == b""
    with pytest.raises(LetterError, match="31 bytes, not 32"):
        checked_letter_key(bytes(31))
    with pytest.raises(LetterError, match="0000"):
        seal(WORDS, TICKET, bytes(32))
