"""What only a board has: its buses, its radios, its restart. No Linux machine imports this."""

import asyncio
import sys
import time

from drivers.aio import within
from drivers.bus import DirectI2C
from drivers.errors import BusError, DriverError
from drivers.node import ADVERT_US, SHOW_S, Counter, Node, Poster, advertisement, settings

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from drivers.catalog import Driver
    from drivers.node import Sender

RESTART_S = 10  # Between a failure and the restart: long enough to read the console.
WIFI_MAX_S = 20.0
WIFI_LOOK_S = 0.2
UART_READ_BYTES_MAX = 256
UART_WRITE_MAX_S = 2.0


class Advertiser:
    """Broadcasts packets by Bluetooth, each for a while."""

    def __init__(self) -> None:
        # Only some boards have it.
        import bluetooth  # type: ignore[import-not-found]  # noqa: PLC0415

        self._ble = bluetooth.BLE()
        self._ble.active(True)
        self.address: bytes = bytes(self._ble.config("mac")[1])

    async def send(self, packet: bytes) -> None:
        """Show one packet to whoever listens."""
        self._ble.gap_advertise(ADVERT_US, adv_data=advertisement(packet), connectable=False)
        await asyncio.sleep(SHOW_S)
        self._ble.gap_advertise(None)


class BoardLine:
    """A serial line of a board. Every method raises `BusError`."""

    def __init__(self, uart: "Any") -> None:
        self._uart = uart
        self._stream = asyncio.StreamReader(uart)

    async def open(self) -> None:
        """Nothing to do: the board made its line at boot."""

    async def close(self) -> None:
        """Nothing to do: the line is this sensor's alone."""

    async def read(self) -> bytes:
        """Wait for bytes and return all that have come."""
        try:
            return await self._stream.read(UART_READ_BYTES_MAX)
        except OSError as error:
            raise BusError(f"serial line: {error}") from error

    async def write(self, frame: bytes) -> None:
        """Send bytes."""
        await within(UART_WRITE_MAX_S, "serial line", self._write(frame))

    def drop_pending(self) -> None:
        """Forget what has come and was not read yet."""
        waiting = self._uart.any()
        if waiting:
            self._uart.read(waiting)

    async def _write(self, frame: bytes) -> None:
        if self._uart.write(frame) != len(frame):
            raise BusError("serial line: not all bytes went out")


def sensors(rows: "list[dict[str, Any]]") -> "list[Driver]":
    """The drivers that the settings name, each on its pins."""
    # No other machine that reads this file has it.
    from machine import I2C, UART, Pin  # type: ignore[import-not-found]  # noqa: PLC0415

    buses: dict[tuple[int, int], DirectI2C] = {}
    made = []
    for row in rows:
        options = dict(row["options"])
        if row["wire"] == "i2c":
            pins = (row["sda"], row["scl"])
            if pins not in buses:
                i2c = I2C(len(buses), sda=Pin(pins[0]), scl=Pin(pins[1]))
                buses[pins] = DirectI2C(i2c)
            options["bus"] = buses[pins]
        else:
            uart = UART(row["uart"], row["baud"], rx=Pin(row["rx"]), tx=Pin(row["tx"]))
            options["line"] = BoardLine(uart)
        module = __import__(row["module"], None, None, (row["class"],))
        made.append(getattr(module, row["class"])(**options))
    return made


def sender(chosen: "dict[str, Any]") -> "Sender":
    """The way to the kiosk that the settings name. Raises `DriverError`."""
    if chosen["send"] == "bluetooth":
        return Advertiser()
    join(chosen["wifi_name"], chosen["wifi_password"])
    return Poster(chosen["kiosk_host"], chosen["kiosk_port"], bytes.fromhex(chosen["address"]))


def join(name: str, password: str) -> None:
    """Join a wireless network. Raises `DriverError` if it does not let us in."""
    # Only some boards have it.
    import network  # type: ignore[import-not-found]  # noqa: PLC0415

    wlan = network.WLAN(network.STA_IF)
    wlan.active(True)
    wlan.connect(name, password)
    for _ in range(int(WIFI_MAX_S / WIFI_LOOK_S)):
        if wlan.isconnected():
            return
        time.sleep(WIFI_LOOK_S)
    raise DriverError(f"the network {name!r} does not let this node in", "io")


def main(path: str = "node.json") -> None:
    """Be a node for ever; whatever ends it but a technician's Ctrl-C, the board starts anew."""
    import machine  # noqa: PLC0415 # a board has it, no other machine that reads this file

    stopped = False
    try:
        chosen = settings(path)
        way = sender(chosen)
        print(chosen["name"], "is", way.address.hex(":").upper())  # noqa: T201 # its console
        counter = Counter("counter.txt")
        key = bytes.fromhex(chosen["key"])
        node = Node(sensors(chosen["sensors"]), way, key, counter, chosen["period_s"])
        asyncio.run(node.run())
    except KeyboardInterrupt:
        stopped = True
    except DriverError as error:
        sys.print_exception(error)  # type: ignore[attr-defined] # MicroPython's
    finally:
        if not stopped:
            time.sleep(RESTART_S)
            machine.reset()
