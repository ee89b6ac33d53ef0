"""The reference day: what 12 polled sensors and 4 Bluetooth ones say in 24 hours, by seed."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from typing import NamedTuple

DAY_MS = 86_400_000
BEAT_MS = 10_000
JITTER_MAX_MS = 8
ADVERT_MEAN_MS = 40_600  # What arrives of a beacon's adverts in a crowded market.
BASE_MS = 3_600_000  # The kiosk has been up for an hour.


class Arrival(NamedTuple):
    """One value of one sensor: when it came (CLOCK_BOOTTIME ms), and what it said."""

    at_ms: int
    sensor: str
    quantity: str
    value: float
    unit: str
    decimals: int


class Signal(NamedTuple):
    """A daily swing, a slow walk and white noise, as the quantity shows them on a pier."""

    sensor: str
    quantity: str
    unit: str
    decimals: int
    mean: float
    swing: float
    walk: float
    noise: float
    step: float = 0.0  # What the chip itself rounds to, where that is coarser than `decimals`.


# The noise is what the data sheets and a windy pier give: 6 mm for the median of 15 echoes over
# small waves, 0.02 K and 0.07 %RH (BME280, table 2 and 3), 1/16 K steps (DS18B20), about 1 ug/m3
# (PMS5003), 1 dB between two LAeq of 10 s beside a market street, 0.5 m/s gusts.
POLLED = (
    Signal("tide", "water_level", "m", 3, 2.4, 0.9, 0.0, 0.006),
    Signal("sea", "water_temperature", "Cel", 2, 29.5, 0.8, 0.005, 0.02, 0.0625),
    Signal("air", "air_temperature", "Cel", 2, 29.0, 3.5, 0.01, 0.02),
    Signal("air", "relative_humidity", "%", 1, 74.0, 12.0, 0.05, 0.07),
    Signal("air", "pressure", "hPa", 1, 1009.0, 1.6, 0.005, 0.02),
    Signal("dust", "pm2_5", "ug/m3", 0, 22.0, 8.0, 0.10, 1.0),
    Signal("dust", "pm10", "ug/m3", 0, 38.0, 12.0, 0.12, 1.5),
    Signal("square", "sound_level", "dB", 1, 58.0, 9.0, 0.10, 1.0),
    Signal("wind", "wind_speed", "m/s", 1, 3.2, 1.8, 0.05, 0.5),
    Signal("square", "people", "/min", 0, 6.0, 5.0, 0.10, 2.0),
    Signal("host", "cpu_temperature", "Cel", 1, 54.0, 4.0, 0.05, 0.3, 0.5),
    Signal("host", "memory_used", "%", 1, 41.0, 1.0, 0.02, 0.1),
)
BEACONS = tuple(
    Signal(f"beacon{number}", quantity, unit, decimals, mean, swing, walk, noise)
    for number in range(4)
    for quantity, unit, decimals, mean, swing, walk, noise in (
        ("air_temperature", "Cel", 2, 30.0, 3.0, 0.01, 0.02),
        ("relative_humidity", "%", 2, 72.0, 10.0, 0.03, 0.08),
    )
)


class _Walk:
    """One signal on its way through the day."""

    def __init__(self, signal: Signal, rng: random.Random) -> None:
        self.signal = signal
        self._rng = rng
        self._drift = 0.0
        self._phase = rng.uniform(0.0, 2 * math.pi)

    def at(self, at_ms: int) -> float:
        """The value at this moment."""
        signal = self.signal
        self._drift = 0.999 * self._drift + self._rng.gauss(0.0, signal.walk)
        angle = 2 * math.pi * at_ms / DAY_MS + self._phase
        value = signal.mean + signal.swing * math.sin(angle) + self._drift
        value += self._rng.gauss(0.0, signal.noise)
        if signal.step:
            value = round(value / signal.step) * signal.step
        return max(0.0, round(value, signal.decimals))


def reference_day(
    *, seed: int = 2419, beats: bool = True, hours: float = 24.0
) -> Iterator[Arrival]:
    """Yield every arrival in order of time.

    With `beats` a polled value is stamped with its scheduled beat, as the sampler does;
    without, with the millisecond it came at. Bluetooth is always irregular.
    """
    rng = random.Random(seed)  # noqa: S311  A bench wants the same day each time.
    polled = [_Walk(signal, rng) for signal in POLLED]
    offsets_ms = [0 if beats else rng.randrange(BEAT_MS) for _ in polled]
    beacons = [
        [_Walk(signal, rng) for signal in BEACONS[first : first + 2]]
        for first in range(0, len(BEACONS), 2)
    ]
    next_advert_ms = [rng.expovariate(1 / ADVERT_MEAN_MS) for _ in beacons]
    end_ms = int(hours * 3_600_000)

    for beat_ms in range(0, end_ms, BEAT_MS):
        arrivals: list[Arrival] = []
        for walk, offset_ms in zip(polled, offsets_ms, strict=True):
            late_ms = 0 if beats else offset_ms + rng.randrange(JITTER_MAX_MS)
            arrivals.append(_arrival(walk, beat_ms + late_ms))
        for index, beacon in enumerate(beacons):
            while next_advert_ms[index] < beat_ms + BEAT_MS:
                at_ms = int(next_advert_ms[index])
                arrivals.extend(_arrival(walk, at_ms) for walk in beacon)
                next_advert_ms[index] += rng.expovariate(1 / ADVERT_MEAN_MS)
        arrivals.sort(key=lambda arrival: arrival.at_ms)
        yield from arrivals


def _arrival(walk: _Walk, at_ms: int) -> Arrival:
    signal = walk.signal
    return Arrival(
        BASE_MS + at_ms,
        signal.sensor,
        signal.quantity,
        walk.at(at_ms),
        signal.unit,
        signal.decimals,
    )
