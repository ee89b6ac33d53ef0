import asyncio
from pathlib import Path

from edge.city import offer_content
from sync.city.archive import Archive
from tests.edge.test_pack_device import config, content
from tests.edge.town import town
from tests.kiosk_ui import packs
from tests.waiting import WAIT_MAX_S, angsila, free_port, get, until

SHIPPED = packs.shipped().version
OFTEN = """
[journal]
commit_s = 0.5
segment_s = 1
[uplink]
retry_max_s = 1
[[sensor]]
name = "pier"
driver = "fake_pier"
period_s = 0.2
"""


def uplink(url: str) -> str:
    """How the line to the city is."""
    return str((get(f"{url}/health") or {"uplink": {"state": ""}})["uplink"]["state"])


async def told(city: Path) -> list[str]:
    """What the kiosk has told the city of its content, the oldest first."""
    archive = await Archive.open(city)
    try:
        found = await archive.events(["health"], "test", limit=50)
    finally:
        await archive.close()
    bodies = [event.body for event in found]
    return [body["state"] for body in bodies if body.get("part") == "content"]


async def test_a_kiosk_shows_what_the_city_wants(tmp_path: Path) -> None:
    """Fetched, tried and told of; a pack that is refused is told of once, and the old one stays."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    city, state = tmp_path / "city", tmp_path / "kiosk"
    pack = packs.write(tmp_path, packs.good())
    bad = packs.write(tmp_path, packs.signed(packs.members(version=101), packs.CLERK), "bad.zip")

    async with town(city) as running:
        await running.enrol(state, "test")
        async with angsila(
            *("run", "--config", config(tmp_path, OFTEN), "--state", state),
            *("--port", str(port), "--city", running.url),
        ) as kiosk:
            await until(lambda: content(url))
            said = offer_content(city, pack, None)
            assert said.startswith("every kiosk is to show angsila 100 with 2 signatures: ")
            await until(lambda: content(url)["version"] == packs.VERSION)

            offer_content(city, bad, "test")
            refused = await kiosk.line("is not shown")
            assert "signed by 1 of the 2 people" in refused
            assert content(url)["version"] == packs.VERSION
            async with asyncio.timeout(WAIT_MAX_S):
                while "refused" not in (states := await told(city)):
                    await until(lambda: get(f"{url}/health"))
            assert sorted(states) == ["good", "refused", "shown"]
            assert not list((state / "incoming").iterdir())


async def test_a_pack_that_was_tried_is_not_tried_again(tmp_path: Path) -> None:
    """After a restart the kiosk remembers what became of the city's wish."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    city, state = tmp_path / "city", tmp_path / "kiosk"
    bad = packs.write(tmp_path, packs.members(version=101), "bad.zip")
    async with town(city) as running:
        await running.enrol(state, "test")
        signed = packs.write(tmp_path, packs.signed(packs.members(), packs.STRANGER), bad.name)
        offer_content(city, signed, None)
        run = (
            *("run", "--config", config(tmp_path, OFTEN), "--state", state),
            *("--port", str(port), "--city", running.url),
        )
        async with angsila(*run) as kiosk:
            await kiosk.line("is not shown")
            await kiosk.end()
        async with angsila(*run) as kiosk:
            await until(lambda: uplink(url) == "online")
            status, output = await kiosk.end()
    assert status == 0
    assert "is not shown" not in output
