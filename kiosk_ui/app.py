"""The kiosk's web application: every route in one table, every page made at start."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui.assets import URL, Asset, Assets
from kiosk_ui.events import STREAMS, Streams, close_streams, live
from kiosk_ui.now import PRESENT, Present, now, to_json
from kiosk_ui.pages import render_bundle, render_index

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace
    from sync.clock import Clock
    from sync.journal import Journal

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

FILES = web.AppKey("files", dict)
HEALTH = web.AppKey("health", object)
HOSTS = web.AppKey("hosts", frozenset)

YEAR_S = 31_536_000
FOREVER = f"public, max-age={YEAR_S}, immutable"
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "font-src 'self'; connect-src 'self'; worker-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def make_app(
    journal: Journal,
    clock: Clock,
    uplink_status: Callable[[], dict[str, Any]],
    pack: Pack,
    kiosk: KioskPlace,
    health: Callable[[], dict[str, Any]],
) -> web.Application:
    """Render the screens of `pack` and put up the routes that serve them."""
    files, release = build_files(pack, kiosk)
    app = web.Application(middlewares=[only_known_hosts])
    app[FILES] = files
    app[HEALTH] = health
    app[HOSTS] = frozenset(kiosk.hosts)
    app[STREAMS] = Streams()
    latitude, longitude = kiosk.position or (pack.latitude, pack.longitude)
    app[PRESENT] = Present(journal, clock, uplink_status, latitude, longitude, release)
    app.on_shutdown.append(close_streams)
    app.on_response_prepare.append(add_headers)
    app.add_routes(
        [
            web.get("/", file),
            web.get("/sw.js", file),
            web.get(URL + "{name:.+}", file),
            web.get("/api/now", now),
            web.get("/api/live", live),
            web.get("/health", show_health),
        ]
    )
    return app


def build_files(pack: Pack, kiosk: KioskPlace) -> tuple[dict[str, Asset], str]:
    """Everything that is served from memory, and the name of this release."""
    assets = Assets(extra_css=f":root{{--mm:{kiosk.px_per_mm}px}}\n")
    bundles = {}
    first = ""
    for language in kiosk.languages:
        bundle = render_bundle(pack, kiosk, language, assets.url)
        bundles[language] = assets.add(f"bundle.{language}.json", to_json(bundle).encode())
        if language == kiosk.start_language:
            first = bundle["screens"]["attract"]
    for name in ("kiosk.js", "icon.svg"):
        assets.url(name)
    style = assets.style()

    digests = "".join(sorted(assets.served))
    release = hashlib.sha256(digests.encode()).hexdigest()[:12]
    index = render_index(kiosk, first, assets.url, style, bundles, release)
    # The page itself belongs to the release, too: markup can change while no asset does.
    release = hashlib.sha256((digests + index).encode()).hexdigest()[:12]
    index = render_index(kiosk, first, assets.url, style, bundles, release)
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
    asset = request.app[FILES].get(request.path)
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
    for coding, body in (("zstd", asset.zstd), ("gzip", asset.gzip)):
        if body is not None and coding in accepted:
            return web.Response(body=body, headers={**headers, "Content-Encoding": coding})
    return web.Response(body=asset.body, headers=headers)


async def show_health(request: web.Request) -> web.Response:
    """GET /health: what the health callable says."""
    health: Any = request.app[HEALTH]
    return web.Response(
        text=to_json(health()),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


@web.middleware
async def only_known_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer to our own names only, so that no page elsewhere can rebind its name to us."""
    host = request.url.host
    if host not in request.app[HOSTS]:
        raise web.HTTPMisdirectedRequest(text=f"this kiosk is not {host!r}")
    return await handler(request)


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """The same fence round every answer."""
    response.headers.update(HEADERS)
