"""The kiosk's web application: every route in one table, every page made beforehand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aiohttp import web

from kiosk_ui import desk
from kiosk_ui.assets import URL
from kiosk_ui.beat import BEATS, Beats, beat
from kiosk_ui.boot import GATE, Gate, boot
from kiosk_ui.events import STREAMS, Streams, close_streams, live
from kiosk_ui.now import PRESENT, Present, now, to_json
from kiosk_ui.pin import enter
from kiosk_ui.shown import SHOWN, Rendered, Shown, file, render
from kiosk_ui.stalls import STALLS, tell_today
from kiosk_ui.technician import technician
from kiosk_ui.tell import tell
from kiosk_ui.usage import count

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from kiosk_ui.content import Pack
    from kiosk_ui.place import KioskPlace
    from sync.clock import Clock
    from sync.journal import Journal

    Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

HEALTH = web.AppKey("health", object)
HOSTS = web.AppKey("hosts", frozenset)

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "media-src 'self'; font-src 'self'; connect-src 'self'; worker-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
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
    rendered: Rendered | None = None,
    machine: Callable[[], dict[str, Any]] = dict,
) -> web.Application:
    """Put up the routes that serve the screens of `pack`, rendered here or beforehand."""
    shown = Shown(rendered or render(pack, kiosk))
    app = web.Application(middlewares=[only_known_hosts])
    app[SHOWN] = shown
    app[HEALTH] = health
    app[HOSTS] = frozenset(kiosk.hosts)
    app[STREAMS] = Streams()
    app[BEATS] = Beats()
    app[GATE] = Gate()
    place = shown.now.place
    latitude, longitude = place.position or (pack.latitude, pack.longitude)
    app[PRESENT] = Present(journal, clock, uplink_status, latitude, longitude, shown.now.release)
    desk.put_up(app, journal, health, machine)
    desk.renew(app, pack, place, shown.now.release)
    app[PRESENT].stalls = app[STALLS].today
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
            web.post("/api/beat", beat),
            web.get("/api/boot.svg", boot),
            web.post("/api/tell", tell),
            web.post("/api/usage", count),
            web.post("/api/pin", enter),
            web.post("/api/stall", tell_today),
            web.get("/api/technician", technician),
        ]
    )
    return app


async def show_health(request: web.Request) -> web.Response:
    """GET /health: what the health callable says."""
    health: Any = request.app[HEALTH]
    return web.Response(
        text=to_json(health()),
        content_type="application/json",
        headers={"Cache-Control": "no-store"},
    )


def show(app: web.Application, rendered: Rendered) -> None:
    """Serve another release from now on; pages hear of it with the next live message."""
    app[SHOWN].swap(rendered)
    desk.renew(app, rendered.pack, rendered.place, rendered.release)
    present, pack = app[PRESENT], rendered.pack
    present.release = rendered.release
    present.latitude, present.longitude = rendered.place.position or (
        pack.latitude,
        pack.longitude,
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
