"""Packs in a running kiosk: taken in, rendered, shown, watched, and taken back where they fail.

A new pack is on trial until the page says that it shows it and has laid out its screens. Where
no page is connected, the rendering alone decides. A pack that fails its trial gives way to the
one before by itself, and it does not come back by itself.
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from edge.health import versions
from edge.settings import Settings
from kiosk_ui.app import show
from kiosk_ui.beat import BEATS, Beat
from kiosk_ui.content import Pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_store import TRIAL_STARTS_MAX, PackStore, RefusedError, Rules
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import SHOWN, Rendered, render
from sync.local import OrderError

TRIAL_S = 60.0  # What a page gets to show a new release once nobody uses the screen.
LOOK_S = 2.0
WHY_MAX = 200  # Characters of a reason in an event.
RESUMED_S = 180.0  # The same after a power cut, when the browser has yet to start.
PACKS_MAX = 3  # That there can be at the start: the shown one, the one before, the shipped one.
CONNECTED_S = 15.0  # A page whose last sign is older than this is not there.

log = logging.getLogger(__name__)

Report = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Trial:
    """A release that has to show that it works."""

    rendered: Rendered
    has_page: bool
    limit_s: float


def rules(settings: Settings) -> Rules:
    """Which packs a kiosk with these settings takes."""
    content = settings.content
    return Rules(content.id, content.trusted_keys, content.signatures_wanted, versions()["angsila"])


class Packs:
    """The packs of one kiosk, between the card, the screen and whoever brings new ones."""

    def __init__(
        self,
        store: PackStore,
        place: KioskPlace,
        report: Report,
        *,
        has_screen: bool = False,
        trial_s: float = TRIAL_S,
    ) -> None:
        self._trial_s = trial_s
        self._has_screen = has_screen  # Whether a browser belongs to this kiosk.
        self.store = store
        self._place = place
        self._report = report
        self._app: web.Application | None = None
        self._busy = asyncio.Lock()
        self._trial: Trial | None = None
        self._to_try = asyncio.Event()
        self.why = ""  # What was wrong with the last pack that was not shown.

    def first(self) -> Rendered:
        """What to show at the start; whatever is wrong, there are screens in the end."""
        pack, wrong = self.store.load()
        if wrong:
            self._tell("damaged", pack, wrong)
        if pack.digest and self._starts() > TRIAL_STARTS_MAX:
            pack = self._back(pack, f"not through its trial in {TRIAL_STARTS_MAX} starts")
        for _ in range(PACKS_MAX):
            try:
                return render(pack, self._place)
            except ContentError as error:
                pack = self._back(pack, str(error))
        return render(self.store.shipped(), self._place)

    def serve(self, app: web.Application) -> None:
        """Work on this application from now on."""
        self._app = app
        if self.store.state().trial and self.store.current == self.store.state().trial:
            # It was, when the power went.
            self._put_on_trial(Trial(self._shown, self._has_screen, RESUMED_S))

    def state(self) -> dict[str, Any]:
        """What GET /health says of it."""
        pack = self._shown.pack
        return {
            "id": pack.id,
            "version": pack.version,
            "digest": pack.digest,
            "release": self._shown.release,
            "languages": list(self._shown.place.languages),
            "trial": self._trial is not None,
            "why": self.why,
        }

    async def activate(self, path: Path, *, by_hand: bool) -> str:
        """Show the pack in this file or folder; a line about it.

        Raises `ContentError` and `OSError`; the pack that is shown stays then.
        """
        async with self._busy:
            before = self._shown.pack
            try:
                pack = await asyncio.to_thread(self.store.take_in, path, before, by_hand=by_hand)
                rendered = await asyncio.to_thread(render, pack, self._place)
            except (ContentError, OSError) as error:
                self._tell("refused", before, str(error))
                raise
            await asyncio.to_thread(self.store.switch, pack.envelope.manifest.name)
            self._swap(rendered)
            self._put_on_trial(Trial(rendered, self._page() is not None, self._trial_s))
            self._tell("shown", pack, "")
        return f"version {pack.version} ({pack.digest[:8]}) is shown"

    async def roll_back(self, why: str) -> str:
        """Show the pack before this one; a line about it. Raises `ContentError`, `OSError`."""
        async with self._busy:
            self._trial = None
            bad = self._shown.pack
            await asyncio.to_thread(self.store.roll_back, bad.digest, why)
            pack, _ = await asyncio.to_thread(self.store.load)
            self._swap(await asyncio.to_thread(render, pack, self._place))
            self._tell("rolled back", bad, why)
        return f"version {pack.version} is shown again, and not {bad.version}"

    async def take_pack(self, path: Path) -> str:
        """Somebody at the kiosk has a pack. Raises `OrderError`."""
        try:
            return await self.activate(path, by_hand=True)
        except ContentError as error:
            raise OrderError(str(error)) from None

    async def go_back(self) -> str:
        """Somebody at the kiosk wants the pack before this one. Raises `OrderError`."""
        try:
            return await self.roll_back("by hand")
        except ContentError as error:
            raise OrderError(str(error)) from None

    async def keep(self) -> None:
        """Try each new release, for ever."""
        while True:
            await self._to_try.wait()
            self._to_try.clear()
            trial = self._trial
            if trial is None:
                continue
            why = await self._try(trial)
            if trial is not self._trial:
                continue  # Another one has come, or somebody went back by hand.
            try:
                await self._decide(trial, why)
            except OSError as error:
                log.warning("the card does not take what became of the pack: %s", error)

    async def _decide(self, trial: Trial, why: str) -> None:
        if why:
            try:
                await self.roll_back(why)
            except RefusedError as error:
                log.warning("no way back: %s", error)
            return
        self._trial = None
        await asyncio.to_thread(self.store.confirm)
        self._tell("good", trial.rendered.pack, "" if trial.has_page else "no page is connected")

    async def _try(self, trial: Trial) -> str:
        """Wait for the page's word; what is wrong, or nothing."""
        if not trial.has_page:
            return ""
        loop = asyncio.get_running_loop()
        waited_s, then_s = 0.0, loop.time()
        while waited_s < trial.limit_s:
            beat = self._beats.last
            if beat is not None and beat.release == trial.rendered.release and beat.checked:
                return f"the page says: {beat.fault}" if beat.fault else ""
            await self._beats.next(min(LOOK_S, trial.limit_s - waited_s))
            if trial is not self._trial:
                return ""
            now_s = loop.time()
            page = self._page()
            if page is None or page.idle:  # While a person is reading, the page stays as it is.
                waited_s += now_s - then_s
            then_s = now_s
        return f"the page did not show it within {trial.limit_s:.0f} s"

    # --- parts -------------------------------------------------------------------------------

    @property
    def _shown(self) -> Rendered:
        return self._application[SHOWN].now

    @property
    def _beats(self) -> Any:
        return self._application[BEATS]

    @property
    def _application(self) -> web.Application:
        if self._app is None:
            raise RuntimeError("no application is served yet")
        return self._app

    def _page(self) -> Beat | None:
        """The last sign of life, where there is a page."""
        last: Beat | None = self._beats.last
        now_s = asyncio.get_running_loop().time()
        return last if last is not None and now_s - last.heard_s <= CONNECTED_S else None

    def _swap(self, rendered: Rendered) -> None:
        show(self._application, rendered)

    def _put_on_trial(self, trial: Trial) -> None:
        self._trial = trial
        self._to_try.set()

    def _starts(self) -> int:
        try:
            return self.store.count_start()
        except OSError as error:
            log.warning("the card does not take the count of starts: %s", error)
            return 0

    def _back(self, bad: Pack, why: str) -> Pack:
        """Before anything is served: go back to the pack before this one."""
        self._tell("rolled back", bad, why)
        try:
            self.store.roll_back(bad.digest, why)
        except (OSError, ContentError) as error:
            log.warning("no way back on the card: %s", error)
            return self.store.shipped()
        return self.store.load()[0]

    def _tell(self, state: str, pack: Pack, why: str) -> None:
        if state in ("refused", "rolled back", "damaged"):
            self.why = why
        log.warning("content version %d %s %s", pack.version, state, why)
        self._report(
            {
                "part": "content",
                "state": state,
                "version": pack.version,
                "digest": pack.digest[:16],
                "why": why[:WHY_MAX],
            }
        )
