"""Bluetooth advertisements: what is in one, and the parsers of other people for some of them.

BTHome and RuuviTag are read by our own portable modules, which a node needs as well. Xiaomi,
Govee, Inkbird and ThermoPro change with every model that they sell; the libraries of the
Bluetooth-Devices project follow them, and are imported when the first such sensor is made.
"""

from __future__ import annotations

import importlib
import logging
import time
from dataclasses import dataclass, field
from typing import Any

from drivers.errors import BusError, ChecksumError, DriverError, FrameError, NoDataError
from drivers.reading import Reading, measured

PARSERS = {
    "govee": ("govee_ble", "GoveeBluetoothDeviceData"),
    "inkbird": ("inkbird_ble", "INKBIRDBluetoothDeviceData"),
    "thermopro": ("thermopro_ble", "ThermoProBluetoothDeviceData"),
    "xiaomi": ("xiaomi_ble", "XiaomiBluetoothDeviceData"),
}
INFO_MODULE = "habluetooth"
WITH_KEY = {"xiaomi"}
UUID_OF_16_BITS = "0000{:04x}-0000-1000-8000-00805f9b34fb"
KEY_BYTES = (12, 16)  # Of old and new Xiaomi devices.
NAME_MAX = 64
PAYLOAD_BYTES_MAX = 255

# Name on the air → quantity, unit, range, decimals. The others have no reading of ours.
QUANTITIES = {
    "temperature": ("air_temperature", "Cel", -60, 300, 2),
    "humidity": ("relative_humidity", "%", 0, 100, 1),
    "pressure": ("pressure", "hPa", 300, 1200, 1),
    "illuminance": ("illuminance", "lx", 0, 200000, 0),
    "moisture": ("moisture", "%", 0, 100, 1),
    "conductivity": ("conductivity", "uS/cm", 0, 100000, 0),
    "battery": ("battery", "%", 0, 100, 0),
    "voltage": ("voltage", "V", 0, 100, 3),
    "carbon_dioxide": ("co2", "[ppm]", 0, 40000, 0),
    "pm25": ("pm2_5", "ug/m3", 0, 1000, 0),
}


@dataclass(frozen=True)
class Advert:
    """One advertisement, with what the scanner knows about its sender."""

    address: str
    name: str = ""
    rssi: int = -127
    manufacturer_data: dict[int, bytes] = field(default_factory=dict)
    service_data: dict[int, bytes] = field(default_factory=dict)
    service_uuids: list[str] = field(default_factory=list)


class Parser:
    """One device's advertisements, read by the library of its maker's name.

    Raises `BusError` with the fault "absent" if that library is not installed.
    """

    def __init__(self, maker: str, key: bytes = b"") -> None:
        self._maker = maker
        if key and len(key) not in KEY_BYTES:
            raise FrameError(f"{maker}: key of {len(key)} bytes, wanted 12 or 16", "key")
        module, name = PARSERS[maker]
        try:
            library = importlib.import_module(module)
            # What all of them take; it comes with each of them.
            self._service_info = importlib.import_module(INFO_MODULE).BluetoothServiceInfoBleak
        except ImportError as error:
            package = module.replace("_", "-")
            message = f"{package} is not installed: install angsila-kiosk[pi]"
            raise BusError(message, "absent") from error
        # A stranger's damaged advertisement is an answer to us and no line in the log.
        logging.getLogger(module).setLevel(logging.CRITICAL + 1)
        options = {"bindkey": key} if maker in WITH_KEY and key else {}
        self._parser = getattr(library, name)(**options)

    def decode(self, advert: Advert) -> dict[str, Any]:
        """Name every value in an advertisement. Raises `DriverError`."""
        update = self._update(advert)
        found = {
            key.key: value.native_value
            for values in (update.entity_values, update.binary_entity_values)
            for key, value in values.items()
            if key.key != "signal_strength" and value.native_value is not None
        }
        if found:
            return found
        # Only Xiaomi seals; its parser says whether it could open what it saw.
        scheme = getattr(getattr(self._parser, "encryption_scheme", None), "value", "none")
        if scheme != "none" and not getattr(self._parser, "bindkey_verified", True):
            raise ChecksumError(f"{advert.address} is sealed: the key is missing or wrong", "key")
        raise NoDataError(f"{advert.address}: {self._maker} finds no value in it")

    def _update(self, advert: Advert) -> Any:
        """Let the library read an advertisement. Raises `FrameError`."""
        service_info = self._service_info(
            name=advert.name,
            address=advert.address,
            rssi=advert.rssi,
            manufacturer_data=advert.manufacturer_data,
            service_data={
                UUID_OF_16_BITS.format(uuid): payload
                for uuid, payload in advert.service_data.items()
            },
            service_uuids=advert.service_uuids,
            source="local",
            device=None,
            advertisement=None,
            connectable=False,
            time=time.monotonic(),
            tx_power=None,
        )
        try:
            return self._parser.update(service_info)
        # Here stands code of other people before bytes of anybody who walks by. It raises
        # whatever it likes (a struct.error, an IndexError), and no such passer-by may stop
        # the kiosk or quarantine a sensor of ours.
        except Exception as error:
            raise FrameError(
                f"{advert.address}: {self._maker} cannot read it: {error!r}"
            ) from error


