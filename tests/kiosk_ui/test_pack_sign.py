import stat
from pathlib import Path

import pytest

from kiosk_ui.errors import ContentError
from kiosk_ui.pack_build import build, canonical, write_pack
from kiosk_ui.pack_file import SIGNATURES, opened
from kiosk_ui.pack_sign import load_key, make_key, sign, signatures_of, signers_of
from kiosk_ui.pack_store import Rules, must_be_signed
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK
from sync.identity import Key


@pytest.fixture
def pack(tmp_path: Path) -> Path:
    """An unsigned pack."""
    path = tmp_path / "angsila.pack"
    write_pack(path, build(DEFAULT_WORKBOOK).members)
    return path


def test_a_key_is_its_owners_alone(tmp_path: Path) -> None:
    """The file is closed to others, holds what was printed, and is never overwritten."""
    path = tmp_path / "clerk.key"
    public = make_key(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_key(path).public.raw.hex() == public
    with pytest.raises(ContentError, match=r"clerk\.key is there already"):
        make_key(path)


def test_two_people_make_a_pack_that_a_kiosk_takes(tmp_path: Path, pack: Path) -> None:
    """One signature is not enough; the second does not change what is signed."""
    keys = [make_key(tmp_path / name) for name in ("clerk.key", "mayor.key")]
    rules = Rules(trusted_keys=tuple(keys))
    with opened(pack) as envelope:
        manifest = envelope.manifest.raw

    sign(pack, load_key(tmp_path / "clerk.key"))
    with opened(pack) as envelope, pytest.raises(ContentError):
        must_be_signed(envelope, rules)
    signers = sign(pack, load_key(tmp_path / "mayor.key"))
    with opened(pack) as envelope:
        must_be_signed(envelope, rules)
        assert envelope.manifest.raw == manifest

    assert {signer.public for signer in signers} == set(keys)


def test_nobody_signs_twice(pack: Path) -> None:
    """The same key again would look like two people who agree."""
    key = Key()
    sign(pack, key)
    before = pack.read_bytes()

    with pytest.raises(ContentError, match="has signed it already; another person must"):
        sign(pack, key)

    assert pack.read_bytes() == before


def test_a_signature_of_another_pack_is_seen(tmp_path: Path, pack: Path) -> None:
    """Signatures that were copied from another edition are not added to."""
    members = build(DEFAULT_WORKBOOK).members
    key = Key()
    stolen = {key.public.raw.hex(): key.sign(b"something else").hex()}
    write_pack(pack, {**members, SIGNATURES: canonical(stolen)})

    with opened(pack) as envelope:
        assert [signer.good for signer in signers_of(envelope)] == [False]
    with pytest.raises(ContentError, match="is not of this pack"):
        sign(pack, Key())
    with pytest.raises(ContentError, match="is a folder"):
        sign(tmp_path, key)


@pytest.mark.parametrize(
    "signatures", [b"[]", b"{", b'{"xyz":"00"}', b'{"00":1}', canonical({"ab" * 64: "ab" * 200})]
)
def test_signatures_that_are_none_are_refused(pack: Path, signatures: bytes) -> None:
    """Nothing is signed on top of them."""
    write_pack(pack, {**build(DEFAULT_WORKBOOK).members, SIGNATURES: signatures})

    with pytest.raises(ContentError, match=r"signatures\.json"):
        sign(pack, Key())


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    """Neither a missing file nor another one."""
    (tmp_path / "text").write_text("hello")

    for name in ("text", "none"):
        with pytest.raises(ContentError, match=rf"{name} is no key: `angsila pack key` makes one"):
            load_key(tmp_path / name)


def test_the_manifest_is_what_is_signed(pack: Path) -> None:
    """Detached, with words before it that belong to packs alone."""
    key = Key()
    sign(pack, key)
    with opened(pack) as envelope:
        made = signatures_of(envelope)[key.public.raw.hex()]
        key.public.verify(bytes.fromhex(made), b"angsila-pack/2\n" + envelope.manifest.raw)
