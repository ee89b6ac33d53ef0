"""The I²C half of the checks: one emulated chip, read by our driver and by the kernel's own."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from smbus2 import SMBus

from drivers.bme280 import (
    BME280,
    CALIB_88_BYTES,
    CALIB_E1_BYTES,
    REG_CALIB_88,
    REG_CALIB_E1,
    REG_DATA,
    REG_ID,
    split,
)
from drivers.errors import DriverError
from drivers.linux.i2c import LinuxI2C
from tests.vm.checks import Check, compared
from tests.vm.chips import POINTS, TRIMS, Values, as_iio, burst, from_iio, picture

ADAPTERS = Path("/sys/bus/i2c/devices")
STUB = "SMBus stub driver"  # drivers/i2c/i2c-stub.c
ORACLE = 0x77  # The kiosk's own is at 0x76.
FIELDS = ("in_temp_input", "in_pressure_input", "in_humidityrelative_input")


@dataclass(frozen=True)
class Stub:
    """The kernel's emulated adapter, filled from outside as the chips' makers would."""

    number: int

    def write(self, address: int, registers: dict[int, int]) -> None:
        """Set registers, whoever uses the chip."""
        with SMBus(self.number) as bus:
            for register, value in registers.items():
                bus.write_byte_data(address, register, value, force=True)


def find_stub() -> Stub:
    """The adapter that i2c-stub has made. Raises `FileNotFoundError`."""
    for path in ADAPTERS.glob("i2c-*"):
        if (path / "name").read_text().strip() == STUB:
            return Stub(int(path.name.removeprefix("i2c-")))
    raise FileNotFoundError(f"no {STUB!r} in {ADAPTERS}")


async def oracle_checks(stub: Stub) -> list[Check]:
    """Ours against the kernel's, for every chip and every weather."""
    found = []
    for chip, trim in TRIMS.items():
        ours = {}
        for weather, point in POINTS[chip].items():
            stub.write(ORACLE, picture(trim, point))
            if os.environ.get("FAULT") == "register":
                stub.write(ORACLE, {REG_CALIB_88: trim[0][0] ^ 1})  # For ours only.
            ours[weather], told, wanted = await our_values(stub)
            found.append(compared(f"{chip}, {weather}, as read", told, wanted))
        stub.write(ORACLE, picture(trim, next(iter(POINTS[chip].values()))))
        theirs = kernel_values(stub, POINTS[chip])
        for weather, values in ours.items():
            found.append(compared(f"{chip}, {weather}", values.words(), theirs[weather].words()))
    return found


async def our_values(stub: Stub) -> tuple[Values, str, str]:
    """What our driver makes of the registers: in full, what it tells, and what it should tell."""
    bus = LinuxI2C(stub.number)
    driver = BME280(bus, ORACLE)
    await driver.start()
    try:
        readings = await driver.read()
        raw = split(await bus.readfrom_mem(ORACLE, REG_DATA, 8))
        trim = (
            await bus.readfrom_mem(ORACLE, REG_CALIB_88, CALIB_88_BYTES),
            await bus.readfrom_mem(ORACLE, REG_CALIB_E1, CALIB_E1_BYTES),
        )
    finally:
        await driver.close()
    values = as_iio(trim, raw)
    told = " ".join(str(reading.value) for reading in readings)
    return values, told, values.rounded()


def kernel_values(stub: Stub, points: dict[str, tuple[int, int, int]]) -> dict[str, Values]:
    """What the kernel's driver says of the same chip in each weather."""
    adapter = ADAPTERS / f"i2c-{stub.number}"
    (adapter / "new_device").write_text(f"bme280 {ORACLE:#x}")
    found = {}
    try:
        for weather, point in points.items():
            stub.write(ORACLE, dict(enumerate(burst(point), REG_DATA)))
            device = next((ADAPTERS / f"{stub.number}-{ORACLE:04x}").glob("iio:device*"))
            found[weather] = from_iio(*((device / field).read_text().strip() for field in FIELDS))
    finally:
        (adapter / "delete_device").write_text(f"{ORACLE:#x}")
    return found


async def wrong_chip_checks(stub: Stub) -> list[Check]:
    """A BME680 at the address, and an address where nobody is: both drivers refuse."""
    stub.write(ORACLE, {REG_ID: 0x61})
    adapter = ADAPTERS / f"i2c-{stub.number}"
    (adapter / "new_device").write_text(f"bme280 {ORACLE:#x}")
    refused = not list((ADAPTERS / f"{stub.number}-{ORACLE:04x}").glob("iio:device*"))
    (adapter / "delete_device").write_text(f"{ORACLE:#x}")
    return [
        compared("the kernel refuses another chip", refused, True),
        compared("ours refuses another chip", await start_fault(stub, ORACLE), "wrong_chip"),
        compared("ours misses a chip", await start_fault(stub, 0x75), "io"),
    ]


async def start_fault(stub: Stub, address: int) -> str:
    """The fault that our driver's start ends in."""
    driver = BME280(LinuxI2C(stub.number), address)
    try:
        await driver.start()
    except DriverError as error:
        return error.fault
    finally:
        await driver.close()
    return "none"
