"""Both ends of the wire together: whatever happens between them, entries arrive once."""

from __future__ import annotations

import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer

from drivers.reading import Reading
from sync import local, wire, wire_pb2
from sync.city.archive import Archive
from sync.city.receiver import BODY_BYTES_MAX
from sync.clock import FLOOR_UTC_MS, Clock
from sync.entry import Lane
from sync.identity import Identity, Key
from sync.journal import Journal
from sync.uplink import Uplink, UplinkError
from sync.verify import verify, verify_command
from sync.wire import Segment
from tests.beside import beside
from tests.enrolled import KIOSK, city_says, signed
from tests.postgres import BOTH
from tests.sync.lines import Measure, state
from tests.sync.road import pass_on, road

ON = BOTH

Upload = Callable[..., Awaitable[tuple[int, bytes]]]
MakeSegment = Callable[[int], Awaitable[bytes]]


@pytest.fixture
def post(city: BaseTestServer, identity: Identity) -> Callable[..., Any]:
    """Post a body to the city as the kiosk does; status and answer."""

    async def send(path: str, body: bytes, method: str = "POST", **headers: str) -> Any:
        headers = signed(identity.key(), method, path, body, **headers)
        url, sent = city.make_url(path), io.BytesIO(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, url, data=sent, headers=headers) as response,
        ):
            return response.status, await response.read()

    return send


@pytest.fixture
def upload(post: Callable[..., Any]) -> Upload:
    """Post these segments; status and answer."""

    async def send(*segments: bytes) -> tuple[int, bytes]:
        found = wire_pb2.Upload(kiosk=KIOSK, segments=segments)
        status, answer = await post("/v1/segments", found.SerializeToString())
        return status, answer

    return send


@pytest.fixture
def make_segment(journal: Journal, post: Callable[..., Any], measure: Measure) -> MakeSegment:
    """Make the first segment, with so many levels; the city has the dictionary for it."""

    async def make(count: int) -> bytes:
        await measure(count)
        schema = journal.schema()
        path = f"/v1/schema/{wire.sha256(schema).hex()}?kiosk={KIOSK}"
        assert (await post(path, schema, "PUT"))[0] == 204
        (found,) = await journal.segments(Lane.READINGS, 1, count, limit=9, bytes_max=2**20)
        return found.body

    return make


async def readings_of(archive: Archive, journal: Journal) -> list[bytes]:
    """The segments of the journal's readings that are at the city."""
    return await archive.segments(KIOSK, Lane.READINGS, journal.epoch, 0, 10)


async def lanes_of(archive: Archive) -> dict[str, dict[str, Any]]:
    """The lanes of the one kiosk."""
    (kiosk,) = await archive.fleet()
    return {lane["lane"]: lane for lane in kiosk["lanes"]}


async def test_entries_arrive_once(
    journal: Journal, uplink: Uplink, archive: Archive, levels: Callable[..., None]
) -> None:
    """Readings and events reach the archive, and nothing is left to send."""
    levels(50)
    await journal.event("feedback", {"face": 3})
    await journal.seal()
    await uplink.flush()
    lanes = await lanes_of(archive)
    assert (lanes["readings"]["got"], lanes["events"]["got"]) == ([[1, 50]], [[1, 1]])
    assert journal.pending() == 0


async def test_the_newest_value_is_the_citys_latest(
    uplink: Uplink, archive: Archive, measure: Measure
) -> None:
    """The operator sees each stream's newest value with unit, quality and what is simulated."""
    await measure(3)
    await uplink.flush()
    ((stream,),) = [kiosk["streams"] for kiosk in await archive.fleet()]
    assert stream["stream"] == "pier/water_level"
    assert (stream["value"], stream["unit"], stream["simulated"]) == (1.002, "m", True)


