"""Every screen in every language, rendered once at start: one bundle of fragments each."""

from __future__ import annotations

import re
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from kiosk_ui.content import walk_min, way_m
from kiosk_ui.i18n import HTML_LANGUAGE, LANGUAGE_NAMES, say, say_date

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from kiosk_ui.content import Entry, Hours, Pack
    from kiosk_ui.place import KioskPlace

TEMPLATES = Path(__file__).parent / "templates"

# The town's name is two words to a browser's dictionary, and a line would end within it. A
# word joiner has no glyph and no width.
TOWN = "อ่างศิลา"
TOWN_WHOLE = "อ่าง\N{WORD JOINER}ศิลา"


class Tile(NamedTuple):
    """One way on from the home screen. `kinds` is what its list shows."""

    go: str
    icon: str
    name: str
    note: str
    kinds: tuple[str, ...] = ()


class Quantity(NamedTuple):
    """A measured quantity that a visitor understands, and how it is shown."""

    name: str
    words: str
    icon: str
    decimals: int


TILES = (
    Tile("list/eat", "oyster", "Eat & buy", "Oysters, crab, stone mortars", ("product",)),
    Tile("list/see", "shrine", "See", "Shrines, old market, beaches", ("place",)),
    Tile("today", "today", "Today", "Tide, heat and air"),
    Tile("list/around", "songthaew", "Transport", "Songthaew, bus, train, car", ("transport",)),
    Tile("list/stories", "book", "Stories", "History and festivals", ("history", "event")),
    Tile(
        "list/city",
        "townhall",
        "The city",
        "Services and plans",
        ("service", "emergency", "smartcity", "invest"),
    ),
)

QUANTITIES = (
    Quantity("air_temperature", "Air", "heat", 1),
    Quantity("relative_humidity", "Humidity", "drop", 0),
    Quantity("water_temperature", "Sea water", "wave", 1),
    Quantity("water_level", "Water level", "wave", 2),
    Quantity("wind_speed", "Wind", "air", 1),
    Quantity("sound_level", "Noise", "sound", 0),
    Quantity("people", "Visitors", "people", 0),
    Quantity("pressure", "Pressure", "gauge", 0),
    Quantity("rain", "Rain", "drop", 1),
    Quantity("cpu_temperature", "Kiosk heat", "chip", 0),
    Quantity("load_1m", "Kiosk load", "chip", 1),
    Quantity("memory_used", "Kiosk memory", "chip", 0),
)

# A drawing for one entry; where none is named, the one of its kind.
ENTRY_ICONS = {
    "old-market": "shops",
    "fishing-pier-market": "pier",
    "nacha-shrine": "shrine",
    "tuek-maharaj": "hall",
    "tuek-rachini": "hall",
    "stone-basins": "basin",
    "wat-ang-sila": "temple",
    "mortar-street": "mortar",
    "pun-thao-kong": "shrine",
    "khao-sam-muk": "monkey",
    "chao-mae-sam-muk": "shrine",
    "laem-thaen": "cape",
    "bang-saen-beach": "beach",
    "wonnapha-beach": "beach",
    "bangsaen-aquarium": "fish",
    "wat-saen-suk": "temple",
    "nong-mon-market": "shops",
    "mangrove-centre": "mangrove",
    "chonlamak-bridge": "bridge",
    "phutthasihing-hall": "temple",
    "oyster-mussel-farms": "oyster",
    "stone-mortar": "mortar",
    "stone-carving": "lion",
    "angsila-cloth": "cloth",
    "oyster": "oyster",
    "mussel": "mussel",
    "blue-crab": "crab",
    "squid-dried": "squid",
    "shrimp-paste": "jar",
    "hoi-cho": "rolls",
    "ho-mok": "leaf",
    "chaeng-lon": "skewer",
    "khanom-chak": "leaf",
    "khao-lam": "bamboo",
    "basketry": "basket",
    "masons": "mortar",
    "municipality-timeline": "townhall",
    "slogan": "shrine",
    "songkran-sand-pagoda": "sandpagoda",
    "gong-khao": "rice",
    "wan-lai-bang-saen": "sandpagoda",
    "chonburi-songkran-fair": "temple",
    "khao-phansa-candles": "candle",
    "from-bangkok": "bus",
    "songthaew": "songthaew",
    "rail": "train",
    "by-car": "car",
    "police": "shield",
    "ambulance": "ambulance",
    "fire": "flame",
    "tourist-police": "shield",
    "tourist-police-app": "phone",
    "municipality": "townhall",
    "status": "town",
    "domain-environment": "tree",
    "domain-mobility": "bus",
    "domain-living": "people",
    "domain-people": "book",
    "domain-energy": "bolt",
    "domain-economy": "coin",
    "domain-governance": "townhall",
    "eec": "coin",
    "eec-digital-plan": "chip",
    "local-strengths": "cloth",
}
KIND_ICONS = {
    "place": "pin",
    "product": "basket",
    "history": "book",
    "event": "candle",
    "transport": "bus",
    "service": "phone",
    "emergency": "phone",
    "smartcity": "town",
    "invest": "coin",
}

