"""A kiosk's screen for hours: people, a flapping service, new content, and a monkey.

`make kiosk-soak HOURS=8` (or MINUTES=5) lets random people walk through the flows on a real kiosk
in real Chromium. Its service is killed now and then, its content changes, its renderer is crashed
at the end, and a monkey touches and types 20,000 times. What a kiosk's browser takes over the hours
is told of a second one, which sees the same but is not driven. Prints a table; the exit status is
1 where a limit is broken. KIOSK_FULL=1 in the tests of fit and axe looks at every screen in every
mode.
"""

from __future__ import annotations

import contextlib
import math
import os
import random
import signal
import statistics
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from playwright.sync_api import Error, expect, sync_playwright

from tests.bench_kiosk.bystander import Bystander, standing_by
from tests.bench_kiosk.memory import MB, pss_bytes
from tests.bench_kiosk.taps import INSTRUMENT, Finger, at_percent
from tests.edge.test_pack_device import config
from tests.kiosk_ui import packs
from tests.kiosk_ui.flows import FLOWS, begin, see_answer, turn_to_answer
from tests.kiosk_ui.screen import CHROMIUM, LANGUAGES, SWITCHES, reset, settle, show
from tests.waiting import ANGSILA, free_port, get

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import BrowserContext, CDPSession, Page

WIDTH, HEIGHT = 1280, 800
FIRST_S = 600.0  # The heap is compared with what it is at the end of these ten minutes.
SAMPLE_S = 30.0
BYSTANDER_S = 5.0
FLOOR_S = 60.0  # Shorter than a person: what is seen in it is one rest, and the least counts.
HEAP_GROWTH_MAX = 1.3
SLOPE_MAX_MB_PER_H = 1.0
RESTS_MIN = 10  # With fewer a slope says nothing.
SLOPE_ERRORS = 2.0  # Above the limit is what is above it by more than so many standard errors.
SLOPE_FROM_S = 3600.0  # A slope of less than an hour is that of warming up.
LISTENERS_GROWTH_MAX = 0
LIVE_MAX_S = 5.0
STALE_MAX_S = 2.0
DEAD_TAP_MAX_MS = 300.0
SILENT_MAX_S = 33.0  # Thirty without a sign, and two between the service's looks.
MONKEY_TOUCHES = 20_000
KILL_CHANCE = 0.04
PACK_EACH_S = 600.0  # A thousand times as often as a town changes what it shows.
WAIT_MAX_S = 60.0
LOOK_S = 0.1
KEYS = ("Tab", "Enter", "Space", "ArrowDown", "Backspace", "Escape", "F5", "Control+p", "a", "7")
# What starts a browser again does nothing here, so that the test has the only one.
RESTART = "[screen]\nrestart = '/usr/bin/true'"


class Sample(NamedTuple):
    """What the page and its browser take, at one moment."""

    at_s: float
    heap_bytes: int
    listeners: int
    nodes: int
    pss_bytes: int


class Kiosk:
    """A kiosk that can be killed, started and given other content."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._config = config(folder, RESTART)
        self._process: subprocess.Popen[bytes] | None = None
        self._version = packs.VERSION

    def start(self) -> None:
        """Start it and wait until it answers."""
        where = ["--config", str(self._config), "--state", str(self.folder / "state")]
        command = [ANGSILA, "run", *where, "--port", str(self.port)]
        with (self.folder / "kiosk.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self.until(lambda: get(f"{self.url}/health"))

    def until(self, true: Callable[[], Any]) -> None:
        """Look until it is true. Raises `RuntimeError` where the kiosk ends or takes too long."""
        end_s = time.monotonic() + WAIT_MAX_S
        while not true():
            if self._process is None or time.monotonic() > end_s:
                raise RuntimeError(f"nothing came in {WAIT_MAX_S:g} s")
            with contextlib.suppress(subprocess.TimeoutExpired):
                status = self._process.wait(LOOK_S)
                raise RuntimeError(f"the kiosk ended with {status}")

    def kill(self) -> None:
        """Kill it as a power cut does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGKILL)
            self._process.wait()
            self._process = None

    def failures(self) -> int:
        """How often the service has started a browser anew because it gave no sign."""
        return int(((get(f"{self.url}/health") or {}).get("screen") or {}).get("restarts", 0))

    def renew(self) -> None:
        """Give it another pack."""
        self._version += 1
        name = f"The office of version {self._version}"
        entries = {"municipality": {"names": {"th": name, "en": name, "zh": name}}}
        made = packs.good(self._version, packs.content(entries=entries))
        pack = packs.write(self.folder, made)
        where = ["--config", str(self._config), "--state", str(self.folder / "state")]
        subprocess.run(
            [ANGSILA, "pack", "activate", pack, *where], check=True, capture_output=True, timeout=60
        )


