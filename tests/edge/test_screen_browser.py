"""A real Chromium on a real kiosk: its signs of life, and a pack that comes while it is shown."""

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Error, Page

from tests.edge.test_pack_device import config
from tests.kiosk_ui import packs
from tests.kiosk_ui.screen import chromium, settle
from tests.waiting import ANGSILA, free_port

WAIT_MAX_MS = 60_000
SILENT_S = 6  # More than the five seconds between two signs.
NAME = "The office with the blue door"

# In the page: wait until the field of a part of health is as wanted; what it is in the end.
# (A wait for a function would not wait for what an asynchronous one promises.)
HEALTH = """async ([part, field, wanted, waitMs]) => {
  const isWanted = eval(wanted);
  for (const endMs = Date.now() + waitMs; ; ) {
    const body = await (await fetch('/health')).json();
    const value = body[part][field];
    if (isWanted(value) || Date.now() > endMs) return value;
    await new Promise((done) => setTimeout(done, 200));
  }
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One Chromium for all tests of this file."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    """A running kiosk."""
    port = free_port()
    run: list[str | Path] = [
        "run",
        "--config",
        config(tmp_path),
        "--state",
        tmp_path / "state",
        "--port",
        str(port),
    ]
    process = subprocess.Popen([ANGSILA, *run], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    while "kiosk on http" not in process.stderr.readline():
        assert process.poll() is None
    yield f"http://127.0.0.1:{port}"
    process.kill()
    process.communicate()


def opened(browser: Browser, url: str) -> Page:
    """The kiosk's page, settled."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.goto(url)
    settle(page)
    return page


def health(page: Page, part: str, field: str, wanted: str) -> Any:
    """What health says of a part, once it is as wanted."""
    return page.evaluate(HEALTH, [part, field, wanted, WAIT_MAX_MS])


def health_says(page: Page, part: str, field: str, value: Any) -> None:
    """Wait until health says so."""
    wanted = f"(value) => value === {json.dumps(value)}"
    assert health(page, part, field, wanted) == value


def test_a_page_gives_signs_of_life(browser: Browser, url: str) -> None:
    """Health knows what kind of screen is shown, and that nothing is wrong."""
    page = opened(browser, url)
    health_says(page, "screen", "view", "attract")
    release = page.evaluate("document.documentElement.dataset.release")
    health_says(page, "screen", "release", release)
    health_says(page, "screen", "errors", 0)
    page.locator(".languages [data-language=en]").click()
    health_says(page, "screen", "view", "home")
    page.context.close()


def test_a_crashed_page_gives_no_sign_any_more(browser: Browser, url: str) -> None:
    """The service hears that its renderer is gone by hearing nothing; a new page is heard."""
    page = opened(browser, url)
    health_says(page, "screen", "view", "attract")
    watcher = browser.new_context().new_page()
    watcher.goto(f"{url}/health")
    with page.expect_event("crash"), contextlib.suppress(Error):
        page.goto("chrome://crash")
    silent = health(watcher, "screen", "beat_age_s", f"(value) => value > {SILENT_S}")
    page.context.close()

    other = opened(browser, url)
    heard = health(watcher, "screen", "beat_age_s", f"(value) => value < {SILENT_S}")
    other.context.close()
    watcher.context.close()
    assert heard < SILENT_S < silent


def test_a_new_pack_comes_while_the_page_is_shown(
    browser: Browser, url: str, tmp_path: Path
) -> None:
    """The page goes over by itself, tries the new screens, and the pack is good."""
    page = opened(browser, url)
    health_says(page, "screen", "view", "attract")
    before = page.evaluate("document.documentElement.dataset.release")
    entries = {"municipality": {"names": {"th": "สำนักงาน", "en": NAME, "zh": "市政府"}}}
    pack = packs.write(tmp_path, packs.good(bodies=packs.content(entries=entries)))
    where: list[str | Path] = ["--config", config(tmp_path), "--state", tmp_path / "state"]
    subprocess.run([ANGSILA, "pack", "activate", pack, *where], check=True, timeout=60)

    page.wait_for_function(
        "(before) => document.documentElement.dataset.release !== before",
        arg=before,
        timeout=WAIT_MAX_MS,
    )
    settle(page)
    health_says(page, "content", "trial", value=False)
    health_says(page, "content", "version", packs.VERSION)
    page.goto(f"{url}/#en/entry/municipality")
    page.reload()
    settle(page)
    assert NAME in page.locator("body").inner_text()
    page.context.close()
