"""An enrolled kiosk that has gone mad, or was stolen, against a city in a process of its own."""

from __future__ import annotations

import io
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import pytest

from drivers.reading import Reading
from sync import wire, wire_pb2
from sync.city.archive import Archive
from sync.city.receiver import BODY_BYTES_MAX, HELLO_BYTES_MAX, SEGMENTS_MAX
from sync.clock import Clock
from sync.entry import Anchor, Lane, Stream
from sync.identity import CITY_KEY, Identity, Key, read_or_make_key
from sync.journal import Journal
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from sync.wire import Segment
from sync.zstd import compress
from tests.enrolled import KIOSK, enrolled, signed
from tests.waiting import angsila, free_port

RSS_GROWTH_MAX_KB = 32 * 1024
EPOCH, BOOT = b"hostile epoch 16", bytes(range(16))
YEAR_2099_MS = 4_085_000_000_000
SCHEMA = wire.encode_schema([])
TEN_MB = 10 * 1024 * 1024


class City(NamedTuple):
    """A city that runs, and the key of the kiosk that it knows."""

    url: str
    pid: int
    key: Key
    folder: Path

    async def call(
        self, path: str, body: bytes, method: str = "POST", key: Key | None = None
    ) -> tuple[int, bytes]:
        """One signed call; status and answer."""
        headers = signed(key or self.key, method, path, body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                method, self.url + path, data=io.BytesIO(body), headers=headers
            ) as response,
        ):
            return response.status, await response.read()

    async def get(self, path: str) -> Any:
        """What the operator reads."""
        async with aiohttp.ClientSession() as session, session.get(self.url + path) as response:
            assert response.status == 200
            return await (response.json() if path.startswith("/v1") else response.text())

    async def upload(self, *segments: bytes, **more: Any) -> tuple[int, bytes]:
        """Upload segments and whatever else is in the message."""
        upload = wire_pb2.Upload(kiosk=KIOSK, segments=segments, **more)
        return await self.call("/v1/segments", upload.SerializeToString())

    async def said(self) -> str:
        """Everything that the operator is told of the kiosk."""
        return str((await self.get("/v1/fleet"))["kiosks"])

    def memory_kb(self, name: str) -> int:
        """VmRSS or VmHWM of its process, see proc(5)."""
        text = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(text.partition(f"\n{name}:")[2].split()[0])

    def forget_peak(self) -> None:
        """Let VmHWM begin anew."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5", encoding="ascii")


@pytest.fixture
async def real_city(tmp_path: Path) -> AsyncIterator[City]:
    """`angsila city` with one kiosk enrolled."""
    folder = tmp_path / "city"
    archive = await Archive.open(folder)
    identity = await enrolled(archive, read_or_make_key(folder / CITY_KEY), tmp_path / "kiosk")
    await archive.close()
    port = free_port()
    async with angsila("city", "--state", folder, "--port", str(port)) as process:
        await process.line("city on http")
        yield City(f"http://127.0.0.1:{port}", process.pid, identity.key(), tmp_path / "kiosk")


def events(first: int, count: int = 1, **change: Any) -> bytes:
    """A good segment of events, or one with something else in it."""
    columns = wire_pb2.EventColumns(
        at_ms=[5] * count, kind=["feedback"] * count, body=['{"face":3}'] * count
    )
    packed = wire.pack_columns(columns.SerializeToString())
    good = Segment(EPOCH, Lane.EVENTS, first, count, BOOT, b"", wire.UNLINKED, packed)
    return wire.encode_segment(good._replace(**change))


def readings(first: int, columns: bytes, count: int = 1, schema: bytes = SCHEMA) -> bytes:
    """A segment of readings with these columns."""
    prefix = wire.sha256(schema)[: wire.SCHEMA_BYTES]
    head = Segment(EPOCH, Lane.READINGS, first, count, BOOT, prefix, wire.UNLINKED, b"")
    return wire.encode_segment(head._replace(columns=columns))


def event_columns(text: str) -> bytes:
    """The packed columns of one event with this body."""
    columns = wire_pb2.EventColumns(at_ms=[5], kind=["feedback"], body=[text])
    return compress(columns.SerializeToString(), 1)


def long_values() -> bytes:
    """A thousand times more values than entries."""
    columns = wire_pb2.Columns(
        stream=[0], count=[1], times_of=[0], start_ms=[1], beat_ms=[0], values_from_base=[0]
    )
    columns.value.extend([1000] * 900_000)
    return compress(columns.SerializeToString(), 1)


ASIDE: list[tuple[str, Callable[[int], bytes], str]] = [
    ("no zstd", lambda seq: events(seq, columns=b"no zstd"), "no zstd"),
    ("a bomb of events", lambda seq: events(seq, columns=compress(bytes(1 << 28), 1)), "over"),
    ("a bomb of readings", lambda seq: readings(seq, compress(bytes(1 << 28), 1)), "over"),
    (
        "a string of 10 MB",
        lambda seq: events(seq, columns=event_columns('{"text":"' + "a" * TEN_MB + '"}')),
        "over",
    ),
    (
        "a string of 1 MB",
        lambda seq: events(seq, columns=event_columns('{"text":"' + "a" * (1 << 20) + '"}')),
        "are allowed",
    ),
    ("NaN", lambda seq: events(seq, columns=event_columns('{"x":NaN}')), "no JSON"),
    ("infinity", lambda seq: events(seq, columns=event_columns('{"x":-Infinity}')), "no JSON"),
    ("no end", lambda seq: events(seq, columns=event_columns("[" * 100_000)), "allowed"),
    ("long columns", lambda seq: readings(seq, long_values()), "over"),
    (
        "a stream that is none",
        lambda seq: readings(seq, wire.pack_columns(wire.pack_rows([wire.Row(seq, 7, 5, 1, 0)]))),
        "stream 7",
    ),
]


async def test_segments_that_cannot_be_read_are_kept_aside(real_city: City) -> None:
    """Acked and said, to kiosk and operator; RAM does not swell, and the next goes in."""
    await put_schema(real_city)
    await good_one_goes_in(real_city, 1000)
    before_kb = real_city.memory_kb("VmRSS")
    real_city.forget_peak()
    for seq, (name, make, reason) in enumerate(ASIDE, start=1):
        status, answer = await real_city.upload(make(seq))
        reply = wire_pb2.UploadReply.FromString(answer)
        assert (name, status) == (name, 200)
        assert [aside.range.first for aside in reply.quarantined] == [seq]
        assert reason in reply.quarantined[0].reason
        assert repr(reply.quarantined[0].reason)[1:-1] in await real_city.said()
        await good_one_goes_in(real_city, 1000 + seq)
    assert real_city.memory_kb("VmHWM") - before_kb <= RSS_GROWTH_MAX_KB
    assert "kept aside" in await real_city.get("/")


async def put_schema(city: City) -> None:
    """Let the city have the empty dictionary."""
    path = f"/v1/schema/{wire.sha256(SCHEMA).hex()}?kiosk={KIOSK}"
    assert (await city.call(path, SCHEMA, "PUT"))[0] == 204


async def good_one_goes_in(city: City, seq: int) -> None:
    """One round trip, and the next good segment is at the city."""
    status, answer = await city.upload(events(seq))
    reply = wire_pb2.UploadReply.FromString(answer)
    got = [(found.first, found.last) for lane in reply.lanes for found in lane.got]
    assert status == 200
    assert any(first <= seq <= last for first, last in got)
    assert not reply.quarantined


def frame(**fields: Any) -> bytes:
    """An upload of this kiosk."""
    return wire_pb2.Upload(kiosk=KIOSK, **fields).SerializeToString()


REFUSED: list[tuple[str, str, bytes, int, str]] = [
    ("10 MB", "/v1/segments", bytes(TEN_MB), 413, "size"),
    ("a field of 1 MB", "/v1/segments", frame(segments=[b"a" * 1_000_000]), 400, "are allowed"),
    ("tiny segments", "/v1/segments", frame(segments=[b""] * 500_000), 400, "over 4096 parts"),
    ("not a frame", "/v1/segments", b"\xff" * 100_000, 400, "no Upload message"),
    ("empty lanes", "/v1/hello", b"\x22\x00" * (HELLO_BYTES_MAX // 2 + 1), 400, "a hello of"),
    ("tiny anchors", "/v1/segments", frame() + b"\x1a\x00" * 400_000, 400, "over 4096 parts"),
    ("tiny losses", "/v1/segments", frame() + b"\x22\x00" * 400_000, 400, "over 4096 parts"),
]


async def test_what_is_no_frame_is_refused(real_city: City) -> None:
    """Refused with a reason that kiosk and operator read; nothing stored, RAM does not swell."""
    await good_one_goes_in(real_city, 1)
    before_kb = real_city.memory_kb("VmRSS")
    real_city.forget_peak()
    for number, (name, path, body, status, reason) in enumerate(REFUSED, start=2):
        found, answer = await real_city.call(path, body)
        assert (name, found, reason in answer.decode()) == (name, status, True)
        await good_one_goes_in(real_city, number)
    assert real_city.memory_kb("VmHWM") - before_kb <= RSS_GROWTH_MAX_KB
    ((lane,),) = [kiosk["lanes"] for kiosk in (await real_city.get("/v1/fleet"))["kiosks"]]
    assert lane["entries"] == 1 + len(REFUSED)
    assert "refused: /v1/segments: over 4096 parts in one Upload" in await real_city.said()
    assert "refused: /v1/hello: a hello of" in await real_city.get("/")


async def test_a_forged_hash_is_refused(real_city: City) -> None:
    """A dictionary under another's hash is not kept, and the operator is told."""
    path = f"/v1/schema/{bytes(32).hex()}?kiosk={KIOSK}"
    status, answer = await real_city.call(path, SCHEMA, "PUT")
    assert (status, b"hash is" in answer) == (400, True)
    assert "refused" in await real_city.said()
    await good_one_goes_in(real_city, 1)


