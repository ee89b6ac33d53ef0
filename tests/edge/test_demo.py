import asyncio
import os
import re
import signal
import socket
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

from tests.waiting import WAIT_MAX_S, Process, angsila, free_port, get, until

STOP_MAX_S = 3.0


def demo_on(kiosk_port: int, city_port: int, state: Path) -> AbstractAsyncContextManager[Process]:
    """The demo on two ports, during a block."""
    ports = ("--kiosk-port", str(kiosk_port), "--city-port", str(city_port))
    return angsila("demo", *ports, "--state", state)


async def child_of(demo: Process, command: str) -> int:
    """The process id of one of the demo's two parts."""

    def look() -> int | None:
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                parent = re.search(r"\nPPid:\t(\d+)", (folder / "status").read_text())
                words = (folder / "cmdline").read_text().split("\0")
            except OSError:
                continue
            if parent and int(parent[1]) == demo.pid and command in words:
                return int(folder.name)
        return None

    return int(await until(look))


async def test_pulled_plugs_lose_nothing(tmp_path: Path) -> None:
    """City and kiosk are killed and started again by hand; nothing is missing, nothing doubled."""
    kiosk_port, city_port = free_port(), free_port()
    kiosk_url, city_url = f"http://127.0.0.1:{kiosk_port}", f"http://127.0.0.1:{city_port}"
    city_command = ("city", "--state", tmp_path / "city", "--port", str(city_port))
    kiosk_command = (
        *("run", "--config", "config/demo.toml", "--state", tmp_path / "kiosk"),
        *("--port", str(kiosk_port), "--city", city_url),
    )

    def seq() -> Any:
        return (get(f"{kiosk_url}/api/now") or {}).get("seq")

    async with demo_on(kiosk_port, city_port, tmp_path) as demo:
        await demo.line(f"{city_url}/ ")
        alone = await demo.line(f"{kiosk_url}/ ")
        assert f"angsila run --config config/demo.toml --state {tmp_path}/kiosk" in alone
        await until(lambda: len((get(f"{kiosk_url}/api/now") or {}).get("readings", ())) >= 12)

        os.kill(await child_of(demo, "city"), signal.SIGKILL)
        await demo.line("Start it again with: make city")
        os.kill(await child_of(demo, "run"), signal.SIGKILL)
        await demo.line("Start it again with: make kiosk")
        for _ in range(2):
            async with angsila(*kiosk_command) as by_hand:
                await until(seq)
                await by_hand.end(signal.SIGKILL)
        async with angsila(*kiosk_command) as kiosk, angsila(*city_command) as city:
            await demo.line("The city is back")
            await until(seq)
            async with angsila("verify", "--state", tmp_path, "--city", city_url) as verify:
                status, output = await verify.ended()
            assert status == 0, output
            assert re.search(r"[1-9]\d* entries, 0 missing, 0 doubled, 0 declared lost", output)

            assert (await demo.end(limit_s=STOP_MAX_S))[0] == 0
            assert kiosk.status is None, "what was started by hand is not the demo's to stop"
            assert (await kiosk.end(limit_s=STOP_MAX_S))[0] == 0
            assert (await city.end(limit_s=STOP_MAX_S))[0] == 0


async def test_a_part_that_crashes_is_started_again(tmp_path: Path) -> None:
    """The demo does what systemd does on a kiosk, and Ctrl-C ends both parts in time."""
    kiosk_port, city_port = free_port(), free_port()
    async with demo_on(kiosk_port, city_port, tmp_path) as demo:
        await demo.line("Ctrl-C ends both")
        first = await child_of(demo, "run")
        os.kill(first, signal.SIGABRT)
        await demo.line("is started again")
        second = await child_of(demo, "run")
        await until(lambda: get(f"http://127.0.0.1:{kiosk_port}/health"))
        status, _ = await demo.end(signal.SIGINT, limit_s=STOP_MAX_S)

    assert second != first
    assert status == 0
    for port in (kiosk_port, city_port):
        with socket.create_server(("127.0.0.1", port)):
            pass


async def test_the_parts_go_with_a_demo_that_was_killed(tmp_path: Path) -> None:
    """When the demo itself is killed, no kiosk stays behind on its port."""
    kiosk_port, city_port = free_port(), free_port()
    async with demo_on(kiosk_port, city_port, tmp_path) as demo:
        await demo.line("Ctrl-C ends both")
        kiosk = await child_of(demo, "run")
        await demo.end(signal.SIGKILL, limit_s=WAIT_MAX_S)
        await until(lambda: not Path(f"/proc/{kiosk}").exists())


async def test_two_demos_do_not_share_a_port(tmp_path: Path) -> None:
    """`make run` twice: one line that names the port and the way out, and status 1."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        async with angsila("demo", "--kiosk-port", port, "--state", tmp_path) as demo:
            status, output = await demo.ended()

    assert (status, output.count("\n")) == (1, 1)
    assert "in use" in output


async def test_kiosk_and_city_want_a_port_each(tmp_path: Path) -> None:
    """One port for both is refused in one line before anything is started."""
    port = free_port()
    async with demo_on(port, port, tmp_path) as demo:
        status, output = await demo.ended()

    assert (status, output.count("\n")) == (1, 1)
    assert f"cannot both have port {port}" in output
    assert not (tmp_path / "city").exists()


async def test_a_demo_that_cannot_begin_ends_as_its_part_did(tmp_path: Path) -> None:
    """A part that fails at its start ends the demo, with the part's own words and status."""
    (tmp_path / "kiosk").write_text("in the way")
    async with demo_on(free_port(), free_port(), tmp_path) as demo:
        async with asyncio.timeout(WAIT_MAX_S):
            status, output = await demo.ended()

    assert status == 1
    assert f"state folder {tmp_path}/kiosk cannot be written" in output
    assert "the kiosk did not start (exit status 1)" in output