async def test_the_newest_readings_go_first(
    journal: Journal, uplink: Uplink, measure: Measure
) -> None:
    """After a long absence events and the present go together, then the past from its start."""
    for _ in range(4):
        await measure(10)
    await journal.event("feedback", {"face": 1})
    order = []
    async with aiohttp.ClientSession() as session:
        await uplink._hello(session)
        while part := await uplink._next_part():
            segments = [wire.decode_segment(sent.body) for sent in part.segments]
            order.append([(segment.lane, segment.first_seq) for segment in segments])
            await uplink._send(session, part)
    assert order[0] == [(Lane.EVENTS, 1), (Lane.READINGS, 31)]
    assert order[1:] == [[(Lane.READINGS, first) for first in (1, 11, 21)]]


async def test_a_batch_sent_twice_is_kept_once(
    journal: Journal, make_segment: MakeSegment, upload: Upload, archive: Archive
) -> None:
    """When the answer is lost the kiosk sends the same bytes again, and nothing doubles."""
    segment = await make_segment(5)
    for _ in range(2):
        status, _ = await upload(segment)
        assert status == 200
    assert await readings_of(archive, journal) == [segment]


class Swallower:
    """A road to the city on which the answers to the first uploads are lost."""

    def __init__(self, city: BaseTestServer, losses: int) -> None:
        self._city = city
        self.losses = losses
        self.uploads = 0

    async def carry(self, request: web.Request) -> web.StreamResponse:
        """Hand a request to the city; its answer may not come back."""
        answer = await pass_on(self._city, request)
        if request.path == "/v1/segments" and answer.status == 200:
            self.uploads += 1
            if self.uploads <= self.losses:
                assert request.transport is not None
                request.transport.abort()
        return answer


async def test_lost_answers_cost_nothing(
    journal: Journal,
    make_uplink: Callable[..., Uplink],
    city: BaseTestServer,
    archive: Archive,
    measure: Measure,
) -> None:
    """The city commits, its answer is lost, the kiosk asks what arrived and goes on."""
    await measure(20)
    swallower = Swallower(city, losses=1)
    async with road(swallower.carry) as url:
        with pytest.raises(aiohttp.ClientError):
            await make_uplink(journal, url).flush()
        assert journal.pending() == 20
        await make_uplink(journal, url).flush()
    assert swallower.uploads == 1, "hello told the kiosk that all of it had arrived"
    assert (await lanes_of(archive))["readings"]["got"] == [[1, 20]]
    assert journal.pending() == 0


async def test_a_portal_is_no_city(
    journal: Journal, make_uplink: Callable[..., Uplink], measure: Measure
) -> None:
    """A captive portal answers 200 to everything; that is no ack, and it has a name."""
    await measure(3)

    async def portal(_: web.Request) -> web.Response:
        return web.Response(text="<h1>Sign in to Pier Wi-Fi</h1>", content_type="text/html")

    async with road(portal) as url:
        uplink = make_uplink(journal, url)
        with pytest.raises(UplinkError, match="text/html"):
            await uplink.flush()
        await state(uplink, "portal")
    assert journal.pending() == 3


async def test_a_city_that_acks_nothing_is_not_believed(
    journal: Journal,
    make_uplink: Callable[..., Uplink],
    city_key: Key,
    measure: Measure,
) -> None:
    """A 200 without the ranges that were sent is an error, and the entries stay."""
    await measure(3)

    async def empty(request: web.Request) -> web.Response:
        return city_says(city_key, request, b"")

    async with road(empty) as url:
        with pytest.raises(UplinkError, match="has not taken"):
            await make_uplink(journal, url).flush()
    assert journal.pending() == 3


async def test_the_citys_time_sets_a_clock_that_nobody_has_set(
    journal: Journal, uplink: Uplink, clock: Clock
) -> None:
    """A kiosk that thinks it is 1970 takes the time from the city, with its error."""
    assert clock.utc_ms() is None
    await uplink.flush()
    assert clock.source == "city"
    assert (clock.utc_ms() or 0) > FLOOR_UTC_MS
    assert {anchor.source for anchor in journal.anchors} == {"city"}


