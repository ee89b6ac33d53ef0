"""Sensirion SCD40 and SCD41: carbon dioxide, air temperature and humidity over I²C."""

import asyncio

from drivers.errors import BusError, NoDataError
from drivers.reading import Reading, measured
from drivers.sensirion import command, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

ADDRESS = 0x62

# Commands (data sheet SCD4x, table 9).
START_PERIODIC_MEASUREMENT = 0x21B1
STOP_PERIODIC_MEASUREMENT = 0x3F86
READ_MEASUREMENT = 0xEC05
GET_DATA_READY_STATUS = 0xE4B8
GET_SERIAL_NUMBER = 0x3682
SET_AMBIENT_PRESSURE = 0xE000
SET_AUTOMATIC_SELF_CALIBRATION = 0x2416

EXECUTION_S = 0.002  # Data sheet, table 9: reading commands take at most 1 ms.
STOP_S = 0.5  # The same: the chip answers 500 ms after it was stopped.
POLL_S = 0.2
READY_MAX_S = 6.5  # A measurement every 5 s, and its tolerance.
READY_BITS = 0x07FF  # get_data_ready_status: the lower 11 bits are 0 as long as there is none.


class SCD40:
    """One sensor on one bus.

    `self_calibration` takes the lowest value of a week for fresh air. That is right in the
    open and wrong in a room that is never aired.
    """

    KIND = "scd40"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (
        ("co2", "[ppm]", 1, 40000, 0),
        ("air_temperature", "Cel", -10, 60, 2),
        ("relative_humidity", "%", 0, 100, 1),
    )

    def __init__(
        self,
        bus: "I2CBus",
        address: int = ADDRESS,
        *,
        pressure_hpa: int = 1013,
        self_calibration: bool = True,
    ) -> None:
        self._bus = bus
        self._address = address
        self._pressure_hpa = pressure_hpa
        self._self_calibration = self_calibration

    async def start(self) -> None:
        """Stop what ran before, set the chip and let it measure. Raises `DriverError`."""
        await self._bus.open()
        # After a restart of ours it still measures, and then it takes no other command.
        await self._tell(STOP_PERIODIC_MEASUREMENT)
        await asyncio.sleep(STOP_S)
        await self._ask(GET_SERIAL_NUMBER, 3)
        await self._tell(SET_AUTOMATIC_SELF_CALIBRATION, int(self._self_calibration))
        await asyncio.sleep(EXECUTION_S)
        await self._tell(SET_AMBIENT_PRESSURE, self._pressure_hpa)
        await asyncio.sleep(EXECUTION_S)
        await self._tell(START_PERIODIC_MEASUREMENT)

    async def read(self) -> tuple[Reading, ...]:
        """Wait for the next measurement, up to 5 s. Raises `DriverError`."""
        for _ in range(round(READY_MAX_S / POLL_S)):
            if is_ready((await self._ask(GET_DATA_READY_STATUS, 1))[0]):
                return readings(self.SPEC, *await self._ask(READ_MEASUREMENT, 3))
            await asyncio.sleep(POLL_S)
        raise BusError(f"{self.KIND}: no measurement within {READY_MAX_S} s", "timeout")

    async def close(self) -> None:
        """Give the bus back. The chip goes on: the next start stops it first."""
        await self._bus.close()

    async def _tell(self, code: int, *arguments: int) -> None:
        await self._bus.writeto(self._address, command(code, *arguments))

    async def _ask(self, code: int, count: int) -> "tuple[int, ...]":
        await self._tell(code)
        await asyncio.sleep(EXECUTION_S)
        return words(await self._bus.readfrom(self._address, count * 3), count)


class SCD41(SCD40):
    """The sister with the wider range of specified accuracy; the same on the wire."""

    KIND = "scd41"


def is_ready(status: int) -> bool:
    """Whether the word of get_data_ready_status promises a measurement (data sheet 3.8.2)."""
    return status & READY_BITS != 0


def decode(answer: bytes) -> "tuple[int, float, float]":
    """Ppm, °C and % of the nine bytes of read_measurement.

    Raises `FrameError`, `ChecksumError`, or `NoDataError` for a chip that has not measured.
    """
    # Byte 0   1   2    3   4   5    6   7   8                 data sheet 3.5.2
    #      CO2 CO2 crc  T   T   crc  RH  RH  crc     big-endian
    co2, ticks_t, ticks_rh = words(answer, 3)
    if co2 == 0 and ticks_t == 0:
        raise NoDataError(f"no measurement in {answer.hex()}")
    return co2, celsius(ticks_t), percent(ticks_rh)


def celsius(ticks: int) -> float:
    """°C of the 16 bits of a temperature (data sheet, table 11)."""
    return -45 + 175 * ticks / 65535


def percent(ticks: int) -> float:
    """% of the 16 bits of a humidity (data sheet, table 11)."""
    return 100 * ticks / 65535


def readings(
    spec: "tuple[SpecRow, ...]", co2: int, ticks_t: int, ticks_rh: int
) -> tuple[Reading, ...]:
    """Turn the three words of a measurement into the readings of `spec`."""
    return (
        measured(spec[0], co2),
        measured(spec[1], celsius(ticks_t)),
        measured(spec[2], percent(ticks_rh)),
    )
