"""Access: how the screen is made easier for a person, and what it knows of anybody."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens


class Way(NamedTuple):
    """One thing that makes the screen easier: `value` is what the script calls it."""

    act: str
    value: str
    icon: str
    name: str


WAYS = (
    Way("text", "a", "text-a", "Normal text"),
    Way("text", "a1", "text-a1", "Large text"),
    Way("text", "a2", "text-a2", "Largest text"),
    Way("mode", "contrast", "contrast", "High contrast"),
    Way("mode", "reach", "reach", "Within reach"),
    Way("mode", "listen", "sound", "Read aloud"),
    Way("mode", "slow", "slow", "More time"),
)
PRIVACY = (
    "No camera, no microphone, no tracking of phones.",
    "Your language, settings and searches are forgotten when you leave.",
    "We count how often each screen is opened, by hour and language. Nothing about you.",
    "Sensors may count how many people pass, never who.",
)
SENT = "Only what you send with “Tell the city” goes to the city."
WORDS = {
    "stillThere": "Still there? Back to the start in {n} seconds. Touch the screen to go on.",
}


def screens(one: Screens) -> dict[str, str]:
    """The choice of ways, and the notice."""
    notice = [*PRIVACY, SENT] if "tell" in one.known else PRIVACY
    return {
        "access": one.render("access.html", ways=WAYS),
        "privacy": one.render("privacy.html", notice=notice),
    }