async def test_anchors_travel_beside_the_entries(
    uplink: Uplink, archive: Archive, measure: Measure
) -> None:
    """An entry made before the clock was set gets its time at the city all the same."""
    await measure(1)
    await uplink.flush()  # Learns the time from the answer to hello.
    await measure(1)
    await uplink.flush()
    ((stream,),) = [kiosk["streams"] for kiosk in await archive.fleet()]
    assert stream["time_source"] == "city"
    assert stream["utc_ms"] > FLOOR_UTC_MS


async def test_a_poison_segment_does_not_block_the_next(
    uplink: Uplink, upload: Upload, archive: Archive, measure: Measure
) -> None:
    """Well framed, wrong inside: kept aside with the reason, acked, and the lane goes on."""
    body = wire.encode_segment(
        Segment(b"another epoch 16", Lane.EVENTS, 1, 3, bytes(16), b"", b"", b"no zstd")
    )
    status, answer = await upload(body, body)
    reply = wire_pb2.UploadReply.FromString(answer)
    assert status == 200
    assert "no zstd" in reply.quarantined[0].reason
    aside = (await lanes_of(archive))["events"]["quarantined"]
    assert [(row["first"], row["entries"]) for row in aside] == [(1, 3)]
    await measure(2)
    await uplink.flush()
    assert [[1, 2]] in [lane["got"] for kiosk in await archive.fleet() for lane in kiosk["lanes"]]


async def test_other_content_for_a_stored_seq_is_a_fork(
    journal: Journal, make_segment: MakeSegment, upload: Upload, archive: Archive
) -> None:
    """A second writer with the same epoch overwrites nothing, and the operator is told."""
    stored = await make_segment(4)
    forged = wire.encode_segment(wire.decode_segment(stored)._replace(boot=bytes(16)))
    answers = [(await upload(body))[0] for body in (stored, forged)]
    assert answers == [200, 409]
    assert await readings_of(archive, journal) == [stored]
    assert (await lanes_of(archive))["readings"]["alert"] == "fork"


MALFORMED = [
    (b"\xff\xff\xff", "no Upload message"),
    (
        wire_pb2.Upload(kiosk="kiosk-1", segments=[b"\x0a"]).SerializeToString(),
        "no Segment message",
    ),
    (wire_pb2.Upload(kiosk="kiosk-1", segments=[b""]).SerializeToString(), "not a lane: 0"),
    (
        wire_pb2.Upload(
            kiosk="kiosk-1", lost=[wire_pb2.Lost(lane="LANE_EVENTS")]
        ).SerializeToString(),
        "epoch has 0 bytes",
    ),
    (
        wire_pb2.Upload(kiosk="kiosk-1", anchors=[wire_pb2.Anchor(boot=b"x")]).SerializeToString(),
        "boot has 1 bytes",
    ),
    (wire_pb2.Upload(kiosk="kiosk-1", segments=[b""] * 300).SerializeToString(), "300 segments"),
]


@pytest.mark.parametrize(("body", "reason"), MALFORMED)
async def test_a_malformed_upload_is_refused_with_the_reason(
    post: Callable[..., Any], archive: Archive, body: bytes, reason: str
) -> None:
    """What is no upload gets 400 and says why, and the archive is untouched."""
    status, answer = await post("/v1/segments", body)
    assert status == 400
    assert reason in answer.decode()
    assert [kiosk["lanes"] for kiosk in await archive.fleet()] == [[]]


