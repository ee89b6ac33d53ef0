"""Decoders for Bluetooth advertisements."""

import re
from typing import Any

from drivers import bthome, ruuvitag
from drivers.errors import FrameError
from drivers.linux import adverts
from drivers.linux.adverts import PAYLOAD_BYTES_MAX, Advert
from edge.decode_i2c import Decoder
from edge.decode_input import Decoded, Given, InputError, bytes_of, hexadecimal, text

# States that other receivers call by the name of a quantity.
OTHER_NAMES = {
    "battery_low": "battery",
    "gas_detected": "gas",
    "moisture_detected": "moisture",
    "power_on": "power",
}
BTHOME_UUIDS = (bthome.V2, bthome.V1_SEALED, bthome.V1_OPEN)


def advert_of(given: Given) -> Advert:
    """The advertisement in the input: its parts one by one, or the packet they came in."""
    captured = Advert("00:00:00:00:00:00")
    if "hci_hex" in given:
        captured = adverts.from_hci(hexadecimal(given, "hci_hex"))
    rssi = given.get("rssi", captured.rssi)
    if type(rssi) is not int or not -128 <= rssi <= 127:
        raise InputError(f"rssi is no whole number from -128 to 127: {rssi!r}")
    found = Advert(
        text(given, "address") if "address" in given else captured.address,
        text(given, "name") if "name" in given else captured.name,
        rssi,
        payloads(given, "manufacturer_data") or captured.manufacturer_data,
        payloads(given, "service_data") or captured.service_data,
        captured.service_uuids,
    )
    adverts.address_bytes(found.address)
    return found


def payloads(given: Given, key: str) -> dict[int, bytes]:
    """Number → bytes, from an object of hexadecimal texts. Raises `InputError`."""
    value = given.get(key, {})
    if isinstance(value, str) and key == "manufacturer_data":
        company = given.get("company", f"0x{ruuvitag.COMPANY:04x}")
        value = {company if isinstance(company, str) else repr(company): value}
    if not isinstance(value, dict):
        raise InputError(f"{key} is no object of hexadecimal texts: {value!r}")
    found = {}
    for name, payload in value.items():
        if not isinstance(name, str) or not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,4}", name):
            raise InputError(f"a key of {key} is no number of 16 bits: {name!r}")
        found[int(name, 16)] = bytes_of(f"{key} {name}", payload)
        if len(found[int(name, 16)]) > PAYLOAD_BYTES_MAX:
            raise InputError(f"{key} {name} is longer than an advertisement")
    return found


def key_of(given: Given) -> bytes:
    """The key that seals, if it is given. Raises `InputError`."""
    return hexadecimal(given, "bindkey") if "bindkey" in given else b""


def bthome_advert(given: Given) -> Decoded:
    """Decoder for BTHome of either version, open or sealed."""
    advert = advert_of(given)
    address = adverts.address_bytes(advert.address)
    for uuid in BTHOME_UUIDS:
        if uuid in advert.service_data:
            payload = advert.service_data[uuid]
            found = bthome.objects(uuid, payload, address, key_of(given))
            named = bthome.by_name(found)
            also = {other: named[name] for name, other in OTHER_NAMES.items() if name in named}
            return bthome.readings(found), also | named
    raise FrameError("no service data of BTHome: fcd2, 181c or 181e")


def ruuvi_advert(given: Given) -> Decoded:
    """Decoder for RuuviTag and Ruuvi Air."""
    advert = advert_of(given)
    if ruuvitag.COMPANY not in advert.manufacturer_data:
        raise FrameError("no manufacturer data of Ruuvi: 0x0499")
    named = ruuvitag.decode(advert.manufacturer_data[ruuvitag.COMPANY])
    return ruuvitag.readings(named), dict(named) | plain_names(named)


def plain_names(named: dict[str, Any]) -> dict[str, Any]:
    """The values once more, under the names that the other adverts have."""
    plain = {
        "temperature": named.get("temperature_c"),
        "humidity": named.get("humidity_rh"),
        "pressure": named["pressure_pa"] / 100 if named.get("pressure_pa") else None,
        "voltage": named.get("voltage_v"),
    }
    return {name: value for name, value in plain.items() if value is not None}


def foreign_advert(maker: str) -> Decoder:
    """Decoder that asks the library for a maker's sensors."""

    def decode_foreign(given: Given) -> Decoded:
        advert = advert_of(given)
        named = adverts.Parser(maker, key_of(given)).decode(advert)
        return adverts.readings(named), {name: plain(value) for name, value in named.items()}

    return decode_foreign


def plain(value: Any) -> Any:
    """A value as JSON can say it."""
    return value if isinstance(value, (bool, int, float, str)) else str(value)


ADVERT_KEYS = (
    "hci_hex",
    "address",
    "name",
    "rssi",
    "company",
    "manufacturer_data",
    "service_data",
    "bindkey",
)

# kind → decoder and the keys of its input
DECODERS: dict[str, tuple[Decoder, tuple[str, ...]]] = {
    "bthome": (bthome_advert, ADVERT_KEYS),
    "ruuvitag": (ruuvi_advert, ADVERT_KEYS),
} | {maker: (foreign_advert(maker), ADVERT_KEYS) for maker in adverts.PARSERS}
