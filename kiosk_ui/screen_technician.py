"""The technician's screen: how the kiosk is, behind a PIN, and a check of the panel's scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens

# What GET /api/technician tells, in the order of the screen.
FACTS = {
    "kiosk": "Kiosk",
    "serial": "Serial number",
    "model": "Board",
    "software": "Software",
    "system": "System",
    "pack": "Content pack",
    "signed": "Signatures",
    "clock": "Clock",
    "card": "Card",
    "pending": "Not yet at the city",
    "oldest": "Oldest of these",
    "uplink": "City",
    "sync": "Last answer",
    "disk": "Disk free",
    "temperature": "Board heat",
    "power": "Power",
    "uptime": "Running for",
    "page": "Page",
    "browser": "Browser",
}
# Words of answers: the service sends them with a "!" before.
STATES = {
    "ok": "well",
    "memory": "in memory only",
    "full": "full",
    "unset": "not set",
    "never": "never",
    "off": "no city set",
    "online": "online",
    "offline": "offline",
    "portal": "login page in the way",
    "not enrolled": "not enrolled",
    "revoked": "revoked",
    "connecting": "connecting",
}
WORDS = {
    **{f"fact_{name}": words for name, words in FACTS.items()},
    **{f"is_{name}": words for name, words in STATES.items()},
    "pinTechnician": "PIN of the technician",
    "pinStall": "PIN of stall {n}",
    "pinWrong": "This is not the PIN. Tries left: {n}",
    "pinShut": "Too many wrong PINs. Please wait {n} min.",
    "pinAway": "The kiosk does not answer. Please try again.",
    "pinNone": "No PIN is set.",
    "sessionLeft": "Ends in {n} min",
}


def screens(one: Screens) -> dict[str, str]:
    """The pad for PINs, which stalls use as well, the facts, and the scale."""
    return {
        "pin": one.render("pin.html"),
        "technician": one.render("technician.html"),
        "technician/scale": one.render("technician_scale.html"),
    }
