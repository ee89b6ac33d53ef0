"""Packs with notices, which the shipped one has none of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from kiosk_ui.content import load_pack
from kiosk_ui.notices import BANGKOK

if TYPE_CHECKING:
    from kiosk_ui.content import Pack

Row = dict[str, Any]
# Letters and words as a town writes them; each title is about as long as one may be.
WORK = {
    "id": "pier-work",
    "level": "info",
    "title": {
        "th": "ปิดสะพานปลาด้านเหนือ 3 วัน",
        "en": "North side of the pier closed for three days",
        "zh": "码头北侧关闭三天",
    },
    "text": {
        "th": "ปิดสะพานปลาด้านเหนือ 3 วัน เดินเข้าตลาดได้ทางด้านใต้ตามปกติ",
        "en": "The north side of the pier is closed. The market is open; go in by the south.",
        "zh": "码头北侧关闭。市场照常开放，请从南侧进入。",
    },
}
OPEN_END = {
    "id": "quiet-hours",
    "level": "warning",
    "title": {"th": "ทางเดินลื่นเมื่อฝนตก", "en": "The path is slippery in the rain"},
    "text": {"th": "โปรดเดินช้า ๆ บนทางเดินริมทะเล", "en": "Please walk slowly by the sea."},
}
STORM = {
    "id": "storm",
    "level": "urgent",
    "title": {
        "th": "คลื่นลมแรง ห้ามลงทะเล",
        "en": "High waves: stay out of the sea",
        "zh": "风浪大，请勿下海",
    },
    "text": {
        "th": "คลื่นลมแรงวันนี้ ห้ามลงทะเล และอยู่ห่างจากสะพานปลา",
        "en": "High waves today. Please stay out of the sea, and keep off the pier.",
        "zh": "今天风浪大，请勿下海，并远离码头。",
    },
}


def day(days: int) -> str:
    """A day counted from today in Bangkok."""
    return (datetime.now(UTC).astimezone(BANGKOK).date() + timedelta(days=days)).isoformat()


def calm() -> tuple[Row, ...]:
    """One notice that holds until tomorrow, and two whose days are others."""
    return (
        {**WORK, "id": "past", "starts_on": day(-9), "ends_on": day(-1)},
        {**WORK, "id": "later", "starts_on": day(3)},
        {**WORK, "starts_on": day(-1), "ends_on": day(1)},
    )


def all_levels() -> tuple[Row, ...]:
    """One of each level; the warning has no days."""
    return (*calm(), OPEN_END, {**STORM, "ends_on": day(0)})


def notice_pack(rows: tuple[Row, ...]) -> Pack:
    """The shipped pack with these notices."""
    return replace(load_pack(), notices=rows)
