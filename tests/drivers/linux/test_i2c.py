import asyncio
import threading
from pathlib import Path

import pytest
from smbus2 import i2c_msg

from drivers.bme280 import ADDRESS, BME280
from drivers.errors import BusError
from drivers.linux.i2c import FAILURES_MAX, LinuxI2C, open_adapter, shared

I2C_M_RD = 1


class RegisterAdapter:
    """The kernel's side of i2c_rdwr: chips as tables of registers."""

    def __init__(self, chips: dict[int, dict[int, int]]) -> None:
        self.chips = chips
        self.threads: set[str] = set()
        self.closed = threading.Event()
        self.blocked = threading.Event()
        self.blocked.set()

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """Transfer messages. Raises `OSError` as an empty address does."""
        self.threads.add(threading.current_thread().name)
        self.blocked.wait(timeout=10)
        register = 0
        for message in messages:
            if message.addr not in self.chips:
                raise OSError(121, "Remote I/O error")
            registers = self.chips[message.addr]
            if message.flags & I2C_M_RD:
                for i in range(message.len):
                    message.buf[i] = bytes([registers.get(register + i, 0)])
            else:
                register, *values = bytes(message)
                registers.update(enumerate(values, register))

    def close(self) -> None:
        """Note that it was closed."""
        self.closed.set()


def bus_of(adapter: RegisterAdapter) -> LinuxI2C:
    """A bus on that adapter."""
    return LinuxI2C(1, lambda _: adapter)


def bme280_registers() -> dict[int, int]:
    """A BME280 that has measured, as in tests/frames/bme280.json."""
    registers = {0xD0: 0x60}
    for start, text in (
        (0x88, "106e6c665e015d95b8d5d00b771e9dfff9ffac260ad8bd10004b"),
        (0xE1, "6e01001305001e"),
        (0xF7, "4b77007ff500790b"),
    ):
        registers.update(enumerate(bytes.fromhex(text), start))
    return registers


async def test_a_sensor_is_read_through_real_messages() -> None:
    """The driver's register reads become combined transfers of smbus2, in one thread."""
    adapter = RegisterAdapter({ADDRESS: bme280_registers()})
    driver = BME280(bus_of(adapter))
    await driver.start()
    readings = await driver.read()
    await driver.close()
    assert [reading.value for reading in readings] == [22.93, 1000.4, 63.2]
    assert adapter.threads == {"i2c-1_0"}


async def test_an_address_without_a_chip_is_a_bus_error() -> None:
    """The message names address and register."""
    bus = bus_of(RegisterAdapter({}))
    await bus.open()
    with pytest.raises(BusError, match="0x76 register 0xd0"):
        await bus.readfrom_mem(0x76, 0xD0, 1)
    await bus.close()


async def test_two_chips_share_the_adapter() -> None:
    """It is closed when the last of them goes."""
    adapter = RegisterAdapter({})
    bus = bus_of(adapter)
    await bus.open()
    await bus.open()
    await bus.close()
    assert not adapter.closed.is_set()
    await bus.close()
    await asyncio.to_thread(adapter.closed.wait, 5)
    assert adapter.closed.is_set()
    with pytest.raises(BusError, match="not open"):
        await bus.readfrom_mem(0x76, 0xD0, 1)


