"""What 30 sensors at 1 Hz cost: how late the event loop gets, and how much of a core they take."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from pathlib import Path

from drivers import pms5003
from tests.bench.figures import Beside, Figure, say_progress
from tests.terminal import terminal

GOAL_LAG_MS = 20.0
GOAL_CPU_PERCENT = 5.0
SECONDS = 60.0
SPEAK_S = 1.0
LINES = 8
PROBES = 6
FAKES = ("fake_pier", "fake_air", "fake_crowd", "fake_wind")
FAKE_SENSORS = 15
HOSTS = 1

PROBE = "b8 01 4b 46 7f ff 08 10 8a : crc=8a YES\nb8 01 4b 46 7f ff 08 10 8a t=27500\n"
FRAME = pms5003.with_sum(
    bytes.fromhex("424d001c0005000d00160005000d001602fd00fc001d000f000600069700")
)


async def measure() -> list[Figure]:
    """A kiosk with 30 sensors beside an empty loop, both at once."""
    seconds = float(os.environ.get("BENCH_SENSORS", SECONDS))
    say_progress(f"30 sensors for {seconds:.0f} s")
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
        lines = [stack.enter_context(terminal()) for _ in range(LINES)]
        settings = folder / "kiosk.toml"
        settings.write_text(tables(folder, [name for _, name in lines]), encoding="utf-8")
        async with asyncio.TaskGroup() as group:
            kiosk = group.create_task(child(str(settings), str(folder / "state"), str(seconds)))
            empty = group.create_task(child(str(seconds)))
            talk = group.create_task(speak([sensor for sensor, _ in lines]))
            await asyncio.wait((kiosk, empty))
            talk.cancel()
    return figures(kiosk.result(), empty.result(), seconds)


def tables(folder: Path, ports: list[str]) -> str:
    """Settings with 30 sensors, each read once a second."""
    rows = [f'driver = "pms5003"\nport = "{port}"\nwarm_up_s = 0' for port in ports]
    for number in range(PROBES):
        probe = folder / f"w1-{number}" / f"28-{number:012x}"
        probe.mkdir(parents=True)
        (probe / "w1_slave").write_text(PROBE, encoding="ascii")
        rows.append(f'driver = "ds18b20"\nroot = "{probe.parent}"')
    rows += [f'driver = "{FAKES[n % len(FAKES)]}"\nseed = {n + 1}' for n in range(FAKE_SENSORS)]
    rows += ['driver = "host"'] * HOSTS
    named = [
        f'[[sensor]]\nname = "s{number}"\nperiod_s = 1.0\n{row}\n'
        for number, row in enumerate(rows)
    ]
    return "[web]\nport = 0\n" + "".join(named)


async def speak(sensors: list[int]) -> None:
    """Let every serial sensor send its frame once a second."""
    while True:
        for sensor in sensors:
            with contextlib.suppress(BlockingIOError):
                os.write(sensor, FRAME)
                os.read(sensor, 4096)
        await asyncio.sleep(SPEAK_S)


async def child(*arguments: str) -> dict[str, float]:
    """Run the probed process; what it found."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.bench.sensors_kiosk"),
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    output, _ = await process.communicate()
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def figures(kiosk: dict[str, float], empty: dict[str, float], seconds: float) -> list[Figure]:
    """Lag and CPU, each beside the empty loop's of the same time."""
    number = LINES + PROBES + FAKE_SENSORS + HOSTS
    note = f"{number} sensors at 1 Hz for {seconds:.0f} s: serial, 1-Wire, simulated, host"
    return [
        Figure(
            "sensors_loop_lag_p99_ms",
            kiosk["p99_ms"],
            "ms",
            GOAL_LAG_MS,
            beside=(
                Beside("an empty loop at the same time, p99", empty["p99_ms"]),
                Beside("the kiosk's median", kiosk["p50_ms"]),
                Beside("the kiosk's latest", kiosk["max_ms"]),
            ),
            note=note,
        ),
        Figure(
            "sensors_cpu_percent_of_a_core",
            max(kiosk["cpu_percent"] - empty["cpu_percent"], 0.0),
            "%",
            GOAL_CPU_PERCENT,
            beside=(Beside("an empty loop with the same probe", empty["cpu_percent"]),),
            note="without what the probe takes",
        ),
    ]
