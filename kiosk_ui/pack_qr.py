"""QR codes of entries, made offline when a pack is built: to take a place along on a phone."""

from __future__ import annotations

import io
from typing import Any
from urllib.parse import quote, urlsplit

import segno

BORDER = 4  # Light modules round the code, as the standard asks.
SAFE = "/?#&=%:;,+@~!$'()*-._"


def content_of(entry: dict[str, Any], website: str | None) -> str | None:
    """What an entry's code says: its website, else its position, else there is no code."""
    if website:
        return plain_url(website)
    where = entry["coordinates"]
    return None if where is None else f"geo:{where['lat']},{where['lon']}"


def plain_url(url: str) -> str:
    """A URL in the letters that make the smallest code which still leads there.

    Scheme and host may be upper case, which a code keeps in half the room; a path may not, for
    it would be another one.
    """
    parts = urlsplit(url)
    try:
        host = parts.netloc.encode("idna").decode()
    except UnicodeError:
        host = quote(parts.netloc, safe=SAFE)
    if parts.path in ("", "/") and not parts.query and not parts.fragment:
        return f"{parts.scheme}://{host}".upper()
    rest = url.partition(parts.netloc)[2]
    return f"{parts.scheme}://{host}{quote(rest, safe=SAFE)}"


def qr_svg(content: str) -> bytes:
    """A QR code as a drawing without a size of its own: the screen gives it one in mm."""
    target = io.BytesIO()
    code = segno.make(content, error="m", micro=False, boost_error=False)
    code.save(target, kind="svg", border=BORDER, xmldecl=False, nl=False, omitsize=True)
    return target.getvalue()
