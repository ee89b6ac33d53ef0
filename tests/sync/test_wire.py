import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sync import wire, wire_pb2
from sync.entry import Anchor, Event, Lane, Stream
from sync.wire import Row, Segment, WireError
from sync.zstd import compress

ROOT = Path(__file__).resolve().parents[2]
BOOT = bytes(range(16))
ROWS = [
    Row(7, 0, 10_000, 1234, 0),
    Row(8, 1, 10_000, -5, 0),
    Row(9, 0, 20_000, None, 5),
    Row(10, 2, 15_000, 0, 0),
    Row(11, 1, 20_003, 2**40, 9),
]


def segment(columns: bytes, count: int, lane: Lane = Lane.READINGS, **change: Any) -> bytes:
    """An encoded segment."""
    head: dict[str, Any] = {
        "epoch": b"e" * 16,
        "lane": lane,
        "first_seq": 7,
        "entries": count,
        "boot": BOOT,
        "schema": b"s" * 8 if lane is Lane.READINGS else b"",
        "previous": b"p" * 32,
        "columns": wire.pack_columns(columns),
    }
    return wire.encode_segment(Segment(**{**head, **change}))


def random_rows(seed: int) -> list[Row]:
    """Rows as a bad day gives them: holes, jitter, jumps back, odd qualities."""
    rng = random.Random(seed)  # noqa: S311
    at_ms = rng.randrange(10**10)
    rows = []
    for seq in range(7, 7 + rng.randrange(1, 400)):
        at_ms += rng.choice((0, 0, 10_000, rng.randrange(-50, 90_000)))
        quality = rng.choice((0, 0, 0, rng.randrange(13)))
        scaled = None if rng.random() < 0.1 else rng.randrange(-(2**53), 2**53)
        rows.append(Row(seq, rng.choice((0, 1, 2, 900)), at_ms, scaled, quality))
    return rows


def test_rows_come_back_as_they_went() -> None:
    """A segment gives back each row to the digit, in its order."""
    packed = segment(wire.pack_rows(ROWS), len(ROWS))
    assert wire.segment_rows(wire.decode_segment(packed)) == ROWS


@pytest.mark.parametrize("seed", range(60))
def test_any_rows_come_back(seed: int) -> None:
    """No pattern of times, streams, values and qualities is too odd for the columns."""
    rows = random_rows(seed)
    assert wire.unpack_rows(wire.pack_rows(rows), 7, len(rows)) == rows


def test_events_come_back_as_they_went() -> None:
    """A segment of events gives back each with its time and body."""
    events = [
        Event(7, BOOT.hex(), 5_000, "feedback", {"face": 3, "where": "ท่าเรือ"}),
        Event(8, BOOT.hex(), 4_000, "health", {}),
    ]
    packed = segment(wire.pack_events(events), 2, Lane.EVENTS)
    assert wire.segment_events(wire.decode_segment(packed)) == events


@pytest.mark.parametrize("seed", range(40))
def test_damaged_columns_are_an_error_or_rows(seed: int) -> None:
    """Columns with flipped bytes raise `WireError` and nothing else."""
    rng = random.Random(seed)  # noqa: S311
    rows = random_rows(seed)
    for _ in range(50):
        columns = bytearray(wire.pack_rows(rows))
        for _ in range(rng.randrange(1, 4)):
            columns[rng.randrange(len(columns))] = rng.randrange(256)
        try:
            found = wire.unpack_rows(bytes(columns), 7, len(rows))
        except WireError:
            continue
        assert [row.seq for row in found] == [row.seq for row in rows]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epoch": b"short"}, "epoch has 5 bytes"),
        ({"boot": b""}, "boot has 0 bytes"),
        ({"schema": b"x"}, "schema has 1 bytes"),
        ({"previous": b"x"}, "previous has 1 bytes"),
        ({"entries": 0}, "0 entries"),
        ({"entries": wire.SEGMENT_ENTRIES_MAX + 1}, "entries; 1 to"),
        ({"first_seq": 0}, "not a first seq: 0"),
        ({"first_seq": 2**63 - 2}, "not a first seq"),
    ],
)
def test_a_head_that_is_wrong_is_named(change: dict[str, Any], message: str) -> None:
    """What is wrong in a segment's head is said with its value."""
    with pytest.raises(WireError, match=message):
        wire.decode_segment(segment(wire.pack_rows(ROWS), len(ROWS), **change))


def test_a_bomb_ends_at_the_limit() -> None:
    """A few KB that unpack to a GB are refused without unpacking them."""
    bomb = compress(bytes(wire.COLUMNS_BYTES_MAX + 1), 3)
    with pytest.raises(WireError, match="over"):
        wire.unpack_columns(bomb)


def test_a_segment_with_too_many_bytes_is_refused() -> None:
    """A segment has a size limit, and the message says both sizes."""
    with pytest.raises(WireError, match="524289 bytes; 524288"):
        wire.decode_segment(bytes(wire.SEGMENT_BYTES_MAX + 1))


def test_a_schema_comes_back_as_it_went() -> None:
    """The dictionary keeps names, units, decimals and what is simulated."""
    streams = (
        Stream("pier", "water_level", "m", 3, simulated=True),
        Stream("ท่า", "people", "1/min", 0, simulated=False),
    )
    assert wire.decode_schema(wire.encode_schema(streams)) == streams


def test_an_anchor_comes_back_as_it_went() -> None:
    """An anchor keeps its boot, both times, error and source."""
    anchor = Anchor(BOOT.hex(), 1, 1_795_000_000_123, 40, "ntp")
    assert wire.decode_anchor(wire.encode_anchor(anchor)) == anchor


@pytest.mark.parametrize(
    "body", [{"x": float("nan")}, {"x": float("inf")}, {"x": "a" * wire.EVENT_BYTES_MAX}]
)
def test_an_event_that_is_no_small_json_is_refused(body: dict[str, object]) -> None:
    """NaN, infinity and a very long text are refused where they come in."""
    with pytest.raises(WireError, match=r"no JSON|are allowed"):
        wire.dump_body(body)


def test_the_generated_code_is_fresh(tmp_path: Path) -> None:
    """sync/wire_pb2.py is what protoc makes of sync/wire.proto."""
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{ROOT}", f"--python_out={tmp_path}"]
    subprocess.run([*command, str(ROOT / "sync" / "wire.proto")], check=True)
    made = (tmp_path / "sync" / "wire_pb2.py").read_text()
    assert made == Path(wire_pb2.__file__).read_text()
