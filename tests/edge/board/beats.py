"""Three beats of the node that was built here, with every packet on the console."""

import asyncio

from drivers.node import Counter, Node, settings
from drivers.node_board import sender, sensors

TYPE_CHECKING = False
if TYPE_CHECKING:
    from drivers.node import Sender

BEATS = 3


class Loud:
    """The way to the kiosk, and what goes over it."""

    def __init__(self, way: "Sender") -> None:
        self.way = way
        self.address = way.address

    async def send(self, packet: bytes) -> None:
        """Show a packet, and bring it."""
        print(self.address.hex(), packet.hex())  # noqa: T201 # a console
        await self.way.send(packet)


async def main() -> None:
    """Be a node for a while."""
    chosen = settings("node.json")
    way = Loud(sender(chosen))
    counter = Counter("counter.txt")
    node = Node(sensors(chosen["sensors"]), way, bytes.fromhex(chosen["key"]), counter, 1)
    for _ in range(BEATS):
        await node.beat()


asyncio.run(main())