async def test_one_bad_segment_leaves_the_good_one_before_it_out(
    journal: Journal, make_segment: MakeSegment, upload: Upload, archive: Archive
) -> None:
    """An upload is stored whole or not at all."""
    status, _ = await upload(await make_segment(2), b"\x08")
    assert status == 400
    assert await readings_of(archive, journal) == []


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        ("", "not a sha-256 Content-Digest"),
        ("sha-256=:?:", "not a sha-256 Content-Digest"),
        ("sha-256=:AAAA:", "does not match"),
    ],
)
async def test_a_body_must_match_its_digest(
    post: Callable[..., Any], header: str, reason: str
) -> None:
    """A body that was damaged or cut on its way is not even parsed."""
    status, answer = await post("/v1/segments", b"x", **{"Content-Digest": header})
    assert status == 400
    assert reason in answer.decode()


async def test_a_body_over_the_limit_is_refused(post: Callable[..., Any]) -> None:
    """The city reads no more than it says it takes."""
    status, _ = await post("/v1/segments", bytes(BODY_BYTES_MAX + 1))
    assert status == 413


async def test_a_missing_schema_is_asked_for(
    journal: Journal, uplink: Uplink, archive: Archive, measure: Measure
) -> None:
    """A city that lacks the dictionary says so, gets it, and takes the segment."""
    await measure(1)
    reading = Reading("people", 4, "/min")
    journal.append("square", [reading], 0, simulated=False, decimals={"people": 0})
    await journal.seal()
    await uplink.flush()
    names = [stream["stream"] for kiosk in await archive.fleet() for stream in kiosk["streams"]]
    assert names == ["pier/water_level", "square/people"]


async def test_the_fleet_is_a_page_for_a_person(
    uplink: Uplink, city: BaseTestServer, measure: Measure
) -> None:
    """The city's front page names the kiosk, its ranges and what is simulated."""
    await measure(2)
    await uplink.flush()
    async with aiohttp.ClientSession() as session, session.get(city.make_url("/")) as response:
        text = await response.text()
    assert "kiosk-1" in text
    assert "1–2" in text
    assert "simulated" in text


async def test_verify_finds_what_is_missing_and_what_differs(
    journal: Journal,
    uplink: Uplink,
    archive: Archive,
    levels: Callable[..., None],
    measure: Measure,
    tmp_path: Path,
    database: str,
) -> None:
    """Verify names each entry that the city lacks or has otherwise, and fails."""
    await measure(3)
    await uplink.flush()
    levels(2)
    await journal.close()
    reports = await verify(tmp_path, database or str(tmp_path / "city"), wait_s=0)
    assert list(reports[Lane.READINGS].missing) == [(4, 5)]

    table = archive._tables.segment

    def tamper() -> None:
        row = table.get()
        segment = wire.decode_segment(bytes(row.body))
        rows = [wire.Row(*row[:3], 9, 0) for row in wire.segment_rows(segment)]
        packed = wire.pack_columns(wire.pack_rows(rows))
        row.body = wire.encode_segment(segment._replace(columns=packed))
        row.save()
        twin = table.create(
            lane=row.lane, first_seq=3, entries=1, sha256=b"", received_ms=0, body=row.body
        )
        assert twin.id != row.id

    await archive._thread.run(tamper)
    reports = await verify(tmp_path, database or str(tmp_path / "city"), wait_s=0)
    assert list(reports[Lane.READINGS].missing) == [(1, 5)]
    assert list(reports[Lane.READINGS].doubled) == [(1, 3)]


async def test_verify_asks_a_running_kiosk(
    journal: Journal,
    uplink: Uplink,
    city: BaseTestServer,
    levels: Callable[..., None],
    tmp_path: Path,
) -> None:
    """A running kiosk seals and sends what it holds when verify asks, and both ends agree."""
    levels(7)
    async with local.serve(journal, uplink), beside(uplink.keep()):
        reports = await verify(tmp_path, str(city.make_url("/")))
    readings = reports[Lane.READINGS]
    assert (readings.entries, readings.missing.count(), readings.doubled.count()) == (7, 0, 0)


def test_verify_without_a_journal_or_a_city_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be compared is one line and exit status 2."""
    assert verify_command(tmp_path, "http://127.0.0.1:1") == 2
    assert "no journal.db" in capsys.readouterr().err
