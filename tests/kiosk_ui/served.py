"""A kiosk's screen in a process of its own, with a real journal and settled demo values.

    python -m tests.kiosk_ui.served PORT PX_PER_MM FOLDER TRUST PACK

TRUST is whom the clock believes: "system", "nobody" for a clock that is not set, or "1970" for a
machine whose own clock began there at the last start. PACK is
"shipped", or "stalls" for the same with two stalls and a technician's PIN, or with notices:
"calm" for one, "notices" for one of each level.

Browser tests and pictures want the same values each time, so these stand still; only the time
is real. Whoever started the process kills it.
"""

from __future__ import annotations

import asyncio
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from aiohttp import web

from drivers.reading import Reading
from kiosk_ui.app import make_app
from kiosk_ui.content import load_pack
from kiosk_ui.place import KioskPlace
from sync.clock import Clock
from sync.journal import Journal
from tests.kiosk_ui import desk_client
from tests.kiosk_ui.desk_client import pin_hash, stall_pack
from tests.kiosk_ui.notice_pack import all_levels, calm, notice_pack

READY = "ready"
NOTICES = {"calm": calm, "notices": all_levels}
BEAT_S = 2
STORY = {
    "air": (
        Reading("air_temperature", 30.4, "Cel"),
        Reading("relative_humidity", 74.0, "%"),
        Reading("pressure", 1009.2, "hPa"),
        Reading("pm2_5", 18, "ug/m3"),
    ),
    "pier": (
        Reading("water_temperature", 29.1, "Cel"),
        Reading("water_level", 1.87, "m"),
    ),
    "wind": (Reading("wind_speed", 3.4, "m/s"),),
    "market": (Reading("sound_level", 61.5, "dB"), Reading("people", 12, "1/min")),
}
MACHINE = (
    Reading("cpu_temperature", 51.2, "Cel"),
    Reading("load_1m", 0.4, "1"),
    Reading("memory_used", 34.2, "%"),
)
DECIMALS = {"water_level": 2, "pm2_5": 0, "people": 0}


def tell(journal: Journal, clock: Clock) -> None:
    """Append one beat of every sensor."""
    at_ms = clock.boottime_ms()
    for sensor, readings in STORY.items():
        decimals = {row.quantity: DECIMALS.get(row.quantity, 1) for row in readings}
        journal.append(sensor, readings, at_ms, simulated=True, decimals=decimals)
    decimals = {row.quantity: 1 for row in MACHINE}
    journal.append("machine", MACHINE, at_ms, simulated=False, decimals=decimals)


def uplink() -> dict[str, Any]:
    """An uplink that is well."""
    return {"state": "online", "pending": 0, "last_ack_age_s": 1.0, "city": "http://127.0.0.1"}


def clock_of(trust: str) -> Clock:
    """A clock that believes whom it may."""
    if trust == "1970":
        return Clock(trust=("system",), wall_ms=lambda: time.monotonic_ns() // 1_000_000)
    return Clock(trust=() if trust == "nobody" else (trust,))


async def serve(port: int, px_per_mm: float, folder: Path, trust: str, pack: str) -> None:
    """Serve the screen on this port, for ever."""
    clock = clock_of(trust)
    clock.poll()
    journal = await Journal.open(folder, clock)
    tell(journal, clock)
    place = KioskPlace(px_per_mm=px_per_mm, latitude=13.341, longitude=100.925)
    shown = load_pack()
    if pack == "stalls":
        shown, place = stall_pack(), replace(place, id="angsila-1", technician_pin=pin_hash())
    if pack in NOTICES:
        shown = notice_pack(NOTICES[pack]())
    app = make_app(
        journal,
        clock,
        uplink,
        shown,
        place,
        lambda: desk_client.HEALTH,
        machine=lambda: desk_client.MACHINE,
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    while True:
        try:
            async with asyncio.timeout(BEAT_S):
                await asyncio.Event().wait()
        except TimeoutError:
            tell(journal, clock)


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2]), Path(sys.argv[3]), *sys.argv[4:6]))
