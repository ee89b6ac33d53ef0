"""A bluetoothd without a radio, on a bus of its own, for tests and for desks without an adapter.

It speaks the part of BlueZ's D-Bus interface that scanning needs, to bleak as it is, and fails
on demand in the ways the real one does in the field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from drivers.linux.bluez import hang_up

if TYPE_CHECKING:
    from collections.abc import Callable

SERVICE = "org.bluez"
ADAPTER = "org.bluez.Adapter1"
DEVICE = "org.bluez.Device1"
MONITOR = "org.bluez.AdvertisementMonitor1"
MONITORS = "org.bluez.AdvertisementMonitorManager1"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"
UNKNOWN_OBJECT = "org.freedesktop.DBus.Error.UnknownObject"
UNKNOWN_METHOD = "org.freedesktop.DBus.Error.UnknownMethod"
IN_PROGRESS = "org.bluez.Error.InProgress"
NOT_READY = "org.bluez.Error.NotReady"
FAILED = "org.bluez.Error.Failed"
DOES_NOT_EXIST = "org.bluez.Error.DoesNotExist"

Properties = dict[str, Variant]


class FakeBlueZ:
    """org.bluez with one adapter. What is heard through it, `advertise` says.

    `has_monitors` is what an old BlueZ lacks. `deaf_until` is "", or what makes a scanner that
    has gone silent hear again: "scan" (a new one), "power" (the adapter off and on) or
    "bluetoothd" (a new process). `failing` holds errors that calls of a name are answered with,
    one after the other, and `hanging` names that are not answered at all.
    """

    def __init__(self, bus_address: str, *, has_monitors: bool = True, name: str = "hci0") -> None:
        self._bus_address = bus_address
        self._bus: MessageBus | None = None
        self.path = f"/org/bluez/{name}"
        self.has_monitors = has_monitors
        self.is_plugged = True
        self.is_powered = True
        self.deaf_until = ""
        self.failing: dict[str, list[str]] = {}
        self.hanging: set[str] = set()
        self.scanning: set[str] = set()  # Who has a discovery session.
        self.monitors: dict[str, str] = {}  # Path of a monitor → whose it is.
        self.devices: dict[str, Properties] = {}
        self.calls: list[str] = []

    async def start(self) -> None:
        """Be org.bluez from now on; a new one hears again."""
        bus = await MessageBus(bus_address=self._bus_address, bus_type=BusType.SYSTEM).connect()
        self._bus = bus
        bus.add_message_handler(self._answer)
        await bus.request_name(SERVICE)
        self._heal("bluetoothd")

    async def stop(self) -> None:
        """Crash: no signal, no goodbye, and the next one knows of no scan."""
        bus, self._bus = self._bus, None
        if bus is not None:
            await hang_up(bus)
        self.scanning.clear()
        self.monitors.clear()
        self.devices.clear()

    async def unplug(self) -> None:
        """Take the adapter out."""
        self.is_plugged = False
        for path in list(self.devices):
            self._remove(path)
        self.scanning.clear()
        self.monitors.clear()
        await self._signal("/", OBJECTS, "InterfacesRemoved", "oas", [self.path, [ADAPTER]])

    async def plug(self) -> None:
        """Put the adapter back."""
        self.is_plugged = True
        body = [self.path, self._adapter()]
        await self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", body)

    @property
    def is_listening(self) -> bool:
        """Whether somebody scans, and the radio can hear."""
        can = self.is_plugged and self.is_powered and not self.deaf_until
        return can and bool(self.scanning or self.monitors)

    async def advertise(
        self,
        address: str,
        *,
        name: str = "",
        rssi: int = -60,
        manufacturer_data: dict[int, bytes] | None = None,
        service_data: dict[str, bytes] | None = None,
    ) -> bool:
        """Let the radio hear a device; whether anybody was told.

        As the real one does, it adds payloads to what it knows of the device, and tells what
        has changed: for a repeated payload that is the loudness only.
        """
        if not self.is_listening or self._bus is None:
            return False
        path = f"{self.path}/dev_{address.replace(':', '_')}"
        known = self.devices.get(path)
        changed: Properties = {"RSSI": Variant("n", rssi)}
        for key, signature, news in (
            ("ManufacturerData", "a{qv}", manufacturer_data),
            ("ServiceData", "a{sv}", service_data),
        ):
            before = known[key].value if known and key in known else {}
            merged = before | {one: Variant("ay", load) for one, load in (news or {}).items()}
            if merged != before:
                changed[key] = Variant(signature, merged)
        if known is None:
            self.devices[path] = self._device(address, name) | changed
            body: list[Any] = [path, {DEVICE: self.devices[path]}]
            await self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", body)
        else:
            known.update(changed)
            body = [DEVICE, changed, []]
            await self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", body)
        return True

    async def forget(self, address: str) -> None:
        """Drop a device that has not been heard for long, as BlueZ does after 30 s."""
        self._remove(f"{self.path}/dev_{address.replace(':', '_')}")

    async def settle(self) -> None:
        """Wait until the bus has taken all signals: dbus-fast breaks when its buffer is full."""
        if self._bus is not None:
            bus = "org.freedesktop.DBus"
            await self._bus.call(
                Message(destination=bus, path="/", interface=f"{bus}.Peer", member="Ping")
            )

    async def patterns(self) -> list[Any]:
        """What the monitors of all clients listen for."""
        found: list[Any] = []
        for path, owner in self.monitors.items():
            assert self._bus is not None  # noqa: S101 # nobody registers on a bus that is closed
            reply = await self._bus.call(
                Message(
                    destination=owner,
                    path=path,
                    interface=PROPERTIES,
                    member="Get",
                    signature="ss",
                    body=[MONITOR, "Patterns"],
                )
            )
            found += reply.body[0].value if reply else []
        return found

    def _answer(self, message: Message) -> Message | bool | None:
        """Answer one call."""
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        member = str(message.member)
        self.calls.append(member)
        del self.calls[:-64]
        if member in self.hanging:
            return True
        if self.failing.get(member):
            return Message.new_error(message, self.failing[member].pop(0), "as the test wants it")
        if member == "GetManagedObjects":
            return Message.new_method_return(message, "a{oa{sa{sv}}}", [self._objects()])
        if message.path != self.path or not self.is_plugged:
            return Message.new_error(message, UNKNOWN_OBJECT, f"no {message.path}")
        return self._of_adapter(member, message)

    def _of_adapter(self, member: str, message: Message) -> Message:
        """Answer a call to the adapter."""
        sender = str(message.sender)
        members: dict[str, Callable[[], object]] = {
            "SetDiscoveryFilter": lambda: None,
            "StartDiscovery": lambda: self._discover(sender),
            "StopDiscovery": lambda: self.scanning.discard(sender),
            "RemoveDevice": lambda: self._remove(str(message.body[0])),
            "Set": lambda: self._set_power(on=message.body[2].value),
        }
        if self.has_monitors:
            members["RegisterMonitor"] = lambda: self.monitors.update({message.body[0]: sender})
            members["UnregisterMonitor"] = lambda: self.monitors.pop(message.body[0])
        if member == "Get":
            value = self._adapter()[ADAPTER][str(message.body[1])]
            return Message.new_method_return(message, "v", [value])
        if member not in members:
            return Message.new_error(message, UNKNOWN_METHOD, f"no {member}")
        if member in ("StartDiscovery", "StopDiscovery") and not self.is_powered:
            return Message.new_error(message, NOT_READY, "Resource Not Ready")
        if member == "StopDiscovery" and sender not in self.scanning:
            return Message.new_error(message, FAILED, "No discovery started")
        if member == "UnregisterMonitor" and message.body[0] not in self.monitors:
            return Message.new_error(message, DOES_NOT_EXIST, "Does Not Exist")
        members[member]()
        return Message.new_method_return(message)

    def _discover(self, sender: str) -> None:
        self.scanning.add(sender)
        self._heal("scan")

    def _set_power(self, *, on: bool) -> None:
        self.is_powered = on
        if on:
            self._heal("power")
        else:
            self.scanning.clear()
            self.monitors.clear()

    def _heal(self, by: str) -> None:
        """Hear again if `by` is enough, or more than enough."""
        ladder = ("scan", "power", "bluetoothd")
        if self.deaf_until and ladder.index(by) >= ladder.index(self.deaf_until):
            self.deaf_until = ""

    def _objects(self) -> dict[str, dict[str, Properties]]:
        if not self.is_plugged:
            return {}
        return {self.path: self._adapter()} | {
            path: {DEVICE: properties} for path, properties in self.devices.items()
        }

    def _adapter(self) -> dict[str, Properties]:
        return {
            ADAPTER: {
                "Address": Variant("s", "00:00:00:00:00:01"),
                "Powered": Variant("b", self.is_powered),
                "Discovering": Variant("b", bool(self.scanning)),
                "Roles": Variant("as", ["central", "peripheral"]),
            }
        }

    def _device(self, address: str, name: str) -> Properties:
        named = {"Name": Variant("s", name)} if name else {}
        return named | {
            "Address": Variant("s", address),
            "Alias": Variant("s", name or address.replace(":", "-")),
            "Adapter": Variant("o", self.path),
            "UUIDs": Variant("as", []),
        }

    def _remove(self, path: str) -> None:
        if self.devices.pop(path, None) is not None and self._bus is not None:
            body = [path, [DEVICE]]
            signal = Message.new_signal("/", OBJECTS, "InterfacesRemoved", "oas", body)
            self._bus.send(signal)

    async def _signal(
        self, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> None:
        if self._bus is not None:
            await self._bus.send(Message.new_signal(path, interface, member, signature, body))
