from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.posts import BODY_BYTES_MAX, Fields, Pace
from tests.kiosk_ui.desk_client import Desk, Time, opened_desk

OURS = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
GOOD = {"key": "0123456789abcdef", "reason": "light"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    """A kiosk at noon."""
    async with opened_desk(tmp_path, Time()) as desk:
        yield desk


@pytest.mark.parametrize("path", ["/api/tell", "/api/usage", "/api/pin", "/api/stall"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example", "Sec-Fetch-Site": "same-origin"}, 403),
        ({"Sec-Fetch-Site": "same-origin", "Content-Type": "text/plain"}, 415),
    ],
)
async def test_only_our_own_page_may_send(
    desk: Desk, path: str, headers: dict[str, str], status: int
) -> None:
    """A page from elsewhere, a form and a command without a browser are refused in JSON."""
    sent = {"Content-Type": "application/json", **headers}
    answer = await desk.client.post(path, data=b"{}", headers=sent)

    assert answer.status == status
    assert (await answer.json())["error"]
    assert await desk.events() == []


async def test_our_own_origin_is_enough(desk: Desk) -> None:
    """A browser that sends no Sec-Fetch-Site says where the page came from."""
    origin = str(desk.client.make_url("/")).rstrip("/")
    answer = await desk.client.post("/api/tell", json=GOOD, headers={"Origin": origin})

    assert answer.status == 200


@pytest.mark.parametrize("path", ["/api/tell", "/api/usage", "/api/pin", "/api/stall"])
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b'{"a": NaN}',
        b"\xff\xfe",
        b"[" * 9_000,
        b'{"n": ' + b"9" * 8_000 + b"}",
        b'{"surprise": 1}',
    ],
)
async def test_what_is_no_small_object_is_refused(desk: Desk, path: str, body: bytes) -> None:
    """Broken JSON, another shape and unknown fields get 400, and say what is wrong."""
    answer = await desk.client.post(path, data=body, headers=OURS)

    assert answer.status == 400
    assert (await answer.json())["error"]
    assert await desk.events() == []


@pytest.mark.parametrize("told", [True, False])
async def test_ten_megabytes_are_not_read(desk: Desk, told: bool) -> None:  # noqa: FBT001 # a case
    """Too much is refused by its length, and where no length is told, when the limit is passed."""

    async def slowly() -> AsyncIterator[bytes]:
        for _ in range(160):
            yield b" " * 65_536

    body: Any = BytesIO(b" " * 10_000_000) if told else slowly()
    answer = await desk.client.post("/api/tell", data=body, headers=OURS)

    assert answer.status == 413
    assert str(BODY_BYTES_MAX) in (await answer.json())["error"]


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("  two\n words ", "two words"),
        ("e\u0301", "é"),
        ("a\u202eb\x00c\ud800d", "abcd"),
        ("น้ำ", "น้ำ"),
    ],
)
def test_what_cannot_be_seen_is_not_kept(typed: str, kept: str) -> None:
    """Line breaks become blanks; controls, turners and halves of characters go."""
    assert Fields({"text": typed}).words("text", 100) == kept


def test_a_pace_lets_through_so_many_and_then_waits() -> None:
    """The fourth of three has to wait until the first is old."""
    pace = Pace(3, 1_000)
    for at_ms in (0, 100, 200):
        assert pace.wait_ms(at_ms) == 0
        pace.take(at_ms)

    assert pace.wait_ms(300) == 700
    assert pace.wait_ms(999) == 1
    assert pace.wait_ms(1_000) == 0