# The four that a person in need looks for first; others follow on the same screen.
FIRST_NUMBERS = ("191", "1669", "199", "1155")
# An entry that may be shown only while the pack's flag of that name is on.
FLAGGED = {"traffy-fondue": "traffy_fondue"}
# Sources that give a position and nothing else are no source of the text.
POSITION_SOURCES = ("poi-coords", "osm-bangsaen", "rachini-gps")

# Who is to be shown the Thai name.
THAI_FOR = {
    "place": "Show this to a driver",
    "service": "Show this to a driver",
    "transport": "Show this to a driver",
    "product": "Show this to a seller",
}
THAI_MAX = 30
# Characters from which a title takes the smaller, and the smallest size.
TITLE_LONG = {"th": (20, 40), "en": (20, 45), "zh": (10, 30)}

# What the page's own script has to say, by the name it uses.
SCRIPT_WORDS = {
    "rising": "rising",
    "falling": "falling",
    "slack": "slack",
    "high": "high",
    "low": "low",
    "estimate": "estimate",
    "simulated": "simulated",
    "justNow": "just now",
    "minAgo": "{n} min ago",
    "noData": "no data",
    "clockNotSet": "Clock not set",
    "tideMissing": "The clock is not set, so no tide is shown.",
    "sensorSilent": "sensor silent",
    "backIn": "Back to the start in {n} s",
    "now": "now",
    "metre": "m",
    "perMinute": "per min",
}
HEAT_ADVICE = (
    "Enjoy your walk, and drink water.",
    "Drink water and rest in the shade.",
    "Avoid the midday sun and drink often.",
    "Stay in the shade: heat stroke is a danger.",
    "Go indoors now. If you feel ill, call 1669.",
)


def shown_entries(pack: Pack, *kinds: str) -> tuple[Entry, ...]:
    """Entries of these kinds that the pack's flags allow."""
    return tuple(
        entry
        for entry in pack.of_kind(*kinds)
        if entry.id not in FLAGGED or pack.flags.get(FLAGGED[entry.id], False)
    )


def listed(pack: Pack, tile: Tile) -> tuple[Entry, ...]:
    """What a tile's list shows; the first emergency numbers stand on their own screen."""
    return tuple(
        entry for entry in shown_entries(pack, *tile.kinds) if entry.phone not in FIRST_NUMBERS
    )


def render_bundle(
    pack: Pack, place: KioskPlace, language: str, asset: Callable[[str], str]
) -> dict[str, Any]:
    """All screens of one language, with the words its script needs."""
    return _Screens(pack, place, language, asset).bundle()


def render_index(
    place: KioskPlace,
    attract: str,
    asset: Callable[[str], str],
    bundles: Mapping[str, str],
    release: str,
) -> str:
    """The one page: an empty frame round the first screen."""
    language = place.start_language
    template = _environment().get_template("index.html")
    return template.render(
        _=partial(say, language),
        asset=asset,
        place=place,
        language=language,
        html_language=HTML_LANGUAGE[language],
        bundles=" ".join(f"{code}={url}" for code, url in bundles.items()),
        languages=" ".join(place.languages),
        attract=attract,
        release=release,
    )


def icon_of(entry: Entry) -> str:
    """The drawing that stands for an entry."""
    return ENTRY_ICONS.get(entry.id, KIND_ICONS[entry.kind])


@cache
def _environment() -> Environment:
    """All languages share the compiled templates: compiling them is most of the work."""
    return Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=select_autoescape(("html", "svg")),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _says(hours: Hours | None, phone: str | None) -> bool:
    """Whether the hours already tell to call that number."""
    if hours is None or phone is None:
        return False
    digits = re.sub(r"\D", "", hours.text["en"])
    return re.sub(r"\D", "", phone) in digits


