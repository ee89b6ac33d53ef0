import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from edge.packs import Packs
from kiosk_ui.app import make_app
from kiosk_ui.beat import BEATS, Beat
from kiosk_ui.now import PRESENT
from kiosk_ui.pack_store import TRIAL_STARTS_MAX, PackStore
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import SHOWN
from sync.clock import Clock
from sync.journal import Journal
from tests.beside import beside
from tests.kiosk_ui import packs

PLACE = KioskPlace(languages=("th",))
TURNS_MIN = 50  # The loop's own awaits are fewer; beside a thread it turns some hundred times.


class Kiosk:
    """A kiosk's pages and packs, with a page that the test plays."""

    def __init__(self, folder: Path, journal: Journal, **options: Any) -> None:
        self.reports: list[dict[str, Any]] = []
        self.told = asyncio.Event()
        self.store = PackStore(folder, packs.RULES)
        self.packs = Packs(self.store, PLACE, self._report, **options)
        first = self.packs.first()
        self.app: web.Application = make_app(
            journal, journal.clock, dict, first.pack, PLACE, dict, rendered=first
        )
        self.packs.serve(self.app)

    @property
    def version(self) -> int:
        """What is shown."""
        return self.app[SHOWN].now.pack.version

    def page_says(self, release: str, fault: str = "", view: str = "attract") -> None:
        """A sign of life of the page."""
        now_s = asyncio.get_running_loop().time()
        self.app[BEATS].take(Beat(now_s, view, release, 5, 9000, 0, checked=True, fault=fault))

    async def until(self, state: str) -> dict[str, Any]:
        """Wait until this was reported of the content; the report."""
        async with asyncio.timeout(30):
            while not (found := [one for one in self.reports if one["state"] == state]):
                await self.told.wait()
                self.told.clear()
        return found[-1]

    def _report(self, body: dict[str, Any]) -> None:
        self.reports.append(body)
        self.told.set()


@pytest.fixture
async def journal(tmp_path: Path) -> AsyncIterator[Journal]:
    """A journal for the pages."""
    clock = Clock(trust=("system",))
    journal = await Journal.open(tmp_path / "journal", clock)
    yield journal
    await journal.close()


def changed(version: int = packs.VERSION) -> packs.Members:
    """A pack whose screens differ from the shipped ones."""
    phone = {"phone": f"038 {version:06}"}
    return packs.good(version, packs.content(entries={"oyster": phone}))


def on_trial(folder: Path) -> PackStore:
    """A store that has gone over to such a pack, and not yet found it good."""
    store = PackStore(folder, packs.RULES)
    pack = store.take_in(packs.write(folder, changed()), packs.shipped(), by_hand=True)
    store.switch(pack.envelope.manifest.name)
    return store


async def test_without_a_page_the_rendering_decides(tmp_path: Path, journal: Journal) -> None:
    """A kiosk whose screen is dark goes over at once, and tells."""
    kiosk = Kiosk(tmp_path, journal)
    async with beside(kiosk.packs.keep()):
        await kiosk.packs.activate(packs.write(tmp_path, changed()), by_hand=True)
        told = await kiosk.until("good")

    assert (told["version"], told["why"]) == (packs.VERSION, "no page is connected")
    assert kiosk.version == packs.VERSION
    assert kiosk.store.state().trial == ""


async def test_the_page_confirms_what_it_shows(tmp_path: Path, journal: Journal) -> None:
    """The pack is good once the page says that it has tried this very release."""
    kiosk = Kiosk(tmp_path, journal)
    async with beside(kiosk.packs.keep()):
        kiosk.page_says(kiosk.app[SHOWN].now.release)
        await kiosk.packs.activate(packs.write(tmp_path, changed()), by_hand=True)
        assert kiosk.packs.state()["trial"]
        kiosk.page_says(kiosk.app[SHOWN].now.release)
        await kiosk.until("good")

    assert kiosk.app[PRESENT].release == kiosk.app[SHOWN].now.release
    assert kiosk.store.state().trial == ""


@pytest.mark.parametrize(
    ("fault", "why"),
    [("th/home is empty", "the page says: th/home is empty"), (None, "did not show it within")],
)
async def test_a_pack_that_the_page_does_not_show_is_taken_back(
    tmp_path: Path, journal: Journal, fault: str | None, why: str
) -> None:
    """A fault, or silence about the new release: the old one is back, and it is said why."""
    kiosk = Kiosk(tmp_path, journal, trial_s=0.2)
    before = kiosk.app[SHOWN].now.release
    async with beside(kiosk.packs.keep()):
        kiosk.page_says(before)
        await kiosk.packs.activate(packs.write(tmp_path, changed()), by_hand=True)
        if fault is not None:
            kiosk.page_says(kiosk.app[SHOWN].now.release, fault)
        told = await kiosk.until("rolled back")

    assert told["version"] == packs.VERSION
    assert why in told["why"]
    assert kiosk.version == packs.shipped().version
    assert kiosk.app[SHOWN].now.release == kiosk.app[PRESENT].release
    assert kiosk.store.current == ""
    assert why in kiosk.packs.state()["why"]


async def test_a_reader_is_not_hurried(tmp_path: Path, journal: Journal) -> None:
    """While somebody uses the screen, the page stays as it is and the time does not run."""
    kiosk = Kiosk(tmp_path, journal, trial_s=0.2)
    before = kiosk.app[SHOWN].now.release
    loop = asyncio.get_running_loop()
    async with beside(kiosk.packs.keep()):
        kiosk.page_says(before, view="entry")
        await kiosk.packs.activate(packs.write(tmp_path, changed()), by_hand=True)
        end_s = loop.time() + 0.5
        while loop.time() < end_s:
            kiosk.page_says(before, view="entry")
            await asyncio.sleep(0)
        assert kiosk.version == packs.VERSION
        kiosk.page_says(kiosk.app[SHOWN].now.release)
        await kiosk.until("good")


async def test_a_bad_pack_changes_nothing(tmp_path: Path, journal: Journal) -> None:
    """What is refused is told of, and the screen stays."""
    kiosk = Kiosk(tmp_path, journal)
    before = kiosk.app[SHOWN].now
    with pytest.raises(ValueError, match="not signed"):
        await kiosk.packs.activate(packs.write(tmp_path, packs.members()), by_hand=False)

    assert kiosk.app[SHOWN].now is before
    assert kiosk.reports[-1]["state"] == "refused"


async def test_files_of_the_old_release_stay_for_one_more(tmp_path: Path, journal: Journal) -> None:
    """A page that is still open may want another language of the release that it shows."""
    kiosk = Kiosk(tmp_path, journal)
    shown = kiosk.app[SHOWN]
    old = next(url for url in shown.now.files if "bundle" in url)
    await kiosk.packs.activate(packs.write(tmp_path, changed(101)), by_hand=True)
    assert old not in shown.now.files
    assert shown.file(old) is not None
    await kiosk.packs.activate(packs.write(tmp_path, changed(102)), by_hand=True)
    assert shown.file(old) is None


async def test_the_loop_goes_on_while_a_pack_is_rendered(tmp_path: Path, journal: Journal) -> None:
    """Readings and pages do not wait for it: checking and rendering have threads of their own."""
    kiosk = Kiosk(tmp_path, journal)
    turns = 0

    async def look() -> None:
        nonlocal turns
        while True:
            await asyncio.sleep(0)
            turns += 1

    async with beside(look()):
        await kiosk.packs.activate(packs.write(tmp_path, changed()), by_hand=True)

    # In the loop's own thread it would be a few turns, one for each await.
    assert turns > TURNS_MIN


async def test_a_pack_that_does_not_get_through_its_starts_goes(
    tmp_path: Path, journal: Journal
) -> None:
    """A pack with which the service falls down again and again is taken back at the start."""
    on_trial(tmp_path)
    for _ in range(TRIAL_STARTS_MAX):
        assert Kiosk(tmp_path, journal).version == packs.VERSION
    kiosk = Kiosk(tmp_path, journal)

    assert kiosk.version == packs.shipped().version
    assert "not through its trial" in kiosk.reports[-1]["why"]


async def test_a_trial_goes_on_after_a_power_cut(tmp_path: Path, journal: Journal) -> None:
    """A pack that was on trial is so after the next start, and the page decides."""
    store = on_trial(tmp_path)
    kiosk = Kiosk(tmp_path, journal, has_screen=True)
    async with beside(kiosk.packs.keep()):
        kiosk.page_says(kiosk.app[SHOWN].now.release)
        await kiosk.until("good")
    assert store.state().trial == ""


async def test_a_pack_that_is_damaged_on_the_card_is_told_of(
    tmp_path: Path, journal: Journal
) -> None:
    """The kiosk starts with the pack before, and somebody hears why."""
    store = on_trial(tmp_path)
    next((store.folder / store.current / "files").iterdir()).write_bytes(b"rot")
    kiosk = Kiosk(tmp_path, journal)

    assert kiosk.version == packs.shipped().version
    assert kiosk.reports[0]["state"] == "damaged"
