"""A kiosk's desk on loopback: what people send, with a real journal and a clock turned by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from kiosk_ui import desk
from kiosk_ui.beat import BEATS, Beats
from kiosk_ui.content import Pack, load_pack
from kiosk_ui.pin import enter, hash_pin
from kiosk_ui.place import KioskPlace
from kiosk_ui.stalls import STALLS, tell_today
from kiosk_ui.technician import technician
from kiosk_ui.tell import tell
from kiosk_ui.usage import count
from sync import wire
from sync.clock import Clock
from sync.entry import Event, Lane
from sync.journal import Journal

BOOT = "0123456789abcdef0123456789abcdef"
PIN = "270519"
NOON_UTC_MS = 1_800_000_000_000 // 86_400_000 * 86_400_000 + 5 * 3_600_000  # 12:00 in Bangkok.
HOUR_MS = 3_600_000


class Time:
    """The hand on the clock: CLOCK_BOOTTIME, and a wall clock that goes with it."""

    def __init__(self) -> None:
        self.ms = 60_000
        self.started_utc_ms = NOON_UTC_MS - 60_000
        self.set = True

    def boottime_ms(self) -> int:
        """CLOCK_BOOTTIME."""
        return self.ms

    def wall_ms(self) -> int:
        """UTC."""
        return self.started_utc_ms + self.ms

    def ntp_error_ms(self) -> int | None:
        """What the kernel says of its clock."""
        return 10 if self.set else None


@cache
def pin_hash() -> str:
    """The hash of `PIN`, made once."""
    return hash_pin(PIN)


def stall_rows() -> tuple[dict[str, Any], ...]:
    """Two stalls as a pack has them."""
    names = {"th": "ร้านป้าแดง", "en": "Aunt Daeng", "zh": "阿姨的摊位"}
    kilo = {"th": "กก.", "en": "kg", "zh": "公斤"}
    goods = [{"id": "oyster", "unit": kilo}, {"id": "blue-crab", "unit": kilo}, {"id": "mussel"}]
    prices = {"oyster": [100, 120, 150], "blue-crab": [250, 300, 350, 400]}
    stall = {"names": names, "goods": goods, "price_presets": prices, "pin": pin_hash()}
    return (
        {"number": "12", "entry": "fishing-pier-market", **stall},
        {"number": "7", **stall, "goods": goods[:1], "price_presets": {}},
    )


def stall_pack() -> Pack:
    """The shipped pack with two stalls, which it does not have."""
    return replace(load_pack(), stalls=stall_rows())


class Desk:
    """What a test asks, and what it looks at."""

    def __init__(
        self, app: web.Application, client: TestClient[Any, Any], journal: Journal, now: Time
    ) -> None:
        self.app = app
        self.client = client
        self.journal = journal
        self.now = now

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, dict[str, Any]]:
        """POST as our page does; the status and what was said."""
        sent = {"Sec-Fetch-Site": "same-origin", **headers}
        answer = await self.client.post(path, json=body, headers=sent)
        return answer.status, await answer.json()

    async def enter(self, door: str, pin: str = PIN) -> tuple[int, dict[str, Any]]:
        """Type a PIN."""
        return await self.post("/api/pin", {"door": door, "pin": pin})

    async def events(self, kind: str = "") -> list[Event]:
        """What is on the card, of this kind or of all."""
        last = self.journal.position(Lane.EVENTS).sealed
        found = await self.journal.segments(
            Lane.EVENTS, 1, last, limit=10_000, bytes_max=10_000_000
        )
        all_events = [
            event
            for stored in found
            for event in wire.segment_events(wire.decode_segment(stored.body))
        ]
        return [event for event in all_events if kind in ("", event.kind)]

    def told_today(self) -> dict[str, Any]:
        """What the screens show of the stalls."""
        return self.app[STALLS].today()


@asynccontextmanager
async def opened_desk(folder: Path, now: Time, boot: str = BOOT) -> AsyncIterator[Desk]:
    """A kiosk on this state folder during the block; another boot is a start of the machine."""
    clock = Clock(
        boot=boot,
        boottime_ms=now.boottime_ms,
        wall_ms=now.wall_ms,
        ntp_error_ms=now.ntp_error_ms,
    )
    journal = await Journal.open(folder, clock)
    if anchor := clock.poll():
        journal.add_anchor(anchor)
    app = web.Application()
    app[BEATS] = Beats()
    desk.put_up(app, journal, lambda: HEALTH, lambda: MACHINE)
    place = KioskPlace(id="angsila-1", technician_pin=pin_hash())
    desk.renew(app, stall_pack(), place, "r1")
    app.add_routes(
        [
            web.post("/api/tell", tell),
            web.post("/api/usage", count),
            web.post("/api/pin", enter),
            web.post("/api/stall", tell_today),
            web.get("/api/technician", technician),
        ]
    )
    try:
        async with TestClient(TestServer(app)) as client:
            yield Desk(app, client, journal, now)
    finally:
        await journal.close()


HEALTH: dict[str, Any] = {
    "uptime_s": 7_300,
    "versions": {"angsila": "0.1.0", "python": "3.11.2", "kernel": "6.12"},
    "sensors": [
        {"name": "pier", "state": "ok", "quality": "ok", "simulated": True, "why": ""},
        {"name": "air", "state": "failed", "quality": "no_data", "simulated": False, "why": "gone"},
    ],
    "uplink": {"state": "offline", "pending": 3, "last_ack_age_s": 40.0},
}
MACHINE: dict[str, Any] = {
    "serial": "10000000abcdef01",
    "model": "Raspberry Pi 4 Model B",
    "disk_free_bytes": 12_400_000_000,
    "disk_bytes": 29_000_000_000,
    "temperature_celsius": 52.1,
    "throttled": 0x50000,
}
