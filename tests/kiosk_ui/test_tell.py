import uuid
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import TestServer

from kiosk_ui.tell import DAY_MAX, REASONS, SOON_MAX, SOON_MS, TEXT_MAX, ticket_of
from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.entry import Lane
from sync.identity import Enrolment, Identity, Key
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.enrolled import KIOSK, enrolled
from tests.kiosk_ui.desk_client import NOON_UTC_MS, Desk, Time, opened_desk


def report(**more: Any) -> dict[str, Any]:
    """What a page sends, with a key of its own."""
    return {"key": str(uuid.uuid4()), "reason": "light", "language": "th", **more}


async def test_a_ticket_is_given_for_what_is_on_the_card(desk: Desk) -> None:
    """The event is committed, and bears the ticket that the person reads."""
    sent = report(face="bad", text="  ไฟ  ดับ ", entry="entry/oyster")
    status, said = await desk.post("/api/tell", sent)
    [event] = await desk.events("feedback")

    assert status == 200
    assert said == {"ticket": event.body["ticket"], "kept": "card"}
    assert event.body == {
        "ticket": ticket_of(desk.journal.epoch, event.seq),
        "key": sent["key"],
        "reason": "light",
        "face": "bad",
        "entry": "entry/oyster",
        "language": "th",
        "text": "ไฟ ดับ",
    }
    assert desk.journal.position(Lane.EVENTS).committed == event.seq


async def test_words_are_on_the_card_only_sealed(desk: Desk) -> None:
    """Whoever takes the card, keys and all, cannot read them; the city can."""
    city, words = Key(), "สมศรี 081-234-5678 码头的灯坏了"
    own = Identity(desk.journal.folder)
    known = Enrolment(own.key(), "d", "kiosk-1", "pier", "http://city", (city.public,))
    own.keep(known._replace(letter_key=city.opener().public))

    sent = report(text=words)
    status, said = await desk.post("/api/tell", sent)
    again = await desk.post("/api/tell", sent)
    [event] = await desk.events("feedback")

    assert status == 200
    assert again == (status, said)
    assert "text" not in event.body
    assert city.opener().open(event.body["sealed"], said["ticket"]) == words
    for path in desk.journal.folder.rglob("*"):
        assert path.is_dir() or words.encode() not in path.read_bytes(), path


async def test_a_damaged_enrolment_costs_no_report(desk: Desk) -> None:
    """There is nobody to seal it to: the words are taken as they are."""
    (desk.journal.folder / "enrolment.json").write_text("{")

    assert (await desk.post("/api/tell", report(text="ไฟดับ")))[0] == 200
    [event] = await desk.events("feedback")

    assert event.body["text"] == "ไฟดับ"


@pytest.mark.parametrize("epoch", range(256))
def test_a_ticket_is_two_letters_and_a_number(epoch: int) -> None:
    """It can be read out over the phone, and no letter looks like a digit."""
    letters, _, number = ticket_of(bytes([epoch]) * 16, 1532).partition("-")

    assert number == "1532"
    assert len(letters) == 2
    assert not set(letters) & set("IOQSZAEU")


async def test_a_face_alone_is_enough(desk: Desk) -> None:
    """Somebody may just be glad."""
    sent = {"key": "0" * 32, "face": "good"}

    assert (await desk.post("/api/tell", sent))[0] == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("reason", "parking"),
        ("reason", 3),
        ("reason", ["light"]),
        ("reason", {"light": 1}),
        ("face", "angry"),
        ("entry", "entry/no-such"),
        ("entry", "oyster"),
        ("language", "xx"),
        ("text", 5),
        ("text", "x" * (TEXT_MAX + 1)),
        ("key", None),
        ("key", "short"),
        ("key", "Z" * 32),
        ("key", 12345678901234567890),
        ("key", "0" * 41),
    ],
)
async def test_a_wrong_field_is_named(desk: Desk, field: str, value: Any) -> None:
    """Nothing of it is stored, and the answer says which field and what is wrong."""
    status, said = await desk.post("/api/tell", report(**{field: value}))

    assert status == 400
    assert said["error"].startswith(f"{field}: ")
    assert await desk.events() == []


async def test_nothing_said_is_nothing_told(desk: Desk) -> None:
    """A reason or a face is wanted."""
    status, said = await desk.post("/api/tell", {"key": "0" * 32, "text": "hello"})

    assert status == 400
    assert "a reason or a face" in said["error"]


async def test_every_reason_of_the_table_is_taken(desk: Desk) -> None:
    """The eight of the screen."""
    assert [(await desk.post("/api/tell", report(reason=one)))[0] for one in REASONS] == [200] * 8


