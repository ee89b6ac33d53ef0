"""What a city keeps of a kiosk, read as anybody can who reaches its port."""

import urllib.request

from sync import wire
from sync.entry import Entry, Stream
from tests.waiting import get


def rows_at(url: str, kiosk: str) -> list[tuple[wire.Segment, wire.Row]]:
    """Every reading that the city has of a kiosk, each with the segment that brought it."""
    kiosks = (get(f"{url}/v1/fleet") or {}).get("kiosks", ())
    rows = []
    for lane in (lane for row in kiosks for lane in row["lanes"] if row["kiosk"] == kiosk):
        if lane["lane"] != "readings":
            continue
        query = f"kiosk={kiosk}&lane=readings&epoch={lane['epoch']}"
        for body in wire.parse_upload(fetched(f"{url}/v1/segments?{query}")).segments:
            segment = wire.decode_segment(body)
            rows += [(segment, row) for row in wire.segment_rows(segment)]
    return sorted(rows, key=lambda pair: pair[1].seq)


def readings_at(url: str, kiosk: str) -> list[Entry]:
    """The same, named by the schemas that came with them."""
    schemas: dict[bytes, list[Stream]] = {}
    entries = []
    for segment, row in rows_at(url, kiosk):
        if segment.schema not in schemas:
            body = fetched(f"{url}/v1/schema/{segment.schema.hex()}?kiosk={kiosk}")
            schemas[segment.schema] = list(wire.decode_schema(body))
        entries.append(wire.to_entry(row, schemas[segment.schema], segment.boot.hex()))
    return entries


def fetched(url: str) -> bytes:
    """The body of an answer."""
    with urllib.request.urlopen(url, timeout=5) as response:  # noqa: S310 # our own
        return bytes(response.read())
