"""Packs that are signed and whole, and wrong all the same: the content itself, mutated."""

import json
import random
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.content import Pack, load_pack, read_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import opened
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import render
from tests.kiosk_ui import packs

MUTATIONS = 300
RENDERED = 4  # Of those that are still good; each takes a second or two.
SEED = 7
VALUES: tuple[Any, ...] = (
    None,
    "",
    " ",
    0,
    -1,
    1e308,
    True,
    [],
    {},
    [[]],
    {"th": "x"},
    "x" * 5000,
    "<script>alert(1)</script>",
    "\u202etxet",
    "\ud800",
    "\0",
    "../../etc/passwd",
    {"th": "ก", "en": "a", "zh": "中"},
    {"lat": "north"},
    "2026-02-30",
    "{n.__class__}",
    9**400,
)


def spots(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a JSON value."""
    found = [path] if path else []
    keys: list[Any] = []
    if isinstance(value, dict | list):
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
    for key in keys:
        found += spots(value[key], (*path, key))
    return found


def mutate(rng: random.Random, value: Any) -> Any:
    """The same with something else in one place, or nothing there."""
    made = json.loads(json.dumps(value))
    *way, last = rng.choice(spots(made))
    holder = made
    for key in way:
        holder = holder[key]
    if rng.random() < 0.25:
        del holder[last]
    else:
        holder[last] = rng.choice(VALUES)
    return made


def loaded(path: Path) -> Pack | None:
    """The pack, or None where it is refused."""
    try:
        with opened(path) as envelope:
            return read_pack(envelope.held())
    except ContentError:
        return None


def bundle_of(pack: Pack) -> bytes:
    """Its screens in Thai; nothing where they cannot be made."""
    try:
        rendered = render(pack, KioskPlace(languages=("th",)))
    except ContentError:
        return b""
    return next(one.body for url, one in rendered.files.items() if "bundle" in url)


def test_wrong_content_is_an_error_and_never_a_crash(tmp_path: Path) -> None:
    """Whatever a signed pack says, it is shown as it is or refused in words."""
    rng = random.Random(SEED)  # noqa: S311 # chance from a seed
    original = {name: body for name, body in packs.content().items() if name.endswith(".json")}
    bodies = {name: json.loads(body) for name, body in original.items()}
    bodies["entries.json"] = bodies["entries.json"][:6]
    refused, shown = 0, []
    for number in range(MUTATIONS):
        name = rng.choice(sorted(bodies))
        if not spots(bodies[name]):
            continue
        changed = {**bodies, name: mutate(rng, bodies[name])}
        files = {
            key: json.dumps(value, ensure_ascii=rng.random() < 0.5).encode("utf-8", "surrogatepass")
            for key, value in changed.items()
        }
        path = packs.write(tmp_path, packs.good(bodies=files))
        pack = loaded(path)
        if pack is None:
            refused += 1
        else:
            shown.append((number, pack))
    assert refused > MUTATIONS / 3
    for number, pack in rng.sample(shown, RENDERED):
        assert b"<script>alert" not in bundle_of(pack), number


@pytest.mark.parametrize(
    ("letter", "name"), [("\u202e", "U+202E"), ("\0", "U+0000"), ("\ud800", "U+D800")]
)
def test_letters_that_nobody_sees_are_refused(tmp_path: Path, letter: str, name: str) -> None:
    """What turns the direction of a text, ends it or is half a character has no place in it."""
    text = {"th": f"ก{letter}ข", "en": "a", "zh": "中"}
    files = packs.content(entries={"oyster": {"text": text}})

    with pytest.raises(ContentError, match=rf"oyster: text\.th: .*{name.replace('+', '.')}"):
        load_pack(packs.write(tmp_path, packs.good(bodies=files)))


def test_levels_are_the_authorities_word(tmp_path: Path) -> None:
    """A pack names the levels of heat and dust; where they begin is not for it to say."""
    levels = json.loads(packs.content()["levels.json"])
    levels["pm2_5"]["bands"][0]["upto"] = 99

    with pytest.raises(ContentError, match=r"levels\.json: pm2_5: upto: .*99"):
        load_pack(packs.write(tmp_path, packs.good(bodies=packs.content(levels=levels))))
