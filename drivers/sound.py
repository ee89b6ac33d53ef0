"""Sound level: from the samples of a calibrated microphone to LAeq, L10 and L90.

No sound is kept: samples become one number for each eighth of a second, at once.
"""

import math

from drivers.errors import FrameError, NoDataError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from drivers.reading import SpecRow

    class Microphone(Protocol):
        """Samples from -1 to 1."""

        SAMPLES_PER_S: int

        async def open(self) -> None:
            """Start to listen. Raises `BusError`."""

        async def close(self) -> None:
            """Stop."""

        async def samples(self, count: int) -> "list[float]":
            """The next `count` samples. Raises `BusError`."""


# Pole frequencies of the A-weighting (IEC 61672-1, annex E), in Hz.
F1, F2, F3, F4 = 20.598997, 107.65265, 737.86223, 12194.217
REFERENCE_HZ = 1000.0

# IEC 61672-1: time weighting "fast" is 125 ms; a level each so often is the usual base of
# percentiles.
BLOCK_S = 0.125
BLOCKS = 8  # In a reading, by default a second.
BLOCKS_MAX = 28_800  # An hour.

# An ICS-43434 (data sheet): -26 dB full scale at 94 dB and 1 kHz. A full-scale sine has an
# RMS 3.01 dB below full scale, and the sensitivity is meant against it.
SENSITIVITY_DBFS = -26.0
REFERENCE_DB = 94.0
SINE_DB = 3.0103
QUIETEST_DBFS = -140.0
CLIPPED = 0.999


class SoundLevel:
    """One microphone. A reading covers `blocks` eighths of a second."""

    KIND = "sound_level"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (
        ("sound_level", "dB", 0, 140, 1),
        ("sound_level_l10", "dB", 0, 140, 1),
        ("sound_level_l90", "dB", 0, 140, 1),
    )

    def __init__(
        self,
        microphone: "Microphone",
        *,
        sensitivity_dbfs: float = SENSITIVITY_DBFS,
        blocks: int = BLOCKS,
    ) -> None:
        if not 1 <= blocks <= BLOCKS_MAX:
            raise FrameError(f"sound_level: blocks = {blocks} is not from 1 to 28800", "input")
        self._microphone = microphone
        self._sensitivity_dbfs = sensitivity_dbfs
        self._blocks = blocks
        self._weighting = AWeighting(microphone.SAMPLES_PER_S)

    async def start(self) -> None:
        """Start to listen. Raises `BusError`."""
        self._weighting = AWeighting(self._microphone.SAMPLES_PER_S)
        await self._microphone.open()
        # The filter and the microphone's own high-pass need a while to settle.
        for _ in range(BLOCKS):
            await self._block_dbfs()

    async def read(self) -> tuple[Reading, ...]:
        """Listen for as long as a reading covers. Raises `BusError`."""
        levels = []
        clipped = False
        for _ in range(self._blocks):
            dbfs, is_clipped = await self._block_dbfs()
            clipped = clipped or is_clipped
            levels.append(level_db(dbfs, self._sensitivity_dbfs))
        return readings(self.SPEC, levels, is_clipped=clipped)

    async def close(self) -> None:
        """Stop."""
        await self._microphone.close()

    async def _block_dbfs(self) -> "tuple[float, bool]":
        """A-weighted level of the next eighth of a second, and whether it was too loud."""
        count = round(self._microphone.SAMPLES_PER_S * BLOCK_S)
        samples = await self._microphone.samples(count)
        clipped = max(samples) >= CLIPPED or min(samples) <= -CLIPPED
        return rms_dbfs(self._weighting.weighted(samples)), clipped


class AWeighting:
    """The A-weighting as a digital filter for one rate of samples (bilinear transform)."""

    def __init__(self, samples_per_s: int) -> None:
        # Four zeros at 0 Hz; double poles at F1 and F4, single ones at F2 and F3. Each
        # section below is one second-order part; the last has no zeros at 0 Hz.
        self._sections = [
            section(samples_per_s, F1, F1, high_pass=True),
            section(samples_per_s, F2, F3, high_pass=True),
            section(samples_per_s, F4, F4, high_pass=False),
        ]
        self._state = [[0.0, 0.0] for _ in self._sections]
        self._gain = 1.0
        self._gain = 10 ** (-self.response_db(REFERENCE_HZ, samples_per_s) / 20)

    def response_db(self, frequency_hz: float, samples_per_s: int) -> float:
        """What the filter does to a tone, in dB."""
        w = 2 * math.pi * frequency_hz / samples_per_s
        c1, s1, c2, s2 = math.cos(w), math.sin(w), math.cos(2 * w), math.sin(2 * w)
        power = self._gain**2
        for b0, b1, b2, a1, a2 in self._sections:
            above = (b0 + b1 * c1 + b2 * c2) ** 2 + (b1 * s1 + b2 * s2) ** 2
            below = (1 + a1 * c1 + a2 * c2) ** 2 + (a1 * s1 + a2 * s2) ** 2
            power *= above / below
        return 10 * math.log10(power)

    def weighted(self, samples: "Iterable[float]") -> "list[float]":
        """The samples behind the filter; it goes on where it was."""
        signal = [sample * self._gain for sample in samples]
        for (b0, b1, b2, a1, a2), state in zip(self._sections, self._state):  # noqa: B905
            z1, z2 = state
            for i, x in enumerate(signal):
                y = b0 * x + z1
                z1 = b1 * x - a1 * y + z2
                z2 = b2 * x - a2 * y
                signal[i] = y
            state[0], state[1] = z1, z2
        return signal


