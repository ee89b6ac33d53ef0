"""The program in the virtual machine: real kernel interfaces, a real kiosk, and checks.

Each check is one line of the console; see checks.py. Nothing of it is simulated for our sake but
the chips' registers and what is in the air.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from drivers.bme280 import REG_ID
from tests.private_bus import private_bus
from tests.vm.checks import END, Check, as_line, at_most, compared
from tests.vm.chips import POINTS, TRIMS, picture
from tests.vm.guest_air import (
    ADDRESS,
    CALM_S,
    CROWD,
    KEY,
    START_S,
    TAG,
    Air,
    Bluetoothd,
    controller,
)
from tests.vm.guest_i2c import Stub, find_stub, oracle_checks, wrong_chip_checks
from tests.waiting import Process, angsila, get, until

FOLDER = Path("/run/vm")
PORT = 8080
URL = f"http://127.0.0.1:{PORT}"
RESUMES_MAX_S = 120.0
KIOSK_CHIP = 0x76
SOLD = "a chip that was sold"
LOG_TAIL_LINES = 60
SETTINGS = """
[kiosk]
id = "vm"
[journal]
commit_s = 1
[bluetooth]
silence_s = {silence_s}
[[sensor]]
name = "deck"
driver = "bthome"
address = "{address}"
key = "{key}"
quantities = "air_temperature"
period_s = 1
[[sensor]]
name = "tag"
driver = "ruuvitag"
address = "{tag}"
quantities = "air_temperature relative_humidity pressure"
period_s = 1
[[sensor]]
name = "air"
driver = "bme280"
bus = {bus}
period_s = 1
[[sensor]]
name = "hall"
driver = "sht4x"
bus = {bus}
period_s = 1
[[sensor]]
name = "gone"
driver = "veml7700"
bus = {bus}
period_s = 1
"""


def tell(check: Check) -> None:
    """Tell the host of a check, at once."""
    print(as_line(check), flush=True)  # noqa: T201  The console is the wire.


class Kiosk(NamedTuple):
    """The kiosk, and all that is around it."""

    process: Process
    air: Air
    bluetoothd: Bluetoothd
    stub: Stub
    bus_address: str


def now() -> dict[str, tuple[Any, str]]:
    """What the screen shows: stream → value and quality."""
    rows = (get(f"{URL}/api/now") or {"readings": []})["readings"]
    return {row["stream"]: (row["value"], row["quality"]) for row in rows}


def health(name: str) -> Any:
    """A part of /health."""
    return (get(f"{URL}/health") or {}).get(name, {})


async def shows(stream: str, value: object, quality: str, limit_s: float = CALM_S) -> float:
    """Wait until the screen shows it; how long that took. Ends at the limit without a word."""
    start_s = time.monotonic()

    def look() -> bool:
        found = now().get(stream)
        return found is not None and found[1] == quality and value in (found[0], ...)

    try:
        await until(look, limit_s)
    except TimeoutError:
        return limit_s + time.monotonic() - start_s
    return time.monotonic() - start_s


WANTED_OF_SCAN = {"0x76": "bme280", "0x44": "sht4x", ADDRESS: "bthome", TAG: "ruuvitag"}


@asynccontextmanager
async def kiosk_on_the_air() -> AsyncIterator[Kiosk]:
    """Run the controller, bluetoothd and a kiosk during the block."""
    stub = find_stub()
    stub.write(KIOSK_CHIP, picture(TRIMS[SOLD], POINTS[SOLD]["a market day"]))
    key = bytes(16) if os.environ.get("FAULT") == "key" else KEY
    settings = FOLDER / "kiosk.toml"
    settings.write_text(
        SETTINGS.format(
            silence_s=os.environ["VM_SILENCE_S"],
            address=ADDRESS,
            key=key.hex(),
            tag=TAG,
            bus=stub.number,
        )
    )
    command = ("run", "--config", settings, "--state", FOLDER / "kiosk", "--port", str(PORT))
    async with private_bus(FOLDER) as bus_address:
        bluetoothd = Bluetoothd(FOLDER, bus_address)
        bluetoothd.start()
        # The adapter is plugged in while the kiosk starts: both take their time.
        async with (
            angsila(*command, DBUS_SYSTEM_BUS_ADDRESS=bus_address) as process,
            controller(FOLDER) as air,
        ):
            await air.fill()
            await air.measure(27.5)
            try:
                yield Kiosk(process, air, bluetoothd, stub, bus_address)
            finally:
                bluetoothd.crash()


async def values_arrive(_: Kiosk) -> None:
    """Everything in the air and on the bus that is ours is shown, and said if it cannot be."""
    await until(lambda: health("bluetooth").get("scans"), START_S)
    for stream, value in (
        ("deck/air_temperature", 27.5),
        ("tag/air_temperature", 24.3),
        ("tag/relative_humidity", 53.5),
        ("tag/pressure", 1000.44),
        ("air/air_temperature", 27.91),
        ("air/pressure", 987.5),
        ("air/relative_humidity", 92.0),
    ):
        await shows(stream, value, "ok")
        tell(compared(f"/api/now {stream}", now().get(stream), (value, "ok")))
    for name, words in (("hall", "only speaks SMBus"), ("gone", "I2C 0x10")):
        found = await until(partial(said_of, name), CALM_S)
        is_said = words in found
        tell(Check(f"/health says of {name}", words if is_said else found, words, is_said))
    tell(compared("the scan is", health("bluetooth")["mode"], "passive"))


def said_of(name: str) -> str:
    """Why a sensor has failed, as the technician reads it."""
    for sensor in health("sensors") or ():
        if sensor["name"] == name:
            return str(sensor["why"] or "")
    return ""


async def scanned(kiosk: Kiosk) -> None:
    """`angsila scan` finds the chips and the sensors beside the kiosk that goes on."""
    async with angsila("scan", "--json", DBUS_SYSTEM_BUS_ADDRESS=kiosk.bus_address) as process:
        status, output = await process.ended(CALM_S)
    rows = json.loads(output)["found"] if status == 0 else []
    found = {row["place"]: tuple(row["kinds"]) for row in rows}
    for place, kind in WANTED_OF_SCAN.items():
        kinds = found.get(place, ())
        tell(Check(f"angsila scan {place}", " or ".join(kinds), kind, kind in kinds))
    tell(compared("chips that the scan finds", sum(place.startswith("0x") for place in found), 3))


async def another_chip(kiosk: Kiosk) -> None:
    """A chip that is changed for another model is called so, and the right one is believed."""
    registers = picture(TRIMS[SOLD], POINTS[SOLD]["a market day"])
    kiosk.stub.write(KIOSK_CHIP, registers | {REG_ID: 0x61} | SKIPPED)
    await shows("air/air_temperature", None, "wrong_chip")
    tell(compared("another chip in its place", now()["air/air_temperature"], (None, "wrong_chip")))
    kiosk.stub.write(KIOSK_CHIP, registers)
    await shows("air/air_temperature", 27.91, "ok")
    tell(compared("the right chip again", now()["air/air_temperature"], (27.91, "ok")))


# What the output registers hold in a chip that has not measured; so the driver starts it again.
SKIPPED = dict(enumerate(bytes.fromhex("8000008000008000"), 0xF7))


async def restarted(kiosk: Kiosk) -> None:
    """A bluetoothd that crashes and is started again costs less than two minutes."""
    start_s = time.monotonic()
    kiosk.bluetoothd.crash()
    await shows("deck/air_temperature", None, "absent")
    tell(compared("without bluetoothd", now()["deck/air_temperature"], (None, "absent")))
    kiosk.bluetoothd.start()
    await kiosk.air.measure(28.5)
    await shows("deck/air_temperature", 28.5, "ok", RESUMES_MAX_S)
    tell(at_most("resumes after a crash of bluetoothd", time.monotonic() - start_s, RESUMES_MAX_S))


async def deaf(kiosk: Kiosk, meanwhile: Callable[[], Any]) -> None:
    """A controller that hears nothing any more is healed by the ladder within two minutes."""
    scans = health("bluetooth")["scans"]
    start_s = time.monotonic()
    await kiosk.air.deafen(for_ever=os.environ.get("FAULT") == "deaf")
    await kiosk.air.measure(29.5)
    await meanwhile()
    await shows("deck/air_temperature", 29.5, "ok", RESUMES_MAX_S + start_s - time.monotonic())
    took_s = time.monotonic() - start_s
    note = f", silence_s {os.environ['VM_SILENCE_S']}"
    tell(at_most("resumes after a deaf controller", took_s, RESUMES_MAX_S, note))
    figures = health("bluetooth")
    tell(compared("scans begun anew", figures["scans"] > scans, True))
    cycles = figures["power_cycles"]
    tell(Check("power cycles", str(cycles), "1 or more", cycles > 0))


async def ended(kiosk: Kiosk) -> None:
    """The service ends cleanly, and of the crowd nothing is kept."""
    figures = health("bluetooth")
    tell(compared("sensors that are listened to", figures["sensors"], 2))
    heard = figures["adverts"]
    tell(Check("adverts heard", str(heard), f"{CROWD} or more", heard >= CROWD))
    status, output = await kiosk.process.end(limit_s=CALM_S)
    (FOLDER / "kiosk.log").write_text(output)
    tell(compared("the kiosk ends with status", status, 0))
    kept = [path.read_bytes() for path in (FOLDER / "kiosk").rglob("*") if path.is_file()]
    traces = [word for word in (b"AA:BB:CC", b"Phone of") if any(word in one for one in kept)]
    traces += [word for word in (b"AA:BB:CC", b"Phone of") if word in output.encode()]
    tell(compared("traces of the crowd", len(traces), 0))


async def check_all() -> None:
    """Go through everything, one after the other."""
    async with kiosk_on_the_air() as kiosk:
        await values_arrive(kiosk)
        await scanned(kiosk)
        await another_chip(kiosk)
        await restarted(kiosk)

        async def oracle() -> None:
            for check in await oracle_checks(kiosk.stub) + await wrong_chip_checks(kiosk.stub):
                tell(check)

        await deaf(kiosk, oracle)
        await ended(kiosk)


def tell_logs() -> None:
    """The ends of all logs, for the host's own."""
    for path in sorted(FOLDER.glob("*.log")):
        lines = path.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        print(f"--- {path.name}", *lines, sep="\n", flush=True)  # noqa: T201  The console again.


def main() -> None:
    """Check, and say that it was the end."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    try:
        asyncio.run(check_all())
        print(END, flush=True)  # noqa: T201  As above.
    finally:
        tell_logs()


if __name__ == "__main__":
    main()
