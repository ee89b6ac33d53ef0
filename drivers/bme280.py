"""Bosch BME280 and BMP280: air temperature, pressure and humidity over I²C."""

import asyncio
from struct import unpack_from

from drivers.errors import BusError, FrameError, NoDataError, WrongChipError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.bus import I2CBus
    from drivers.reading import SpecRow

ADDRESS = 0x76  # 0x77 with SDO high.

# Registers (BME280 data sheet BST-BME280-DS002, section 5.3).
REG_CALIB_88 = 0x88
REG_ID = 0xD0
REG_RESET = 0xE0
REG_CALIB_E1 = 0xE1
REG_CTRL_HUM = 0xF2
REG_STATUS = 0xF3
REG_CTRL_MEAS = 0xF4
REG_CONFIG = 0xF5
REG_DATA = 0xF7

CALIB_88_BYTES = 26
CALIB_E1_BYTES = 7
RESET = b"\xb6"
STATUS_MEASURING = 0x08
STATUS_IM_UPDATE = 0x01
OVERSAMPLING_1 = b"\x01"
FORCED_1_1 = b"\x25"  # osrs_t 1, osrs_p 1, mode forced
NO_FILTER = b"\x00"

# Chips that this module reads, and the neighbours that answer at the same address.
HUMID_CHIP = 0x60
DRY_CHIP = 0x58
CHIPS = {HUMID_CHIP: "BME280", DRY_CHIP: "BMP280"}
OTHER_CHIPS = {0x61: "BME680", 0x55: "BMP180", 0x50: "BMP388", 0x00: "nothing", 0xFF: "nothing"}

STARTUP_S = 0.002  # Data sheet 1.1: ready 2 ms after power-on or reset.
CONVERSION_S = 0.010  # Data sheet 9.1: at most 9.3 ms with oversampling 1 of all three.
POLL_S = 0.002
POLLS_MAX = 20

# What an output register holds when its measurement was skipped or the chip restarted.
SKIPPED_20_BIT = 0x80000
SKIPPED_16_BIT = 0x8000


class BMP280:
    """One pressure sensor on one bus."""

    KIND = "bmp280"
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = (
        ("air_temperature", "Cel", -40, 85, 2),
        ("pressure", "hPa", 300, 1100, 1),
    )

    def __init__(self, bus: "I2CBus", address: int = ADDRESS) -> None:
        self._bus = bus
        self._address = address
        self._has_humidity = False
        self._calibration: Calibration | None = None

    async def start(self) -> None:
        """Reset the chip and read its calibration. Raises `DriverError`."""
        await self._bus.open()
        chip_id = (await self._get(REG_ID, 1))[0]
        check_chip(chip_id)
        self._has_humidity = chip_id == HUMID_CHIP
        await self._set(REG_RESET, RESET)
        await asyncio.sleep(STARTUP_S)
        # The chip copies its calibration out of its memory; before that it reads as noise.
        await self._wait_for_clear(STATUS_IM_UPDATE)
        calib_88 = await self._get(REG_CALIB_88, CALIB_88_BYTES)
        calib_e1 = await self._get(REG_CALIB_E1, CALIB_E1_BYTES) if self._has_humidity else b""
        self._calibration = Calibration(calib_88, calib_e1)
        await self._set(REG_CONFIG, NO_FILTER)

    async def read(self) -> tuple[Reading, ...]:
        """Measure once. Raises `DriverError`."""
        if self._calibration is None:
            raise BusError(f"{self.KIND} was not started")
        if self._has_humidity:
            # Data sheet 5.4.3: it takes effect only with the next write to ctrl_meas. It is
            # written each time, so that a chip that lost its power comes back by itself.
            await self._set(REG_CTRL_HUM, OVERSAMPLING_1)
        await self._set(REG_CTRL_MEAS, FORCED_1_1)
        await asyncio.sleep(CONVERSION_S)
        await self._wait_for_clear(STATUS_MEASURING)
        burst = await self._get(REG_DATA, 8 if self._has_humidity else 6)
        return readings(self.SPEC, compensate(self._calibration, *split(burst)))

    async def close(self) -> None:
        """Give the bus back; the chip sleeps after each forced measurement."""
        self._calibration = None
        await self._bus.close()

    async def _wait_for_clear(self, bit: int) -> None:
        for _ in range(POLLS_MAX):
            if not (await self._get(REG_STATUS, 1))[0] & bit:
                return
            await asyncio.sleep(POLL_S)
        raise BusError(f"{self.KIND} stays busy: status bit 0x{bit:02x}", "timeout")

    async def _get(self, register: int, nbytes: int) -> bytes:
        return await self._bus.readfrom_mem(self._address, register, nbytes)

    async def _set(self, register: int, value: bytes) -> None:
        await self._bus.writeto_mem(self._address, register, value)


