"""A network in RAM under unmodified aiohttp, with latency, partitions and everything worse."""

from __future__ import annotations

import asyncio
import random
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.sim.loop import HOST, Host, passed

Address = tuple[str, int]


@dataclass
class Link:
    """How a machine's way to the others is just now."""

    latency_s: float = 0.02
    jitter_s: float = 0.01
    loss: float = 0.0  # Each lost packet is sent again: it only comes later.
    resend_s: float = 1.0
    apart_until_s: float = 0.0
    armed: str = ""  # What happens to the next request: swallow, twice, late, cut, half_open.


class Network:
    """Connects the machines of one universe."""

    def __init__(self, rng: random.Random, record: Callable[..., None]) -> None:
        self.rng = rng
        self.record = record
        self.links: dict[str, Link] = {}
        self.servers: dict[Address, Listener] = {}
        self.connections: list[Connection] = []
        self.machines: dict[str, Host] = {}  # The boot that each machine is in.
        self._found: weakref.WeakKeyDictionary[Any, Address] = weakref.WeakKeyDictionary()
        self.outside = Host("outside")

    def link(self, name: str) -> Link:
        """The way of one machine."""
        return self.links.setdefault(name, Link())

    async def connect(self, sock: Any, address: Address) -> None:
        """Three packets, or silence, or a refusal."""
        host = HOST.get() or self.outside
        link = self.link(host.name)
        loop = asyncio.get_running_loop()
        while loop.time() < link.apart_until_s:
            await passed(link.apart_until_s - loop.time() + self.rng.random())
        await passed(self.delay_s(link) * 2)
        listener = self.servers.get(address[:2])
        if listener is None:
            raise ConnectionRefusedError(111, f"nobody listens on {address}")
        if not listener.host.alive:
            await asyncio.get_running_loop().create_future()  # A machine without power is silent.
        self._found[sock] = address[:2]

    def attach(self, factory: Callable[[], Any], sock: Any) -> tuple[Any, Any]:
        """Make the client's end of a connection."""
        address = self._found.pop(sock)
        sock.close()
        host = HOST.get() or self.outside
        protocol = factory()
        connection = self.open(host, protocol, address)
        return connection.client, protocol

    def open(self, host: Host, protocol: Any, address: Address) -> Connection:
        """Make both ends; the server hears of it a little later."""
        connection = Connection(self, host, protocol, address)
        self.connections = [each for each in self.connections if not each.over()]
        self.connections.append(connection)
        return connection

    def listen(self, factory: Callable[[], Any], address: Address) -> Listener:
        """Take connections on an address."""
        host = HOST.get() or self.outside
        listener = Listener(self, host, factory, address)
        self.servers[address] = listener
        return listener

    def delay_s(self, link: Link) -> float:
        """How long one packet takes."""
        late_s = link.latency_s + self.rng.random() * link.jitter_s
        while link.loss and self.rng.random() < link.loss:
            late_s += link.resend_s * (0.5 + self.rng.random())
        return late_s

    def reset_all(self, name: str) -> None:
        """Break what a machine has open, on both ends."""
        for connection in list(self.connections):
            if connection.client.host.name == name and connection.client.host.alive:
                connection.reset()

    def replay(self, request: bytes, address: Address, delay_s: float) -> None:
        """A box on the way sends a request again, much later."""
        loop = asyncio.get_running_loop()
        loop.call_later(delay_s, self._replay, request, address, context=self.outside.context)

    def _replay(self, request: bytes, address: Address) -> None:
        listener = self.servers.get(address)
        if listener is None or not listener.host.alive:
            return
        self.record("replayed", len(request))
        self.open(self.outside, asyncio.Protocol(), address).client.write(request)


class Listener:
    """A server's ear."""

    def __init__(
        self, network: Network, host: Host, factory: Callable[[], Any], address: Address
    ) -> None:
        self._network = network
        self.host = host
        self.factory = factory
        self._address = address
        self.sockets: list[Any] = []

    def close(self) -> None:
        """Take no more connections."""
        if self._network.servers.get(self._address) is self:
            del self._network.servers[self._address]

    async def wait_closed(self) -> None:
        """There is nothing to wait for."""


