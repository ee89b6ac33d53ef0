"""Keys of the people who answer for a pack, and their signatures on it."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

from kiosk_ui.errors import ContentError
from kiosk_ui.pack_build import canonical, write_pack
from kiosk_ui.pack_file import (
    MANIFEST,
    SIGNATURES,
    SIGNATURES_MAX,
    SIGNED_AS,
    Envelope,
    opened,
    read_json,
)
from sync.identity import IdentityError, Key, PublicKey, read_key
from sync.signature import SignatureError

if TYPE_CHECKING:
    from pathlib import Path

_HEX = re.compile(r"[0-9a-f]{2,128}")


class Signer(NamedTuple):
    """Whose signature is on a pack, and whether it is one."""

    public: str  # The public key, as hex.
    good: bool


def make_key(path: Path) -> str:
    """Write a new key that only its owner can read; return its public half as hex."""
    made = Key()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(made.pem())
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        raise ContentError(f"{path} is there already, and a key is never overwritten") from None
    except OSError as error:
        raise ContentError(f"{path} cannot be written: {error.strerror}") from None
    return made.public.raw.hex()


def load_key(path: Path) -> Key:
    """Read such a key. Raises `ContentError`."""
    try:
        found = read_key(path)
    except IdentityError:
        found = None
    if found is None:
        raise ContentError(f"{path} is no key: `angsila pack key` makes one")
    return found


def sign(path: Path, key: Key) -> list[Signer]:
    """Add one signature to a pack file; return all there are. Raises `ContentError`."""
    if path.is_dir():
        raise ContentError(f"{path} is a folder: a pack file is signed, as `pack build` makes it")
    with opened(path) as envelope:
        members = members_of(envelope)
        found = signatures_of(envelope)
        signers = signers_of(envelope)
    damaged = [one.public for one in signers if not one.good]
    if damaged:
        raise ContentError(f"{path}: the signature of key {damaged[0][:16]}… is not of this pack")
    public = key.public.raw.hex()
    if public in found:
        raise ContentError(f"{path}: key {public[:16]}… has signed it already; another person must")
    if len(found) >= SIGNATURES_MAX:
        raise ContentError(f"{path}: {SIGNATURES_MAX} signatures are the most there can be")
    found[public] = key.sign(SIGNED_AS + members[MANIFEST]).hex()
    write_pack(path, {**members, SIGNATURES: canonical(found)})
    return [*signers, Signer(public, good=True)]


def members_of(envelope: Envelope) -> dict[str, bytes]:
    """Manifest and files of a pack, without its signatures."""
    manifest = envelope.manifest
    files = {named.member: envelope.file(name) for name, named in manifest.files.items()}
    return {MANIFEST: manifest.raw, **files}


def signatures_of(envelope: Envelope) -> dict[str, str]:
    """Public key and signature, as hex. Raises `ContentError`."""
    if envelope.signatures is None:
        return {}
    found = read_json(SIGNATURES, envelope.signatures)
    if not isinstance(found, dict) or len(found) > SIGNATURES_MAX:
        raise ContentError(f"{SIGNATURES}: at most {SIGNATURES_MAX} keys with their signatures")
    for key, made in found.items():
        if not isinstance(made, str) or not _HEX.fullmatch(made) or not _HEX.fullmatch(key):
            raise ContentError(f"{SIGNATURES}: a key and a signature in hex: {key[:40]!r}")
    return dict(found)


def signers_of(envelope: Envelope) -> list[Signer]:
    """Who has signed, and whether the signature is of this very pack."""
    return [
        Signer(public, _fits(public, made, envelope.manifest.raw))
        for public, made in sorted(signatures_of(envelope).items())
    ]


def _fits(public: str, made: str, manifest: bytes) -> bool:
    try:
        PublicKey(bytes.fromhex(public)).verify(bytes.fromhex(made), SIGNED_AS + manifest)
    except (SignatureError, ValueError):
        return False
    return True
