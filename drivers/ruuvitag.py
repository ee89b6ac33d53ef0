"""RuuviTag and Ruuvi Air: formats 3, 5, 6 and E1 of their Bluetooth advertisements."""

import math
from struct import unpack_from

from drivers.errors import FrameError, NoDataError
from drivers.reading import Reading, measured, without_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.reading import SpecRow

COMPANY = 0x0499
RAW_V1 = 0x03
RAW_V2 = 0x05
CUT_RAW_V2 = 0xC5
AIR = 0x06
AIR_EXTENDED = 0xE1
# Bytes of each format, that of its own number included.
SIZES = {RAW_V1: 14, RAW_V2: 24, CUT_RAW_V2: 18, AIR: 20, AIR_EXTENDED: 40}
# What a format sends for a value that it does not have.
NO_16 = 0xFFFF
NO_SIGNED_16 = -0x8000
NO_9 = 0x1FF

# Field → quantity, unit, range (that of the sensors inside), decimals.
SPEC: "tuple[tuple[str, SpecRow], ...]" = (
    ("temperature_c", ("air_temperature", "Cel", -40, 85, 2)),
    ("humidity_rh", ("relative_humidity", "%", 0, 100, 1)),
    ("pressure_pa", ("pressure", "hPa", 300, 1155.34, 2)),
    ("voltage_v", ("voltage", "V", 1.6, 3.646, 3)),
    ("pm1", ("pm1", "ug/m3", 0, 1000, 1)),
    ("pm25", ("pm2_5", "ug/m3", 0, 1000, 1)),
    ("pm4", ("pm4", "ug/m3", 0, 1000, 1)),
    ("pm10", ("pm10", "ug/m3", 0, 1000, 1)),
    ("co2_ppm", ("co2", "[ppm]", 0, 40000, 0)),
    ("illuminance", ("illuminance", "lx", 0, 200000, 2)),
    ("sound_dba", ("sound_level", "dB", 0, 140, 1)),
)


def decode(payload: bytes) -> "dict[str, object]":
    """Name what follows the company id; None stands for what the tag has not measured.

    Raises `FrameError`.
    """
    if not payload:
        raise FrameError("payload of no bytes", "incomplete")
    form = payload[0]
    if form not in SIZES:
        known = ", ".join([f"{one:02x}" for one in sorted(SIZES)])
        raise FrameError(f"format {form:02x}; known: {known}")
    if len(payload) < SIZES[form]:
        raise FrameError(
            f"format {form:02x} of {len(payload)} bytes, wanted {SIZES[form]}", "incomplete"
        )
    named = DECODERS[form](payload)
    named["format"] = form
    return named


def decode_raw_v1(payload: bytes) -> "dict[str, object]":
    """Format 3 (docs.ruuvi.com, "data format 3")."""
    # 03  humidity  sign and °C  °C/100  pressure (16)  x y z (16 each)  voltage (16)
    humidity, degrees, hundredths, pressure, x, y, z, millivolts = unpack_from(
        ">BBBHhhhH", payload, 1
    )
    celsius = (degrees & 0x7F) + hundredths / 100
    return {
        "temperature_c": (-celsius if degrees & 0x80 else celsius) if hundredths < 100 else None,
        "humidity_rh": humidity / 2 if humidity <= 200 else None,
        "pressure_pa": pressure + 50000,
        "acc_mg": [x, y, z],
        "voltage_v": millivolts / 1000,
    }


def decode_raw_v2(payload: bytes) -> "dict[str, object]":
    """Format 5 (docs.ruuvi.com, "data format 5")."""
    # 05  °C (16)  humidity (16)  pressure (16)  x y z (16 each)  power (16)  moved  sequence
    #     (16)  address (6)
    accelerations = unpack_from(">hhh", payload, 7)
    named = climate(payload)
    named["acc_mg"] = [None if one == NO_SIGNED_16 else one for one in accelerations]
    named.update(power(payload, 13))
    named["address"] = payload[18:24].hex()
    return named


def decode_cut_raw_v2(payload: bytes) -> "dict[str, object]":
    """Format C5: format 5 without acceleration (docs.ruuvi.com, "data format C5")."""
    # c5  °C (16)  humidity (16)  pressure (16)  power (16)  moved  sequence (16)  address (6)
    named = climate(payload)
    named.update(power(payload, 7))
    named["address"] = payload[12:18].hex()
    return named


