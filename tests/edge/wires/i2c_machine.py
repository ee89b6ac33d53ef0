"""Give a command a true /dev/i2c-1 with an SHT4x and a BME280, and break that on demand.

Usage: umockdev-wrapper python3 i2c_machine.py FAULT-FILE COMMAND...

Debian's own Python runs it, for its GObject bindings. The kernel's ioctl calls of the command
come here; what stands in FAULT-FILE is looked up at each: "" for a good bus, "absent",
"wrong_chip", "stuck", "crc", "nan".
"""

import signal
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import gi  # type: ignore[import-not-found] # Debian's, and not in .venv

gi.require_version("UMockdev", "1.0")
from gi.repository import GLib, UMockdev  # type: ignore[import-not-found]  # noqa: E402 # as above

DEVICE = (
    "P: /devices/platform/soc/fe804000.i2c/i2c-1/i2c-dev/i2c-1\n"
    "N: i2c-1\nE: DEVNAME=/dev/i2c-1\nE: SUBSYSTEM=i2c-dev\n\n"
)
# linux/i2c-dev.h and linux/i2c.h
I2C_FUNCS = 0x0705
I2C_RDWR = 0x0707
FUNCTIONS = 0x0EFF0001 | 0x00000008
READ = 0x0001
MESSAGE = struct.Struct("<HHH2xQ")  # address, flags, length, pointer

NOT_THERE = 121  # EREMOTEIO
HELD_LOW = 110  # ETIMEDOUT: the adapter gave up.

BME280 = 0x76
BME280_PARTS = (
    (0x88, bytes.fromhex("106e6c665e015d95b8d5d00b771e9dfff9ffac260ad8bd10004b")),
    (0xD0, b"\x60"),
    (0xE1, bytes.fromhex("6e01001305001e")),
    (0xF7, bytes.fromhex("4b77007ff500790b")),
)
SHT4X = 0x44
# 26.34 Cel, 62.1 %: two words, each with its CRC (polynomial 0x31, from 0xFF).
SHT4X_ANSWER = bytes.fromhex("6859158bd805")


class Bus:
    """Two chips and what is wrong with them."""

    def __init__(self, fault_file: Path) -> None:
        self._fault_file = fault_file
        self._register = 0
        self._registers = {
            start + at: part[at] for start, part in BME280_PARTS for at in range(len(part))
        }

    def transfer(self, messages: Any, count: int) -> int:
        """Carry out the messages of one I2C_RDWR; 0, or the errno that it ends in."""
        fault = self._fault_file.read_text().strip()
        if fault == "stuck":
            return HELD_LOW
        raw = bytes(messages.retrieve())
        for at in range(count):
            address, flags, nbytes, _ = MESSAGE.unpack_from(raw, at * MESSAGE.size)
            if address not in (BME280, SHT4X) or (address == BME280 and fault == "absent"):
                return NOT_THERE
            if not nbytes:
                continue
            buffer = messages.resolve(at * MESSAGE.size + 8, nbytes)
            if flags & READ:
                buffer.update(0, list(self._answer(address, nbytes, fault)))
            elif address == BME280:
                self._register = bytes(buffer.retrieve())[0]
        return 0

    def _answer(self, address: int, nbytes: int, fault: str) -> bytes:
        if address == SHT4X:
            return SHT4X_ANSWER[:-1] + b"\x00" if fault == "crc" else SHT4X_ANSWER[:nbytes]
        found = [self._registers.get(self._register + at, 0) for at in range(nbytes)]
        if fault == "wrong_chip" and self._register == 0xD0:
            found = [0x61]
        if fault in ("nan", "wrong_chip") and self._register == 0xF7:
            # The reset values: nothing was measured. Nor is it by another chip, so that the
            # driver starts again and looks who is there.
            found = list(bytes.fromhex("8000008000008000"))[:nbytes]
        return bytes(found)


def main(fault_file: Path, command: list[str]) -> int:
    """Run the command on this machine; its exit status."""
    testbed = UMockdev.Testbed.new()
    testbed.add_from_string(DEVICE)
    bus = Bus(fault_file)

    def on_ioctl(_handler: object, client: Any) -> bool:
        request, argument = client.get_request(), client.get_arg()
        if request == I2C_FUNCS:
            argument.resolve(0, 8).update(0, list(struct.pack("<Q", FUNCTIONS)))
            client.complete(0, 0)
        elif request == I2C_RDWR:
            head = argument.resolve(0, 16)
            count = struct.unpack_from("<I", bytes(head.retrieve()), 8)[0]
            failed = bus.transfer(head.resolve(0, MESSAGE.size * count), count)
            client.complete(-1 if failed else count, failed)
        else:
            client.complete(0, 0)
        return True

    handler = UMockdev.IoctlBase()
    handler.connect("handle-ioctl", on_ioctl)
    testbed.attach_ioctl("/dev/i2c-1", handler)
    process = subprocess.Popen(["umockdev-wrapper", *command])
    for number in (signal.SIGTERM, signal.SIGINT):
        GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, number, process.send_signal, number)
    loop = GLib.MainLoop()
    GLib.child_watch_add(GLib.PRIORITY_DEFAULT, process.pid, lambda *_: loop.quit())
    loop.run()
    return process.wait()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