async def test_a_segment_of_an_unknown_schema_is_not_taken(real_city: City) -> None:
    """The city asks for the dictionary by its name, and stores nothing until it has it."""
    prefix = wire.sha256(SCHEMA)[: wire.SCHEMA_BYTES]
    status, answer = await real_city.upload(readings(1, b"whatever"))
    assert (status, answer.decode()) == (428, prefix.hex())
    await good_one_goes_in(real_city, 1)


async def test_another_devices_key_speaks_for_nobody(real_city: City) -> None:
    """A good signature of a key that the city does not know opens nothing."""
    body = frame(segments=[events(1)])
    status, answer = await real_city.call("/v1/segments", body, key=Key())
    assert (status, b"unknown key" in answer) == (401, True)
    await good_one_goes_in(real_city, 1)


async def test_segments_replayed_and_out_of_order_arrive_once(real_city: City) -> None:
    """Whatever order and however often, each seq is at the city once."""
    bodies = [events(1 + 10 * number, 10) for number in range(8)]
    for number in (7, 0, 3, 3, 7, 1, 2, 6, 5, 4, 0, 7):
        assert (await real_city.upload(bodies[number]))[0] == 200
    assert (await real_city.upload(*reversed(bodies)))[0] == 200

    ((lane,),) = [kiosk["lanes"] for kiosk in (await real_city.get("/v1/fleet"))["kiosks"]]

    assert (lane["got"], lane["entries"], lane["quarantined"]) == ([[1, 80]], 80, [])


