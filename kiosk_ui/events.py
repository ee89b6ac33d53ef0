"""GET /api/live: readings as server-sent events, from a snapshot on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from kiosk_ui.now import PRESENT, to_json

if TYPE_CHECKING:
    from kiosk_ui.now import JsonObject

RETRY_MS = 1_000
BEAT_S = 5  # Without news the page still hears that we are there.
PACE_S = 1  # A person reads no faster, and a burst of readings becomes one message.
BATCH_MAX = 500
STREAMS_MAX = 16  # One screen, a technician's phone, and room for connections not yet closed.

STREAMS = web.AppKey("streams", dict)  # Its keys are the tasks, oldest first.


async def live(request: web.Request) -> web.StreamResponse:
    """GET /api/live: everything once, then what follows.

    The event id is the journal's `seq`. A page that was cut off gets a new snapshot, which
    is smaller than what it may have missed; so nothing is lost and nothing is shown twice.
    """
    streams = request.app[STREAMS]
    if len(streams) >= STREAMS_MAX:
        # The oldest has most likely gone without a word; if not, it comes back by itself.
        next(iter(streams)).cancel()
    present = request.app[PRESENT]
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    streams[request.task] = None
    try:
        await response.prepare(request)
        snapshot = present.snapshot()
        seq = snapshot["seq"]
        await response.write(f"retry: {RETRY_MS}\n".encode() + to_event("snapshot", snapshot))
        while True:
            entries = []
            try:
                async with asyncio.timeout(BEAT_S):
                    entries = await present.journal.after(seq, BATCH_MAX)
            except TimeoutError:
                pass  # No news. Writing is also how we notice that a screen has gone.
            seq = max([seq, *(entry.seq for entry in entries)])
            await response.write(to_event("delta", present.message(seq, entries)))
            await asyncio.sleep(PACE_S)
    finally:
        streams.pop(request.task, None)


async def close_streams(app: web.Application) -> None:
    """End the live streams, which would outlast the server's patience otherwise."""
    for task in list(app[STREAMS]):
        task.cancel()


def to_event(kind: str, message: JsonObject) -> bytes:
    """One server-sent event. JSON has no bare line breaks, so one data line is enough."""
    return f"id: {message['seq']}\nevent: {kind}\ndata: {to_json(message)}\n\n".encode()
