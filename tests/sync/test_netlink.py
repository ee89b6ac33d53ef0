"""What the kernel says of links, from a socket pair and from the kernel itself."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from sync.netlink import HEAD, RTM_NEWADDR, RTM_NEWROUTE, kinds, watch_port
from tests.beside import beside

RTM_DELROUTE = 25


def message(kind: int, body: bytes = b"") -> bytes:
    """One message, padded to four bytes."""
    whole = HEAD.pack(HEAD.size + len(body), kind, 0, 0, 0) + body
    return whole + bytes(-len(whole) % 4)


@asynccontextmanager
async def watched() -> AsyncIterator[tuple[socket.socket, asyncio.Event]]:
    """The kernel's end of a port that is watched, and what rings."""
    ours, kernels = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    ours.setblocking(False)
    rung = asyncio.Event()
    with ours, kernels:
        async with beside(watch_port(ours, rung.set)):
            yield kernels, rung


@pytest.mark.parametrize("kind", [RTM_NEWADDR, RTM_NEWROUTE])
async def test_a_way_out_rings(kind: int) -> None:
    """An address or a route that has come is told, whatever stands beside it."""
    async with watched() as (kernel, rung):
        kernel.send(message(RTM_DELROUTE, b"abc") + message(kind, b"12345"))
        async with asyncio.timeout(5):
            await rung.wait()


async def test_a_way_out_that_has_gone_does_not_ring() -> None:
    """Only what comes after it does."""
    async with watched() as (kernel, rung):
        kernel.send(message(RTM_DELROUTE))
        kernel.send(b"")
        assert not rung.is_set()
        kernel.send(message(RTM_NEWROUTE))
        async with asyncio.timeout(5):
            await rung.wait()


@pytest.mark.parametrize("torn", [b"", b"\x01", message(24)[:15], HEAD.pack(3, 24, 0, 0, 0)])
def test_what_is_no_message_is_left_out(torn: bytes) -> None:
    """A datagram that ends in the middle of a head, or whose length cannot be, ends nothing."""
    assert list(kinds(message(RTM_NEWADDR, b"x") + torn)) == [RTM_NEWADDR]
