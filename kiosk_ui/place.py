"""Where one kiosk stands and what its panel is like: plain settings, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

PX_PER_MM_MIN = 1.0
PX_PER_MM_MAX = 30.0

PIER = {
    "th": "ตลาดสะพานปลาอ่างศิลา",
    "en": "Ang Sila fishing pier market",
    "zh": "昂西拉鱼码头市场",
}


@dataclass(frozen=True, kw_only=True)
class KioskPlace:
    """One kiosk: its name per language, its position if it was surveyed, its panel."""

    names: Mapping[str, str] = field(default_factory=lambda: dict(PIER))
    latitude: float | None = None  # None until the technician has set it.
    longitude: float | None = None
    px_per_mm: float = 5.88  # A 10.1 inch panel of 1280 x 800.
    languages: tuple[str, ...] = ("th", "en", "zh")
    start_language: str = "th"
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")  # Names this screen answers to.
    idle_s: int = 60  # Without a touch for so long, the screen asks.
    warning_s: int = 20  # And then waits so long (WCAG 2.2.1 asks for 20 s).

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises `ValueError`."""
        if not PX_PER_MM_MIN <= self.px_per_mm <= PX_PER_MM_MAX:
            raise ValueError(f"px_per_mm is {PX_PER_MM_MIN} to {PX_PER_MM_MAX}: {self.px_per_mm}")
        if self.start_language not in self.languages:
            raise ValueError(f"start_language is one of {self.languages}: {self.start_language!r}")
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError(
                f"latitude and longitude come together: {self.latitude}, {self.longitude}"
            )

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, or None where nobody has surveyed it."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude
