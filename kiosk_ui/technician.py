"""GET /api/technician: how the kiosk is, for who has the technician's PIN."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui.pin import PINS
from kiosk_ui.posts import answer
from sync import wire
from sync.entry import Lane

if TYPE_CHECKING:
    from collections.abc import Callable

    from kiosk_ui.beat import Beats
    from kiosk_ui.content import Pack
    from sync.journal import Journal

DOOR = "technician"
SEGMENT_BYTES_MAX = 256 * 1024
SENSORS_MAX = 64  # Rows.
WHY_MAX = 60
OLD_S = 600
HOT_CELSIUS, TOO_HOT_CELSIUS = 70.0, 80.0  # A Pi slows down from 80 °C on.
DISK_LOW_BYTES = 500_000_000
CLOCK_ERROR_MAX_MS = 60_000
QUIET_MAX_S = 900  # Without an answer from the city for longer, somebody should look.
PAGE_MAX_S = 30
# Bits of the Pi's firmware: what is now, and what was since the start.
THROTTLED = {0: "low voltage", 1: "slowed", 2: "throttled", 3: "hot"}
THROTTLED_BEFORE_BIT = 16

Fact = tuple[str, str]  # What it says, and its tone: "", "ok", "warn" or "bad".


class Technician:
    """What there is to ask about this kiosk. `machine` is what the edge knows of the board."""

    def __init__(
        self,
        journal: Journal,
        health: Callable[[], dict[str, Any]],
        machine: Callable[[], dict[str, Any]],
        beats: Beats,
    ) -> None:
        self.journal = journal
        self.health = health
        self.machine = machine
        self.beats = beats
        self.kiosk, self.release = "", ""
        self.pack: Pack | None = None

    def renew(self, kiosk: str, pack: Pack, release: str) -> None:
        """Another pack is shown."""
        self.kiosk, self.pack, self.release = kiosk, pack, release

    async def report(self) -> dict[str, Any]:
        """Everything, as short texts with a tone."""
        health, machine = self.health(), self.machine()
        facts = {
            **self._kiosk(health, machine),
            **self._data(health),
            **_machine(health, machine),
            "oldest": await self._oldest(),
            "page": self._page(),
        }
        return {
            "facts": {name: list(fact) for name, fact in facts.items()},
            "sensors": self._sensors(health)[:SENSORS_MAX],
        }

    def _kiosk(self, health: dict[str, Any], machine: dict[str, Any]) -> dict[str, Fact]:
        versions = health.get("versions", {})
        pack = self.pack
        envelope = None if pack is None else pack.envelope
        signed = _count(envelope.signatures) if envelope is not None else 0
        return {
            "kiosk": (self.kiosk, ""),
            "serial": (machine.get("serial") or "–", ""),
            "model": (machine.get("model") or "–", ""),
            "software": (f"{versions.get('angsila', '–')} · {self.release}", ""),
            "system": (
                f"{versions.get('kernel', '–')} · Python {versions.get('python', '–')}",
                "",
            ),
            "pack": ("–" if pack is None else f"{pack.id} · {pack.version}", ""),
            "signed": (str(signed), "ok" if signed else "warn"),
        }

    def _data(self, health: dict[str, Any]) -> dict[str, Fact]:
        clock, journal = self.journal.clock, self.journal
        if clock.error_ms is None:
            said: Fact = ("!unset", "bad")
        else:
            tone = "ok" if clock.error_ms <= CLOCK_ERROR_MAX_MS else "warn"
            said = (f"{clock.source} ± {clock.error_ms / 1000:.1f} s", tone)
        uplink = health.get("uplink", {})
        state, age_s = str(uplink.get("state", "off")), uplink.get("last_ack_age_s")
        card = "!memory" if journal.memory else "!full" if journal.trouble else "!ok"
        return {
            "clock": said,
            "card": (card, "ok" if card == "!ok" else "bad"),
            "pending": (f"{journal.pending():,}", ""),
            "uplink": (f"!{state}", {"online": "ok", "off": ""}.get(state, "warn")),
            "sync": (
                ("!never", "warn")
                if age_s is None
                else (_age(age_s), "ok" if age_s <= QUIET_MAX_S else "warn")
            ),
        }

    def _page(self) -> Fact:
        """When the page was last heard of, and how it was."""
        last = self.beats.last
        if last is None:
            return "!never", "warn"
        age_s = max(0.0, asyncio.get_running_loop().time() - last.heard_s)
        well = last.alive and not last.fault and age_s <= PAGE_MAX_S
        said = f"{_age(age_s)} · {last.heap_kb // 1024} MB · {last.errors} errors"
        return f"{said} {last.fault}".strip(), "ok" if well else "bad"

    async def _oldest(self) -> Fact:
        """How old the oldest entry is that the city has not got."""
        ages = [age for lane in Lane if (age := await self._oldest_of(lane)) is not None]
        if ages:
            return _age(max(ages)), "ok" if max(ages) <= QUIET_MAX_S else "warn"
        return ("–", "")

    async def _oldest_of(self, lane: Lane) -> float | None:
        position = self.journal.position(lane)
        first = max(self.journal.settled(lane).without_hole() + 1, position.oldest)
        if first > position.sealed:
            return None  # What is not sealed is minutes old, and no matter.
        found = await self.journal.segments(
            lane, first, first, limit=1, bytes_max=SEGMENT_BYTES_MAX
        )
        for stored in found:
            segment = wire.decode_segment(stored.body)
            rows: Any = (
                wire.segment_events(segment) if lane is Lane.EVENTS else wire.segment_rows(segment)
            )
            boot = segment.boot.hex()
            return next((self._age_s(boot, row.at_ms) for row in rows if row.seq >= first), None)
        return None

    def _age_s(self, boot: str, at_ms: int) -> float | None:
        """Seconds since a moment of this boot, or of an earlier one whose time is known."""
        clock = self.journal.clock
        if boot == clock.boot:
            return (clock.boottime_ms() - at_ms) / 1000
        utc_ms = clock.utc_ms()
        for anchor in reversed(self.journal.anchors):
            if anchor.boot == boot and utc_ms is not None:
                return (utc_ms - anchor.utc_at(at_ms)) / 1000
        return None

    def _sensors(self, health: dict[str, Any]) -> list[dict[str, Any]]:
        """Each stream's last value, its age and quality, and why a sensor without one is silent."""
        now_ms = self.journal.clock.boottime_ms()
        rows, heard = [], set()
        for name, entry in sorted(self.journal.latest().items()):
            stream = entry.stream
            heard.add(stream.sensor)
            value = "–" if entry.value is None else f"{entry.value:.{stream.decimals}f}"
            age_s = max(0.0, (now_ms - entry.at_ms) / 1000)
            said = [f"{value} {stream.unit}", _age(age_s)]
            good = entry.quality == "ok" and age_s <= OLD_S
            if entry.quality != "ok":
                said.append(entry.quality)
            rows.append(_row(name, said, "ok" if good else "bad", simulated=stream.simulated))
        for sensor in health.get("sensors", []):
            if sensor["state"] not in ("ok", "starting") or sensor["name"] not in heard:
                said = [sensor["state"], sensor["why"][:WHY_MAX]]
                tone = "" if sensor["state"] == "starting" else "bad"
                rows.append(_row(sensor["name"], said, tone, simulated=sensor["simulated"]))
        return rows


