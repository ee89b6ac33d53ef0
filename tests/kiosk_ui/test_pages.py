import pytest

from kiosk_ui.assets import Assets
from kiosk_ui.content import load_pack
from kiosk_ui.languages import BROUGHT as LANGUAGES
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace
from kiosk_ui.screens import TOWN, TOWN_WHOLE


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_ends_within_the_towns_name(language: str) -> None:
    """Its two halves are joined wherever it is written in Thai, in any language's screens."""
    markup = "".join(
        render_bundle(load_pack(), KioskPlace(), language, Assets().url)["screens"].values()
    )

    assert TOWN not in markup
    assert TOWN_WHOLE in markup
