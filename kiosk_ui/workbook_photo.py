"""A clerk's photo as the screen shows it: smaller, and without what a camera writes into it."""

from __future__ import annotations

import io
import warnings
from typing import Any, NamedTuple

PX_MIN = 960  # The longer side: a smaller one is blurred on a large panel.
PX_MAX = 1280
# Longer side and quality, in the order in which they are tried.
STEPS = tuple((px, quality) for px in (PX_MAX, PX_MIN) for quality in (80, 70, 60, 50, 40))
PIXELS_MAX = 60_000_000
BYTES_MAX = 60_000
PHOTO_FILE_BYTES_MAX = 30_000_000
KINDS = ("JPEG", "PNG", "WEBP")


class Picture(NamedTuple):
    """Its size as it came, and the WebP that goes into the pack; none where it is too small."""

    width: int
    height: int
    webp: bytes


def read_photo(content: bytes) -> Picture | None:
    """A photo, or None for what is none. Its place and camera (EXIF) are left out."""
    from PIL import Image, ImageOps  # noqa: PLC0415 # kiosks have none

    try:
        with warnings.catch_warnings(), Image.open(io.BytesIO(content), formats=KINDS) as raw:
            warnings.simplefilter("error")
            width, height = raw.size
            if width * height > PIXELS_MAX:
                return None
            if max(raw.size) < PX_MIN:
                return Picture(width, height, b"")
            upright = ImageOps.exif_transpose(raw).convert("RGB")
            return Picture(width, height, _webp(upright))
    except (OSError, ValueError, SyntaxError, EOFError, Warning, Image.DecompressionBombError):
        return None  # What Pillow raises for a damaged file depends on where the damage is.


def _webp(image: Any) -> bytes:
    """The best that is light enough, or else the lightest."""
    made = b""
    for px, quality in STEPS:
        image.thumbnail((px, px))  # Only ever smaller.
        target = io.BytesIO()
        image.save(target, "WEBP", quality=quality, method=4)
        made = target.getvalue()
        if len(made) <= BYTES_MAX:
            break
    return made