async def test_a_replay_with_other_content_overwrites_nothing(real_city: City) -> None:
    """The same seqs with other bytes are a fork, said to the operator; what is there stays."""
    await good_one_goes_in(real_city, 1)
    status, answer = await real_city.upload(events(1, boot=bytes(16)))
    assert (status, b"other content" in answer) == (409, True)
    assert "'alert': 'fork'" in await real_city.said()
    await good_one_goes_in(real_city, 2)


@pytest.mark.parametrize(("utc_ms", "reason"), [(YEAR_2099_MS, "2099"), (86_400_000, "1970-01-02")])
async def test_a_time_that_cannot_be_is_not_believed(
    real_city: City, utc_ms: int, reason: str
) -> None:
    """Kept aside and said in the fleet; the readings are taken, and their time is not known."""
    schema = wire.encode_schema([Stream("pier", "people", "1", 0, simulated=False)])
    path = f"/v1/schema/{wire.sha256(schema).hex()}?kiosk={KIOSK}"
    assert (await real_city.call(path, schema, "PUT"))[0] == 204
    columns = wire.pack_columns(wire.pack_rows([wire.Row(1, 0, 5_000, 3, 0)]))
    anchor = wire.encode_anchor(Anchor(BOOT.hex(), 5_000, utc_ms, 20, "ntp"))

    status, _ = await real_city.upload(readings(1, columns, schema=schema), anchors=[anchor])
    (kiosk,) = (await real_city.get("/v1/fleet"))["kiosks"]

    assert status == 200
    assert reason in kiosk["times_not_believed"][0]["reason"]
    assert [(each["value"], each["utc_ms"]) for each in kiosk["streams"]] == [(3.0, None)]
    assert "time not believed" in await real_city.get("/")

    true_ms = time.time_ns() // 1_000_000
    anchor = wire.encode_anchor(Anchor(BOOT.hex(), 6_000, true_ms, 20, "ntp"))
    await real_city.upload(anchors=[anchor])
    (kiosk,) = (await real_city.get("/v1/fleet"))["kiosks"]
    assert [each["utc_ms"] for each in kiosk["streams"]] == [true_ms - 1_000]


async def test_a_kiosk_gets_through_after_all_of_it(real_city: City) -> None:
    """Bombs, floods and lies one after the other: the city's RAM stays, a real kiosk delivers."""
    await put_schema(real_city)
    await good_one_goes_in(real_city, 5000)
    before_kb = real_city.memory_kb("VmRSS")
    real_city.forget_peak()
    for number, (_, make, _) in enumerate(ASIDE):
        assert (await real_city.upload(make(1 + number)))[0] == 200
    for _, path, body, status, _ in REFUSED:
        assert (await real_city.call(path, body))[0] == status
    for _ in range(5):
        full = frame(segments=[b"a" * (BODY_BYTES_MAX // SEGMENTS_MAX - 16)] * SEGMENTS_MAX)
        assert (await real_city.call("/v1/segments", full))[0] == 400
    peak_kb = real_city.memory_kb("VmHWM") - before_kb
    assert peak_kb <= RSS_GROWTH_MAX_KB

    journal = await Journal.open(real_city.folder, Clock(()))
    try:
        reading = Reading("people", 4, "1")
        journal.append("pier", [reading], 1_000, simulated=False, decimals={"people": 0})
        await journal.seal()

        options = UplinkOptions(real_city.url, KIOSK)
        await Uplink(journal, journal.clock, options, Identity(real_city.folder)).flush()
        assert journal.pending() == 0
    finally:
        await journal.close()
