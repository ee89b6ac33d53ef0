"""What a content pack is: files named by their hash, a manifest of them, and who signed it.

A pack is one zip file, or the same as a folder:

    manifest.json       canonical JSON: schema, id, version, minimum_app, languages, made_on, files
    signatures.json     {public key: signature}, both as hex; not covered by the manifest
    files/<sha256>      the contents

A signature is Ed25519 over `SIGNING` and the bytes of manifest.json.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk_ui.content import ContentError

if TYPE_CHECKING:
    from collections.abc import Mapping

SCHEMA = "angsila-pack/2"
SIGNING = b"angsila-pack/2\n"  # No signature made for something else can be used here.
MANIFEST = "manifest.json"
SIGNATURES = "signatures.json"
FILES = "files/"
SIGNATURES_MAX = 16
PACK_BYTES_MAX = 40 * 1024 * 1024
FILES_MAX = 5000
MANIFEST_BYTES_MAX = 1024 * 1024

STAMP = (1980, 1, 1, 0, 0, 0)  # The first day that a zip file knows: the same bytes each time.
PLAIN_FILE = 0o100644 << 16

_MEMBER = re.compile(r"manifest\.json|signatures\.json|files/[0-9a-f]{64}")


class PackFileError(ContentError):
    """A pack that cannot be read, written or signed."""


class About(NamedTuple):
    """What a pack says of itself."""

    id: str
    version: int
    minimum_app: str
    languages: tuple[str, ...]
    made_on: str  # A date from the workbook: building it again tomorrow gives the same bytes.


def canonical(value: Any) -> bytes:
    """JSON in the one form that is hashed and signed."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def sha256(content: bytes) -> str:
    """The name under which a file lies in a pack."""
    return hashlib.sha256(content).hexdigest()


def members_of(about: About, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The unsigned pack of these files, which go by their logical names."""
    manifest = {
        "schema": SCHEMA,
        "id": about.id,
        "version": about.version,
        "minimum_app": about.minimum_app,
        "languages": list(about.languages),
        "made_on": about.made_on,
        "files": {
            name: {"sha256": sha256(content), "bytes": len(content)}
            for name, content in files.items()
        },
    }
    members = {FILES + sha256(content): content for content in files.values()}
    members[MANIFEST] = canonical(manifest)
    heavy = sum(len(content) for content in members.values())
    if heavy > PACK_BYTES_MAX:
        raise PackFileError(f"the pack has {heavy} bytes, {PACK_BYTES_MAX} are allowed")
    return members


def zipped(members: Mapping[str, bytes]) -> bytes:
    """One zip file, byte by byte the same for the same members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.create_system = 3  # Unix, wherever it is built.
            entry.external_attr = PLAIN_FILE
            archive.writestr(entry, members[name])
    return target.getvalue()


def write_pack(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a pack file; a power cut leaves the old one or the new one."""
    trial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with trial.open("wb") as file:
            file.write(zipped(members))
            file.flush()
            os.fsync(file.fileno())
        trial.replace(path)
    except OSError as error:
        trial.unlink(missing_ok=True)
        raise PackFileError(f"{path} cannot be written: {error.strerror}") from None


def write_folder(folder: Path, members: Mapping[str, bytes]) -> None:
    """Write a pack as a folder, and take away what belongs to it no more."""
    try:
        (folder / FILES).mkdir(parents=True, exist_ok=True)
        for name, content in members.items():
            (folder / name).write_bytes(content)
        for old in (folder / FILES).iterdir():
            if FILES + old.name not in members:
                old.unlink()
    except OSError as error:
        raise PackFileError(f"{folder} cannot be written: {error.strerror}") from None


def read_pack(path: Path) -> dict[str, bytes]:
    """The members of a pack file or folder, their hashes checked. Raises `PackFileError`."""
    try:
        members = _read_folder(path) if path.is_dir() else _read_zip(path)
    except OSError as error:
        raise PackFileError(f"{path}: {error.strerror}") from None
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise PackFileError(f"{path} is no pack file: {error}") from None
    for name, row in manifest_of(members)["files"].items():
        content = members.get(FILES + str(row.get("sha256")))
        if content is None or sha256(content) != row["sha256"] or len(content) != row["bytes"]:
            raise PackFileError(f"{path}: {name} is missing or damaged")
    return members


def manifest_of(members: Mapping[str, bytes]) -> dict[str, Any]:
    """What the manifest says. Raises `PackFileError`."""
    try:
        manifest = json.loads(members[MANIFEST])
        schema, files = manifest["schema"], manifest["files"]
        whole = isinstance(files, dict) and all(isinstance(row, dict) for row in files.values())
    except (KeyError, TypeError, ValueError, RecursionError):
        raise PackFileError(f"no {MANIFEST} that can be read") from None
    if schema != SCHEMA:
        raise PackFileError(f"{MANIFEST}: schema must be {SCHEMA}: {schema!r}")
    if not whole:
        raise PackFileError(f"{MANIFEST}: files must be a table: {str(files)[:80]!r}")
    return dict(manifest)


def file_of(members: Mapping[str, bytes], name: str) -> bytes:
    """A file by its logical name. Raises `PackFileError`."""
    row = manifest_of(members)["files"].get(name)
    if row is None or FILES + row["sha256"] not in members:
        raise PackFileError(f"the pack has no {name}")
    return members[FILES + row["sha256"]]


def signatures_of(members: Mapping[str, bytes]) -> dict[str, str]:
    """Who has signed: public key and signature, as hex. Raises `PackFileError`."""
    try:
        found = json.loads(members.get(SIGNATURES, b"{}"))
    except (ValueError, RecursionError):
        raise PackFileError(f"{SIGNATURES} is not JSON") from None
    if not isinstance(found, dict) or len(found) > SIGNATURES_MAX:
        raise PackFileError(f"{SIGNATURES}: at most {SIGNATURES_MAX} keys and signatures")
    return {str(key): str(value) for key, value in found.items()}


def _read_zip(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if len(entries) > FILES_MAX or sum(one.file_size for one in entries) > PACK_BYTES_MAX:
            raise PackFileError(f"{path} is larger than a pack may be")
        strange = [one.filename for one in entries if not _MEMBER.fullmatch(one.filename)]
        if strange:
            raise PackFileError(f"{path} holds what no pack holds: {strange[0]!r}")
        return {one.filename: archive.read(one) for one in entries}


def _read_folder(folder: Path) -> dict[str, bytes]:
    found = [path for name in (MANIFEST, SIGNATURES) if (path := folder / name).exists()]
    found += sorted((folder / FILES).glob("*"))
    if len(found) > FILES_MAX or sum(path.stat().st_size for path in found) > PACK_BYTES_MAX:
        raise PackFileError(f"{folder} is larger than a pack may be")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}
