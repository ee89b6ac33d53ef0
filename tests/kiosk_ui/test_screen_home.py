from kiosk_ui import screen_home
from kiosk_ui.assets import Assets
from kiosk_ui.content import load_pack
from kiosk_ui.place import KioskPlace
from kiosk_ui.screens import Screens


def made(*tiles: str, known: frozenset[str]) -> str:
    """A home screen of these tiles, in a bundle that has got these screens."""
    one = Screens(load_pack(), KioskPlace(tiles=tiles), "en", Assets().url)
    one.known.update(known)
    return screen_home.screens(one)["home"]


def test_a_tile_without_a_screen_is_left_out() -> None:
    """What is not in the bundle would lead nowhere."""
    markup = made("today", "see", known=frozenset({"list/see", "toilet"}))

    assert 'data-go="list/see"' in markup
    assert 'data-go="toilet"' in markup
    assert 'data-go="today"' not in markup
    assert 'data-go="tell"' not in markup


def test_tiles_stand_in_the_order_of_the_settings() -> None:
    """What people want first differs from place to place."""
    known = frozenset({"today", "list/see", "map"})
    markup = made("map", "today", "see", known=known)

    assert markup.index('"map"') < markup.index('"today"') < markup.index('"list/see"')