class Soak:
    """People and mishaps, and what they did to the page."""

    def __init__(self, kiosk: Kiosk, context: BrowserContext, marker: str, seed: int) -> None:
        self.kiosk = kiosk
        self.broken: list[str] = []
        self.samples: list[Sample] = []
        self.beside: list[tuple[float, int]] = []  # Seconds, and bytes of the other browser.
        self.stale_s: list[float] = []
        self.live_s: list[float] = []
        self.dead_taps_ms: list[float] = []
        self.kills = self.flows = self.swaps = 0
        self._chance = random.Random(seed)  # noqa: S311 # seeded, no secret
        self._marker = marker
        self._begun_s = time.monotonic()
        self.page: Page = context.pages[0]
        self._cdp: CDPSession = context.new_cdp_session(self.page)
        self._cdp.send("Performance.enable")
        self.page.on("pageerror", lambda error: self.broken.append(f"error: {error}"))
        self.page.on("dialog", lambda one: self.broken.append(f"dialog: {one.message}"))
        self.page.on("framenavigated", lambda frame: self._went(frame.url))
        context.on("page", lambda other: self.broken.append(f"window: {other.url}"))
        self.page.add_init_script(INSTRUMENT)
        self._finger = Finger(self.page)
        self.page.goto(kiosk.url)
        settle(self.page)

    def _went(self, url: str) -> None:
        if url.rstrip("/") != self.kiosk.url:
            self.broken.append(f"went to {url}")

    @property
    def age_s(self) -> float:
        """How long it goes on."""
        return time.monotonic() - self._begun_s

    def live(self, for_s: float, bystander: Bystander) -> None:
        """Let people come until the time is over."""
        sample_s = swap_s = beside_s = 0.0  # When it is time again.
        while self.age_s < for_s:
            if self.age_s >= swap_s:
                self.swap()
                swap_s = self.age_s + PACK_EACH_S
            self.person()
            if self.age_s >= sample_s:
                self.samples.append(self.look())
                sample_s = self.age_s + min(SAMPLE_S, for_s / 20)
            if self.age_s >= beside_s:
                seen = bystander.look()
                if seen is not None:
                    self.beside.append((self.age_s, seen))
                beside_s = self.age_s + BYSTANDER_S

    def person(self) -> None:
        """One person, one flow, and now and then a mishap in the middle of it."""
        flow, language = self._chance.choice(FLOWS), self._chance.choice(LANGUAGES)
        mishap = self._chance.random()
        begin(self.page, language)
        killed_s = None
        for place in flow.touches:
            if killed_s is None and mishap < KILL_CHANCE:
                killed_s = self.kill()
            self.tap(place, dead=killed_s is not None)
        turn_to_answer(self.page, flow)
        see_answer(self.page, flow, language)
        self.flows += 1
        if killed_s is not None:
            self.start()
        reset(self.page)

    def tap(self, place: str, *, dead: bool) -> None:
        """Tap, and note how long it took to be painted while nobody serves."""
        if dead:
            self.dead_taps_ms.append(self._finger.tap(place))
        else:
            self.page.locator(place).first.tap()

    def kill(self) -> float:
        """Kill the service and wait until the page says so."""
        self.kills += 1
        self.kiosk.kill()
        begun_s = time.monotonic()
        expect(self.page.locator("body")).to_have_attribute("data-live", "no")
        self.stale_s.append(time.monotonic() - begun_s)
        return begun_s

    def start(self) -> None:
        """Start the service and wait until the page is live again."""
        self.kiosk.start()
        begun_s = time.monotonic()
        expect(self.page.locator("body")).to_have_attribute(
            "data-live", "yes", timeout=WAIT_MAX_S * 1000
        )
        self.live_s.append(time.monotonic() - begun_s)

    def swap(self) -> None:
        """Change the content; the page goes over by itself while nobody reads."""
        before = self.page.locator("html").get_attribute("data-release")
        self.kiosk.renew()
        self.swaps += 1
        expect(self.page.locator("html")).not_to_have_attribute(
            "data-release", before or "", timeout=WAIT_MAX_S * 1000
        )
        settle(self.page)

    def look(self) -> Sample:
        """Count, after collecting what nobody needs any more."""
        for _ in range(2):  # What the first one finds unused may have held something else.
            self._cdp.send("HeapProfiler.collectGarbage")
        found = {
            row["name"]: row["value"] for row in self._cdp.send("Performance.getMetrics")["metrics"]
        }
        return Sample(
            self.age_s,
            int(found["JSHeapUsedSize"]),
            int(found["JSEventListeners"]),
            int(found["Nodes"]),
            pss_bytes(self._marker),
        )

    def every_screen(self) -> int:
        """Kill at every kind of screen in every language; each still leads to help."""
        families: dict[str, str] = {}
        for name in self.page.evaluate(
            "async () => Object.keys((await import(document.querySelector('script[type=module]')"
            ".src)).here.bundles.th.screens)"
        ):
            families.setdefault(name.partition("/")[0], name)
        for name in families.values():
            for language in LANGUAGES:
                show(self.page, language, name)
                self.kill()
                self.tap("#bar .emergency", dead=True)
                expect(self.page.get_by_text("1669", exact=True)).to_be_visible()
                self.start()
        return len(families) * len(LANGUAGES)

    def monkey(self, touches: int) -> None:
        """Touch and type at random."""
        for _ in range(touches):
            what = self._chance.random()
            x, y = self._chance.randrange(WIDTH), self._chance.randrange(HEIGHT)
            if what < 0.8:
                self.page.touchscreen.tap(x, y)
            elif what < 0.9:
                self.page.keyboard.press(self._chance.choice(KEYS))
            else:
                points = [
                    {
                        "x": self._chance.randrange(WIDTH),
                        "y": self._chance.randrange(HEIGHT),
                        "id": n,
                    }
                    for n in range(2, 5)
                ]
                send = self._cdp.send
                send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": points})
                moved = [{**one, "x": one["x"] // 2} for one in points]
                send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": moved})
                send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
            if self.broken:
                return
        self.tap("#bar .emergency", dead=False)

    def crash(self) -> float:
        """Crash the renderer; seconds until the service asks for another browser."""
        begun_s = time.monotonic()
        with self.page.expect_event("crash"), contextlib.suppress(Error):
            self.page.goto("chrome://crash")
        self.kiosk.until(self.kiosk.failures)
        return time.monotonic() - begun_s


class Line(NamedTuple):
    """One line of the table."""

    name: str
    value: float
    unit: str
    limit: float | None

    @property
    def holds(self) -> bool:
        """Whether the limit is kept."""
        return self.limit is None or self.value <= self.limit


def growth(samples: list[Sample], first_s: float) -> float:
    """The heap at the end, in times of what it was when the first minutes were over."""
    early = [one.heap_bytes for one in samples if one.at_s <= first_s]
    late = [one.heap_bytes for one in samples[-max(1, len(samples) // 5) :]]
    return (sum(late) / len(late)) / max(early)


def floor(samples: list[tuple[float, int]]) -> list[tuple[float, int]]:
    """The least in each FLOOR_S, and when it was."""
    least: dict[int, tuple[float, int]] = {}
    for at_s, size_bytes in samples:
        turn = int(at_s // FLOOR_S)
        if turn not in least or size_bytes < least[turn][1]:
            least[turn] = at_s, size_bytes
    return list(least.values())


def slope_mb_per_h(samples: list[tuple[float, int]]) -> tuple[float, float]:
    """How memory grows over the second half, by least squares, and the standard error of that."""
    half = samples[len(samples) // 2 :]
    if len(half) <= 2:  # A line goes through any two.
        return 0.0, math.inf
    hours = [at_s / 3600 for at_s, _ in half]
    sizes = [size_bytes / MB for _, size_bytes in half]
    slope, base = statistics.linear_regression(hours, sizes)
    off = [size - base - slope * hour for hour, size in zip(hours, sizes, strict=True)]
    spread = statistics.pvariance(hours) * len(half)
    return slope, math.sqrt(sum(one**2 for one in off) / (len(half) - 2) / spread)


def table(soak: Soak, for_s: float, taps: int, killed_at: int, crash_s: float) -> list[Line]:
    """What came of it."""
    samples = soak.samples
    first_s = min(FIRST_S, for_s / 2)
    half = samples[len(samples) // 2 :]
    slope, error = slope_mb_per_h(floor(soak.beside))
    limit = SLOPE_MAX_MB_PER_H + SLOPE_ERRORS * error if for_s >= SLOPE_FROM_S else None
    dead_ms = at_percent(soak.dead_taps_ms, 95)
    return [
        Line("flows finished", soak.flows, "", None),
        Line("contents changed", soak.swaps, "", None),
        Line("services killed", soak.kills, "", None),
        Line("screens and languages killed at", killed_at, "", None),
        Line("stale is said, most", max(soak.stale_s), "s", STALE_MAX_S),
        Line("live again, most", max(soak.live_s), "s", LIVE_MAX_S),
        Line("a tap without service, p95", dead_ms, "ms", DEAD_TAP_MAX_MS),
        Line("heap, in times of the first minutes", growth(samples, first_s), "x", HEAP_GROWTH_MAX),
        Line(
            "listeners more at the end than half-way",
            min(one.listeners for one in half[-3:]) - max(one.listeners for one in half[:3]),
            "",
            LISTENERS_GROWTH_MAX,
        ),
        Line("PSS of Chromium, last", samples[-1].pss_bytes / MB, "MB", None),
        Line("taps in a browser that is not driven", taps, "", None),
        Line("its own memory, slope", slope, "MB/h", limit),
        Line("standard error of that", error, "MB/h", None),
        Line("a dead renderer is acted on after", crash_s, "s", SILENT_MAX_S),
        Line("ways out, errors and dialogs", len(soak.broken), "", 0),
    ]


@contextlib.contextmanager
def opened(folder: Path, seed: int) -> Iterator[Soak]:
    """A kiosk and its browser during the block."""
    kiosk = Kiosk(folder)
    profile = folder / "profile"
    try:
        kiosk.start()
        with sync_playwright() as playwright:
            context = playwright.chromium.launch_persistent_context(
                profile,
                executable_path=CHROMIUM,
                args=list(SWITCHES),
                viewport={"width": WIDTH, "height": HEIGHT},
                has_touch=True,
            )
            yield Soak(kiosk, context, str(profile), seed)
            context.close()
    finally:
        kiosk.kill()


def say(line: str) -> None:
    """Print at once: a soak takes hours."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def main() -> int:
    """Soak for as long as was asked for; 1 where a limit is broken."""
    minutes = float(os.environ.get("MINUTES") or 60 * float(os.environ.get("HOURS") or 8))
    touches = int(os.environ.get("TOUCHES") or MONKEY_TOUCHES)
    seed = int(os.environ.get("SEED") or time.time())
    say(f"{minutes:g} minutes of people, {touches} touches of a monkey, SEED={seed}")
    with (
        TemporaryDirectory(prefix="soak-kiosk-") as name,
        opened(Path(name), seed) as soak,
    ):
        other = Path(name) / "bystander"
        with standing_by(other, soak.kiosk.url, (WIDTH, HEIGHT)) as bystander:
            soak.live(minutes * 60, bystander)
        if not bystander.taps:
            soak.broken.append("the browser that is not driven: it was not tapped")
        rests = len(floor(soak.beside))
        if minutes * 60 >= SLOPE_FROM_S and rests < RESTS_MIN:
            soak.broken.append(f"the browser that is not driven: it rested {rests} times")
        killed_at = soak.every_screen()
        soak.monkey(touches)
        crash_s = soak.crash()
        lines = table(soak, minutes * 60, bystander.taps, killed_at, crash_s)
    for line in lines:
        limit = "" if line.limit is None else f"limit {line.limit:g}"
        verdict = "" if line.holds else "BROKEN"
        say(f"{line.name:<42} {line.value:>10.3g} {line.unit:<5} {limit:<10} {verdict}")
    for one in soak.broken[:20]:
        say(f"  {one}")
    return 0 if all(line.holds for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