class _Screens:
    """One language's screens."""

    def __init__(
        self, pack: Pack, place: KioskPlace, language: str, asset: Callable[[str], str]
    ) -> None:
        self.pack = pack
        self.place = place
        self.language = language
        self.common: dict[str, Any] = {
            "_": self._say,
            "asset": asset,
            "language": language,
            "languages": place.languages,
            "language_names": LANGUAGE_NAMES,
            "html_languages": HTML_LANGUAGE,
            "tiles": TILES,
            "quantities": QUANTITIES,
            "here": place.names[language],
        }

    def bundle(self) -> dict[str, Any]:
        lists = [tile for tile in TILES if tile.kinds]
        entries = [e for tile in lists for e in listed(self.pack, tile)]
        return {
            "language": self.language,
            "html_language": HTML_LANGUAGE[self.language],
            "parts": {name: self._render(f"{name}.html") for name in ("bar", "pager", "asking")},
            "screens": {
                "attract": self._render("attract.html"),
                "home": self._render("home.html"),
                "today": self._render("today.html"),
                "sos": self._sos(),
                **{tile.go: self._list(tile) for tile in lists},
                **{f"entry/{entry.id}": self._entry(entry) for entry in entries},
            },
            "words": self._script_words(),
        }

    def _render(self, template: str, **values: Any) -> str:
        markup = _environment().get_template(template).render(self.common, **values)
        return markup.replace(TOWN, TOWN_WHOLE)

    def _say(self, words: str, **parts: object) -> str:
        return say(self.language, words, **parts)

    def _script_words(self) -> dict[str, Any]:
        levels = [label[self.language] for _, label in self.pack.heat_index]
        return {
            **{key: self._say(words) for key, words in SCRIPT_WORDS.items()},
            "heat": [self._say("Normal"), *levels],
            "heatAdvice": [self._say(words) for words in HEAT_ADVICE],
            "pm": [band.label[self.language] for band in self.pack.pm2_5],
        }

    def _list(self, tile: Tile) -> str:
        entries = listed(self.pack, tile)
        way = {entry.id: way_m(entry, self.place.position) for entry in entries}
        near_first = sorted(
            entries, key=lambda entry: (way[entry.id] is None, way[entry.id] or 0.0)
        )
        cards = [
            {
                "id": entry.id,
                "icon": icon_of(entry),
                "name": entry.card_name(self.language),
                "note": self._way(way[entry.id]),
            }
            for entry in near_first
        ]
        return self._render("list.html", tile=tile, cards=cards)

    def _way(self, way: float | None) -> str:
        """How far it is, or nothing where nobody knows."""
        if way is None:
            return ""
        minutes = walk_min(way)
        if minutes is None:
            return self._say("{n} km away", n=f"{way / 1000:.0f}")
        return self._say("{n} min walk", n=minutes)

    def _entry(self, entry: Entry) -> str:
        name = entry.names[self.language]
        return self._render(
            "entry.html",
            name=name,
            title_size=self._title_size(name),
            thai=self._thai(entry),
            thai_for=self._say(THAI_FOR.get(entry.kind, "In Thai")),
            text=entry.text[self.language],
            icon_name=icon_of(entry),
            way=self._way(way_m(entry, self.place.position)),
            hours=self._hours(entry),
            phone=None if _says(entry.hours, entry.phone) else entry.phone,
            website=entry.website,
            checked=self._say("Checked {date}", date=say_date(self.language, entry.checked_on)),
            source=self._source(entry),
            unsure=entry.confidence != "high",
        )

    def _thai(self, entry: Entry) -> str:
        """The Thai name; where it is very long, the short one, which people there use."""
        name = entry.names["th"]
        return name if len(name) <= THAI_MAX else entry.card_name("th")

    def _title_size(self, name: str) -> str:
        long, longer = TITLE_LONG[self.language]
        return "longer" if len(name) > longer else "long" if len(name) > long else ""

    def _hours(self, entry: Entry) -> str:
        """Opening hours; "ask" where they are unknown, nothing where there can be none."""
        if entry.hours is not None:
            return entry.hours.text[self.language]
        if entry.has_date is False:
            return self._say("Set each year, please ask")
        return self._say("Please ask") if entry.kind in ("place", "service") else ""

    def _source(self, entry: Entry) -> str:
        texts = [key for key in entry.sources if key not in POSITION_SOURCES]
        return self.pack.sources[(texts or list(entry.sources))[0]].label

    def _sos(self) -> str:
        cards = [
            {
                "phone": entry.phone,
                "name": entry.card_name(self.language),
                "icon": icon_of(entry),
            }
            for entry in shown_entries(self.pack, "emergency")
        ]
        first = [card for number in FIRST_NUMBERS for card in cards if card["phone"] == number]
        names, position = self.place.names, self.place.position
        return self._render(
            "sos.html",
            first=first,
            here_th=f"ฉันอยู่ที่ {names['th']} ต.อ่างศิลา อ.เมือง จ.ชลบุรี",
            here_en=f"I am at {names['en']}, Ang Sila, Mueang Chonburi.",
            position=None if position is None else f"{position[0]:.5f} N  {position[1]:.5f} E",
        )
