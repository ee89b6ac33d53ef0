"""What people send to the kiosk, put up beside its pages: feedback, counters, stalls, PINs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosk_ui.beat import BEATS
from kiosk_ui.kept import Kept
from kiosk_ui.pin import PINS, Pins
from kiosk_ui.stalls import STALLS, Stalls, read_stalls
from kiosk_ui.technician import DOOR, TECHNICIAN, Technician
from kiosk_ui.tell import FEEDBACK, Feedback
from kiosk_ui.usage import USAGE, Usage, flush_usage, known_places

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace
    from sync.journal import Journal

PIN_FILE = "pins.json"
STALL_FILE = "stalls.json"


def put_up(
    app: web.Application,
    journal: Journal,
    health: Callable[[], dict[str, Any]],
    machine: Callable[[], dict[str, Any]],
) -> None:
    """Make what takes in what people send; `renew` says what there is to send."""
    app[PINS] = Pins(Kept(journal.folder / PIN_FILE), journal.clock)
    app[STALLS] = Stalls(Kept(journal.folder / STALL_FILE), journal)
    app[FEEDBACK] = Feedback(journal)
    app[USAGE] = Usage(journal)
    app[TECHNICIAN] = Technician(journal, health, machine, app[BEATS])
    app.on_shutdown.append(flush_usage)


def renew(app: web.Application, pack: Pack, place: KioskPlace, release: str) -> None:
    """Take over what a pack has: its entries, its stalls and their PINs. Raises `ContentError`."""
    stalls = {stall.number: stall for stall in read_stalls(pack)}
    doors = {stall.door: stall.pin for stall in stalls.values()}
    if place.technician_pin:
        doors[DOOR] = place.technician_pin
    languages = frozenset(place.languages or pack.languages)
    entries = {f"entry/{entry.id}" for entry in pack.entries}
    app[PINS].doors = doors
    app[STALLS].by_number = stalls
    app[FEEDBACK].renew(entries | {stall.door for stall in stalls.values()}, languages)
    app[USAGE].renew(known_places(pack, stalls), languages)
    app[TECHNICIAN].renew(place.id, pack, release)
