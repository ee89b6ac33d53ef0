import hashlib
import io
import json
import os
import random
import zipfile
from pathlib import Path
from typing import Any

import pytest

from kiosk_ui.content import load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import FILES, FILES_MAX, MANIFEST, PACK_BYTES_MAX, SIGNATURES, opened
from tests.kiosk_ui import packs

MUTATIONS = 400
SEED = 20261125


def test_a_file_and_a_folder_say_the_same(tmp_path: Path) -> None:
    """A pack is one zip file or the same unpacked."""
    made = packs.good()
    file = load_pack(packs.write(tmp_path, made))
    folder = load_pack(packs.unfold(tmp_path / "folder", made))

    assert file.entries == folder.entries == packs.shipped().entries
    assert file.version == packs.VERSION
    assert file.digest == folder.digest == hashlib.sha256(made[MANIFEST]).hexdigest()


@pytest.mark.parametrize("form", ["file", "folder"])
@pytest.mark.parametrize(
    ("name", "wrong", "message"),
    [
        ("entries.json", b"", r"entries\.json: damaged: 0 bytes, not \d+"),
        ("sources.json", None, r"sources\.json: missing: the pack has no files/"),
    ],
)
def test_a_file_that_is_not_whole_is_named(
    tmp_path: Path, form: str, name: str, wrong: bytes | None, message: str
) -> None:
    """A file that is cut off or not there is called by its name."""
    made = packs.good()
    member = FILES + json.loads(made[MANIFEST])["files"][name]["sha256"]
    if wrong is None:
        del made[member]
    else:
        made[member] = wrong
    path = packs.write(tmp_path, made) if form == "file" else packs.unfold(tmp_path / "p", made)

    with pytest.raises(ContentError, match=message):
        load_pack(path)


