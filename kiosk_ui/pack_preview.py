"""A picture of every screen of a pack, and one page to look at them all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, select_autoescape

from kiosk_ui.errors import ContentError
from kiosk_ui.pack_screens import PANELS, pictures

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    from kiosk_ui.content import Pack
    from kiosk_ui.pack_screens import Panel

ENTRY = "entry/"
SHEET = "index.html"

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>{{ pack.id }} {{ pack.version }}</title>
<style>
body{font:16px/1.5 sans-serif;margin:2rem;background:#f7f3ea;color:#20272b}
table{border-collapse:collapse;margin-bottom:2rem}
td{padding:.4rem;vertical-align:top}
img{height:15rem;border:1px solid #dcd2bf;background:#fff}
h2{margin:2rem 0 0}
</style>
<h1>{{ pack.city.th }} · {{ pack.id }} {{ pack.version }}</h1>
<p>ภาพทุกหน้าจอ ทุกภาษา ทุกขนาดจอ ค่าที่วัดจริงจะแสดงบนตู้เท่านั้น · Every screen, language and
panel; measured values are seen on a kiosk only.</p>
{% for screen, rows in screens.items() %}
<h2 id="{{ screen }}">{{ screen }}</h2>
{% with entry = entries.get(screen) %}{% if entry %}
<p>ตรวจเมื่อ / checked {{ entry.checked_on }} · ความเชื่อมั่น / confidence {{ entry.confidence }} ·
คำแปล / wording {% for code, sure in entry.translation_confidence.items() %}{{ code }} {{ sure }}
{% endfor %} · {{ entry.sources|join(", ") }}</p>{% endif %}{% endwith %}
<table>{% for panel, files in rows.items() %}<tr>
{% for file in files %}<td><a href="{{ file }}">
<img loading="lazy" src="{{ file }}" alt="{{ file }}">
</a></td>{% endfor %}</tr>{% endfor %}</table>
{% endfor %}
</html>
"""


def preview(
    browser: Browser,
    pack: Pack,
    folder: Path,
    text_size: str,
    only: str = "",
    panels: tuple[Panel, ...] = PANELS,
) -> int:
    """Write the pictures and their page into a folder; return how many there are.

    `only` is how the names of the wanted screens begin.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        strange = [path.name for path in folder.iterdir() if path.suffix not in (".png", ".html")]
        if strange:
            raise ContentError(f"{folder} holds other things, such as {strange[0]!r}: name another")
        for old in folder.glob("*.png"):
            old.unlink()
        screens: dict[str, dict[str, list[str]]] = {}
        count = 0
        for screen, _, panel, file in pictures(browser, pack, folder, text_size, only, panels):
            rows = screens.setdefault(screen, {one.name: [] for one in panels})
            rows[panel].append(file)
            count += 1
        (folder / SHEET).write_text(_sheet(pack, screens), encoding="utf-8")
    except OSError as error:
        raise ContentError(f"{folder} cannot be written: {error.strerror}") from None
    return count


def _sheet(pack: Pack, screens: dict[str, dict[str, list[str]]]) -> str:
    environment = Environment(autoescape=select_autoescape(default_for_string=True))
    entries = {f"{ENTRY}{entry.id}": entry for entry in pack.entries}
    return environment.from_string(_PAGE).render(pack=pack, screens=screens, entries=entries)
