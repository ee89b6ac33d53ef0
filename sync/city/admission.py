"""How many calls the city works on at once; the next one is asked to come again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager, nullcontext

from aiohttp import web

UPLOADS_MAX = 16  # Under way at once, each up to the largest body in RAM.
SMALL_MAX = 256  # Besides these: hellos and small uploads.
# An event or the newest readings, which have a budget of their own: a complaint does not wait
# until 200 kiosks have brought a week of readings.
SMALL_BYTES_MAX = 8 * 1024
# Of the uploads, how many stand before the archive: what is small waits for no more than these.
TURNS = 2
RETRY_AFTER_S = 5


class Admission:
    """The calls under way at one city."""

    def __init__(self, uploads_max: int = UPLOADS_MAX, small_max: int = SMALL_MAX) -> None:
        self._uploads = _Budget("uploads", uploads_max)
        self._small = _Budget("small calls", small_max)
        self._turns = asyncio.Semaphore(TURNS)

    @contextmanager
    def small(self) -> Iterator[None]:
        """Be one of the small calls. Raises `HTTPServiceUnavailable` where there are too many."""
        with self._small.place():
            yield

    @contextmanager
    def upload(self, body_bytes: int | None) -> Iterator[AbstractAsyncContextManager[None]]:
        """Be an upload of so many bytes, and get what to hold while the archive takes it.

        Raises `HTTPServiceUnavailable` as `small` does.
        """
        if body_bytes is not None and body_bytes <= SMALL_BYTES_MAX:
            with self._small.place():
                yield nullcontext()
        else:
            with self._uploads.place():
                yield self._turns


class _Budget:
    """Places for calls of one kind."""

    def __init__(self, what: str, places: int) -> None:
        self._what = what
        self._places = places
        self._taken = 0

    @contextmanager
    def place(self) -> Iterator[None]:
        if self._taken >= self._places:
            raise web.HTTPServiceUnavailable(
                text=f"{self._places} {self._what} are under way\n",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        self._taken += 1
        try:
            yield
        finally:
            self._taken -= 1
