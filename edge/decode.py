"""`angsila decode`: a captured frame, or the registers of a chip, into readings."""

import json
import re
import sys
from collections.abc import Mapping
from typing import Any

from drivers.errors import DriverError
from edge import decode_adverts, decode_i2c, decode_lines, decode_wires
from edge.decode_i2c import Decoder
from edge.decode_input import Fields, InputError

INPUT_BYTES_MAX = 4 * 1024 * 1024
MESSAGE_MAX = 400  # One line of a terminal or a log; what is longer is a pasted frame.

# kind → decoder and the keys of its input
DECODERS: dict[str, tuple[Decoder, tuple[str, ...]]] = (
    decode_i2c.DECODERS | decode_lines.DECODERS | decode_wires.DECODERS | decode_adverts.DECODERS
)
# What people also call a sensor, without signs and capitals → kind.
OTHER_NAMES = {
    "atlasezo": "ezo",
    "bthomev1": "bthome",
    "bthomev2": "bthome",
    "ezoorp": "ezo",
    "genericrs485ph": "rs485_ph",
    "modbusrtu": "modbus",
    "ms5837": "ms5837_30ba",
    "raingauge": "rain",
    "ruuvitagrawv1": "ruuvitag",
    "ruuvitagrawv2": "ruuvitag",
    "scd4x": "scd41",
    "sht40": "sht4x",
    "sht41": "sht4x",
    "sht45": "sht4x",
    "tippingbucket": "rain",
}


def decode(kind: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Decode what a sensor sent: readings, and every value on the way to them.

    Raises `InputError` for an input that cannot be understood, and another `DriverError`
    with its `fault` for a sensor that sent something bad.
    """
    kind = known(kind)
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


def known(kind: str) -> str:
    """The decoder's name, for its name or the sensor's as people write it: MH-Z19B, SCD4x.

    Raises `InputError`.
    """
    first = re.sub(r"[^0-9a-z]", "", kind.lower().partition("/")[0])
    names = {re.sub(r"[^0-9a-z]", "", name): name for name in DECODERS} | OTHER_NAMES
    if first not in names:
        raise InputError(f"no decoder {kind!r}; known: {', '.join(sorted(DECODERS))}")
    return names[first]


def decode_command(kind: str, text: str, *, as_json: bool) -> int:
    """Print the result of `decode`, or one line that says what is wrong; the exit status."""
    try:
        result = decode(kind, parse(text))
    except DriverError as error:
        message = one_line(str(error))
        if as_json:
            found: Fields = {"kind": kind, "fault": error.fault, "error": message}
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
