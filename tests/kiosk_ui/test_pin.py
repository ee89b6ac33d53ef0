import json
from pathlib import Path

import pytest

from kiosk_ui import pin
from kiosk_ui.desk import PIN_FILE
from kiosk_ui.kept import Kept
from kiosk_ui.pin import FREE_TRIES, PINS, SESSION_MS, STALL_PAUSE_MS, WRONG_MAX
from sync.clock import Clock
from tests.kiosk_ui.desk_client import PIN, Desk, Time, opened_desk, pin_hash

WRONG = "135790"
OTHER_BOOT = "f" * 32


def test_a_hash_fits_its_pin_and_no_other() -> None:
    """And two hashes of one PIN differ, by their salt."""
    assert pin.fits(PIN, pin_hash())
    assert not pin.fits(WRONG, pin_hash())
    assert pin.hash_pin(PIN) != pin_hash()


@pytest.mark.parametrize(
    "text",
    [
        "",
        PIN,
        "scrypt$16384$8$1$00$00",
        "scrypt$16383$8$1$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$524288$8$1$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$16384$99$1$" + "0" * 32 + "$" + "0" * 64,
        "scrypt$16384$8$9$" + "0" * 32 + "$" + "0" * 64,
        None,
        7,
    ],
)
def test_a_hash_that_costs_too_much_or_is_none_opens_nothing(text: object) -> None:
    """A pack cannot make a PIN's check eat the memory."""
    assert not pin.is_hash(text)
    assert not pin.fits(PIN, str(text))


@pytest.mark.parametrize(
    "text", ["", "12345", "1234567", "123456", "098765", "777777", "12a456", "๑๒๓๔๕๖"]
)
def test_an_easy_pin_is_none(text: str) -> None:
    """Six digits, and not those that everybody tries first."""
    assert not pin.is_pin(text)


async def test_the_pin_opens_its_own_door_for_five_minutes(desk: Desk, now: Time) -> None:
    """Not the technician's, not another stall's, and not later."""
    status, session = await desk.enter("stall/12")
    pins = desk.app[PINS]

    assert status == 200
    assert session["left_s"] == 300
    assert pins.left_s(session["token"], "stall/12") == 300
    assert pins.left_s(session["token"], "stall/7") == 0
    assert pins.left_s(session["token"], "technician") == 0
    now.ms += SESSION_MS
    assert pins.left_s(session["token"], "stall/12") == 0


@pytest.mark.parametrize("door", ["stall/99", "", None, 12, ["stall/12"]])
async def test_a_door_that_is_none_is_said(desk: Desk, door: object) -> None:
    """The answer names the field and the value."""
    status, said = await desk.post("/api/pin", {"door": door, "pin": PIN})

    assert status == 400
    assert said["error"].startswith("door: ")


@pytest.mark.parametrize("typed", ["", "12345", 270519, None, "27051x", "๒๗๐๕๑๙"])
async def test_what_is_no_pin_is_said_without_repeating_it(desk: Desk, typed: object) -> None:
    """What somebody typed stands in no answer."""
    status, said = await desk.post("/api/pin", {"door": "technician", "pin": typed})

    assert status == 400
    assert said["error"] == "pin: 6 digits are wanted"


async def test_a_stall_is_shut_for_a_quarter_of_an_hour_after_five(desk: Desk, now: Time) -> None:
    """Then the right PIN waits as well; after the pause it opens, and all is forgiven."""
    said = [await desk.enter("stall/12", WRONG) for _ in range(FREE_TRIES)]
    assert [status for status, _ in said] == [403] * FREE_TRIES
    assert [one["tries_left"] for _, one in said] == [4, 3, 2, 1, 0]
    assert said[-1][1]["wait_s"] == STALL_PAUSE_MS // 1000

    status, shut = await desk.enter("stall/12")
    assert (status, shut["wait_s"]) == (429, 900)
    assert (await desk.enter("stall/7"))[0] == 200

    now.ms += STALL_PAUSE_MS
    assert (await desk.enter("stall/12"))[0] == 200
    assert (await desk.enter("stall/12", WRONG))[1]["tries_left"] == 4


async def test_the_technicians_pause_doubles_to_an_hour(desk: Desk, now: Time) -> None:
    """30 s after the fifth, then 60, 120 … and never more than an hour."""
    waits = []
    for _ in range(FREE_TRIES + 9):
        status, said = await desk.enter("technician", WRONG)
        assert status == 403
        waits.append(said["wait_s"])
        now.ms += said["wait_s"] * 1000

    assert waits == [0, 0, 0, 0, 30, 60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


async def test_a_try_is_on_the_card_before_its_answer(tmp_path: Path, now: Time) -> None:
    """Whoever pulls the plug during the answer has used up the try."""
    async with opened_desk(tmp_path, now) as desk:
        await desk.enter("technician", WRONG)

        assert json.loads((tmp_path / PIN_FILE).read_text())["technician"]["failed"] == 1


async def test_a_start_forgets_no_wrong_try(tmp_path: Path, now: Time) -> None:
    """The process may start again, or the machine: the pause begins anew with its boot."""
    async with opened_desk(tmp_path, now) as desk:
        for _ in range(FREE_TRIES):
            await desk.enter("stall/12", WRONG)
    async with opened_desk(tmp_path, now) as desk:
        assert (await desk.enter("stall/12"))[0] == 429
    now.ms = 20_000
    async with opened_desk(tmp_path, now, boot=OTHER_BOOT) as desk:
        status, said = await desk.enter("stall/12")
        assert (status, said["wait_s"]) == (429, 880)


async def test_a_card_that_takes_nothing_leaves_no_free_try(tmp_path: Path, now: Time) -> None:
    """Otherwise pulling the plug would give five tries again and again."""
    clock = Clock(boot=OTHER_BOOT, boottime_ms=now.boottime_ms)
    pins = pin.Pins(Kept(tmp_path / "gone" / PIN_FILE), clock)
    pins.doors = {"technician": pin_hash()}

    with pytest.raises(Exception, match="Forbidden"):
        await pins.enter("technician", WRONG)
    assert pins.wait_ms("technician") == 30_000
    now.ms += 30_000
    assert await pins.enter("technician", PIN)


async def test_nobody_tries_stall_by_stall(desk: Desk, now: Time) -> None:
    """All doors together have a limit, which a right PIN elsewhere does not lift."""
    pins = desk.app[PINS]
    for _ in range(WRONG_MAX):
        pins._wrong.take(now.ms)

    status, said = await desk.enter("stall/7")
    assert (status, said["wait_s"]) == (429, 3600)
