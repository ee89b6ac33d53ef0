import asyncio
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import ANGSILA, angsila, free_port, get, until

STOP_MAX_S = 3.0
SETTINGS = """
[kiosk]
id = "test"
[journal]
commit_s = 0.5
segment_s = 1
[clock]
trust = ["system"]
[[sensor]]
name = "machine"
driver = "host"
period_s = 0.2
[[sensor]]
name = "pier"
driver = "fake_pier"
period_s = 0.2
[[sensor]]
name = "gone"
driver = "bme280"
bus = 250
period_s = 0.2
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A kiosk with a machine to measure, a simulated pier, and a sensor that is not there."""
    path = tmp_path / "kiosk.toml"
    path.write_text(SETTINGS)
    return path


async def test_a_kiosk_serves_measures_and_ends_in_time(config: Path, tmp_path: Path) -> None:
    """Real and simulated streams are on the air, a missing sensor is a state, SIGTERM ends it."""
    port = free_port()
    base = f"http://127.0.0.1:{port}"

    def all_streams() -> Any:
        now = get(f"{base}/api/now")
        streams = {reading["stream"]: reading for reading in (now or {}).get("readings", ())}
        return streams if {"pier/water_level", "machine/load_1m"} <= set(streams) else None

    async with angsila(
        "run", "--config", config, "--state", tmp_path / "state", "--port", str(port)
    ) as kiosk:
        streams = await until(all_streams)
        health = await until(lambda: get(f"{base}/health"))
        ended_s = time.monotonic()
        status, output = await kiosk.end(limit_s=STOP_MAX_S)

    assert time.monotonic() - ended_s < STOP_MAX_S
    assert status == 0, output
    assert streams["pier/water_level"]["simulated"]
    assert not streams["machine/load_1m"]["simulated"]
    assert streams["machine/load_1m"]["quality"] == "ok"
    assert streams["gone/air_temperature"]["value"] is None
    states = {sensor["name"]: sensor["state"] for sensor in health["sensors"]}
    assert states == {"machine": "ok", "pier": "ok", "gone": "failed"}
    assert health["uplink"]["state"] == "off"
    assert health["status"] == "degraded"
    assert output.count("gone failed") == 1


async def test_a_kiosk_goes_on_where_it_was(config: Path, tmp_path: Path) -> None:
    """After a clean stop the next seq follows the last; the missing sensor was an event."""
    run = ("run", "--config", config, "--state", tmp_path / "state", "--port")
    port = free_port()

    def health(least: int = 1) -> Any:
        found = get(f"http://127.0.0.1:{port}/health")
        return found if found and found["journal"]["committed"] >= least else None

    async with angsila(*run, str(port)) as kiosk:
        first = await until(health)
        await kiosk.end()
    async with angsila(*run, str(port)):
        second = await until(lambda: health(first["journal"]["committed"] + 1))

    assert second["journal"]["epoch"] == first["journal"]["epoch"]
    assert second["journal"]["events"] >= 1


async def test_a_port_in_use_is_one_line(config: Path, tmp_path: Path) -> None:
    """The kiosk says which port is taken, and ends with status 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        async with angsila(
            "run", "--config", config, "--state", tmp_path / "state", "--port", port
        ) as kiosk:
            status, output = await kiosk.ended()

    assert status == 1
    assert output.count("\n") == 1
    assert f"port {port} cannot be listened on: in use" in output


async def test_an_unwritable_state_folder_is_one_line(config: Path) -> None:
    """The kiosk says which folder and why, and ends with status 1."""
    async with angsila(
        "run", "--config", config, "--state", "/proc/angsila", "--port", "0"
    ) as kiosk:
        status, output = await kiosk.ended()

    assert (status, output.count("\n")) == (1, 1)
    assert "state folder /proc/angsila cannot be written" in output


async def test_a_second_kiosk_on_the_same_folder_is_one_line(config: Path, tmp_path: Path) -> None:
    """Two kiosks never write one journal: the second ends with status 75."""
    run = ("run", "--config", config, "--state", tmp_path / "state", "--port", "0")
    async with angsila(*run) as first:
        await first.line("kiosk on http://")
        async with angsila(*run) as second:
            status, output = await second.ended()

        assert (status, output.count("\n")) == (75, 1)
        assert f"in use by another angsila (process {first.pid})" in output


async def test_wrong_settings_start_nothing(tmp_path: Path) -> None:
    """The kiosk says what is wrong in one line, ends with status 2, and has made no folder."""
    config = tmp_path / "kiosk.toml"
    config.write_text("[web]\nport = 99999\n")
    async with angsila("run", "--config", config, "--state", tmp_path / "state") as kiosk:
        status, output = await kiosk.ended()

    assert (status, output.count("\n")) == (2, 1)
    assert "kiosk.toml, line 2: [web] port = 99999 is not allowed" in output
    assert not (tmp_path / "state").exists()


async def test_systemd_hands_over_the_socket_and_is_told(config: Path, tmp_path: Path) -> None:
    """On a socket from systemd the kiosk serves without binding, and says READY, then STOPPING."""
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd,
        socket.create_server(("127.0.0.1", 0)) as door,
    ):
        systemd.bind(str(tmp_path / "notify"))
        systemd.setblocking(False)
        port = door.getsockname()[1]
        # As systemd does it: the socket becomes number 3, and the process is named.
        start = (
            "import os, sys; os.dup2(int(sys.argv[1]), 3); os.set_inheritable(3, True); "
            "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1'); "
            "os.execv(sys.argv[2], sys.argv[2:])"
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", start, str(door.fileno())),
            *(ANGSILA, "run", "--config", str(config), "--state", str(tmp_path / "state")),
            pass_fds=[door.fileno()],
            stderr=subprocess.DEVNULL,
            env={"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "600000"},
        )
        loop = asyncio.get_running_loop()
        said: list[str] = []
        async with asyncio.timeout(20):
            while not any("WATCHDOG=1" in line for line in said):
                said.append((await loop.sock_recv(systemd, 1000)).decode())
            answer = await asyncio.to_thread(get, f"http://127.0.0.1:{port}/health")
            process.terminate()
            while "STOPPING=1" not in said:
                said.append((await loop.sock_recv(systemd, 1000)).decode())
            status = await process.wait()

    assert said[0].startswith("READY=1")
    assert answer["versions"]["angsila"]
    assert status == 0
