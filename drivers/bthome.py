"""BTHome v1 and v2: what sensors broadcast by Bluetooth, sealed or open.

Our own nodes speak it, and Home Assistant understands it as well.
"""

from collections import namedtuple
from struct import unpack_from

from drivers.aes import seal, unseal
from drivers.errors import ChecksumError, FrameError
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple

    from drivers.reading import SpecRow

    class Kind(NamedTuple):
        """One object id: name, bytes, whether signed, what a digit is worth, unit."""

        name: str
        nbytes: int
        is_signed: bool
        factor: float
        unit: str

else:
    Kind = namedtuple(  # noqa: PYI024 # portable
        "Kind", ("name", "nbytes", "is_signed", "factor", "unit")
    )

# 16-bit service UUIDs.
V2 = 0xFCD2
V1_OPEN = 0x181C
V1_SEALED = 0x181E

# Device information of v2, the first byte: bit 0 sealed, bit 1 address inside, bit 2 sends
# when something happens, bits 5 to 7 the version.
SEALED = 0x01
WITH_ADDRESS = 0x02
VERSION = 2

COUNTER_BYTES = 4
MIC_BYTES = 4
ADDRESS_BYTES = 6
V1_ASSOCIATED = b"\x11"
PAYLOAD_BYTES_MAX = 255

# bthome.io/format, "sensor data"; the names are those that receivers use.
KINDS = {
    0x00: Kind("packet_id", 1, False, 1, "1"),
    0x01: Kind("battery", 1, False, 1, "%"),
    0x02: Kind("temperature", 2, True, 0.01, "Cel"),
    0x03: Kind("humidity", 2, False, 0.01, "%"),
    0x04: Kind("pressure", 3, False, 0.01, "hPa"),
    0x05: Kind("illuminance", 3, False, 0.01, "lx"),
    0x06: Kind("mass", 2, False, 0.01, "kg"),
    0x07: Kind("mass", 2, False, 0.01, "[lb_av]"),
    0x08: Kind("dew_point", 2, True, 0.01, "Cel"),
    0x09: Kind("count", 1, False, 1, "1"),
    0x0A: Kind("energy", 3, False, 0.001, "kW.h"),
    0x0B: Kind("power", 3, False, 0.01, "W"),
    0x0C: Kind("voltage", 2, False, 0.001, "V"),
    0x0D: Kind("pm25", 2, False, 1, "ug/m3"),
    0x0E: Kind("pm10", 2, False, 1, "ug/m3"),
    0x12: Kind("carbon_dioxide", 2, False, 1, "[ppm]"),
    0x13: Kind("volatile_organic_compounds", 2, False, 1, "ug/m3"),
    0x14: Kind("moisture", 2, False, 0.01, "%"),
    0x2E: Kind("humidity", 1, False, 1, "%"),
    0x2F: Kind("moisture", 1, False, 1, "%"),
    0x3D: Kind("count", 2, False, 1, "1"),
    0x3E: Kind("count", 4, False, 1, "1"),
    0x3F: Kind("rotation", 2, True, 0.1, "deg"),
    0x40: Kind("distance", 2, False, 1, "mm"),
    0x41: Kind("distance", 2, False, 0.1, "m"),
    0x42: Kind("duration", 3, False, 0.001, "s"),
    0x43: Kind("current", 2, False, 0.001, "A"),
    0x44: Kind("speed", 2, False, 0.01, "m/s"),
    0x45: Kind("temperature", 2, True, 0.1, "Cel"),
    0x46: Kind("uv_index", 1, False, 0.1, "1"),
    0x47: Kind("volume", 2, False, 0.1, "L"),
    0x48: Kind("volume", 2, False, 1, "mL"),
    0x49: Kind("volume_flow_rate", 2, False, 0.001, "m3/h"),
    0x4A: Kind("voltage", 2, False, 0.1, "V"),
    0x4B: Kind("gas", 3, False, 0.001, "m3"),
    0x4C: Kind("gas", 4, False, 0.001, "m3"),
    0x4D: Kind("energy", 4, False, 0.001, "kW.h"),
    0x4E: Kind("volume", 4, False, 0.001, "L"),
    0x4F: Kind("water", 4, False, 0.001, "L"),
    0x50: Kind("timestamp", 4, False, 1, "s"),
    0x51: Kind("acceleration", 2, False, 0.001, "m/s2"),
    0x52: Kind("gyroscope", 2, False, 0.001, "deg/s"),
    0x55: Kind("volume_storage", 4, False, 0.001, "L"),
    0x56: Kind("conductivity", 2, False, 1, "uS/cm"),
    0x57: Kind("temperature", 1, True, 1, "Cel"),
    0x58: Kind("temperature", 1, True, 0.35, "Cel"),
    0x59: Kind("count", 1, True, 1, "1"),
    0x5A: Kind("count", 2, True, 1, "1"),
    0x5B: Kind("count", 4, True, 1, "1"),
    0x5C: Kind("power", 4, True, 0.01, "W"),
    0x5D: Kind("current", 2, True, 0.001, "A"),
    0x5E: Kind("direction", 2, False, 0.01, "deg"),
    0x5F: Kind("precipitation", 2, False, 0.1, "mm"),
    0x60: Kind("channel", 1, False, 1, "1"),
    0x61: Kind("rotational_speed", 2, False, 1, "/min"),
    0x62: Kind("speed", 4, True, 0.000001, "m/s"),
    0x63: Kind("acceleration", 4, True, 0.000001, "m/s2"),
    0xF0: Kind("device_type_id", 2, False, 1, "1"),
    0xF1: Kind("firmware_version", 4, False, 1, "1"),
    0xF2: Kind("firmware_version", 3, False, 1, "1"),
}
# States that are on or off, one byte each.
STATES = {
    0x0F: "generic",
    0x10: "power_on",
    0x11: "opening",
    0x15: "battery_low",
    0x16: "battery_charging",
    0x17: "carbon_monoxide",
    0x18: "cold",
    0x19: "connectivity",
    0x1A: "door",
    0x1B: "garage_door",
    0x1C: "gas_detected",
    0x1D: "heat",
    0x1E: "light",
    0x1F: "lock",
    0x20: "moisture_detected",
    0x21: "motion",
    0x22: "moving",
    0x23: "occupancy",
    0x24: "plug",
    0x25: "presence",
    0x26: "problem",
    0x27: "running",
    0x28: "safety",
    0x29: "smoke",
    0x2A: "sound",
    0x2B: "tamper",
    0x2C: "vibration",
    0x2D: "window",
}
BUTTON = 0x3A
COMMAND = 0x3B
DIMMER = 0x3C
TEXT = 0x53
RAW = 0x54
WITH_LENGTH = {TEXT: "text", RAW: "raw"}

