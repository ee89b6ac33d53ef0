"""TE MS5837-02BA and -30BA: pressure and temperature of water over I²C.

The arithmetic of their sisters MS5611 and MS5607 (air) is here as well: same bytes, other
shifts.
"""

import asyncio
from collections import namedtuple

from drivers.errors import BusError, ChecksumError, FrameError, NoDataError, WrongChipError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

    class Scale(NamedTuple):
        """What differs between the models: powers of two, and the size of the last digit."""

        off: int
        off_slope: int
        sens: int
        sens_slope: int
        pressure: int
        pascals: int

    class Raw(NamedTuple):
        """The numbers on the way to a measurement, under the names of the data sheets."""

        dt: int
        temp_1st_centi: int
        off: int
        sens: int
        p_1st: int
        temp_2nd_centi: int
        p_2nd: int

else:
    Scale = namedtuple(  # noqa: PYI024 # portable
        "Scale", ("off", "off_slope", "sens", "sens_slope", "pressure", "pascals")
    )
    Raw = namedtuple(  # noqa: PYI024 # portable
        "Raw", ("dt", "temp_1st_centi", "off", "sens", "p_1st", "temp_2nd_centi", "p_2nd")
    )

ADDRESS = 0x76  # The only one; a BME280 may be there, too.

# Commands (data sheet MS5837-30BA, "commands").
RESET = b"\x1e"
PROM_READ = 0xA0
CONVERT_D1 = b"\x4a"  # Pressure, oversampling 8192.
CONVERT_D2 = b"\x5a"  # Temperature, the same.
ADC_READ = 0x00

RESET_S = 0.01  # The PROM is loaded 2.8 ms after a reset.
CONVERSION_S = 0.02  # At most 18.08 ms with oversampling 8192.
PROM_WORDS = 7

# Product type in bits 5 to 11 of PROM word 0, as far as it is known; old chips have 0.
TYPES = {0x1A: "30ba", 0x15: "02ba"}

# The data sheets' flow charts: OFF is C2 shifted by `off`, plus C4 times dT shifted back by
# `off_slope`; SENS is made of C1 and C3 likewise; `pressure` is the last shift of P.
SCALES = {
    "30ba": Scale(16, 7, 15, 8, 13, 10),  # 0.1 mbar
    "02ba": Scale(17, 6, 16, 7, 15, 1),  # 0.01 mbar
    "5611": Scale(16, 7, 15, 8, 15, 1),
    "5607": Scale(17, 6, 16, 7, 15, 1),
}


class MS5837:
    """One sensor on one bus; the model says how its numbers are meant."""

    KIND = ""
    MODEL = ""
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = ()

    def __init__(self, bus: "I2CBus", address: int = ADDRESS) -> None:
        self._bus = bus
        self._address = address
        self._coefficients: tuple[int, ...] = ()

    async def start(self) -> None:
        """Reset the chip and read its calibration. Raises `DriverError`."""
        await self._bus.open()
        await self._bus.writeto(self._address, RESET)
        await asyncio.sleep(RESET_S)
        prom = []
        for i in range(PROM_WORDS):
            word = await self._bus.readfrom_mem(self._address, PROM_READ + 2 * i, 2)
            prom.append(word[0] << 8 | word[1])
        check_prom(prom)
        check_model(prom[0], self.MODEL)
        self._coefficients = tuple(prom[1:7])

    async def read(self) -> tuple[Reading, ...]:
        """Measure once. Raises `DriverError`."""
        if not self._coefficients:
            raise BusError(f"{self.KIND} was not started")
        d1 = await self._convert(CONVERT_D1)
        d2 = await self._convert(CONVERT_D2)
        return readings(self.SPEC, self.MODEL, compensate(self.MODEL, self._coefficients, d1, d2))

    async def close(self) -> None:
        """Give the bus back; the chip sleeps after each conversion."""
        self._coefficients = ()
        await self._bus.close()

    async def _convert(self, code: bytes) -> int:
        await self._bus.writeto(self._address, code)
        await asyncio.sleep(CONVERSION_S)
        answer = await self._bus.readfrom_mem(self._address, ADC_READ, 3)
        value = int.from_bytes(answer, "big")
        if value == 0:
            # Data sheet: 0 is the answer when the conversion was never started or not done.
            raise NoDataError(f"{self.KIND} has not converted")
        return value


class MS583702BA(MS5837):
    """The one for 10 m of water."""

    KIND = "ms5837_02ba"
    MODEL = "02ba"
    SPEC: "tuple[SpecRow, ...]" = (
        ("water_pressure", "hPa", 300, 2000, 2),
        ("water_temperature", "Cel", -20, 85, 2),
    )


