"""What is on the screen: a pack, rendered once, and swapped for another in one step."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, NamedTuple

from aiohttp import web
from jinja2 import TemplateError

from kiosk_ui.assets import URL, Asset, Assets
from kiosk_ui.errors import ContentError
from kiosk_ui.now import to_json
from kiosk_ui.pages import render_bundle, render_index
from kiosk_ui.screen_map import symbols
from kiosk_ui.sites import settled

if TYPE_CHECKING:
    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace

YEAR_S = 31_536_000
FOREVER = f"public, max-age={YEAR_S}, immutable"
# What rendering raises for a pack that passed all checks and is wrong all the same.
FAULTS = (TemplateError, KeyError, IndexError, TypeError, AttributeError, ValueError)


class RenderError(ContentError):
    """A pack of which no screens can be made."""


class Rendered(NamedTuple):
    """All files of one release, the pack they were made of, and for which kiosk."""

    pack: Pack
    place: KioskPlace
    files: dict[str, Asset]
    release: str


class Shown:
    """The release that is served now."""

    def __init__(self, rendered: Rendered) -> None:
        self.now = rendered
        self._before: dict[str, Asset] = {}

    def swap(self, rendered: Rendered) -> None:
        """Serve another release from the next request on.

        A page of the old one may still want a bundle: files under hashed names stay for one
        release more.
        """
        self._before = {url: one for url, one in self.now.files.items() if url.startswith(URL)}
        self.now = rendered

    def file(self, path: str) -> Asset | None:
        """The file at this path."""
        return self.now.files.get(path) or self._before.get(path)


SHOWN = web.AppKey("shown", Shown)


def render(pack: Pack, place: KioskPlace) -> Rendered:
    """All screens of a pack in all its languages. Raises `ContentError`.

    Takes a second or two of CPU on a Pi: call it off the event loop.
    """
    here = settled(place, pack).fitted(pack.languages)
    try:
        files, release = build_files(pack, here)
    except FAULTS as error:
        raise RenderError(f"version {pack.version} cannot be rendered: {error!r}") from error
    return Rendered(pack, here, files, release)


def build_files(pack: Pack, kiosk: KioskPlace) -> tuple[dict[str, Asset], str]:
    """Everything that is served from memory, and the name of this release."""
    assets = Assets(extra_css=f":root{{--mm:{kiosk.px_per_mm}px}}\n")
    for name in pack.names("fonts/"):
        assets.add_font(name, pack.file(name) or b"")
    bundles = {}
    first = ""
    for language in kiosk.languages:
        bundle = render_bundle(pack, kiosk, language, assets.url, assets.add)
        bundles[language] = assets.add(f"bundle.{language}.json", to_json(bundle).encode())
        if language == kiosk.start_language:
            first = bundle["screens"]["attract"]
    for name in ("kiosk.js", "icon.svg"):
        assets.url(name)
    style = assets.style()

    digests = "".join(sorted(assets.served))
    drawings = symbols(pack, kiosk)
    release = hashlib.sha256(digests.encode()).hexdigest()[:12]
    index = render_index(kiosk, first, assets.url, style, bundles, release, drawings)
    # The page itself belongs to the release, too: markup can change while no asset does.
    release = hashlib.sha256((digests + index).encode()).hexdigest()[:12]
    index = render_index(kiosk, first, assets.url, style, bundles, release, drawings)
    worker = (
        f"const RELEASE = {to_json(release)};\nconst FILES = {to_json(sorted(assets.served))};\n"
        + assets.source("sw.js")
    )
    files = dict(assets.served)
    files["/"] = Asset.make(index.encode(), ".html")
    files["/sw.js"] = Asset.make(worker.encode(), ".js")
    return files, release


async def file(request: web.Request) -> web.Response:
    """GET a page, module, style sheet, font or drawing, in the smallest form it may have."""
    asset = request.app[SHOWN].file(request.path)
    if asset is None:
        raise web.HTTPNotFound(text=f"there is no {request.path}")
    headers = {
        "Content-Type": asset.content_type,
        "Cache-Control": FOREVER if request.path.startswith(URL) else "no-cache",
        "ETag": f'"{asset.digest}"',
        "Vary": "Accept-Encoding",
    }
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    accepted = request.headers.get("Accept-Encoding", "")
    for coding in () if asset.packed_already else ("zstd", "gzip"):
        if coding in accepted:
            # Off the event loop where it has to be made: the first time.
            body = vars(asset).get(coding) or await asyncio.to_thread(getattr, asset, coding)
            return web.Response(body=body, headers={**headers, "Content-Encoding": coding})
    return web.Response(body=asset.body, headers=headers)
