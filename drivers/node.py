"""A sensor node on an ESP32 or a Pico W: our drivers, told to the kiosk by sealed BTHome v2.

The same drivers run here as on the kiosk. What they read is sealed with the node's own key
and broadcast by Bluetooth, or posted to the kiosk over the local network. Nothing is kept
for later: a node has no clock, and a reading without its time is none.

`angsila node build` writes what to copy to the board: `main.py`, `node.json` and the drivers.
"""

import asyncio
import json
import os

from drivers.bthome import KINDS, SEALED, V2, VERSION, encode, sealed_v2
from drivers.errors import DriverError, FrameError
from drivers.port import ticks_diff, ticks_ms

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from drivers.catalog import Driver
    from drivers.reading import Reading

    class Sender(Protocol):
        """What brings a packet to the kiosk."""

        address: bytes

        async def send(self, packet: bytes) -> None:
            """Tell one packet. Raises `DriverError`."""


# Our quantity → BTHome object, and how many of its units are one of ours.
OBJECTS = {
    "air_temperature": (0x02, 1),
    "water_temperature": (0x02, 1),
    "temperature": (0x02, 1),
    "relative_humidity": (0x03, 1),
    "pressure": (0x04, 1),
    "illuminance": (0x05, 1),
    "voltage": (0x0C, 1),
    "pm2_5": (0x0D, 1),
    "pm10": (0x0E, 1),
    "co2": (0x12, 1),
    "distance": (0x40, 1000),
    "water_level": (0x40, 1000),
    "current": (0x5D, 1),
}
# A legacy advertisement has 31 bytes: 3 of flags, 4 of head, 1 of device information, 4 of
# counter and 4 of MIC leave 15 for objects (bthome.io/format; Bluetooth core, volume 3, part C,
# 11).
OBJECTS_BYTES_MAX = 15
FLAGS = b"\x02\x01\x06"  # General discoverable, no classic Bluetooth.
SERVICE_DATA_16 = 0x16
SHOW_S = 2.0  # So long a packet is repeated, so that a scanner with pauses hears it.
ADVERT_US = 152_500

COUNTER_STEP = 256  # Numbers used up by a restart at most: flash wears out by writing.
COUNTER_MAX = 0xFFFFFFFF

READ_MAX_S = 30.0
POST_MAX_S = 10.0


class Counter:
    """Numbers that never come twice, over power cuts as well.

    A file holds the first one that was never given out. It is written once for many of
    them, so a power cut skips some and repeats none. Raises `DriverError` for a file that
    is no number: a node that started again at 0 would be taken for a replay.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._next = self._limit = kept_number(path)

    def take(self) -> int:
        """The next number. Raises `DriverError` after the last one."""
        if self._next > COUNTER_MAX:
            raise DriverError("the counter is used up: give this node a new key", "input")
        if self._next == self._limit:
            self._limit += COUNTER_STEP
            # The new file takes the old one's place as a whole, or not at all.
            with open(self._path + ".new", "w") as file:
                file.write(str(self._limit))
            os.rename(self._path + ".new", self._path)
        number = self._next
        self._next += 1
        return number


def kept_number(path: str) -> int:
    """The number in a counter's file, 0 where there is none yet. Raises `DriverError`."""
    try:
        with open(path) as file:
            text = file.read()
    except OSError:
        return 0
    if not text or text.strip("0123456789"):
        raise DriverError(
            f"{path} is damaged: {text!r}; write a number into it that was not used yet", "input"
        )
    return int(text)


def objects(readings: "tuple[Reading, ...]") -> "list[bytes]":
    """What BTHome can tell of these readings, in the order of the object ids.

    A value that is missing is not told: the kiosk notices the silence.
    """
    found = []
    for reading in readings:
        if reading.value is None or reading.quantity not in OBJECTS:
            continue
        kind_id, factor = OBJECTS[reading.quantity]
        try:
            found.append(encode(kind_id, reading.value * factor))
        except FrameError as error:
            print("not told:", error)  # noqa: T201 # a node has a console and no log
    return sorted(found)


def check_distinct(quantities: "list[str]") -> None:
    """Raise `DriverError` for quantities that BTHome would call by one name."""
    told: dict[int, str] = {}
    for quantity in quantities:
        if quantity not in OBJECTS:
            continue
        kind_id = OBJECTS[quantity][0]
        if kind_id in told:
            raise DriverError(
                f"{told[kind_id]} and {quantity} are both {KINDS[kind_id].name} to BTHome:"
                " a node can tell one of them",
                "input",
            )
        told[kind_id] = quantity


