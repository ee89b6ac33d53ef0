"""Reads what can still be read from a damaged journal."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

from sync import spare, wire
from sync.entry import Anchor, Lane, Lost, Stream
from sync.journal_tables import PAGE_BYTES, crc
from sync.ranges import Ranges
from sync.wire import Segment, WireError

WAL_HEAD_BYTES = 32  # https://sqlite.org/fileformat2.html, section 4.
FRAME_HEAD_BYTES = 24
LEAF_TABLE_PAGE = 0x0D  # Section 1.6.


class Saved(NamedTuple):
    """What a damaged journal still held, all of it checked."""

    epoch: bytes | None
    segments: dict[tuple[Lane, int], bytes]  # By lane and first seq.
    schemas: list[bytes]
    anchors: list[Anchor]
    highest: dict[Lane, int]  # The last seq that anything in it names.
    lost: list[Lost]  # What the city was to be told.


def salvage(folder: Path, file_name: str, closed: Collection[bytes] = ()) -> Saved:
    """Read the spare copy, then the database as far as SQLite can, then its pages one by one.

    Nothing unchecked comes out: a segment counts by its SHA-256, a row by its CRC. A file that
    has lost its log may show again what it held of an epoch that is `closed`: that has moved.
    """
    segments: dict[tuple[Lane, int], bytes] = {}
    schemas: dict[bytes, bytes] = {}
    epochs: dict[bytes, int] = {}
    for found in _spare_frames(folder):
        if found.kind == spare.SCHEMA:
            schemas[wire.sha256(found.body)] = found.body
        else:
            _take(segments, epochs, found.body)
    path = folder / file_name
    for table in ("event_segment", "reading_segment", "summary_segment"):
        for _, _, digest, body in _rows_of(path, table, 4):
            if isinstance(body, bytes) and digest == wire.sha256(body):
                _take(segments, epochs, body)
    cells = [*_cells(path), *_cells(Path(f"{path}-wal"))]
    streams, anchors = _names(path, cells)
    if streams:
        body = wire.encode_schema(streams)
        schemas[wire.sha256(body)] = body
    epoch = _epoch(path, cells)
    if epochs:
        epoch = max(epochs, key=lambda found: (found not in closed, epochs[found]))
    segments = {
        key: body for key, body in segments.items() if wire.decode_segment(body).epoch == epoch
    }
    if epoch is not None and streams:
        _add_open_rows(segments, epoch, streams, [*_rows_of(path, "open", 5), *cells])
    highest = dict.fromkeys(Lane, 0)
    for (lane, _), body in segments.items():
        highest[lane] = max(highest[lane], wire.decode_segment(body).last_seq)
    return Saved(epoch, segments, list(schemas.values()), anchors, highest, _losses(path, cells))


def _spare_frames(folder: Path) -> Iterator[spare.Frame]:
    for path in spare.files(folder / spare.FOLDER):
        try:
            content = path.read_bytes()
        except OSError:
            continue  # The card does not give it back; the database may.
        yield from spare.frames(content)


def _take(segments: dict[tuple[Lane, int], bytes], epochs: dict[bytes, int], body: bytes) -> None:
    try:
        segment = wire.decode_segment(body)
    except WireError:
        return
    segments[segment.lane, segment.first_seq] = body
    epochs[segment.epoch] = epochs.get(segment.epoch, 0) + 1


def _rows_of(path: Path, table: str, columns: int) -> Iterator[tuple[Any, ...]]:
    """Rows of a table as far as SQLite gets, from both ends."""
    for order in ("", " DESC"):
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
                connection.execute("PRAGMA locking_mode = exclusive")
                query = f"SELECT rowid, * FROM {table} ORDER BY rowid{order}"  # noqa: S608
                for row in connection.execute(query):
                    yield row[-columns:]
        except (sqlite3.Error, UnicodeDecodeError):
            continue  # What comes after the damage is reached from the other end.
        else:
            return


def _names(path: Path, cells: list[tuple[Any, ...]]) -> tuple[list[Stream], list[Anchor]]:
    streams: dict[int, Stream] = {}
    anchors: dict[Anchor, None] = {}
    for row in [*_rows_of(path, "stream", 7), *(cell for cell in cells if len(cell) == 7)]:
        identity, sensor, quantity, unit, decimals, simulated, check = row
        if isinstance(sensor, str) and isinstance(identity, int):
            stream = Stream(sensor, quantity, unit, decimals, bool(simulated))
            if check == crc(identity - 1, *stream):
                streams[identity - 1] = stream
        elif isinstance(sensor, str):
            continue
        anchor = Anchor(*row[1:6])
        if check == crc(*anchor):
            anchors[anchor] = None
    whole = []
    for index in range(len(streams)):
        if index not in streams:
            break
        whole.append(streams[index])
    return whole, list(anchors)


def _epoch(path: Path, cells: list[tuple[Any, ...]]) -> bytes | None:
    for row in [*_rows_of(path, "fact", 2), *(cell[1:] for cell in cells if len(cell) == 3)]:
        if row[0] == "epoch" and isinstance(row[1], bytes) and len(row[1]) == wire.ID_BYTES:
            return row[1]
    return None


def _losses(path: Path, cells: list[tuple[Any, ...]]) -> list[Lost]:
    losses: dict[Lost, None] = {}
    for row in [*_rows_of(path, "lost", 7), *(cell for cell in cells if len(cell) == 7)]:
        _, epoch, lane, first, last, reason, check = row
        if isinstance(epoch, bytes) and lane in list(Lane):
            lost = Lost(epoch, Lane(lane), first, last, reason)
            if check == crc(*lost):
                losses[lost] = None
    return list(losses)


def _add_open_rows(
    segments: dict[tuple[Lane, int], bytes],
    epoch: bytes,
    streams: list[Stream],
    rows: list[tuple[Any, ...]],
) -> None:
    """Make segments of committed rows that were not sealed yet.

    Pages that are free still hold rows of epochs that have ended: those are not of this one.
    """
    sealed = Ranges()
    for (lane, first), body in segments.items():
        if lane is Lane.READINGS:
            sealed.add(first, wire.decode_segment(body).last_seq)
    schema = wire.sha256(wire.encode_schema(streams))[: wire.SCHEMA_BYTES]
    for row in rows:
        if len(row) != 5 or row[4] != crc(epoch, *row[:4]) or not isinstance(row[3], bytes):
            continue
        first, count, boot, columns = row[:4]
        if sealed.touches(first, first + count - 1):
            continue
        packed = wire.pack_columns(columns)
        segment = Segment(epoch, Lane.READINGS, first, count, boot, schema, wire.UNLINKED, packed)
        segments[Lane.READINGS, first] = wire.encode_segment(segment)
        sealed.add(first, first + count - 1)


# --- pages, where SQLite cannot find its way ---------------------------------------------------


def _cells(path: Path) -> list[tuple[Any, ...]]:
    """Every row that lies whole in one leaf page: its rowid, then its columns."""
    try:
        content = path.read_bytes()
    except OSError:
        return []
    is_log = path.name.endswith("-wal")
    step = PAGE_BYTES + FRAME_HEAD_BYTES if is_log else PAGE_BYTES
    start = WAL_HEAD_BYTES + FRAME_HEAD_BYTES if is_log else 0
    cells: dict[tuple[Any, ...], None] = {}
    for place in range(start, len(content) - PAGE_BYTES + 1, step):
        page = content[place : place + PAGE_BYTES]
        if page[0] == LEAF_TABLE_PAGE:
            for cell in _page_cells(page):
                cells[cell] = None
    return list(cells)


def _page_cells(page: bytes) -> Iterator[tuple[Any, ...]]:
    count = int.from_bytes(page[3:5], "big")
    for index in range(min(count, PAGE_BYTES // 4)):
        place = int.from_bytes(page[8 + 2 * index : 10 + 2 * index], "big")
        try:
            payload_bytes, place = _varint(page, place)
            rowid, place = _varint(page, place)
            if place + payload_bytes <= len(page):
                yield _record(page[place : place + payload_bytes], rowid)
        except (IndexError, ValueError):
            continue  # No record starts there.


def _record(payload: bytes, rowid: int) -> tuple[Any, ...]:
    """Decode one record (section 2.1); a NULL first column stands for the rowid."""
    head_bytes, place = _varint(payload, 0)
    values: list[Any] = []
    body = head_bytes
    while place < head_bytes:
        kind, place = _varint(payload, place)
        if kind in (8, 9):
            values.append(kind - 8)
            continue
        field_bytes = _bytes_of(kind)
        field = payload[body : body + field_bytes]
        if len(field) != field_bytes:
            raise ValueError(f"a column of {field_bytes} bytes goes beyond its record")
        body += field_bytes
        if kind == 0:
            values.append(None)
        elif kind <= 6:
            values.append(int.from_bytes(field, "big", signed=True))
        elif kind >= 12 and kind % 2 == 0:
            values.append(field)
        elif kind >= 13:
            values.append(field.decode())
        else:
            raise ValueError(f"not a kind of column of ours: {kind}")
    if values and values[0] is None:
        values[0] = rowid
    else:
        values.insert(0, rowid)
    return tuple(values)


def _bytes_of(kind: int) -> int:
    if kind <= 4:
        return kind
    if kind in (5, 6):
        return (6, 8)[kind - 5]
    if kind >= 12:
        return (kind - 12) // 2
    raise ValueError(f"not a kind of column of ours: {kind}")


def _varint(payload: bytes, place: int) -> tuple[int, int]:
    """A SQLite varint (section 1.6): up to 9 bytes, big-endian."""
    value = 0
    for count in range(9):
        byte = payload[place]
        place += 1
        if count == 8:
            return value << 8 | byte, place
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place
    raise ValueError("a varint without an end")
