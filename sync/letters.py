"""What a person writes to the city: sealed on the kiosk, and opened only at the city.

HPKE in its base mode (RFC 9180) with X25519, HKDF-SHA256 and ChaCha20-Poly1305. Who takes the card
out of a kiosk has every key that is on it, and still cannot read what people wrote.
"""

from __future__ import annotations

import base64

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.entry import SyncError

KEY_BYTES = 32
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.CHACHA20_POLY1305)
_LETTER = b"angsila letter 1 "


class LetterError(SyncError):
    """A letter that this city cannot open, or a key to which nothing can be sealed."""


class Opener:
    """The city's end: opens what was sealed to `public`.

    Its key is derived (HKDF, RFC 5869) from the secret that the city has anyway, so that there is
    one secret to keep, and all receivers of a city have the same.
    """

    def __init__(self, secret: bytes) -> None:
        derived = HKDF(SHA256(), KEY_BYTES, salt=None, info=_LETTER).derive(secret)
        self._private = X25519PrivateKey.from_private_bytes(derived)
        self.public = self._private.public_key().public_bytes_raw()

    def open(self, sealed: str, ticket: str) -> str:
        """The words of the letter with this ticket. Raises `LetterError`."""
        try:
            raw = base64.b64decode(sealed, validate=True)
            return _SUITE.decrypt(raw, self._private, _info(ticket)).decode()
        except (ValueError, InvalidTag):
            raise LetterError(f"{ticket}: damaged, or sealed to another city's key") from None


def checked_letter_key(raw: bytes) -> bytes:
    """A city's public key as it was told; nothing is told by a city that opens none.

    Raises `LetterError`.
    """
    if len(raw) not in (0, KEY_BYTES):
        raise LetterError(f"a key for letters has {len(raw)} bytes, not {KEY_BYTES}")
    return raw


def seal(text: str, ticket: str, public: bytes) -> str:
    """`text` for the city with this public key, in base64. Raises `LetterError`.

    It opens with this ticket only: nobody can put somebody's words under another report.
    """
    try:
        key = X25519PublicKey.from_public_bytes(public)
        return base64.b64encode(_SUITE.encrypt(text.encode(), key, _info(ticket))).decode()
    except ValueError:
        raise LetterError(f"nothing can be sealed to the key {public.hex()}") from None


def _info(ticket: str) -> bytes:
    return _LETTER + ticket.encode()
