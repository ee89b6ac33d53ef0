"""The Bluetooth radio of a Linux machine: BlueZ over D-Bus, scanning through bleak."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from drivers.errors import BusError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bleak import BleakScanner
    from bleak.args.bluez import BlueZScannerArgs
    from bleak.backends.device import BLEDevice
    from bleak.backends.scanner import AdvertisementData
    from dbus_fast.aio import MessageBus

SERVICE = "org.bluez"
ADAPTER = "org.bluez.Adapter1"
PROPERTIES = "org.freedesktop.DBus.Properties"
CALL_MAX_S = 5.0
START_MAX_S = 15.0
# Between off and on: the firmware of some adapters needs a moment to notice.
OFF_S = 1.0


class Pattern(NamedTuple):
    """Bytes at a place of one part of an advertisement, as BlueZ's monitor compares them."""

    start: int
    part: int  # Its type, from Bluetooth's assigned numbers, section 2.3.
    content: bytes


class Heard(Protocol):
    """What of bleak's advertisement is used."""

    @property
    def local_name(self) -> str | None:
        """The name it sends."""

    @property
    def manufacturer_data(self) -> dict[int, bytes]:
        """Company → payload, everything BlueZ has gathered."""

    @property
    def service_data(self) -> dict[str, bytes]:
        """Service → payload, everything BlueZ has gathered."""

    @property
    def service_uuids(self) -> list[str]:
        """Services it says it has."""

    @property
    def rssi(self) -> int:
        """How loud it was."""


# Address and what was heard.
OnAdvert = Callable[[str, Heard], None]


