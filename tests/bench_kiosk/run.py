"""`make bench-kiosk`: how fast, light and steady the screens are, beside two simpler pages.

Prints a table and writes build/bench-kiosk.json. Names of parts on the command line (bytes, taps,
map, start, memory, death) measure only those.
"""

from __future__ import annotations

import os
import platform
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import brotli  # type: ignore[import-untyped] # it brings no types
from playwright.sync_api import sync_playwright

from kiosk_ui.content import load_pack
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import render
from tests.bench.figures import Beside, Figure, say, say_progress, show, write
from tests.bench_kiosk.memory import MB, pss_bytes
from tests.bench_kiosk.peers import HTMX, READY
from tests.bench_kiosk.taps import INSTRUMENT, Finger, at_percent
from tests.kiosk_ui.flows import FLOWS, begin
from tests.kiosk_ui.screen import (
    CHROMIUM,
    LANGUAGES,
    PANELS,
    SWITCHES,
    Served,
    open_screen,
    served,
    settle,
)
from tests.kiosk_ui.screen import show as show_screen
from tests.kiosk_ui.speaking import SPEAK, voices
from tests.waiting import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, BrowserContext, Page, Playwright

ROOT = Path(__file__).resolve().parents[2]
OUTPUT = ROOT / "build" / "bench-kiosk.json"
PANEL = "1280x800"
WIDTH, HEIGHT, PX_PER_MM = PANELS[PANEL]
VIEW: dict[str, int] = {"width": WIDTH, "height": HEIGHT}
ROUNDS = 4
TAP_ROUNDS = 3  # So that no single tap decides about the slowest of twenty.
SLOW = 6  # Stands for a Raspberry Pi 4.
STARTS = 15
MAPS = 6
KILLS = 5
DRAG_STEPS = 90
WAIT_MAX_MS = 60_000

TAP_MAX_MS = 50.0
TAP_SLOW_MAX_MS = 150.0
FIRST_SLOW_MAX_MS = 1500.0
PAN_SLOW_MAX_MS = 35.0
NODES_MAX = 900.0
JS_KB_MAX = 25.0
CSS_KB_MAX = 12.0
PSS_MB_MAX = 460.0
DEAD_TAP_MAX_MS = 300.0
STALE_MAX_S = 2.0
LIVE_MAX_S = 5.0

# Flows that a page without scripts of its own can do as well.
PLAIN_FLOWS = (
    ("list/eat", "entry/oyster"),
    ("toilet",),
    ("today",),
    ("list/around", "entry/songthaew"),
    ("list/see", "entry/tuek-rachini"),
    ("tell",),
    ("sos",),
)


@contextmanager
def peers() -> Iterator[str]:
    """The plain and the htmx page on a server of their own; where it listens."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.bench_kiosk.peers", str(port), str(PX_PER_MM)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        if process.stdout is None or process.stdout.readline().strip() != READY:
            raise RuntimeError("the pages to compare with did not start")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.kill()
        process.communicate()


class Bench:
    """A browser, the kiosk, and what stands beside it."""

    def __init__(self, playwright: Playwright, screen: Served, peer: str) -> None:
        self.playwright = playwright
        self.screen = screen
        self.peer = peer
        self.browser: Browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(SWITCHES)
        )

    def kiosk(self) -> Page:
        """The kiosk's page, ready to be measured."""
        page = open_screen(self.browser, self.screen, has_touch=True)
        page.add_init_script(INSTRUMENT)
        page.reload()
        settle(page)
        return page

    def other(self, kind: str) -> Page:
        """The first screen of a peer."""
        context = self.browser.new_context(viewport=VIEW, has_touch=True)  # type: ignore[arg-type]
        page = context.new_page()
        page.add_init_script(INSTRUMENT)
        page.goto(f"{self.peer}/{kind}/en/home")
        page.evaluate("() => document.fonts.ready.then(() => true)")
        return page


def measure_bytes(_bench: Bench) -> list[Figure]:
    """What is sent for everything."""
    sent = {".js": 0.0, ".css": 0.0}
    for url, asset in render(load_pack(), KioskPlace(px_per_mm=PX_PER_MM)).files.items():
        if (suffix := Path(url).suffix) in sent:
            sent[suffix] += len(brotli.compress(asset.body)) / 1024
    alone = Beside("htmx.min.js alone", len(brotli.compress(HTMX.encode())) / 1024)
    return [
        Figure("scripts_kb_brotli", sent[".js"], "KB", JS_KB_MAX, beside=(alone,)),
        Figure("styles_kb_brotli", sent[".css"], "KB", CSS_KB_MAX),
    ]