# What we call a quantity, where the name on the air is not ours; with the decimals that are
# journalled. Anything else keeps its name and three decimals.
QUANTITIES = {
    "temperature": ("air_temperature", 2),
    "humidity": ("relative_humidity", 2),
    "pressure": ("pressure", 2),
    "carbon_dioxide": ("co2", 0),
    "pm25": ("pm2_5", 0),
    "pm10": ("pm10", 0),
    "precipitation": ("rain", 1),
    "battery": ("battery", 0),
}
# One quantity, one unit: what a format sends in another one is converted.
SAME_UNIT = {
    ("distance", "mm"): ("m", 0.001),
    ("mass", "[lb_av]"): ("kg", 0.45359237),
    ("volume", "mL"): ("L", 0.001),
}
NO_QUANTITY = ("packet_id", "device_type_id", "firmware_version", "timestamp")


def decode(
    uuid: int, service_data: bytes, address: bytes = b"", key: bytes = b""
) -> "dict[str, object]":
    """Name everything in an advertisement, sealed or open.

    `address` is the sender's, first byte first. Raises `FrameError`, and `ChecksumError`
    with the fault "key" for a key that is missing or wrong.
    """
    return by_name(objects(uuid, service_data, address, key))


def objects(
    uuid: int, service_data: bytes, address: bytes = b"", key: bytes = b""
) -> "list[tuple[str, str, object]]":
    """Name, unit and value of everything in an advertisement, in the order of its bytes.

    Raises as `decode`.
    """
    if len(service_data) > PAYLOAD_BYTES_MAX:
        raise FrameError(f"service data of {len(service_data)} bytes", "length")
    plain = opened(uuid, service_data, address, key)
    return objects_v2(plain) if uuid == V2 else objects_v1(plain)


def opened(uuid: int, service_data: bytes, address: bytes, key: bytes) -> bytes:
    """The objects in an advertisement, unsealed. Raises `FrameError` or `ChecksumError`."""
    if uuid == V1_OPEN:
        return service_data
    if uuid == V1_SEALED:
        # ciphertext  counter (4)  MIC (4);  nonce: address (6)  1e 18  counter
        return unsealed(service_data, address, b"\x1e\x18", key, V1_ASSOCIATED)
    if uuid != V2:
        raise FrameError(f"service 0x{uuid:04x} is not BTHome: fcd2, 181c or 181e")
    if not service_data:
        raise FrameError("service data of no bytes", "incomplete")
    information = service_data[0]
    if information >> 5 != VERSION:
        raise FrameError(f"BTHome version {information >> 5}, wanted 2")
    rest = service_data[1:]
    if information & WITH_ADDRESS:
        if len(rest) < ADDRESS_BYTES:
            raise FrameError(f"service data of {len(service_data)} bytes", "incomplete")
        address, rest = bytes([rest[5 - i] for i in range(6)]), rest[ADDRESS_BYTES:]
    if not information & SEALED:
        return rest
    # ciphertext  counter (4)  MIC (4);  nonce: address (6)  d2 fc  information  counter
    return unsealed(rest, address, b"\xd2\xfc" + service_data[:1], key, b"")


