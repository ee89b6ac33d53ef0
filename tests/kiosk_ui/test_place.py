import pytest

from kiosk_ui.place import KioskPlace


def test_a_kiosk_that_was_not_surveyed_has_no_position() -> None:
    """Half a position is a slip, none is none."""
    assert KioskPlace().position is None
    with pytest.raises(ValueError, match="come together"):
        KioskPlace(latitude=13.3)


@pytest.mark.parametrize("heading_deg", [-1.0, 360.0, 1000.0, float("nan")])
def test_a_heading_is_a_bearing(heading_deg: float) -> None:
    """The map is turned by it, so it lies between north and north again."""
    assert KioskPlace(heading_deg=250.0).heading_deg == 250.0
    with pytest.raises(ValueError, match="heading_deg"):
        KioskPlace(heading_deg=heading_deg)


@pytest.mark.parametrize("px_per_mm", [0.0, -1.0, 1000.0])
def test_an_impossible_panel_is_refused(px_per_mm: float) -> None:
    """All sizes hang on it, so it is checked first."""
    with pytest.raises(ValueError, match=str(px_per_mm)):
        KioskPlace(px_per_mm=px_per_mm)


def test_the_first_language_is_one_of_the_languages() -> None:
    """Otherwise the screen would start empty."""
    with pytest.raises(ValueError, match="'fr'"):
        KioskPlace(start_language="fr")
