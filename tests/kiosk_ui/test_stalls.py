from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.content import load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.stalls import CHANGES_MAX, GOODS_MAX, read_stalls
from tests.kiosk_ui.desk_client import (
    HOUR_MS,
    NOON_UTC_MS,
    Desk,
    Time,
    opened_desk,
    stall_pack,
    stall_rows,
)

OTHER_BOOT = "f" * 32
TOLD = {"open": "open", "sold_out": ["mussel"], "prices": {"oyster": 120}}


async def entered(desk: Desk, number: str = "12") -> str:
    """The token of a stall's keeper."""
    token: str = (await desk.enter(f"stall/{number}"))[1]["token"]
    return token


async def tell(desk: Desk, token: str, **more: Any) -> tuple[int, dict[str, Any]]:
    """Tell for today."""
    return await desk.post("/api/stall", {"token": token, "number": "12", **TOLD, **more})


def test_the_shipped_pack_has_no_stall() -> None:
    """None is known."""
    assert read_stalls(load_pack()) == ()


def test_a_stall_takes_the_names_of_its_goods_from_the_pack() -> None:
    """Only what the pack has no entry for must be named."""
    stall = read_stalls(stall_pack())[0]

    assert stall.door == "stall/12"
    assert [good.names["en"] for good in stall.goods][:1] == ["Oysters"]
    assert stall.goods[0].presets == (100, 120, 150)
    assert stall.goods[2].presets == ()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"number": "no 12"}, "number"),
        ({"number": 12}, "number"),
        ({"names": {"en": "Daeng"}}, "names.th"),
        ({"entry": "no-such"}, "entry"),
        ({"goods": "oyster"}, "goods"),
        ({"goods": [{"id": "oyster"}] * (GOODS_MAX + 1)}, "goods"),
        ({"goods": ["oyster"]}, "goods.id"),
        ({"goods": [{"id": "lobster"}], "price_presets": {}}, "lobster.names"),
        ({"price_presets": [1]}, "price_presets"),
        ({"price_presets": {"oyster": [120, 100]}}, "price_presets.oyster"),
        ({"price_presets": {"oyster": [0]}}, "price_presets.oyster"),
        ({"price_presets": {"oyster": [1.5]}}, "price_presets.oyster"),
        ({"price_presets": {"squid": [100]}}, "price_presets"),
        ({"pin": "270519"}, "pin"),
        ({"pin": None}, "pin"),
    ],
)
def test_a_wrong_stall_is_refused_and_named(change: dict[str, Any], named: str) -> None:
    """The message says which stall and which field; a PIN is not repeated."""
    row = {**stall_rows()[0], **change}
    with pytest.raises(ContentError, match=f"stalls.json: .*{named}") as wrong:
        read_stalls(replace(load_pack(), stalls=(row,)))

    assert "270519" not in str(wrong.value)


def test_a_number_is_given_once() -> None:
    """Two stalls cannot share a card."""
    with pytest.raises(ContentError, match="used twice: '12'"):
        read_stalls(replace(load_pack(), stalls=(stall_rows()[0],) * 2))


async def test_what_a_stall_tells_is_shown_at_once_and_goes_to_the_city(desk: Desk) -> None:
    """With the time it was told, and until midnight in Bangkok."""
    status, shown = await tell(desk, await entered(desk))
    midnight_ms = NOON_UTC_MS + 12 * HOUR_MS

    assert status == 200
    assert shown == {"stall": "12", "at_ms": NOON_UTC_MS, "until_ms": midnight_ms, **TOLD}
    assert desk.told_today() == {"12": {"at_ms": NOON_UTC_MS, "until_ms": midnight_ms, **TOLD}}
    assert [event.body for event in await desk.events("stall")] == [{"stall": "12", **TOLD}]


async def test_it_is_gone_at_midnight(desk: Desk, now: Time) -> None:
    """The last millisecond of the day still shows it."""
    await tell(desk, await entered(desk))
    now.ms += 12 * HOUR_MS - 1
    assert "12" in desk.told_today()
    now.ms += 1

    assert desk.told_today() == {}


async def test_it_outlives_a_start_but_not_an_unset_clock(tmp_path: Path, now: Time) -> None:
    """After a power cut there is no today until somebody vouches for the clock again."""
    async with opened_desk(tmp_path, now) as desk:
        await tell(desk, await entered(desk))
    async with opened_desk(tmp_path, now) as desk:
        assert desk.told_today()["12"]["prices"] == {"oyster": 120}
    now.set = False
    async with opened_desk(tmp_path, now, boot=OTHER_BOOT) as desk:
        assert desk.told_today() == {}
        status, said = await tell(desk, await entered(desk))
        assert status == 409
        assert "the clock is not set" in said["error"]
        assert len(await desk.events("stall")) == 1
        now.set = True
        desk.journal.clock.poll()
        assert "12" in desk.told_today()


async def test_a_second_word_replaces_the_first(desk: Desk) -> None:
    """What comes twice, since an answer was lost, changes nothing."""
    token = await entered(desk)
    await tell(desk, token)
    await tell(desk, token, open="closed", sold_out=[], prices={})
    await tell(desk, token, open="closed", sold_out=[], prices={})

    assert desk.told_today()["12"]["open"] == "closed"
    assert desk.told_today()["12"]["prices"] == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "99"),
        ("number", 12),
        ("open", "maybe"),
        ("open", True),
        ("sold_out", "mussel"),
        ("sold_out", ["lobster"]),
        ("sold_out", [["mussel"]]),
        ("sold_out", ["mussel"] * 100),
        ("prices", [120]),
        ("prices", {"oyster": 121}),
        ("prices", {"oyster": "120"}),
        ("prices", {"oyster": True}),
        ("prices", {"mussel": 80}),
    ],
)
async def test_what_is_not_of_the_card_is_refused(desk: Desk, field: str, value: Any) -> None:
    """Only goods and prices that the pack has; nothing is changed."""
    status, said = await tell(desk, await entered(desk), **{field: value})

    assert status == 400
    assert said["error"].startswith(f"{field}: ")
    assert desk.told_today() == {}
    assert await desk.events("stall") == []


@pytest.mark.parametrize("token", ["", None, 5, "x" * 22])
async def test_nobody_tells_without_the_pin(desk: Desk, token: Any) -> None:
    """Nor does the keeper of another stall."""
    assert (await tell(desk, token))[0] == 401
    assert (await tell(desk, await entered(desk, "7")))[0] == 401
    assert desk.told_today() == {}


async def test_changes_have_a_limit(desk: Desk) -> None:
    """A thumb that rests on a button fills no card."""
    token = await entered(desk)
    statuses = [(await tell(desk, token))[0] for _ in range(CHANGES_MAX + 1)]

    assert statuses == [200] * CHANGES_MAX + [429]
