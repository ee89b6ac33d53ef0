"""Which drawing of the sprite stands for an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from kiosk_ui.content import Entry

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


def icon_of(entry: Entry) -> str:
    """The drawing that stands for an entry."""
    return ENTRY_ICONS.get(entry.id, KIND_ICONS[entry.kind])
