"""Tell the city: three faces, eight reasons, words of one's own, and a ticket."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from kiosk_ui.tell import TEXT_MAX

if TYPE_CHECKING:
    from kiosk_ui.screens import Screens


class Choice(NamedTuple):
    """One thing to tap: `value` is what kiosk_ui/tell.py and the city call it."""

    value: str
    icon: str
    name: str


CHOICES = (
    Choice("toilet", "toilet", "Toilet"),
    Choice("litter", "litter", "Litter"),
    Choice("light", "lamp", "Broken light"),
    Choice("path", "path", "Footpath"),
    Choice("wrong_info", "wrong", "Wrong info"),
    Choice("smell", "smell", "Smell"),
    Choice("danger", "danger", "Danger"),
    Choice("kiosk_fault", "fault", "This kiosk"),
)
MOODS = (
    Choice("good", "face-good", "Good"),
    Choice("fair", "face-fair", "Fair"),
    Choice("bad", "face-bad", "Bad"),
)
NOTICE = (
    "What you write goes to the municipality of Ang Sila, with your report.",
    "Please write no names, no phone numbers and nothing else that tells who you are.",
    "No screen shows it, and nobody notes who wrote it.",
)
WORDS = {"tellBusy": "Many reports came from here. We try again by ourselves, in {n} min."}
TRAFFY_PICTURE = "qr/traffy-fondue.svg"


def screens(one: Screens) -> dict[str, str]:
    """What to tell, the notice before writing, the keys to write, and what became of it."""
    traffy = one.pack.flags.get("traffy_fondue", False)
    return {
        "tell": one.render("tell.html", choices=CHOICES, moods=MOODS),
        "tell/notice": one.render("tell_notice.html", notice=NOTICE),
        "tell/words": one.render("tell_words.html", text_max=TEXT_MAX),
        "tell/done": one.render(
            "tell_done.html",
            kiosk=one.place.id,
            traffy=one.picture(TRAFFY_PICTURE) if traffy else None,
        ),
    }
