"""The same screens as a plain server-rendered site and as an htmx page, for the bench alone.

    python -m tests.bench_kiosk.peers PORT PX_PER_MM

/plain/LANGUAGE/SCREEN is a whole document for each screen. /htmx/LANGUAGE/SCREEN is one document,
in which htmx 4.0.1 (htmx.min.js, Zero-Clause BSD, see htmx.LICENSE) swaps a fragment for each tap.
Both have the kiosk's own markup, style sheet, fonts and drawings. They have no live values and
no search, and their pages are parted beforehand, so they do less than the kiosk for each tap.
"""

from __future__ import annotations

import asyncio
import re
import sys
from pathlib import Path

from aiohttp import web

from kiosk_ui.assets import URL, Asset, Assets
from kiosk_ui.content import load_pack
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace
from kiosk_ui.screen_map import symbols
from kiosk_ui.screens import environment
from kiosk_ui.shown import Rendered, render

READY = "ready"
HTMX = Path(__file__).with_name("htmx.min.js").read_text(encoding="utf-8")
CARDS_MAX = 6  # On a page of a list at this size, as the kiosk has them.
GRID = "grid-template:repeat(2,minmax(0,1fr)) / repeat(3,minmax(0,1fr))"
CARD = re.compile(r'\n?<button class="card".*?</button>', re.DOTALL)
GO = re.compile(r'data-go="([^"]+)"')
# What a link would do, without changing the look of the kiosk's buttons.
LINKS = """addEventListener("click", (event) => {
  const go = event.target.closest("[data-go]")?.dataset.go;
  if (go) location.href = `/plain/${document.documentElement.dataset.language}/${go}`;
});"""


def laid_out(fragment: str) -> str:
    """A screen's first page, as the kiosk's script would part it on this panel."""
    cards = CARD.findall(fragment)
    for card in cards[CARDS_MAX:]:
        fragment = fragment.replace(card, "", 1)
    rows = f'class="cards" data-lay="grid" data-rows="2" style="{GRID}"'
    for kind, laid in (
        ("tiles", 'class="tiles" data-lay="whole"'),
        ("cards", rows),
    ):
        fragment = fragment.replace(f'class="{kind}" data-pages="grid"', laid)
    return fragment.replace('class="sheets" data-pages', 'class="sheets" data-alone="2"')


class Peers:
    """Screens, rendered by the kiosk's own templates, and the two ways to send them."""

    def __init__(self, px_per_mm: float) -> None:
        place = KioskPlace(px_per_mm=px_per_mm, latitude=13.341, longitude=100.925)
        self.rendered: Rendered = render(load_pack(), place)
        assets = Assets()
        self._bundles = {
            language: render_bundle(self.rendered.pack, self.rendered.place, language, assets.url)
            for language in place.languages
        }
        for bundle in self._bundles.values():
            bundle["screens"] = {
                name: laid_out(fragment) for name, fragment in bundle["screens"].items()
            }
        sprite = environment().get_template("sprite.svg").render()
        drawings = symbols(self.rendered.pack, self.rendered.place)
        self._sprite = f'{sprite}<svg class="sprite" width="0" height="0">{drawings}</svg>'
        self._style = next(url for url in self.rendered.files if url.endswith(".css"))
        self._files: dict[str, Asset] = {**self.rendered.files, **assets.served}

    def document(self, script: str, language: str, screen: str, body: str, bar: str) -> str:
        """A whole page."""
        return (
            f'<!doctype html><html lang="{language}" data-language="{language}"><head>'
            f'<meta charset="utf-8"><title>Ang Sila</title>'
            f'<link rel="stylesheet" href="{self._style}"><script src="{script}" defer></script>'
            f'</head><body data-screen="{screen.partition("/")[0]}">{self._sprite}'
            f'<main id="screen">{body}</main><nav id="bar">{bar}</nav></body></html>'
        )

    async def plain(self, request: web.Request) -> web.Response:
        """A document for each screen."""
        language, screen = request.match_info["language"], request.match_info["screen"]
        bundle = self._bundles[language]
        body, bar = bundle["screens"][screen], bundle["parts"]["bar"]
        return html(self.document("/links.js", language, screen, body, bar))

    async def htmx(self, request: web.Request) -> web.Response:
        """The document of the first screen, and a fragment of each that is asked for by htmx."""
        language, screen = request.match_info["language"], request.match_info["screen"]
        bundle = self._bundles[language]
        asks = rf'data-go="\1" hx-get="/htmx/{language}/\1" hx-target="#screen"'
        body = GO.sub(asks, bundle["screens"][screen])
        if "HX-Request" in request.headers:
            return html(body)
        bar = GO.sub(asks, bundle["parts"]["bar"])
        return html(self.document("/htmx.js", language, screen, body, bar))

    async def file(self, request: web.Request) -> web.Response:
        """The kiosk's styles, fonts and drawings."""
        asset = self._files.get(request.path)
        if asset is None:
            raise web.HTTPNotFound(text=request.path)
        headers = {"Cache-Control": "public, max-age=31536000, immutable"}
        return web.Response(
            body=asset.body, content_type=asset.content_type.partition(";")[0], headers=headers
        )


def html(text: str) -> web.Response:
    """An answer that is asked for each time, as a server-rendered screen is."""
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-store"})


async def serve(port: int, px_per_mm: float) -> None:
    """Serve both on this port, for ever."""
    peers = Peers(px_per_mm)
    app = web.Application()

    async def script(request: web.Request) -> web.Response:
        text = HTMX if request.path == "/htmx.js" else LINKS
        headers = {"Cache-Control": "public, max-age=31536000"}
        return web.Response(text=text, content_type="text/javascript", headers=headers)

    app.add_routes(
        [
            web.get("/plain/{language}/{screen:.+}", peers.plain),
            web.get("/htmx/{language}/{screen:.+}", peers.htmx),
            web.get("/links.js", script),
            web.get("/htmx.js", script),
            web.get(URL + "{name:.+}", peers.file),
        ]
    )
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    sys.stdout.write(f"{READY}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
