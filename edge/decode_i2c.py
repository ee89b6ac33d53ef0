"""Decoders for what chips on I²C hold in their registers or answer to commands."""

import re
from collections.abc import Callable
from typing import Any

from drivers import ads1115, bme280, ezo, ina219, light, ms5837, scd4x, sensirion, sht4x, sps30
from drivers.errors import FrameError
from edge.decode_input import (
    Decoded,
    Fields,
    Given,
    InputError,
    byte_address,
    bytes_of,
    finite,
    hexadecimal,
    number,
    one_or_many,
    only_one,
    positive,
    whole,
    word_of,
)

Decoder = Callable[[Given], Decoded]


class Chip:
    """What the input says about a Bosch sensor."""

    def __init__(self, given: Given) -> None:
        self._given = given
        self._registers: dict[int, int] = {}
        regs = given.get("regs", {})
        if not isinstance(regs, dict):
            raise InputError(f"regs is no object of registers: {regs!r}")
        for key, value in regs.items():
            start = byte_address("a key of regs", key)
            run = bytes_of(f"regs {key}", value)
            if start + len(run) > 256:
                raise InputError(f"regs {key} runs over register 0xFF: {len(run)} bytes")
            self._registers.update(enumerate(run, start))

    def run(self, start: int, *sizes: int) -> bytes:
        """Registers from `start` on, in the first of `sizes` that is there; else as many as are."""
        length = 0
        while start + length in self._registers:
            length += 1
        length = next((wanted for wanted in sizes if wanted <= length), length)
        return bytes(self._registers[start + i] for i in range(length))

    def calibration(self, *, humid: bool) -> bme280.Calibration:
        """The trimming parameters. Raises `InputError` if there are none."""
        calib_88 = self._bytes("calib_88") or self.run(
            bme280.REG_CALIB_88, bme280.CALIB_88_BYTES, 24
        )
        if not calib_88:
            raise InputError("the calibration is missing: regs 0x88 or calib_88")
        if not humid:
            return bme280.Calibration(calib_88)
        calib_e1 = self._bytes("calib_e1") or self.run(bme280.REG_CALIB_E1, bme280.CALIB_E1_BYTES)
        if not calib_e1:
            raise InputError("the calibration of humidity is missing: regs 0xE1 or calib_e1")
        return bme280.Calibration(calib_88, calib_e1)

    def raw(self, *, humid: bool) -> tuple[int, int, int | None]:
        """The output registers as numbers. Raises `InputError`, `NoDataError`, `FrameError`."""
        burst = self.run(bme280.REG_DATA, *((8, 6) if humid else (6,)))
        found = bme280.split(burst) if burst else (None, None, None)
        adc_t = self._adc("adc_t", found[0], 0xFFFFF)
        adc_p = self._adc("adc_p", found[1], 0xFFFFF)
        adc_h = self._adc("adc_h", found[2], 0xFFFF) if humid else None
        if adc_t is None or adc_p is None:
            raise InputError("the measurement is missing: regs 0xF7, or adc_t and adc_p")
        bme280.check_measured(adc_t, adc_p, adc_h)
        return adc_t, adc_p, adc_h

    def _bytes(self, key: str) -> bytes:
        return hexadecimal(self._given, key) if key in self._given else b""

    def _adc(self, key: str, found: int | None, highest: int) -> int | None:
        if key not in self._given:
            return found
        value = whole(key, self._given[key], highest)
        if found not in {None, value}:
            raise InputError(f"{key} = {value}, but regs 0xF7 say {found}")
        return value


