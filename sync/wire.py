"""Segments: bytes to entries and back. Pure: no clock, no disk, no network."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from operator import sub
from typing import Any, NamedTuple, TypeVar

from google.protobuf.message import DecodeError, Message

from drivers.reading import QUALITIES
from sync import wire_pb2
from sync.entry import Anchor, Entry, Event, Lane, Stream, SyncError
from sync.zstd import DecompressionParameter, ZstdDecompressor, ZstdError, compress

SEGMENT_ENTRIES_MAX = 8192
SEGMENT_BYTES_MAX = 512 * 1024
COLUMNS_BYTES_MAX = 2 * 1024 * 1024  # Unpacked; a zstd bomb ends here.
ENTRY_BYTES_MAX = 96  # Of one reading in all its columns, were each number as long as can be.
PARTS_MAX = 4096  # Of one message: segments, anchors and losses together.
WINDOW_LOG_MAX = 23  # 8 MB, what RFC 8878 has every decoder support; a frame may ask for 128.
STREAMS_MAX = 1024
SEQ_MAX = 2**63 - 1
TIME_MAX_MS = 2**53  # 285,000 years of uptime; what every JSON reader still gets right.
VALUE_MAX = 2**53  # Scaled; beyond it a float is no exact integer.
TEXT_MAX = 256  # Characters in a name.
EVENT_BYTES_MAX = 16 * 1024
ZSTD_LEVEL = 12  # Measured on the reference day: 2 % smaller than 3, as small as 19.
ID_BYTES = 16
HASH_BYTES = 32
UNLINKED = bytes(HASH_BYTES)  # `previous` of what was salvaged: nobody knows what came before.
SCHEMA_BYTES = 8  # Of the hash: enough to tell the dictionaries of one kiosk apart.

_QUALITY_INDEX = {quality: index for index, quality in enumerate(QUALITIES)}


Parsed = TypeVar("Parsed", bound=Message)


class WireError(SyncError):
    """The peer sent something that is no message of ours."""


class Row(NamedTuple):
    """One reading as columns are made from it."""

    seq: int
    stream: int  # Index into the schema.
    at_ms: int
    scaled: int | None
    quality: int


class Segment(NamedTuple):
    """The head of one segment, and its packed columns."""

    epoch: bytes
    lane: Lane
    first_seq: int
    entries: int
    boot: bytes
    schema: bytes
    previous: bytes
    columns: bytes  # As zstd left them.

    @property
    def last_seq(self) -> int:
        """The last seq it holds."""
        return self.first_seq + self.entries - 1


# --- columns ---------------------------------------------------------------------------------


def pack_rows(rows: Sequence[Row]) -> bytes:
    """Transpose rows of consecutive seqs, as `Columns` in wire.proto describes it."""
    tracks: dict[int, list[Row]] = {}
    for row in rows:
        track = tracks.get(row.stream)
        if track is None:
            tracks[row.stream] = [row]
        else:
            track.append(row)

    streams = sorted(tracks)
    in_order = [tracks[stream] for stream in streams]
    columns = wire_pb2.Columns()
    columns.stream.extend(map(sub, streams, [0, *streams]))
    columns.count.extend(map(len, in_order))
    _pack_times(columns, in_order)
    _pack_values(columns, in_order)
    _pack_qualities(columns, in_order)
    _pack_order(columns, rows)
    packed: bytes = columns.SerializeToString()
    return packed


# Lists are filled first and handed over whole: each call of a message's own costs as much as ten
# of a list's.


def _pack_times(columns: wire_pb2.Columns, tracks: Iterable[list[Row]]) -> None:
    """A sensor's quantities share their times, and so do all sensors on one beat."""
    places: dict[tuple[int, ...], int] = {}
    times_of, starts_ms, beats_ms, off_beat_ms = [], [], [], []
    start_ms = 0
    for place, track in enumerate(tracks, start=1):
        times_ms = tuple([row.at_ms for row in track])
        shared = places.setdefault(times_ms, place)
        if shared != place:
            times_of.append(shared)
            continue
        times_of.append(0)
        beat_ms = _beat(times_ms)
        starts_ms.append(times_ms[0] - start_ms)
        start_ms = times_ms[0]
        beats_ms.append(beat_ms)
        expected_ms = start_ms
        for at_ms in times_ms[1:]:
            expected_ms += beat_ms
            off_ms = at_ms - expected_ms
            off_beat_ms.append(off_ms)
            if off_ms and abs(off_ms) * 2 > beat_ms:
                expected_ms = at_ms
    columns.times_of.extend(times_of)
    columns.start_ms.extend(starts_ms)
    columns.beat_ms.extend(beats_ms)
    columns.off_beat_ms.extend(off_beat_ms)