def unsealed(sealed: bytes, address: bytes, middle: bytes, key: bytes, aad: bytes) -> bytes:
    """Open sealed objects. Raises `FrameError` or `ChecksumError`."""
    if not key:
        raise ChecksumError(f"sealed, and no key for {readable(address)}", "key")
    if len(address) != ADDRESS_BYTES:
        raise FrameError(f"sealed, and an address of {len(address)} bytes", "key")
    if len(sealed) <= COUNTER_BYTES + MIC_BYTES:
        raise FrameError(f"{len(sealed)} sealed bytes, wanted at least 9", "incomplete")
    body, counter = sealed[: -COUNTER_BYTES - MIC_BYTES], counter_bytes(sealed)
    try:
        return unseal(key, address + middle + counter, body + sealed[-MIC_BYTES:], MIC_BYTES, aad)
    except ChecksumError as error:
        raise ChecksumError(f"{readable(address)}: {error}", error.fault) from error


def counter_bytes(sealed: bytes) -> bytes:
    """The counter in a sealed message; each message has a higher one than the one before."""
    return sealed[-COUNTER_BYTES - MIC_BYTES : -MIC_BYTES]


def counter_of(uuid: int, service_data: bytes) -> "int | None":
    """The counter of a sealed advertisement, None for an open one."""
    is_sealed = uuid == V1_SEALED or (uuid == V2 and service_data[:1] and service_data[0] & SEALED)
    if not is_sealed or len(service_data) < COUNTER_BYTES + MIC_BYTES:
        return None
    return int.from_bytes(counter_bytes(service_data), "little")


def sealed_v2(objects: bytes, address: bytes, counter: int, key: bytes) -> bytes:
    """Service data of v2 with these objects, sealed: what a node broadcasts."""
    information = bytes([VERSION << 5 | SEALED])
    counted = counter.to_bytes(COUNTER_BYTES, "little")
    sealed = seal(key, address + b"\xd2\xfc" + information + counted, objects, MIC_BYTES)
    return information + sealed[:-MIC_BYTES] + counted + sealed[-MIC_BYTES:]


def encode(kind_id: int, value: float) -> bytes:
    """One object of v2. Raises `FrameError` for a value that does not fit."""
    kind = KINDS[kind_id]
    raw = round(value / kind.factor)
    low = -(1 << 8 * kind.nbytes - 1) if kind.is_signed else 0
    if not low <= raw < low + (1 << 8 * kind.nbytes):
        raise FrameError(f"{kind.name} of {value} does not fit {kind.nbytes} bytes", "input")
    return bytes([kind_id]) + (raw & (1 << 8 * kind.nbytes) - 1).to_bytes(kind.nbytes, "little")


def objects_v2(plain: bytes) -> "list[tuple[str, str, object]]":
    """The objects of v2. Raises `FrameError`."""
    # id  value (little-endian, as long as the id says) ...;  text and raw: id  length  bytes
    found: list[tuple[str, str, object]] = []
    at = 0
    while at < len(plain):
        kind_id = plain[at]
        length = size_v2(plain, at)
        value = plain[at + 1 : at + 1 + length]
        if len(value) < length or not length:
            raise FrameError(f"object 0x{kind_id:02x} breaks off: {plain.hex()}", "incomplete")
        found.append(object_v2(kind_id, value))
        at += 1 + length
    return found


def size_v2(plain: bytes, at: int) -> int:
    """Bytes behind the object id at `at`. Raises `FrameError` for an unknown id."""
    kind_id = plain[at]
    if kind_id in KINDS:
        return KINDS[kind_id].nbytes
    if kind_id in STATES or kind_id == BUTTON:
        return 1
    if kind_id == DIMMER:
        return 2
    following = plain[at + 1] if at + 1 < len(plain) else 0
    if kind_id in WITH_LENGTH:
        return 1 + following
    if kind_id == COMMAND:
        return 2 + (following & 0x1F)  # An opcode stands before its arguments.
    raise FrameError(f"unknown object 0x{kind_id:02x} in {plain.hex()}")