class BlueZRadio:
    """One adapter. Every method raises `BusError`, with "absent" when there is no radio."""

    def __init__(self, adapter: str = "", off_s: float = OFF_S) -> None:
        self._wanted = adapter
        self._off_s = off_s
        self._bus: MessageBus | None = None
        self._scanner: BleakScanner | None = None
        self._path = ""
        self._owner = ""

    @property
    def adapter(self) -> str:
        """The adapter that is used, such as "hci0"; empty before there was one."""
        return self._path.rpartition("/")[2]

    async def start(self, on_advert: OnAdvert, patterns: Sequence[Pattern]) -> str:
        """Scan: passively for `patterns` where BlueZ can, else actively; say which."""
        # A call to it also starts bluetoothd where D-Bus may do that.
        self._path = self._choose(await self._managed())
        self._owner = await self._owner_now()
        if not await self._is_powered():
            await self._power(on=True)
        if patterns:
            try:
                await self._scan(on_advert, patterns)
            except BusError as error:
                # An old BlueZ, one without --experimental, or an old kernel.
                if error.fault == "timeout":
                    raise
            else:
                return "passive"
        await self._scan(on_advert, ())
        return "active"

    async def check(self) -> None:
        """See that the adapter is there and on, and that it is still the same bluetoothd."""
        if not await self._is_powered():
            raise BusError(f"{self.adapter} is switched off", "absent")
        if await self._owner_now() != self._owner:
            raise BusError("bluetoothd was started anew", "absent")

    async def stop(self) -> None:
        """End the scan, as far as BlueZ lets us: with the adapter its scan is gone, too."""
        from bleak.exc import BleakError  # noqa: PLC0415 # only a machine with a radio pays for it

        scanner, self._scanner = self._scanner, None
        if scanner is None:
            return
        try:
            async with asyncio.timeout(CALL_MAX_S):
                await scanner.stop()
        except (BleakError, TimeoutError, OSError, EOFError) as error:
            raise BusError(f"the scan cannot be stopped: {error}") from error

    async def power_cycle(self) -> None:
        """Switch the adapter off and on again: what BlueZ's stuck discovery is cured by."""
        self._path = self._choose(await self._managed())
        await self._power(on=False)
        await asyncio.sleep(self._off_s)
        await self._power(on=True)

    async def forget(self, address: str) -> None:
        """Let BlueZ forget what it has gathered of a device; it begins anew with the next."""
        path = f"{self._path}/dev_{address.replace(':', '_')}"
        await self._call(self._path, ADAPTER, "RemoveDevice", "o", [path])

    async def close(self) -> None:
        """Give the bus back."""
        bus, self._bus = self._bus, None
        if bus is not None:
            await hang_up(bus)

    async def _scan(self, on_advert: OnAdvert, patterns: Sequence[Pattern]) -> None:
        """Begin to scan, passively if there are patterns."""
        from bleak import BleakScanner  # noqa: PLC0415 # only a machine with a radio pays for it
        from bleak.args.bluez import OrPattern  # noqa: PLC0415 # as above
        from bleak.assigned_numbers import AdvertisementDataType  # noqa: PLC0415 # as above
        from bleak.exc import BleakError  # noqa: PLC0415 # as above

        def heard(device: BLEDevice, advert: AdvertisementData) -> None:
            on_advert(device.address, advert)

        bluez: BlueZScannerArgs = {"adapter": self.adapter}
        if patterns:
            bluez["or_patterns"] = [
                OrPattern(one.start, AdvertisementDataType(one.part), one.content)
                for one in patterns
            ]
        scanner = BleakScanner(
            heard, scanning_mode="passive" if patterns else "active", bluez=bluez
        )
        try:
            async with asyncio.timeout(START_MAX_S):
                await scanner.start()
        except TimeoutError as error:
            raise BusError("bluetoothd does not answer", "timeout") from error
        except (BleakError, OSError, EOFError) as error:
            raise BusError(f"Bluetooth cannot scan: {error}", "absent") from error
        self._scanner = scanner

    def _choose(self, objects: dict[str, dict[str, dict[str, Any]]]) -> str:
        """Find the path of the adapter of the settings, or of the first one."""
        paths = sorted(path for path, interfaces in objects.items() if ADAPTER in interfaces)
        fitting = [path for path in paths if self._wanted in ("", path.rpartition("/")[2])]
        if not fitting:
            there = ", ".join(path.rpartition("/")[2] for path in paths) or "none"
            raise BusError(
                f"no Bluetooth adapter {self._wanted or 'at all'}; there: {there}", "absent"
            )
        return fitting[0]

    async def _managed(self) -> Any:
        manager = "org.freedesktop.DBus.ObjectManager"
        return (await self._call("/", manager, "GetManagedObjects"))[0]

    async def _is_powered(self) -> bool:
        body = [ADAPTER, "Powered"]
        return bool((await self._call(self._path, PROPERTIES, "Get", "ss", body))[0].value)

    async def _power(self, *, on: bool) -> None:
        from dbus_fast import Variant  # noqa: PLC0415 # only a machine with a radio pays for it

        body = [ADAPTER, "Powered", Variant("b", on)]
        await self._call(self._path, PROPERTIES, "Set", "ssv", body)

    async def _owner_now(self) -> str:
        """Who is org.bluez on the bus: another one after each start of bluetoothd."""
        bus = "org.freedesktop.DBus"
        body = [SERVICE]
        found = await self._call(f"/{bus.replace('.', '/')}", bus, "GetNameOwner", "s", body, bus)
        return str(found[0])

    async def _call(
        self,
        path: str,
        interface: str,
        member: str,
        signature: str = "",
        body: list[Any] | None = None,
        destination: str = SERVICE,
    ) -> list[Any]:
        """Call a method on the system bus; its answer."""
        try:
            from dbus_fast import (  # noqa: PLC0415 # only a machine with a radio pays for it
                Message,
                MessageType,
            )
            from dbus_fast.errors import DBusError  # noqa: PLC0415 # as above
        except ImportError as error:
            raise BusError("bleak is not installed: install angsila-kiosk[pi]", "absent") from error
        message = Message(
            destination=destination,
            path=path,
            interface=interface,
            member=member,
            signature=signature,
            body=body or [],
        )
        try:
            async with asyncio.timeout(CALL_MAX_S):
                bus = await self._connected()
                reply = await bus.call(message)
        except TimeoutError as error:
            raise BusError(f"bluetoothd does not answer to {member}", "timeout") from error
        except (OSError, EOFError, DBusError) as error:
            raise BusError(f"no D-Bus: {error}", "absent") from error
        if reply is None or reply.message_type is MessageType.ERROR:
            why = f"{reply.error_name}: {reply.body}" if reply else "no reply"
            raise BusError(f"{member} on {path}: {why}", "absent")
        return reply.body

    async def _connected(self) -> MessageBus:
        """Connect to the system bus, again if the connection broke."""
        from dbus_fast import BusType  # noqa: PLC0415 # only a machine with a radio pays for it
        from dbus_fast.aio import MessageBus  # noqa: PLC0415 # as above

        if self._bus is not None and not self._bus.connected:
            await self.close()
        if self._bus is None:
            bus = MessageBus(bus_type=BusType.SYSTEM)
            try:
                await bus.connect()
            except BaseException:
                bus.disconnect()
                raise
            self._bus = bus
        return self._bus


async def hang_up(bus: MessageBus) -> None:
    """End a connection, and take note of what it died of if it did: nobody needs to know."""
    bus.disconnect()
    with contextlib.suppress(OSError, EOFError):
        await bus.wait_for_disconnect()  # type: ignore[no-untyped-call] # its type is left out
