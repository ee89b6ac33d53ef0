"""AES-128, one direction, and AES-CCM built on it (RFC 3610): what BTHome is sealed with.

A node has AES in hardware, behind `cryptolib`. Elsewhere this module does it, which is
enough for the few blocks of an advertisement: no library has to be installed for it.
"""

from drivers.errors import ChecksumError, FrameError
from drivers.port import block_cipher

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

BLOCK_BYTES = 16
KEY_BYTES = 16


def seal(key: bytes, nonce: bytes, plain: bytes, mic_bytes: int, aad: bytes = b"") -> bytes:
    """Encrypt, and add a message integrity code of `mic_bytes`. Raises `FrameError`."""
    encrypt = cipher_of(key)
    mic = _mic(encrypt, nonce, plain, mic_bytes, aad)
    return _counter_mode(encrypt, nonce, plain, 1) + _counter_mode(encrypt, nonce, mic, 0)


def unseal(key: bytes, nonce: bytes, sealed: bytes, mic_bytes: int, aad: bytes = b"") -> bytes:
    """Undo `seal`. Raises `ChecksumError` with the fault "key" if key or bytes are wrong."""
    if len(sealed) < mic_bytes:
        raise FrameError(f"sealed message of {len(sealed)} bytes", "incomplete")
    encrypt = cipher_of(key)
    plain = _counter_mode(encrypt, nonce, sealed[:-mic_bytes], 1)
    mic = _counter_mode(encrypt, nonce, sealed[-mic_bytes:], 0)
    if _mic(encrypt, nonce, plain, mic_bytes, aad) != mic:
        raise ChecksumError("wrong key, or a message that was changed", "key")
    return plain


def cipher_of(key: bytes) -> "Callable[[bytes], bytes]":
    """What encrypts one block. Raises `FrameError` for a key of another length."""
    if len(key) != KEY_BYTES:
        raise FrameError(f"key of {len(key)} bytes, wanted {KEY_BYTES}", "key")
    return block_cipher(key)


def _mic(
    encrypt: "Callable[[bytes], bytes]", nonce: bytes, plain: bytes, mic_bytes: int, aad: bytes
) -> bytes:
    """RFC 3610, section 2.2: the CBC-MAC of all blocks."""
    length_bytes = 15 - len(nonce)
    flags = (64 if aad else 0) | (mic_bytes - 2) // 2 << 3 | (length_bytes - 1)
    blocks = bytes([flags]) + nonce + len(plain).to_bytes(length_bytes, "big")
    if aad:
        blocks += _padded(len(aad).to_bytes(2, "big") + aad)
    blocks += _padded(plain)
    mac = bytes(BLOCK_BYTES)
    for at in range(0, len(blocks), BLOCK_BYTES):
        mac = encrypt(_xor(mac, blocks[at : at + BLOCK_BYTES]))
    return mac[:mic_bytes]


def _counter_mode(
    encrypt: "Callable[[bytes], bytes]", nonce: bytes, text: bytes, first: int
) -> bytes:
    """RFC 3610, section 2.3: the text against encrypted counters."""
    length_bytes = 15 - len(nonce)
    out = b""
    for at in range(0, len(text), BLOCK_BYTES):
        count = (first + at // BLOCK_BYTES).to_bytes(length_bytes, "big")
        stream = encrypt(bytes([length_bytes - 1]) + nonce + count)
        out += _xor(text[at : at + BLOCK_BYTES], stream)
    return out


def _padded(text: bytes) -> bytes:
    return text + bytes(-len(text) % BLOCK_BYTES)


def _xor(one: bytes, other: bytes) -> bytes:
    return bytes([a ^ b for a, b in zip(one, other)])  # noqa: B905 # not portable
