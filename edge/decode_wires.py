"""Decoders for 1-Wire devices, for pulses on a pin, and for sound."""

from typing import Any

from drivers import ds18b20, pulses, sound
from drivers.reading import measured
from edge.decode_i2c import Decoder
from edge.decode_input import (
    Decoded,
    Fields,
    Given,
    InputError,
    hexadecimal,
    number,
    numbers,
    only_one,
    positive,
    whole,
)

PROBE_KEYS = ("scratchpad", "w1_slave", "temp_lsb_msb", "rom")
GAP_MS_MAX = 60_000


def probe(driver: type[ds18b20.DS18B20]) -> Decoder:
    """Decoder for a probe: scratchpad, text of the kernel, temperature bytes or address."""

    def decode_probe(given: Given) -> Decoded:
        return from_probe(driver, given)

    return decode_probe


def from_probe(driver: type[ds18b20.DS18B20], given: Given) -> Decoded:
    """Reading and fields of whichever form is given. Raises `DriverError`."""
    if "scratchpad" in given and "w1_slave" in given:
        only_one({key: given[key] for key in given if key != "w1_slave"}, *PROBE_KEYS)
        if hexadecimal(given, "scratchpad") != parse_kernel_text(given["w1_slave"]):
            raise InputError("scratchpad and w1_slave do not hold the same bytes")
        return from_scratchpad(driver, hexadecimal(given, "scratchpad"))
    form = only_one(given, *PROBE_KEYS)
    if form == "rom":
        return (), from_rom(hexadecimal(given, "rom"))
    if form == "temp_lsb_msb":
        return from_temperature(driver, hexadecimal(given, "temp_lsb_msb"))
    if form == "w1_slave":
        return from_scratchpad(driver, parse_kernel_text(given["w1_slave"]))
    return from_scratchpad(driver, hexadecimal(given, "scratchpad"))


def address(given: Given) -> Decoded:
    """Decoder for the address of any 1-Wire device."""
    return (), from_rom(hexadecimal(given, "rom"))


def parse_kernel_text(text: Any) -> bytes:
    """The scratchpad in the text of `w1_slave`. Raises `DriverError`."""
    if not isinstance(text, str):
        raise InputError(f"w1_slave is no text: {text!r}")
    return ds18b20.parse_w1_slave(text)


def from_scratchpad(driver: type[ds18b20.DS18B20], scratchpad: bytes) -> Decoded:
    """Reading and fields of nine bytes. Raises `DriverError`."""
    celsius = driver.decode(scratchpad)
    fields: Fields = {
        "temperature_c": celsius,
        "crc_ok": True,
        "raw": int.from_bytes(scratchpad[:2], "little", signed=True),
        "scratchpad": scratchpad.hex(),
    }
    if driver is ds18b20.DS18B20:
        fields["resolution_bits"] = ds18b20.resolution_bits(scratchpad[4])
    return (measured(driver.SPEC[0], celsius),), fields


def from_temperature(driver: type[ds18b20.DS18B20], two: bytes) -> Decoded:
    """Reading and fields of the two temperature bytes alone. Raises `InputError`."""
    if len(two) != 2:
        raise InputError(f"temp_lsb_msb has {len(two)} bytes, wanted 2")
    raw = int.from_bytes(two, "little")
    signed = int.from_bytes(two, "little", signed=True)
    celsius = ds18b20.celsius(raw) if driver is ds18b20.DS18B20 else signed / 2
    return (measured(driver.SPEC[0], celsius),), {"temperature_c": celsius, "raw": raw}


def from_rom(rom: bytes) -> Fields:
    """Fields of a 1-Wire address. Raises `FrameError` or `ChecksumError`."""
    device = ds18b20.device_name(rom)
    return {"crc_ok": True, "family": device[:2], "device": device}


def rain(given: Given) -> Decoded:
    """Decoder for the edges of a tipping bucket, in ms."""
    edges_ms = [int(edge) for edge in numbers("edges_ms", given.get("edges_ms"))]
    gap_ms = whole("min_gap_ms", given.get("min_gap_ms", pulses.TIP_GAP_MS), GAP_MS_MAX)
    per_tip = positive("mm_per_tip", given.get("mm_per_tip", pulses.MM_PER_TIP))
    tips = pulses.tips(edges_ms, gap_ms)
    fields = {"tips": tips, "rain_mm": tips * per_tip}
    return (measured(pulses.Rain.SPEC[0], tips * per_tip),), fields


