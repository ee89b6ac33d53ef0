"""What is done, and when, while no Bluetooth advertisement comes in: a ladder as a table."""

from __future__ import annotations

from typing import NamedTuple

# Home Assistant's scanner waits as long; sensors send every few seconds, phones all the time.
SILENCE_S = 90.0
# Whoever cannot be healed is tried again after twice the pause, up to this.
ROUND_MAX_S = 3600.0
REBOOT_AFTER_S = 3600.0
# The machine must have run for a day. So there is one reboot a day at most, without a file to
# remember it in and without a clock that has to be right.
REBOOT_UPTIME_S = 86400.0


class Rung(NamedTuple):
    """One step, and how long after the silence was noticed it is taken."""

    step: str
    after_s: float


# Each rung is dearer than the one before. They follow each other fast: what the last one
# heals has to be back within two minutes of the last advertisement.
LADDER = (
    Rung("restart", 0.0),  # A new scan, active and without patterns.
    Rung("power", 8.0),  # The adapter off and on again.
    Rung("helper", 16.0),  # A command of the settings, such as a restart of bluetoothd.
)


class Ladder:
    """Where we stand on the ladder. It is told what was heard, and asked what is due.

    Any advertisement brings it down to the floor, a stranger's as well: the radio works.
    """

    def __init__(self, now_s: float, silence_s: float = SILENCE_S) -> None:
        self._silence_s = silence_s
        self.heard_s = now_s  # When something was heard, or listening began.
        self._round_s = now_s  # What the next rungs are counted from.
        self._pause_s = silence_s
        self._rung = 0
        self.is_silent = False

    def heard(self, now_s: float) -> bool:
        """Take an advertisement; True when it ends a silence."""
        was_silent = self.is_silent
        self.heard_s = self._round_s = now_s
        self._pause_s = self._silence_s
        self._rung = 0
        self.is_silent = False
        return was_silent

    def due(self, now_s: float) -> str:
        """Name the next step when its time has come, else nothing. Each is named once."""
        rung = LADDER[self._rung]
        if now_s - self._round_s < self._pause_s + rung.after_s:
            return ""
        self.is_silent = True
        self._rung += 1
        if self._rung == len(LADDER):
            self._rung = 0
            self._round_s = now_s
            self._pause_s = min(self._pause_s * 2, ROUND_MAX_S)
        return rung.step

    def wants_reboot(self, now_s: float, uptime_s: float, *, is_idle: bool) -> bool:
        """Whether only a reboot is left, and nobody stands before the screen."""
        return (
            self.is_silent
            and is_idle
            and now_s - self.heard_s >= REBOOT_AFTER_S
            and uptime_s >= REBOOT_UPTIME_S
        )
