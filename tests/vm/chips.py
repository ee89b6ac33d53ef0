"""Registers of emulated chips, and what two independent drivers make of the same ones."""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import NamedTuple

from drivers.bme280 import REG_CALIB_88, REG_CALIB_E1, REG_DATA, REG_ID, Calibration, compensate

# Trimming parameters: of a chip that was sold, and of the data sheet's example (BST-BMP280-DS001,
# section 3.12) with a humidity part that differs in every parameter.
TRIMS = {
    "a chip that was sold": (
        bytes.fromhex("106e6c665e015d95b8d5d00b771e9dfff9ffac260ad8bd10004b"),
        bytes.fromhex("6e01001305001e"),
    ),
    "the data sheet's": (
        bytes.fromhex("706b436718fc7d8e43d6d00b270b8c00f9ff8c3cf8c670170055"),
        bytes.fromhex("690103142eff1b"),
    ),
}
# Raw temperature, pressure and humidity, so that each chip's pressure is one of the open air.
POINTS = {
    "a chip that was sold": {
        "a cool day": (519888, 315000, 27500),
        "a market day": (540000, 322000, 36000),
        "frost": (430000, 320000, 24000),
        "dry heat": (600000, 300000, 20000),
        "fog": (524112, 309104, 46000),
    },
    "the data sheet's": {
        "a cool day": (519888, 415148, 27500),
        "a market day": (540000, 421000, 36000),
        "frost": (430000, 360000, 24000),
        "dry heat": (600000, 440000, 20000),
        "fog": (524112, 418000, 46000),
    },
}
PASCALS_IN_IIO = Decimal(256_000)  # Q24.8 pascals of a kilopascal.
NINE_DIGITS = Decimal("0.000000001")


class Values(NamedTuple):
    """What Linux's industrial I/O gives: thousandths of °C, kPa, thousandths of %."""

    temperature: str
    pressure: str
    humidity: str

    def words(self) -> str:
        """For a person."""
        return f"{self.temperature} m°C {self.pressure} kPa {self.humidity} m%"

    def rounded(self) -> str:
        """°C, hPa and % with the digits that a reading has."""
        celsius, percent = int(self.temperature) / 1000, int(self.humidity) / 1000
        return f"{round(celsius, 2)} {round(float(self.pressure) * 10, 1)} {round(percent, 1)}"


def picture(trim: tuple[bytes, bytes], point: tuple[int, int, int]) -> dict[int, int]:
    """All registers of a BME280 that has measured."""
    registers = {REG_ID: 0x60}
    for start, part in ((REG_CALIB_88, trim[0]), (REG_CALIB_E1, trim[1]), (REG_DATA, burst(point))):
        registers.update(enumerate(part, start))
    return registers


def burst(point: tuple[int, int, int]) -> bytes:
    """The output registers, as drivers/bme280.py draws them."""
    adc_t, adc_p, adc_h = point
    return (
        (adc_p << 4).to_bytes(3, "big") + (adc_t << 4).to_bytes(3, "big") + adc_h.to_bytes(2, "big")
    )


def as_iio(trim: tuple[bytes, bytes], raw: tuple[int, int, int | None]) -> Values:
    """What our formulas give, in the words of the kernel's."""
    _, centi, pressure, humidity = compensate(Calibration(*trim), *raw)
    if humidity is None:
        raise AssertionError(f"no humidity from {raw}")
    # The kernel prints a fraction with nine digits, and rounds none of them.
    kilopascals = (pressure / PASCALS_IN_IIO).quantize(NINE_DIGITS, ROUND_DOWN)
    return Values(str(centi * 10), str(kilopascals), str(humidity * 1000 // 1024))


def from_iio(temperature: str, pressure: str, humidity: str) -> Values:
    """What the kernel says; a later one than 6.1 may give digits behind a thousandth."""
    return Values(str(int(Decimal(temperature))), pressure, str(int(Decimal(humidity))))
