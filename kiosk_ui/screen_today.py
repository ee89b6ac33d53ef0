"""Today: the screen that live values are painted on, and the words of all live values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk_ui.tiles import shown_entries

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens


class Quantity(NamedTuple):
    """A measured quantity that a visitor understands, and how it is shown."""

    name: str
    words: str
    icon: str
    decimals: int
    also: str = ""  # Another quantity that is told beside it.
    day: str = ""  # What is made of the whole day, where that is what people ask for.


# What a visitor understands; how the kiosk itself is doing belongs to the technician.
QUANTITIES = (
    Quantity("air_temperature", "Air", "heat", 1),
    Quantity("relative_humidity", "Humidity", "drop", 0),
    Quantity("water_temperature", "Sea water", "wave", 1),
    Quantity("water_level", "Water level", "wave", 2),
    Quantity("wind_speed", "Wind", "air", 1, also="wind_gust"),
    Quantity("rain", "Rain today", "drop", 1, day="rain_day"),
    Quantity("sound_level", "Noise", "sound", 0),
    Quantity("people", "Visitors", "people", 0),
    Quantity("pressure", "Pressure", "gauge", 0),
    Quantity("pm10", "Coarse dust PM10", "air", 0),
    Quantity("co2", "Carbon dioxide", "leaf", 0),
    Quantity("illuminance", "Light", "sun", 0),
    Quantity("ph", "Acidity of the water", "drop", 1),
    Quantity("dissolved_oxygen", "Oxygen in the water", "fish", 1),
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
    "sensorAbsent": "no sensor",
    "sensorFault": "sensor fault",
    "warmingUp": "warming up",
    "outOfRange": "out of range",
    "damagedAnswer": "damaged answer",
    "oldValue": "old value",
    "uncalibrated": "not calibrated",
    "wind_gust": "gust",
    "sinceTime": "since {n}",
    "until": "to {n}",
    "today": "Today",
    "skyMissing": "The clock is not set, so sun and moon are not shown.",
    "moonLit": "{n}% lit",
    "pmNow": "PM2.5 now",
    "pmDay": "PM2.5, 24 h mean",
    "pmHours": "{n} of 24 h",
    "pmOnlyNow": "A value now, not the 24\N{NO-BREAK SPACE}h index",
    "backIn": "Back to the start in {n} s",
    "now": "now",
    "metre": "m",
    "perMinute": "per min",
}
MOON_PHASES = (
    "New moon",
    "Waxing crescent",
    "First quarter",
    "Waxing gibbous",
    "Full moon",
    "Waning gibbous",
    "Last quarter",
    "Waning crescent",
)
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
        "moon": [one.say(words) for words in MOON_PHASES],
        "events": _events(one),
    }


def _events(one: Screens) -> list[dict[str, str]]:
    """Dated events, the earliest first; the page picks those that are near."""
    dated = [(entry.days, entry) for entry in shown_entries(one.pack, "event") if entry.days]
    return [
        {
            "id": entry.id,
            "name": entry.card_name(one.language),
            "from": days[0].isoformat(),
            "to": days[1].isoformat(),
        }
        for days, entry in sorted(dated, key=lambda row: row[0])
    ]
