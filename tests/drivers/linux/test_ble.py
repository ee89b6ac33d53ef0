import asyncio
import gc
import logging
import random
import tracemalloc
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import pytest

from drivers import bthome
from drivers.errors import BusError
from drivers.linux.adverts import Advert
from drivers.linux.ble import (
    LOOK_S,
    NEARBY_MAX,
    SENSORS_MAX,
    Options,
    Scanner,
    nearby,
    recognized,
    run_command,
    shared,
)
from drivers.linux.ble_ladder import REBOOT_UPTIME_S
from drivers.linux.ble_sensor import BLESensor, Ear
from drivers.linux.bluez import OnAdvert, Pattern

ADDRESS = "54:48:E6:8F:80:A5"
UUID = "0000fcd2-0000-1000-8000-00805f9b34fb"
UPTIME_S = 2 * REBOOT_UPTIME_S


class Air:
    """An advertisement as bleak tells it."""

    def __init__(
        self,
        service_data: dict[str, bytes] | None = None,
        manufacturer_data: dict[int, bytes] | None = None,
        rssi: int = -60,
        local_name: str | None = None,
    ) -> None:
        self.local_name = local_name
        self.manufacturer_data = manufacturer_data or {}
        self.service_data = service_data or {}
        self.service_uuids: list[str] = []
        self.rssi = rssi


class World:
    """A radio, a clock and a shell that follow a script."""

    def __init__(self, sleeps: int = 10_000) -> None:
        self.now_s = 0.0
        self.sleeps = sleeps
        self.acts: list[tuple[float, str]] = []
        self.reports: list[str] = []
        self.at: dict[float, Callable[[], object]] = {}
        self.gone = ""  # Why the radio is absent.
        self.healed_by = ""  # What ends the silence.
        self.is_silent = False
        self.has_monitors = True
        self.on_advert: OnAdvert | None = None

    def clock(self) -> float:
        """Tell the time."""
        return self.now_s

    async def sleep(self, seconds: float) -> None:
        """Let the time pass; what is set for a moment happens in it."""
        self.now_s += seconds
        self.sleeps -= 1
        for at_s in [at_s for at_s in self.at if at_s <= self.now_s]:
            self.at.pop(at_s)()
        if self.on_advert is not None and not self.gone and not self.is_silent:
            self.on_advert("AA:00:00:00:00:01", Air())
        if not self.sleeps:
            raise asyncio.CancelledError
        await asyncio.sleep(0)

    async def start(self, on_advert: OnAdvert, patterns: Sequence[Pattern]) -> str:
        """Begin to scan."""
        if self.gone:
            raise BusError(self.gone, "absent")
        mode = "passive" if patterns and self.has_monitors else "active"
        self.act(mode)
        self.on_advert = on_advert
        return mode

    async def stop(self) -> None:
        """End the scan."""
        self.on_advert = None
        if self.gone:
            raise BusError("cannot be stopped")

    async def check(self) -> None:
        """See that the radio is there."""
        if self.gone:
            raise BusError(self.gone, "absent")

    async def power_cycle(self) -> None:
        """Switch off and on."""
        self.act("power")

    async def forget(self, address: str) -> None:
        """Forget a device."""
        self.act(f"forget {address}")

    async def close(self) -> None:
        """Give everything back."""
        self.act("close")

    async def command(self, command: str) -> None:
        """Run a command."""
        self.act(command)

    def act(self, what: str) -> None:
        """Note what was done, and be healed by it if it is what heals."""
        self.acts.append((self.now_s, what))
        if what == self.healed_by:
            self.is_silent = False
            self.gone = ""

    def done(self) -> list[str]:
        """What was done."""
        return [what for _, what in self.acts]


def scanner_of(world: World, options: Options | None = None) -> Scanner:
    """A scanner in that world."""

    def command(text: str) -> Awaitable[None]:
        return world.command(text)

    made = Scanner(
        world,
        options or Options(helper="/helper", reboot="/reboot"),
        now_s=world.clock,
        uptime_s=lambda: UPTIME_S,
        sleep=world.sleep,
        command=command,
    )
    made.report = lambda body: world.reports.append(f"{body['state']}")
    return made


async def lived(scanner: Scanner) -> None:
    """Run the scanner to the end of the script."""
    with pytest.raises(asyncio.CancelledError):
        await scanner.run()


