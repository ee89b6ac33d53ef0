from datetime import date

import pytest
from babel.messages.pofile import read_po

from kiosk_ui.build_words import LOCALE, compile_po
from kiosk_ui.i18n import catalog, say, say_date
from kiosk_ui.languages import BROUGHT as LANGUAGES
from kiosk_ui.pages import FAMILIES
from kiosk_ui.screen_access import PRIVACY, SENT, WAYS
from kiosk_ui.screen_today import HEAT_ADVICE, QUANTITIES
from kiosk_ui.tiles import CHIPS, TILES


@pytest.mark.parametrize("language", LANGUAGES)
def test_compiled_words_are_fresh(language: str) -> None:
    """Each .mo in the repository is what its .po compiles to."""
    path = LOCALE / language / "LC_MESSAGES" / "kiosk.po"

    assert path.with_suffix(".mo").read_bytes() == compile_po(path)


def test_all_languages_say_the_same_things() -> None:
    """A word that is missing in one language would stand there in English."""
    said = []
    for language in LANGUAGES:
        with (LOCALE / language / "LC_MESSAGES" / "kiosk.po").open("rb") as file:
            words = {message.id: message.string for message in read_po(file) if message.id}
        assert all(words.values()), language
        said.append(set(words))

    assert said[0] == said[1] == said[2]


@pytest.mark.parametrize("language", LANGUAGES)
def test_words_named_in_tables_are_translated(language: str) -> None:
    """What templates take from tables is in the catalogs, too."""
    named = [
        *(words for family in FAMILIES for words in family.words.values()),
        *HEAT_ADVICE,
        *(quantity.words for quantity in QUANTITIES),
        *(word for tile in TILES for word in (tile.name, tile.note)),
        *(tile.name for tile in CHIPS),
        *(way.name for way in WAYS),
        *PRIVACY,
        SENT,
    ]
    known = catalog(language)._catalog  # type: ignore[attr-defined] # gettext has no other list

    assert [word for word in named if word not in known] == []


def test_thai_years_are_buddhist() -> None:
    """2026 is 2569 in Thailand."""
    day = date(2026, 11, 22)

    assert say_date("th", day) == "22 พ.ย. 2569"
    assert say_date("en", day) == "22 Nov 2026"
    assert say_date("zh", day) == "2026年11月22日"


def test_parts_are_filled_in() -> None:
    """Numbers go where the language wants them."""
    assert say("th", "{n} min walk", n=4) == "เดิน 4 นาที"
    assert say("zh", "{n} min walk", n=4) == "步行4分钟"
