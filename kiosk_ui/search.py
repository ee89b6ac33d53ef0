"""The index of the search: what can be found, by which names, in one language's screens."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kiosk_ui.content import KINDS, way_m
from kiosk_ui.drawings import icon_of
from kiosk_ui.search_fold import SIMPLIFIED, TRADITIONAL, fold
from kiosk_ui.search_words import SEPARATOR, STOP, TAGS, TOPICS, WAYS
from kiosk_ui.stalls import read_stalls
from kiosk_ui.tiles import FIRST_NUMBERS, shown_entries

if TYPE_CHECKING:
    from collections.abc import Iterable

    from kiosk_ui.content import Entry
    from kiosk_ui.screens import Screens

TARGETS_MAX = 1500  # The page looks at each of them while a person types.
WORDS_MAX = 150  # Names of one target, of each rank.

# A Chinese word with its reading behind it, as people type it: "生蚝 sheng hao".
_READ = re.compile(r"([\u3400-\u9fff]+) ([a-zü ]+)")


def index(one: Screens) -> dict[str, Any]:
    """Targets, nearest first, and what the page needs to read a query as we read the names.

    A target is the screen it leads to, its drawing, title and note, and three ranks of folded
    words: its names, what else it is called, and what it belongs to; last what is said of it.
    """
    targets = [*_entries(one), *_ways(one), *_topics(one), *_stalls(one)]
    return {
        "search": [target for target in targets if target[0] in one.known][:TARGETS_MAX],
        "searchStop": _folded(STOP.split(SEPARATOR)),
        "searchSimple": [TRADITIONAL, SIMPLIFIED],
        "searchRead": _readings(one) if one.language == "zh" else {},
    }


def _readings(one: Screens) -> dict[str, str]:
    """Typed reading -> Chinese word, for a keyboard that has no other Chinese."""
    aliases = (word for words in one.pack.aliases.values() for word in words.get("zh", ()))
    found = (_READ.fullmatch(word) for word in aliases)
    return {fold(read[2]).replace(" ", ""): read[1] for read in found if read}


def _parted(word: str) -> tuple[str, ...]:
    """A word; with its reading it is two."""
    read = _READ.fullmatch(word)
    return (word,) if read is None else (read[1], read[2])


def _entries(one: Screens) -> list[list[str]]:
    entries = shown_entries(one.pack, *KINDS)
    way = {entry.id: way_m(entry, one.place.position) for entry in entries}
    near = sorted(entries, key=lambda entry: (way[entry.id] is None, way[entry.id] or 0.0))
    return [_entry(one, entry, way[entry.id]) for entry in near]


def _entry(one: Screens, entry: Entry, way: float | None) -> list[str]:
    # The first numbers have no screen of their own: the one with all of them is a tap away.
    first = entry.phone in FIRST_NUMBERS
    aliases = one.pack.aliases.get(entry.id, {})
    called = [part for words in aliases.values() for word in words for part in _parted(word)]
    tagged = [word for tag in entry.tags for word in (tag, *TAGS.get(tag, "").split(SEPARATOR))]
    short = entry.short or entry.names
    return [
        "sos" if first else f"entry/{entry.id}",
        icon_of(entry),
        entry.card_name(one.language),
        (entry.phone or "") if first else one.way(way),
        _folded([*short.values(), *entry.names.values()]),
        _folded([*called, entry.phone or ""]),
        _folded(tagged),
        fold(entry.text[one.language]),
    ]


def _ways(one: Screens) -> list[list[str]]:
    return [
        [way.go, way.icon, title := one.say(way.name), "", _folded([title]), *_rest(way.words)]
        for way in WAYS
    ]


def _topics(one: Screens) -> list[list[str]]:
    return [
        [
            f"ask/{topic.id}",
            topic.icon,
            (title := one.say(topic.name)),
            one.say("Please ask"),
            _folded([title]),
            *_rest(topic.words),
        ]
        for topic in TOPICS
    ]


def _stalls(one: Screens) -> list[list[str]]:
    return [
        [
            stall.door,
            "shops",
            stall.names[one.language],
            (note := one.say("Stall {n}", n=stall.number)),
            _folded([*stall.names.values(), stall.number, note]),
            _folded(name for good in stall.goods for name in good.names.values()),
            "",
            "",
        ]
        for stall in read_stalls(one.pack)
    ]


def _rest(words: str) -> list[str]:
    return [_folded(words.split(SEPARATOR)), "", ""]


def _folded(words: Iterable[str]) -> str:
    """Folded, each once, as one text."""
    folded = dict.fromkeys(fold(word) for word in words)
    return SEPARATOR.join([word for word in folded if word][:WORDS_MAX])
