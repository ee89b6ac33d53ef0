from drivers import aes, aes_block
from tests.drivers.faults import fault_of

PORTABLE = True

KEY = bytes.fromhex("000102030405060708090a0b0c0d0e0f")


def test_the_block_of_the_standard() -> None:
    """FIPS 197, appendix C.1: in both implementations."""
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    wanted = "69c4e0d86a7b0430d8cdb78070b4c55a"
    assert aes.cipher_of(KEY)(plain).hex() == wanted
    assert aes_block.Block(KEY).encrypt(plain).hex() == wanted


def test_the_key_schedule_of_the_standard() -> None:
    """FIPS 197, appendix A.1: the last round key."""
    keys = aes_block.expand(bytes.fromhex("2b7e151628aed2a6abf7158809cf4f3c"))
    assert keys[10].hex() == "d014f9a8c9ee2589e13f0cc8b6630ca6"


def test_a_packet_of_the_standard() -> None:
    """RFC 3610, packet vector 1: 8 bytes are only authenticated, 23 are sealed."""
    key = bytes.fromhex("c0c1c2c3c4c5c6c7c8c9cacbcccdcecf")
    nonce = bytes.fromhex("00000003020100a0a1a2a3a4a5")
    aad = bytes(range(8))
    plain = bytes(range(8, 0x1F))
    sealed = aes.seal(key, nonce, plain, 8, aad)
    assert sealed.hex() == "588c979a61c663d2f066d0c2c0f989806d5f6b61dac38417e8d12cfdf926e0"
    assert aes.unseal(key, nonce, sealed, 8, aad) == plain


def test_every_changed_bit_is_noticed() -> None:
    """A message that was changed, or another key, does not open."""
    nonce = bytes(13)
    sealed = aes.seal(KEY, nonce, b"tide", 4)
    for bit in range(len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert fault_of(aes.unseal, KEY, nonce, bytes(changed), 4) == "key"
    assert fault_of(aes.unseal, bytes(16), nonce, sealed, 4) == "key"
    assert fault_of(aes.unseal, KEY, nonce, b"\x01", 4) == "incomplete"
    assert fault_of(aes.seal, b"short", nonce, b"", 4) == "key"
