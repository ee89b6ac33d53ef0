"""Our own nodes on the local network: the same sealed packets as in the air, posted to us."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drivers import bthome
from drivers.errors import BusError, FrameError, NoDataError
from drivers.linux.adverts import Advert
from drivers.linux.ble_sensor import BLESensor, Ear
from drivers.node import is_sealed_v2

if TYPE_CHECKING:
    from collections.abc import Callable

NODES_MAX = 64

_ears: dict[str, Ear] = {}


class Node(BLESensor):
    """One node, heard over the local network."""

    KIND = "node"


def ear(address: str, make: Callable[[], Ear]) -> Ear:
    """The ear for a node: the same one as long as the process lives. Raises `BusError`."""
    if address not in _ears:
        if len(_ears) >= NODES_MAX:
            raise BusError(f"{address}: more than {NODES_MAX} nodes", "input")
        _ears[address] = make()
    return _ears[address]


def deliver(address: str, packet: bytes) -> None:
    """Take one packet that was posted.

    Raises `NoDataError` for a node that is not in the settings, and the `DriverError` of a
    packet that is open, damaged, sealed with another key or replayed.
    """
    if address not in _ears:
        raise NoDataError(f"{address} is no node of this kiosk")
    if not is_sealed_v2(packet):
        raise FrameError(f"{address}: a packet that is not sealed: {packet.hex()}", "key")
    error = _ears[address].hear(Advert(address, service_data={bthome.V2: packet}))
    if error is not None:
        # Who sent it is told. What the node itself has said stands, whatever a stranger posts.
        _ears[address].excuse()
        raise error
