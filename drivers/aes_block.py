"""The AES-128 block cipher (FIPS 197), for a Python that has none in its library."""

ROUNDS = 10


def doubled(a: int) -> int:
    """`a` times 2 in the field of AES."""
    return a << 1 ^ (0x11B if a & 0x80 else 0)


def make_sbox() -> bytes:
    """FIPS 197, section 5.1.1: the inverse in the field, then an affine map."""
    # 3 generates the field, so p runs through all its members and q through their inverses.
    box = bytearray(256)
    p = q = 1
    while True:
        p = p ^ doubled(p)
        q ^= q << 1
        q ^= q << 2
        q ^= q << 4
        q &= 0xFF
        if q & 0x80:
            q ^= 0x09
        turned = q ^ (q << 1 | q >> 7) ^ (q << 2 | q >> 6) ^ (q << 3 | q >> 5) ^ (q << 4 | q >> 4)
        box[p] = turned & 0xFF ^ 0x63
        if p == 1:
            break
    box[0] = 0x63
    return bytes(box)


SBOX = make_sbox()
# Section 5.1.2: byte i of the state comes from there.
SHIFTED = tuple([(i + 4 * (i % 4)) % 16 for i in range(16)])


class Block:
    """Encrypts blocks of 16 bytes with one key of 16 bytes."""

    def __init__(self, key: bytes) -> None:
        self._round_keys = expand(key)

    def encrypt(self, block: bytes) -> bytes:
        """One block (section 5.1)."""
        keys = self._round_keys
        state = [block[i] ^ keys[0][i] for i in range(16)]
        for number in range(1, ROUNDS + 1):
            state = [SBOX[state[SHIFTED[i]]] for i in range(16)]
            if number < ROUNDS:
                state = mixed(state)
            key = keys[number]
            state = [state[i] ^ key[i] for i in range(16)]
        return bytes(state)


def mixed(state: "list[int]") -> "list[int]":
    """MixColumns (section 5.1.3)."""
    out = []
    for at in range(0, 16, 4):
        column = state[at : at + 4]
        every = column[0] ^ column[1] ^ column[2] ^ column[3]
        out += [column[i] ^ every ^ doubled(column[i] ^ column[(i + 1) % 4]) for i in range(4)]
    return out


def expand(key: bytes) -> "list[bytes]":
    """The key of each round (section 5.2)."""
    words = [key[at : at + 4] for at in range(0, 16, 4)]
    constant = 1
    for i in range(4, 4 * (ROUNDS + 1)):
        word = words[i - 1]
        if i % 4 == 0:
            turned = word[1:] + word[:1]
            word = bytes([SBOX[byte] for byte in turned])
            word = bytes([word[0] ^ constant]) + word[1:]
            constant = doubled(constant)
        words.append(bytes([word[j] ^ words[i - 4][j] for j in range(4)]))
    return [b"".join(words[at : at + 4]) for at in range(0, len(words), 4)]