async def test_an_air_that_is_alive_is_scanned_once() -> None:
    """For hours nothing is restarted, and the scan is passive with the sensors' patterns."""
    world = World(sleeps=5000)
    scanner = scanner_of(world)
    scanner.ear(ADDRESS, lambda: Ear("bthome", ADDRESS, b"", world.clock))

    await lived(scanner)

    assert world.done() == ["passive", "close"]
    assert (scanner.figures.state, scanner.figures.mode) == ("ok", "passive")
    assert world.reports == []


@pytest.mark.parametrize(
    ("healed_by", "steps"),
    [
        ("active", ["active"]),
        ("power", ["active", "power", "active"]),
        ("/helper", ["active", "power", "active", "/helper", "active"]),
    ],
)
async def test_each_rung_heals_what_it_is_for_within_two_minutes(
    healed_by: str, steps: list[str]
) -> None:
    """The steps are taken in turn, the first one that helps is the last; one report each way."""
    world = World(sleeps=200)
    world.healed_by = healed_by
    world.at[10] = lambda: setattr(world, "is_silent", True)
    scanner = scanner_of(world)
    scanner.ear(ADDRESS, lambda: Ear("bthome", ADDRESS, b"", world.clock))

    await lived(scanner)

    assert world.done() == ["passive", *steps, "close"]
    assert world.reports == ["silent", "ok"]
    assert world.acts[-2][0] - 10 < 120 - LOOK_S
    assert scanner.trouble() is None


async def test_the_silence_is_what_every_sensor_says() -> None:
    """While the radio is deaf each sensor is missing for that reason, not for one of its own."""
    world = World(sleeps=60)
    world.is_silent = True
    scanner = scanner_of(world)
    ear = scanner.ear(ADDRESS, lambda: Ear("bthome", ADDRESS, b"", world.clock))

    await lived(scanner)

    with pytest.raises(Exception, match="no device at all was heard for 106 s") as caught:
        await BLESensor(ear, scanner.trouble).read()
    assert getattr(caught.value, "quality", "") == "no_data"


async def test_an_adapter_that_is_pulled_is_absent_until_it_is_back() -> None:
    """One report when it goes and one when it is back; it is used again at the next look."""
    world = World(sleeps=20)
    world.at[10] = lambda: setattr(world, "gone", "no Bluetooth adapter at all")
    world.at[30] = lambda: setattr(world, "gone", "")
    scanner = scanner_of(world)

    await lived(scanner)

    assert world.reports == ["absent", "ok"]
    assert [at_s for at_s, what in world.acts if what == "active"] == [0.0, 30.0]


async def test_a_dead_bluetoothd_is_helped() -> None:
    """Where there is nobody to talk to, the helper is what is left."""
    world = World(sleeps=80)
    world.healed_by = "/helper"
    world.at[10] = lambda: setattr(world, "gone", "no bluetoothd")
    scanner = scanner_of(world)

    await lived(scanner)

    assert "/helper" in world.done()
    assert scanner.figures.state == "ok"
    assert scanner.figures.helper_runs == 1


async def test_a_reboot_is_asked_for_once_and_only_if_nobody_is_there() -> None:
    """A machine that stays deaf for an hour asks, when the screen is idle, and does not nag."""
    world = World(sleeps=3000)
    world.is_silent = True
    scanner = scanner_of(world)
    idle_from_s = 4000.0
    scanner.is_idle = lambda: world.now_s >= idle_from_s

    await lived(scanner)

    asked = [at_s for at_s, what in world.acts if what == "/reboot"]
    assert len(asked) == 1
    assert asked[0] >= idle_from_s
    assert world.reports.count("reboot") == 1


async def test_without_commands_the_ladder_only_does_what_it_can() -> None:
    """Who configures no helper and no reboot gets none."""
    world = World(sleeps=3000)
    world.is_silent = True
    scanner = scanner_of(world, Options())
    scanner.is_idle = lambda: True

    await lived(scanner)

    assert set(world.done()) == {"active", "power", "close"}


