"""How fast the kiosk's service starts and what memory it takes, beside a bare aiohttp app."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests.bench.bench_drain import city_process
from tests.bench.figures import Beside, Figure, say_progress
from tests.bench.processes import HOST, cpu_s, rss_bytes, served

GOAL_START_RATIO = 3.0
GOAL_RSS_MB = 90.0
STARTS = 7
SETTLE_S = 60.0
START_MAX_S = 60.0
MB = 1024 * 1024

ROOT = Path(__file__).resolve().parents[2]
BARE = [sys.executable, str(ROOT / "tests" / "bench" / "bare_app.py")]


class Start(NamedTuple):
    """One start: from exec to the last byte of the first page, and the CPU until then."""

    wall_s: float
    cpu_s: float


class ServiceError(Exception):
    """The service does not answer as it should."""


async def measure() -> list[Figure]:
    """Start both in turns, then leave both to settle with one screen that looks on."""
    with tempfile.TemporaryDirectory(prefix="bench-") as text:
        folder = Path(text)
        return [start_ratio(folder), edge_rss(folder)]


ANGSILA = str(Path(sys.executable).with_name("angsila"))
DEMO = str(ROOT / "config" / "demo.toml")


def introduce(folder: Path, city_url: str) -> None:
    """Enrol the kiosk, so that it really sends while it is measured."""
    order = [ANGSILA, "city", "enrol-token", "--state", str(folder / "city")]
    token = subprocess.run(order, check=True, capture_output=True, text=True).stdout.strip()
    enrol = [ANGSILA, "enrol", "--token", token, "--city", city_url, "--config", DEMO]
    state = ["--state", str(folder / "kiosk")]
    subprocess.run([*enrol, *state], check=True, capture_output=True)


def kiosk(folder: Path, city_url: str = "") -> list[str]:
    """The command of the demo's kiosk."""
    return [
        ANGSILA,
        "run",
        *("--config", DEMO),
        *("--state", str(folder / "kiosk")),
        *("--city", city_url),
    ]


def start_ratio(folder: Path) -> Figure:
    """Both have compiled code, and the kiosk has a journal: it has run before, as in the field."""
    commands = {"kiosk": kiosk(folder), "bare": BARE}
    starts: dict[str, list[Start]] = {name: [] for name in commands}
    for number in range(STARTS + 1):
        for name, command in commands.items():
            started = start(command, folder / f"{name}.log")
            if number:
                starts[name].append(started)
    walls = {name: median(start.wall_s for start in found) for name, found in starts.items()}
    cpus = {name: median(start.cpu_s for start in found) for name, found in starts.items()}
    return Figure(
        "start_ratio_to_bare_aiohttp",
        walls["kiosk"] / walls["bare"],
        "x",
        GOAL_START_RATIO,
        beside=(
            Beside("bare aiohttp app, ms", walls["bare"] * 1000),
            Beside("angsila run, ms", walls["kiosk"] * 1000),
            Beside("the ratio in CPU time", cpus["kiosk"] / cpus["bare"]),
        ),
        note=f"exec to the last byte of GET /, median of {STARTS}, in turns",
    )


def start(command: list[str], log: Path) -> Start:
    """Start a service and read its first page. Raises `ServiceError`."""
    begin = time.perf_counter()
    with served(command, log) as (process, port):
        try:
            read_page(port)
        except (OSError, ServiceError) as error:
            raise ServiceError(f"{' '.join(command)}: {error}\n{tail(log)}") from None
        return Start(time.perf_counter() - begin, cpu_s(process.pid))


def read_page(port: int) -> None:
    """GET /, whole. Raises `ServiceError`."""
    with contextlib.closing(HTTPConnection(HOST, port, timeout=START_MAX_S)) as connection:
        connection.request("GET", "/")
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or not body:
            raise ServiceError(f"GET / answered {answer.status} with {len(body)} bytes")


def edge_rss(folder: Path) -> Figure:
    """The demo's load: its sensors, a city, and a screen that shows what comes."""
    settle_s = float(os.environ.get("BENCH_SETTLE", SETTLE_S))
    say_progress(f"memory after {settle_s:.0f} s")
    with contextlib.ExitStack() as stack:
        bare, bare_port = stack.enter_context(served(BARE, folder / "bare.log"))
        read_page(bare_port)
        _, city_url = stack.enter_context(city_process(folder / "city"))
        introduce(folder, city_url)
        edge, port = stack.enter_context(served(kiosk(folder, city_url), folder / "kiosk.log"))
        read_page(port)
        events = watch(port, settle_s)
        edge_mb, bare_mb = (rss_bytes(process.pid) / MB for process in (edge, bare))
    return Figure(
        "edge_rss_mb",
        edge_mb,
        "MB",
        GOAL_RSS_MB,
        beside=(Beside("bare aiohttp app, MB", bare_mb),),
        note=f"after {settle_s:.0f} s of the demo, with one screen that got {events} lines",
    )


def watch(port: int, seconds: float) -> int:
    """Read the live stream as a screen does; the lines that came. Raises `ServiceError`."""
    end = time.monotonic() + seconds
    lines = 0
    with contextlib.closing(HTTPConnection(HOST, port, timeout=START_MAX_S)) as connection:
        connection.request("GET", "/api/live")
        answer: HTTPResponse = connection.getresponse()
        if answer.status != 200:
            raise ServiceError(f"GET /api/live answered {answer.status}")
        while time.monotonic() < end:
            if not answer.readline():
                raise ServiceError(f"GET /api/live ended after {lines} lines")
            lines += 1
    return lines


def tail(log: Path) -> str:
    """The last of what a service printed."""
    return log.read_text(encoding="utf-8", errors="replace")[-2000:]