def _beat(times_ms: Sequence[int]) -> int:
    """The beat of a track, or 0 where most steps are not near the middle one."""
    steps = _steps(times_ms)
    if not steps:
        return 0
    middle = _middle(steps)
    near = sum([abs(step - middle) * 16 <= middle for step in steps])
    return middle if middle > 0 and near * 2 >= len(steps) else 0


def _steps(numbers: Sequence[int]) -> list[int]:
    return list(map(sub, numbers[1:], numbers))


def _middle(numbers: Sequence[int]) -> int:
    """The median, the lower one of two: statistics.median_low without its checks."""
    return sorted(numbers)[(len(numbers) - 1) // 2]


def _pack_values(columns: wire_pb2.Columns, tracks: Iterable[list[Row]]) -> None:
    """Whichever costs less: steps for what wanders, distances from the middle for what jitters."""
    from_base: list[int] = []
    packed: list[int] = []
    for track in tracks:
        values = [row.scaled for row in track if row.scaled is not None]
        if not values:
            from_base.append(0)
            continue
        middle = _middle(values)
        steps = _steps(values)
        from_middle = [value - middle for value in values]
        if sum(map(abs, from_middle)) < sum(map(abs, steps)):
            from_base.append(1)
            packed.append(middle)
            packed += from_middle
        else:
            from_base.append(0)
            packed.append(values[0])
            packed.append(0)
            packed += steps
    columns.values_from_base.extend(from_base)
    columns.value.extend(packed)


def _pack_qualities(columns: wire_pb2.Columns, tracks: Iterable[list[Row]]) -> None:
    last = place = 0
    for track in tracks:
        for row in track:
            place += 1
            if row.quality or row.scaled is None:
                columns.odd_step.append(place - last)
                columns.odd_quality.append(row.quality * 2 + (row.scaled is None))
                last = place


def _pack_order(columns: wire_pb2.Columns, rows: Sequence[Row]) -> None:
    keys = [(row.at_ms, row.stream) for row in rows]
    if keys == sorted(keys):
        return
    in_order = sorted(range(len(rows)), key=keys.__getitem__)
    columns.displaced.extend(place - rank for rank, place in enumerate(in_order))


def unpack_rows(packed: bytes, first_seq: int, count: int) -> list[Row]:
    """The rows of `count` seqs from `first_seq`. Raises `WireError`."""
    columns = _parse(wire_pb2.Columns, packed)
    _check_shape(columns, count)
    times_ms = _unpack_times(columns)
    qualities = _unpack_qualities(columns, count)
    values = _unpack_values(columns, [quality & 1 for quality in qualities])
    streams = [
        stream
        for stream, size in zip(accumulate(columns.stream), columns.count, strict=True)
        for _ in range(size)
    ]
    in_order = sorted(range(count), key=lambda place: (times_ms[place], streams[place]))
    seqs = _unpack_order(columns, first_seq, count)
    rows = [
        Row(seq, streams[place], times_ms[place], values[place], qualities[place] >> 1)
        for seq, place in zip(seqs, in_order, strict=True)
    ]
    rows.sort()
    return rows


def _check_shape(columns: wire_pb2.Columns, count: int) -> None:
    tracks = len(columns.stream)
    per_track = (columns.count, columns.times_of, columns.values_from_base)
    if any(len(column) != tracks for column in per_track):
        raise WireError("columns do not agree on the number of tracks")
    if 0 in columns.stream[1:]:
        raise WireError("a stream has two tracks")
    if sum(columns.stream) >= STREAMS_MAX:
        raise WireError(f"stream {sum(columns.stream)}; {STREAMS_MAX} are allowed")
    if tracks and min(columns.count) < 1:
        raise WireError("a track has no entries")
    if sum(columns.count) != count:
        raise WireError(f"{sum(columns.count)} entries in the columns, {count} in the head")
    longest = max(len(columns.value) - tracks, len(columns.off_beat_ms), len(columns.odd_step))
    if longest > count:
        raise WireError(f"a column of {longest} for {count} entries")


def _unpack_times(columns: wire_pb2.Columns) -> list[int]:
    tracks: list[list[int]] = []
    starts, beats = iter(columns.start_ms), iter(columns.beat_ms)
    offs = iter(columns.off_beat_ms)
    start_ms = 0
    try:
        for size, shared in zip(columns.count, columns.times_of, strict=True):
            if shared:
                if shared > len(tracks) or len(tracks[shared - 1]) != size:
                    raise WireError(f"no track {shared} with {size} times to share")
                tracks.append(tracks[shared - 1])
                continue
            start_ms += next(starts)
            tracks.append(_unpack_track(start_ms, next(beats), offs, size))
    except StopIteration:
        raise WireError("the time columns end too early") from None
    if any(True for rest in (starts, beats, offs) for _ in rest):
        raise WireError("the time columns are too long")
    times_ms = [at_ms for track in tracks for at_ms in track]
    if times_ms and not (min(times_ms) >= -TIME_MAX_MS and max(times_ms) <= TIME_MAX_MS):
        raise WireError(f"not times in ms: {min(times_ms)} to {max(times_ms)}")
    return times_ms


def _unpack_track(start_ms: int, beat_ms: int, offs: Iterator[int], count: int) -> list[int]:
    times_ms = [start_ms]
    expected_ms = start_ms
    for _ in range(count - 1):
        expected_ms += beat_ms
        off_ms = next(offs)
        times_ms.append(expected_ms + off_ms)
        if off_ms and abs(off_ms) * 2 > beat_ms:
            expected_ms += off_ms
    return times_ms


def _unpack_qualities(columns: wire_pb2.Columns, count: int) -> list[int]:
    if len(columns.odd_step) != len(columns.odd_quality):
        raise WireError("the quality columns do not agree")
    qualities = [0] * count
    place = 0
    for step, quality in zip(columns.odd_step, columns.odd_quality, strict=True):
        place += step
        if not 0 < place <= count or not step:
            raise WireError(f"a quality for entry {place} of {count}")
        if quality >> 1 >= len(QUALITIES):
            raise WireError(f"not a quality: {quality >> 1}")
        qualities[place - 1] = quality
    return qualities


def _unpack_values(columns: wire_pb2.Columns, absent: Sequence[int]) -> list[int | None]:
    values: list[int | None] = []
    column = list(columns.value)
    read = start = 0
    for size, from_base in zip(columns.count, columns.values_from_base, strict=True):
        holes = absent[start : start + size]
        start += size
        present = size - sum(holes)
        if not present:
            values.extend([None] * size)
            continue
        base, distances = column[read : read + 1], column[read + 1 : read + 1 + present]
        read += 1 + present
        if len(distances) != present:
            raise WireError("the value column ends too early")
        if from_base:
            found = [base[0] + distance for distance in distances]
        else:
            found = list(accumulate(distances, initial=base[0]))[1:]
        if max(found) > VALUE_MAX or min(found) < -VALUE_MAX:
            raise WireError(f"a value out of all bounds: {min(found)} to {max(found)}")
        there = iter(found)
        values.extend([None if hole else next(there) for hole in holes])
    if read != len(column):
        raise WireError("the value column is too long")
    return values


def _unpack_order(columns: wire_pb2.Columns, first_seq: int, count: int) -> Sequence[int]:
    if not columns.displaced:
        return range(first_seq, first_seq + count)
    if len(columns.displaced) != count:
        raise WireError(f"{len(columns.displaced)} displacements for {count} entries")
    places = [rank + shift for rank, shift in enumerate(columns.displaced)]
    if sorted(places) != list(range(count)):
        raise WireError("the displacements are no order")
    return [first_seq + place for place in places]


# --- events ----------------------------------------------------------------------------------


def pack_events(events: Sequence[Event]) -> bytes:
    """Turn events into `EventColumns`."""
    columns = wire_pb2.EventColumns()
    before_ms = 0
    for event in events:
        columns.at_ms.append(event.at_ms - before_ms)
        before_ms = event.at_ms
        columns.kind.append(event.kind)
        columns.body.append(dump_body(event.body))
    packed: bytes = columns.SerializeToString()
    return packed


def dump_body(body: dict[str, Any]) -> str:
    """An event's body as it is kept. Raises `WireError` where it is no small JSON object."""
    try:
        text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise WireError(f"an event's body is no JSON: {error}") from None
    if len(text.encode()) > EVENT_BYTES_MAX:
        raise WireError(f"an event of {len(text.encode())} bytes; {EVENT_BYTES_MAX} are allowed")
    return text


def unpack_events(packed: bytes, first_seq: int, count: int, boot: str) -> list[Event]:
    """The events of `count` seqs from `first_seq`. Raises `WireError`."""
    columns = _parse(wire_pb2.EventColumns, packed, 3 * count)
    if not len(columns.at_ms) == len(columns.kind) == len(columns.body) == count:
        raise WireError(f"the event columns do not hold {count} entries each")
    events = []
    for place, at_ms in enumerate(accumulate(columns.at_ms)):
        kind, text = columns.kind[place], columns.body[place]
        if abs(at_ms) > TIME_MAX_MS:
            raise WireError(f"not a time in ms: {at_ms}")
        if not kind or len(kind) > TEXT_MAX:
            raise WireError(f"not a kind of event: {kind[:TEXT_MAX]!r}")
        if len(text.encode()) > EVENT_BYTES_MAX:
            raise WireError(f"an event of {len(text)} characters; {EVENT_BYTES_MAX} are allowed")
        try:
            body = json.loads(text, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise WireError(f"an event's body is no JSON: {text[:80]!r}") from None
        if not isinstance(body, dict):
            raise WireError(f"an event's body is no object: {text[:80]!r}")
        events.append(Event(first_seq + place, boot, at_ms, kind, body))
    return events


def _no_constant(name: str) -> None:
    """Python's JSON has NaN and the infinities, other readers' has not."""
    raise ValueError(f"not a value: {name}")


# --- segments --------------------------------------------------------------------------------


def encode_segment(segment: Segment) -> bytes:
    """The bytes that are kept, sent and kept again."""
    message = wire_pb2.Segment(
        epoch=segment.epoch,
        lane=wire_pb2.Lane.Name(segment.lane),
        first_seq=segment.first_seq,
        count=segment.entries,
        boot=segment.boot,
        schema=segment.schema,
        previous=segment.previous,
        columns=segment.columns,
    )
    body: bytes = message.SerializeToString(deterministic=True)
    return body


def decode_segment(body: bytes) -> Segment:
    """The head of a segment, checked. Raises `WireError`."""
    if len(body) > SEGMENT_BYTES_MAX:
        raise WireError(f"a segment of {len(body)} bytes; {SEGMENT_BYTES_MAX} are allowed")
    message = _parse(wire_pb2.Segment, body)
    try:
        lane = Lane(message.lane)
    except ValueError:
        raise WireError(f"not a lane: {message.lane}") from None
    for name, size in (("epoch", ID_BYTES), ("boot", ID_BYTES)):
        if len(getattr(message, name)) != size:
            raise WireError(f"{name} has {len(getattr(message, name))} bytes, not {size}")
    wants_schema = 0 if lane is Lane.EVENTS else SCHEMA_BYTES
    if len(message.schema) != wants_schema:
        raise WireError(f"schema has {len(message.schema)} bytes, not {wants_schema}")
    if len(message.previous) not in (0, HASH_BYTES):
        raise WireError(f"previous has {len(message.previous)} bytes, not {HASH_BYTES}")
    if not 1 <= message.count <= SEGMENT_ENTRIES_MAX:
        raise WireError(f"{message.count} entries; 1 to {SEGMENT_ENTRIES_MAX} are allowed")
    if not 1 <= message.first_seq <= SEQ_MAX - message.count:
        raise WireError(f"not a first seq: {message.first_seq}")
    return Segment(
        message.epoch,
        lane,
        message.first_seq,
        message.count,
        message.boot,
        message.schema,
        message.previous,
        message.columns,
    )


def pack_columns(columns: bytes) -> bytes:
    """Compress what `pack_rows` or `pack_events` made."""
    return compress(columns, ZSTD_LEVEL)


def unpack_columns(packed: bytes, bytes_max: int = COLUMNS_BYTES_MAX) -> bytes:
    """Undo `pack_columns`, never giving more than `bytes_max`. Raises `WireError`."""
    decompressor = ZstdDecompressor(options={DecompressionParameter.window_log_max: WINDOW_LOG_MAX})
    try:
        columns = decompressor.decompress(packed, max_length=bytes_max)
    except ZstdError as error:
        raise WireError(f"the columns are no zstd: {error}") from None
    if not decompressor.eof or decompressor.unused_data:
        raise WireError(f"columns cut off, followed by more, or over {bytes_max} bytes")
    return columns


def segment_rows(segment: Segment) -> list[Row]:
    """The rows of a segment of readings. Raises `WireError`."""
    columns = unpack_columns(segment.columns, ENTRY_BYTES_MAX * segment.entries)
    return unpack_rows(columns, segment.first_seq, segment.entries)


def segment_events(segment: Segment) -> list[Event]:
    """The events of a segment of events. Raises `WireError`."""
    columns = unpack_columns(segment.columns)
    return unpack_events(columns, segment.first_seq, segment.entries, segment.boot.hex())


def segment_entries(segment: Segment, streams: Sequence[Stream]) -> list[Entry]:
    """The readings of a segment, named by its schema. Raises `WireError`."""
    boot = segment.boot.hex()
    return [to_entry(row, streams, boot) for row in segment_rows(segment)]


def entries_by_seq(body: bytes) -> dict[int, Any]:
    """What a segment says of each seq, to be compared with another. Raises `WireError`."""
    segment = decode_segment(body)
    if segment.lane is Lane.EVENTS:
        return {event.seq: event for event in segment_events(segment)}
    # The dictionary of an epoch only grows at its end, so a stream's number says which it is.
    return {row.seq: (segment.boot, row) for row in segment_rows(segment)}


def to_entry(row: Row, streams: Sequence[Stream], boot: str) -> Entry:
    """One row with its names. Raises `WireError` on a stream that the schema does not have."""
    if row.stream >= len(streams):
        raise WireError(f"stream {row.stream} of a schema of {len(streams)}")
    stream = streams[row.stream]
    value = None if row.scaled is None else unscale(row.scaled, stream.decimals)
    return Entry(row.seq, stream, boot, row.at_ms, value, QUALITIES[row.quality])


def unscale(scaled: int, decimals: int) -> float:
    """The value of a scaled integer: the float nearest to it, equal at both ends."""
    return float(scaled / 10**decimals)


def quality_index(quality: str) -> int:
    """The number of a quality on the wire. Raises `WireError` where it is none."""
    try:
        return _QUALITY_INDEX[quality]
    except KeyError:
        raise WireError(f"not a quality: {quality!r}") from None


def sha256(body: bytes) -> bytes:
    """The name of a segment or schema, and a link of the chain."""
    return hashlib.sha256(body).digest()


# --- schema, anchors -------------------------------------------------------------------------


def encode_schema(streams: Iterable[Stream]) -> bytes:
    """A dictionary of streams."""
    message = wire_pb2.Schema()
    for stream in streams:
        message.stream.add(**stream._asdict())
    body: bytes = message.SerializeToString(deterministic=True)
    return body


@lru_cache(maxsize=64)
def decode_schema(body: bytes) -> tuple[Stream, ...]:
    """The streams of a dictionary. Raises `WireError`."""
    message = _parse(wire_pb2.Schema, body, STREAMS_MAX + 1)
    if len(message.stream) > STREAMS_MAX:
        raise WireError(f"{len(message.stream)} streams; {STREAMS_MAX} are allowed")
    streams = []
    for stream in message.stream:
        names = (stream.sensor, stream.quantity, stream.unit)
        if not (stream.sensor and stream.quantity) or max(map(len, names)) > TEXT_MAX:
            raise WireError(f"not a stream: {names!r}"[:TEXT_MAX])
        if stream.decimals > 9:
            raise WireError(f"{stream.sensor}/{stream.quantity}: {stream.decimals} decimals")
        streams.append(Stream(*names, stream.decimals, stream.simulated))
    return tuple(streams)


def encode_anchor(anchor: Anchor) -> wire_pb2.Anchor:
    """An anchor as a message."""
    return wire_pb2.Anchor(
        boot=bytes.fromhex(anchor.boot),
        boottime_ms=anchor.boottime_ms,
        utc_ms=anchor.utc_ms,
        error_ms=min(anchor.error_ms, 2**32 - 1),
        source=anchor.source,
    )


def decode_anchor(message: wire_pb2.Anchor) -> Anchor:
    """An anchor from a message. Raises `WireError`."""
    if len(message.boot) != ID_BYTES:
        raise WireError(f"an anchor's boot has {len(message.boot)} bytes, not {ID_BYTES}")
    for name in ("boottime_ms", "utc_ms"):
        if not 0 <= getattr(message, name) <= TIME_MAX_MS:
            raise WireError(f"an anchor's {name} is {getattr(message, name)}")
    if not 1 <= len(message.source) <= TEXT_MAX:
        raise WireError(f"not a source of time: {message.source[:TEXT_MAX]!r}")
    return Anchor(
        message.boot.hex(), message.boottime_ms, message.utc_ms, message.error_ms, message.source
    )


def parse_upload(body: bytes) -> wire_pb2.Upload:
    """The frame of an upload. Raises `WireError`."""
    return _parse(wire_pb2.Upload, body, PARTS_MAX)


def parse_hello(body: bytes) -> wire_pb2.HelloRequest:
    """The frame of a hello. Raises `WireError`."""
    return _parse(wire_pb2.HelloRequest, body, PARTS_MAX)


def parse_enrol(body: bytes) -> wire_pb2.EnrolRequest:
    """The frame of an enrolment. Raises `WireError`."""
    return _parse(wire_pb2.EnrolRequest, body)


def parse_rotate(body: bytes) -> wire_pb2.RotateRequest:
    """The frame of a rotation. Raises `WireError`."""
    return _parse(wire_pb2.RotateRequest, body)


def _parse(kind: type[Parsed], body: bytes, parts_max: int | None = None) -> Parsed:
    message = kind()
    name = kind.DESCRIPTOR.name
    try:
        if parts_max is not None and _has_parts(body, parts_max + 1):
            raise WireError(f"over {parts_max} parts in one {name}")
        message.ParseFromString(body)
    except (DecodeError, IndexError):
        raise WireError(f"no {name} message in {len(body)} bytes") from None
    return message


def _has_parts(body: bytes, wanted: int) -> bool:
    """Whether a message has so many fields. Raises `DecodeError`, and `IndexError` at its end.

    Two bytes on the wire may be a hundred in RAM once they are parsed, so they are counted first.
    """
    place = parts = 0
    while place < len(body) and parts < wanted:
        key, place = _varint(body, place)
        if key & 7 == 0:
            _, place = _varint(body, place)
        elif key & 7 == 2:
            length, place = _varint(body, place)
            place += length
        elif key & 7 in (1, 5):
            place += 8 if key & 7 == 1 else 4
        else:
            raise DecodeError(f"wire type {key & 7}")
        parts += 1
    return parts >= wanted


def _varint(body: bytes, place: int) -> tuple[int, int]:
    """The number at a place, and the place after it."""
    number = shift = 0
    while True:
        byte = body[place]
        place += 1
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return number, place
        shift += 7
        if shift > 63:
            raise DecodeError("a number of over 64 bits")
