"""Draw the screens of a pack in Chromium, without a server: what does not fit, and pictures."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from kiosk_ui.errors import ContentError
from kiosk_ui.languages import HTML_LANGUAGE
from kiosk_ui.now import to_json
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import render

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page, Route

    from kiosk_ui.assets import Asset
    from kiosk_ui.content import Pack

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SWITCHES = (
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
ADDRESS = "http://127.0.0.1/"  # Nobody listens there: every request is answered from memory.
WAIT_MS = 30_000
# No sensor is here. The stream says nothing, and is not asked for again.
SILENT_STREAM = "retry: 100000000\n\n"
PAGES_MAX = 40
# Pages of a story at each size of text: what goes on for longer nobody reads who stands.
STORY_PAGES_MAX = {"a": 2, "a1": 2, "a2": 3}
TEXT_SIZES = ("a", "a1", "a2")  # 100, 130 and 160 %.
TEXT_NAMES = {"a": "A", "a1": "A+", "a2": "A++"}


class Panel(NamedTuple):
    """A panel's pixels, and how many of them are a millimetre."""

    width: int
    height: int
    px_per_mm: float

    @property
    def name(self) -> str:
        """As a person calls it."""
        return f"{self.width}x{self.height}"


PANELS = (Panel(800, 480, 5.25), Panel(1280, 800, 5.88), Panel(1080, 1920, 4.03))


class Cut(NamedTuple):
    """A text that the screen cuts off."""

    screen: str
    language: str
    panel: str
    text_size: str
    text: str


# In the page: modules, and a size of text as the access screen sets it.
_READY = """
  const { router, here } = await import(document.querySelector('script[type=module]').src);
  const setText = (text) => {
    if (text === 'a') delete document.documentElement.dataset.text;
    else document.documentElement.dataset.text = text;
    dispatchEvent(new Event('resize'));
  };
  document.dispatchEvent(new PointerEvent('pointerdown'));  // Somebody is here.
"""
# A line box may be taller than its box by a fifth of a letter without touching anything. What
# flows on over more pages is wider than its box; a word that is too long for a line is, too.
_CUT = """
  const cut = () => [...document.querySelectorAll('#screen *')]
    .filter((e) => !e.closest('svg,.plan') && !e.matches('[data-flow],.mapview'))
    .filter((e) => e.offsetParent)
    .filter((e) => !['inline', 'contents'].includes(getComputedStyle(e).display))
    .filter((e) => e.scrollWidth > e.clientWidth + 1 || !e.closest('[data-flow]') &&
      e.scrollHeight > e.clientHeight + 0.2 * parseFloat(getComputedStyle(e).fontSize))
    .filter((e, _, all) => !all.some((other) => other !== e && e.contains(other)))
    .map((e) => e.textContent.trim());
  const story = () => {
    const article = document.querySelector('#screen .story');
    return article?.offsetParent ? article.querySelector('.text') : null;
  };
"""
_MEASURE = f"""async ([language, text, storyMax, pagesMax]) => {{
  {_READY} {_CUT}
  setText(text);
  const found = [];
  for (const screen of Object.keys(here.bundles[language].screens)) {{
    if (screen === 'attract' && text !== 'a') continue;  // It comes after a reset.
    let told = 0;
    for (let page = 0; ; page += 1) {{
      router.show({{language, screen, page}});
      await document.fonts.ready;
      if (here.current().page !== page || here.current().language !== language) break;
      for (const one of cut()) found.push([screen, one]);
      if (story() && (told += 1) > storyMax) found.push([screen, story().textContent.trim()]);
      if (page === pagesMax || document.querySelector('#pager').hidden) break;
    }}
  }}
  return found;
}}"""
_ONE = f"""async ([language, text, screen, page]) => {{
  {_READY}
  setText(text);
  router.show({{language, screen, page}});
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  return here.current().page === page && here.current().language === language;
}}"""
# In the page: once every picture on it can be seen; one that is broken is an error.
DRAWN = """() => Promise.all(
  [...document.images].filter((one) => one.checkVisibility()).map((one) => one.decode()))"""