def readings(named: dict[str, Any]) -> tuple[Reading, ...]:
    """Turn the values that have a quantity of ours into readings."""
    return tuple(
        measured(QUANTITIES[name], value)
        for name, value in named.items()
        if name in QUANTITIES and isinstance(value, (int, float))
    )


# Types of the parts of an advertisement (Bluetooth assigned numbers, section 2.3).
UUIDS_16 = (0x02, 0x03)
NAMES = (0x08, 0x09)
SERVICE_DATA_16 = 0x16
MANUFACTURER = 0xFF
# HCI events that carry an advertisement (Bluetooth core, volume 4, part E, 7.7.65), and the
# bytes before its parts.
LEGACY_EVENT, LEGACY_BYTES = 0x02, 14
EXTENDED_EVENT, EXTENDED_BYTES = 0x0D, 29


def from_hci(packet: bytes) -> Advert:
    """The advertisement in an HCI event packet. Raises `FrameError`."""
    # 04 3e  length  event  1  type  address type  address (6)  length  parts ...  rssi
    # The extended event has 2 bytes of type, and 15 more bytes before the length.
    if len(packet) < LEGACY_BYTES or packet[:2] != b"\x04\x3e":
        raise FrameError(f"no HCI event of an advertisement: {packet[:8].hex()}")
    event = packet[3]
    if event not in {LEGACY_EVENT, EXTENDED_EVENT}:
        raise FrameError(f"HCI event 0x{event:02x} carries no advertisement")
    start = LEGACY_BYTES if event == LEGACY_EVENT else EXTENDED_BYTES
    address_at = 7 if event == LEGACY_EVENT else 8
    if len(packet) < start or len(packet) < start + packet[start - 1]:
        raise FrameError(f"HCI event of {len(packet)} bytes breaks off", "incomplete")
    address = packet[address_at : address_at + 6][::-1]
    parts = packet[start : start + packet[start - 1]]
    return from_parts(address.hex(":").upper(), parts)


def from_parts(address: str, parts: bytes) -> Advert:
    """An advertisement from its parts. Raises `FrameError`."""
    # length  type  bytes ...  length  type  bytes ...
    name = ""
    manufacturer_data: dict[int, bytes] = {}
    service_data: dict[int, bytes] = {}
    uuids: list[str] = []
    at = 0
    while at < len(parts) and parts[at]:
        part = parts[at + 1 : at + 1 + parts[at]]
        if len(part) < parts[at]:
            raise FrameError(f"advertisement breaks off: {parts.hex()}", "incomplete")
        kind, value = part[0], part[1:]
        if kind in NAMES:
            name = value.decode("utf-8", "replace")[:NAME_MAX]
        elif kind in UUIDS_16:
            words = [int.from_bytes(value[i : i + 2], "little") for i in range(0, len(value), 2)]
            uuids += [UUID_OF_16_BITS.format(word) for word in words]
        elif kind == SERVICE_DATA_16 and len(value) >= 2:
            service_data[int.from_bytes(value[:2], "little")] = value[2:]
        elif kind == MANUFACTURER and len(value) >= 2:
            manufacturer_data[int.from_bytes(value[:2], "little")] = value[2:]
        at += 1 + parts[at]
    return Advert(
        address,
        name,
        manufacturer_data=manufacturer_data,
        service_data=service_data,
        service_uuids=uuids,
    )


def address_bytes(address: str) -> bytes:
    """The six bytes of an address, in the order in which people write them.

    Raises `DriverError`.
    """
    try:
        found = bytes.fromhex(address.replace(":", "").replace("-", ""))
    except ValueError as error:
        raise DriverError(f"not a Bluetooth address: {address!r}", "input") from error
    if len(found) != 6:
        raise DriverError(f"not a Bluetooth address: {address!r}", "input")
    return found
