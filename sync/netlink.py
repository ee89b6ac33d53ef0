"""The kernel's word that the way out has changed, so that nobody waits out a pause on a good link.

A line of rtnetlink(7): each datagram is messages, each with a head and padded to four bytes.

Head:  length 4 | type 2 | flags 2 | seq 4 | port 4       in the machine's byte order
"""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Protocol

log = logging.getLogger(__name__)

HEAD = struct.Struct("=IHHII")
# linux/rtnetlink.h. Of IPv6 only the routes: a router prolongs its addresses every few minutes.
RTMGRP_IPV4_IFADDR, RTMGRP_IPV4_ROUTE, RTMGRP_IPV6_ROUTE = 0x10, 0x40, 0x400
RTM_NEWADDR, RTM_NEWROUTE = 20, 24
DATAGRAM_BYTES_MAX = 64 * 1024
SETTLE_S = 0.1  # An address and its routes come one after the other.


class Links(Protocol):
    """Something that knows when a way out has come."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` each time there may be a way out, for ever."""


class Netlink:
    """The kernel's links. Where it does not say, nobody is told, and pauses end by themselves."""

    async def watch(self, changed: Callable[[], None]) -> None:
        """Call `changed` each time an address or a route has come, for ever."""
        try:
            port = _open_port()
        except OSError as error:
            log.warning("the kernel does not tell of links: %s", error.strerror)
            await asyncio.get_running_loop().create_future()
            return
        with port:
            await watch_port(port, changed)


def _open_port() -> socket.socket:
    kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
    port = socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE)
    try:
        port.bind((0, RTMGRP_IPV4_IFADDR | RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE))
    except OSError:
        port.close()
        raise
    return port


async def watch_port(port: socket.socket, changed: Callable[[], None]) -> None:
    """Call `changed` after each burst of messages that bring an address or a route, for ever."""
    while True:
        await _readable(port)
        await asyncio.sleep(SETTLE_S)
        if any(kind in (RTM_NEWADDR, RTM_NEWROUTE) for kind in _read(port)):
            changed()


async def _readable(port: socket.socket) -> None:
    loop, readable = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(port, readable.set)
    try:
        await readable.wait()
    finally:
        loop.remove_reader(port)


def _read(port: socket.socket) -> list[int]:
    """Types of all messages that have come."""
    found: list[int] = []
    while True:
        try:
            found.extend(kinds(port.recv(DATAGRAM_BYTES_MAX)))
        except BlockingIOError:
            return found
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
            found.append(RTM_NEWROUTE)  # Some were dropped, and who knows what they said.


def kinds(datagram: bytes) -> Iterator[int]:
    """Types of the messages in a datagram; what follows a head that cannot be is left out."""
    place = 0
    while place + HEAD.size <= len(datagram):
        message_bytes, kind, *_ = HEAD.unpack_from(datagram, place)
        if message_bytes < HEAD.size:
            return
        yield kind
        place += -(-message_bytes // 4) * 4
