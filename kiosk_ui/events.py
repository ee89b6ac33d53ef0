"""GET /api/live: readings as server-sent events, from a snapshot on."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui.now import PRESENT, to_json

if TYPE_CHECKING:
    from kiosk_ui.now import JsonObject
    from sync.entry import Entry

RETRY_MS = 1_000
BEAT_S = 5  # Without news the page still hears that we are there.
PACE_S = 1  # A person reads no faster, and a burst of readings becomes one message.
BATCH_MAX = 500
STREAMS_MAX = 16  # One screen, a technician's phone, and room for connections not yet closed.


class Streams:
    """The live streams that are open, oldest first."""

    def __init__(self) -> None:
        self._tasks: list[asyncio.Task[Any]] = []

    def enter(self) -> None:
        """Count the running handler. When there are too many, the oldest has to go.

        It has most likely gone without a word already; if not, it comes back by itself.
        """
        task = asyncio.current_task()
        if task is not None:
            self._tasks.append(task)
        if len(self._tasks) > STREAMS_MAX:
            self._tasks.pop(0).cancel()

    def leave(self) -> None:
        """Forget the running handler, which ends."""
        self._tasks = [task for task in self._tasks if task is not asyncio.current_task()]

    def close(self) -> None:
        """End all streams, which would outlast the server's patience otherwise."""
        for task in self._tasks:
            task.cancel()


STREAMS = web.AppKey("streams", Streams)


async def live(request: web.Request) -> web.StreamResponse:
    """GET /api/live: everything once, then what follows, for ever.

    The event id is the journal's `seq`. A page that was cut off gets a new snapshot, which
    is smaller than what it may have missed; so nothing is lost and nothing is shown twice.
    """
    streams = request.app[STREAMS]
    present = request.app[PRESENT]
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
    )
    streams.enter()
    try:
        await response.prepare(request)
        await present.catch_up()
        snapshot = present.snapshot()
        seq = snapshot["seq"]
        await response.write(f"retry: {RETRY_MS}\n".encode() + to_event("snapshot", snapshot))
        while True:
            entries: list[Entry] = []
            try:
                async with asyncio.timeout(BEAT_S):
                    entries = await present.journal.after(seq, BATCH_MAX)
            except TimeoutError:
                pass  # No news. Writing is also how we notice that a screen has gone.
            seq = max([seq, *(entry.seq for entry in entries)])
            await present.catch_up()
            await response.write(to_event("delta", present.message(seq, entries)))
            await asyncio.sleep(PACE_S)
    except ConnectionResetError:
        return response  # The screen has gone, as screens do.
    finally:
        streams.leave()


async def close_streams(app: web.Application) -> None:
    """End what is still open, on shutdown."""
    app[STREAMS].close()


def to_event(kind: str, message: JsonObject) -> bytes:
    """One server-sent event. JSON has no bare line breaks, so one data line is enough."""
    return f"id: {message['seq']}\nevent: {kind}\ndata: {to_json(message)}\n\n".encode()
