"""Bytes per reading on the wire, beside a peer's JSON and what xz makes of the same columns."""

from __future__ import annotations

import json
import lzma
import tempfile
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from sync import wire
from sync.zstd import compress
from tests.bench.figures import Beside, Figure
from tests.bench.reference_day import Arrival, reference_day
from tests.bench.replay import SEGMENT_MS, UTC_AT_BOOT_MS, Replayed, batches, ram_folder, replay

GOAL_BEATS = 1.1
GOAL_MS_TIMES = 1.6
# A body is far smaller than the 64 MB window of -9, which would only cost time.
XZ_FILTERS = [
    {"id": lzma.FILTER_LZMA2, "preset": 9 | lzma.PRESET_EXTREME, "dict_size": 1024 * 1024}
]


async def measure(*, hours: float = 24.0) -> list[Figure]:
    """The day stamped with beats, and the day stamped with the millisecond of each arrival."""
    figures = []
    for beats, name, goal in (
        (True, "wire_bytes_per_reading", GOAL_BEATS),
        (False, "wire_bytes_per_reading_ms_times", GOAL_MS_TIMES),
    ):
        day = list(reference_day(beats=beats, hours=hours))
        with tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()) as folder:
            replayed = await replay(day, Path(folder) / "kiosk", Path(folder) / "city")
        figures.append(_figure(name, goal, day, replayed))
    return figures


def _figure(name: str, goal: float, day: Sequence[Arrival], replayed: Replayed) -> Figure:
    bodies = list(_json_bodies(day))
    columns = [_unpacked(body) for body in replayed.segments]
    besides = {
        "ThingsBoard telemetry JSON": sum(map(len, bodies)),
        "the same JSON, zstd": sum(len(compress(body, wire.ZSTD_LEVEL)) for body in bodies),
        "xz -9e of each 10-minute protobuf body (limit)": sum(map(_xz_bytes, columns)),
        "xz -9e of the day's protobuf bodies as one (limit)": _xz_bytes(b"".join(columns)),
    }
    return Figure(
        name,
        replayed.upload_bytes / len(day),
        "B/reading",
        goal,
        beside=tuple(Beside(peer, size / len(day)) for peer, size in besides.items()),
        note=f"{len(day):,} readings in {replayed.uploads} uploads of 10 minutes; each "
        "reading was decoded at the city and found equal",
    )


def _json_bodies(day: Sequence[Arrival]) -> Iterator[bytes]:
    """What a ThingsBoard gateway publishes on v1/gateway/telemetry, 10 minutes at a time."""
    for batch in batches(day, SEGMENT_MS):
        devices: dict[str, list[dict[str, Any]]] = {}
        for (at_ms, sensor), group in groupby(batch.arrivals, lambda arrival: arrival[:2]):
            values = {arrival.quantity: arrival.value for arrival in group}
            devices.setdefault(sensor, []).append({"ts": UTC_AT_BOOT_MS + at_ms, "values": values})
        yield json.dumps(devices, separators=(",", ":")).encode()


def _unpacked(body: bytes) -> bytes:
    """A segment as it is before zstd."""
    segment = wire.decode_segment(body)
    return wire.encode_segment(segment._replace(columns=wire.unpack_columns(segment.columns)))


def _xz_bytes(body: bytes) -> int:
    return len(lzma.compress(body, check=lzma.CHECK_NONE, filters=XZ_FILTERS))
