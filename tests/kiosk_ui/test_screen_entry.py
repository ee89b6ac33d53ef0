from dataclasses import replace

from kiosk_ui import screen_entry
from kiosk_ui.assets import Assets
from kiosk_ui.content import Pack, Photo, load_pack
from kiosk_ui.languages import Words
from kiosk_ui.place import KioskPlace
from kiosk_ui.screens import Screens


class WithFiles(Pack):
    """A pack that also holds a photo and a recording of its first entry."""

    def file(self, name: str) -> bytes | None:
        """Whatever is asked for by these endings."""
        return b"content" if name.endswith((".webp", ".opus")) else None


def entries(pack: Pack) -> dict[str, str]:
    """All screens of entries in English."""
    assets = Assets()
    return screen_entry.screens(Screens(pack, KioskPlace(), "en", assets.url, assets.add))


def test_an_entry_shows_its_thai_name_to_a_driver() -> None:
    """A driver reads Thai; a Thai reader needs no second name."""
    markup = entries(load_pack())["entry/nacha-shrine"]

    assert 'lang="th"' in markup
    assert "Show this to a driver" in markup


def test_a_photo_comes_with_its_words_and_its_maker() -> None:
    """Who cannot see it hears what is on it, and the licence names who took it."""
    pack = load_pack()
    photo = Photo("photo/oyster.webp", "A. Person", "CC BY 4.0", Words(th="หอย", en="An oyster"))
    shown = tuple(
        replace(entry, photo=photo) if entry.id == "oyster" else entry for entry in pack.entries
    )
    markup = entries(WithFiles(**{**vars(pack), "entries": shown}))["entry/oyster"]

    assert 'alt="An oyster"' in markup
    assert "A. Person, CC BY 4.0" in markup
    assert ".webp" in markup


def test_a_recording_is_played_where_the_pack_has_one() -> None:
    """A kiosk whose browser has no voice speaks all the same."""
    markup = entries(WithFiles(**vars(load_pack())))["entry/oyster"]

    assert "data-audio=" in markup
    assert "data-audio=" not in entries(load_pack())["entry/oyster"]
