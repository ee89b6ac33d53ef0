import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from drivers import bthome
from drivers.linux import fake_bluez as fake
from drivers.linux.fake_bluez import FakeBlueZ
from drivers.reading import QUALITIES
from sync import wire
from tests.edge.archive import fetched
from tests.edge.town import town
from tests.private_bus import fake_bluez, private_bus
from tests.waiting import Process, angsila, free_port, get, until

ADDRESS = "54:48:E6:8F:80:A5"
RAW_ADDRESS = bytes.fromhex("5448E68F80A5")
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
SETTINGS = """
[kiosk]
id = "air"
[journal]
commit_s = 0.5
segment_s = 1
[bluetooth]
silence_s = {silence_s}
helper = "/usr/bin/touch {folder}/helped"
[[sensor]]
name = "deck"
driver = "bthome"
address = "{address}"
key = "{key}"
quantities = "air_temperature"
period_s = 0.1
"""


class Pier:
    """A kiosk with a Bluetooth sensor, and the air between the two."""

    def __init__(self, bluez: FakeBlueZ, kiosk: Process, url: str, folder: Path) -> None:
        self.bluez = bluez
        self.kiosk = kiosk
        self.url = url
        self.folder = folder
        self.counter = 0

    async def send(self, celsius: float, *, counter: int | None = None, key: bytes = KEY) -> None:
        """Broadcast a temperature, once there is somebody who listens."""
        self.counter = self.counter + 1 if counter is None else counter
        objects = bthome.encode(0x02, celsius)
        payload = bthome.sealed_v2(objects, RAW_ADDRESS, self.counter, key)
        while not await self.bluez.advertise(ADDRESS, service_data={UUID: payload}):
            await until(lambda: self.bluez.is_listening)

    async def shows(self, value: float | None, quality: str) -> None:
        """Wait until /api/now says so."""

        def said() -> bool:
            readings = (get(f"{self.url}/api/now") or {}).get("readings", ())
            found = {reading["stream"]: reading for reading in readings}.get(
                "deck/air_temperature", {}
            )
            return (found.get("value"), found.get("quality")) == (value, quality)

        await until(said)

    async def comes_back(self, celsius: float) -> None:
        """Broadcast until it shows: what was sent while nobody could hear is gone."""

        def shown() -> bool:
            readings = (get(f"{self.url}/api/now") or {}).get("readings", ())
            return any(reading["value"] == celsius for reading in readings)

        async with asyncio.timeout(60):
            while True:
                await self.send(celsius)
                try:
                    await until(shown, limit_s=1)
                except TimeoutError:
                    continue
                return

    async def sensor(self) -> dict[str, Any]:
        """What /health says about the sensor, once its trouble is more than one bad frame."""

        def failed() -> dict[str, Any] | None:
            sensors = (get(f"{self.url}/health") or {}).get("sensors", [{}])
            return sensors[0] if sensors[0].get("state") == "failed" else None

        found: dict[str, Any] = await until(failed)
        return found


@asynccontextmanager
async def pier(
    folder: Path, *, silence_s: float = 90, key: str = KEY.hex(), city: str = ""
) -> AsyncIterator[Pier]:
    """Run a kiosk with one Bluetooth sensor, on a bus of its own."""
    config = folder / "kiosk.toml"
    config.write_text(SETTINGS.format(silence_s=silence_s, folder=folder, address=ADDRESS, key=key))
    port = free_port()
    where = ("run", "--config", config, "--state", folder / "kiosk", "--port", str(port))
    further = ("--city", city) if city else ()
    async with (
        private_bus(folder) as bus,
        fake_bluez(bus) as bluez,
        angsila(*where, *further, DBUS_SYSTEM_BUS_ADDRESS=bus) as kiosk,
    ):
        yield Pier(bluez, kiosk, f"http://127.0.0.1:{port}", folder)


async def test_an_adapter_that_is_pulled_and_put_back(tmp_path: Path) -> None:
    """The value goes as absent, /health says what is missing, and it comes back by itself."""
    async with pier(tmp_path) as one:
        await one.send(27.5)
        await one.shows(27.5, "ok")

        await one.bluez.unplug()
        await one.shows(None, "absent")
        sensor = await one.sensor()
        await one.bluez.plug()
        await one.comes_back(28.5)

        health = get(f"{one.url}/health")
        status, output = await one.kiosk.end()
    assert "adapter" in sensor["why"] or "hci0" in sensor["why"]
    assert health["bluetooth"]["state"] == "ok"
    assert status == 0
    assert output.count("deck failed") == output.count("deck is back") == 1


async def test_a_bluetoothd_that_crashes_and_comes_back(tmp_path: Path) -> None:
    """The scan that died with it is begun anew, and a replay from before is still one."""
    async with pier(tmp_path) as one:
        await one.send(27.5)
        await one.shows(27.5, "ok")
        recorded = one.counter

        await one.bluez.stop()
        await one.shows(None, "absent")
        await one.bluez.start()
        await one.comes_back(28.5)

        await one.send(27.5, counter=recorded)
        await one.shows(None, "stale")


