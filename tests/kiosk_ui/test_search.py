from typing import Any

import pytest

from kiosk_ui.assets import Assets
from kiosk_ui.content import load_pack
from kiosk_ui.languages import BROUGHT
from kiosk_ui.pages import render_bundle
from kiosk_ui.place import KioskPlace
from kiosk_ui.search_fold import fold
from kiosk_ui.search_words import SEPARATOR, TAGS, TOPICS, WAYS

PLACE = KioskPlace(latitude=13.341, longitude=100.925)


@pytest.fixture(scope="module", params=BROUGHT)
def bundle(request: pytest.FixtureRequest) -> dict[str, Any]:
    """One language of the shipped pack."""
    return render_bundle(load_pack(), PLACE, request.param, Assets().url)


def test_every_target_leads_to_a_screen(bundle: dict[str, Any]) -> None:
    """Nothing that can be found is a dead end, and no title is empty."""
    for go, icon, title, *_ in bundle["extras"]["search"]:
        assert go in bundle["screens"], title
        assert icon
        assert title


def test_every_shown_entry_is_found_by_its_name(bundle: dict[str, Any]) -> None:
    """Each entry's screen is a target, under its names of all languages."""
    targets = {target[0]: target for target in bundle["extras"]["search"]}
    for entry in load_pack().entries:
        if f"entry/{entry.id}" in bundle["screens"]:
            names = targets[f"entry/{entry.id}"][4].split(SEPARATOR)
            assert {fold(name) for name in entry.names.values()} <= set(names)


def test_words_in_the_index_are_folded(bundle: dict[str, Any]) -> None:
    """The page compares what is typed without folding the index again."""
    for target in bundle["extras"]["search"]:
        for words in target[4:]:
            assert all(fold(word) == word for word in words.split(SEPARATOR))


def test_chips_are_targets(bundle: dict[str, Any]) -> None:
    """What is offered before anything is typed can be tapped."""
    chips = bundle["extras"]["searchChips"]

    assert 4 <= len(chips) <= 8
    assert {chip[0] for chip in chips} <= set(bundle["screens"])


def test_a_reading_gives_its_chinese_word() -> None:
    """An alias with its reading behind it serves the keyboard of Latin letters."""
    extras = render_bundle(load_pack(), PLACE, "zh", Assets().url)["extras"]

    assert extras["searchRead"]["shenghao"] == "生蚝"


def test_the_packs_tags_have_words() -> None:
    """Whatever bears a tag can be found by people's words for it."""
    assert {tag for entry in load_pack().entries for tag in entry.tags} <= set(TAGS)


def test_no_word_of_ours_is_listed_twice() -> None:
    """A topic's words are each said once."""
    for topic in (*TOPICS, *WAYS):
        words = topic.words.split(SEPARATOR)
        assert len(set(words)) == len(words), topic.name
        assert all(words), topic.name
