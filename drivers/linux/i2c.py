"""The I²C buses of a Linux machine: /dev/i2c-N through smbus2, one thread for each bus."""

from __future__ import annotations

import asyncio
import errno
import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from drivers.bus import transfer_failed
from drivers.bus_recovery import free
from drivers.errors import BusError
from drivers.linux.pinctrl import PiLines
from drivers.linux.smbus import SMBusAdapter

if TYPE_CHECKING:
    from collections.abc import Callable

    from smbus2 import i2c_msg

    from drivers.bus_recovery import Lines

Answer = TypeVar("Answer")

# The kernel gives a transfer up after its adapter's timeout, 1 s as a rule. The thread of a
# bus that hangs for longer cannot be stopped, only no longer waited for.
TRANSFER_MAX_S = 2.0
TRANSFER_BYTES_MAX = 64
# After so many transfers in a row that the bus itself has failed, it is freed; and again after
# as many more.
FAILURES_MAX = 10
RECOVERY_MAX_S = 10.0
# A chip that does not answer, or a transfer that the adapter has not: the bus is well.
BUS_IS_WELL = {errno.ENXIO, errno.EREMOTEIO, errno.EOPNOTSUPP}

log = logging.getLogger(__name__)


class Adapter(Protocol):
    """What of smbus2's `SMBus` is used."""

    def i2c_rdwr(self, *messages: i2c_msg) -> None:
        """Transfer messages with repeated starts. Raises `OSError`."""

    def close(self) -> None:
        """Give the device back."""


class LinuxI2C:
    """One adapter, by the names of `machine.I2C`.

    Its single thread is also the lock: transfers of several chips never overlap. Get one
    from `shared`, so that there is one for each adapter.
    """

    def __init__(
        self,
        number: int,
        open_bus: Callable[[int], Adapter] | None = None,
        lines: Callable[[int], Lines] = PiLines,
    ) -> None:
        self._number = number
        self._open_bus = open_bus or open_adapter
        self._lines = lines
        self._failures = 0
        self.recoveries = 0
        self._users = 0
        self._bus: Adapter | None = None
        self._thread: ThreadPoolExecutor | None = None

    async def open(self) -> None:
        """Open the adapter for one more user. Raises `BusError` with the fault "absent"."""
        if self._bus is None:
            self._bus = self._open_bus(self._number)
            self._thread = ThreadPoolExecutor(1, f"i2c-{self._number}")
        self._users += 1

    async def close(self) -> None:
        """Take one user away; the last one closes the adapter."""
        self._users = max(self._users - 1, 0)
        if self._users:
            return
        bus, thread = self._bus, self._thread
        self._bus = self._thread = None
        if thread and bus:
            # Behind the last transfer, in its own thread: this one waits for no wire.
            thread.submit(bus.close)
            thread.shutdown(wait=False)

    async def readfrom_mem(self, addr: int, memaddr: int, nbytes: int) -> bytes:
        """Read registers of a chip. Raises `BusError`."""
        return await self._read(addr, memaddr, nbytes)

    async def writeto_mem(self, addr: int, memaddr: int, buf: bytes) -> None:
        """Write registers of a chip. Raises `BusError`."""
        await self._write(addr, memaddr, bytes([memaddr]) + buf)

    async def readfrom(self, addr: int, nbytes: int) -> bytes:
        """Read the answer to a command. Raises `BusError`."""
        return await self._read(addr, None, nbytes)

    async def writeto(self, addr: int, buf: bytes) -> None:
        """Send a command. Raises `BusError`."""
        await self._write(addr, None, buf)

    async def _read(self, addr: int, memaddr: int | None, nbytes: int) -> bytes:
        if not 0 < nbytes <= TRANSFER_BYTES_MAX:
            raise BusError(f"I2C read of {nbytes} bytes, at most {TRANSFER_BYTES_MAX}", "length")

        def transfer(bus: Adapter) -> bytes:
            from smbus2 import i2c_msg  # noqa: PLC0415 # only a machine with sensors pays for it

            answer = i2c_msg.read(addr, nbytes)
            if memaddr is None:
                bus.i2c_rdwr(answer)
            else:
                bus.i2c_rdwr(i2c_msg.write(addr, [memaddr]), answer)
            return bytes(answer)

        return await self._run(addr, memaddr, transfer)

    async def _write(self, addr: int, memaddr: int | None, whole: bytes) -> None:
        if len(whole) > TRANSFER_BYTES_MAX:
            message = f"I2C write of {len(whole)} bytes, at most {TRANSFER_BYTES_MAX}"
            raise BusError(message, "length")

        def transfer(bus: Adapter) -> None:
            from smbus2 import i2c_msg  # noqa: PLC0415 # only a machine with sensors pays for it

            bus.i2c_rdwr(i2c_msg.write(addr, whole))

        await self._run(addr, memaddr, transfer)

    async def _run(
        self, addr: int, memaddr: int | None, transfer: Callable[[Adapter], Answer]
    ) -> Answer:
        bus, thread = self._bus, self._thread
        if bus is None or thread is None:
            raise BusError(f"/dev/i2c-{self._number} is not open")
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(TRANSFER_MAX_S):
                answer = await loop.run_in_executor(thread, transfer, bus)
        except TimeoutError as error:
            await self._failed()
            message = f"/dev/i2c-{self._number} hangs: no answer within {TRANSFER_MAX_S} s"
            if error.errno is not None:  # The kernel's own limit was the shorter one.
                message = transfer_failed(addr, memaddr, error)
            raise BusError(message, "timeout") from error
        except OSError as error:
            if error.errno not in BUS_IS_WELL:
                await self._failed()
            raise BusError(transfer_failed(addr, memaddr, error)) from error
        self._failures = 0
        return answer

    async def _failed(self) -> None:
        """Count a failure of the bus itself, and free it after too many."""
        self._failures += 1
        if self._failures < FAILURES_MAX or self._thread is None:
            return
        self._failures = 0
        self.recoveries += 1
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(RECOVERY_MAX_S):
                # In the bus's own thread: nobody transfers meanwhile.
                freed = await loop.run_in_executor(self._thread, free, self._lines(self._number))
        except TimeoutError:
            log.debug("/dev/i2c-%d: its thread hangs, so it cannot be freed", self._number)
        except BusError as error:
            log.debug("/dev/i2c-%d cannot be freed: %s", self._number, error)
        else:
            word = "is free again" if freed else "is held by a chip that only a power cut frees"
            log.warning("/dev/i2c-%d %s", self._number, word)


def open_adapter(number: int) -> Adapter:
    """Open /dev/i2c-N. Raises `BusError` that says what is missing."""
    path = Path(f"/dev/i2c-{number}")
    if not path.exists():
        raise BusError(
            f"{path} does not exist: I2C is off, or the bus has another number", "absent"
        )
    try:
        from smbus2 import I2cFunc, SMBus  # noqa: PLC0415 # only a machine with sensors pays
    except ImportError as error:
        raise BusError("smbus2 is not installed: install angsila-kiosk[pi]", "absent") from error
    try:
        adapter = SMBus(str(path))
    except OSError as error:
        raise BusError(f"{path} cannot be opened: {error}", "absent") from error
    if not adapter.funcs & I2cFunc.I2C:
        return SMBusAdapter(adapter)
    whole: Adapter = adapter
    return whole


_buses: dict[int, LinuxI2C] = {}


def shared(number: int) -> LinuxI2C:
    """The one object for an adapter; all chips on it share its thread."""
    return _buses.setdefault(number, LinuxI2C(number))
