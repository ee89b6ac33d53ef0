"""The one noun of this folder: a reading, and the words that say how good it is."""

from collections import namedtuple

from drivers.port import MICROPYTHON

TYPE_CHECKING = False

# The place of a word is its number on the wire: append, never reorder.
QUALITIES = (
    "ok",
    "warming_up",
    "stale",
    "out_of_range",
    "checksum",
    "timeout",
    "io",
    "no_data",
    "saturated",
    "uncalibrated",
    "power_on_value",
    "wrong_chip",
    "absent",
)

if TYPE_CHECKING:
    from typing import NamedTuple

    # One row of a driver's SPEC: quantity, UCUM unit, lowest and highest value the
    # data sheet promises, decimals that mean something.
    SpecRow = tuple[str, str, float, float, int]

    class Reading(NamedTuple):
        """One quantity, measured once."""

        quantity: str
        value: float | int | None
        unit: str
        quality: str = "ok"

elif MICROPYTHON:
    # Its namedtuple knows no defaults and cannot be subclassed with a `__new__`.
    _Reading = namedtuple(  # noqa: PYI024  # typing is not portable
        "Reading", ("quantity", "value", "unit", "quality")
    )

    def Reading(  # noqa: N802  # it is a class elsewhere
        quantity: str, value: float, unit: str, quality: str = "ok"
    ) -> tuple:
        """One quantity, measured once."""
        return _Reading(quantity, value, unit, quality)

else:
    Reading = namedtuple(  # noqa: PYI024  # typing is not portable
        "Reading", ("quantity", "value", "unit", "quality"), defaults=("ok",)
    )
    Reading.__doc__ = "One quantity, measured once."


def measured(row: "SpecRow", value: float) -> Reading:
    """Round `value` as its SPEC row says, or refuse it as out of range (NaN included)."""
    quantity, unit, low, high, decimals = row
    if not low <= value <= high:
        return Reading(quantity, None, unit, "out_of_range")
    rounded = round(value, decimals) if decimals else round(value)
    return Reading(quantity, rounded, unit)


def without_values(spec: "tuple[SpecRow, ...]", quality: str) -> tuple[Reading, ...]:
    """Every quantity of `spec` with no value and the `quality` that says why."""
    return tuple([Reading(row[0], None, row[1], quality) for row in spec])
