"""Decoders for what sensors send over a serial line, and for their commands."""

from collections.abc import Callable
from typing import Any

from drivers import mhz19b, modbus, pms5003, radar, sds011, sps30, ultrasonic
from drivers.bus import Scanner
from drivers.errors import DriverError, NoDataError
from drivers.reading import Reading
from edge.decode_i2c import Decoder
from edge.decode_input import (
    Decoded,
    Fields,
    Given,
    InputError,
    byte_address,
    finite,
    hexadecimal,
    numbers,
    only_one,
    text,
)

Take = Callable[[bytes], Decoded]


def sent(
    head: bytes,
    make_scanner: Callable[[], Scanner],
    take: Take,
    command: Callable[[str], bytes] | None = None,
) -> Decoder:
    """Decoder for one frame, for a stream with noise, or for a command by its name."""
    forms = ("frame", "stream", "command") if command else ("frame", "stream")

    def decode_sent(given: Given) -> Decoded:
        form = only_one(given, *forms)
        if form == "frame":
            return take(hexadecimal(given, "frame"))
        if form == "stream":
            return decode_stream(head, make_scanner(), take, hexadecimal(given, "stream"))
        if command is None:
            raise InputError("there are no commands")
        return (), {"tx": command(text(given, "command")).hex()}

    return decode_sent


def decode_stream(head: bytes, scanner: Scanner, take: Take, stream: bytes) -> Decoded:
    """Find every good frame in `stream`; the fields are those of the last one and counters."""
    frames = scanner.feed(stream)
    counters = {
        "damaged": scanner.damaged,
        "skipped_bytes": scanner.skipped_bytes,
        "pending_bytes": scanner.pending_bytes,
    }
    if not frames:
        raise no_frame(head, take, stream, counters)
    readings: list[Reading] = []
    found: list[Fields] = []
    last: Fields = {}
    for frame in frames:
        try:
            of_frame, last = take(frame)
        except NoDataError as error:  # A good frame in which the sensor says that it has none.
            found.append({"fault": error.fault} | error.fields)
        else:
            readings += of_frame
            found.append(last)
    return readings, last | {"frames": found} | counters


def no_frame(head: bytes, take: Take, stream: bytes, counters: Fields) -> DriverError:
    """Say why there is no frame: the fault of the first thing that begins like one."""
    start = stream.find(head)
    fault, why = "framing", f"no head {head.hex()}"
    if start >= 0:
        try:
            take(stream[start : start + FRAME_BYTES_OF.get(head, len(stream))])
        except DriverError as error:
            fault, why = error.fault, str(error)
    none_found = DriverError(f"no good frame in {len(stream)} bytes: {why}", fault)
    none_found.fields = counters
    return none_found


# Head → length of a frame that always has the same one.
FRAME_BYTES_OF = {
    pms5003.HEAD: pms5003.FRAME_BYTES,
    sds011.HEAD: sds011.FRAME_BYTES,
    mhz19b.HEAD: mhz19b.FRAME_BYTES,
    bytes([ultrasonic.HEAD]): ultrasonic.FRAME_BYTES,
    radar.TARGETS_HEAD: radar.TARGETS_BYTES,
}


def particles(driver: type[pms5003.PMS5003]) -> Decoder:
    """Decoder for a Plantower sensor."""

    def take(frame: bytes) -> Decoded:
        words = pms5003.decode(frame, driver.WORDS)
        return pms5003.readings(driver.SPEC, words), with_climate(words)

    return sent(
        pms5003.HEAD,
        lambda: Scanner(pms5003.HEAD, pms5003.FRAME_BYTES, pms5003.is_good),
        take,
        pms5003.command,
    )


def with_climate(words: dict[str, int]) -> Fields:
    """Add the climate values of a PMS5003T in their units."""
    fields: Fields = dict(words)
    if "temperature_tenths" in words:
        fields["temperature_c"] = words["temperature_tenths"] / 10
        fields["humidity_rh"] = words["humidity_tenths"] / 10
    return fields


def dust(frame: bytes) -> Decoded:
    """Readings and fields of a frame of an SDS011."""
    decoded = sds011.decode(frame)
    pm2_5, pm10, device_id = decoded
    fields = {"pm25": pm2_5, "pm10": pm10, "device_id": device_id}
    return sds011.readings(sds011.SDS011.SPEC, decoded), fields


def carbon_dioxide(frame: bytes) -> Decoded:
    """Readings and fields of a frame of an MH-Z19B."""
    co2, celsius = mhz19b.decode(frame)
    return mhz19b.readings(mhz19b.MHZ19B.SPEC, co2), {"co2_ppm": co2, "temperature_c": celsius}


def distance(driver: type[ultrasonic.A02YYUW]) -> Decoder:
    """Decoder for an ultrasonic sensor; a stream also gives all distances in it."""

    def take(frame: bytes) -> Decoded:
        distance_mm = driver.decode(frame)
        row = driver.SPEC[0]
        metres = distance_mm / 1000
        return (Reading(row[0], metres, row[1]),), {"distance_mm": distance_mm}

    def decode_distance(given: Given) -> Decoded:
        readings, fields = decode_frames(given)
        if "frames" in fields:
            heard = [one["distance_mm"] for one in fields["frames"] if "distance_mm" in one]
            fields["distances_mm"] = heard
        return readings, fields

    decode_frames = sent(
        bytes([ultrasonic.HEAD]),
        lambda: Scanner(bytes([ultrasonic.HEAD]), ultrasonic.FRAME_BYTES, driver.is_good),
        take,
    )
    return decode_distance


