"""Compile the .po files of kiosk_ui/locale to .mo: `python -m kiosk_ui.build_words`."""

from __future__ import annotations

import io
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

LOCALE = Path(__file__).parent / "locale"


def compile_po(path: Path) -> bytes:
    """The .mo that belongs to a .po; the same bytes each time."""
    with path.open("rb") as file:
        catalog = read_po(file)
    compiled = io.BytesIO()
    write_mo(compiled, catalog)
    return compiled.getvalue()


def main() -> None:
    """Write every .mo beside its .po."""
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/*.po")):
        path.with_suffix(".mo").write_bytes(compile_po(path))


if __name__ == "__main__":
    main()
