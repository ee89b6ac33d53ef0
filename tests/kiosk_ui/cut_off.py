"""A cold start with no network at all, as a JSON object: what is shown, and what is asked for.

    unshare --net python -m tests.kiosk_ui.cut_off

The process is alone in a network namespace: no interface but loopback, no name server. It starts a
kiosk whose clock stands in 1970, and Chromium with an empty profile, which it then leaves alone for
a day of the page's own time.
"""

from __future__ import annotations

import fcntl
import json
import socket
import struct
import sys
from tempfile import TemporaryDirectory
from typing import Any

from playwright.sync_api import sync_playwright

from tests.kiosk_ui.screen import CHROMIUM, LANGUAGES, SWITCHES, served, settle, show

SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
HOURS = 24
HOUR_MS = 3_600_000


def put_loopback_up() -> None:
    """What `ip link set lo up` does."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        asked = struct.pack("16sh14x", b"lo", 0)
        _, flags = struct.unpack("16sh14x", fcntl.ioctl(control, SIOCGIFFLAGS, asked))
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def is_dns_dead() -> bool:
    """Whether a name of the outside stays unknown."""
    try:
        socket.getaddrinfo("example.com", 443)
    except OSError:
        return True
    return False


def main() -> dict[str, Any]:
    """Start, look, and let a day go by."""
    put_loopback_up()
    asked: list[str] = []
    with (
        served("1280x800", trust="1970") as screen,
        TemporaryDirectory() as profile,
        sync_playwright() as playwright,
    ):
        context = playwright.chromium.launch_persistent_context(
            profile, executable_path=CHROMIUM, args=list(SWITCHES)
        )
        context.on("request", lambda request: asked.append(request.url))
        page = context.pages[0]
        # Below Playwright's own list: what the browser itself sends for the page, as well.
        network = context.new_cdp_session(page)
        network.send("Network.enable")
        network.on("Network.requestWillBeSent", lambda event: asked.append(event["request"]["url"]))
        page.clock.install(time=0)
        page.goto(screen.url)
        settle(page)
        shown = {}
        for language in LANGUAGES:
            show(page, language, "attract")
            first = page.locator("#screen").inner_text()
            show(page, language, "today")
            tide = page.locator(".tidepanel")
            shown[language] = {
                "first": first,
                "tide": tide.inner_text(),
                "curve": tide.locator(".curve").is_visible(),
            }
        for _ in range(HOURS):
            page.clock.fast_forward(HOUR_MS)
        context.close()
    interfaces = [name for _, name in socket.if_nameindex()]
    return {
        "shown": shown,
        "foreign": [url for url in asked if not url.startswith((screen.url, "data:"))],
        "asked": len(asked),
        "dns_dead": is_dns_dead(),
        "interfaces": interfaces,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main()))