async def test_a_crowded_picture_is_forgotten() -> None:
    """BlueZ is asked to begin anew with a device whose news can no longer be seen."""
    world = World(sleeps=4)
    scanner = scanner_of(world)
    scanner.ear(ADDRESS, lambda: Ear("thermopro", ADDRESS, b"", world.clock))
    companies = dict.fromkeys(range(9), b"\x01")
    world.at[2] = lambda: scanner.heard(ADDRESS, Air(manufacturer_data=companies))

    await lived(scanner)

    assert world.done().count(f"forget {ADDRESS}") == 1


async def test_a_crowd_costs_no_memory_and_no_line(caplog: pytest.LogCaptureFixture) -> None:
    """100,000 strangers leave nothing behind: no object, no log, no look at their payload."""
    world = World()
    scanner = scanner_of(world)
    scanner.ear(ADDRESS, lambda: Ear("bthome", ADDRESS, b"", world.clock))
    rng = random.Random(1)  # noqa: S311 # seeded, no secret

    def crowd(number: int) -> None:
        for _ in range(number):
            address = rng.randbytes(6).hex(":").upper()
            scanner.heard(address, Air(service_data={UUID: rng.randbytes(20)}, local_name="me"))

    crowd(1000)
    gc.collect()
    tracemalloc.start()
    with caplog.at_level(logging.DEBUG):
        crowd(100_000)
    gc.collect()
    kept_bytes, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert kept_bytes < 20_000
    assert caplog.records == []
    assert scanner.state()["sensors"] == 1


def test_there_is_one_scanner() -> None:
    """Whoever asks gets the same one, and it hears a limited number of sensors."""
    assert shared() is shared()
    world = World()
    scanner = scanner_of(world)
    for number in range(SENSORS_MAX):
        scanner.ear(str(number), lambda: Ear("bthome", ADDRESS, b"", world.clock))
    with pytest.raises(BusError, match="more than 64"):
        scanner.ear("one too many", lambda: Ear("bthome", ADDRESS, b"", world.clock))


def test_known_formats_are_recognized() -> None:
    """A stranger's sensor is named with what it says; a sealed one says that; a phone is none."""
    sealed = bthome.sealed_v2(bthome.encode(2, 20), bytes(6), 1, bytes(16))
    open_one = bytes.fromhex("4002ca09")
    phone = Advert(ADDRESS, manufacturer_data={0x004C: b"\x10\x05\x01"})
    found = [
        recognized(Advert(ADDRESS, service_data={0xFCD2: payload}))
        for payload in (open_one, sealed)
    ]

    assert [(one.kind, one.is_sealed, one.values) for one in found if one] == [
        ("bthome", False, {"air_temperature": 25.06}),
        ("bthome", True, {}),
    ]
    assert recognized(phone) is None


async def test_nearby_sensors_are_listed_and_configured_ones_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The technician gets a bounded list, the loudest first, and the radio is given back."""
    world = World()

    async def minute(seconds: float) -> None:
        assert seconds == 60
        assert world.on_advert is not None
        hear: Callable[[str, Any], None] = world.on_advert
        hear(ADDRESS, Air({UUID: bytes.fromhex("4002ca09")}))
        for number in range(NEARBY_MAX + 5):
            address = f"AA:00:00:00:00:{number:02X}"
            hear(address, Air({UUID: bytes.fromhex("4002ca09")}, rssi=-100 + number))
            hear(f"BB:00:00:00:00:{number:02X}", Air(manufacturer_data={0x004C: b"\x10\x05"}))

    monkeypatch.setattr("drivers.linux.ble.asyncio.sleep", minute)
    found = await nearby(60, {ADDRESS.lower()}, radio=world)

    assert len(found) == NEARBY_MAX
    assert [one.rssi for one in found] == sorted((one.rssi for one in found), reverse=True)
    assert found[-1].rssi == -95
    assert {one.kind for one in found} == {"bthome"}
    assert world.done() == ["active", "close"]


@pytest.mark.parametrize(
    ("command", "why"),
    [
        ("/bin/false", "status 1"),
        ("/no/such/helper", "cannot be run"),
        ("/bin/sh 'unbalanced", "cannot be run"),
    ],
)
async def test_a_helper_that_fails_is_an_error_of_ours(command: str, why: str) -> None:
    """Whatever is wrong with it is said in one way, and a good one just runs."""
    await run_command("/bin/true")
    with pytest.raises(BusError, match=why):
        await run_command(command)