async def test_the_same_key_gets_the_same_ticket(desk: Desk) -> None:
    """A page that has not heard the answer asks again, and nothing doubles."""
    sent = report()
    first = await desk.post("/api/tell", sent)
    again = await desk.post("/api/tell", {**sent, "reason": "smell"})

    assert again == first
    assert len(await desk.events("feedback")) == 1


async def test_the_same_key_gets_the_same_ticket_after_a_start(tmp_path: Path, now: Time) -> None:
    """Killed between the card and the answer: the page asks the next process."""
    sent = report()
    async with opened_desk(tmp_path, now) as desk:
        first = await desk.post("/api/tell", sent)
        await desk.post("/api/tell", report())
    async with opened_desk(tmp_path, now) as desk:
        assert await desk.post("/api/tell", sent) == first
        assert len(await desk.events("feedback")) == 2
        _, other = await desk.post("/api/tell", report())
        assert other["ticket"] != first[1]["ticket"]


async def test_a_kiosk_takes_so_many_reports_and_then_waits(desk: Desk, now: Time) -> None:
    """Ten in ten minutes; the eleventh is told how long to wait, and known keys go on."""
    sent = [report() for _ in range(SOON_MAX)]
    for one in sent:
        assert (await desk.post("/api/tell", one))[0] == 200
    now.ms += 1_000

    status, said = await desk.post("/api/tell", report())
    assert (status, said["wait_s"]) == (429, SOON_MS // 1000 - 1)
    assert (await desk.post("/api/tell", sent[0]))[0] == 200
    assert len(await desk.events("feedback")) == SOON_MAX
    now.ms += SOON_MS
    assert (await desk.post("/api/tell", report()))[0] == 200


async def test_a_day_has_a_limit_too(desk: Desk, now: Time) -> None:
    """A hand that holds a button all day long fills no card."""
    for number in range(DAY_MAX + 20):
        status, _ = await desk.post("/api/tell", {"key": f"{number:032x}", "face": "good"})
        assert status == (200 if number < DAY_MAX else 429)
        now.ms += SOON_MS // SOON_MAX


async def test_a_card_that_does_not_take_it_is_said_and_the_next_try_gets_its_ticket(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No ticket for what a power cut would take; once it is on the card, one ticket."""
    sent = report()

    async def full(*, seal: bool = False) -> bool:  # noqa: ARG001 # as the journal calls it
        desk.journal.trouble = "disk full"
        return False

    with monkeypatch.context() as patched:
        patched.setattr(desk.journal, "_commit", full)
        assert (await desk.post("/api/tell", sent))[0] == 503
        status, said = await desk.post("/api/tell", sent)
        assert status == 503
        assert "could not be stored" in said["error"]
        assert await desk.events("feedback") == []

    status, said = await desk.post("/api/tell", sent)
    [event] = await desk.events("feedback")
    assert status == 200
    assert said["ticket"] == event.body["ticket"]


async def test_a_stall_that_says_its_card_is_wrong_is_known_by_its_pin(desk: Desk) -> None:
    """Only with a session of that very stall is it the stall that speaks."""
    token = (await desk.enter("stall/12"))[1]["token"]
    own = report(reason="wrong_info", entry="stall/12", token=token)
    await desk.post("/api/tell", own)
    await desk.post("/api/tell", report(reason="wrong_info", entry="stall/7", token=token))
    await desk.post("/api/tell", report(reason="wrong_info", entry="stall/12"))

    told = [event.body for event in await desk.events("feedback")]
    assert [one.get("by") for one in told] == ["stall/12", None, None]
    assert all("token" not in one for one in told)


async def test_the_city_gets_the_ticket_that_the_person_got(tmp_path: Path, now: Time) -> None:
    """Told while the city was away, it arrives later, once, under the same number."""
    archive = await Archive.open(tmp_path / "city", wall_ms=lambda: NOON_UTC_MS + 60_000)
    city_key = Key()
    identity = await enrolled(archive, city_key, tmp_path / "kiosk")
    async with opened_desk(tmp_path / "kiosk", now) as desk:
        sent = report(text="ไฟดับ")
        tickets = [(await desk.post("/api/tell", sent))[1]["ticket"] for _ in range(2)]
        async with TestServer(make_app(archive, city_key)) as city:
            options = UplinkOptions(str(city.make_url("/")), KIOSK)
            await Uplink(desk.journal, desk.journal.clock, options, identity).flush()

    [event] = await archive.events(["feedback"], KIOSK, 10)
    await archive.close()
    assert [event.body["ticket"]] * 2 == tickets
    assert (event.body["reason"], event.body["text"]) == ("light", "ไฟดับ")
    assert event.utc_ms == NOON_UTC_MS
