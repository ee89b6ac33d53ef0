"""Bluetooth sensors: what is heard of each, told apart from what was heard before.

BlueZ keeps one merged picture of a device, and shows it again whenever the device is heard
louder or softer. So a call is no measurement: a payload counts once, a packet number counts
once, and the counter of a sealed payload has to rise.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Protocol

from drivers import bthome, ruuvitag
from drivers.errors import BusError, ChecksumError, DriverError, NoDataError
from drivers.linux import adverts
from drivers.linux.adverts import PARSERS, Advert, Parser, address_bytes
from drivers.linux.bluez import Pattern
from drivers.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drivers.reading import SpecRow

QUANTITIES_MAX = 32
MAX_AGE_S = 600.0
LISTEN_MAX_S = 10.0  # With every_frame a call ends after so long, heard or not.
# So many companies in one picture, and what is new in it can no longer be seen.
COMPANIES_MAX = 3

# Parts of an advertisement (Bluetooth assigned numbers, section 2.3).
FLAGS, SERVICE_DATA, MANUFACTURER = 0x01, 0x16, 0xFF
# What nearly every device that is no phone on its own sends first: for the makers whose
# payloads have no fixed beginning.
FLAGS_PATTERNS = tuple(
    Pattern(0, FLAGS, bytes([flags])) for flags in (0x02, 0x04, 0x05, 0x06, 0x1A)
)
BTHOME_UUIDS = (bthome.V2, bthome.V1_SEALED, bthome.V1_OPEN)
XIAOMI_UUID = 0xFE95
PATTERNS: dict[str, tuple[Pattern, ...]] = {
    "bthome": tuple(Pattern(0, SERVICE_DATA, uuid.to_bytes(2, "little")) for uuid in BTHOME_UUIDS),
    "ruuvitag": (Pattern(0, MANUFACTURER, ruuvitag.COMPANY.to_bytes(2, "little")),),
    "xiaomi": (Pattern(0, SERVICE_DATA, XIAOMI_UUID.to_bytes(2, "little")),),
}
KINDS = ("bthome", "ruuvitag", *PARSERS)


class Decoder(Protocol):
    """What turns the adverts of one device into readings, each measurement once."""

    def decode(self, advert: Advert) -> tuple[Reading, ...]:
        """The readings that are new; none for what is known. Raises `DriverError`."""


class BTHomeDecoder:
    """BTHome of either version; with a key nothing is believed that is not sealed."""

    def __init__(self, key: bytes) -> None:
        self._key = key
        self._payloads: dict[int, bytes] = {}
        self._packet: object = None
        self._counter = -1

    def decode(self, advert: Advert) -> tuple[Reading, ...]:
        """The readings that are new. Raises `DriverError`."""
        found: list[Reading] = []
        for uuid in BTHOME_UUIDS:
            payload = advert.service_data.get(uuid)
            if payload is None or payload == self._payloads.get(uuid):
                continue
            self._payloads[uuid] = payload
            objects = bthome.objects(uuid, payload, address_bytes(advert.address), self._key)
            self._check_counter(advert.address, bthome.counter_of(uuid, payload))
            packet = bthome.by_name(objects).get("packet_id")
            if packet is not None and packet == self._packet:
                continue
            self._packet = packet
            found += bthome.readings(objects)
        return tuple(found)

    def _check_counter(self, address: str, counter: int | None) -> None:
        """Refuse what was recorded earlier, and what is open where a key was agreed on."""
        if counter is None:
            if self._key:
                raise ChecksumError(f"{address} is not sealed, and there is a key for it", "key")
            return
        if counter <= self._counter:
            message = f"{address}: counter {counter} after {self._counter}"
            raise DriverError(f"{message}: replayed, or its battery was changed", "replayed")
        self._counter = counter


class RuuviDecoder:
    """RuuviTag and Ruuvi Air."""

    def __init__(self) -> None:
        self._payload = b""
        self._sequence: object = None

    def decode(self, advert: Advert) -> tuple[Reading, ...]:
        """The readings that are new. Raises `DriverError`."""
        payload = advert.manufacturer_data.get(ruuvitag.COMPANY, b"")
        if payload in (b"", self._payload):
            return ()
        self._payload = payload
        named = ruuvitag.decode(payload)
        sequence = named.get("sequence")
        if sequence is not None and (named["format"], sequence) == self._sequence:
            return ()
        self._sequence = (named["format"], sequence)
        return ruuvitag.readings(named)


class ForeignDecoder:
    """A maker whose devices a library reads; it is shown what changed, and nothing else."""

    def __init__(self, maker: str, key: bytes) -> None:
        self._parser = Parser(maker, key)
        self._companies: dict[int, bytes] = {}
        self._services: dict[int, bytes] = {}

    def decode(self, advert: Advert) -> tuple[Reading, ...]:
        """The readings that are new. Raises `DriverError`."""
        companies = changed(advert.manufacturer_data, self._companies)
        services = changed(advert.service_data, self._services)
        self._companies, self._services = advert.manufacturer_data, advert.service_data
        if not companies and not services:
            return ()
        news = Advert(
            advert.address, advert.name, advert.rssi, companies, services, advert.service_uuids
        )
        try:
            return adverts.readings(self._parser.decode(news))
        except NoDataError:
            return ()  # A scan response, or something about the device itself.


def changed(now: dict[int, bytes], before: dict[int, bytes]) -> dict[int, bytes]:
    """What is new or different in a picture that BlueZ only ever adds to."""
    return {number: payload for number, payload in now.items() if before.get(number) != payload}


def decoder(kind: str, key: bytes) -> Decoder:
    """The decoder of a kind. Raises `BusError` if its library is not installed."""
    if kind == "bthome":
        return BTHomeDecoder(key)
    return RuuviDecoder() if kind == "ruuvitag" else ForeignDecoder(kind, key)


def rows(kind: str) -> dict[str, SpecRow]:
    """Every quantity that a kind can send, as a row of a SPEC."""
    if kind == "bthome":
        return {row[0]: row for row in bthome.spec()}
    table = ruuvitag.SPEC if kind == "ruuvitag" else tuple(adverts.QUANTITIES.items())
    return {row[0]: row for _, row in table}


class Ear:
    """What has been heard of one sensor and was not taken yet."""

    def __init__(
        self, kind: str, address: str, key: bytes, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.kind = kind
        self.address = address
        self._key = key
        # Made when the first advertisement comes: a library costs time at start.
        self._decoder: Decoder | None = None
        self._now_s = now_s
        self._pending: dict[str, Reading] = {}
        self._error: DriverError | None = None
        self._is_crowded = False
        self._began_s = now_s()
        self._heard_s: float | None = None
        self._fresh_s: float | None = None
        self.came = asyncio.Event()

    def hear(self, advert: Advert) -> DriverError | None:
        """Take one advertisement of this sensor; what is wrong with it, if something is."""
        self._heard_s = self._now_s()
        self._is_crowded = len(advert.manufacturer_data) > COMPANIES_MAX
        try:
            self._decoder = self._decoder or decoder(self.kind, self._key)
            found = self._decoder.decode(advert)
        except DriverError as error:
            self._error = error
            self.came.set()
            return error
        if not found:
            return None
        self._fresh_s = self._heard_s
        self._error = None
        for reading in found:
            if reading.quantity in self._pending or len(self._pending) < QUANTITIES_MAX:
                self._pending[reading.quantity] = reading
        self.came.set()
        return None

    def take(self) -> tuple[Reading, ...]:
        """What is new since the last call. Raises the `DriverError` that came instead."""
        self.came.clear()
        if self._pending:
            found = tuple(self._pending.values())
            self._pending.clear()
            return found
        error = self._error
        if error is not None:
            # A key that never fitted stays wrong. Once it has fitted, a payload that it does
            # not open is a stranger's forgery and passes.
            if error.fault != "key" or self._fresh_s is not None:
                self._error = None
            raise error
        return ()

    def excuse(self) -> None:
        """Forget the last error of a sensor that has been understood before."""
        if self._fresh_s is not None:
            self._error = None

    def take_is_crowded(self) -> bool:
        """Whether BlueZ should forget what it has gathered; once for each time."""
        is_crowded, self._is_crowded = self._is_crowded, False
        return is_crowded

    def check_age(self, max_age_s: float) -> None:
        """Raise the `DriverError` that says so when nothing new has come for too long."""
        now_s = self._now_s()
        if now_s - (self._fresh_s or self._began_s) < max_age_s:
            return
        if self._heard_s is None or now_s - self._heard_s >= max_age_s:
            raise BusError(f"{self.address} was not heard for {max_age_s:.0f} s", "timeout")
        raise DriverError(
            f"{self.address} has only repeated itself for {max_age_s:.0f} s", "repeated"
        )


class BLESensor:
    """One sensor in the air. Polled, it gives the newest of each quantity since last time."""

    KIND = ""
    SIMULATED = False
    # There is nothing to start again: it is asked on, however long it has been silent.
    LISTENS = True

    def __init__(
        self,
        ear: Ear,
        trouble: Callable[[], DriverError | None],
        *,
        quantities: tuple[str, ...] = (),
        max_age_s: float = MAX_AGE_S,
        every_frame: bool = False,
    ) -> None:
        self._ear = ear
        self._trouble = trouble
        # What is heard → what it is called; nothing here takes all as it is heard.
        words = [word.partition(":") for word in quantities]
        self._wanted = {heard: called or heard for heard, _, called in words}
        self._max_age_s = max_age_s
        self._every_frame = every_frame
        self._rows = rows(ear.kind)
        self.SPEC: tuple[SpecRow, ...] = tuple(self._row(heard) for heard in self._wanted)

    async def start(self) -> None:
        """Nothing to do: the scanner listens for all."""

    async def read(self) -> tuple[Reading, ...]:
        """What is new; nothing if nothing is, for a while. Raises `DriverError`."""
        if self._every_frame:
            try:
                async with asyncio.timeout(LISTEN_MAX_S):
                    await self._ear.came.wait()
            except TimeoutError:
                pass  # Then the age decides.
        found = self._ear.take()
        if found:
            return self._chosen(found)
        if (trouble := self._trouble()) is not None:
            raise trouble
        self._ear.check_age(self._max_age_s)
        return ()

    async def close(self) -> None:
        """Nothing to do: the ear stays, with what it knows of replays."""

    def _chosen(self, found: tuple[Reading, ...]) -> tuple[Reading, ...]:
        """The readings that are wanted; those heard for the first time extend the SPEC."""
        chosen = [one for one in found if not self._wanted or one.quantity in self._wanted]
        known = {row[0] for row in self.SPEC}
        rows = [self._row(one.quantity) for one in chosen]
        self.SPEC += tuple(row for row in rows if row[0] not in known)
        return tuple(
            Reading(row[0], one.value, one.unit, one.quality)
            for row, one in zip(rows, chosen, strict=True)
        )

    def _row(self, heard: str) -> SpecRow:
        """The row of what is heard, under the name that it has here."""
        return (self._wanted.get(heard, heard), *row_of(self._rows, heard)[1:])


class BTHome(BLESensor):
    """A sensor that broadcasts BTHome, such as a node of our own."""

    KIND = "bthome"


class Govee(BLESensor):
    """A sensor by Govee."""

    KIND = "govee"


class Inkbird(BLESensor):
    """A sensor by Inkbird."""

    KIND = "inkbird"


class RuuviTag(BLESensor):
    """A sensor by Ruuvi."""

    KIND = "ruuvitag"


class ThermoPro(BLESensor):
    """A sensor by ThermoPro."""

    KIND = "thermopro"


class Xiaomi(BLESensor):
    """A sensor by Xiaomi and its brands."""

    KIND = "xiaomi"


def row_of(table: dict[str, SpecRow], quantity: str) -> SpecRow:
    """The row of a quantity; a device with several probes numbers its quantities."""
    if quantity in table:
        return table[quantity]
    return (quantity, *table[quantity.rpartition("_")[0]][1:])


def patterns_of(ears: Iterable[Ear]) -> tuple[Pattern, ...]:
    """What a passive scan has to listen for so that all of them are heard."""
    found: dict[Pattern, None] = {}
    for ear in ears:
        found |= dict.fromkeys(PATTERNS.get(ear.kind, FLAGS_PATTERNS))
    return tuple(found)
