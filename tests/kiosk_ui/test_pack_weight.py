"""What is too heavy for a kiosk is named, and no pack is made."""

import random
from pathlib import Path

import pytest
from PIL import Image

from kiosk_ui import pack_weight
from kiosk_ui.assets import Asset
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_build import build
from kiosk_ui.pack_file import PACK_BYTES_MAX
from kiosk_ui.pack_weight import BUNDLE_BYTES_MAX, refuse_heavy, report_bundles
from kiosk_ui.workbook_photo import BYTES_MAX
from kiosk_ui.workbook_problems import ERROR
from tests.kiosk_ui import workbooks


def test_a_heavy_pack_names_its_heaviest_files() -> None:
    """So that the clerk knows where to begin; a light one is nobody's concern."""
    files = {"audio/a.th.opus": bytes(7), "photo/b.webp": bytes(5), "c.json": b"", "d.json": b"x"}
    refuse_heavy(files, PACK_BYTES_MAX)
    with pytest.raises(ContentError) as refused:
        refuse_heavy(files, PACK_BYTES_MAX + 1)

    assert f"{PACK_BYTES_MAX} are allowed" in str(refused.value)
    assert "audio/a.th.opus (7), photo/b.webp (5), d.json (1)" in str(refused.value)


def test_a_heavy_language_names_its_sheets(tmp_path: Path) -> None:
    """Only the language that is too heavy, its weight, and where most of its text is."""
    checked = workbooks.checked(workbooks.copy(tmp_path))
    noise = random.Random(1).randbytes(BUNDLE_BYTES_MAX)  # noqa: S311 # the same noise each time
    files = {
        "/static/bundle.th.0.json": Asset.make(noise, ".json"),
        "/static/bundle.en.0.json": Asset.make(noise[: BUNDLE_BYTES_MAX // 2], ".json"),
        "/static/kiosk.0.css": Asset.make(noise, ".css"),
    }
    report_bundles(checked, files)

    (problem,) = checked.report.problems
    assert "bytes of screens in th, 150000 are" in problem.english
    assert "shorten the text of places" in problem.english
    assert "หน้าจอภาษา th" in problem.thai


def test_a_heavy_language_makes_no_pack(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The build looks at what a kiosk would render; here with a budget that is too small."""
    monkeypatch.setattr(pack_weight, "BUNDLE_BYTES_MAX", 10_000)
    built = build(workbooks.copy(tmp_path))

    assert built.members == {}
    errors = [one for one in built.checked.report.problems if one.level == ERROR]
    assert [one.code for one in errors] == ["bundle heavy"] * 3


def test_a_photo_that_stays_heavy_is_refused(tmp_path: Path) -> None:
    """Leaves and waves do not pack; the message says by how much, at the cell of the photo."""
    cells = {"photo": "noise.jpg", "photo_licence": "CC BY 4.0", "photo_by": "Somchai"}
    path = workbooks.edited(tmp_path, "places", "old-market", **cells, alt_th="ตลาดเก่า")
    (path / "photos").mkdir()
    noise = random.Random(1).randbytes(1200 * 900 * 3)  # noqa: S311 # the same noise each time
    Image.frombytes("RGB", (1200, 900), noise).save(path / "photos" / "noise.jpg", quality=70)

    (found,) = workbooks.problems(path, "photo dense")
    assert (found.sheet, found.column, found.value) == ("places", "photo", "noise.jpg")
    assert f"{BYTES_MAX} are allowed" in found.english
