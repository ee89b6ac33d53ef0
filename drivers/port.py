"""What differs between CPython and MicroPython: the only module that asks which one runs."""

import sys
import time

TYPE_CHECKING = False  # mypy takes this name as true; no Python needs typing at run time.

if TYPE_CHECKING:
    from collections.abc import Callable

MICROPYTHON = sys.implementation.name == "micropython"

if TYPE_CHECKING or not MICROPYTHON:
    # A node's tick counter wraps here. CPython's wraps at the same place on purpose, so that
    # a bug at the wrap shows in every test run and not after twelve days on a node.
    TICKS_PERIOD_MS = 1 << 30

    def ticks_ms() -> int:
        """Milliseconds of a steady clock, modulo `TICKS_PERIOD_MS`."""
        return time.monotonic_ns() // 1_000_000 % TICKS_PERIOD_MS

    def ticks_diff(later_ms: int, earlier_ms: int) -> int:
        """Milliseconds from `earlier_ms` to `later_ms`, right over one wrap."""
        half = TICKS_PERIOD_MS // 2
        return (later_ms - earlier_ms + half) % TICKS_PERIOD_MS - half

    def utc_s() -> float:
        """Seconds since 1970, UTC, as this machine believes."""
        return time.time()

    def block_cipher(key: bytes) -> "Callable[[bytes], bytes]":
        """What encrypts blocks of 16 bytes by AES with `key`."""
        from drivers.aes_block import Block  # noqa: PLC0415 # its table takes a while

        return Block(key).encrypt

else:
    from time import ticks_add, ticks_diff, ticks_ms

    from cryptolib import aes

    TICKS_PERIOD_MS = ticks_add(0, -1) + 1  # 2^30 on a node, more on a 64-bit machine.

    # A node's port may count from 2000 instead of 1970.
    _EPOCH_S = 946_684_800 if time.gmtime(0)[0] == 2000 else 0

    def utc_s() -> int:
        """Seconds since 1970, UTC, as this machine believes."""
        return time.time_ns() // 1_000_000_000 + _EPOCH_S

    def block_cipher(key: bytes) -> "Callable[[bytes], bytes]":
        """What encrypts blocks of 16 bytes by AES with `key`."""
        return aes(key, 1).encrypt  # 1 is ECB.


__all__ = [
    "MICROPYTHON",
    "TICKS_PERIOD_MS",
    "TYPE_CHECKING",
    "block_cipher",
    "ticks_diff",
    "ticks_ms",
    "utc_s",
]