class BME280(BMP280):
    """One pressure and humidity sensor on one bus; a BMP280 in its place has no humidity."""

    KIND = "bme280"
    SPEC: "tuple[SpecRow, ...]" = (
        ("air_temperature", "Cel", -40, 85, 2),
        ("pressure", "hPa", 300, 1100, 1),
        ("relative_humidity", "%", 0, 100, 1),
    )


def check_chip(chip_id: int) -> str:
    """Return the chip's name. Raises `WrongChipError` that names the one that answered."""
    if chip_id not in CHIPS:
        name = OTHER_CHIPS.get(chip_id, "an unknown chip")
        raise WrongChipError(f"chip id 0x{chip_id:02x} ({name}), wanted BME280 or BMP280")
    return CHIPS[chip_id]


def split(burst: bytes) -> "tuple[int, int, int | None]":
    """Split the output registers into the raw temperature, pressure and humidity.

    Raises `FrameError` for another length, `NoDataError` for a skipped measurement.
    """
    # 0xF7 0xF8 0xF9  0xFA 0xFB 0xFC  0xFD 0xFE          data sheet 5.3, table 18
    # pppp pppp pppp  tttt tttt tttt  hhhh hhhh
    # pppp pppp ----  tttt tttt ----  hhhh hhhh           20, 20 and 16 bits, big-endian
    if len(burst) not in {6, 8}:
        raise FrameError(f"{len(burst)} bytes from 0xF7, wanted 6 or 8", "length")
    adc_p = burst[0] << 12 | burst[1] << 4 | burst[2] >> 4
    adc_t = burst[3] << 12 | burst[4] << 4 | burst[5] >> 4
    adc_h = burst[6] << 8 | burst[7] if len(burst) == 8 else None
    check_measured(adc_t, adc_p, adc_h)
    return adc_t, adc_p, adc_h


def check_measured(adc_t: int, adc_p: int, adc_h: "int | None") -> None:
    """Raise `NoDataError` if a register still holds its reset value."""
    for name, adc, skipped in (
        ("temperature", adc_t, SKIPPED_20_BIT),
        ("pressure", adc_p, SKIPPED_20_BIT),
        ("humidity", adc_h, SKIPPED_16_BIT),
    ):
        if adc == skipped:
            raise NoDataError(f"{name} was not measured: 0x{skipped:x} is the reset value")


class Calibration:
    """The trimming parameters of one chip (data sheet 4.2.2, table 16).

    Raises `FrameError` for another number of bytes.
    """

    def __init__(self, calib_88: bytes, calib_e1: bytes = b"") -> None:
        # 0x88: T1 T2 T3 P1 P2 ... P9, 16 bits little-endian, T1 and P1 without sign;
        # 0xA0 unused, 0xA1: H1 (BME280 only)
        if len(calib_88) not in {24, CALIB_88_BYTES}:
            raise FrameError(f"calibration at 0x88 has {len(calib_88)} bytes, wanted 26", "length")
        self.temperature = unpack_from("<Hhh", calib_88, 0)
        self.pressure = unpack_from("<Hhhhhhhhh", calib_88, 6)
        self.humidity = None
        if not calib_e1:
            return
        # 0xE1 E2  E3  E4        E5                   E6        E7
        # H2       H3  H4[11:4]  H5[3:0] | H4[3:0]    H5[11:4]  H6
        if len(calib_e1) != CALIB_E1_BYTES:
            raise FrameError(f"calibration at 0xE1 has {len(calib_e1)} bytes, wanted 7", "length")
        if len(calib_88) != CALIB_88_BYTES:
            raise FrameError("calibration at 0x88 has no 0xA1, which holds H1", "length")
        h2, h3, h4_high, middle, h5_high, h6 = unpack_from("<hBbBbb", calib_e1, 0)
        h4 = h4_high * 16 + (middle & 0x0F)
        h5 = h5_high * 16 + (middle >> 4)
        self.humidity = (calib_88[25], h2, h3, h4, h5, h6)


