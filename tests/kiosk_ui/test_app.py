import gzip
import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped] # it brings no types
import pytest
from aiohttp.test_utils import TestClient, TestServer

from drivers.reading import Reading
from kiosk_ui.app import make_app
from kiosk_ui.content import load_pack
from kiosk_ui.events import STREAMS_MAX
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import build_files
from sync.clock import Clock
from sync.journal import Journal

JS_BYTES_MAX = 25 * 1024
CSS_BYTES_MAX = 12 * 1024
Client = TestClient[Any, Any]


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A journal with one reading."""
    clock = Clock(trust=("system",))
    clock.poll()
    journal = await Journal.open(tmp_path, clock)
    journal.append(
        "air",
        [Reading("pm2_5", 18, "ug/m3")],
        clock.boottime_ms(),
        simulated=True,
        decimals={"pm2_5": 0},
    )
    yield journal
    await journal.close()


@pytest.fixture
async def client(journal: Journal) -> AsyncIterator[Client]:
    """A browser that takes what comes as it comes."""
    clock = Clock(trust=("system",))
    clock.poll()
    app = make_app(
        journal, clock, lambda: {"state": "off"}, load_pack(), KioskPlace(), lambda: {"ok": True}
    )
    async with TestClient(TestServer(app), auto_decompress=False) as client:
        yield client


async def test_the_page_and_all_it_names_are_served(client: Client) -> None:
    """Every address in the page and in the worker's list answers, and may be kept for ever."""
    page = await (await client.get("/", headers={"Accept-Encoding": ""})).text()
    worker = await (await client.get("/sw.js", headers={"Accept-Encoding": ""})).text()
    named = set(re.findall(r'[="](/static/[^" ]+)', page))
    kept = re.search(r"FILES = (\[.*?\]);", worker)

    assert kept is not None
    assert named <= set(json.loads(kept[1]))
    for url in json.loads(kept[1]):
        answer = await client.get(url)
        assert answer.status == 200, url
        assert "immutable" in answer.headers["Cache-Control"]


async def test_bundles_come_compressed(client: Client) -> None:
    """In what the browser takes: zstd, else gzip, else plain, and all say the same."""
    page = await (await client.get("/", headers={"Accept-Encoding": ""})).text()
    found = re.search(r"th=(/static/bundle\.th\.\w+\.json)", page)
    assert found is not None
    plain = await (await client.get(found[1], headers={"Accept-Encoding": ""})).read()
    packed = await client.get(found[1], headers={"Accept-Encoding": "gzip"})
    smallest = await client.get(found[1], headers={"Accept-Encoding": "gzip, zstd"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(await packed.read()) == plain
    assert smallest.headers["Content-Encoding"] == "zstd"
    assert len(await smallest.read()) < len(plain) / 3


async def test_another_host_name_is_refused(client: Client) -> None:
    """A page elsewhere that lets its name point here learns nothing."""
    answer = await client.get("/api/now", headers={"Host": "evil.example"})

    assert answer.status == 421
    assert "evil.example" in await answer.text()


@pytest.mark.parametrize("path", ["/", "/api/now", "/health", "/static/nothing", "/nowhere"])
async def test_every_answer_has_the_fence(client: Client, path: str) -> None:
    """Also errors: no script, style or picture from anywhere else, no frame round us."""
    answer = await client.get(path)

    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_health_is_what_the_kiosk_says(client: Client) -> None:
    """The page server adds nothing of its own."""
    answer = await client.get("/health", headers={"Accept-Encoding": ""})

    assert json.loads(await answer.text()) == {"ok": True}


async def test_the_stream_begins_with_a_snapshot_and_goes_on(
    client: Client, journal: Journal
) -> None:
    """Everything once with the journal's seq as id, then what follows."""
    stream = await client.get("/api/live")
    first = await event(stream.content)
    journal.append("air", [Reading("pm2_5", 25, "ug/m3")], 1, simulated=True, decimals={"pm2_5": 0})
    second = await event(stream.content)

    assert first["retry"] == "1000"
    assert first["event"] == "snapshot"
    assert [row["value"] for row in json.loads(first["data"])["readings"]] == [18]
    assert second["event"] == "delta"
    assert [row["value"] for row in json.loads(second["data"])["readings"]] == [25]
    assert int(second["id"]) == int(first["id"]) + 1 == journal.seq
    stream.close()


async def test_a_new_screen_always_gets_in(client: Client, journal: Journal) -> None:
    """When there are too many streams, the oldest ends and the newest begins."""
    streams = [await client.get("/api/live") for _ in range(STREAMS_MAX + 1)]
    for stream in streams:
        await event(stream.content)
    journal.append("air", [Reading("pm2_5", 25, "ug/m3")], 1, simulated=True, decimals={"pm2_5": 0})

    assert (await event(streams[-1].content))["event"] == "delta"
    assert streams[0].content.at_eof() or streams[0].content.exception() is not None
    for stream in streams:
        stream.close()


async def event(content: Any) -> dict[str, str]:
    """Read one server-sent event."""
    fields = {}
    while line := (await content.readline()).decode().rstrip("\n"):
        name, _, value = line.partition(": ")
        fields[name] = value
    return fields


def test_scripts_and_styles_stay_light() -> None:
    """All scripts, the service worker with them, in 25 KB (of 1024) of brotli, all styles in 12."""
    files, _ = build_files(load_pack(), KioskPlace())
    sent = {".js": 0, ".css": 0}
    for url, asset in files.items():
        suffix = Path(url).suffix
        if suffix in sent:
            sent[suffix] += len(brotli.compress(asset.body))

    assert sent[".js"] <= JS_BYTES_MAX
    assert sent[".css"] <= CSS_BYTES_MAX


def test_another_panel_is_another_release() -> None:
    """Whatever changes on the screen changes the cache's name."""
    one = build_files(load_pack(), KioskPlace())[1]
    same = build_files(load_pack(), KioskPlace())[1]
    other = build_files(load_pack(), KioskPlace(px_per_mm=4.0))[1]

    assert one == same
    assert one != other