def object_v2(kind_id: int, value: bytes) -> "tuple[str, str, object]":
    """Name, unit and value of one object."""
    if kind_id in KINDS:
        kind = KINDS[kind_id]
        return kind.name, kind.unit, number(kind, value)
    if kind_id in STATES:
        return STATES[kind_id], "", value[0] != 0
    if kind_id == BUTTON:
        return "button", "", value[0]
    if kind_id == DIMMER:
        return "dimmer", "", [value[0], value[1]]
    if kind_id == TEXT:
        return "text", "", text_of(value[1:])
    return WITH_LENGTH.get(kind_id, "command"), "", value[1:].hex()


def objects_v1(plain: bytes) -> "list[tuple[str, str, object]]":
    """The objects of v1. Raises `FrameError`."""
    # format (3 bits) and length (5 bits)  id  value (little-endian) ...
    found: list[tuple[str, str, object]] = []
    at = 0
    while at < len(plain):
        form, length = plain[at] >> 5, plain[at] & 0x1F
        whole = plain[at + 1 : at + 1 + length]
        if length < 2 or len(whole) < length:
            raise FrameError(f"object at byte {at} breaks off: {plain.hex()}", "incomplete")
        found.append(object_v1(form, whole[0], whole[1:]))
        at += 1 + length
    return found


def object_v1(form: int, kind_id: int, value: bytes) -> "tuple[str, str, object]":
    """Name, unit and value of one object; v1 says itself how its value is written."""
    kind = KINDS.get(kind_id)
    name = kind.name if kind else STATES.get(kind_id, f"object_{kind_id:02x}")
    unit, factor = (kind.unit, kind.factor) if kind else ("", 1)
    if form in {0, 1}:
        if kind_id in STATES:
            return name, "", value[0] != 0
        return name, unit, number(Kind(name, len(value), form == 1, factor, unit), value)
    if form == 2:
        return name, unit, real(value) * factor
    return name, "", text_of(value) if form == 3 else value.hex()


def number(kind: "Kind", value: bytes) -> "int | float":
    """The number in some bytes, little-endian, times what a digit is worth."""
    raw = int.from_bytes(value, "little")
    if kind.is_signed and value[-1] & 0x80:
        raw -= 1 << 8 * len(value)
    if kind.factor == 1:
        return raw
    return round(raw * kind.factor, 6)


def real(value: bytes) -> float:
    """A float of 2, 4 or 8 bytes. Raises `FrameError`, also for NaN and infinity."""
    layout = {2: "<e", 4: "<f", 8: "<d"}.get(len(value))
    if layout is None:
        raise FrameError(f"float of {len(value)} bytes, wanted 2, 4 or 8", "length")
    found: float = unpack_from(layout, value, 0)[0]
    if not abs(found) < 1e30:
        raise FrameError(f"no number: {value.hex()}")
    return found


def text_of(value: bytes) -> str:
    """UTF-8. Raises `FrameError`."""
    try:
        return value.decode()
    except ValueError as error:  # What MicroPython raises; a UnicodeDecodeError is one.
        raise FrameError(f"no UTF-8: {value.hex()}") from error


def by_name(found: "list[tuple[str, str, object]]") -> "dict[str, object]":
    """A table; a name that is there several times gets a number, in the order of the bytes."""
    names = numbered(found)
    return {names[at]: found[at][2] for at in range(len(found))}


def numbered(found: "list[tuple[str, str, object]]") -> "list[str]":
    """The names of objects, those that occur several times with a number."""
    names = [one[0] for one in found]
    seen: dict[str, int] = {}
    result = []
    for name in names:
        seen[name] = seen.get(name, 0) + 1
        result.append(name if names.count(name) == 1 else f"{name}_{seen[name]}")
    return result


def readings(found: "list[tuple[str, str, object]]") -> tuple[Reading, ...]:
    """Turn the numbers among objects into readings, each quantity in one unit."""
    names = numbered(found)
    made = []
    for at in range(len(found)):
        name, unit, value = found[at]
        if not unit or name in NO_QUANTITY or not isinstance(value, (int, float)):
            continue
        unit, factor = SAME_UNIT.get((name, unit), (unit, 1))
        quantity, decimals = QUANTITIES.get(name, (name, 3))
        made.append(
            measured((quantity + names[at][len(name) :], unit, -1e9, 1e9, decimals), value * factor)
        )
    return tuple(made)


def spec() -> "tuple[SpecRow, ...]":
    """A row for every quantity there can be, without a number behind its name."""
    rows: dict[str, SpecRow] = {}
    for kind in KINDS.values():
        if kind.name in NO_QUANTITY:
            continue
        quantity, decimals = QUANTITIES.get(kind.name, (kind.name, 3))
        unit = SAME_UNIT.get((kind.name, kind.unit), (kind.unit, 1))[0]
        rows[quantity] = (quantity, unit, -1e9, 1e9, decimals)
    return tuple(rows.values())


def readable(address: bytes) -> str:
    """An address as people write it."""
    return ":".join([f"{byte:02X}" for byte in address]) or "an unknown address"