def measure_taps(bench: Bench) -> list[Figure]:
    """The eight flows by touch at full speed and at a sixth, and what both peers take."""
    figures = []
    for times, limit in ((1, TAP_MAX_MS), (SLOW, TAP_SLOW_MAX_MS)):
        say_progress(f"taps at 1/{times} of the processor")
        page = bench.kiosk()
        finger = Finger(page)
        finger.slow_down(times)
        loops_ms, taps_ms = [], []
        by_flow: dict[str, list[float]] = {}
        # A screen is parsed and measured when it is first shown; the page lives for a day.
        firsts_ms = [ms for _, ms in go_round(page, finger)]
        for _ in range(TAP_ROUNDS):
            for name, ms in go_round(page, finger):
                loops_ms.append(finger.loop_ms())
                taps_ms.append(ms)
                by_flow.setdefault(name, []).append(ms)
        pressed_ms = finger.pressed()
        page.context.close()
        others = {kind: peer_taps(bench, kind, times) for kind in ("htmx", "plain")}
        p50, p95 = at_percent(taps_ms, 50), at_percent(taps_ms, 95)
        slowest = max(by_flow, key=lambda name: max(by_flow[name]))
        figures += [
            Figure(
                f"tap_to_painted_p95_ms_x{times}",
                p95,
                "ms",
                limit,
                beside=tuple(
                    beside
                    for kind, ms in others.items()
                    for beside in (
                        Beside(f"{kind}, p95", at_percent(ms, 95)),
                        Beside(f"{kind}, p95 in times of ours", at_percent(ms, 95) / p95),
                    )
                ),
                note=f"{len(taps_ms)} taps of 8 flows in th, en, zh; p50 {p50:.0f} ms; slowest in "
                f"{slowest!r}: {max(by_flow[slowest]):.0f} ms; a loop of {len(loops_ms)} took "
                f"{at_percent(loops_ms, 50):.1f} ms at p50, {at_percent(loops_ms, 95):.1f} at p95",
            ),
            Figure(
                f"tap_to_painted_p50_ms_x{times}",
                p50,
                "ms",
                beside=tuple(
                    Beside(f"{kind}, p50", at_percent(ms, 50)) for kind, ms in others.items()
                ),
            ),
            Figure(
                f"first_show_p95_ms_x{times}",
                at_percent(firsts_ms, 95),
                "ms",
                note=f"{len(firsts_ms)} taps on a page that was just loaded; "
                f"p50 {at_percent(firsts_ms, 50):.0f} ms",
            ),
            Figure(
                f"pressed_state_p95_ms_x{times}",
                at_percent([*pressed_ms, *[16.0] * (2 * len(taps_ms) - len(pressed_ms))], 95),
                "ms",
                limit,
                note="Event Timing of pointerdown, in steps of 8 ms; what was faster counts as 16",
            ),
        ]
    return figures


def go_round(page: Page, finger: Finger) -> Iterator[tuple[str, float]]:
    """All flows in all languages; for each tap its flow, and how long it took."""
    for language in LANGUAGES:
        for flow in FLOWS:
            begin(page, language)
            for place in flow.touches:
                yield flow.name, finger.tap(place)