class MS583730BA(MS5837):
    """The one for 300 m of water."""

    KIND = "ms5837_30ba"
    MODEL = "30ba"
    SPEC: "tuple[SpecRow, ...]" = (
        ("water_pressure", "hPa", 300, 30000, 1),
        ("water_temperature", "Cel", -20, 85, 2),
    )


def crc4(prom: "list[int] | tuple[int, ...]") -> int:
    """CRC-4 over the PROM (application note AN520), its own place taken as 0.

    Eight words of an MS5611 carry it in the lowest bits of word 7, seven words of an
    MS5837 in the highest of word 0.
    """
    covered = list(prom)
    if len(covered) == PROM_WORDS:
        covered[0] &= 0x0FFF
        covered.append(0)
    else:
        covered[7] &= 0xFF00
    remainder = 0
    for word in covered:
        for byte in (word >> 8, word & 0xFF):
            remainder ^= byte
            for _ in range(8):
                remainder = remainder << 1 ^ (0x3000 if remainder & 0x8000 else 0)
                remainder &= 0xFFFF
    return remainder >> 12


def stored_crc4(prom: "list[int] | tuple[int, ...]") -> int:
    """The CRC that the PROM itself says."""
    return prom[0] >> 12 if len(prom) == PROM_WORDS else prom[7] & 0x0F


def check_prom(prom: "list[int] | tuple[int, ...]") -> None:
    """Raise `FrameError`, `ChecksumError` or `NoDataError` if the calibration is damaged."""
    if len(prom) not in {PROM_WORDS, PROM_WORDS + 1}:
        raise FrameError(f"PROM of {len(prom)} words, wanted 7 or 8", "length")
    if not any(prom):
        raise NoDataError("the PROM is all zero: no chip, or it was not reset")
    if crc4(prom) != stored_crc4(prom):
        raise ChecksumError(f"PROM says CRC {stored_crc4(prom)}, it gives {crc4(prom)}", "crc")


def check_model(word_0: int, model: str) -> None:
    """Raise `WrongChipError` if the PROM names another model than the settings."""
    found = TYPES.get(word_0 >> 5 & 0x7F, model)
    if found != model:
        raise WrongChipError(f"the chip is an MS5837-{found.upper()}, not -{model.upper()}")


def compensate(model: str, coefficients: "tuple[int, ...]", d1: int, d2: int) -> Raw:
    """First and second order of the data sheets, in whole numbers.

    `coefficients` are C1 to C6. Raises `FrameError` for another number of them.
    """
    if len(coefficients) != 6:
        raise FrameError(f"{len(coefficients)} coefficients, wanted C1 to C6", "length")
    c1, c2, c3, c4, c5, c6 = coefficients
    scale = SCALES[model]
    dt = d2 - (c5 << 8)
    temp = 2000 + (dt * c6 >> 23)
    off = (c2 << scale.off) + (c4 * dt >> scale.off_slope)
    sens = (c1 << scale.sens) + (c3 * dt >> scale.sens_slope)
    ti, offi, sensi = second_order(model, dt, temp)
    return Raw(
        dt,
        temp,
        off,
        sens,
        ((d1 * sens >> 21) - off) >> scale.pressure,
        temp - ti,
        ((d1 * (sens - sensi) >> 21) - (off - offi)) >> scale.pressure,
    )


def second_order(model: str, dt: int, temp: int) -> "tuple[int, int, int]":
    """Ti, OFFi and SENSi of the data sheets: what the first order is wrong by."""
    cold = (temp - 2000) ** 2
    colder = (temp + 1500) ** 2 if temp < -1500 else 0
    if temp >= 2000:
        # Only the 30BA is corrected above 20 °C.
        return (2 * dt * dt >> 37, cold >> 4, 0) if model == "30ba" else (0, 0, 0)
    if model == "30ba":
        return (
            3 * dt * dt >> 33,
            (3 * cold >> 1) + 7 * colder,
            (5 * cold >> 3) + 4 * colder,
        )
    if model == "02ba":
        return 11 * dt * dt >> 35, 31 * cold >> 3, 63 * cold >> 5
    if model == "5607":
        return dt * dt >> 31, (61 * cold >> 4) + 15 * colder, 2 * cold + 8 * colder
    return dt * dt >> 31, (5 * cold >> 1) + 7 * colder, (5 * cold >> 2) + (11 * colder >> 1)


def readings(spec: "tuple[SpecRow, ...]", model: str, raw: Raw) -> tuple[Reading, ...]:
    """Turn what `compensate` returned into the readings of `spec`.

    A pressure out of the range of the model is also what a mix-up of the two models
    looks like.
    """
    return (
        measured(spec[0], raw.p_2nd * SCALES[model].pascals / 100),
        measured(spec[1], raw.temp_2nd_centi / 100),
    )