async def test_a_radio_that_goes_deaf_is_healed_by_the_ladder(tmp_path: Path) -> None:
    """Scan, power and helper are tried in turn; the last one helps, and all of it is said."""
    async with pier(tmp_path, silence_s=2) as one:
        await one.send(27.5)
        await one.shows(27.5, "ok")

        one.bluez.deaf_until = "bluetoothd"
        await one.shows(None, "no_data")
        await until((tmp_path / "helped").exists)
        figures = get(f"{one.url}/health")["bluetooth"]
        await one.bluez.stop()
        await one.bluez.start()
        await one.comes_back(28.5)

    assert figures["state"] == "silent"
    assert (figures["power_cycles"], figures["helper_runs"]) == (1, 1)
    assert figures["scans"] >= 3


async def test_a_stop_in_progress_does_not_end_the_scanning(tmp_path: Path) -> None:
    """BlueZ's race while a scan is stopped costs nothing but the step."""
    async with pier(tmp_path, silence_s=1) as one:
        one.bluez.has_monitors = False
        one.bluez.failing["StopDiscovery"] = [fake.IN_PROGRESS] * 3
        await one.send(27.5)
        await one.shows(27.5, "ok")
        one.bluez.deaf_until = "scan"
        await one.shows(None, "no_data")
        await one.comes_back(28.5)


async def test_a_bluetoothd_that_hangs_does_not_hold_up_the_end(tmp_path: Path) -> None:
    """The service ends in time, whatever is not answered."""
    async with pier(tmp_path) as one:
        await one.send(27.5)
        await one.shows(27.5, "ok")
        one.bluez.hanging = {"UnregisterMonitor", "StopDiscovery", "Get", "GetManagedObjects"}

        status, _ = await one.kiosk.end(limit_s=5)

    assert status == 0


async def test_what_bluez_repeats_is_no_reading(tmp_path: Path) -> None:
    """A sensor that comes nearer and goes away has measured once."""
    async with pier(tmp_path) as one:
        await one.send(27.5)
        await one.shows(27.5, "ok")
        for rssi in range(-70, -60):
            await one.bluez.advertise(ADDRESS, rssi=rssi)
        await one.send(28.5)
        await one.shows(28.5, "ok")

        assert get(f"{one.url}/health")["sensors"][0]["readings"] == 2


@pytest.mark.parametrize("key", ["", "00" * 16])
async def test_a_key_that_is_missing_or_wrong_is_said(tmp_path: Path, key: str) -> None:
    """The address and what is wrong stand in /health and once in the log, and no value shows."""
    async with pier(tmp_path, key=key) as one:
        await one.send(27.5)
        await one.shows(None, "io")
        sensor = await one.sensor()
        await one.send(27.6)
        status, output = await one.kiosk.end()

    assert ADDRESS in sensor["why"]
    assert "key" in sensor["why"]
    assert status == 0
    assert output.count("deck failed") == 1


async def test_strangers_leave_no_trace(tmp_path: Path) -> None:
    """Of a hundred phones and sensors of others, nothing is in the journal, /health or the log."""
    async with pier(tmp_path) as one:
        await one.send(27.5)
        await one.shows(27.5, "ok")
        for number in range(100):
            payload = bthome.encode(0x02, number / 10)
            await one.bluez.advertise(
                f"AA:BB:CC:00:00:{number:02X}",
                name=f"Phone of {number}",
                service_data={UUID: b"\x40" + payload},
            )
        await one.send(28.5)
        await one.shows(28.5, "ok")
        health = get(f"{one.url}/health")
        now = get(f"{one.url}/api/now")
        _, output = await one.kiosk.end()

    assert health["bluetooth"]["sensors"] == 1
    assert [reading["stream"] for reading in now["readings"]] == ["deck/air_temperature"]
    kept = [path.read_bytes() for path in (tmp_path / "kiosk").rglob("*") if path.is_file()]
    for trace in ("AA:BB:CC", "Phone of"):
        assert trace not in output
        assert not any(trace.encode() in one for one in kept)


async def test_an_outage_is_told_to_the_city(tmp_path: Path) -> None:
    """Readings, the gap with its quality, and what happened to the radio arrive there."""
    async with town(tmp_path / "city") as city, pier(tmp_path, city=city.url) as one:
        await city.enrol(tmp_path / "kiosk", "air")
        await one.send(27.5)
        await one.shows(27.5, "ok")
        await one.bluez.unplug()
        await one.shows(None, "absent")
        await one.bluez.plug()
        await one.comes_back(28.5)

        def all_there() -> tuple[list[str], list[str]] | None:
            qualities, states = at_city(city.url)
            return (qualities, states) if states[-1:] == ["ok"] and "ok" in qualities else None

        qualities, states = await until(all_there)

    assert "absent" in qualities
    assert states == ["absent", "ok"]


def at_city(url: str) -> tuple[list[str], list[str]]:
    """Every reading's quality at the city, and every state of Bluetooth that was reported."""
    qualities: list[str] = []
    states: list[str] = []
    kiosks = (get(f"{url}/v1/fleet") or {}).get("kiosks", ())
    for lane in (lane for kiosk in kiosks for lane in kiosk["lanes"]):
        query = f"kiosk=air&lane={lane['lane']}&epoch={lane['epoch']}"
        bodies = wire.parse_upload(fetched(f"{url}/v1/segments?{query}")).segments
        for segment in map(wire.decode_segment, bodies):
            if lane["lane"] == "readings":
                qualities += [QUALITIES[row.quality] for row in wire.segment_rows(segment)]
            elif lane["lane"] == "events":
                said = [event.body for event in wire.segment_events(segment)]
                states += [one["state"] for one in said if one.get("part") == "bluetooth"]
    return qualities, states