def climate(driver: type[bme280.BMP280]) -> Decoder:
    """Decoder for the registers of a Bosch sensor, or for a list of chip ids."""

    def decode_climate(given: Given) -> Decoded:
        if "chip_ids" in given:
            return (), accepted(given["chip_ids"])
        chip = Chip(given)
        fields: Fields = {}
        humid = driver is bme280.BME280
        chip_id = chip.run(bme280.REG_ID, 1)
        if chip_id:
            fields["chip"] = bme280.check_chip(chip_id[0])
            humid = humid and chip_id[0] == bme280.HUMID_CHIP
            if set(given) == {"regs"} and not chip.run(bme280.REG_DATA):
                return (), fields
        raw = chip.raw(humid=humid)
        calibration = chip.calibration(humid=raw[2] is not None)
        compensated = bme280.compensate(calibration, *raw)
        fields |= trimming(calibration) | steps(raw, compensated)
        return bme280.readings(driver.SPEC, compensated), fields

    return decode_climate


def accepted(chip_ids: Any) -> Fields:
    """Which of `chip_ids` the driver takes. Raises `InputError`."""
    if not isinstance(chip_ids, (dict, list)):
        raise InputError(f"chip_ids is no object and no list: {chip_ids!r}")
    return {"accept": [text for text in chip_ids if byte_address("chip id", text) in bme280.CHIPS]}


def trimming(calibration: bme280.Calibration) -> Fields:
    """The trimming parameters under the names of the data sheet."""
    groups = {
        "T": calibration.temperature,
        "P": calibration.pressure,
        "H": calibration.humidity or (),
    }
    return {
        f"dig_{letter}{number}": value
        for letter, values in groups.items()
        for number, value in enumerate(values, 1)
    }


def steps(
    raw: tuple[int, int, int | None], compensated: tuple[int, int, int, int | None]
) -> Fields:
    """The numbers on the way from the output registers to the readings."""
    t_fine, temperature_centi, pressure, humidity = compensated
    fields: Fields = {
        "adc_t": raw[0],
        "adc_p": raw[1],
        "t_fine": t_fine,
        "temperature_centi": temperature_centi,
        "temperature_c": temperature_centi / 100,
        "pressure_q24_8": pressure,
        "pressure_pa": pressure / 256,
    }
    if humidity is not None:
        fields |= {
            "adc_h": raw[2],
            "humidity_q22_10": humidity,
            "humidity_rh": humidity / 1024,
        }
    return fields


def crc(given: Given) -> Decoded:
    """Decoder for the CRC of Sensirion's words."""
    return (), {"crc8": f"{sensirion.crc8(hexadecimal(given, 'bytes')):02x}"}


def humidity(given: Given) -> Decoded:
    """Decoder for an SHT4x: the answer to a measurement, or the ticks in it."""
    form = form_of(given, "response", "bytes")
    if form == "bytes":
        return crc(given)
    if form == "ticks":
        return (), converted(given, sht4x.celsius, sht4x.percent)
    if command_of(given) == sht4x.READ_SERIAL_NUMBER.hex():
        return (), serial(hexadecimal(given, "response"))
    celsius, percent = sht4x.decode(hexadecimal(given, "response"))
    ticks = sensirion.words(hexadecimal(given, "response"), 2)
    fields = {"temperature_c": celsius, "humidity_rh": percent}
    return sht4x.readings(sht4x.SHT4x.SPEC, *ticks), fields


def carbon_dioxide(driver: type[scd4x.SCD40]) -> Decoder:
    """Decoder for an SCD4x: answers to its commands, or the ticks in them."""

    def decode_carbon_dioxide(given: Given) -> Decoded:
        form = form_of(given, "response", "responses", "bytes")
        if form == "bytes":
            return crc(given)
        if form == "ticks":
            return (), converted(given, scd4x.celsius, scd4x.percent)
        if form == "responses":
            return (), {"ready": [ready(one) for one in given_list(given, "responses")]}
        answer = hexadecimal(given, "response")
        if len(answer) == sensirion.WORD_BYTES:
            return (), {"ready": ready(given["response"])}
        if command_of(given) == f"{scd4x.GET_SERIAL_NUMBER:04x}":
            return (), serial(answer)
        co2, celsius, percent = scd4x.decode(answer)
        fields = {"co2_ppm": co2, "temperature_c": celsius, "humidity_rh": percent}
        return scd4x.readings(driver.SPEC, *sensirion.words(answer, 3)), fields

    return decode_carbon_dioxide


