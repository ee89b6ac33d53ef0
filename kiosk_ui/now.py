"""GET /api/now: the newest of every stream, and what it means for a person, as one object."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui.air import heat_index_celsius, heat_level, pm2_5_band
from kiosk_ui.sun import sunrise_sunset_s
from kiosk_ui.tides import tide

if TYPE_CHECKING:
    from sync.clock import Clock
    from sync.entry import Entry
    from sync.journal import Journal

GONE_S = 3_600  # A value older than this says nothing about now.

JsonObject = dict[str, Any]


@dataclass(frozen=True)
class Present:
    """What there is to ask about this moment."""

    journal: Journal
    clock: Clock
    uplink_status: Callable[[], JsonObject]
    latitude: float
    longitude: float
    release: str

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
            "today": today(latest, self.clock.utc_ms(), self.latitude, self.longitude),
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
    text = to_json(request.app[PRESENT].snapshot())
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
    readings: Iterable[JsonObject], utc_ms: int | None, latitude: float, longitude: float
) -> JsonObject:
    """Tide, sun, heat index and PM2.5; None where there is nothing true to show."""
    fresh = [row for row in readings if row["value"] is not None and row["age_s"] <= GONE_S]
    shown: JsonObject = {
        "tide": None,
        "tide_missing": None,
        "sun": None,
        "heat_index": _heat_index(fresh),
        "pm2_5": _pm2_5(fresh),
    }
    if utc_ms is None:
        shown["tide_missing"] = "clock_not_set"
        return shown
    shown["tide"] = tide(utc_ms / 1000)
    times = sunrise_sunset_s(utc_ms / 1000, latitude, longitude)
    if times is not None:
        shown["sun"] = {"rise_ms": times[0] * 1000, "set_ms": times[1] * 1000, "computed": True}
    return shown


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
