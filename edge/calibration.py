"""Calibration: what a comparison with something better has shown, applied beside the raw value.

value = gain × raw + offset. The raw value goes into the journal too, as "<quantity>_raw", so a
calibration that turns out to be wrong spoils nothing: the city can always go back.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from drivers.reading import Reading

if TYPE_CHECKING:
    from drivers.reading import SpecRow

RAW = "_raw"


@dataclass(frozen=True, slots=True)
class Calibration:
    """One quantity of one sensor, with who compared it when with what."""

    gain: float
    offset: float
    date: str
    by: str
    ref: str

    def of(self, raw: float) -> float:
        """The true value, as far as we know it."""
        return self.gain * raw + self.offset

    def words(self) -> dict[str, Any]:
        """Say it for /health."""
        return {
            "gain": self.gain,
            "offset": self.offset,
            "date": self.date,
            "by": self.by,
            "ref": self.ref,
        }


def calibrated(
    readings: tuple[Reading, ...], table: Mapping[str, Calibration], *, needs: bool
) -> tuple[Reading, ...]:
    """Readings with what is known of their sensor.

    A quantity in `table` is followed by its raw value. Where a probe `needs` a calibration and
    has none, its value stays and says "uncalibrated".
    """
    if not table and not needs:
        return readings
    made: list[Reading] = []
    for reading in readings:
        calibration = table.get(reading.quantity)
        if calibration is None:
            bare = needs and reading.quality == "ok"
            made.append(reading._replace(quality="uncalibrated") if bare else reading)
            continue
        raw = reading._replace(quantity=reading.quantity + RAW)
        value = None if reading.value is None else calibration.of(reading.value)
        if value is not None and not math.isfinite(value):
            made.append(reading._replace(value=None, quality="out_of_range"))
        else:
            made.append(reading._replace(value=value))
        made.append(raw)
    return tuple(made)


def with_raw(
    spec: "tuple[SpecRow, ...]", table: Mapping[str, Calibration]
) -> "tuple[SpecRow, ...]":
    """The rows of a driver, and one more for each raw value."""
    raw = tuple((row[0] + RAW, *row[1:]) for row in spec if row[0] in table)
    return spec + raw
