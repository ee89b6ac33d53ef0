"""What the city has to say for some days, as a pack has it.

`notices.json` of a pack is a list, the urgent ones anywhere in it:

    {"id": "pier-closed",
     "level": "info",                            or "warning" or "urgent"
     "title": {"th": …, "en": …, "zh": …},       one line
     "text": {"th": …, "en": …, "zh": …},        all of it
     "starts_on": "2026-11-28",                  may be missing
     "ends_on": "2026-12-05"}                    its last day; may be missing

Days are those of Bangkok. The page looks at them with the trusted clock: while that is not set,
only a notice without days is shown, since nobody knows whether another is over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from kiosk_ui.errors import ContentError
from kiosk_ui.languages import Words
from kiosk_ui.pack_rows import TEXT_MAX, Row, words

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.content import Pack

LEVELS = ("info", "warning", "urgent")
URGENT = LEVELS[-1]
TITLE_MAX = 60
FILE = "notices.json"
BANGKOK = timezone(timedelta(hours=7))


@dataclass(frozen=True)
class Notice:
    """One notice, from the first to the last of its days; None: no such end."""

    id: str
    level: str
    title: Words
    text: Words
    starts_on: date | None
    ends_on: date | None

    @property
    def screen(self) -> str:
        """The name of its screen."""
        return f"notice/{self.id}"

    @property
    def from_ms(self) -> int | None:
        """Unix time in ms at which it begins to be valid."""
        return None if self.starts_on is None else midnight_ms(self.starts_on)

    @property
    def until_ms(self) -> int | None:
        """Unix time in ms at which it is over."""
        return None if self.ends_on is None else midnight_ms(self.ends_on + timedelta(days=1))


def midnight_ms(day: date) -> int:
    """When this day begins in Bangkok."""
    begins = datetime(day.year, day.month, day.day, tzinfo=BANGKOK)
    return round(begins.astimezone(UTC).timestamp() * 1000)


def read_notices(pack: Pack) -> tuple[Notice, ...]:
    """The notices of a pack, the most urgent first. Raises `ContentError`."""
    found = [_notice(row, pack.languages) for row in pack.notices]
    named = [notice.id for notice in found]
    for name in named:
        if named.count(name) > 1:
            raise ContentError(f"{FILE}: {name}: id: used twice: {name!r}")
    return tuple(sorted(found, key=lambda notice: -LEVELS.index(notice.level)))


def _notice(row: Mapping[str, Any], languages: tuple[str, ...]) -> Notice:
    fields = Row(row, languages, FILE)
    starts_on, ends_on = (
        None if row.get(name) is None else fields.day(name) for name in ("starts_on", "ends_on")
    )
    if starts_on and ends_on and ends_on < starts_on:
        raise fields.wrong("ends_on", "a day that is not before starts_on", ends_on)
    return Notice(
        id=fields.id,
        level=fields.one_of("level", LEVELS),
        title=words(f"{fields.where}: title", row.get("title"), TITLE_MAX, languages),
        text=words(f"{fields.where}: text", row.get("text"), TEXT_MAX, languages),
        starts_on=starts_on,
        ends_on=ends_on,
    )
