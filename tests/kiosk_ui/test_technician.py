import asyncio
from pathlib import Path
from typing import Any

import pytest

from drivers.reading import Reading
from kiosk_ui.beat import BEATS, Beat
from kiosk_ui.pin import SESSION_MS
from sync.entry import Lane
from sync.ranges import Ranges
from tests.kiosk_ui.desk_client import Desk, Time, opened_desk

OTHER_BOOT = "f" * 32


async def ask(desk: Desk, token: str | None = None) -> dict[str, Any]:
    """What the technician is told."""
    token = token or (await desk.enter("technician"))[1]["token"]
    answer = await desk.client.get("/api/technician", headers={"Authorization": f"Bearer {token}"})
    said: dict[str, Any] = await answer.json()
    return {"status": answer.status, **said}


async def test_the_technician_sees_kiosk_pack_machine_and_city(desk: Desk) -> None:
    """Each fact with its tone; what this board does not tell is a dash."""
    said = await ask(desk)
    facts = said["facts"]

    assert said["status"] == 200
    assert said["left_s"] == 300
    assert facts["kiosk"] == ["angsila-1", ""]
    assert facts["serial"] == ["10000000abcdef01", ""]
    assert facts["software"] == ["0.1.0 · r1", ""]
    assert facts["disk"] == ["12.4 / 29.0 GB", "ok"]
    assert facts["temperature"] == ["52.1 °C", "ok"]
    assert facts["power"] == ["(low voltage, throttled)", "warn"]
    assert facts["clock"] == ["ntp ± 0.0 s", "ok"]
    assert facts["card"] == ["!ok", "ok"]
    assert facts["uplink"] == ["!offline", "warn"]
    assert facts["sync"] == ["40 s", "ok"]
    assert facts["page"] == ["!never", "warn"]


async def test_each_sensor_has_its_last_value_age_and_state(desk: Desk, now: Time) -> None:
    """One that is gone says why."""
    reading = Reading("water_level", 1.872, "m")
    desk.journal.append("pier", [reading], now.ms, simulated=True, decimals={"water_level": 2})
    now.ms += 130_000
    level, air = (await ask(desk))["sensors"]

    assert level == {
        "name": "pier/water_level",
        "says": "1.87 m · 2 min",
        "simulated": True,
        "tone": "ok",
    }
    assert air == {"name": "air", "says": "failed · gone", "simulated": False, "tone": "bad"}


async def test_the_oldest_entry_that_the_city_lacks_has_its_age(desk: Desk, now: Time) -> None:
    """What it has got does not count, and what is left counts from its own time."""
    await desk.journal.event("health", {"part": "a"})
    now.ms += 600_000
    await desk.journal.event("health", {"part": "b"})
    now.ms += 60_000
    assert (await ask(desk))["facts"]["oldest"] == ["11 min", "ok"]

    desk.journal.acked(Lane.EVENTS, Ranges([(1, 1)]), 1)
    assert (await ask(desk))["facts"]["oldest"] == ["60 s", "ok"]
    desk.journal.acked(Lane.EVENTS, Ranges([(1, 2)]), 2)
    assert (await ask(desk))["facts"]["oldest"] == ["–", ""]


async def test_an_entry_of_an_earlier_boot_has_its_age_too(tmp_path: Path, now: Time) -> None:
    """By the anchors of both boots."""
    async with opened_desk(tmp_path, now) as desk:
        await desk.journal.event("health", {"part": "a"})
    now.started_utc_ms += now.ms + 7_200_000 - 5_000
    now.ms = 5_000
    async with opened_desk(tmp_path, now, boot=OTHER_BOOT) as desk:
        assert (await ask(desk))["facts"]["oldest"] == ["2 h", "warn"]


async def test_an_unset_clock_is_said(desk: Desk) -> None:
    """Nobody vouches for it."""
    desk.journal.clock.anchor = None

    assert (await ask(desk))["facts"]["clock"] == ["!unset", "bad"]


@pytest.mark.parametrize(
    ("frame_ms", "fault", "tone"), [(16, "", "ok"), (-1, "", "bad"), (16, "no tide", "bad")]
)
async def test_the_pages_heartbeat_is_there(
    desk: Desk, frame_ms: int, fault: str, tone: str
) -> None:
    """When it was heard, its memory, its errors and what it complains of."""
    heard_s = asyncio.get_running_loop().time()
    beat = Beat(heard_s, "home", "r1", frame_ms, 20_480, 2, checked=True, fault=fault)
    desk.app[BEATS].take(beat)
    said = (await ask(desk))["facts"]["page"]

    assert said == [f"0 s · 20 MB · 2 errors {fault}".strip(), tone]


async def test_nobody_else_is_told(desk: Desk, now: Time) -> None:
    """Not without a token, not with a stall's, and not after five minutes."""
    assert (await ask(desk, "no-such-token"))["status"] == 401
    stall = (await desk.enter("stall/12"))[1]["token"]
    assert (await ask(desk, stall))["status"] == 401
    token = (await desk.enter("technician"))[1]["token"]
    now.ms += SESSION_MS
    assert (await ask(desk, token))["status"] == 401
