"""A pack's envelope: a zip file or a folder, whose manifest names each file by size and hash.

    manifest.json      what is in it, and for whom
    signatures.json    public key -> signature of the manifest
    files/<sha256>     the files, under their hashes

Nothing of a pack is used before the sizes and hashes of all its files were found right.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from kiosk_ui.errors import ContentError
from kiosk_ui.languages import LANGUAGE_NAMES, NEEDED

SCHEMA = "angsila-pack/2"
SIGNED_AS = SCHEMA.encode() + b"\n"  # Before the manifest: made for a pack, good for nothing else.
MANIFEST = "manifest.json"
SIGNATURES = "signatures.json"
FILES = "files/"

PACK_BYTES_MAX = 40 * 1024 * 1024
ZIP_BYTES_MAX = PACK_BYTES_MAX + 2 * 1024 * 1024  # Names and heads of its members.
MANIFEST_BYTES_MAX = 1024 * 1024
SIGNATURES_BYTES_MAX = 16 * 1024
JSON_BYTES_MAX = 8 * 1024 * 1024
FILES_MAX = 5000
SIGNATURES_MAX = 16
LANGUAGES_MAX = 12
VERSION_MAX = 2**31 - 1
NAME_MAX = 120

_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_NAME = re.compile(r"(?:[a-z0-9][a-z0-9_-]*/)?[a-z0-9][a-z0-9_.-]*\.(?:json|svg|woff2|opus|webp)")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_APP = re.compile(r"\d{1,4}(?:\.\d{1,4}){0,2}")

# What Python's zipfile says of a damaged file, depending on where the damage is.
ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError)

Read = Callable[[str, int], bytes]  # Member and the most bytes it may have -> what it holds.


@dataclass(frozen=True)
class Named:
    """What the manifest says of one file."""

    sha256: str
    length_bytes: int

    @property
    def member(self) -> str:
        """Where it lies in the envelope."""
        return FILES + self.sha256


@dataclass(frozen=True)
class Manifest:
    """What the manifest says."""

    raw: bytes
    id: str
    version: int
    minimum_app: str
    languages: tuple[str, ...]
    made_on: date
    files: Mapping[str, Named]  # By logical name.

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest: it names all there is in the pack."""
        return hashlib.sha256(self.raw).hexdigest()

    @property
    def name(self) -> str:
        """What this very edition is called."""
        return f"{self.version}-{self.digest[:8]}"


class Envelope:
    """An envelope whose files were all found right."""

    def __init__(self, manifest: Manifest, signatures: bytes | None, read: Read) -> None:
        self.manifest = manifest
        self.signatures = signatures  # As they lie there; nobody has looked at them yet.
        self._read = read

    def file(self, name: str) -> bytes:
        """One file by its logical name, checked once more. Raises `ContentError`."""
        named = self.manifest.files.get(name)
        if named is None:
            raise ContentError(f"{name}: the pack has no such file")
        body = self._read(named.member, named.length_bytes)
        _check(name, named, body)
        return body

    def json(self, name: str) -> Any:
        """One file, read as JSON. Raises `ContentError`."""
        named = self.manifest.files.get(name)
        if named is not None and named.length_bytes > JSON_BYTES_MAX:
            raise ContentError(f"{name}: {named.length_bytes} bytes; {JSON_BYTES_MAX} are allowed")
        return read_json(name, self.file(name))

    def held(self) -> Envelope:
        """The same with all files in memory, for when a zip will be closed."""
        bodies = {one.member: self.file(name) for name, one in self.manifest.files.items()}
        return Envelope(self.manifest, self.signatures, lambda member, _: bodies[member])

    def names(self, folder: str = "") -> list[str]:
        """Logical names that begin so, sorted."""
        return sorted(name for name in self.manifest.files if name.startswith(folder))


@contextmanager
def opened(path: Path) -> Iterator[Envelope]:
    """The pack in a zip file or a folder, all of it checked. Raises `ContentError`.

    What was opened from a zip can be read while the block runs, a folder for ever.
    """
    with ExitStack() as stack:
        try:
            envelope = _open(path, stack)
        except ContentError:
            raise
        except OSError as error:
            raise ContentError(f"{path}: cannot be read: {error.strerror}") from error
        except ZIP_FAULTS as error:
            raise ContentError(f"{path.name}: not a pack, or cut off: {error}") from error
        yield envelope