def command_of(given: Given) -> str:
    """The command that was answered, in hexadecimal; empty if it is not said."""
    return hexadecimal(given, "cmd").hex() if "cmd" in given else ""


def serial(answer: bytes) -> Fields:
    """A chip's serial number: the words of an answer, one behind the other."""
    words = sensirion.words(answer, len(answer) // sensirion.WORD_BYTES)
    return {"serial": "".join(f"{word:04x}" for word in words)}


def ready(response: Any) -> bool:
    """Whether an answer to get_data_ready_status promises a measurement."""
    return scd4x.is_ready(sensirion.words(bytes_of("a response", response), 1)[0])


def form_of(given: Given, *keys: str) -> str:
    """The one key that is there; "ticks" for one or both of the numbers behind it."""
    if "ticks_t" in given or "ticks_rh" in given:
        return "ticks"
    return only_one(given, *keys, "ticks_t", "ticks_rh")


def converted(
    given: Given, celsius: Callable[[int], float], percent: Callable[[int], float]
) -> Fields:
    """What ticks mean, one by one. Raises `InputError`."""
    fields: Fields = {}
    for key, name, convert in (
        ("ticks_t", "temperature_c", celsius),
        ("ticks_rh", "humidity_rh", percent),
    ):
        if key in given:
            ticks, many = one_or_many(key, given[key], 0xFFFF)
            values = [convert(one) for one in ticks]
            fields[name] = values if many else values[0]
    return fields


def given_list(given: Given, key: str) -> list[Any]:
    """The list under `key`. Raises `InputError`."""
    if not isinstance(given[key], list):
        raise InputError(f"{key} is no list: {given[key]!r}")
    return list(given[key])


def air(given: Given) -> Decoded:
    """Decoder for an SPS30 on I²C: the answer of 60 bytes to the reading of a measurement."""
    values = sps30.measurement(sps30.from_words(hexadecimal(given, "response")))
    fields = {name: finite(value) for name, value in values.items()}
    return sps30.readings(sps30.SPEC, values), fields


def depth(driver: type[ms5837.MS5837] | None, model: str) -> Decoder:
    """Decoder for a pressure sensor by TE: its PROM, and raw pressure and temperature."""

    def decode_depth(given: Given) -> Decoded:
        fields: Fields = {}
        if "prom" in given:
            prom = [word_of("a word of prom", one) for one in given_list(given, "prom")]
            fields = checked_prom(prom)
            if "d1" not in given:
                return (), fields
            ms5837.check_prom(prom)
            coefficients = tuple(prom[1:7])
        else:
            only_one(given, "prom", "prom_c1_c6")
            coefficients = tuple(
                word_of("a word of prom_c1_c6", one) for one in given_list(given, "prom_c1_c6")
            )
        d1 = whole("d1", given.get("d1"), 0xFFFFFF)
        d2 = whole("d2", given.get("d2"), 0xFFFFFF)
        raw = ms5837.compensate(model, coefficients, d1, d2)
        readings = ms5837.readings(driver.SPEC, model, raw) if driver else ()
        return readings, fields | pressures(model, raw)

    return decode_depth


def checked_prom(prom: list[int]) -> Fields:
    """The CRC that a PROM has and the one that it should have. Raises `FrameError`."""
    if len(prom) not in {ms5837.PROM_WORDS, ms5837.PROM_WORDS + 1}:
        raise FrameError(f"PROM of {len(prom)} words, wanted 7 or 8", "length")
    given, stored = ms5837.crc4(prom), ms5837.stored_crc4(prom)
    return {"crc4": given, "crc4_stored": stored, "crc_ok": given == stored}


def pressures(model: str, raw: ms5837.Raw) -> Fields:
    """The numbers on the way, named with the size of their last digit."""
    pascals = ms5837.SCALES[model].pascals
    digit = "decimbar" if pascals == 10 else "centimbar"
    return {
        "dT": raw.dt,
        "temp_1st_centi": raw.temp_1st_centi,
        "off": raw.off,
        "sens": raw.sens,
        f"p_1st_{digit}": raw.p_1st,
        "temp_2nd_centi": raw.temp_2nd_centi,
        f"p_2nd_{digit}": raw.p_2nd,
        "p_1st_pa": raw.p_1st * pascals,
        "p_2nd_pa": raw.p_2nd * pascals,
        "pressure_mbar": raw.p_2nd * pascals / 100,
        "temperature_c": raw.temp_2nd_centi / 100,
    }


def voltage(given: Given) -> Decoded:
    """Decoder for the conversion register of an ADS1115."""
    range_v = number("fsr_v", given.get("fsr_v", 2.048))
    ads1115.check_range(range_v)
    raw = ads1115.decode(hexadecimal(given, "bytes"))
    fields = {"raw": raw, "millivolt": ads1115.volts(raw, range_v) * 1000}
    return (ads1115.reading(ads1115.ADS1115.SPEC[0], raw, range_v),), fields


def supply(given: Given) -> Decoded:
    """Decoder for the registers of an INA219, or for its calibration."""
    if "regs" not in given:
        shunt_ohm = number("r_shunt", given.get("r_shunt"))
        lsb_a, value = ina219.calibration(shunt_ohm, number("i_max", given.get("i_max")))
        return (), {"current_lsb_a": lsb_a, "cal": value}
    if not isinstance(given["regs"], dict):
        raise InputError(f"regs is no object of registers: {given['regs']!r}")
    registers = {
        byte_address("a key of regs", key): ina219.word(bytes_of(f"regs {key}", value))
        for key, value in given["regs"].items()
    }
    fields: Fields = {}
    if ina219.REG_SHUNT in registers:
        fields["shunt_mv"] = round(ina219.shunt_volts(registers[ina219.REG_SHUNT]) * 1000, 6)
    if ina219.REG_BUS in registers:
        fields["bus_v"] = round(ina219.bus_volts(registers[ina219.REG_BUS]), 6)
        fields["overflow"] = ina219.is_overflow(registers[ina219.REG_BUS])
        fields["ready"] = bool(registers[ina219.REG_BUS] & ina219.CONVERSION_READY)
    if "current_lsb" not in given:
        return (), fields
    lsb_a = positive("current_lsb", given["current_lsb"])
    if ina219.REG_CURRENT in registers:
        fields["current_a"] = round(ina219.signed(registers[ina219.REG_CURRENT]) * lsb_a, 9)
    if ina219.REG_POWER in registers:
        watts = registers[ina219.REG_POWER] * ina219.POWER_OF_CURRENT * lsb_a
        fields["power_w"] = round(watts, 9)
    needed = {ina219.REG_BUS, ina219.REG_CURRENT, ina219.REG_POWER}
    # Without the bit that says so, a conversion may be half old; the fields say it.
    if not needed <= set(registers) or not fields["ready"]:
        return (), fields
    return ina219.readings(ina219.INA219.SPEC, registers, lsb_a), fields


def brightness(given: Given) -> Decoded:
    """Decoder for the count of a BH1750."""
    mode = mode_of(given.get("mode", "H-res"))
    mtreg = whole("mtreg", given.get("mtreg", light.MTREG_DEFAULT), 0xFF)
    light.check_bh1750(mode, mtreg)
    raw = light.count(hexadecimal(given, "bytes"))
    lux = light.bh1750_lux(raw, mode, mtreg)
    fields: Fields = {"raw": raw, "lux": lux}
    if raw == light.SATURATED:
        fields["lux_min"] = int(lux)
    return (light.reading(light.BH1750.SPEC[0], raw, lux),), fields


def mode_of(text: Any) -> str:
    """A mode of a BH1750 as its data sheet or people write it: H-resolution mode 2, h_res2."""
    if not isinstance(text, str):
        raise InputError(f"mode is no text: {text!r}")
    short = re.sub(r"olution|mode|[^a-z0-9]", "", text.lower())
    return next(
        (mode for mode in light.BH1750_MODES if re.sub("[^a-z0-9]", "", mode.lower()) == short),
        text,
    )


def ambient(given: Given) -> Decoded:
    """Decoder for the count of a VEML7700, with its gain, time and constant."""
    if "bytes" in given:
        low_first = hexadecimal(given, "bytes")
        raw = light.count(low_first[::-1])
    else:
        raw = whole("raw", given.get("raw"), 0xFFFF)
    gain = number("gain", given.get("gain", 1))
    integration_ms = whole("it_ms", given.get("it_ms", 100), 800)
    light.check_veml7700(gain, integration_ms)
    base = positive("lx_per_count_base", given.get("lx_per_count_base", light.LUX_PER_COUNT))
    corrected = given.get("correction", True)
    if not isinstance(corrected, bool):
        raise InputError(f"correction is not true or false: {corrected!r}")
    lux = light.veml7700_lux(raw, gain, integration_ms, base, corrected=corrected)
    fields: Fields = {"raw": raw, "lux": lux, "lx_per_count_base": base}
    if raw == light.SATURATED:
        fields["lux_min"] = int(lux)
    return (light.reading(light.VEML7700.SPEC[0], raw, lux),), fields


def circuit(driver: type[ezo.EZO] | None) -> Decoder:
    """Decoder for the answer of an Atlas EZO circuit."""

    def decode_circuit(given: Given) -> Decoded:
        values = ezo.decode(hexadecimal(given, "response"))
        fields: Fields = {"values": list(values)}
        if len(values) == 1:
            fields["value"] = values[0]
        return (ezo.readings(driver.SPEC, values) if driver else ()), fields

    return decode_circuit


CLIMATE_KEYS = ("regs", "calib_88", "calib_e1", "adc_t", "adc_p", "adc_h", "chip_ids")
SENSIRION_KEYS = ("response", "responses", "bytes", "ticks_t", "ticks_rh", "cmd", "wait_ms")
DEPTH_KEYS = ("prom", "prom_c1_c6", "d1", "d2")
LIGHT_KEYS = ("raw", "bytes", "gain", "it_ms", "lx_per_count_base", "correction")

# kind → decoder and the keys of its input
DECODERS: dict[str, tuple[Decoder, tuple[str, ...]]] = {
    "ads1115": (voltage, ("bytes", "fsr_v")),
    "bh1750": (brightness, ("bytes", "mode", "mtreg")),
    "bme280": (climate(bme280.BME280), CLIMATE_KEYS),
    "bmp280": (climate(bme280.BMP280), CLIMATE_KEYS),
    "ezo": (circuit(None), ("response",)),
    "ezo_do": (circuit(ezo.EZODO), ("response",)),
    "ezo_ec": (circuit(ezo.EZOEC), ("response",)),
    "ezo_ph": (circuit(ezo.EZOPH), ("response",)),
    "ina219": (supply, ("regs", "r_shunt", "current_lsb", "i_max")),
    "ms5607": (depth(None, "5607"), DEPTH_KEYS),
    "ms5611": (depth(None, "5611"), DEPTH_KEYS),
    "ms5837_02ba": (depth(ms5837.MS583702BA, "02ba"), DEPTH_KEYS),
    "ms5837_30ba": (depth(ms5837.MS583730BA, "30ba"), DEPTH_KEYS),
    "scd40": (carbon_dioxide(scd4x.SCD40), SENSIRION_KEYS),
    "scd41": (carbon_dioxide(scd4x.SCD41), SENSIRION_KEYS),
    "sht4x": (humidity, SENSIRION_KEYS),
    "sps30_i2c": (air, ("response",)),
    "veml7700": (ambient, LIGHT_KEYS),
}