class Connection:
    """Two ends and what is between them."""

    def __init__(self, network: Network, host: Host, protocol: Any, address: Address) -> None:
        self.network = network
        self.address = address
        self.link = network.link(host.name)
        self.silent = False  # Half open: nothing comes through, and nobody says so.
        self.fault = ""
        self.request = bytearray()
        self.answered = True
        listener = network.servers.get(address)
        self.server = End(self, listener.host if listener else network.outside)
        self.client = End(self, host)
        self.client.peer, self.server.peer = self.server, self.client
        self.client.start(protocol)
        loop = asyncio.get_running_loop()
        arrival_s = loop.time() + network.delay_s(self.link)
        self.client.sent_until_s = arrival_s
        if listener is None:
            self.reset()
        else:
            loop.call_at(arrival_s, self._accept, listener, context=listener.host.context)

    def _accept(self, listener: Listener) -> None:
        if self.network.servers.get(self.address) is listener and not self.server.closed:
            self.server.start(listener.factory())
        else:
            self.reset()

    def over(self) -> bool:
        """Whether nobody is on it any more."""
        return all(end.closed or not end.host.alive for end in (self.client, self.server))

    def reset(self) -> None:
        """Both ends learn that it is broken."""
        for end in (self.client, self.server):
            end.lose(ConnectionResetError(104, "Connection reset by peer"))

    def sent(self, end: End, chunk: bytes) -> bytes:
        """What of a chunk goes on its way; here the armed fault strikes."""
        if self.silent:
            return b""
        if end is self.client:
            return self._requested(chunk)
        self.answered = True
        if self.fault == "swallow":
            self.fault = ""
            self.network.record("swallowed", len(chunk))
            self.reset()
            return b""
        if self.fault == "twice":
            self.fault = ""
            self.network.replay(bytes(self.request), self.address, self.network.rng.uniform(0, 600))
        return chunk

    def _requested(self, chunk: bytes) -> bytes:
        if self.answered:
            self.request.clear()
            self.answered = False
            self.fault, self.link.armed = self.link.armed, ""
            if self.fault:
                self.network.record("fault", self.fault)
        self.request += chunk
        loop = asyncio.get_running_loop()
        if self.fault == "half_open":
            self.silent = True
            return b""
        if self.fault == "late":
            # All of it is with a box on the way when the client is cut off.
            self.silent = True
            loop.call_later(5.0, self._late, context=self.network.outside.context)
            return b""
        if self.fault == "cut":
            self.fault = ""
            loop.call_later(1.0, self.reset, context=self.network.outside.context)
            return chunk[: self.network.rng.randrange(len(chunk) + 1)]
        return chunk

    def _late(self) -> None:
        if self.fault:
            self.fault = ""
            delay_s = self.network.rng.uniform(0, 300)
            self.network.replay(bytes(self.request), self.address, delay_s)
            self.reset()


class End(asyncio.Transport):
    """One end of a connection, as asyncio's transports are."""

    peer: End

    def __init__(self, connection: Connection, host: Host) -> None:
        super().__init__()
        self.connection = connection
        self.host = host
        self.protocol: Any = None
        self.closed = False
        self._closing = False
        self._paused = False
        self._heard: list[bytes | None] = []  # None: the other side has ended.
        self.sent_until_s = 0.0

    def start(self, protocol: Any) -> None:
        """Give it its protocol, and what has come already."""
        self.protocol = protocol
        protocol.connection_made(self)

    # --- what a protocol calls -------------------------------------------------------------------

    def write(self, data: Any) -> None:
        """Send."""
        if self._closing or self.closed or not data:
            return
        chunk = self.connection.sent(self, bytes(data))
        if chunk:
            self._send(chunk)

    def writelines(self, list_of_data: Any) -> None:
        """Send all of them, as one piece: that is what the kernel would see."""
        self.write(b"".join(list_of_data))

    def close(self) -> None:
        """Say that this was all, after what is on its way."""
        if self._closing or self.closed:
            return
        self._closing = True
        self._send(None)
        self._soon(self._lost, None)

    def abort(self) -> None:
        """Break it off."""
        if not self.closed:
            self.lose(None)
            self.peer.lose(ConnectionResetError(104, "Connection reset by peer"))

    def is_closing(self) -> bool:
        """Whether it has ended or will."""
        return self._closing or self.closed

    def pause_reading(self) -> None:
        """Hold what comes."""
        self._paused = True

    def resume_reading(self) -> None:
        """Take what came."""
        self._paused = False
        self._soon(self._hear)

    def is_reading(self) -> bool:
        """Whether what comes is taken."""
        return not self._paused

    def get_protocol(self) -> Any:
        """Who is on it."""
        return self.protocol

    def set_protocol(self, protocol: Any) -> None:
        """Put somebody else on it."""
        self.protocol = protocol

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """It takes whatever comes."""

    def get_write_buffer_size(self) -> int:
        """All is on its way at once."""
        return 0

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Who the other side is."""
        if name == "peername":
            return (self.peer.host.name, 0)
        return default

    # --- the way -----------------------------------------------------------------------------

    def _soon(self, callback: Callable[..., None], *args: Any) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(callback, *args, context=self.host.context)

    def _send(self, chunk: bytes | None) -> None:
        connection, network = self.connection, self.connection.network
        if connection.silent:
            return
        loop = asyncio.get_running_loop()
        start_s = max(loop.time(), connection.link.apart_until_s)
        # One after the other: what is resent holds up what follows.
        arrival_s = max(self.sent_until_s, start_s + network.delay_s(connection.link))
        self.sent_until_s = arrival_s + 1e-6
        if not self.peer.host.alive:
            # A machine without power is silent; once it is up again it knows of no connection.
            if network.machines.get(self.peer.host.name) is not self.peer.host:
                error = ConnectionResetError(104, "Connection reset by peer")
                loop.call_at(arrival_s, self.lose, error, context=self.host.context)
            return
        loop.call_at(arrival_s, self.peer.arrive, chunk, context=self.peer.host.context)

    def arrive(self, chunk: bytes | None) -> None:
        """Something has come."""
        name = self.host.name
        self.connection.network.record("came", name, -1 if chunk is None else len(chunk))
        self._heard.append(chunk)
        self._hear()

    def _hear(self) -> None:
        while self._heard and not self._paused and not self.closed and self.protocol is not None:
            chunk = self._heard.pop(0)
            if chunk is not None:
                self.protocol.data_received(chunk)
            elif not self.protocol.eof_received():
                self.close()

    def lose(self, error: Exception | None) -> None:
        """Learn, in a moment, that it is broken."""
        self._closing = True
        self._soon(self._lost, error)

    def _lost(self, error: Exception | None) -> None:
        if self.closed:
            return
        self.closed = True
        if self.protocol is not None:
            self.protocol.connection_lost(error)