def decode_air(payload: bytes) -> "dict[str, object]":
    """Format 6 (docs.ruuvi.com, "data format 6")."""
    # 06  °C (16)  humidity (16)  pressure (16)  PM2.5 (16)  CO2 (16)  VOC  NOx  light
    #     reserved  sequence  flags  end of the address (3)
    pm25, co2, voc, nox, light = unpack_from(">HHBBB", payload, 7)
    flags = payload[16]
    named = climate(payload)
    named["pm25"] = tenths(pm25)
    named["co2_ppm"] = None if co2 == NO_16 else co2
    named.update(indices(voc, nox, flags))
    # A logarithmic code: 254 is 65535 lx.
    lux = math.exp(light * math.log(65536) / 254) - 1
    named["illuminance"] = None if light == 0xFF else round(lux)
    named["sequence"] = payload[15]
    named["is_calibrating"] = bool(flags & 1)
    return named


def decode_air_extended(payload: bytes) -> "dict[str, object]":
    """Format E1 (docs.ruuvi.com, "data format E1")."""
    # e1  °C (16)  humidity (16)  pressure (16)  PM1 PM2.5 PM4 PM10 CO2 (16 each)  VOC  NOx
    #     light (24)  reserved (3)  sequence (24)  flags  reserved (5)  address (6)
    pm1, pm25, pm4, pm10, co2, voc, nox = unpack_from(">HHHHHBB", payload, 7)
    light = int.from_bytes(payload[19:22], "big")
    sequence = int.from_bytes(payload[25:28], "big")
    named = climate(payload)
    for name, raw in (("pm1", pm1), ("pm25", pm25), ("pm4", pm4), ("pm10", pm10)):
        named[name] = tenths(raw)
    named["co2_ppm"] = None if co2 == NO_16 else co2
    named.update(indices(voc, nox, payload[28]))
    named["illuminance"] = None if light == 0xFFFFFF else light / 100
    named["sequence"] = None if sequence == 0xFFFFFF else sequence
    named["is_calibrating"] = bool(payload[28] & 1)
    named["address"] = payload[34:40].hex()
    return named


DECODERS = {
    RAW_V1: decode_raw_v1,
    RAW_V2: decode_raw_v2,
    CUT_RAW_V2: decode_cut_raw_v2,
    AIR: decode_air,
    AIR_EXTENDED: decode_air_extended,
}


def climate(payload: bytes) -> "dict[str, object]":
    """The three values that begin all formats but the first."""
    temperature, humidity, pressure = unpack_from(">hHH", payload, 1)
    return {
        "temperature_c": None if temperature == NO_SIGNED_16 else temperature / 200,
        "humidity_rh": None if humidity == NO_16 else humidity / 400,
        "pressure_pa": None if pressure == NO_16 else pressure + 50000,
    }


def power(payload: bytes, at: int) -> "dict[str, object]":
    """Battery, transmitter and counters of formats 5 and C5."""
    # vvvv vvvv vvvt tttt  movement  sequence (16)
    packed, moved, sequence = unpack_from(">HBH", payload, at)
    millivolts, transmit = packed >> 5, packed & 0x1F
    return {
        "voltage_v": None if millivolts == 0x7FF else (millivolts + 1600) / 1000,
        "tx_dbm": None if transmit == 0x1F else transmit * 2 - 40,
        "movement": None if moved == 0xFF else moved,
        "sequence": None if sequence == NO_16 else sequence,
    }


def indices(voc: int, nox: int, flags: int) -> "dict[str, object]":
    """Nine bits each: the lowest one stands in the flags."""
    voc, nox = voc << 1 | flags >> 6 & 1, nox << 1 | flags >> 7 & 1
    return {
        "voc_index": None if voc == NO_9 else voc,
        "nox_index": None if nox == NO_9 else nox,
    }


def tenths(raw: int) -> "float | None":
    """A concentration of particles in µg/m³."""
    return None if raw == NO_16 else raw / 10


def readings(named: "dict[str, object]") -> tuple[Reading, ...]:
    """Turn what `decode` named into readings. Raises `NoDataError` if there is nothing."""
    found: list[Reading] = []
    for name, row in SPEC:
        if name not in named:
            continue
        value = named[name]
        if isinstance(value, (int, float)):
            found.append(measured(row, value / 100 if name == "pressure_pa" else value))
        else:
            found += without_values((row,), "no_data")
    if not found:
        raise NoDataError("the advertisement has no values")
    return tuple(found)
