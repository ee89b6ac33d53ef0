"""What the journal keeps, as plain data."""

from __future__ import annotations

from enum import IntEnum
from typing import Any, NamedTuple

DRIFT_PPM_MAX = 100  # Of a Pi's quartz from a cold night to a hot case, with room to spare.


class SyncError(Exception):
    """Root of what can go wrong in this folder."""


class Lane(IntEnum):
    """The lanes of the journal, each with a `seq` of its own. The numbers are the wire's."""

    EVENTS = 1
    READINGS = 2
    SUMMARIES = 3  # Minutes of readings that had to make room before they were sent.


class Stream(NamedTuple):
    """One quantity of one sensor, and how its values are to be read."""

    sensor: str
    quantity: str
    unit: str  # UCUM.
    decimals: int
    simulated: bool

    @property
    def name(self) -> str:
        """`sensor/quantity`, as the screen and the city call it."""
        return f"{self.sensor}/{self.quantity}"


class Entry(NamedTuple):
    """One reading in the journal. `at_ms` is CLOCK_BOOTTIME of the boot it names."""

    seq: int
    stream: Stream
    boot: str  # 32 hex digits.
    at_ms: int
    value: float | None
    quality: str


class Event(NamedTuple):
    """One line of the event lane: a complaint, an alarm, a change of health."""

    seq: int
    boot: str
    at_ms: int
    kind: str
    body: dict[str, Any]


class StoredSegment(NamedTuple):
    """A segment as the journal keeps and sends it."""

    first_seq: int
    entries: int
    body: bytes

    @property
    def last_seq(self) -> int:
        """The last seq it holds."""
        return self.first_seq + self.entries - 1


class Lost(NamedTuple):
    """Seqs that were handed out and cannot be delivered."""

    epoch: bytes
    lane: Lane
    first: int
    last: int
    reason: str


class Anchor(NamedTuple):
    """Ties one moment of a boot to UTC, give or take `error_ms`."""

    boot: str
    boottime_ms: int
    utc_ms: int
    error_ms: int
    source: str  # ntp, city, technician, system.

    def utc_at(self, boottime_ms: int) -> int:
        """UTC in ms of another moment of the same boot."""
        return self.utc_ms + boottime_ms - self.boottime_ms

    def error_at(self, boottime_ms: int) -> int:
        """UTC at that moment is within ± this: a quartz goes its own way from its anchor on."""
        away_ms = abs(boottime_ms - self.boottime_ms)
        return self.error_ms + -(-away_ms * DRIFT_PPM_MAX // 1_000_000)
