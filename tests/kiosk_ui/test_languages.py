"""A fourth language is columns of the pack, and the screens' words in it."""

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.content import Pack, load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.languages import BROUGHT, HTML_LANGUAGE, INSTEAD, LANGUAGE_NAMES, Borrowed, Words
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import render
from tests.kiosk_ui import packs

OYSTER = {
    "names": {"th": "หอยนางรม", "en": "Oysters", "zh": "牡蛎", "ru": "Устрицы"},
    "text": {"th": "สด", "en": "Fresh", "zh": "新鲜", "ru": "Свежие <b>& живые</b>"},
}
MUSSEL = {"names": {"th": "หอยแมลงภู่", "en": "Green mussels"}}
CRAB = {"names": {"th": "ปูม้า"}}
WORDS = {"Home": "Домой", "{n} min walk": "{n} мин пешком", "rising": "растёт"}


def russian(folder: Path, words: object = WORDS) -> Path:
    """The shipped pack with a fourth language, in which most is missing."""
    entries = {"oyster": OYSTER, "green-mussel": MUSSEL, "blue-crab": CRAB}
    known = {entry.id for entry in packs.shipped().entries}
    changed = {key: row for key, row in entries.items() if key in known}
    files = packs.content(entries=changed, words__ru=words)
    return packs.write(folder, packs.good(bodies=files, languages=["th", "en", "zh", "ru"]))


@pytest.fixture
def pack(tmp_path: Path) -> Pack:
    """That pack."""
    return load_pack(russian(tmp_path))


def bundle(pack: Pack, language: str) -> dict[str, Any]:
    """What a screen in this language is made of."""
    rendered = render(pack, KioskPlace(languages=()))
    url = next(url for url in rendered.files if url.startswith(f"/static/bundle.{language}."))
    found: dict[str, Any] = json.loads(rendered.files[url].body)
    return found


def test_a_pack_with_a_fourth_language_shows_it(pack: Pack) -> None:
    """Names and texts of the pack, the screens' words of the pack, and a button to choose it."""
    found = bundle(pack, "ru")

    assert "Устрицы" in found["screens"]["entry/oyster"]
    assert "Домой" in found["parts"]["bar"]
    assert "Русский" in found["screens"]["attract"]
    assert found["words"]["rising"] == "растёт"
    assert found["html_language"] == "ru"


def test_the_kiosk_may_show_fewer_languages(pack: Pack) -> None:
    """Settings choose among those of the pack, and what it does not have is left out."""
    rendered = render(pack, KioskPlace(languages=("en", "ru", "ja"), start_language="ja"))

    assert rendered.place.languages == ("en", "ru")
    assert rendered.place.start_language == "en"


def test_a_missing_translation_is_english_and_says_so(pack: Pack) -> None:
    """The element has the language in which it is, for the eye and for a voice."""
    screen = bundle(pack, "ru")["screens"]["entry/stone-mortar"]
    name = next(entry for entry in pack.entries if entry.id == "stone-mortar").names["en"]

    assert re.search(rf"<span class=borrowed lang=en>{re.escape(html.escape(name))}</span>", screen)


def test_without_english_it_is_thai(pack: Pack) -> None:
    """What stands in is the first of English and Thai that there is."""
    words = Words({"th": "ปู"})

    found = words["ru"]
    assert isinstance(found, Borrowed)
    assert (str(found), found.language) == ("ปู", "th")
    assert pack.languages == ("th", "en", "zh", "ru")


@pytest.mark.parametrize("language", [*BROUGHT, "ru"])
def test_nothing_is_borrowed_within_a_tag(pack: Pack, language: str) -> None:
    """An attribute cannot say in which language it is, so no borrowed text stands in one."""
    for name, markup in bundle(pack, language)["screens"].items():
        assert re.search(r'="[^"<>]*<span class=borrowed', markup) is None, name


@pytest.mark.parametrize("language", [*BROUGHT, "ru"])
def test_markup_in_a_cell_is_text(pack: Pack, language: str) -> None:
    """What a clerk writes is shown as it is written, and does nothing."""
    markup = bundle(pack, language)["screens"]["entry/oyster"]

    assert "<b>& живые" not in markup
    if language == "ru":
        assert "&lt;b&gt;&amp; живые&lt;/b&gt;" in markup


def test_a_borrowed_text_is_escaped() -> None:
    """The mark is markup, the text is not."""
    assert Borrowed("<script>'\"&", "en").__html__() == (
        "<span class=borrowed lang=en>&lt;script&gt;&#x27;&quot;&amp;</span>"
    )


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"{n} min walk": "мин"}, r"words/ru\.json: '\{n\} min walk': the same \{parts\}"),
        ({"{n} min walk": "{n.__class__}"}, r"the same \{parts\}"),
        ({"{n} min walk": "{n!r:>9}"}, r"the same \{parts\}"),
        ({"{n} min walk": "{n"}, r"words/ru\.json: '\{n\} min walk': "),
        ({"Home": 5}, r"words/ru\.json: 'Home': a text"),
        (["Домой"], r"words/ru\.json: an object is wanted"),
    ],
)
def test_words_that_would_not_fit_are_refused(tmp_path: Path, words: object, message: str) -> None:
    """A translation has the same gaps as the English, and nothing cleverer."""
    with pytest.raises(ContentError, match=message):
        load_pack(russian(tmp_path, words))


def test_a_language_without_its_words_is_refused(tmp_path: Path) -> None:
    """The software brings the words of three languages; a pack must bring those of any other."""
    made = packs.good(languages=["th", "en", "zh", "ru"])

    with pytest.raises(ContentError, match=r"words/ru\.json: missing: wanted for Русский"):
        load_pack(packs.write(tmp_path, made))


def test_every_language_has_a_name_and_a_tag() -> None:
    """The table is whole, and what stands in is brought by the software."""
    assert set(LANGUAGE_NAMES) == set(HTML_LANGUAGE)
    assert set(INSTEAD) <= set(BROUGHT) <= set(LANGUAGE_NAMES)