def packets(found: "list[bytes]") -> "list[bytes]":
    """Objects put together, each packet small enough for one advertisement."""
    made = [b""]
    for one in found:
        if len(made[-1]) + len(one) > OBJECTS_BYTES_MAX:
            made.append(b"")
        made[-1] += one
    return [packet for packet in made if packet]


def advertisement(service_data: bytes) -> bytes:
    """The parts of an advertisement that carries service data of BTHome v2."""
    # 02 01 flags   length 16 d2 fc  information  objects  counter  MIC
    body = bytes([SERVICE_DATA_16]) + V2.to_bytes(2, "little") + service_data
    return FLAGS + bytes([len(body)]) + body


class Node:
    """Sensors with their beat, the key, and the way to the kiosk."""

    def __init__(
        self,
        sensors: "list[Driver]",
        sender: "Sender",
        key: bytes,
        counter: Counter,
        period_s: float,
    ) -> None:
        check_distinct([row[0] for sensor in sensors for row in sensor.SPEC])
        self._sensors = sensors
        self._sender = sender
        self._key = key
        self._counter = counter
        self._period_ms = round(period_s * 1000)
        self._started: list[Driver] = []

    async def run(self) -> None:
        """Read and tell on every beat, for ever."""
        while True:
            began_ms = ticks_ms()
            await self.beat()
            rest_ms = self._period_ms - ticks_diff(ticks_ms(), began_ms)
            await asyncio.sleep(max(rest_ms, 0) / 1000)

    async def beat(self) -> None:
        """Read every sensor once and tell what was read. A failure costs its own values."""
        readings: tuple[Reading, ...] = ()
        for sensor in self._sensors:
            try:
                readings += await asyncio.wait_for(self._read(sensor), READ_MAX_S)
            except (DriverError, asyncio.TimeoutError) as error:
                print(sensor.KIND, "failed:", repr(error))  # noqa: T201 # see above
                await self._stop(sensor)
        for packet in packets(objects(readings)):
            sealed = sealed_v2(packet, self._sender.address, self._counter.take(), self._key)
            try:
                await self._sender.send(sealed)
            except DriverError as error:
                print("not sent:", repr(error))  # noqa: T201 # see above

    async def _read(self, sensor: "Driver") -> "tuple[Reading, ...]":
        if sensor not in self._started:
            await sensor.start()
            self._started.append(sensor)
        return await sensor.read()

    async def _stop(self, sensor: "Driver") -> None:
        """Begin anew with a sensor that failed."""
        if sensor in self._started:
            self._started.remove(sensor)
        try:
            await sensor.close()
        except DriverError as error:
            print(sensor.KIND, "cannot be closed:", repr(error))  # noqa: T201 # see above


class Poster:
    """Brings packets to a kiosk over the local network, by the smallest HTTP there is."""

    def __init__(self, host: str, port: int, address: bytes) -> None:
        self.address = address
        self._host = host
        self._port = port

    async def send(self, packet: bytes) -> None:
        """Post one packet. Raises `DriverError` unless the kiosk takes it."""
        try:
            status = await asyncio.wait_for(self._post(packet), POST_MAX_S)
        # On CPython 3.11 a TimeoutError is an OSError too.
        except (asyncio.TimeoutError, OSError) as error:
            raise DriverError(f"{self._host}:{self._port}: {error!r}", "io") from error
        if status != b"204":
            raise DriverError(f"the kiosk answered {status.decode()}", "io")

    async def _post(self, packet: bytes) -> bytes:
        body = json.dumps({"address": self.address.hex(), "packet": packet.hex()})
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            head = (
                f"POST /node HTTP/1.1\r\nHost: {self._host}\r\nContent-Type: application/json\r\n"
                f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
            )
            writer.write((head + body).encode())
            await writer.drain()
            # HTTP/1.1 204 No Content
            words = (await reader.readline()).split(b" ")
            return words[1] if len(words) > 1 else b"nothing"
        finally:
            writer.close()


def is_sealed_v2(packet: bytes) -> bool:
    """Whether this is what a node of ours sends."""
    return packet[:1] == bytes([VERSION << 5 | SEALED])


def settings(path: str) -> "dict[str, Any]":
    """What `angsila node build` wrote for this board."""
    with open(path) as file:
        found: dict[str, Any] = json.load(file)
    return found