def presence(frame: bytes) -> Decoded:
    """Readings and fields of a report of an LD2410."""
    said = radar.decode_report(frame)
    return radar.presence(radar.LD2410.SPEC, said), dict(said)


def targets(frame: bytes) -> Decoded:
    """Readings and fields of a frame of an LD2450."""
    found = radar.decode_targets(frame)
    fields = {"targets_x_y_speed_res": [list(one) for one in found]}
    return radar.nearest(radar.LD2450.SPEC, found), fields


def air(given: Given) -> Decoded:
    """Decoder for an SPS30: an answer, a stream, a command, or bytes to be unstuffed."""
    if "cmd" in given:
        code = byte_address("cmd", given["cmd"])
        arguments = hexadecimal(given, "data") if "data" in given else b""
        return (), {"tx": sps30.request(code, arguments).hex()}
    if only_one(given, "frame", "stream", "bytes") == "bytes":
        return (), {"bytes": sps30.unstuff(hexadecimal(given, "bytes")).hex()}
    return air_frames(given)


def air_frame(frame: bytes) -> Decoded:
    """Readings and fields of an answer of an SPS30."""
    code, state, answer = sps30.parse(frame)
    sps30.check_state(state)
    if code != sps30.READ:
        return (), {"cmd": f"{code:02x}", "state": state, "data": answer.hex()}
    values = sps30.measurement(answer)
    return sps30.readings(sps30.SPEC, values), {
        name: finite(value) for name, value in values.items()
    }


air_frames = sent(bytes([sps30.MARK]), sps30.make_scanner, air_frame)


def probe(names: tuple[str, ...]) -> Decoder:
    """Decoder for Modbus RTU: a frame, or a request with its answer."""

    def decode_probe(given: Given) -> Decoded:
        if only_one(given, "frame", "response") == "frame":
            return (), modbus.parse(hexadecimal(given, "frame"))
        asked = modbus.parse(hexadecimal(given, "request"))
        if "count" not in asked:
            raise InputError(f"request is no request for registers: {given['request']!r}")
        registers = modbus.decode_answer(
            hexadecimal(given, "response"), asked["unit"], asked["fc"], asked["count"]
        )
        fields: Fields = {"unit": asked["unit"], "fc": asked["fc"], "crc_ok": True}
        fields["registers"] = list(registers)
        if "map" in given:
            rows = modbus.register_map(text(given, "map"))
            check_covered(rows, asked["addr"], len(registers))
            return modbus.readings(rows, asked["addr"], registers), fields
        return (), fields | scaled(registers, given, names)

    return decode_probe


def check_covered(rows: tuple[modbus.Row, ...], first: int, count: int) -> None:
    """Raise `InputError` if a map names registers that were not read."""
    for row in rows:
        if not first <= row.register <= first + count - modbus.TYPES[row.type][0]:
            raise InputError(f"register {row.register} of the map is not in the answer")


def scaled(registers: tuple[int, ...], given: Given, names: tuple[str, ...]) -> Fields:
    """Registers with their sign, times what a digit is worth."""
    scales = numbers("scale", given["scale"]) if "scale" in given else [1] * len(registers)
    if len(scales) != len(registers):
        raise InputError(f"{len(scales)} scales for {len(registers)} registers")
    values: list[Any] = [
        round(modbus.value_of(registers, at, "s16") * scale, 9) for at, scale in enumerate(scales)
    ]
    return {"values": values} | dict(zip(names, values, strict=False))


STREAM_KEYS = ("frame", "stream")
COMMAND_KEYS = ("frame", "stream", "command")
MODBUS_KEYS = ("frame", "request", "response", "scale", "map")

# kind → decoder and the keys of its input
DECODERS: dict[str, tuple[Decoder, tuple[str, ...]]] = {
    "a02yyuw": (distance(ultrasonic.A02YYUW), STREAM_KEYS),
    "aj_sr04m": (distance(ultrasonic.AJSR04M), STREAM_KEYS),
    "jsn_sr04t": (distance(ultrasonic.JSNSR04T), STREAM_KEYS),
    "ld2410": (
        sent(
            radar.REPORT_HEAD,
            lambda: Scanner(
                radar.REPORT_HEAD, radar.REPORT_BYTES_MAX, radar.is_good_report, radar.report_size
            ),
            presence,
        ),
        STREAM_KEYS,
    ),
    "ld2450": (
        sent(
            radar.TARGETS_HEAD,
            lambda: Scanner(radar.TARGETS_HEAD, radar.TARGETS_BYTES, radar.is_good_targets),
            targets,
        ),
        STREAM_KEYS,
    ),
    "mhz19b": (
        sent(
            mhz19b.HEAD,
            lambda: Scanner(mhz19b.HEAD, mhz19b.FRAME_BYTES, mhz19b.is_good),
            carbon_dioxide,
            mhz19b.command,
        ),
        COMMAND_KEYS,
    ),
    "modbus": (probe(()), MODBUS_KEYS),
    "pms5003": (particles(pms5003.PMS5003), COMMAND_KEYS),
    "pms5003t": (particles(pms5003.PMS5003T), COMMAND_KEYS),
    "pms7003": (particles(pms5003.PMS5003), COMMAND_KEYS),
    "pmsa003i": (particles(pms5003.PMS5003), COMMAND_KEYS),
    "rs485_ph": (probe(("ph", "temperature_c")), MODBUS_KEYS),
    "sds011": (
        sent(
            sds011.HEAD,
            lambda: Scanner(sds011.HEAD, sds011.FRAME_BYTES, sds011.is_good),
            dust,
            sds011.command,
        ),
        COMMAND_KEYS,
    ),
    "sps30": (air, ("frame", "stream", "cmd", "data", "bytes")),
}
