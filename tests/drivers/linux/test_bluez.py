import asyncio
import gc
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from drivers.errors import BusError
from drivers.linux import fake_bluez as fake
from drivers.linux.ble import advert_of, nearby
from drivers.linux.ble_sensor import PATTERNS
from drivers.linux.bluez import BlueZRadio, Heard
from drivers.linux.fake_bluez import FakeBlueZ
from tests.private_bus import fake_bluez, private_bus
from tests.waiting import until

ADDRESS = "54:48:E6:8F:80:A5"
UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
PAYLOAD = bytes.fromhex("4002ca0903bf13")


class Listener:
    """Remembers what a radio told."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Heard]] = []
        self._came = asyncio.Event()

    def __call__(self, address: str, advert: Heard) -> None:
        """Take an advertisement."""
        self.heard.append((address, advert))
        self._came.set()

    async def next(self) -> tuple[str, Heard]:
        """Wait for an advertisement."""
        async with asyncio.timeout(10):
            while not self.heard:
                self._came.clear()
                await self._came.wait()
        return self.heard.pop(0)


@pytest.fixture
async def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """A bus that the process takes for the system's."""
    async with private_bus(tmp_path) as address:
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
        yield address


@pytest.fixture
async def bluez(bus: str) -> AsyncIterator[FakeBlueZ]:
    """A bluetoothd with an adapter."""
    async with fake_bluez(bus) as made:
        yield made


@pytest.fixture
async def radio(bus: str) -> AsyncIterator[BlueZRadio]:
    """The radio of the kiosk, on that bus."""
    del bus
    made = BlueZRadio(off_s=0)
    yield made
    await made.close()


async def test_a_passive_scan_listens_for_the_patterns(bluez: FakeBlueZ, radio: BlueZRadio) -> None:
    """Where BlueZ has monitors, no sensor is asked anything, and payloads arrive as sent."""
    listener = Listener()

    assert await radio.start(listener, PATTERNS["bthome"]) == "passive"
    patterns = await bluez.patterns()
    assert await bluez.advertise(ADDRESS, name="ATC", service_data={UUID: PAYLOAD})
    address, heard = await listener.next()
    advert = advert_of(address, heard)
    await radio.stop()

    assert [list(one) for one in patterns] == [
        [0, 0x16, uuid] for uuid in (b"\xd2\xfc", b"\x1e\x18", b"\x1c\x18")
    ]
    assert (advert.address, advert.name, advert.rssi) == (ADDRESS, "ATC", -60)
    assert advert.service_data == {0xFCD2: PAYLOAD}
    assert "StartDiscovery" not in bluez.calls
    assert not bluez.monitors


async def test_an_old_bluez_scans_actively(bus: str, radio: BlueZRadio) -> None:
    """Without monitors the scan is active, and hears as much."""
    listener = Listener()
    async with fake_bluez(bus, has_monitors=False) as bluez:
        assert await radio.start(listener, PATTERNS["bthome"]) == "active"
        assert await bluez.advertise(ADDRESS, manufacturer_data={0x0499: b"\x05abc"})
        address, heard = await listener.next()
        await radio.stop()

        assert (address, dict(heard.manufacturer_data)) == (ADDRESS, {0x0499: b"\x05abc"})
        assert not bluez.scanning


async def test_a_repeated_picture_is_told_again(bluez: FakeBlueZ, radio: BlueZRadio) -> None:
    """BlueZ tells all it ever gathered whenever the loudness changes: a call is no news."""
    listener = Listener()
    await radio.start(listener, ())
    await bluez.advertise(ADDRESS, manufacturer_data={0x0499: b"\x05abc"})
    await bluez.advertise(ADDRESS, service_data={UUID: PAYLOAD})
    await bluez.advertise(ADDRESS, rssi=-71)
    heard = [advert_of(*await listener.next()) for _ in range(3)]
    await bluez.advertise(ADDRESS, rssi=-70)
    await listener.next()
    await radio.forget(ADDRESS)
    await bluez.advertise(ADDRESS, service_data={UUID: PAYLOAD})
    fresh = advert_of(*await listener.next())
    await radio.stop()

    assert [one.rssi for one in heard] == [-60, -60, -71]
    assert heard[2].manufacturer_data == {0x0499: b"\x05abc"}
    assert heard[2].service_data == {0xFCD2: PAYLOAD}
    assert fresh.manufacturer_data == {}  # Forgotten, it begins anew.


async def test_an_adapter_that_is_off_is_switched_on(bluez: FakeBlueZ, radio: BlueZRadio) -> None:
    """A kiosk needs no technician to press a button for Bluetooth."""
    bluez.is_powered = False

    await radio.start(Listener(), ())
    await radio.check()

    assert bluez.is_powered
    await radio.stop()


async def test_an_unplugged_adapter_is_absent_until_it_is_back(
    bluez: FakeBlueZ, radio: BlueZRadio
) -> None:
    """Check, start and stop say so; plugged in again, the next start hears."""
    listener = Listener()
    await radio.start(listener, PATTERNS["bthome"])
    await bluez.unplug()
    for call in (radio.check(), radio.start(listener, ())):
        with pytest.raises(BusError) as caught:
            await call
        assert caught.value.quality == "absent"
    with pytest.raises(BusError, match="cannot be stopped"):
        await radio.stop()
    await bluez.plug()

    await radio.start(listener, PATTERNS["bthome"])
    await bluez.advertise(ADDRESS, service_data={UUID: PAYLOAD})

    assert (await listener.next())[0] == ADDRESS
    await radio.stop()


