"""Frees an I²C bus on which a chip holds the data line low, since it lost count of the clocks."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Protocol

    class Lines(Protocol):
        """The two lines of a bus, taken away from its controller for a moment."""

        def take(self) -> None:
            """Take both lines, and let them rise. Raises `BusError`."""

        def clock(self, *, low: bool) -> None:
            """Pull the clock line low, or let it rise."""

        def pull_data(self, *, low: bool) -> None:
            """Pull the data line low, or let it rise."""

        def data_is_high(self) -> bool:
            """Whether nobody holds the data line low."""

        def give_back(self) -> None:
            """Hand both lines back to the controller."""


# The chip waits for the rest of a byte and its acknowledge: no more than that.
CLOCKS_MAX = 9


def free(lines: "Lines") -> bool:
    """Clock until the data line is let go, and end with a stop; whether it was let go.

    The way of the I²C specification (UM10204, section 3.1.16). Raises `BusError`.
    """
    lines.take()
    try:
        for _ in range(CLOCKS_MAX):
            if lines.data_is_high():
                break
            lines.clock(low=True)
            lines.clock(low=False)
        # A stop: the data line rises while the clock is high.
        lines.clock(low=True)
        lines.pull_data(low=True)
        lines.clock(low=False)
        lines.pull_data(low=False)
        return lines.data_is_high()
    finally:
        lines.give_back()
