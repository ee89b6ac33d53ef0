"""The notices of a pack, and the screens that are made of them."""

from dataclasses import replace
from typing import Any

import pytest

from kiosk_ui.content import load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.notices import read_notices
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace
from tests.kiosk_ui.notice_pack import OPEN_END, STORM, WORK, all_levels, notice_pack

DAY_MS = 24 * 3_600_000


def test_days_begin_and_end_in_bangkok() -> None:
    """A notice holds from the first midnight to the one after its last day, seven hours early."""
    (notice,) = read_notices(
        notice_pack(({**WORK, "starts_on": "2026-11-28", "ends_on": "2026-11-28"},))
    )

    assert notice.from_ms == 1_795_798_800_000  # 2026-11-27T17:00:00Z.
    assert notice.until_ms == notice.from_ms + DAY_MS


def test_a_notice_without_days_has_no_end() -> None:
    """So it needs no clock."""
    (notice,) = read_notices(notice_pack((OPEN_END,)))

    assert (notice.from_ms, notice.until_ms) == (None, None)


def test_the_urgent_ones_come_first() -> None:
    """Then the warnings; what is equally urgent stays in the pack's order."""
    found = read_notices(notice_pack(all_levels()))

    assert [one.id for one in found] == ["storm", "quiet-hours", "past", "later", "pier-work"]


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"level": "loud"}, "notices.json: storm: level: info or warning or urgent"),
        ({"title": {"en": "x"}}, "notices.json: storm: title.th"),
        ({"text": {"th": "x" * 301}}, "notices.json: storm: text.th"),
        ({"starts_on": "28/11/2026"}, "notices.json: storm: starts_on: a day like"),
        ({"starts_on": "2026-11-28", "ends_on": "2026-11-27"}, "storm: ends_on: a day that is not"),
        ({"id": "Storm!"}, "notices.json: an entry: id"),
    ],
)
def test_a_wrong_notice_is_refused(wrong: dict[str, Any], complaint: str) -> None:
    """The message names the notice, the field and what would be right."""
    with pytest.raises(ContentError, match=complaint):
        read_notices(notice_pack(({**STORM, **wrong},)))


def test_an_id_stands_for_one_notice() -> None:
    """Two of the same name would be one screen."""
    with pytest.raises(ContentError, match=r"notices\.json: storm: id: used twice"):
        read_notices(notice_pack((STORM, STORM)))


def test_each_notice_has_a_screen_and_a_line() -> None:
    """In every language; one that is missing is borrowed and says so."""
    pack = notice_pack(all_levels())
    for language in pack.languages:
        bundle = render_bundle(pack, KioskPlace(), language, str)
        screens = bundle["screens"]
        assert {f"notice/{row['id']}" for row in all_levels()} < set(screens)
        for name in ("attract", "home"):
            assert screens[name].count("data-notice=") == len(all_levels())
        assert next(row[0] for row in bundle["extras"]["notices"]) == "storm"
    assert "lang=en>The path is slippery" in screens["notice/quiet-hours"]


def test_without_notices_nothing_is_there() -> None:
    """The shipped pack has none."""
    bundle = render_bundle(replace(load_pack(), notices=()), KioskPlace(), "en", str)

    assert bundle["extras"]["notices"] == []
    assert "data-notice" not in bundle["screens"]["home"]