def wind(given: Given) -> Decoded:
    """Decoder for the pulses of an anemometer: their number in a time, or their edges in ms."""
    kmh_per_hz = positive("kmh_per_hz", given.get("kmh_per_hz", pulses.KMH_PER_HZ))
    window_s = positive("window_s", given.get("window_s", pulses.GUST_S))
    fields: Fields = {}
    if only_one(given, "pulses", "edges_ms") == "pulses":
        count = whole("pulses", given["pulses"], 10_000_000)
    else:
        gap_ms = whole("min_gap_ms", given.get("min_gap_ms", pulses.WIND_GAP_MS), GAP_MS_MAX)
        counter = pulses.PulseCounter(gap_ms, pulses.GUST_S)
        for edge in numbers("edges_ms", given["edges_ms"]):
            counter.edge(int(edge))
        count, most = counter.take()
        fields["pulses"] = count
        fields["gust_ms"] = pulses.metres_per_second(most / pulses.GUST_S, kmh_per_hz)
    metres_per_s = pulses.metres_per_second(count / window_s, kmh_per_hz)
    fields["wind_kmh"] = count / window_s * kmh_per_hz
    fields["wind_ms"] = metres_per_s
    return (measured(pulses.Anemometer.SPEC[0], metres_per_s),), fields


def noise(given: Given) -> Decoded:
    """Decoder for sound: A-weighting of tones, a level of a microphone, or a row of levels."""
    if "sine_dbfs_rms" in given:
        return loudness(given)
    if only_one(given, "freq_hz", "levels_db") == "levels_db":
        levels = numbers("levels_db", given["levels_db"])
        for level in levels:
            if not -200 <= level <= 300:
                raise InputError(f"a level of {level} dB is not from -200 to 300")
        fields: Fields = {
            "laeq": sound.equivalent_db(levels),
            "l10": sound.exceeded_db(levels, 10),
            "l90": sound.exceeded_db(levels, 90),
        }
        return sound.readings(sound.SoundLevel.SPEC, levels), fields
    value = given["freq_hz"]
    tones = numbers("freq_hz", value if isinstance(value, list) else [value])
    weights = [sound.a_weighting_db(sound.exact_hz(audible(tone))) for tone in tones]
    return (), {"db": weights if isinstance(value, list) else weights[0]}


def audible(hertz: float) -> float:
    """A frequency for which the weighting means something. Raises `InputError`."""
    if not 1 <= hertz <= 100_000:
        raise InputError(f"freq_hz of {hertz} is not from 1 to 100000")
    return hertz


def loudness(given: Given) -> Decoded:
    """What a tone on a microphone with some sensitivity means."""
    level = sound.level_db(
        number("sine_dbfs_rms", given["sine_dbfs_rms"]),
        number("mic_sensitivity_dbfs", given.get("mic_sensitivity_dbfs", sound.SENSITIVITY_DBFS)),
        number("ref_db", given.get("ref_db", sound.REFERENCE_DB)),
        number("offset_db", given.get("offset_db", sound.SINE_DB)),
    )
    level += sound.a_weighting_db(audible(number("freq_hz", given.get("freq_hz", 1000))))
    return (measured(sound.SoundLevel.SPEC[0], level),), {"dba": level}


SOUND_KEYS = (
    "freq_hz",
    "levels_db",
    "sine_dbfs_rms",
    "mic_sensitivity_dbfs",
    "ref_db",
    "offset_db",
)

# kind → decoder and the keys of its input
DECODERS: dict[str, tuple[Decoder, tuple[str, ...]]] = {
    "1-wire": (address, ("rom",)),
    "anemometer": (wind, ("pulses", "edges_ms", "min_gap_ms", "window_s", "kmh_per_hz")),
    "ds18b20": (probe(ds18b20.DS18B20), PROBE_KEYS),
    "ds18s20": (probe(ds18b20.DS18S20), PROBE_KEYS),
    "rain": (rain, ("edges_ms", "min_gap_ms", "mm_per_tip")),
    "sound_level": (noise, SOUND_KEYS),
}
