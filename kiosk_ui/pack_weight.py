"""What a pack may weigh, and which of its parts are too heavy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import PACK_BYTES_MAX
from kiosk_ui.workbook_problems import problem
from kiosk_ui.workbook_sheets import READ_SHEETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.assets import Asset
    from kiosk_ui.workbook_cells import Report
    from kiosk_ui.workbook_check import Checked

BUNDLE_BYTES_MAX = 150_000  # With brotli: all screens of one language lie in the page's memory.
NAMED_MAX = 3  # Of what is heavy, so many are named.
BUNDLE = "/static/bundle."


def refuse_heavy(files: Mapping[str, bytes], whole_bytes: int) -> None:
    """Raise `ContentError` with the heaviest files where all of them are too much for a kiosk."""
    if whole_bytes <= PACK_BYTES_MAX:
        return
    heaviest = sorted(files, key=lambda name: -len(files[name]))[:NAMED_MAX]
    named = ", ".join(f"{name} ({len(files[name])})" for name in heaviest)
    raise ContentError(
        f"the pack has {whole_bytes} bytes; {PACK_BYTES_MAX} are allowed; heaviest: {named}"
        f" / ชุดเนื้อหาหนัก {whole_bytes} ไบต์ เกิน {PACK_BYTES_MAX} ไฟล์ที่หนักที่สุด: {named}"
    )


def report_bundles(checked: Checked, files: Mapping[str, Asset]) -> None:
    """Report each language whose screens are too heavy, and the sheets that most of it is from."""
    import brotli  # type: ignore[import-untyped] # noqa: PLC0415 # kiosks have none

    for url, asset in files.items():
        if not url.startswith(BUNDLE):
            continue
        language = url.removeprefix(BUNDLE).partition(".")[0]
        weight = len(brotli.compress(asset.body))
        if weight > BUNDLE_BYTES_MAX:
            found = problem(
                "bundle heavy",
                "city",
                language=language,
                bytes=weight,
                max=BUNDLE_BYTES_MAX,
                sheets=", ".join(longest_sheets(checked.report, language)),
            )
            checked.report.add(found)


def longest_sheets(report: Report, language: str) -> list[str]:
    """The sheets with the most text in this language, the longest first."""
    letters = {
        name: sum(
            len(text)
            for row in sheet.rows
            for column, text in row.cells.items()
            if column == language or column.endswith(f"_{language}")
        )
        for name, sheet in report.workbook.sheets.items()
        if name in READ_SHEETS
    }
    return sorted(letters, key=lambda name: -letters[name])[:NAMED_MAX]
