import errno

import pytest
from smbus2 import i2c_msg

from drivers.bme280 import ADDRESS, BME280
from drivers.errors import BusError
from drivers.linux.i2c import FAILURES_MAX, LinuxI2C
from drivers.linux.smbus import BLOCK_BYTES_MAX, SMBusAdapter
from tests.drivers.linux.test_i2c import bme280_registers


class Chips:
    """The kernel's side of SMBus: chips as tables of registers."""

    def __init__(self, chips: dict[int, dict[int, int]]) -> None:
        self.chips = chips
        self.commands: list[int] = []
        self.is_closed = False

    def close(self) -> None:
        """Note that it was closed."""
        self.is_closed = True

    def write_quick(self, i2c_addr: int) -> None:
        """Answer if there is a chip."""
        self.at(i2c_addr)

    def read_byte(self, i2c_addr: int) -> int:
        """Give what stands in the first register."""
        return self.at(i2c_addr).get(0, 0)

    def write_byte(self, i2c_addr: int, value: int) -> None:
        """Take a command."""
        self.at(i2c_addr)
        self.commands.append(value)

    def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
        """Give registers."""
        return [self.at(i2c_addr).get(register + at, 0) for at in range(length)]

    def write_i2c_block_data(self, i2c_addr: int, register: int, content: list[int], /) -> None:
        """Take registers."""
        self.at(i2c_addr).update(enumerate(content, register))

    def at(self, address: int) -> dict[int, int]:
        """The registers of a chip."""
        if address not in self.chips:
            raise OSError(errno.ENXIO, "No such device or address")
        return self.chips[address]


async def test_a_chip_with_registers_is_read() -> None:
    """A BME280 on the adapter of a PC gives the same values as on any other."""
    chips = Chips({ADDRESS: bme280_registers()})
    driver = BME280(LinuxI2C(1, lambda _: SMBusAdapter(chips)))

    await driver.start()
    readings = await driver.read()
    await driver.close()

    assert [reading.value for reading in readings] == [22.93, 1000.4, 63.2]
    assert chips.chips[ADDRESS][0xF4] == 0x25


async def test_who_is_there_is_told() -> None:
    """An address that is asked for, and one whose memory is only read, answer or do not."""
    chips = Chips({0x44: {}, 0x50: {0: 0xA5}})
    bus = LinuxI2C(1, lambda _: SMBusAdapter(chips))
    await bus.open()

    await bus.writeto(0x44, b"")
    await bus.writeto(0x44, b"\xfd")
    assert await bus.readfrom(0x50, 1) == b"\xa5"
    with pytest.raises(BusError, match="I2C 0x45"):
        await bus.writeto(0x45, b"")
    await bus.close()

    assert chips.commands == [0xFD]


async def test_what_smbus_has_not_is_said_and_the_bus_left_alone() -> None:
    """A chip that answers in several bytes is refused in words, however often; the bus is well."""
    bus = LinuxI2C(1, lambda _: SMBusAdapter(Chips({0x44: {}})))
    await bus.open()

    for _ in range(FAILURES_MAX):
        with pytest.raises(BusError, match="only speaks SMBus"):
            await bus.readfrom(0x44, 6)
    with pytest.raises(BusError, match="only speaks SMBus"):
        await bus.readfrom_mem(0x44, 0, BLOCK_BYTES_MAX + 1)
    await bus.close()

    assert bus.recoveries == 0


def test_a_short_answer_is_no_answer() -> None:
    """Bytes that did not come are never taken for zeros."""

    class Short(Chips):
        def read_i2c_block_data(self, i2c_addr: int, register: int, length: int) -> list[int]:
            return super().read_i2c_block_data(i2c_addr, register, length)[:-1]

    answer = i2c_msg.read(0x44, 3)

    with pytest.raises(OSError, match="2 bytes were answered, wanted 3"):
        SMBusAdapter(Short({0x44: {}})).i2c_rdwr(i2c_msg.write(0x44, [0]), answer)


def test_the_device_is_given_back() -> None:
    """Closing goes through to the kernel's device."""
    chips = Chips({})

    SMBusAdapter(chips).close()

    assert chips.is_closed
