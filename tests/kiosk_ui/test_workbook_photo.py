import io
import random

import pytest
from PIL import Image

from kiosk_ui.workbook_photo import BYTES_MAX, PX_MAX, PX_MIN, read_photo

MUTATIONS = 150


def picture(width: int, height: int, kind: str, **more: object) -> bytes:
    """A picture that does not pack to nothing."""
    random_ = random.Random(1)  # noqa: S311 # the same picture each time
    small = Image.frombytes("RGB", (16, 16), random_.randbytes(16 * 16 * 3))
    target = io.BytesIO()
    small.resize((width, height)).save(target, kind, **more)
    return target.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_photo_becomes_small_and_light(kind: str) -> None:
    """A clerk gives what a camera made; the pack gets a WebP of at most 60 KB."""
    found = read_photo(picture(1600, 1200, kind))

    assert found is not None
    assert (found.width, found.height) == (1600, 1200)
    assert len(found.webp) <= BYTES_MAX
    with Image.open(io.BytesIO(found.webp)) as shown:
        assert shown.format == "WEBP"
        assert PX_MIN <= max(shown.size) <= PX_MAX


def test_where_and_when_it_was_taken_is_left_out() -> None:
    """A camera writes its owner, place and time into the file; none of it gets into a pack."""
    exif = Image.Exif()
    exif[0x013B] = "Somchai"  # Artist.
    exif.get_ifd(0x8825)[1] = "N"  # GPS.
    found = read_photo(picture(1200, 900, "JPEG", exif=exif))

    assert found is not None
    assert b"Somchai" not in found.webp
    assert b"EXIF" not in found.webp


def test_a_photo_is_turned_upright() -> None:
    """A camera that was held upright says so in the part that is left out."""
    exif = Image.Exif()
    exif[0x0112] = 6  # Orientation: turned by 90 degrees.
    found = read_photo(picture(1200, 900, "JPEG", exif=exif))

    assert found is not None
    with Image.open(io.BytesIO(found.webp)) as shown:
        assert shown.size == (900, 1200)


def test_a_small_photo_is_measured_and_not_taken() -> None:
    """Its size is told, so that the clerk knows what is missing."""
    found = read_photo(picture(PX_MIN - 1, 600, "JPEG"))

    assert found == (PX_MIN - 1, 600, b"")


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff", b"\x89PNG\r\n"])
def test_what_is_no_photo_is_none(content: bytes) -> None:
    """Neither empty files nor other kinds."""
    assert read_photo(content) is None


def test_a_damaged_photo_is_none_or_a_photo() -> None:
    """Nothing else comes out of it, wherever the damage is."""
    random_ = random.Random(2)  # noqa: S311 # the same damage each time
    original = picture(1000, 10, "JPEG")
    for _ in range(MUTATIONS):
        damaged = bytearray(original)
        for _ in range(random_.randrange(1, 20)):
            damaged[random_.randrange(len(damaged))] = random_.randrange(256)
        found = read_photo(bytes(damaged[: random_.randrange(1, len(damaged) + 1)]))
        assert found is None or len(found.webp) <= BYTES_MAX
