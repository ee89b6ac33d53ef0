"""Today: the screen that live values are painted on, and the words of all live values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens


class Quantity(NamedTuple):
    """A measured quantity that a visitor understands, and how it is shown."""

    name: str
    words: str
    icon: str
    decimals: int


QUANTITIES = (
    Quantity("air_temperature", "Air", "heat", 1),
    Quantity("relative_humidity", "Humidity", "drop", 0),
    Quantity("water_temperature", "Sea water", "wave", 1),
    Quantity("water_level", "Water level", "wave", 2),
    Quantity("wind_speed", "Wind", "air", 1),
    Quantity("sound_level", "Noise", "sound", 0),
    Quantity("people", "Visitors", "people", 0),
    Quantity("pressure", "Pressure", "gauge", 0),
    Quantity("rain", "Rain", "drop", 1),
    Quantity("cpu_temperature", "Kiosk heat", "chip", 0),
    Quantity("load_1m", "Kiosk load", "chip", 1),
    Quantity("memory_used", "Kiosk memory", "chip", 0),
)

# What the script of live values has to say, by the name it uses.
WORDS = {
    "rising": "rising",
    "falling": "falling",
    "slack": "slack",
    "high": "high",
    "low": "low",
    "estimate": "estimate",
    "simulated": "simulated",
    "justNow": "just now",
    "minAgo": "{n} min ago",
    "noData": "no data",
    "clockNotSet": "Clock not set",
    "tideMissing": "The clock is not set, so no tide is shown.",
    "sensorSilent": "sensor silent",
    "backIn": "Back to the start in {n} s",
    "now": "now",
    "metre": "m",
    "perMinute": "per min",
}
HEAT_ADVICE = (
    "Enjoy your walk, and drink water.",
    "Drink water and rest in the shade.",
    "Avoid the midday sun and drink often.",
    "Stay in the shade: heat stroke is a danger.",
    "Go indoors now. If you feel ill, call 1669.",
)


def screens(one: Screens) -> dict[str, str]:
    """The screen of this moment."""
    return {
        "today": one.render("today.html", quantities=QUANTITIES),
    }


def levels(one: Screens) -> dict[str, Any]:
    """The names of the levels of heat and air, and what to do."""
    heat = [label[one.language] for _, label in one.pack.heat_index]
    return {
        "heat": [one.say("Normal"), *heat],
        "heatAdvice": [one.say(words) for words in HEAT_ADVICE],
        "pm": [band.label[one.language] for band in one.pack.pm2_5],
    }
