"""The demo: a city and a kiosk as two processes on this machine, and a hand to unplug them."""

import asyncio
import contextlib
import shlex
import shutil
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from edge.claim import listen, writable_folder
from edge.enrol import enrol, knows, new_token
from edge.errors import EXIT_FAILED, EdgeError, PortError
from edge.settings import config_folder, load

HOST = "127.0.0.1"
START_MAX_S = 60.0  # A Pi 3 on its first start, compiling as it goes.
STOP_MAX_S = 2.5
RESTART_S = 2.0  # As RestartSec= in systemd/.
FIRST_LOOK_S = 0.1
LOOK_S = 0.5  # How often we look whether somebody has started a part by hand.
ANSWER_MAX_S = 2.0


@dataclass(slots=True)
class Part:
    """One of the two processes: what it is called, where it answers, how it is started."""

    name: str
    port: int
    command: list[str]
    process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://{HOST}:{self.port}/"

    async def start(self) -> None:
        """Start the process; it gets SIGTERM should the demo die.

        It has a session of its own: Ctrl-C in the terminal is for the demo, which stops its
        parts, and not for all three at once.
        """
        setpriv = shutil.which("setpriv")
        guard = [setpriv, "--pdeathsig", "TERM", "--"] if setpriv else []
        self.process = await asyncio.create_subprocess_exec(
            *guard, *self.command, stdin=asyncio.subprocess.DEVNULL, start_new_session=True
        )

    async def stop(self) -> None:
        """End the process, by force if it does not end by itself in time."""
        if self.process is None or self.process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            self.process.terminate()
        try:
            async with asyncio.timeout(STOP_MAX_S):
                await self.process.wait()
        except TimeoutError:
            self.process.kill()
            await self.process.wait()

    async def answers(self) -> bool:
        """Whether an HTTP server answers there."""
        try:
            async with asyncio.timeout(ANSWER_MAX_S):
                reader, writer = await asyncio.open_connection(HOST, self.port)
                request = f"GET /health HTTP/1.0\r\nHost: {HOST}:{self.port}\r\n\r\n"
                writer.write(request.encode())
                status = await reader.readline()
                writer.close()
        except (OSError, TimeoutError):
            return False
        return status.startswith(b"HTTP/")

    @property
    def status(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self.process.returncode if self.process else None

    async def ended(self) -> int:
        """Wait until it ends; its exit status, negative for the signal that killed it."""
        if self.process is None:
            raise RuntimeError(f"{self.name} was not started")
        return await self.process.wait()


class PartEndedError(EdgeError):
    """A part ended before it answered; it has said itself why."""

    def __init__(self, part: Part, status: int) -> None:
        super().__init__(f"the {part.name} did not start (exit status {status})")
        self.exit_status = status if status > 0 else EXIT_FAILED


async def demo(kiosk_port: int, city_port: int, state: Path) -> None:
    """Run city and kiosk until SIGTERM or SIGINT.

    Raises `PortError` or `StateError` before anything is started, `PartEndedError` when one
    of the two does not come up.
    """
    parts = make_parts(kiosk_port, city_port, writable_folder(state))
    city, kiosk = parts
    if kiosk_port == city_port:
        raise PortError(f"kiosk and city cannot both have port {city_port}")
    for part in parts:
        must_be_free(part)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    try:
        async with asyncio.TaskGroup() as group:
            task = group.create_task(show(city, kiosk, state), name="show")
            await stopping.wait()
            task.cancel()
    except* PartEndedError as errors:
        raise errors.exceptions[0] from None
    finally:
        async with asyncio.TaskGroup() as group:
            for part in parts:
                group.create_task(part.stop(), name=f"stop {part.name}")


async def show(city: Part, kiosk: Part, state: Path) -> None:
    """Start city and kiosk, say where they are, and keep them up, for ever."""
    await city.start()
    await first_answer(city)
    await introduce(city, state)
    await kiosk.start()
    await first_answer(kiosk)
    parts = (city, kiosk)
    for part in parts:
        say(f"{part.name:<6} {part.url:<24} alone: {shlex.join(part.command)}")
    say("Ctrl-C ends both. Kill either one with SIGKILL and see what is lost: nothing.")
    async with asyncio.TaskGroup() as group:
        for part in parts:
            group.create_task(keep_up(part), name=part.name)


async def introduce(city: Part, state: Path) -> None:
    """Enrol the kiosk at its first start, as a technician does: with a token of the city."""
    try:
        if await knows(state / "city", state / "kiosk"):
            return
        token = await new_token(state / "city", "demo")
        settings = load(config_folder() / "demo.toml")
        found = await enrol(state / "kiosk", city.url.rstrip("/"), token, settings.kiosk.id)
    except EdgeError as error:
        # It goes on as a kiosk all the same, and says so on its own pages.
        say(f"The kiosk is not known to the city: {error}")
    else:
        say(f"The kiosk is enrolled as device {found.device}.")


async def first_answer(part: Part) -> None:
    """Wait until a part answers. Raises `PartEndedError` when it ends instead."""
    async with asyncio.timeout(START_MAX_S):
        while not await part.answers():
            status = part.status
            if status is not None:
                raise PartEndedError(part, status)
            await asyncio.sleep(FIRST_LOOK_S)


async def keep_up(part: Part) -> None:
    """Start a part again when it crashed, and tell when it comes and goes, for ever.

    SIGKILL is somebody pulling the plug, and a clean end is somebody switching it off: then
    it stays down until a hand starts it again, which may be a process of its own.
    """
    while True:
        status = await part.ended()
        if status in (0, -signal.SIGKILL):
            how = "was switched off" if status == 0 else "was killed, as if unplugged,"
            await by_hand(part, how)
            continue
        say(f"The {part.name} ended with exit status {status}; it is started again.")
        await asyncio.sleep(RESTART_S)
        if await part.answers():
            await by_hand(part, "crashed")
        await part.start()


async def by_hand(part: Part, how: str) -> None:
    """Leave a part to the person at the keyboard, for ever."""
    say(f"The {part.name} {how} and stays down. Start it again with: make {part.name}")
    say(f"  or, with these ports and folders: {shlex.join(part.command)}")
    up = False
    while True:
        await asyncio.sleep(LOOK_S)
        if up != await part.answers():
            up = not up
            say(f"The {part.name} is back." if up else f"The {part.name} is gone again.")


def make_parts(kiosk_port: int, city_port: int, state: Path) -> list[Part]:
    """Describe the city and the kiosk, each with its own folder in `state`."""
    run = [*program(), "run", "--config", near(config_folder() / "demo.toml")]
    # Whatever this machine's own settings say, the demo's archive is a file of its own.
    city = [*program(), "city", "--state", str(state / "city"), "--port", str(city_port)]
    city += ["--database", ""]
    kiosk = [*run, "--state", str(state / "kiosk"), "--port", str(kiosk_port)]
    kiosk += ["--city", f"http://{HOST}:{city_port}"]
    return [Part("city", city_port, city), Part("kiosk", kiosk_port, kiosk)]


def must_be_free(part: Part) -> None:
    """See that a part can have its port. Raises `PortError`."""
    if part.port == 0:
        raise PortError(f"the demo's {part.name} needs a port with a number: 0 is any")
    try:
        listen(HOST, part.port).close()
    except PortError as error:
        variable = f"{part.name.upper()}_PORT"
        raise PortError(f"{error}; `make run {variable}=NUMBER` takes another one") from None


def program() -> list[str]:
    """Name the command that we are."""
    script = Path(sys.executable).with_name("angsila")
    return [near(script)] if script.exists() else [sys.executable, "-m", "edge"]


def near(path: Path) -> str:
    """Write a path as short as it works from here."""
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else str(path)


def say(line: str) -> None:
    """Print a line at once, also into a pipe."""
    print(line, flush=True)  # noqa: T201 # a demo talks to the person who started it