async def test_a_bus_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transfer without an end is a timeout and leaves the loop free."""
    monkeypatch.setattr("drivers.linux.i2c.TRANSFER_MAX_S", 0.01)
    adapter = RegisterAdapter({ADDRESS: {}})
    bus = bus_of(adapter)
    await bus.open()
    adapter.blocked.clear()
    with pytest.raises(BusError, match="hangs") as caught:
        await bus.readfrom_mem(ADDRESS, 0xD0, 1)
    assert caught.value.fault == "timeout"
    adapter.blocked.set()
    await bus.close()


async def test_a_long_transfer_is_refused() -> None:
    """What no chip of ours asks for is an error before it reaches the wire."""
    bus = bus_of(RegisterAdapter({ADDRESS: {}}))
    await bus.open()
    with pytest.raises(BusError, match="65 bytes"):
        await bus.readfrom_mem(ADDRESS, 0, 65)
    with pytest.raises(BusError, match="65 bytes"):
        await bus.writeto_mem(ADDRESS, 0, bytes(64))
    await bus.close()


def test_a_missing_bus_is_absent() -> None:
    """A machine without that bus gives a fault that says so, not a crash."""
    number = 199
    assert not Path(f"/dev/i2c-{number}").exists()
    with pytest.raises(BusError, match="/dev/i2c-199 does not exist") as caught:
        open_adapter(number)
    assert caught.value.quality == "absent"


def test_an_adapter_has_one_object() -> None:
    """All chips on a bus get the same one, and with it the same lock."""
    assert shared(198) is shared(198)
    assert shared(198) is not shared(197)


async def test_a_chip_that_takes_commands() -> None:
    """A command is one message, and its answer another; nothing is put in front of them."""
    adapter = RegisterAdapter({0x44: {0: 0x66, 1: 0xEE, 2: 0x50}})
    bus = bus_of(adapter)
    await bus.open()
    await bus.writeto(0x44, b"\xfd")
    assert await bus.readfrom(0x44, 3) == b"\x66\xee\x50"
    with pytest.raises(BusError, match="I2C 0x45: "):
        await bus.writeto(0x45, b"\xfd")
    await bus.close()


class StuckAdapter(RegisterAdapter):
    """A bus on which a chip holds the data line until it is freed."""

    is_stuck = True

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """Transfer messages, or time out as the kernel does."""
        if self.is_stuck:
            raise OSError(110, "Connection timed out")
        super().i2c_rdwr(*messages)


class Lines:
    """Lines whose data line rises at the first clock."""

    def __init__(self, adapter: StuckAdapter) -> None:
        self._adapter = adapter

    def take(self) -> None:
        """Nothing to do."""

    def clock(self, *, low: bool) -> None:
        """Let the chip go on."""
        self._adapter.is_stuck = self._adapter.is_stuck and low

    def pull_data(self, *, low: bool) -> None:
        """Nothing to do."""

    def data_is_high(self) -> bool:
        """Whether the chip has let go."""
        return not self._adapter.is_stuck

    def give_back(self) -> None:
        """Nothing to do."""


async def test_a_bus_that_failed_ten_times_is_freed() -> None:
    """A chip that holds the data line costs ten transfers, and no technician."""
    adapter = StuckAdapter({ADDRESS: bme280_registers()})
    bus = LinuxI2C(1, lambda _: adapter, lambda _: Lines(adapter))
    await bus.open()
    for number in range(FAILURES_MAX):
        assert bus.recoveries == 0, number
        with pytest.raises(BusError, match="timed out"):
            await bus.readfrom_mem(ADDRESS, 0xD0, 1)

    assert await bus.readfrom_mem(ADDRESS, 0xD0, 1) == b"\x60"
    assert bus.recoveries == 1
    await bus.close()


async def test_a_chip_that_is_missing_is_no_reason_to_free_the_bus() -> None:
    """Nobody answers at the address, and the bus is well."""
    adapter = RegisterAdapter({})
    bus = LinuxI2C(1, lambda _: adapter)
    await bus.open()
    for _ in range(3 * FAILURES_MAX):
        with pytest.raises(BusError, match="Remote I/O"):
            await bus.readfrom(ADDRESS, 1)

    assert bus.recoveries == 0
    await bus.close()


async def test_a_bus_that_nobody_can_free_goes_on_failing() -> None:
    """Without pins that are known, each transfer says what is wrong, and nothing else happens."""
    adapter = StuckAdapter({})
    bus = LinuxI2C(7, lambda _: adapter)
    await bus.open()
    for _ in range(2 * FAILURES_MAX):
        with pytest.raises(BusError, match="timed out"):
            await bus.readfrom(ADDRESS, 1)

    assert bus.recoveries == 2
    await bus.close()
