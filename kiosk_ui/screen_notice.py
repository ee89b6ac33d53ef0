"""Notices of the city: a line on the first screens while it holds, and all of it behind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kiosk_ui.i18n import say_date
from kiosk_ui.notices import read_notices

if TYPE_CHECKING:
    from kiosk_ui.notices import Notice
    from kiosk_ui.screens import Screens


def screens(one: Screens) -> dict[str, str]:
    """One screen for each notice that the pack has."""
    return {
        notice.screen: one.render(
            "notice.html",
            level=notice.level,
            title=notice.title[one.language],
            text=notice.text[one.language],
            days=_days(one, notice),
        )
        for notice in read_notices(one.pack)
    }


def lines(one: Screens) -> list[dict[str, Any]]:
    """What the first screens show of each; the page knows which of them holds now."""
    return [
        {"id": notice.id, "level": notice.level, "title": notice.title[one.language]}
        for notice in read_notices(one.pack)
    ]


def extras(one: Screens) -> dict[str, Any]:
    """From when to when each holds, the most urgent first."""
    found = read_notices(one.pack)
    return {"notices": [[notice.id, notice.from_ms, notice.until_ms] for notice in found]}


def _days(one: Screens, notice: Notice) -> str:
    first, last = (
        None if day is None else say_date(one.language, day)
        for day in (notice.starts_on, notice.ends_on)
    )
    if first and last:
        return first if first == last else f"{first} – {last}"
    if last:
        return one.say("Until {date}", date=last)
    return one.say("From {date}", date=first) if first else ""