def _row(name: str, said: list[str], tone: str, *, simulated: bool) -> dict[str, Any]:
    says = " · ".join(text for text in said if text)
    return {"name": name, "says": says, "simulated": simulated, "tone": tone}


def _machine(health: dict[str, Any], machine: dict[str, Any]) -> dict[str, Fact]:
    return {
        "disk": _disk(machine.get("disk_free_bytes"), machine.get("disk_bytes")),
        "temperature": _temperature(machine.get("temperature_celsius")),
        "power": _power(machine.get("throttled")),
        "uptime": (_age(health.get("uptime_s", 0)), ""),
    }


def _disk(free_bytes: int | None, all_bytes: int | None) -> Fact:
    if free_bytes is None or all_bytes is None:
        return "–", "warn"
    tone = "ok" if free_bytes >= DISK_LOW_BYTES else "bad"
    return f"{free_bytes / 1e9:.1f} / {all_bytes / 1e9:.1f} GB", tone


def _temperature(celsius: float | None) -> Fact:
    if celsius is None:
        return "–", ""
    tone = "ok" if celsius < HOT_CELSIUS else "warn" if celsius < TOO_HOT_CELSIUS else "bad"
    return f"{celsius:.1f} °C", tone


def _power(throttled: int | None) -> Fact:
    """What the firmware says of voltage and speed: now, or since the start."""
    if throttled is None:
        return "–", ""
    now = [word for bit, word in THROTTLED.items() if throttled >> bit & 1]
    before = [
        word for bit, word in THROTTLED.items() if throttled >> (bit + THROTTLED_BEFORE_BIT) & 1
    ]
    if now:
        return ", ".join(now), "bad"
    return (f"({', '.join(before)})", "warn") if before else ("!ok", "ok")


def _age(seconds: float) -> str:
    """A time in the largest unit that says something."""
    for unit, length_s in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * length_s:
            return f"{seconds / length_s:.0f} {unit}"
    return f"{seconds:.0f} s"


def _count(signatures: bytes | None) -> int:
    """How many signatures there are; whoever activated the pack has checked them."""
    try:
        found = json.loads(signatures or b"{}")
    except ValueError:
        return 0
    return len(found) if isinstance(found, dict | list) else 0


TECHNICIAN = web.AppKey("technician", Technician)


async def technician(request: web.Request) -> web.Response:
    """GET /api/technician with `Authorization: Bearer TOKEN`."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ")
    left_s = request.app[PINS].must_hold(token, DOOR)
    report = await request.app[TECHNICIAN].report()
    return answer({**report, "left_s": left_s})
