"""The browser of this kiosk: watched by its page's signs of life, started again when they stop."""

import asyncio
import contextlib
import logging
import shlex
from collections.abc import Callable
from typing import Any

from edge.screen_watch import GIVE_UP, NOTHING, RECOVERED, ScreenWatch, Step
from kiosk_ui.beat import Beat, Beats
from kiosk_ui.boot import Gate

LOOK_S = 2.0
COMMAND_S = 30.0
THAILAND_MIN = 7 * 60  # Ahead of UTC, all year.
DAY_MIN = 24 * 60
WORDS = {"restart": "restarted", GIVE_UP: "given up", RECOVERED: "recovered"}

log = logging.getLogger(__name__)

Report = Callable[[dict[str, Any]], None]


class Screen:
    """One kiosk's browser. Without a command there is none, and nothing is watched."""

    def __init__(
        self,
        command: str,
        beats: Beats,
        gate: Gate,
        utc_ms: Callable[[], int | None],
        report: Report,
    ) -> None:
        self._command = shlex.split(command)
        self._beats = beats
        self._gate = gate
        self._utc_ms = utc_ms
        self._report = report
        self._watch: ScreenWatch | None = None

    def state(self) -> dict[str, Any]:
        """What GET /health says of it."""
        last, watch = self._beats.last, self._watch
        age_s = None
        if last is not None:
            age_s = round(asyncio.get_running_loop().time() - last.heard_s, 1)
        return {
            "state": watch.state if watch else "not watched",
            "beat_age_s": age_s,
            "view": last.view if last else "",
            "release": last.release if last else "",
            "frame_ms": last.frame_ms if last else None,
            "heap_kb": last.heap_kb if last else None,
            "errors": last.errors if last else None,
            "restarts": len(watch.restarts) if watch else 0,
        }

    async def keep(self) -> None:
        """Start the browser again whenever its page is dead, for ever."""
        if not self._command:
            return
        loop = asyncio.get_running_loop()
        self._watch = watch = ScreenWatch(loop.time())
        seen: Beat | None = None
        while True:
            await self._beats.next(LOOK_S)
            beat, now_s = self._beats.last, loop.time()
            # One may have come while the browser was being started.
            if beat is not None and beat is not seen and beat.alive:
                await self._act(watch.beat(now_s, idle=beat.idle))
            seen = beat
            await self._act(watch.look(now_s, self._minute_of_day()))

    async def _act(self, step: Step) -> None:
        if step.act == NOTHING:
            return
        log.warning("screen %s: %s", WORDS[step.act], step.why)
        self._report({"part": "screen", "state": WORDS[step.act], "why": step.why})
        # After giving up the browser is started once more, for the boot page, where it stays.
        self._gate.closed = step.act == GIVE_UP
        if step.act != RECOVERED:
            await self._restart()

    async def _restart(self) -> None:
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=asyncio.subprocess.DEVNULL
            )
        except OSError as error:
            log.warning("%s: %s", self._command[0], error.strerror)
            return
        try:
            async with asyncio.timeout(COMMAND_S):
                status = await process.wait()
        except TimeoutError:
            status = None
        finally:
            if process.returncode is None:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if status != 0:
            log.warning("%s ended with %s", self._command[0], status)

    def _minute_of_day(self) -> int | None:
        utc_ms = self._utc_ms()
        return None if utc_ms is None else (utc_ms // 60_000 + THAILAND_MIN) % DAY_MIN
