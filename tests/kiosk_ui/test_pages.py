import pytest

from kiosk_ui.assets import Assets
from kiosk_ui.content import load_pack
from kiosk_ui.languages import BROUGHT as LANGUAGES
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace
from kiosk_ui.screens import WHOLE


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_ends_within_a_compound(language: str) -> None:
    """Its halves are joined wherever it is written in Thai, in any language's screens."""
    markup = "".join(
        render_bundle(load_pack(), KioskPlace(), language, Assets().url)["screens"].values()
    )

    assert [compound for compound in WHOLE if compound in markup] == []
    assert WHOLE["อ่างศิลา"] in markup