@pytest.mark.parametrize("name", ["entries.json", "pack.json", "levels.json"])
def test_one_flipped_bit_is_found(tmp_path: Path, name: str) -> None:
    """A file whose length is right and whose hash is not."""
    made = packs.good()
    member = FILES + json.loads(made[MANIFEST])["files"][name]["sha256"]
    body = bytearray(made[member])
    body[len(body) // 2] ^= 4
    made[member] = bytes(body)

    with pytest.raises(ContentError, match=rf"{name}: damaged: its hash is"):
        load_pack(packs.write(tmp_path, made))


@pytest.mark.parametrize(
    ("manifest", "message"),
    [
        ({"schema": "angsila-pack/9"}, r"schema: angsila-pack/2 is wanted: 'angsila-pack/9'"),
        ({"id": "../etc"}, r"manifest\.json: id: .*'\.\./etc'"),
        ({"version": 0}, r"version: a whole number from 1 is wanted: '0'"),
        ({"version": True}, r"version: .*'True'"),
        ({"minimum_app": "soon"}, r"minimum_app: .*'soon'"),
        ({"languages": ["th", "xx"]}, r"languages: .*'xx'"),
        ({"languages": ["en"]}, r"languages: .*th among them"),
        ({"languages": ["th", "th"]}, r"languages: each once"),
        ({"made_on": "today"}, r"made_on: .*'today'"),
        ({"files": {"../pack.json": {}}}, r"files: .*'\.\./pack\.json'"),
        ({"files": {"/etc/passwd": {}}}, r"files: .*'/etc/passwd'"),
        ({"files": {"qr/a/../../b.svg": {}}}, r"files: a name"),
        ({"files": {"a.json": {"sha256": "0" * 64, "bytes": -1}}}, r"a\.json: bytes from 0"),
        ({"files": {"a.json": {"sha256": "x", "bytes": 1}}}, r"a\.json: a sha256 in hex"),
        (
            {"files": {"a.opus": {"sha256": "0" * 64, "bytes": PACK_BYTES_MAX + 1}}},
            r"a\.opus: bytes from 0 to",
        ),
        (
            {
                "files": {
                    f"{n}.opus": {"sha256": f"{n:064x}", "bytes": PACK_BYTES_MAX // 2}
                    for n in range(3)
                }
            },
            r"files: at most \d+ bytes in all",
        ),
        (
            {"files": {f"{n}.svg": {"sha256": "0" * 64, "bytes": 1} for n in range(FILES_MAX + 1)}},
            r"files: an object of at most",
        ),
    ],
)
def test_a_wrong_manifest_is_named(tmp_path: Path, manifest: dict[str, Any], message: str) -> None:
    """The error says which field, what is wanted and what is there."""
    with pytest.raises(ContentError, match=message):
        load_pack(packs.write(tmp_path, packs.members(**manifest)))


def test_names_out_of_a_zip_lead_nowhere(tmp_path: Path) -> None:
    """A member that is none of a pack's is refused, wherever it would lead."""
    for name in ("../evil", "/etc/evil", "files/../evil", "files/" + "A" * 64, "files/x\0.svg"):
        path = packs.write(tmp_path, {**packs.good(), name: b"x"})
        with pytest.raises(ContentError, match="no name of a file in a pack"):
            load_pack(path)


def test_a_member_that_is_there_twice_is_refused(tmp_path: Path) -> None:
    """Of two with one name nobody could tell which one was signed."""
    path = packs.write(tmp_path, packs.good())
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr(zipfile.ZipInfo(MANIFEST), b"{}")

    with pytest.raises(ContentError, match=r"manifest\.json: there twice"):
        load_pack(path)


def test_a_bomb_does_not_go_off(tmp_path: Path) -> None:
    """A member that would swell is refused before a byte of it is unpacked."""
    path = tmp_path / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(MANIFEST, packs.good()[MANIFEST])
        archive.writestr(FILES + "0" * 64, bytes(30_000_000))

    with pytest.raises(ContentError, match="members are stored as they are"):
        load_pack(path)


def test_what_nobody_has_named_is_refused(tmp_path: Path) -> None:
    """A file beside those of the manifest was signed by nobody."""
    made = packs.good()
    stray = b"nobody signed this"
    made[FILES + hashlib.sha256(stray).hexdigest()] = stray

    with pytest.raises(ContentError, match="not in the manifest"):
        load_pack(packs.write(tmp_path, made))


@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_folder_holds_plain_files_only(tmp_path: Path, kind: str) -> None:
    """A link may lead out of the pack, and reading a pipe never ends."""
    folder = packs.unfold(tmp_path / "pack", packs.good())
    victim = folder / MANIFEST
    moved = victim.rename(tmp_path / "elsewhere")
    if kind == "link":
        victim.symlink_to(moved)
    else:
        os.mkfifo(victim)

    with pytest.raises(ContentError, match=MANIFEST):
        load_pack(folder)


def test_a_file_that_is_no_pack_is_said_to_be_none(tmp_path: Path) -> None:
    """Nothing, noise, half a pack, and no file at all."""
    whole = packs.zipped(packs.good())
    for body in (b"", b"no zip", whole[: len(whole) // 2]):
        path = tmp_path / "pack.zip"
        path.write_bytes(body)
        with pytest.raises(ContentError, match="not a pack, or cut off"):
            load_pack(path)
    with pytest.raises(ContentError, match="No such file"):
        load_pack(tmp_path / "nowhere.zip")


@pytest.mark.parametrize(
    "text", ["[" * 100_000, '{"a": NaN}', '{"a": 1, "a": 2}', "\ud800", '{"schema": 1e999}', "[]"]
)
def test_a_manifest_that_is_no_json_object_is_refused(tmp_path: Path, text: str) -> None:
    """Depth, numbers that are none, doubled keys, half characters."""
    made = packs.members()
    made[MANIFEST] = text.encode("utf-8", "surrogatepass")

    with pytest.raises(ContentError, match=MANIFEST):
        load_pack(packs.write(tmp_path, made))


def mutated(rng: random.Random, whole: bytes) -> bytes:
    """The pack with something done to its bytes."""
    body = bytearray(whole)
    for _ in range(rng.choice((1, 1, 1, 2, 8))):
        at = rng.randrange(len(body))
        kind = rng.randrange(5)
        if kind == 0:
            body[at] ^= 1 << rng.randrange(8)
        elif kind == 1:
            del body[at : at + rng.randrange(1, 4000)]
        elif kind == 2:
            body[at:at] = rng.randbytes(rng.randrange(1, 64))
        elif kind == 3:
            length = rng.randrange(1, 600)
            other = rng.randrange(len(body))
            body[at : at + length] = body[other : other + length]
        else:
            body[at : at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", b"../.", b"PK\1\2"))
    return bytes(body)


def test_whatever_is_done_to_a_pack_is_found(tmp_path: Path) -> None:
    """Of hundreds of damaged packs none is taken for another one, and none does harm.

    A few changes hit what no reader looks at, such as a date of the zip: then the pack is, byte
    by byte, the one that was signed.
    """
    made = packs.good(bodies={"pack.json": b"{}", "qr/a.svg": b"<svg/>" * 200})
    whole = packs.zipped(made)
    rng = random.Random(SEED)  # noqa: S311 # chance from a seed
    path = tmp_path / "pack.zip"
    untouched = 0
    for number in range(MUTATIONS):
        path.write_bytes(mutated(rng, whole))
        try:
            with opened(path) as envelope:
                assert envelope.manifest.raw == made[MANIFEST], number
                assert envelope.file("qr/a.svg") == b"<svg/>" * 200, number
                assert envelope.signatures in (made[SIGNATURES], None), number
                untouched += 1
        except ContentError:
            continue
    assert untouched < MUTATIONS / 3


def test_a_changed_zip_that_is_whole_is_read_whole(tmp_path: Path) -> None:
    """Words before the zip and a comment behind it change nothing of the pack."""
    made = packs.good()
    body = io.BytesIO(packs.zipped(made))
    with zipfile.ZipFile(body, "a") as archive:
        archive.comment = b"from the clerk"
    path = tmp_path / "pack.zip"
    path.write_bytes(b"words" + body.getvalue())

    assert load_pack(path).digest == hashlib.sha256(made[MANIFEST]).hexdigest()
