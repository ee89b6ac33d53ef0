"""The kiosk's clock: always a steady one, and UTC only while somebody vouches for it.

A Pi has no battery clock: after a power cut its wall clock is wrong by hours or by half a
century. So entries are stamped with CLOCK_BOOTTIME, and an anchor ties a boot to UTC once the
kernel says that NTP has set the clock, or the city has told the time.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

from sync.entry import Anchor

# What each word in `trust` lets vouch for UTC, best first.
SOURCES = ("ntp", "technician", "city", "system")
STA_UNSYNC = 0x0040  # adjtimex(2): the clock is not synchronised.
TIME_ERROR = 5
SYSTEM_ERROR_MS = 2_000  # What a desktop's clock is trusted to, where its owner says so.
ANCHOR_PERIOD_MS = 3_600_000  # A quartz drifts up to 0.1 s an hour: a fresh anchor each hour.
# No clock of ours can be right and say less than this: the day this file was written.
FLOOR_UTC_MS = 1_795_000_000_000


class Clock:
    """CLOCK_BOOTTIME, and UTC by the best anchor so far."""

    def __init__(
        self,
        trust: Collection[str] = ("ntp", "technician", "city"),
        *,
        boot: str | None = None,
        boottime_ms: Callable[[], int] | None = None,
        wall_ms: Callable[[], int] | None = None,
        ntp_error_ms: Callable[[], int | None] | None = None,
    ) -> None:
        unknown = set(trust) - set(SOURCES)
        if unknown:
            raise ValueError(f"not a source of time: {sorted(unknown)}; there are {SOURCES}")
        self.trust = frozenset(trust)
        self.boot = boot or this_boot()
        self.boottime_ms = boottime_ms or _boottime_ms
        self._wall_ms = wall_ms or _wall_ms
        self._ntp_error_ms = ntp_error_ms or kernel_error_ms
        self.anchor: Anchor | None = None

    def poll(self) -> Anchor | None:
        """Ask the kernel whether its wall clock is right; a new anchor where that says so.

        Called every few seconds. An anchor of a better source, or one that a step of the
        clock has proven wrong, is replaced at once; a good one after an hour.
        """
        error_ms = self._ntp_error_ms()
        if error_ms is not None and "ntp" in self.trust:
            return self._offer("ntp", self._wall_ms(), error_ms)
        if "system" in self.trust:
            return self._offer("system", self._wall_ms(), SYSTEM_ERROR_MS)
        return None

    def told(self, source: str, utc_ms: int, error_ms: int) -> Anchor | None:
        """Take the time from the city or a technician; the new anchor where it was needed."""
        return self._offer(source, utc_ms, error_ms) if source in self.trust else None

    def _offer(self, source: str, utc_ms: int, error_ms: int) -> Anchor | None:
        if utc_ms < FLOOR_UTC_MS:
            return None
        now_ms = self.boottime_ms()
        old = self.anchor
        if old is not None:
            rank, old_rank = SOURCES.index(source), SOURCES.index(old.source)
            if rank > old_rank:
                return None
            apart_ms = abs(old.utc_at(now_ms) - utc_ms)
            young = now_ms - old.boottime_ms < ANCHOR_PERIOD_MS
            if rank == old_rank and young and apart_ms <= old.error_at(now_ms) + error_ms:
                return None
        self.anchor = Anchor(self.boot, now_ms, utc_ms, error_ms, source)
        return self.anchor

    def utc_ms(self) -> int | None:
        """UTC now, or None while nobody vouches for it."""
        return None if self.anchor is None else self.anchor.utc_at(self.boottime_ms())

    @property
    def error_ms(self) -> int | None:
        """UTC is within ± this."""
        return None if self.anchor is None else self.anchor.error_at(self.boottime_ms())

    @property
    def source(self) -> str | None:
        """Who vouches for UTC: ntp, technician, city or system."""
        return None if self.anchor is None else self.anchor.source

    def state(self) -> dict[str, Any]:
        """What the screen and the technician are shown."""
        return {
            "set": self.anchor is not None,
            "utc_ms": self.utc_ms(),
            "error_ms": self.error_ms,
            "source": self.source,
            "boot": self.boot,
            "boottime_ms": self.boottime_ms(),
        }


def this_boot() -> str:
    """The kernel's id of this boot, as 32 hex digits."""
    text = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    return text.strip().replace("-", "")


def _boottime_ms() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000


def _wall_ms() -> int:
    return time.time_ns() // 1_000_000


class _Timex(ctypes.Structure):
    """`struct timex` of adjtimex(2), up to the status and with room for the rest."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),  # Microseconds.
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_long * 40),
    )


_libc = ctypes.CDLL(None, use_errno=True)


def kernel_error_ms() -> int | None:
    """The kernel's bound on the error of its wall clock, or None while no NTP has set it."""
    timex = _Timex(modes=0)
    state = _libc.adjtimex(ctypes.byref(timex))
    if state < 0:
        error = ctypes.get_errno()
        raise OSError(error, f"adjtimex: {os.strerror(error)}")
    if state == TIME_ERROR or timex.status & STA_UNSYNC:
        return None
    return int(timex.maxerror) // 1000 + 1
