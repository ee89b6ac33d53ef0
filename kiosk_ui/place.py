"""Where one kiosk stands and what its panel is like: plain settings, no behaviour."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from kiosk_ui.languages import BROUGHT
from kiosk_ui.tiles import TILES

if TYPE_CHECKING:
    from collections.abc import Mapping

PX_PER_MM_MIN = 1.0
PX_PER_MM_MAX = 30.0
FULL_CIRCLE_DEG = 360
ALL_TILES = tuple(tile.key for tile in TILES)

PIER = {
    "th": "ตลาดสะพานปลาอ่างศิลา",
    "en": "Ang Sila fishing pier market",
    "zh": "昂西拉鱼码头市场",
}


@dataclass(frozen=True, kw_only=True)
class KioskPlace:
    """One kiosk: its name per language, its position if it was surveyed, its panel."""

    id: str = "kiosk"  # What the city knows it by.
    technician_pin: str = ""  # Its hash, see kiosk_ui/pin.py; empty: nobody gets in.
    names: Mapping[str, str] = field(default_factory=lambda: dict(PIER))
    latitude: float | None = None  # None until the technician has set it.
    longitude: float | None = None
    heading_deg: float | None = None  # What a person who reads it faces: 0 north, 90 east.
    px_per_mm: float = 5.88  # A 10.1 inch panel of 1280 x 800.
    languages: tuple[str, ...] = BROUGHT  # Empty: all that the pack has.
    start_language: str = "th"
    tiles: tuple[str, ...] = ALL_TILES  # Ways on from the home screen, in this order.
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost")  # Names this screen answers to.
    idle_s: int = 60  # Without a touch for so long, the screen asks.
    warning_s: int = 20  # And then waits so long (WCAG 2.2.1 asks for 20 s).

    def __post_init__(self) -> None:
        """Refuse what cannot be. Raises `ValueError`."""
        if not PX_PER_MM_MIN <= self.px_per_mm <= PX_PER_MM_MAX:
            raise ValueError(f"px_per_mm is {PX_PER_MM_MIN} to {PX_PER_MM_MAX}: {self.px_per_mm}")
        if self.languages and self.start_language not in self.languages:
            raise ValueError(f"start_language is one of {self.languages}: {self.start_language!r}")
        if unknown := set(self.tiles) - set(ALL_TILES):
            raise ValueError(f"tiles are of {ALL_TILES}: {sorted(unknown)}")
        if self.heading_deg is not None and not 0 <= self.heading_deg < FULL_CIRCLE_DEG:
            raise ValueError(f"heading_deg is 0 to {FULL_CIRCLE_DEG}: {self.heading_deg}")
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError(
                f"latitude and longitude come together: {self.latitude}, {self.longitude}"
            )

    def fitted(self, of_pack: tuple[str, ...]) -> KioskPlace:
        """The same kiosk with the languages that it can speak with this pack."""
        wanted = tuple(code for code in self.languages if code in of_pack) or of_pack
        start = self.start_language if self.start_language in wanted else wanted[0]
        return replace(self, languages=wanted, start_language=start)

    @property
    def position(self) -> tuple[float, float] | None:
        """Latitude and longitude in degrees, or None where nobody has surveyed it."""
        if self.latitude is None or self.longitude is None:
            return None
        return self.latitude, self.longitude