_SCREENS = f"async () => {{ {_READY} return Object.keys(Object.values(here.bundles)[0].screens); }}"


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser during the block. Raises `ContentError` with what to install."""
    try:
        from playwright.sync_api import Error, sync_playwright  # noqa: PLC0415 # kiosks have none
    except ImportError:
        raise ContentError(
            "the screens cannot be drawn: pip install 'angsila-kiosk[preview]'"
            " / วาดหน้าจอไม่ได้ ให้ติดตั้งด้วย pip install 'angsila-kiosk[preview]'"
        ) from None
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    if found is None:
        raise ContentError(
            "the screens cannot be drawn without Chromium: sudo apt install chromium"
            " / วาดหน้าจอไม่ได้เพราะไม่มี Chromium ให้ติดตั้งด้วย sudo apt install chromium"
        )
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=found, args=_switches())
        except Error as error:
            first = str(error).partition("\n")[0]
            raise ContentError(f"{found} does not start: {first}") from None
        try:
            yield browser
        except Error as error:
            first = str(error).partition("\n")[0]
            raise ContentError(f"the screens could not be drawn: {first}") from None
        finally:
            browser.close()


def _switches() -> list[str]:
    """Chromium refuses its sandbox to root, as in a container."""
    import os  # noqa: PLC0415 # here only

    return [*SWITCHES, *(["--no-sandbox"] if os.geteuid() == 0 else [])]


@contextmanager
def opened_page(browser: Browser, pack: Pack, panel: Panel) -> Iterator[Page]:
    """The pack's page on a panel, all languages loaded."""
    files = render(pack, _somewhere(pack, panel)).files
    context = browser.new_context(
        viewport={"width": panel.width, "height": panel.height}, service_workers="block"
    )
    try:
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.add_init_script(_voices(pack.languages))
        page.route("**/*", lambda route: _answer(route, files))
        page.goto(ADDRESS)
        page.wait_for_selector("html[data-ready]", state="attached")
        yield page
    finally:
        context.close()


def _somewhere(pack: Pack, panel: Panel) -> KioskPlace:
    """A kiosk that knows where it stands: the ways from there take room."""
    return KioskPlace(
        px_per_mm=panel.px_per_mm,
        languages=pack.languages,
        latitude=pack.latitude,
        longitude=pack.longitude,
    )


def _voices(languages: tuple[str, ...]) -> str:
    """As on a kiosk, where there is a voice: the button that asks for it takes room."""
    tags = to_json([{"lang": HTML_LANGUAGE[language]} for language in languages])
    return f"speechSynthesis.getVoices = () => {tags}"


def _answer(route: Route, files: dict[str, Asset]) -> None:
    path = urlsplit(route.request.url).path
    asset = files.get(path)
    if asset is not None:
        route.fulfill(body=asset.body, content_type=asset.content_type)
    elif path == "/api/live":
        route.fulfill(body=SILENT_STREAM, content_type="text/event-stream")
    else:
        route.fulfill(status=404, body="")


def cut_off(
    browser: Browser, pack: Pack, text_sizes: tuple[str, ...] = ("a2", "a")
) -> Iterator[Cut]:
    """Every text that a screen cuts off, in any language, on any panel, at these text sizes."""
    for panel in PANELS:
        with opened_page(browser, pack, panel) as page:
            for language in pack.languages:
                for size in text_sizes:
                    for screen, text in page.evaluate(
                        _MEASURE, [language, size, STORY_PAGES_MAX[size], PAGES_MAX]
                    ):
                        yield Cut(screen, language, panel.name, TEXT_NAMES[size], text)


def pictures(
    browser: Browser,
    pack: Pack,
    folder: Path,
    text_size: str,
    only: str,
    panels: tuple[Panel, ...],
) -> Iterator[tuple[str, str, str, str]]:
    """Write a picture of every screen; give screen, language, panel and file name of each."""
    for panel in panels:
        with opened_page(browser, pack, panel) as page:
            for screen in page.evaluate(_SCREENS):
                for language in pack.languages if screen.startswith(only) else ():
                    yield from _take(page, folder, (screen, language, panel.name), text_size)


def _take(
    page: Page, folder: Path, what: tuple[str, str, str], text_size: str
) -> Iterator[tuple[str, str, str, str]]:
    screen, language, panel = what
    for number in range(PAGES_MAX):
        if not page.evaluate(_ONE, [language, text_size, screen, number]):
            break
        more = f"-{number + 1}" if number else ""
        file = f"{screen.replace('/', '-')}{more}-{language}-{panel}.png"
        page.evaluate(DRAWN)
        page.screenshot(path=folder / file)
        yield screen, language, panel, file
