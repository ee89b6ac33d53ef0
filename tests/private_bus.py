"""A D-Bus of the test's own, with a fake org.bluez on it: real wires, no radio."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from drivers.linux.fake_bluez import FakeBlueZ

CONFIG = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


@asynccontextmanager
async def private_bus(folder: Path) -> AsyncIterator[str]:
    """Run a dbus-daemon during the block, and give its address."""
    config = folder / "bus.conf"
    config.write_text(CONFIG.format(socket=folder / "bus"))
    process = await asyncio.create_subprocess_exec(
        *("dbus-daemon", "--nofork", "--nopidfile", "--print-address=1"),
        f"--config-file={config}",
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    try:
        assert process.stdout is not None
        async with asyncio.timeout(10):
            line = await process.stdout.readline()
        yield line.decode().strip()
    finally:
        process.kill()
        await process.wait()


@asynccontextmanager
async def fake_bluez(bus_address: str, *, has_monitors: bool = True) -> AsyncIterator[FakeBlueZ]:
    """Run a fake bluetoothd during the block."""
    bluez = FakeBlueZ(bus_address, has_monitors=has_monitors)
    await bluez.start()
    try:
        yield bluez
    finally:
        await bluez.stop()