def _open(path: Path, stack: ExitStack) -> Envelope:
    if path.is_dir():
        return _checked(_folder_members(path), _folder_reader(path))
    length = path.stat().st_size
    if length > ZIP_BYTES_MAX:
        raise ContentError(f"{path.name}: {length} bytes; {ZIP_BYTES_MAX} are allowed")
    archive = stack.enter_context(zipfile.ZipFile(path))
    return _checked(_zip_members(archive), _zip_reader(archive))


def read_json(name: str, body: bytes) -> Any:
    """JSON without doubled keys and without numbers that are none. Raises `ContentError`."""
    try:
        return json.loads(body.decode(), object_pairs_hook=_no_doubles, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise ContentError(f"{name}: not JSON: {error}") from error


def read_manifest(raw: bytes) -> Manifest:
    """Check and read a manifest. Raises `ContentError`."""
    said = read_json(MANIFEST, raw)
    if not isinstance(said, dict):
        raise ContentError(f"{MANIFEST}: an object is wanted: {str(said)[:80]!r}")
    if said.get("schema") != SCHEMA:
        raise _wrong("schema", SCHEMA, said.get("schema"))
    return Manifest(
        raw=raw,
        id=_word(said, "id", _ID, "up to 40 of a-z, 0-9 and -"),
        version=_version(said.get("version")),
        minimum_app=_word(said, "minimum_app", _APP, "a version such as '0.1.0'"),
        languages=_languages(said.get("languages")),
        made_on=_day(said.get("made_on")),
        files=_files(said.get("files")),
    )


# --- the manifest ----------------------------------------------------------------------------


def _wrong(field: str, wanted: str, value: object) -> ContentError:
    return ContentError(f"{MANIFEST}: {field}: {wanted} is wanted: {str(value)[:80]!r}")


def _word(said: Mapping[str, Any], field: str, pattern: re.Pattern[str], wanted: str) -> str:
    value = said.get(field)
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise _wrong(field, wanted, value)
    return value


def _version(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= VERSION_MAX:
        raise _wrong("version", "a whole number from 1", value)
    return value


def _languages(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not 0 < len(value) <= LANGUAGES_MAX:
        raise _wrong("languages", f"a list of 1 to {LANGUAGES_MAX} languages", value)
    for code in value:
        if not isinstance(code, str) or code not in LANGUAGE_NAMES:
            raise _wrong("languages", f"one of {', '.join(LANGUAGE_NAMES)}", code)
    if len(set(value)) < len(value) or NEEDED not in value:
        raise _wrong("languages", f"each once, and {NEEDED} among them,", value)
    return tuple(value)


def _day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError as error:
        raise _wrong("made_on", "a day such as 2026-11-22", value) from error


def _files(value: object) -> dict[str, Named]:
    if not isinstance(value, dict) or len(value) > FILES_MAX:
        raise _wrong("files", f"an object of at most {FILES_MAX} files", value)
    files = {name: _named(name, row) for name, row in value.items()}
    # By member: the same bytes may have two names.
    whole = sum({named.member: named.length_bytes for named in files.values()}.values())
    if whole > PACK_BYTES_MAX:
        raise _wrong("files", f"at most {PACK_BYTES_MAX} bytes in all", whole)
    return files


def _named(name: str, row: object) -> Named:
    if len(name) > NAME_MAX or not _NAME.fullmatch(name):
        raise _wrong("files", "a name such as 'qr/oyster.svg'", name)
    sha256 = row.get("sha256") if isinstance(row, dict) else None
    length = row.get("bytes") if isinstance(row, dict) else None
    if not isinstance(sha256, str) or not _SHA256.fullmatch(sha256):
        raise _wrong(f"files: {name}", "a sha256 in hex", sha256)
    if not isinstance(length, int) or isinstance(length, bool) or not 0 <= length <= PACK_BYTES_MAX:
        raise _wrong(f"files: {name}", f"bytes from 0 to {PACK_BYTES_MAX}", length)
    return Named(sha256, length)


def _no_doubles(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key is there twice")
    return made


def _no_number(text: str) -> float:
    raise ValueError(f"{text} is no number")


# --- members ---------------------------------------------------------------------------------


def _checked(members: list[str], read: Read) -> Envelope:
    """The envelope, once every file in it was found right, and nothing beside them."""
    if MANIFEST not in members:
        raise ContentError(f"{MANIFEST}: missing")
    manifest = read_manifest(read(MANIFEST, MANIFEST_BYTES_MAX))
    for member in members:
        _must_belong(member)
    signatures = read(SIGNATURES, SIGNATURES_BYTES_MAX) if SIGNATURES in members else None
    here = set(members) - {MANIFEST, SIGNATURES}
    for name, named in manifest.files.items():
        if named.member not in here:
            raise ContentError(f"{name}: missing: the pack has no {named.member}")
        _check(name, named, read(named.member, named.length_bytes))
    stray = sorted(here - {named.member for named in manifest.files.values()})
    if stray:
        raise ContentError(f"{stray[0][:NAME_MAX]}: not in the manifest")
    return Envelope(manifest, signatures, read)


def _check(name: str, named: Named, body: bytes) -> None:
    if len(body) != named.length_bytes:
        raise ContentError(f"{name}: damaged: {len(body)} bytes, not {named.length_bytes}")
    found = hashlib.sha256(body).hexdigest()
    if found != named.sha256:
        raise ContentError(f"{name}: damaged: its hash is {found[:8]}…, not {named.sha256[:8]}…")


def _must_belong(member: str) -> None:
    if member in (MANIFEST, SIGNATURES):
        return
    if not (member.startswith(FILES) and _SHA256.fullmatch(member.removeprefix(FILES))):
        raise ContentError(f"{member[:NAME_MAX]!r}: no name of a file in a pack")


def _zip_members(archive: zipfile.ZipFile) -> list[str]:
    """Names of a zip's members, each one that a pack has, once, as it is and not packed."""
    infos = archive.infolist()
    if len(infos) > FILES_MAX + 2:
        raise ContentError(f"{len(infos)} members; {FILES_MAX + 2} are allowed")
    names = [one.orig_filename for one in infos]
    for one, name in zip(infos, names, strict=True):
        # Stored, a member has as many bytes as the zip gives it: none can swell.
        if one.compress_type != zipfile.ZIP_STORED or one.flag_bits & 1:
            raise ContentError(f"{name}: compressed or locked; members are stored as they are")
        if one.file_size != one.compress_size or one.file_size > PACK_BYTES_MAX:
            raise ContentError(f"{name}: damaged: {one.compress_size} bytes for {one.file_size}")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise ContentError(f"{twice}: there twice")
    return names


def _zip_reader(archive: zipfile.ZipFile) -> Read:
    def read(member: str, bytes_max: int) -> bytes:
        try:
            with archive.open(member) as file:
                return _at_most(member, file.read(bytes_max + 1), bytes_max)
        except ContentError:
            raise
        except (OSError, *ZIP_FAULTS) as error:
            raise ContentError(f"{member}: damaged: {error}") from error

    return read


def _folder_members(folder: Path) -> list[str]:
    beside = [path.name for path in folder.iterdir() if path.name != "files"]
    members = [*beside, *(FILES + path.name for path in _listed(folder / "files"))]
    if len(members) > FILES_MAX + 2:
        raise ContentError(f"{len(members)} files; {FILES_MAX + 2} are allowed")
    return members


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() and not folder.is_symlink() else []


def _folder_reader(folder: Path) -> Read:
    def read(member: str, bytes_max: int) -> bytes:
        try:
            # A link may lead out of the pack, and a pipe never ends.
            descriptor = os.open(folder / member, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            with os.fdopen(descriptor, "rb") as file:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise ContentError(f"{member}: not a plain file")
                return _at_most(member, file.read(bytes_max + 1), bytes_max)
        except OSError as error:
            raise ContentError(f"{member}: cannot be read: {error.strerror}") from error

    return read


def _at_most(member: str, body: bytes, bytes_max: int) -> bytes:
    if len(body) > bytes_max:
        raise ContentError(f"{member}: damaged: more than {bytes_max} bytes")
    return body
