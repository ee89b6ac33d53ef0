"""`angsila decode`: a captured frame, or the registers of a chip, into readings."""

import json
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from drivers import bme280, ds18b20, pms5003
from drivers.bus import Scanner
from drivers.errors import DriverError
from drivers.reading import Reading, measured

INPUT_BYTES_MAX = 4 * 1024 * 1024
MESSAGE_MAX = 400  # One line of a terminal or a log; what is longer is a pasted frame.

Fields = dict[str, Any]
Decoded = tuple[Sequence[Reading], Fields]


class InputError(DriverError):
    """The input is not what a decoder takes: the caller must write it differently."""

    FAULT = "input"


def decode(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Decode what a sensor sent: readings, and every value on the way to them.

    Raises `InputError` for an input that cannot be understood, and another `DriverError`
    with its `fault` for a sensor that sent something bad.
    """
    if kind not in DECODERS:
        raise InputError(f"no decoder {kind!r}; known: {', '.join(sorted(DECODERS))}")
    decoder, allowed = DECODERS[kind]
    if not given:
        raise InputError(f"{kind}: the input is empty; allowed keys: {', '.join(allowed)}")
    for key in given:
        if key not in allowed:
            raise InputError(f"{kind}: unknown key {key!r}; allowed: {', '.join(allowed)}")
    readings, fields = decoder(given)
    bad = [reading.quality for reading in readings if reading.quality != "ok"]
    return {
        "kind": kind,
        "readings": [reading._asdict() for reading in readings],
        "fields": fields | ({"quality": bad[0] if bad else "ok"} if readings else {}),
    }


def decode_command(kind: str, text: str, *, as_json: bool) -> int:
    """Print the result of `decode`, or one line that says what is wrong; the exit status."""
    try:
        result = decode(kind, parse(text))
    except DriverError as error:
        message = one_line(str(error))
        if as_json:
            found = {"kind": kind, "fault": error.fault, "error": message}
            print(json.dumps(found | ({"fields": error.fields} if error.fields else {})))
        print(f"angsila decode: {message} ({error.fault})", file=sys.stderr)
        return 1
    print(json.dumps(result) if as_json else render(result))
    return 0


def render(result: Mapping[str, Any]) -> str:
    """Write a result for people: one line for each reading, then the fields."""
    lines = [f"{result['kind']}:"]
    for reading in result["readings"]:
        value = "-" if reading["value"] is None else f"{reading['value']} {reading['unit']}"
        lines.append(f"  {reading['quantity']:<20} {value:<16} {reading['quality']}")
    lines += [f"    {name} = {json.dumps(value)}" for name, value in result["fields"].items()]
    return "\n".join(lines)


def parse(text: str) -> dict[str, Any]:
    """Read the JSON object. Raises `InputError`."""
    if len(text) > INPUT_BYTES_MAX:
        raise InputError(f"input of {len(text)} characters, at most {INPUT_BYTES_MAX}")
    try:
        given = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the input is no JSON: {error}") from error
    if not isinstance(given, dict):
        raise InputError(f"the input is no JSON object: {text[:60]!r}")
    return given


def one_line(message: str) -> str:
    """`message` without line breaks, cut to a readable length, in characters that print."""
    flat = " ".join(message.split())
    cut = flat if len(flat) <= MESSAGE_MAX else flat[: MESSAGE_MAX - 3] + "..."
    return cut.encode("utf-8", "backslashreplace").decode()


def hexadecimal(given: Mapping[str, Any], key: str) -> bytes:
    """The bytes under `key`. Raises `InputError`."""
    return bytes_of(key, given[key])


def bytes_of(name: str, value: Any) -> bytes:
    """Turn a text such as "42 4d 00" or "424d00" into bytes. Raises `InputError`."""
    if not isinstance(value, str):
        raise InputError(f"{name} is no hexadecimal text: {value!r}")
    try:
        return bytes.fromhex(value)
    except ValueError as error:
        raise InputError(f"{name} is no hexadecimal text: {value!r}") from error


def whole(name: str, value: Any, highest: int) -> int:
    """A whole number from 0 to `highest`. Raises `InputError`."""
    if type(value) is not int or not 0 <= value <= highest:  # True is an int, too.
        raise InputError(f"{name} is no whole number from 0 to {highest}: {value!r}")
    return value


def byte_address(name: str, text: Any) -> int:
    """A register or a chip id such as "0xD0" or "d0". Raises `InputError`."""
    if not isinstance(text, str) or not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,2}", text):
        raise InputError(f"{name} is no byte such as 0x60: {text!r}")
    return int(text, 16)


def only_one(given: Mapping[str, Any], *keys: str) -> str:
    """The one key of `keys` that is there. Raises `InputError` for none or several."""
    there = [key for key in keys if key in given]
    if len(there) != 1:
        found = " and ".join(there) or "none"
        raise InputError(f"wanted one of the keys {', '.join(keys)}; found {found}")
    return there[0]


def particles(driver: type[pms5003.PMS5003]) -> Callable[[Mapping[str, Any]], Decoded]:
    """Decoder for a frame, a stream or a command of a Plantower sensor."""

    def decode_particles(given: Mapping[str, Any]) -> Decoded:
        form = only_one(given, "frame", "stream", "command")
        if form == "command":
            if not isinstance(given["command"], str):
                raise InputError(f"command is no text: {given['command']!r}")
            return (), {"tx": pms5003.command(given["command"]).hex()}
        if form == "frame":
            words = pms5003.decode(hexadecimal(given, "frame"), driver.WORDS)
            return pms5003.readings(driver.SPEC, words), with_climate(words)
        return decode_stream(driver, hexadecimal(given, "stream"))

    return decode_particles


def decode_stream(driver: type[pms5003.PMS5003], stream: bytes) -> Decoded:
    """Find every good frame in `stream`; the fields are those of the last one and counters."""
    scanner = Scanner(pms5003.HEAD, pms5003.FRAME_BYTES, pms5003.is_good)
    frames = scanner.feed(stream)
    counters = {
        "damaged": scanner.damaged,
        "skipped_bytes": scanner.skipped_bytes,
        "pending_bytes": scanner.pending_bytes,
    }
    if not frames:
        raise no_frame(stream, counters)
    readings: list[Reading] = []
    found = []
    for frame in frames:
        words = pms5003.decode(frame, driver.WORDS)
        readings += pms5003.readings(driver.SPEC, words)
        found.append(with_climate(words))
    return readings, found[-1] | {"frames": found} | counters


def no_frame(stream: bytes, counters: Fields) -> DriverError:
    """Say why there is no frame: the fault of the first thing that begins like one."""
    start = stream.find(pms5003.HEAD)
    fault, why = "framing", "no head 424d"
    if start >= 0:
        try:
            pms5003.check(stream[start : start + pms5003.FRAME_BYTES])
        except DriverError as error:
            fault, why = error.fault, str(error)
    none_found = DriverError(f"no good frame in {len(stream)} bytes: {why}", fault)
    none_found.fields = counters
    return none_found


def with_climate(words: dict[str, int]) -> Fields:
    """Add the climate values of a PMS5003T in their units."""
    fields: Fields = dict(words)
    if "temperature_tenths" in words:
        fields["temperature_c"] = words["temperature_tenths"] / 10
        fields["humidity_rh"] = words["humidity_tenths"] / 10
    return fields


class Chip:
    """What the input says about a Bosch sensor."""

    def __init__(self, given: Mapping[str, Any]) -> None:
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
        size = 0
        while start + size in self._registers:
            size += 1
        size = next((wanted for wanted in sizes if wanted <= size), size)
        return bytes(self._registers[start + i] for i in range(size))

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


def climate(driver: type[bme280.BMP280]) -> Callable[[Mapping[str, Any]], Decoded]:
    """Decoder for the registers of a Bosch sensor, or for a list of chip ids."""

    def decode_climate(given: Mapping[str, Any]) -> Decoded:
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


def probe(given: Mapping[str, Any]) -> Decoded:
    """Decoder for a DS18B20: scratchpad, text of the kernel, temperature bytes or address."""
    if "scratchpad" in given and "w1_slave" in given:
        only_one({key: given[key] for key in given if key != "w1_slave"}, *PROBE_KEYS)
        if hexadecimal(given, "scratchpad") != parse_kernel_text(given["w1_slave"]):
            raise InputError("scratchpad and w1_slave do not hold the same bytes")
        return from_scratchpad(hexadecimal(given, "scratchpad"))
    form = only_one(given, *PROBE_KEYS)
    if form == "rom":
        return (), from_rom(hexadecimal(given, "rom"))
    if form == "temp_lsb_msb":
        return from_temperature(hexadecimal(given, "temp_lsb_msb"))
    if form == "w1_slave":
        return from_scratchpad(parse_kernel_text(given["w1_slave"]))
    return from_scratchpad(hexadecimal(given, "scratchpad"))


def address(given: Mapping[str, Any]) -> Decoded:
    """Decoder for the address of any 1-Wire device."""
    return (), from_rom(hexadecimal(given, "rom"))


def parse_kernel_text(text: Any) -> bytes:
    """The scratchpad in the text of `w1_slave`. Raises `DriverError`."""
    if not isinstance(text, str):
        raise InputError(f"w1_slave is no text: {text!r}")
    return ds18b20.parse_w1_slave(text)


def from_scratchpad(scratchpad: bytes) -> Decoded:
    """Reading and fields of nine bytes. Raises `DriverError`."""
    celsius = ds18b20.decode(scratchpad)
    fields = {
        "temperature_c": celsius,
        "crc_ok": True,
        "raw": int.from_bytes(scratchpad[:2], "little", signed=True),
        "resolution_bits": ds18b20.resolution_bits(scratchpad[4]),
        "scratchpad": scratchpad.hex(),
    }
    return (measured(ds18b20.DS18B20.SPEC[0], celsius),), fields


def from_temperature(two: bytes) -> Decoded:
    """Reading and fields of the two temperature bytes alone. Raises `FrameError`."""
    if len(two) != 2:
        raise InputError(f"temp_lsb_msb has {len(two)} bytes, wanted 2")
    raw = int.from_bytes(two, "little")
    celsius = ds18b20.celsius(raw)
    return (measured(ds18b20.DS18B20.SPEC[0], celsius),), {"temperature_c": celsius, "raw": raw}


def from_rom(rom: bytes) -> Fields:
    """Fields of a 1-Wire address. Raises `FrameError` or `ChecksumError`."""
    device = ds18b20.device_name(rom)
    return {"crc_ok": True, "family": device[:2], "device": device}


PARTICLE_KEYS = ("frame", "stream", "command")
CLIMATE_KEYS = ("regs", "calib_88", "calib_e1", "adc_t", "adc_p", "adc_h", "chip_ids")
PROBE_KEYS = ("scratchpad", "w1_slave", "temp_lsb_msb", "rom")

# kind → decoder and the keys of its input
DECODERS: dict[str, tuple[Callable[[Mapping[str, Any]], Decoded], tuple[str, ...]]] = {
    "1-wire": (address, ("rom",)),
    "bme280": (climate(bme280.BME280), CLIMATE_KEYS),
    "bmp280": (climate(bme280.BMP280), CLIMATE_KEYS),
    "ds18b20": (probe, PROBE_KEYS),
    "pms5003": (particles(pms5003.PMS5003), PARTICLE_KEYS),
    "pms5003t": (particles(pms5003.PMS5003T), PARTICLE_KEYS),
    "pms7003": (particles(pms5003.PMS5003), PARTICLE_KEYS),
    "pmsa003i": (particles(pms5003.PMS5003), PARTICLE_KEYS),
}
