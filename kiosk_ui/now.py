"""GET /api/now: the newest of every stream, and what it means for a person, as one object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui import moon
from kiosk_ui.air import heat_index_celsius, heat_level, pm2_5_band
from kiosk_ui.history import History
from kiosk_ui.sun import sunrise_sunset_s
from kiosk_ui.tides import tide

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.entry import Entry
    from sync.journal import Journal

GONE_S = 3_600  # A value older than this says nothing about now.

JsonObject = dict[str, Any]


@dataclass
class Present:
    """What there is to ask about this moment; place and release change with the pack."""

    journal: Journal
    clock: Clock
    uplink_status: Callable[[], JsonObject]
    latitude: float
    longitude: float
    release: str
    history: History = field(default_factory=History)
    stalls: Callable[[], JsonObject] = dict  # What the stalls told for today.

    async def catch_up(self) -> None:
        """Let the day's means and sums know what is new."""
        await self.history.catch_up(self.journal)

    def snapshot(self) -> JsonObject:
        """The newest reading of every stream, and all that follows from them."""
        return self.message(self.journal.seq, self.journal.latest().values())

    def message(self, seq: int, entries: Iterable[Entry]) -> JsonObject:
        """These entries, and what follows from all of the newest ones."""
        latest = self._readings(self.journal.latest().values())
        return {
            "seq": seq,
            "release": self.release,
            "clock": self.clock.state(),
            "uplink": self.uplink_status(),
            "card": self._card(),
            "readings": self._readings(entries),
            "stalls": self.stalls(),
            "today": today(
                latest, self.clock.utc_ms(), self.latitude, self.longitude, self.history
            ),
        }

    def _card(self) -> str:
        """Whether what is measured now survives a power cut: ok, memory or full."""
        if self.journal.memory:
            return "memory"
        return "full" if self.journal.trouble else "ok"

    def _readings(self, entries: Iterable[Entry]) -> list[JsonObject]:
        now_ms = self.clock.boottime_ms()
        return [
            reading(entry, now_ms)
            for entry in sorted(entries, key=lambda entry: entry.stream.name)
            # Nobody can say how old a value from before the last start of the machine is.
            if entry.boot == self.clock.boot
        ]


PRESENT = web.AppKey("present", Present)


async def now(request: web.Request) -> web.Response:
    """GET /api/now."""
    present = request.app[PRESENT]
    await present.catch_up()
    text = to_json(present.snapshot())
    return web.Response(
        text=text, content_type="application/json", headers={"Cache-Control": "no-store"}
    )


