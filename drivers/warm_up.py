"""The time after a start in which a sensor's values are not true yet."""

from drivers.port import ticks_diff
from drivers.reading import Reading, without_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.reading import SpecRow


class WarmUp:
    """So many seconds from `begin` on; 0 is none."""

    def __init__(self, warm_up_s: float, now_ms: "Callable[[], int]") -> None:
        self._warm_up_ms = round(warm_up_s * 1000)
        self._now_ms = now_ms
        self._started_ms = 0
        self._over = False

    def begin(self) -> None:
        """The sensor starts now."""
        self._started_ms = self._now_ms()
        self._over = self._warm_up_ms == 0

    def covered(
        self, spec: "tuple[SpecRow, ...]", readings: tuple[Reading, ...]
    ) -> tuple[Reading, ...]:
        """`readings`, or none of their values while it lasts."""
        # Once over it stays over: the tick counter wraps, and would look early again.
        if ticks_diff(self._now_ms(), self._started_ms) >= self._warm_up_ms:
            self._over = True
        return readings if self._over else without_values(spec, "warming_up")
