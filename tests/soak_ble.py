"""A market crowd before a kiosk's Bluetooth: what it costs in memory, writes and processor time.

`make soak-ble HOURS=24` lets 5,000 strangers an hour walk by, each with an address of its own,
as fast as D-Bus carries them; the kiosk is the one that is installed, with bleak and a real bus.
"""

import asyncio
import os
import random
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from drivers import bthome
from drivers.linux.fake_bluez import FakeBlueZ
from tests.private_bus import fake_bluez, private_bus
from tests.waiting import angsila, free_port, get, until

STRANGERS_PER_HOUR = 5_000
# BlueZ forgets who was not heard for 30 s: of 5,000 an hour it knows about 42 at a time.
KNOWN_MAX = 42
SETTLE_EVERY = 20
ADDRESS = "54:48:E6:8F:80:A5"
UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
SETTINGS = f"""
[journal]
commit_s = 0.5
[[sensor]]
name = "deck"
driver = "bthome"
address = "{ADDRESS}"
period_s = 0.2
"""


@dataclass(frozen=True)
class Hour:
    """What one hour of strangers did."""

    rss_kb: int
    written_bytes: int
    taken: int
    cpu_s: float
    heard: int


class Crowd:
    """A kiosk, and the strangers that walk by."""

    def __init__(self, bluez: FakeBlueZ, pid: int, url: str, seed: int = 1) -> None:
        self._bluez = bluez
        self._pid = pid
        self._url = url
        self._rng = random.Random(seed)  # noqa: S311 # seeded, no secret
        self._there: list[str] = []
        self._number = 0

    async def hear_ours(self) -> None:
        """Let the configured sensor speak until the kiosk has heard it."""
        celsius = self._number / 100
        before = self._now()["taken"]
        self._number += 1
        await until(lambda: self._bluez.is_listening)
        payload = b"\x40" + bthome.encode(0x00, self._number % 256) + bthome.encode(2, celsius)
        await self._bluez.advertise(ADDRESS, service_data={UUID: payload})
        await until(lambda: self._now()["taken"] > before)
        await until(lambda: self._now()["committed"] == self._now()["taken"])

    async def hour(self) -> Hour:
        """Let an hour of strangers walk by, and say what it cost."""
        written_bytes, cpu_s = self._written_bytes(), self._cpu_s()
        taken, heard = self._now()["taken"], self._heard()
        for number in range(STRANGERS_PER_HOUR):
            if number % SETTLE_EVERY == 0:
                await self._bluez.settle()
            address = self._rng.randbytes(6).hex(":").upper()
            await self._bluez.advertise(
                address,
                name=f"phone {self._rng.randrange(1000)}",
                rssi=-self._rng.randrange(40, 100),
                manufacturer_data={self._rng.randrange(2000): self._rng.randbytes(20)},
            )
            self._there.append(address)
            if len(self._there) > KNOWN_MAX:
                await self._bluez.forget(self._there.pop(0))
        await until(lambda: self._heard() >= heard + STRANGERS_PER_HOUR)
        found = Hour(
            self._rss_kb(),
            self._written_bytes() - written_bytes,
            self._now()["taken"] - taken,
            self._cpu_s() - cpu_s,
            self._heard() - heard,
        )
        await self.hear_ours()  # The kiosk has kept up: it hears what was sent behind the crowd.
        return found

    def traces(self, folder: Path) -> list[str]:
        """Files of the kiosk in which a stranger is found."""
        there = [address.encode() for address in self._there] + [b"phone "]
        return [
            str(path)
            for path in folder.rglob("*")
            if path.is_file() and any(one in path.read_bytes() for one in there)
        ]

    def _now(self) -> dict[str, int]:
        journal: dict[str, int] = (get(f"{self._url}/health") or {}).get("journal") or {
            "taken": 0,
            "committed": -1,
        }
        return journal

    def _heard(self) -> int:
        """How many adverts reached the kiosk, all the way through bleak."""
        return int(((get(f"{self._url}/health") or {}).get("bluetooth") or {}).get("adverts", 0))

    def _rss_kb(self) -> int:
        text = Path(f"/proc/{self._pid}/status").read_text()
        return int(text.partition("VmRSS:")[2].split()[0])

    def _written_bytes(self) -> int:
        text = Path(f"/proc/{self._pid}/io").read_text()
        return int(text.partition("\nwrite_bytes: ")[2].split()[0])

    def _cpu_s(self) -> float:
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@asynccontextmanager
async def crowd(folder: Path) -> AsyncIterator[Crowd]:
    """Run a kiosk with one Bluetooth sensor that it has heard."""
    config = folder / "kiosk.toml"
    config.write_text(SETTINGS)
    port = free_port()
    run = ("run", "--config", config, "--state", folder / "kiosk", "--port", str(port))
    async with (
        private_bus(folder) as bus,
        fake_bluez(bus) as bluez,
        angsila(*run, DBUS_SYSTEM_BUS_ADDRESS=bus) as kiosk,
    ):
        one = Crowd(bluez, kiosk.pid, f"http://127.0.0.1:{port}")
        await until(lambda: get(f"http://127.0.0.1:{port}/health"))
        await one.hear_ours()
        yield one


async def main(hours: int) -> None:
    """Print one line for each hour, and what it comes to."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with crowd(folder) as one:
            found = []
            for number in range(hours):
                found.append(await one.hour())
                print(f"hour {number + 1:2}: {found[-1]}", flush=True)
            traces = one.traces(folder / "kiosk")
    half = found[len(found) // 2 :]
    print(
        f"{hours * STRANGERS_PER_HOUR} strangers: RSS {found[0].rss_kb} → {found[-1].rss_kb} KB, "
        f"{half[-1].rss_kb - half[0].rss_kb} KB in the second half, "
        f"{sum(one.written_bytes for one in found)} bytes written, "
        f"{sum(one.taken for one in found)} readings, {len(traces)} files with a trace, "
        f"{sum(one.cpu_s for one in found) / hours / STRANGERS_PER_HOUR * 1e6:.0f} µs of CPU each"
    )


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 24))