def section(
    samples_per_s: int, first_hz: float, second_hz: float, *, high_pass: bool
) -> "tuple[float, float, float, float, float]":
    """b0 b1 b2 a1 a2 of two poles by the bilinear transform."""
    # Every s becomes 2 fs (z - 1) / (z + 1); a pole at w becomes (k + w) z - (k - w).
    # Warping is undone for the pole itself, so that it lands where it belongs.
    limit_hz = 0.49 * samples_per_s
    k = 2.0 * samples_per_s
    w1 = k * math.tan(math.pi * min(first_hz, limit_hz) / samples_per_s)
    w2 = k * math.tan(math.pi * min(second_hz, limit_hz) / samples_per_s)
    a0 = (k + w1) * (k + w2)
    a1 = -((k - w1) * (k + w2) + (k + w1) * (k - w2)) / a0
    a2 = (k - w1) * (k - w2) / a0
    if high_pass:
        b = k * k / a0
        return b, -2 * b, b, a1, a2
    b = w1 * w2 / a0
    return b, 2 * b, b, a1, a2


def a_weighting_db(frequency_hz: float) -> float:
    """A-weighting of a tone in dB (IEC 61672-1, annex E), 0 at 1000 Hz."""
    return _a_db(frequency_hz) - _a_db(REFERENCE_HZ)


def _a_db(frequency_hz: float) -> float:
    f2 = frequency_hz * frequency_hz
    above = F4**2 * f2 * f2
    below = (f2 + F1**2) * math.sqrt((f2 + F2**2) * (f2 + F3**2)) * (f2 + F4**2)
    return 20 * math.log10(above / below)


def exact_hz(nominal_hz: float) -> float:
    """The exact frequency of a third-octave band that is called by a rounded name."""
    return 1000 * 10 ** (round(10 * math.log10(nominal_hz / 1000)) / 10)


def rms_dbfs(samples: "list[float]") -> float:
    """Root mean square of samples from -1 to 1, in dB of full scale."""
    mean_square = sum(sample * sample for sample in samples) / len(samples)
    if mean_square <= 0:
        return QUIETEST_DBFS
    return max(10 * math.log10(mean_square), QUIETEST_DBFS)


def level_db(
    dbfs: float,
    sensitivity_dbfs: float = SENSITIVITY_DBFS,
    reference_db: float = REFERENCE_DB,
    offset_db: float = SINE_DB,
) -> float:
    """Sound pressure level of what a microphone with that sensitivity gives."""
    return dbfs - sensitivity_dbfs + reference_db + offset_db


def equivalent_db(levels_db: "list[float]") -> float:
    """Leq: the level of the mean energy, not the mean of the levels. Raises `NoDataError`."""
    if not levels_db:
        raise NoDataError("no levels to take the mean of")
    energy = sum([10 ** (level / 10) for level in levels_db]) / len(levels_db)
    return 10 * math.log10(energy)


def exceeded_db(levels_db: "list[float]", percent: float) -> float:
    """The level that is exceeded in so many per cent of the time, such as L10 and L90."""
    if not levels_db:
        raise NoDataError("no levels to compare")
    in_order = sorted(levels_db)
    place = (len(in_order) - 1) * (1 - percent / 100)
    below = int(place)
    above = min(below + 1, len(in_order) - 1)
    return in_order[below] + (in_order[above] - in_order[below]) * (place - below)


def readings(
    spec: "tuple[SpecRow, ...]", levels_db: "list[float]", *, is_clipped: bool = False
) -> tuple[Reading, ...]:
    """LAeq, L10 and L90 of some levels; too loud for the microphone is said."""
    found = [
        measured(spec[0], equivalent_db(levels_db)),
        measured(spec[1], exceeded_db(levels_db, 10)),
        measured(spec[2], exceeded_db(levels_db, 90)),
    ]
    if is_clipped:
        found = [
            one if one.value is None else Reading(one.quantity, one.value, one.unit, "saturated")
            for one in found
        ]
    return tuple(found)
