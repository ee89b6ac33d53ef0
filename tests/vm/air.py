"""The air of the virtual machine: bumble is its Bluetooth controller, on the kernel's /dev/vhci.

It is told line by line what is in the air: {"address": ..., "payload": ...} broadcasts that from
now on, {"deaf": true} makes the controller hear nothing until it is reset, and "for ever": true
not even then. It says one line for each reset and each scan. It runs in a venv of its own, for
bumble's dependencies, and so it imports nothing of ours.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from typing import Any

from bumble import hci  # type: ignore[import-not-found] # it lives in build/vm-venv
from bumble.controller import Controller  # type: ignore[import-not-found] # as above
from bumble.transport.vhci import open_vhci_transport  # type: ignore[import-not-found] # as above

ADDRESS = "F0:F1:F2:F3:F4:F5"
ADVERT_S = 1.0
# People walk by. BlueZ says nothing of an advert in which nothing has changed, and of loudness
# only a change by 8 dB or more (src/adapter.c, RSSI_THRESHOLD).
RSSI = (-50, -62, -75)
ADVERTS_MAX = 64


class Ear(Controller):  # type: ignore[misc] # its types are in the other venv
    """A controller as a cheap stick has it: Bluetooth 4, without extended advertising."""

    le_features = Controller.le_features & ~(
        hci.LeFeatureMask.LE_EXTENDED_ADVERTISING | hci.LeFeatureMask.LE_PERIODIC_ADVERTISING
    )

    def __init__(self, source: Any, sink: Any) -> None:
        super().__init__("kiosk", host_source=source, host_sink=sink, public_address=ADDRESS)
        self.is_deaf = False
        self.for_ever = False

    def hear(self, address: str, payload: bytes, rssi: int) -> None:
        """Report an advertisement to the kernel, or do not."""
        if self.is_deaf or not self.le_scan_enable:
            return
        kinds = hci.HCI_LE_Advertising_Report_Event
        report = kinds.Report(
            event_type=kinds.EventType.ADV_NONCONN_IND,
            address_type=hci.Address.RANDOM_DEVICE_ADDRESS,
            address=hci.Address(address),
            data=payload,
            rssi=rssi,
        )
        self.send_hci_packet(kinds([report]))

    def on_hci_reset_command(self, command: Any) -> Any:
        """Be as new."""
        self.is_deaf = self.is_deaf and self.for_ever
        say("reset", f"deaf={self.is_deaf}")
        return super().on_hci_reset_command(command)

    def on_hci_le_set_scan_enable_command(self, command: Any) -> Any:
        """Begin or end to listen."""
        say("scan", "active" if self.le_scan_type else "passive", bool(command.le_scan_enable))
        return super().on_hci_le_set_scan_enable_command(command)


def say(*words: object) -> None:
    """Tell what happens to the controller."""
    print(f"{time.monotonic():.1f}", *words, flush=True)  # noqa: T201  Its output is a log.


async def main() -> None:
    """Be the air until the standard input ends."""
    lines = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    adverts: dict[str, bytes] = {}
    beat = 0
    async with await open_vhci_transport(None) as (source, sink):
        ear = Ear(source, sink)
        say("there")
        while True:
            try:
                async with asyncio.timeout(ADVERT_S):
                    line = await lines.readline()
            except TimeoutError:
                beat += 1
                for address, payload in adverts.items():
                    ear.hear(address, payload, RSSI[beat % len(RSSI)])
                continue
            if not line:
                return
            told = json.loads(line)
            if "deaf" in told:
                ear.is_deaf, ear.for_ever = told["deaf"], told.get("for ever", False)
                say("deaf", ear.is_deaf)
            elif len(adverts) < ADVERTS_MAX or told["address"] in adverts:
                adverts[told["address"]] = bytes.fromhex(told["payload"])


if __name__ == "__main__":
    asyncio.run(main())
