from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from kiosk_ui.errors import ContentError
from kiosk_ui.pack_build import build, pack_of
from kiosk_ui.pack_fit import report_cuts
from kiosk_ui.pack_preview import SHEET, preview
from kiosk_ui.pack_screens import PANELS, chromium, cut_off, opened_page
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK
from tests.kiosk_ui import workbooks

# No longer than a text may be, and wider than any that was written for reading.
WIDE = "WWWWWWW " * 37


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium."""
    with chromium() as found:
        yield found


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workbook of few entries: a test needs no more."""
    return workbooks.small(tmp_path_factory.mktemp("small"))


def test_a_text_that_does_not_fit_is_found_by_drawing_it(browser: Browser, small: Path) -> None:
    """No count of characters knows what a screen holds: Chromium says it, the cell is named."""
    workbooks.edit(small, "goods", "stone-mortar", text_en=WIDE)
    built = build(small)
    report_cuts(built.checked, cut_off(browser, pack_of(built.members)))
    found = [one for one in built.checked.report.problems if one.code == "no fit"]

    assert ("goods", 2, "text_en") in {(one.sheet, one.row, one.column) for one in found}
    assert built.checked.report.errors >= 1


def test_a_pack_is_drawn_without_a_server_or_a_network(browser: Browser, small: Path) -> None:
    """Every request is answered from memory; all languages are there."""
    pack = pack_of(build(small).members)
    asked: list[str] = []
    with opened_page(browser, pack, PANELS[1]) as page:
        page.on("request", lambda request: asked.append(request.url))
        page.reload()
        page.wait_for_selector("html[data-ready]", state="attached")
        language = page.get_attribute("html", "data-language")

    assert language == "th"
    assert asked
    assert {url.split("/")[2] for url in asked} == {"127.0.0.1"}


def test_a_preview_has_a_picture_of_every_screen(
    browser: Browser, small: Path, tmp_path: Path
) -> None:
    """Every screen, language and panel, and a page that shows them all with what to look at."""
    pack = pack_of(build(small).members)
    folder = tmp_path / "preview"
    count = preview(browser, pack, folder, "a", "entry/old", PANELS[:2])
    sheet = (folder / SHEET).read_text()

    assert count == len(list(folder.glob("*.png"))) >= 6
    for language in pack.languages:
        for panel in PANELS[:2]:
            picture = folder / f"entry-old-market-{language}-{panel.name}.png"
            assert picture.stat().st_size > 5000
    assert all(path.name in sheet for path in folder.glob("*.png"))
    assert "confidence high" in sheet
    assert "zh medium" in sheet


def test_a_fourth_language_is_drawn_as_well(browser: Browser, tmp_path: Path) -> None:
    """The preview has its pictures, and they are not those of another language."""
    path = workbooks.small(tmp_path)
    workbooks.edit(path, "city", "languages", value="th, en, zh, ms")
    workbooks.edit(path, "places", "old-market", name_ms="Pasar Lama", text_ms="Rumah kayu.")
    lines = [["word", "ms"], ["Home", "Laman utama"]]
    workbooks.write_csv(path / "words.csv", lines)
    pack = pack_of(build(path).members)
    folder = tmp_path / "preview"
    preview(browser, pack, folder, "a", "entry/old", PANELS[1:2])
    with opened_page(browser, pack, PANELS[1]) as page:
        said = page.evaluate(
            """async () => {
              const { router } = await import(document.querySelector('script[type=module]').src);
              router.show({language: 'ms', screen: 'entry/old-market', page: 0});
              return document.body.textContent;
            }"""
        )

    assert (folder / "entry-old-market-ms-1280x800.png").exists()
    assert "Pasar Lama" in said
    assert "Laman utama" in said


def test_a_folder_with_other_things_is_let_be(browser: Browser, tmp_path: Path) -> None:
    """Old pictures are taken away before new ones come, so nothing else may lie there."""
    (tmp_path / "letter.odt").write_bytes(b"dear mayor")
    pack = pack_of(build(DEFAULT_WORKBOOK).members)

    with pytest.raises(ContentError, match=r"holds other things, such as 'letter\.odt'"):
        preview(browser, pack, tmp_path, "a")


def test_a_missing_chromium_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clerk learns what to install, in Thai and English."""
    monkeypatch.setenv("PATH", "/nowhere")

    said = "sudo apt install chromium / วาดหน้าจอไม่ได้"
    with pytest.raises(ContentError, match=said), chromium():
        pass
