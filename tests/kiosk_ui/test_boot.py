"""The first page, from the disk, and what else the browser may open."""

import json
import re
import subprocess
import sys

import pytest
from playwright.sync_api import Browser, Page

from kiosk_ui.build_boot import PAGE, SOURCE
from kiosk_ui.content import load_pack
from kiosk_ui.tiles import FIRST_NUMBERS
from tests.kiosk_ui.screen import CUT, Served, served
from tests.kiosk_ui.under_policy import BOOT, POLICY, ROOT

SIZES = ((800, 480), (1280, 800), (1080, 1920), (480, 800))
NEVER = ("https://example.com/", "file:///etc/passwd", "chrome://flags", "chrome://version")
WAIT_MAX_MS = 30_000


def test_the_page_is_built_from_its_source() -> None:
    """Who changes the source builds the page again: without its fonts it is the same."""
    built = re.sub(r"base64,[A-Za-z0-9+/=]+\)", "base64,)", PAGE.read_text())

    assert built == re.sub(r"base64,@\w+@\)", "base64,)", SOURCE.read_text())


def test_it_needs_nothing_else() -> None:
    """No file and no network: only the kiosk's own picture is asked for."""
    text = re.sub(r"base64,[A-Za-z0-9+/=]+\)", "", PAGE.read_text())

    assert re.findall(r"(?:src|href)=", text) == []
    assert set(re.findall(r"https?://[^\s\"';]+", text)) == {
        "http://127.0.0.1:8080",
        "http://127.0.0.1:8080/",
    }


def test_its_numbers_are_those_of_the_pack() -> None:
    """No number stands there that is not confirmed."""
    numbers = re.findall(r"<b>(\d+)</b>", PAGE.read_text())

    assert tuple(numbers) == FIRST_NUMBERS
    assert set(numbers) <= {entry.phone for entry in load_pack().of_kind("emergency")}


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_it_fits_every_panel(browser: Browser, size: tuple[int, int]) -> None:
    """Nothing is cut off or scrolls, at the start and when it takes too long."""
    page = browser.new_context(viewport={"width": size[0], "height": size[1]}).new_page()
    page.goto(BOOT)
    page.evaluate("() => document.fonts.ready.then(() => true)")
    for late in ("false", "true"):
        page.evaluate(f"document.body.classList.toggle('late', {late})")
        page.evaluate("document.querySelector('#unset').hidden = false")
        assert page.evaluate(CUT.replace("#screen *, #bar *, #pager *, #asking *", "body *")) == []
        assert page.evaluate(
            "document.documentElement.scrollHeight <= innerHeight && "
            "document.documentElement.scrollWidth <= innerWidth"
        )
    page.context.close()


def test_a_clock_that_was_never_set_is_not_shown(browser: Browser) -> None:
    """In 1970 there is no time on the screen, and the reason is."""
    page = browser.new_context().new_page()
    page.clock.set_fixed_time(0)
    page.goto(BOOT)

    assert page.locator("#time").inner_text() == "--:--"
    assert page.locator("#unset").is_visible()
    page.context.close()


def test_it_goes_over_when_the_kiosk_is_there(browser: Browser) -> None:
    """Without a kiosk it stays; with one it opens the first screen by itself."""
    with served("800x480") as screen:
        screen.kill()
        page = opened(browser, screen)
        page.wait_for_event("requestfailed", timeout=WAIT_MAX_MS)
        assert page.url.startswith("file:")
        screen.start()
        page.wait_for_url(f"{screen.url}/", timeout=WAIT_MAX_MS)
        page.wait_for_selector("html[data-ready]")
        page.context.close()


def opened(browser: Browser, screen: Served) -> Page:
    """The boot page of a kiosk on another port."""
    page = browser.new_context().new_page()
    text = PAGE.read_text().replace("127.0.0.1:8080", f"127.0.0.1:{screen.port}")
    page.route(BOOT, lambda route: route.fulfill(body=text, content_type="text/html"))
    page.goto(BOOT)
    return page


def test_the_policy_lets_nothing_else_in() -> None:
    """Everything is blocked but the kiosk and its boot page; no way out by other doors."""
    policy = json.loads(POLICY.read_text())

    assert {"*", "chrome://*"} <= set(policy["URLBlocklist"])
    assert policy["URLAllowlist"] == [
        "http://127.0.0.1:8080",
        "file:///opt/angsila/share/angsila/boot.html",
    ]
    assert policy["DeveloperToolsAvailability"] == 2
    assert policy["RemoteDebuggingAllowed"] is False
    assert policy["DownloadRestrictions"] == 3
    assert policy["AllowFileSelectionDialogs"] is False
    assert policy["ExtensionInstallBlocklist"] == ["*"]


def test_chromium_obeys_the_policy() -> None:
    """Under the shipped policy the boot page opens, and other addresses are refused."""
    command = [*("unshare", "--mount"), sys.executable, "-m", "tests.kiosk_ui.under_policy", "1"]
    may = subprocess.run(["unshare", "--mount", "true"], capture_output=True, check=False)
    if may.returncode:
        pytest.skip("a mount namespace wants root: " + may.stderr.decode().strip())
    done = subprocess.run(
        [*command, BOOT, *NEVER], capture_output=True, text=True, check=True, cwd=ROOT, timeout=120
    )
    found = json.loads(done.stdout)

    assert found.pop(BOOT) == "opened"
    assert {how for how in found.values() if "ERR_BLOCKED_BY_ADMINISTRATOR" not in how} == set()
