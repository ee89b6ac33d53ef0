"""A clock of milliseconds that a test moves, for CPython and for MicroPython."""

from drivers.port import TICKS_PERIOD_MS


class Ticks:
    """It begins again from 0 where a board's own does."""

    def __init__(self, ms: int = 0) -> None:
        self.ms = ms

    def __call__(self) -> int:
        """Milliseconds."""
        return self.ms % TICKS_PERIOD_MS
