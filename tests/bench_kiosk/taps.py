"""How long a tap takes until its screen is painted, asked of the page itself.

A finger is put down, rests for 80 ms and is lifted, all through the browser's own input. The clock
runs from the moment it is lifted until the first frame after the change has been made: a
requestAnimationFrame, and a message behind it. What a change is, each kind of page knows: the
kiosk has changed when its click is handled; htmx when it has swapped; a document when it is there.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from playwright.sync_api import expect

if TYPE_CHECKING:
    from collections.abc import Sequence

    from playwright.sync_api import CDPSession, Page

PRESS_MS = 80
LOOP = 3_000_000
TAP_MAX_MS = 20_000

# In the page, before its own scripts. `bench` holds what was measured.
INSTRUMENT = """(() => {
  const now = () => performance.timeOrigin + performance.now();
  const kept = () => JSON.parse(sessionStorage.bench ?? '[]');
  const put = (key, value) => { sessionStorage[key] = value; };
  const painted = () => requestAnimationFrame(() => {
    const channel = new MessageChannel();
    channel.port1.onmessage = () => {
      if (!sessionStorage.lifted) return;
      put('bench', JSON.stringify([...kept(), now() - Number(sessionStorage.lifted)]));
      delete sessionStorage.lifted;
    };
    channel.port2.postMessage(0);
  });
  const kind = location.pathname.split('/')[1];
  addEventListener('pointerup', (event) => put('lifted', performance.timeOrigin + event.timeStamp),
    { capture: true });
  if (kind === 'plain') {
    if (sessionStorage.lifted) addEventListener('DOMContentLoaded', painted);
  } else if (kind === 'htmx') {
    addEventListener('DOMContentLoaded', () =>
      new MutationObserver(painted).observe(document.querySelector('#screen'),
        { childList: true }));
  } else addEventListener('click', painted);
  new PerformanceObserver((list) => {
    for (const one of list.getEntries())
      if (one.name === 'pointerdown') (window.pressed ??= []).push(one.duration);
  }).observe({ type: 'event', durationThreshold: 16, buffered: true });
})();"""


class Finger:
    """A finger on a page, and a processor that may be made slower."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self._cdp: CDPSession = page.context.new_cdp_session(page)

    def slow_down(self, times: int) -> None:
        """Give the page's main thread one part in `times` of the processor."""
        self._cdp.send("Emulation.setCPUThrottlingRate", {"rate": times})

    def tap(self, place: str) -> float:
        """Tap what is there; milliseconds from the lifted finger to the painted screen."""
        target = self.page.locator(place).first
        expect(target).to_be_enabled(timeout=TAP_MAX_MS)
        box = target.bounding_box(timeout=TAP_MAX_MS)
        if box is None:
            raise LookupError(f"nothing to tap at {place}")
        before = len(self.measured())
        at = {"x": box["x"] + box["width"] / 2, "y": box["y"] + box["height"] / 2}
        self._cdp.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [at]})
        self.page.wait_for_timeout(PRESS_MS)
        self._cdp.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        self.page.wait_for_function(
            "(before) => JSON.parse(sessionStorage.bench ?? '[]').length > before",
            arg=before,
            polling=25,
            timeout=TAP_MAX_MS,
        )
        return self.measured()[before]

    def measured(self) -> list[float]:
        """All taps of this page so far."""
        found: list[float] = self.page.evaluate("() => JSON.parse(sessionStorage.bench ?? '[]')")
        return found

    def pressed(self) -> list[float]:
        """How long the pressed states took, in steps of 8 ms; what took under 16 is left out."""
        found: list[float] = self.page.evaluate("() => (window.pressed ?? []).splice(0)")
        return found

    def loop_ms(self) -> float:
        """The same arithmetic each time: what this machine gives the page just now."""
        found: float = self.page.evaluate(
            f"""() => {{
              const begun = performance.now();
              let sum = 0;
              for (let i = 0; i < {LOOP}; i += 1) sum = (sum * 31 + i) | 0;
              return sum === 1 ? 0 : performance.now() - begun;
            }}"""
        )
        return found

    def drag(self, steps: int) -> list[float]:
        """Draw the map about; milliseconds between the frames meanwhile."""
        view: Any = self.page.locator(".mapview").bounding_box()
        x, y = view["x"] + view["width"] / 2, view["y"] + view["height"] / 2
        self.page.evaluate(
            """() => {
              window.frames_ms = [];
              let last = 0;
              const frame = (ms) => {
                if (last) window.frames_ms.push(ms - last);
                last = ms;
                window.going = requestAnimationFrame(frame);
              };
              window.going = requestAnimationFrame(frame);
            }"""
        )
        send = self._cdp.send
        send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": x, "y": y}]})
        for step in range(steps):
            turn = step / 12
            points = [{"x": x + 90 * math.sin(turn), "y": y + 60 * math.sin(turn / 2)}]
            send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
        send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
        found: list[float] = self.page.evaluate(
            "() => { cancelAnimationFrame(window.going); return window.frames_ms; }"
        )
        return found


def at_percent(values: Sequence[float], percent: float) -> float:
    """The value that so many percent do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]
