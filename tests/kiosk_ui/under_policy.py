"""What Chromium opens under the shipped policy, as a JSON object: address -> how it went.

    unshare --mount python -m tests.kiosk_ui.under_policy PORT ADDRESS...

The policy lies in /etc only for this process and its children: everybody else's browser stays as
it is. Only the door by which the test looks in is left open.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Error, sync_playwright

from tests.kiosk_ui.screen import CHROMIUM, SWITCHES

ROOT = Path(__file__).resolve().parents[2]
POLICY = ROOT / "kiosk_ui" / "chromium-policy.json"
BOOT = (ROOT / "kiosk_ui" / "boot.html").as_uri()
WAIT_MAX_MS = 10_000


def install(port: int) -> None:
    """Put the policy where Chromium looks, for this kiosk and its boot page."""
    policy = json.loads(POLICY.read_text())
    policy |= {"URLAllowlist": [f"http://127.0.0.1:{port}", BOOT], "RemoteDebuggingAllowed": True}
    policy["DeveloperToolsAvailability"] = 1
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/etc/chromium"], check=True)
    folder = Path("/etc/chromium/policies/managed")
    folder.mkdir(parents=True)
    (folder / "angsila.json").write_text(json.dumps(policy))


def main(port: int, addresses: list[str]) -> None:
    """Open each address in a browser of its own, for a refusal may end it."""
    install(port)
    found = {}
    with sync_playwright() as playwright:
        for address in addresses:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(SWITCHES))
            page = browser.new_page()
            try:
                page.goto(address, timeout=WAIT_MAX_MS, wait_until="commit")
                found[address] = "opened"
            except Error as error:
                found[address] = str(error).partition("\n")[0]
            browser.close()
    sys.stdout.write(json.dumps(found))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
