"""Static files under hashed names, compressed when first asked for, held in memory."""

from __future__ import annotations

import gzip
import hashlib
import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from kiosk_ui.scripts import join
from sync.zstd import compress as zstd_compress

STATIC = Path(__file__).parent / "static"
URL = "/static/"
HASH_CHARS = 10
ZSTD_LEVEL = 12  # Higher levels cost more than they save: 2 %.

CONTENT_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".webp": "image/webp",
    ".opus": "audio/ogg",
    ".woff2": "font/woff2",
    ".json": "application/json; charset=utf-8",
    ".html": "text/html; charset=utf-8",
}
PACKED_ALREADY = (".woff2", ".webp", ".opus")
PACK_FONT = "Angsila Pack"  # Stands in kiosk.css behind the fonts that the software brings.
FONT_WEIGHTS = ("400", "600")

# One file is served, in this order; each family of screens keeps its rules apart.
STYLES = (
    "kiosk.css",
    "today.css",
    "map.css",
    "search.css",
    "keyboard.css",
    "tell.css",
    "notice.css",
)

_COMMENT = re.compile(r"(?s)/\*.*?\*/")
_ASSET = re.compile(r"url\(([a-z0-9/_.-]+)\)")


def lean(text: str) -> str:
    """A style sheet without what only its readers need: comments, indentation and lines.

    A line of ours ends where a rule or a declaration does, so nothing grows together.
    """
    return "".join(line.strip() for line in _COMMENT.sub("", text).splitlines())


@dataclass(frozen=True)
class Asset:
    """One file as it goes out: plain, and in the encodings a browser may ask for.

    An encoding is made when it is first asked for: a kiosk's own browser wants one of the two,
    and the start of the service waits for neither.
    """

    body: bytes
    content_type: str
    digest: str
    packed_already: bool

    @classmethod
    def make(cls, body: bytes, suffix: str) -> Asset:
        """Hash a body."""
        return cls(
            body=body,
            content_type=CONTENT_TYPES[suffix],
            digest=hashlib.sha256(body).hexdigest()[:HASH_CHARS],
            packed_already=suffix in PACKED_ALREADY,
        )

    @cached_property
    def zstd(self) -> bytes:
        """The body by RFC 8878; takes some 10 ms of CPU for the largest."""
        return zstd_compress(self.body, ZSTD_LEVEL)

    @cached_property
    def gzip(self) -> bytes:
        """The body by RFC 1952, for what knows nothing newer."""
        return gzip.compress(self.body, 9, mtime=0)


@dataclass
class Assets:
    """All files of a release, by the path they are asked for."""

    extra_css: str = ""  # What only this kiosk knows: the scale of its panel.
    served: dict[str, Asset] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    def url(self, name: str) -> str:
        """The hashed path of a file in `static/`; a script has in it all that it imports."""
        if name not in self._urls:
            stem, _, suffix = name.rpartition(".")
            script = suffix == "js"
            body = join(stem, self._module).encode() if script else (STATIC / name).read_bytes()
            self._urls[name] = self.add(name, body)
        return self._urls[name]

    def style(self) -> str:
        """The hashed path of all style sheets in one."""
        if "kiosk.css" not in self._urls:
            sheets = lean("".join(self.source(name) for name in STYLES))
            self._urls["kiosk.css"] = self.add(
                "kiosk.css", (self._resolve(sheets) + self.extra_css).encode()
            )
        return self._urls["kiosk.css"]

    def add(self, name: str, body: bytes) -> str:
        """Serve a body under a name that changes whenever the body does."""
        stem, dot, suffix = name.rpartition(".")
        asset = Asset.make(body, dot + suffix)
        url = f"{URL}{stem}.{asset.digest}.{suffix}"
        self.served[url] = asset
        return url

    def add_font(self, name: str, body: bytes) -> None:
        """Letters that a pack brings; a name such as "fonts/cyrillic-600.woff2" says how bold."""
        stem = name.rpartition("/")[2].removesuffix(".woff2")
        weight = stem[-3:] if stem[-3:] in FONT_WEIGHTS else FONT_WEIGHTS[0]
        url = self.add(f"fonts/pack-{stem}.woff2", body)
        self.extra_css += (
            f'@font-face{{font-family:"{PACK_FONT}";font-weight:{weight};'
            f'src:url({url}) format("woff2");ascent-override:100%;descent-override:30%;'
            "line-gap-override:0%}\n"
        )

    def source(self, name: str) -> str:
        """A file of `static/` that is served under a fixed name."""
        return (STATIC / name).read_text(encoding="utf-8")

    def _module(self, stem: str) -> str:
        return self.source(f"{stem}.js")

    def _resolve(self, text: str) -> str:
        """Style sheets name other files plainly; the browser gets hashed names."""
        return _ASSET.sub(lambda match: f"url({self.url(match[1])})", text)