def to_json(value: object) -> str:
    """Compact JSON. Raises `ValueError` for NaN, which no page could read."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def reading(entry: Entry, now_ms: int) -> JsonObject:
    """One entry as the page sees it."""
    return {
        "stream": entry.stream.name,
        "quantity": entry.stream.quantity,
        "value": None if entry.value is None else round(entry.value, entry.stream.decimals),
        "unit": entry.stream.unit,
        "age_s": round(max(0, now_ms - entry.at_ms) / 1000, 1),
        "quality": entry.quality,
        "simulated": entry.stream.simulated,
    }


def today(
    readings: Iterable[JsonObject],
    utc_ms: int | None,
    latitude: float,
    longitude: float,
    history: History | None = None,
) -> JsonObject:
    """Tide, sun, moon, heat, PM2.5 and rain; None where there is nothing true to show."""
    known = list(readings)
    fresh = [row for row in known if row["value"] is not None and row["age_s"] <= GONE_S]
    shown: JsonObject = {
        "tide": None,
        "tide_missing": None,
        "sun": None,
        "moon": None,
        "heat_index": _heat_index(fresh),
        "pm2_5": _pm2_5(fresh),
        "pm2_5_day": None,
        "rain_day": None,
    }
    if utc_ms is None:
        shown["tide_missing"] = "clock_not_set"
        return shown
    shown["tide"] = tide(utc_ms / 1000)
    shown["moon"] = _moon(utc_ms / 1000)
    times = sunrise_sunset_s(utc_ms / 1000, latitude, longitude)
    if times is not None:
        shown["sun"] = {"rise_ms": times[0] * 1000, "set_ms": times[1] * 1000, "computed": True}
    if history is not None:
        shown["pm2_5_day"] = _pm2_5_day(known, utc_ms, history)
        shown["rain_day"] = _rain_day(known, utc_ms, history)
    return shown


def _moon(utc_s: float) -> JsonObject:
    elongation = moon.elongation_degrees(utc_s)
    coming = {"new": moon.next_at_s(utc_s, 0), "full": moon.next_at_s(utc_s, 180)}
    return {
        "phase": moon.phase(elongation),
        "lit_percent": round(100 * moon.illuminated(elongation)),
        "waxing": elongation < 180,
        "next": [
            {"kind": kind, "at_ms": at_s * 1000}
            for kind, at_s in sorted(coming.items(), key=lambda item: item[1])
        ],
        "computed": True,
    }


def _best(readings: Iterable[JsonObject], quantity: str) -> list[JsonObject]:
    """Readings of one quantity: measured before simulated, then the newest first."""
    found = [row for row in readings if row["quantity"] == quantity]
    return sorted(found, key=lambda row: (row["simulated"], row["age_s"]))


def _heat_index(readings: list[JsonObject]) -> JsonObject | None:
    """From one sensor's own temperature and humidity: two places do not make one index."""
    humidity = {
        row["stream"].rpartition("/")[0]: row for row in _best(readings, "relative_humidity")
    }
    for air in _best(readings, "air_temperature"):
        sensor = air["stream"].rpartition("/")[0]
        if sensor not in humidity:
            continue
        damp = humidity[sensor]
        value = round(heat_index_celsius(air["value"], damp["value"]), 1)
        return {
            "value": value,
            "unit": "Cel",
            "level": heat_level(value),
            "age_s": max(air["age_s"], damp["age_s"]),
            "source": sensor,
            "simulated": air["simulated"] or damp["simulated"],
        }
    return None


def _pm2_5(readings: list[JsonObject]) -> JsonObject | None:
    for row in _best(readings, "pm2_5"):
        return {
            "value": row["value"],
            "unit": row["unit"],
            "band": pm2_5_band(row["value"]),
            "averaging": "now",  # One value; the official index is a mean of 24 hours.
            "age_s": row["age_s"],
            "source": row["stream"].rpartition("/")[0],
            "simulated": row["simulated"],
        }
    return None


def _pm2_5_day(rows: list[JsonObject], utc_ms: int, history: History) -> JsonObject | None:
    """The mean that the official bands are made for, where enough of the day was measured."""
    for row in _best(rows, "pm2_5"):
        mean = history.day_mean(row["stream"], utc_ms)
        if mean is None:
            continue
        value = round(mean.value, 1)
        return {
            "value": value,
            "unit": row["unit"],
            "band": pm2_5_band(value),
            "averaging": "24h",
            "hours": mean.hours,
            "until_ms": mean.until_ms,
            "age_s": round((utc_ms - mean.until_ms) / 1000, 1),
            "source": row["stream"].rpartition("/")[0],
            "simulated": row["simulated"],
        }
    return None


def _rain_day(rows: list[JsonObject], utc_ms: int, history: History) -> JsonObject | None:
    """What fell since midnight, or since measuring began."""
    for row in _best(rows, "rain"):
        fallen = history.day_sum(row["stream"], utc_ms)
        if fallen is None:
            continue
        return {
            "value": round(fallen.value, 1),
            "unit": row["unit"],
            "since_ms": fallen.since_ms,
            "whole_day": fallen.whole,
            "age_s": row["age_s"],
            "source": row["stream"].rpartition("/")[0],
            "simulated": row["simulated"],
        }
    return None