def compensate(
    calibration: Calibration, adc_t: int, adc_p: int, adc_h: "int | None"
) -> "tuple[int, int, int, int | None]":
    """Return t_fine, 0.01 °C, Pa in Q24.8 and % in Q22.10.

    The integer formulas of the data sheet, section 4.2.3, bit for bit.
    """
    check_measured(adc_t, adc_p, adc_h)
    t_fine = fine_temperature(calibration.temperature, adc_t)
    humidity = None
    if adc_h is not None and calibration.humidity is not None:
        humidity = humidity_q22_10(calibration.humidity, adc_h, t_fine)
    pressure = pressure_q24_8(calibration.pressure, adc_p, t_fine)
    return t_fine, (t_fine * 5 + 128) >> 8, pressure, humidity


def fine_temperature(trim: "tuple[int, ...]", adc_t: int) -> int:
    """BME280_compensate_T_int32: the temperature that the other two formulas need."""
    t1, t2, t3 = trim
    var1 = (((adc_t >> 3) - (t1 << 1)) * t2) >> 11
    var2 = (((((adc_t >> 4) - t1) * ((adc_t >> 4) - t1)) >> 12) * t3) >> 14
    return var1 + var2


def pressure_q24_8(trim: "tuple[int, ...]", adc_p: int, t_fine: int) -> int:
    """BME280_compensate_P_int64: pascals, with 8 bits behind the point."""
    p1, p2, p3, p4, p5, p6, p7, p8, p9 = trim
    var1 = t_fine - 128000
    var2 = var1 * var1 * p6
    var2 += (var1 * p5) << 17
    var2 += p4 << 35
    var1 = ((var1 * var1 * p3) >> 8) + ((var1 * p2) << 12)
    var1 = (((1 << 47) + var1) * p1) >> 33
    if var1 == 0:
        raise NoDataError("the calibration is empty: it gives a division by zero")
    p = divide((((1048576 - adc_p) << 31) - var2) * 3125, var1)
    var1 = (p9 * (p >> 13) * (p >> 13)) >> 25
    var2 = (p8 * p) >> 19
    return ((p + var1 + var2) >> 8) + (p7 << 4)


def humidity_q22_10(trim: "tuple[int, ...]", adc_h: int, t_fine: int) -> int:
    """BME280_compensate_H_int32: per cent, with 10 bits behind the point."""
    h1, h2, h3, h4, h5, h6 = trim
    v = t_fine - 76800
    raw = ((adc_h << 14) - (h4 << 20) - h5 * v + 16384) >> 15
    slope = ((((v * h6) >> 10) * (((v * h3) >> 11) + 32768)) >> 10) + 2097152
    v = raw * ((slope * h2 + 8192) >> 14)
    v -= ((((v >> 15) * (v >> 15)) >> 7) * h1) >> 4
    return min(max(v, 0), 419430400) >> 12


def divide(dividend: int, divisor: int) -> int:
    """Divide as C does, towards zero; Python rounds down."""
    quotient = abs(dividend) // abs(divisor)
    return quotient if (dividend < 0) == (divisor < 0) else -quotient


def readings(
    spec: "tuple[SpecRow, ...]",
    compensated: "tuple[int, int, int, int | None]",
) -> tuple[Reading, ...]:
    """Turn what `compensate` returned into readings of the quantities of `spec`."""
    _, temperature_centi, pressure, humidity = compensated
    values = {
        "air_temperature": temperature_centi / 100,
        "pressure": pressure / 25600,
        "relative_humidity": None if humidity is None else humidity / 1024,
    }
    found = []
    for row in spec:
        value = values[row[0]]
        if value is None:
            found.append(Reading(row[0], None, row[1], "absent"))
        else:
            found.append(measured(row, value))
    return tuple(found)
