"""A real journal on a real disk, and a real city on loopback."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from aiohttp.test_utils import BaseTestServer, TestServer

from drivers.reading import Reading
from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.clock import Clock
from sync.identity import Identity, Key
from sync.journal import Journal, Options
from sync.uplink import Options as UplinkOptions
from sync.uplink import Uplink
from tests.enrolled import KIOSK, enrolled
from tests.sync.lines import Measure

BOOT = "0123456789abcdef0123456789abcdef"
DECIMALS = {"water_level": 3, "air_temperature": 2, "people": 0}


class Time:
    """A clock that the test turns by hand."""

    def __init__(self) -> None:
        self.ms = 1_000

    def __call__(self) -> int:
        """CLOCK_BOOTTIME in ms."""
        return self.ms


@pytest.fixture
def now() -> Time:
    """The hand on the clock."""
    return Time()


@pytest.fixture
def clock(now: Time) -> Clock:
    """A clock that nobody has set."""
    return Clock(("city",), boot=BOOT, boottime_ms=now)


@pytest.fixture
async def journal(tmp_path: Path, clock: Clock) -> AsyncIterator[Journal]:
    """A journal that commits and seals when the test says so."""
    opened = await Journal.open(tmp_path / "kiosk", clock, Options())
    yield opened
    await opened.close()


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of a module that says `ON = BOTH` on both databases."""
    if "database" in metafunc.fixturenames and hasattr(metafunc.module, "ON"):
        metafunc.parametrize("database", metafunc.module.ON, indirect=True)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> str:
    """The address of an empty database; empty for SQLite's own file."""
    if getattr(request, "param", "sqlite") == "sqlite":
        return ""
    address: str = request.getfixturevalue("postgres").namespace()
    return address


@pytest.fixture
async def archive(tmp_path: Path, database: str) -> AsyncIterator[Archive]:
    """The city's archive."""
    opened = await Archive.open(tmp_path / "city", database)
    yield opened
    await opened.close()


@pytest.fixture
def city_key() -> Key:
    """What the city signs with."""
    return Key()


@pytest.fixture
async def city(archive: Archive, city_key: Key) -> AsyncIterator[BaseTestServer]:
    """The city's receiver on loopback."""
    async with TestServer(make_app(archive, city_key)) as server:
        yield server


@pytest.fixture
async def identity(archive: Archive, city_key: Key, tmp_path: Path) -> Identity:
    """The kiosk's key, which that city knows."""
    return await enrolled(archive, city_key, tmp_path / "kiosk")


@pytest.fixture
def make_uplink(city: BaseTestServer, identity: Identity) -> Callable[..., Uplink]:
    """A line for any journal, to that city or to who says so."""

    def make(journal: Journal, url: str = "") -> Uplink:
        options = UplinkOptions(url or str(city.make_url("/")), KIOSK)
        return Uplink(journal, journal.clock, options, identity)

    return make


@pytest.fixture
def uplink(journal: Journal, make_uplink: Callable[..., Uplink]) -> Uplink:
    """The kiosk's line to that city."""
    return make_uplink(journal)


@pytest.fixture
def levels(journal: Journal, now: Time) -> Callable[..., None]:
    """Append `count` water levels, 10 s apart."""

    def append(count: int, start: float = 1.0) -> None:
        for number in range(count):
            now.ms += 10_000
            reading = Reading("water_level", start + number / 1000, "m")
            journal.append("pier", [reading], now.ms, simulated=True, decimals=DECIMALS)

    return append


@pytest.fixture
def measure(journal: Journal, levels: Callable[..., None]) -> Measure:
    """Append `count` water levels, and seal them: a segment to send."""

    async def sealed(count: int) -> None:
        levels(count)
        await journal.seal()

    return sealed
