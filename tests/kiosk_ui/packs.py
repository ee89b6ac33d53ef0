"""Packs for tests: the shipped content as a signed pack, and what can be done to one."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from kiosk_ui.content import DEFAULT_PACK, load_pack
from kiosk_ui.pack_file import FILES, MANIFEST, SCHEMA, SIGNATURES, SIGNED_AS
from kiosk_ui.pack_store import Rules
from sync.identity import Key

if TYPE_CHECKING:
    from pathlib import Path

    from kiosk_ui.content import Pack

Members = dict[str, bytes]

CLERK, MAYOR, STRANGER = (
    Key(Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)) for number in (1, 2, 3)
)
RULES = Rules(trusted_keys=(CLERK.public.raw.hex(), MAYOR.public.raw.hex()))
VERSION = 100  # Newer than what is shipped.


def shipped() -> Pack:
    """The pack that came with the program."""
    return load_pack(DEFAULT_PACK)


def content(**changes: Any) -> dict[str, bytes]:
    """The files of the shipped pack by their logical names; a change of None takes one away.

    A change of "entries" is for the rows: entry -> the fields that are other.
    """
    envelope = shipped().envelope
    files = {name: envelope.file(name) for name in envelope.names()}
    for entry, fields in changes.pop("entries", {}).items():
        rows = json.loads(files["entries.json"])
        next(row for row in rows if row["id"] == entry).update(fields)
        files["entries.json"] = json.dumps(rows).encode()
    for name, value in changes.items():
        file = name.replace("__", "/") + ".json"
        files[file] = json.dumps(value, ensure_ascii=False).encode()
    return files


def members(bodies: dict[str, bytes] | None = None, **manifest: Any) -> Members:
    """An unsigned pack of these files."""
    bodies = content() if bodies is None else bodies
    said = {
        "schema": SCHEMA,
        "id": "angsila",
        "version": VERSION,
        "minimum_app": "0.1",
        "languages": ["th", "en", "zh"],
        "made_on": "2026-11-25",
        "files": {
            name: {"sha256": hashlib.sha256(body).hexdigest(), "bytes": len(body)}
            for name, body in bodies.items()
        },
        **manifest,
    }
    made = {FILES + hashlib.sha256(body).hexdigest(): body for body in bodies.values()}
    return {MANIFEST: json.dumps(said, sort_keys=True).encode(), **made}


def signed(made: Members, *keys: Key) -> Members:
    """The same with the signatures of these people; of both, where nobody is named."""
    signatures = {
        key.public.raw.hex(): key.sign(SIGNED_AS + made[MANIFEST]).hex()
        for key in keys or (CLERK, MAYOR)
    }
    return {**made, SIGNATURES: json.dumps(signatures).encode()}


def good(
    version: int = VERSION, bodies: dict[str, bytes] | None = None, **manifest: Any
) -> Members:
    """A pack that nothing is wrong with."""
    return signed(members(bodies, version=version, **manifest))


def digest(made: Members) -> str:
    """What this edition is known by."""
    return hashlib.sha256(made[MANIFEST]).hexdigest()


def zipped(made: Members) -> bytes:
    """As one file."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, body in made.items():
            archive.writestr(zipfile.ZipInfo(name), body)
    return target.getvalue()


def write(folder: Path, made: Members, name: str = "pack.zip") -> Path:
    """As a file in this folder."""
    path = folder / name
    path.write_bytes(zipped(made))
    return path


def unfold(folder: Path, made: Members) -> Path:
    """As a folder."""
    for name, body in made.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder
