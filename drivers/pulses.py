"""Rain bucket, anemometer and other contacts: pulses on a pin, counted and stamped."""

from collections import deque

from drivers.port import ticks_diff, ticks_ms
from drivers.reading import Reading, measured, without_values
from drivers.warm_up import WarmUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Protocol

    from drivers.reading import SpecRow

    class Pin(Protocol):
        """An input that calls back, in the loop's thread, with the time of each edge."""

        async def open(self, on_edge: Callable[[int, bool], None]) -> None:
            """Call `on_edge(at_ms, is_active)` from now on. Raises `BusError`."""

        async def close(self) -> None:
            """Give the pin back."""

        def is_active(self) -> bool:
            """What the pin says now. Raises `BusError`."""


MM_PER_TIP = 0.2794  # SparkFun and Davis style buckets: 0.011 inch.
TIP_GAP_MS = 200  # A bucket takes longer to fill, a reed contact bounces for less.
CONTACT_GAP_MS = 50
KMH_PER_HZ = 2.4  # SparkFun's anemometer.
WIND_GAP_MS = 4  # 250 Hz are 600 km/h.
GUST_S = 3.0  # World Meteorological Organization: a gust is the highest mean of 3 s.
STAMPS_MAX = 768  # Pulses in the time of a gust: 3 s of 250 Hz.
METRES_PER_KM = 1000
SECONDS_PER_HOUR = 3600


class PulseCounter:
    """Counts pulses, but not the bounces of a contact.

    A pulse counts if the last one that counted is at least `gap_ms` old. With `window_s` it
    also finds the most pulses that fell into any time of that length.
    """

    def __init__(self, gap_ms: int, window_s: float = 0) -> None:
        self._gap_ms = gap_ms
        self._window_ms = round(window_s * 1000)
        self._last_ms: int | None = None
        self._recent_ms: deque[int] = deque((), STAMPS_MAX)  # noqa: RUF037 # as MicroPython has it
        self._count = 0
        self._most = 0
        self.bounces = 0

    def edge(self, at_ms: int) -> None:
        """Take one active edge with its time."""
        if self._last_ms is not None and ticks_diff(at_ms, self._last_ms) < self._gap_ms:
            self.bounces += 1
            return
        self._last_ms = at_ms
        self._count += 1
        if not self._window_ms:
            return
        while self._recent_ms and ticks_diff(at_ms, self._recent_ms[0]) >= self._window_ms:
            self._recent_ms.popleft()
        self._recent_ms.append(at_ms)
        self._most = max(self._most, len(self._recent_ms))

    def take(self) -> "tuple[int, int]":
        """Pulses since the last call, and the most of them in any window."""
        taken = self._count, self._most
        self._count = self._most = 0
        return taken


class Rain:
    """A tipping bucket. A reading is what fell since the reading before."""

    KIND = "rain"
    SIMULATED = False
    # What was counted is owed: it is asked for once more before the driver is closed.
    COUNTS = True
    SPEC: "tuple[SpecRow, ...]" = (("rain", "mm", 0, 1000, 2),)

    def __init__(
        self, pin: "Pin", *, mm_per_tip: float = MM_PER_TIP, gap_ms: int = TIP_GAP_MS
    ) -> None:
        self._pin = pin
        self._mm_per_tip = mm_per_tip
        self.counter = PulseCounter(gap_ms)

    async def start(self) -> None:
        """Count from now on. Raises `BusError`."""
        await self._pin.open(self._on_edge)
        self.counter.take()

    async def read(self) -> tuple[Reading, ...]:
        """Rain since the reading before."""
        return (measured(self.SPEC[0], self.counter.take()[0] * self._mm_per_tip),)

    async def close(self) -> None:
        """Give the pin back."""
        await self._pin.close()

    def _on_edge(self, at_ms: int, is_active: bool) -> None:  # noqa: FBT001 # as the pin says it
        if is_active:
            self.counter.edge(at_ms)


class Anemometer:
    """A cup wheel. A reading is the mean and the highest gust since the reading before."""

    KIND = "anemometer"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (
        ("wind_speed", "m/s", 0, 90, 1),
        ("wind_gust", "m/s", 0, 90, 1),
    )

    def __init__(
        self,
        pin: "Pin",
        *,
        kmh_per_hz: float = KMH_PER_HZ,
        gap_ms: int = WIND_GAP_MS,
        now_ms: "Callable[[], int]" = ticks_ms,
    ) -> None:
        self._pin = pin
        self._kmh_per_hz = kmh_per_hz
        self._now_ms = now_ms
        self._since_ms = 0
        self.counter = PulseCounter(gap_ms, GUST_S)

    async def start(self) -> None:
        """Count from now on. Raises `BusError`."""
        await self._pin.open(self._on_edge)
        self.counter.take()
        self._since_ms = self._now_ms()

    async def read(self) -> tuple[Reading, ...]:
        """Wind since the reading before; none if no time has passed."""
        now_ms = self._now_ms()
        window_s = ticks_diff(now_ms, self._since_ms) / 1000
        if window_s <= 0:
            return without_values(self.SPEC, "no_data")
        self._since_ms = now_ms
        count, most = self.counter.take()
        mean = metres_per_second(count / window_s, self._kmh_per_hz)
        gust = max(metres_per_second(most / GUST_S, self._kmh_per_hz), mean)
        return measured(self.SPEC[0], mean), measured(self.SPEC[1], gust)

    async def close(self) -> None:
        """Give the pin back."""
        await self._pin.close()

    def _on_edge(self, at_ms: int, is_active: bool) -> None:  # noqa: FBT001 # as the pin says it
        if is_active:
            self.counter.edge(at_ms)


class Contact:
    """Something that is active or not: whether it was since the reading before, how often."""

    KIND = ""
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = ()

    def __init__(
        self,
        pin: "Pin",
        *,
        gap_ms: int = CONTACT_GAP_MS,
        warm_up_s: float = 0,
        now_ms: "Callable[[], int]" = ticks_ms,
    ) -> None:
        self._pin = pin
        self._warm = WarmUp(warm_up_s, now_ms)
        self.counter = PulseCounter(gap_ms)

    async def start(self) -> None:
        """Watch from now on. Raises `BusError`."""
        await self._pin.open(self._on_edge)
        self.counter.take()
        self._warm.begin()

    async def read(self) -> tuple[Reading, ...]:
        """Whether it is or was active, and how often it became so. Raises `BusError`."""
        count, _ = self.counter.take()
        is_active = count > 0 or self._pin.is_active()
        readings = measured(self.SPEC[0], int(is_active)), measured(self.SPEC[1], count)
        return self._warm.covered(self.SPEC, readings)

    async def close(self) -> None:
        """Give the pin back."""
        await self._pin.close()

    def _on_edge(self, at_ms: int, is_active: bool) -> None:  # noqa: FBT001 # as the pin says it
        if is_active:
            self.counter.edge(at_ms)


class PIR(Contact):
    """A motion sensor."""

    KIND = "pir"
    SPEC: "tuple[SpecRow, ...]" = (("motion", "1", 0, 1, 0), ("motions", "1", 0, 65535, 0))


class Button(Contact):
    """A button or another contact."""

    KIND = "button"
    SPEC: "tuple[SpecRow, ...]" = (("pressed", "1", 0, 1, 0), ("presses", "1", 0, 65535, 0))


def tips(edges_ms: "list[int]", gap_ms: int) -> int:
    """How many of these edges are no bounces."""
    counter = PulseCounter(gap_ms)
    for at_ms in edges_ms:
        counter.edge(at_ms)
    return counter.take()[0]


def metres_per_second(hertz: float, kmh_per_hz: float) -> float:
    """Wind speed of a frequency."""
    return hertz * kmh_per_hz * METRES_PER_KM / SECONDS_PER_HOUR