async def test_a_restart_of_bluetoothd_is_noticed(bluez: FakeBlueZ, radio: BlueZRadio) -> None:
    """The new one knows nothing of our scan, although the adapter is there and on."""
    listener = Listener()
    await radio.start(listener, PATTERNS["bthome"])
    await bluez.stop()
    with pytest.raises(BusError) as caught:
        await radio.check()
    assert caught.value.quality == "absent"
    await bluez.start()
    with pytest.raises(BusError, match="started anew"):
        await radio.check()
    with pytest.raises(BusError):
        await radio.stop()

    await radio.start(listener, PATTERNS["bthome"])
    await bluez.advertise(ADDRESS, service_data={UUID: PAYLOAD})

    assert (await listener.next())[0] == ADDRESS
    await radio.stop()


async def test_a_stop_in_progress_leaves_no_scan(bluez: FakeBlueZ, radio: BlueZRadio) -> None:
    """BlueZ's own race while stopping is got over, and the next scan works."""
    listener = Listener()
    await radio.start(listener, ())
    bluez.failing["StopDiscovery"] = [fake.IN_PROGRESS]
    await radio.stop()
    assert not bluez.scanning
    await radio.start(listener, ())
    bluez.failing["StopDiscovery"] = [fake.IN_PROGRESS, fake.IN_PROGRESS]
    with pytest.raises(BusError, match="InProgress"):
        await radio.stop()
    await radio.power_cycle()

    await radio.start(listener, ())
    await bluez.advertise(ADDRESS)

    assert (await listener.next())[0] == ADDRESS
    await radio.stop()


async def test_the_power_cycle_switches_off_and_on(bluez: FakeBlueZ, radio: BlueZRadio) -> None:
    """What only a power cycle heals is healed by it."""
    await radio.start(Listener(), ())
    bluez.deaf_until = "power"

    await radio.power_cycle()

    assert (bluez.is_powered, bluez.deaf_until) == (True, "")
    assert bluez.calls.count("Set") == 2


async def test_a_machine_without_an_adapter_or_bus(
    bluez: FakeBlueZ, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is missing is said: the adapter by its name, bluetoothd, or D-Bus itself."""
    for radio, words in (
        (BlueZRadio("hci7"), "no Bluetooth adapter hci7; there: hci0"),
        (BlueZRadio(), "GetManagedObjects on /"),
    ):
        with pytest.raises(BusError, match=words) as caught:
            await radio.start(Listener(), ())
        assert caught.value.quality == "absent"
        await radio.close()
        await bluez.stop()
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nowhere/bus")
    with pytest.raises(BusError, match="no D-Bus"):
        await BlueZRadio().start(Listener(), ())


async def test_a_technician_sees_what_is_nearby(bluez: FakeBlueZ) -> None:
    """On the true wire: the sensor that nobody configured is listed, the phone beside it is not."""
    seen = asyncio.Event()

    async def air() -> None:
        await until(lambda: bluez.is_listening)
        await bluez.advertise(ADDRESS, name="ATC", service_data={UUID: PAYLOAD})
        await bluez.advertise("AA:BB:CC:DD:EE:FF", manufacturer_data={0x004C: b"\x10\x05"})
        await bluez.settle()
        seen.set()

    async with asyncio.TaskGroup() as group:
        listing = group.create_task(nearby(0.5))
        group.create_task(air())
    (found,) = listing.result()

    assert seen.is_set()
    assert (found.kind, found.address, found.name) == ("bthome", ADDRESS, "ATC")
    assert found.values == {"air_temperature": 25.06, "relative_humidity": 50.55}
    assert not bluez.scanning


async def test_a_bluetoothd_that_hangs_costs_a_timeout(
    bluez: FakeBlueZ, radio: BlueZRadio, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A call that is never answered ends by our own limit."""
    await radio.start(Listener(), ())
    await radio.stop()
    monkeypatch.setattr("drivers.linux.bluez.CALL_MAX_S", 0.05)
    monkeypatch.setattr("drivers.linux.bluez.START_MAX_S", 0.05)
    bluez.hanging = {"StartDiscovery", "Get"}
    with pytest.raises(BusError) as caught:
        await radio.check()
    assert caught.value.fault == "timeout"
    bluez.hanging = {"StartDiscovery"}
    with pytest.raises(BusError) as caught:
        await radio.start(Listener(), ())
    assert caught.value.fault == "timeout"


async def test_a_bus_that_was_restarted_is_connected_to_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When D-Bus itself goes, everything on it goes; a new start needs no new process."""
    # bleak writes its goodbye to the dead connection, and nobody looks at what came of it.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    radio, listener = BlueZRadio(), Listener()
    async with private_bus(tmp_path) as bus, fake_bluez(bus):
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", bus.partition(",")[0])
        await radio.start(listener, PATTERNS["bthome"])
    with pytest.raises(BusError) as caught:
        await radio.check()
    assert caught.value.quality == "absent"
    with pytest.raises(BusError):
        await radio.stop()

    async with private_bus(tmp_path) as bus, fake_bluez(bus) as bluez:
        await radio.start(listener, PATTERNS["bthome"])
        await bluez.advertise(ADDRESS, service_data={UUID: PAYLOAD})
        assert (await listener.next())[0] == ADDRESS
        await radio.stop()
    await radio.close()
    gc.collect()
