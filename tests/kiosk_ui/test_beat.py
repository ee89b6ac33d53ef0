import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from kiosk_ui.beat import BEATS, Beats, beat
from kiosk_ui.boot import GATE, Gate, boot

GOOD: dict[str, Any] = {
    "view": "entry",
    "release": "0123456789ab",
    "frame_ms": 7,
    "heap_kb": 9000,
    "errors": 0,
    "checked": True,
    "fault": "",
}
OURS = {"Sec-Fetch-Site": "same-origin"}
Client = TestClient[Any, Any]


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """The two routes."""
    app = web.Application()
    app[BEATS], app[GATE] = Beats(), Gate()
    app.add_routes([web.post("/api/beat", beat), web.get("/api/boot.svg", boot)])
    async with TestClient(TestServer(app)) as client:
        yield client


async def test_a_sign_of_life_is_noted(client: Client) -> None:
    """Whoever waits for it gets it, with what the page has said."""
    beats = client.app[BEATS]
    async with asyncio.TaskGroup() as group:
        waiting = group.create_task(beats.next(30))
        answer = await client.post("/api/beat", json=GOOD, headers=OURS)
    found = waiting.result()

    assert answer.status == 204
    assert found == beats.last
    assert (found.view, found.release, found.frame_ms) == ("entry", "0123456789ab", 7)
    assert found.alive
    assert not found.idle


async def test_without_a_sign_the_wait_ends(client: Client) -> None:
    """Nobody waits for a dead page for ever."""
    assert await client.app[BEATS].next(0.01) is None


@pytest.mark.parametrize(
    "wrong",
    [
        {"frame_ms": "7"},
        {"frame_ms": -2},
        {"heap_kb": 1e9},
        {"errors": -1},
        {"view": 5},
        {"view": "x" * 41},
        {"query": "what somebody typed"},
    ],
)
async def test_what_is_no_sign_of_life_is_refused(client: Client, wrong: dict[str, Any]) -> None:
    """Wrong values and fields that nobody asked for, among them anything of the person."""
    answer = await client.post("/api/beat", json={**GOOD, **wrong}, headers=OURS)

    assert answer.status == 400
    assert client.app[BEATS].last is None


async def test_a_page_from_elsewhere_gives_no_sign(client: Client) -> None:
    """Only the kiosk's own page keeps its browser alive."""
    answer = await client.post("/api/beat", json=GOOD, headers={"Sec-Fetch-Site": "cross-site"})

    assert answer.status == 403


async def test_the_boot_page_is_let_in_or_kept_out(client: Client) -> None:
    """A picture says that it may go over; after too many failures there is none."""
    answer = await client.get("/api/boot.svg")
    assert (answer.status, answer.content_type) == (200, "image/svg+xml")
    client.app[GATE].closed = True
    assert (await client.get("/api/boot.svg")).status == 503