def peer_taps(bench: Bench, kind: str, times: int) -> list[float]:
    """The same taps on a page that asks its server for each screen."""
    page = bench.other(kind)
    finger = Finger(page)
    finger.slow_down(times)
    taps_ms = []
    for _ in range(ROUNDS + 1):
        for flow in PLAIN_FLOWS:
            taps_ms += [finger.tap(f'[data-go="{screen}"]') for screen in flow]
            finger.tap('#bar [data-go="home"]')
    page.context.close()
    return taps_ms[len(taps_ms) // (ROUNDS + 1) :]  # The first round fills the browser's caches.


def measure_map(bench: Bench) -> list[Figure]:
    """Showing the map, and drawing it about, at a sixth of the processor."""
    page = bench.kiosk()
    finger = Finger(page)
    finger.slow_down(SLOW)
    shows_ms, frames_ms = [], []
    for number in range(MAPS * len(LANGUAGES)):
        begin(page, LANGUAGES[number % len(LANGUAGES)])
        shows_ms.append(finger.tap('#screen [data-go="map"]'))
        if number < MAPS:
            page.locator('[data-act="zoom"][data-by="1"]').click()
            frames_ms += finger.drag(DRAG_STEPS)
    page.context.close()
    return [
        Figure(
            f"map_show_p95_ms_x{SLOW}",
            at_percent(shows_ms, 95),
            "ms",
            note=f"{len(shows_ms)} times; the first, which parses it, took {shows_ms[0]:.0f} ms",
        ),
        Figure(
            f"map_pan_frame_p95_ms_x{SLOW}",
            at_percent(frames_ms, 95),
            "ms",
            PAN_SLOW_MAX_MS,
            note=f"{len(frames_ms)} frames, p50 {at_percent(frames_ms, 50):.1f} ms",
        ),
    ]


def measure_start(bench: Bench) -> list[Figure]:
    """From an empty cache to the first screen that can be touched, and nodes of all screens."""
    figures = []
    for times, limit in ((1, None), (SLOW, FIRST_SLOW_MAX_MS)):
        ours = [first_ms(bench, bench.screen.url, times) for _ in range(STARTS)]
        plain = [first_ms(bench, f"{bench.peer}/plain/th/attract", times) for _ in range(STARTS)]
        figures += [
            Figure(
                f"first_screen_{what}_p95_ms_x{times}",
                at_percent([one[index] for one in ours], 95),
                "ms",
                limit,
                beside=(Beside("plain page", at_percent([one[index] for one in plain], 95)),),
                note=f"{STARTS} starts with an empty cache and a warm service, the slowest counts; "
                f"p50 {at_percent([one[index] for one in ours], 50):.0f} ms, "
                f"plain {at_percent([one[index] for one in plain], 50):.0f}",
            )
            for index, what in enumerate(("painted", "touchable"))
        ]
    page = bench.kiosk()
    nodes = page.evaluate(
        """async (languages) => {
          const { router, here } =
            await import(document.querySelector('script[type=module]').src);
          let most = [0, ''];
          for (const language of languages) {
            for (const screen of Object.keys(here.bundles[language].screens)) {
              router.show({ language, screen, page: 0 });
              const found = document.querySelectorAll('*').length;
              if (found > most[0]) most = [found, `${screen} in ${language}`];
            }
          }
          return most;
        }""",
        list(LANGUAGES),
    )
    page.context.close()
    figures.append(Figure("nodes_max", nodes[0], "nodes", NODES_MAX, note=f"on {nodes[1]}"))
    return figures


def first_ms(bench: Bench, url: str, times: int) -> tuple[float, float]:
    """From asking for the page until its first screen is painted, and until it can be touched."""
    context = bench.browser.new_context(viewport=VIEW, has_touch=True)  # type: ignore[arg-type]
    page = context.new_page()
    Finger(page).slow_down(times)
    page.goto(url, wait_until="commit")
    painted_ms, touchable_ms = page.evaluate(
        """() => new Promise((done) => {
          const look = () => {
            const [paint] = performance.getEntriesByName('first-contentful-paint');
            const bar = document.querySelector('#bar');
            if (!paint || !bar || bar.hidden || !bar.firstChild) return requestAnimationFrame(look);
            done([paint.startTime, performance.now()]);
          };
          look();
        })"""
    )
    context.close()
    return painted_ms, touchable_ms


def measure_memory(bench: Bench) -> list[Figure]:
    """All processes of a browser that has shown every screen, beside one with the plain page."""
    with own_browser(bench.playwright) as (context, marker):
        page = context.pages[0]
        page.goto(bench.screen.url)
        settle(page)
        for language in LANGUAGES:
            for flow in FLOWS:
                begin(page, language)
                for place in flow.touches:
                    page.locator(place).first.tap()
            for name in ("map", "search", "list/see", "tell"):
                show_screen(page, language, name)
        ours = pss_bytes(marker) / MB
    with own_browser(bench.playwright) as (context, marker):
        page = context.pages[0]
        for screens in PLAIN_FLOWS:
            for screen in ("home", *screens):
                page.goto(f"{bench.peer}/plain/en/{screen}")
        plain = pss_bytes(marker) / MB
    with own_browser(bench.playwright) as (_context, marker):
        empty = pss_bytes(marker) / MB
    beside = (Beside("plain pages", plain), Beside("an empty page", empty))
    return [
        Figure(
            "chromium_pss_mb",
            ours,
            "MB",
            PSS_MB_MAX,
            beside=beside,
            note="all processes, after the eight flows in three languages; without a GPU",
        )
    ]


@contextmanager
def own_browser(playwright: Playwright) -> Iterator[tuple[BrowserContext, str]]:
    """A browser of its own, with voices, and the words by which its processes are found."""
    with TemporaryDirectory(prefix="bench-kiosk-") as folder, voices() as found:
        context = playwright.chromium.launch_persistent_context(
            folder,
            executable_path=CHROMIUM,
            args=[*SWITCHES, SPEAK],
            env=found.environment,
            viewport=VIEW,  # type: ignore[arg-type] # a dict of int is what it is
            has_touch=True,
        )
        try:
            yield context, folder
        finally:
            context.close()


# In the page: when the live values were seen to go and to come, by the machine's clock.
WATCH = """() => {
  window.turns = {};
  new MutationObserver(() => { window.turns[document.body.dataset.live] = Date.now(); })
    .observe(document.body, { attributeFilter: ['data-live'] });
}"""
LIVE = "(state) => document.body.dataset.live === state"


def measure_death(bench: Bench) -> list[Figure]:
    """Kill -9 of the service: when it is seen, what a tap takes then, and when all is well."""
    page = bench.kiosk()
    finger = Finger(page)
    page.evaluate("() => { window.same = true; }")
    stale_s, live_s, taps_ms = [], [], []
    for number in range(KILLS):
        page.evaluate(WATCH)
        killed_s = time.time()
        bench.screen.kill()
        page.wait_for_function(LIVE, arg="no", timeout=WAIT_MAX_MS)
        stale_s.append(page.evaluate("() => window.turns.no") / 1000 - killed_s)
        for flow in FLOWS:
            begin(page, LANGUAGES[number % len(LANGUAGES)])
            taps_ms += [finger.tap(place) for place in flow.touches]
        begin(page, "en")
        bench.screen.start()
        started_s = time.time()
        page.wait_for_function(LIVE, arg="yes", timeout=WAIT_MAX_MS)
        live_s.append(page.evaluate("() => window.turns.yes") / 1000 - started_s)
    same = page.evaluate("() => window.same === true")
    page.context.close()
    if not same:
        raise RuntimeError("the page was loaded anew")
    return [
        Figure("stale_seen_max_s", max(stale_s), "s", STALE_MAX_S, note=f"{KILLS} kills"),
        Figure(
            "tap_without_service_p95_ms",
            at_percent(taps_ms, 95),
            "ms",
            DEAD_TAP_MAX_MS,
            note=f"{len(taps_ms)} taps; a page that asks its server has no answer at all",
        ),
        Figure(
            "live_again_max_s",
            max(live_s),
            "s",
            LIVE_MAX_S,
            note="from the service's first listening, without loading the page anew",
        ),
    ]


PARTS: dict[str, Callable[[Bench], list[Figure]]] = {
    "bytes": measure_bytes,
    "taps": measure_taps,
    "map": measure_map,
    "start": measure_start,
    "memory": measure_memory,
    "death": measure_death,
}


def main() -> int:
    """Measure the parts that were asked for, all by default."""
    asked = sys.argv[1:] or list(PARTS)
    unknown = [name for name in asked if name not in PARTS]
    if unknown:
        say(f"not a part of the bench: {unknown[0]!r}; there are {', '.join(PARTS)}")
        return 2
    say(
        f"CPython {platform.python_version()}, {os.cpu_count()} cores, "
        f"load {os.getloadavg()[0]:.1f}, {PANEL}, {platform.machine()}"
    )
    begun_s = time.monotonic()
    figures: list[Figure] = []
    with sync_playwright() as playwright, served(PANEL) as screen, peers() as peer:
        bench = Bench(playwright, screen, peer)
        for name in asked:
            say_progress(name)
            for figure in PARTS[name](bench):
                show(figure)
                figures.append(figure)
        bench.browser.close()
    write(figures, OUTPUT)
    missed = [figure.name for figure in figures if figure.reached is False]
    say()
    say(
        f"{len(figures)} figures in {time.monotonic() - begun_s:.0f} s, load "
        f"{os.getloadavg()[0]:.1f}, in {OUTPUT}; limits missed: {', '.join(missed) or 'none'}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
