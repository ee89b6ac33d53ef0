"""The Bluetooth half of the checks: bumble's controller, the real bluetoothd, and a crowd."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

from drivers import bthome
from tests.waiting import until

ADDRESS = "54:48:E6:8F:80:A5"
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
TAG = "CB:B8:33:4C:88:4F"
# Example of Ruuvi's documentation, data format 5: 24.3 °C, 53.49 %, 1000.44 hPa.
TAG_PAYLOAD = bytes.fromhex("0512fc5394c37c0004fffc040cac364200cdcbb8334c884f")
CROWD = 12
FLAGS = b"\x02\x01\x06"
START_S = 180.0  # A large program, on an emulated processor of a busy machine.
CALM_S = 60.0  # For what takes a second on a machine with nothing else to do.


def part(kind: int, content: bytes) -> bytes:
    """One part of an advertisement (Bluetooth Core 5.4, volume 3, part C, section 11)."""
    return bytes([len(content) + 1, kind]) + content


def sealed(celsius: float, counter: int) -> bytes:
    """What our node broadcasts: BTHome v2, sealed."""
    objects = bthome.encode(0x02, celsius)
    payload = bthome.sealed_v2(objects, bytes.fromhex(ADDRESS.replace(":", "")), counter, KEY)
    return FLAGS + part(0x16, bthome.V2.to_bytes(2, "little") + payload)


def stranger(number: int) -> tuple[str, bytes]:
    """One of the crowd: every other a phone, every other somebody's own open BTHome sensor."""
    address = f"AA:BB:CC:00:00:{number:02X}"
    if number % 2:
        objects = b"\x40" + bthome.encode(0x02, number)
        return address, FLAGS + part(0x16, bthome.V2.to_bytes(2, "little") + objects)
    beacon = bytes.fromhex("4c001005") + bytes([number] * 5)
    return address, FLAGS + part(0xFF, beacon) + part(0x09, b"Phone of %d" % number)


class Air:
    """What is broadcast around the kiosk."""

    def __init__(self, lines: asyncio.StreamWriter) -> None:
        self._lines = lines
        self._counter = 0

    async def fill(self) -> None:
        """Let the tag and the crowd broadcast, from now on."""
        await self._broadcast(TAG, FLAGS + part(0xFF, b"\x99\x04" + TAG_PAYLOAD))
        for address, payload in map(stranger, range(CROWD)):
            await self._broadcast(address, payload)

    async def measure(self, celsius: float) -> None:
        """Let our own sensor broadcast something new."""
        self._counter += 1
        await self._broadcast(ADDRESS, sealed(celsius, self._counter))

    async def deafen(self, *, for_ever: bool) -> None:
        """Let the controller hear nothing until it is reset."""
        await self._tell({"deaf": True, "for ever": for_ever})

    async def _broadcast(self, address: str, payload: bytes) -> None:
        await self._tell({"address": address, "payload": payload.hex()})

    async def _tell(self, what: dict[str, Any]) -> None:
        self._lines.write(json.dumps(what).encode() + b"\n")
        await self._lines.drain()


@asynccontextmanager
async def controller(folder: Path) -> AsyncIterator[Air]:
    """Run the controller during the block."""
    said = folder / "air.log"
    with said.open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(os.environ["VM_BUMBLE_PYTHON"], "tests/vm/air.py"),
            stdin=asyncio.subprocess.PIPE,
            stdout=log,
            stderr=log,
        )
        try:
            await until(lambda: "there" in said.read_text(), START_S)
            if process.stdin is None:
                raise AssertionError("it cannot be told anything")
            yield Air(process.stdin)
        finally:
            process.kill()
            await process.wait()


class Bluetoothd:
    """The real one, unpacked and not installed."""

    def __init__(self, folder: Path, bus_address: str) -> None:
        self._log = folder / "bluetoothd.log"
        self._environment = {**os.environ, "DBUS_SYSTEM_BUS_ADDRESS": bus_address}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, as systemd would."""
        program = f"{os.environ['VM_DEBIAN']}/usr/libexec/bluetooth/bluetoothd"
        command = [program, "--nodetach", "--experimental"]
        log: IO[bytes]
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=self._environment)

    def crash(self) -> None:
        """Let it end without a word to anybody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
