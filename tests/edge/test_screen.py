import asyncio
import shlex
import sys
from pathlib import Path
from typing import Any

import pytest

from edge import screen as module
from edge.screen import Screen
from kiosk_ui.beat import Beat, Beats
from kiosk_ui.boot import Gate
from tests.beside import beside
from tests.waiting import until

HALF_PAST_THREE_MS = ((3 - 7 + 24) * 60 + 30) * 60_000  # In Thailand, on some day.


class Panel:
    """A browser that the test plays, and what was done to it."""

    def __init__(
        self, folder: Path, *, command: str | None = None, utc_ms: int | None = None
    ) -> None:
        self.mark = folder / "restarts"
        code = f"open({str(self.mark)!r}, 'a').write('x')"
        words = shlex.join([sys.executable, "-c", code])
        self.beats, self.gate = Beats(), Gate()
        self.reports: list[dict[str, Any]] = []
        self.screen = Screen(
            words if command is None else command,
            self.beats,
            self.gate,
            lambda: utc_ms,
            self.reports.append,
        )

    def page_says(self, *, view: str = "attract", frame_ms: int = 5) -> None:
        """A sign of life."""
        now_s = asyncio.get_running_loop().time()
        self.beats.take(Beat(now_s, view, "r", frame_ms, 9000, 0, checked=True, fault=""))

    def restarts(self) -> int:
        """How often it was started again."""
        return len(self.mark.read_text()) if self.mark.exists() else 0


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seconds instead of minutes."""
    monkeypatch.setattr(module, "LOOK_S", 0.02)
    for name, seconds in (("SILENT_S", 0.1), ("START_S", 0.2), ("HEALTHY_S", 60.0)):
        monkeypatch.setattr(f"edge.screen_watch.{name}", seconds)


@pytest.mark.usefixtures("quick")
async def test_a_dead_page_is_started_again_and_at_last_given_up(tmp_path: Path) -> None:
    """The command is run, then once more for the boot page, which stays; each is an event."""
    panel = Panel(tmp_path)
    async with beside(panel.screen.keep()):
        panel.page_says()
        await until(lambda: panel.gate.closed)
        await until(lambda: panel.restarts() == 4)
        assert panel.screen.state()["state"] == "given up"

        panel.page_says()
        await until(lambda: not panel.gate.closed)
    states = [report["state"] for report in panel.reports]
    assert states == ["restarted"] * 3 + ["given up", "recovered"]
    assert "no sign of life for" in panel.reports[0]["why"]


@pytest.mark.usefixtures("quick")
async def test_a_frozen_panel_is_no_life(tmp_path: Path) -> None:
    """A script that runs in a window which nobody paints does not keep it up."""
    panel = Panel(tmp_path)
    async with beside(panel.screen.keep()):
        while not panel.reports:
            panel.page_says(frame_ms=-1)
            await asyncio.sleep(0)
    assert panel.reports[0]["state"] == "restarted"


async def test_at_night_it_starts_afresh(tmp_path: Path) -> None:
    """Half past three in Thailand, whatever the machine's zone is."""
    panel = Panel(tmp_path, utc_ms=HALF_PAST_THREE_MS)
    async with beside(panel.screen.keep()):
        panel.page_says()
        await until(lambda: panel.restarts() == 1)
    assert panel.reports == [{"part": "screen", "state": "restarted", "why": "once a night"}]


async def test_without_a_command_nothing_is_watched(tmp_path: Path) -> None:
    """A demo's browser belongs to somebody else; its signs of life are shown all the same."""
    panel = Panel(tmp_path, command="")
    await panel.screen.keep()
    panel.page_says(view="home")

    state = panel.screen.state()
    assert (state["state"], state["view"], state["restarts"]) == ("not watched", "home", 0)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("command", ["/nowhere/at/all", "/bin/false"])
async def test_a_command_that_fails_is_tried_again(
    tmp_path: Path, command: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The watch goes on, and the log has what was wrong."""
    panel = Panel(tmp_path, command=command)
    async with beside(panel.screen.keep()):
        await until(lambda: len(panel.reports) >= 2)
    assert command in caplog.text
