"""A browser that no test driver holds, whose page is tapped by a script of its own.

A driver keeps each answer of the network in the page's process, and the service worker awake; so a
browser that is driven for hours grows by what a kiosk's own has not. So does one that a driver is
attached to now and then. A page that was loaded anew is told its script by one command, and nothing
else is asked of this browser. It is weighed at rest, when the page has collected what the last
person left.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import subprocess
import threading
from typing import TYPE_CHECKING

import aiohttp

from tests.bench_kiosk.memory import own_bytes
from tests.kiosk_ui.screen import CHROMIUM, SWITCHES
from tests.waiting import free_port, get

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# 400 taps, then nobody until the page has asked whether anybody is there and has started over.
WALK = """(() => {
  const PERSON = 400;
  const TAP_MS = 120;
  const REST = 150;  // Turns of the clock below: in eighteen seconds somebody looks.
  const COLLECTED = 25;  // By then the page has tidied up.
  if (window.walks) return;
  window.walks = true;
  const seen = (one) => one.checkVisibility() && !one.disabled;
  let taps = 0;
  let left = PERSON;
  let rested = 0;
  setInterval(() => {
    if (left) {
      const all = [...document.querySelectorAll('[data-go],[data-language]')].filter(seen);
      all[Math.floor(Math.random() * all.length)]?.click();
      taps += all.length > 0;
      left -= 1;
    } else if (document.querySelector('.attract')?.checkVisibility()) {
      rested += 1;
      if (rested > REST) {
        left = PERSON;
        rested = 0;
      }
    }
    document.title = `${taps} taps${rested > COLLECTED ? ', rested' : ''}`;
  }, TAP_MS);
})()"""
TITLE = re.compile(r"(\d+) taps(, rested)?")
NEW_AFTER = 3  # Looks without a count: only a page that was loaded anew has none for so long.


class Bystander:
    """A page that is tapped by itself."""

    def __init__(self, profile: Path, port: int) -> None:
        self.taps = 0
        self._profile = profile
        self._url = f"http://127.0.0.1:{port}"
        self._last = 0  # Taps since the page was loaded.
        self._without = NEW_AFTER - 1

    def look(self) -> int | None:
        """What its browser takes that no file is behind, in bytes, where its garbage is collected.

        Sees as well that it taps.
        """
        pages = [one for one in get(f"{self._url}/json") or () if one["type"] == "page"]
        said = TITLE.fullmatch(pages[0]["title"]) if pages else None
        if said is not None:
            self.taps += int(said[1]) - self._last
            self._last, self._without = int(said[1]), 0
        elif pages:
            self._without += 1
            if self._without == NEW_AFTER:
                self._last = self._without = 0
                # A thread of its own: the driver's loop runs in this one.
                told = threading.Thread(target=asyncio.run, args=(tell(pages[0], WALK),))
                told.start()
                told.join()
        return own_bytes(str(self._profile)) if said is not None and said[2] else None


async def tell(page: dict[str, str], script: str) -> None:
    """Let a page run a script. A page that goes meanwhile is told again after the next looks."""
    asked = {"id": 1, "method": "Runtime.evaluate", "params": {"expression": script}}
    with contextlib.suppress(aiohttp.ClientError):
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(page["webSocketDebuggerUrl"]) as socket,
        ):
            await socket.send_json(asked)
            await socket.receive()


@contextlib.contextmanager
def standing_by(profile: Path, url: str, size: tuple[int, int]) -> Iterator[Bystander]:
    """A bystander at the page `url` during the block."""
    port = free_port()
    width, height = size
    its_own = [f"--user-data-dir={profile}", f"--remote-debugging-port={port}"]
    shown = ["--headless=new", f"--window-size={width},{height}"]
    command = [CHROMIUM, *SWITCHES, *its_own, *shown, url]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield Bystander(profile, port)
    finally:
        process.terminate()
        process.wait()
