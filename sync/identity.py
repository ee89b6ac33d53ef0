"""Who a kiosk and a city are: keys, the kiosk's enrolment, and signed requests and answers.

No signature depends on the time of day: a kiosk that thinks it is 1970 is believed, and an
answer counts because it is bound to the one request it answers.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from sync import signature
from sync.entry import SyncError
from sync.letters import LetterError, Opener, checked_letter_key
from sync.signature import Component, Message, SignatureError, Signed

KEY_BYTES = 32
KEY_ID_BYTES = 8  # Of the SHA-256 of a public key: its name, not its proof.
NONCE_BYTES = 16
TOKEN_BYTES = 16
FINGERPRINT_BYTES = 10  # Of the city's key, in a token: nobody makes a second key to fit 80 bits.
ENROLMENT_BYTES_MAX = 16 * 1024
TAG = "angsila-1"  # No signature made for something else can be used here.

DEVICE_KEY = "device.key"
NEXT_KEY = "device.key.next"  # Made for a rotation that the city may or may not have taken.
ENROLMENT = "enrolment.json"
CITY_KEY = "city.key"

# The first words of a signed 401 that a kiosk understands.
REVOKED = "revoked"
REPLACED = "replaced"
UNKNOWN = "unknown"


class IdentityError(SyncError):
    """A key or an enrolment on disk cannot be read or written."""


# --- keys ------------------------------------------------------------------------------------


class PublicKey:
    """Somebody's Ed25519 public key, and its name. Raises `SignatureError` for no such key."""

    def __init__(self, raw: bytes) -> None:
        if len(raw) != KEY_BYTES:
            raise SignatureError(f"a public key has {len(raw)} bytes, not {KEY_BYTES}")
        self.raw = raw
        self.id = hashlib.sha256(raw).digest()[:KEY_ID_BYTES].hex()
        try:
            self._key = Ed25519PublicKey.from_public_bytes(raw)
        except ValueError:
            raise SignatureError(f"not an Ed25519 public key: {raw.hex()}") from None

    @property
    def fingerprint(self) -> bytes:
        """What a token carries of it."""
        return hashlib.sha256(self.raw).digest()[:FINGERPRINT_BYTES]

    def verify(self, made: bytes, of: bytes) -> None:
        """See that the owner of this key has signed `of`. Raises `SignatureError`."""
        try:
            self._key.verify(made, of)
        except InvalidSignature:
            raise SignatureError(f"bad signature: not made with key {self.id}") from None


class Key:
    """An Ed25519 key of our own."""

    def __init__(self, private: Ed25519PrivateKey | None = None) -> None:
        self._private = private or Ed25519PrivateKey.generate()
        self.public = PublicKey(self._private.public_key().public_bytes_raw())

    @property
    def id(self) -> str:
        """The name of its public half."""
        return self.public.id

    def sign(self, of: bytes) -> bytes:
        """Sign."""
        return self._private.sign(of)

    def opener(self) -> Opener:
        """Opens the letters to the city whose key this is."""
        return Opener(self._private.private_bytes_raw())

    def pem(self) -> bytes:
        """As it is kept in a file: PKCS #8, which `openssl pkey` reads as well."""
        return self._private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def read_key(path: Path) -> Key | None:
    """The key in a file, or None where there is no such file. Raises `IdentityError`."""
    try:
        private = load_pem_private_key(path.read_bytes(), password=None)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise IdentityError(f"key {path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError):
        raise IdentityError(f"key {path} is damaged: delete it and enrol again") from None
    if not isinstance(private, Ed25519PrivateKey):
        raise IdentityError(f"key {path} is no Ed25519 key")
    return Key(private)


def read_or_make_key(path: Path) -> Key:
    """The key in a file, made on the first call. Raises `IdentityError`."""
    found = read_key(path)
    if found is not None:
        return found
    made = Key()
    trial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        _write(trial, made.pem())
        # A link fails where a file is: of two processes that begin at once, one wins.
        with suppress(FileExistsError):
            os.link(trial, path)
        trial.unlink()
        _sync_folder(path.parent)
    except OSError as error:
        raise IdentityError(f"key {path} cannot be written: {error.strerror}") from None
    found = read_key(path)
    if found is None:
        raise IdentityError(f"key {path} was taken away just now")
    return found


def _write(path: Path, content: bytes) -> None:
    """Write a file that only its owner reads, down to the card."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        os.fchmod(file.fileno(), 0o600)
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- the token -------------------------------------------------------------------------------

#   byte  0        15 16          25
#         secret      fingerprint      in base32: 42 letters and digits, none of them 0 or 1


def write_token(secret: bytes, city: PublicKey) -> str:
    """What a technician is given: a secret, and by what the right city is known."""
    return base64.b32encode(secret + city.fingerprint).decode().rstrip("=")


def read_token(text: str) -> tuple[bytes, bytes]:
    """A token's secret, and the fingerprint of the city's key. Raises `IdentityError`."""
    letters = text.strip().upper()
    try:
        raw = base64.b32decode(letters + "=" * (-len(letters) % 8))
    except ValueError:
        raise IdentityError(f"not a token: {text[:80]!r}") from None
    if len(raw) != TOKEN_BYTES + FINGERPRINT_BYTES:
        raise IdentityError(f"not a token, it is cut off or too long: {text[:80]!r}")
    return raw[:TOKEN_BYTES], raw[TOKEN_BYTES:]


# --- the kiosk's enrolment -------------------------------------------------------------------


class Enrolment(NamedTuple):
    """What a kiosk signs with, and what it has learned when it was enrolled."""

    key: Key
    device: str  # The id of the device's first key; it stays when the key is replaced.
    kiosk: str
    site: str
    city_url: str
    city_keys: tuple[PublicKey, ...]
    letter_key: bytes = b""  # To which people's words are sealed; empty where none was told.


class Identity:
    """A kiosk's key and enrolment in its state folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def key(self) -> Key:
        """The device's key, made on the first call. Raises `IdentityError`."""
        return read_or_make_key(self.folder / DEVICE_KEY)

    def next_key(self) -> Key:
        """The key that is to replace it, the same until it has. Raises `IdentityError`."""
        return read_or_make_key(self.folder / NEXT_KEY)

    def finish_rotation(self) -> bool:
        """Go over to the next key, which the city has taken; whether there was one."""
        try:
            (self.folder / NEXT_KEY).replace(self.folder / DEVICE_KEY)
            _sync_folder(self.folder)
        except FileNotFoundError:
            return False
        except OSError as error:
            raise IdentityError(f"{self.folder / DEVICE_KEY}: {error.strerror}") from None
        return True

    def forget_key(self) -> None:
        """Throw the key and its enrolment away, so that the next one is a new device."""
        for name in (ENROLMENT, NEXT_KEY, DEVICE_KEY):
            (self.folder / name).unlink(missing_ok=True)

    def enrolment(self) -> Enrolment | None:
        """What this kiosk signs with, or None where it is not enrolled. Raises `IdentityError`."""
        path = self.folder / ENROLMENT
        try:
            with path.open("rb") as file:
                content = file.read(ENROLMENT_BYTES_MAX)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise IdentityError(f"{path} cannot be read: {error.strerror}") from None
        key = read_key(self.folder / DEVICE_KEY)
        if key is None:
            raise IdentityError(f"{path} is there, but no {DEVICE_KEY}: enrol again")
        try:
            said = json.loads(content)
            words = [str(said[name]) for name in ("device", "kiosk", "site", "city")]
            keys = tuple(PublicKey(bytes.fromhex(text)) for text in said["city_keys"])
            letter_key = checked_letter_key(bytes.fromhex(said.get("letter_key", "")))
        except (ValueError, KeyError, TypeError, SignatureError, LetterError):
            raise IdentityError(f"{path} is damaged: enrol again") from None
        device, kiosk, site, city_url = words
        return Enrolment(key, device, kiosk, site, city_url, keys, letter_key)

    def keep(self, enrolment: Enrolment) -> None:
        """Write down what was learned. Raises `IdentityError`."""
        said = {
            "device": enrolment.device,
            "kiosk": enrolment.kiosk,
            "site": enrolment.site,
            "city": enrolment.city_url,
            "city_keys": [key.raw.hex() for key in enrolment.city_keys],
            "letter_key": enrolment.letter_key.hex(),
        }
        path = self.folder / ENROLMENT
        trial = path.with_name(f"{path.name}.{os.getpid()}")
        try:
            _write(trial, json.dumps(said, indent=1).encode() + b"\n")
            trial.replace(path)
            _sync_folder(self.folder)
        except OSError as error:
            raise IdentityError(f"{path} cannot be written: {error.strerror}") from None


# --- requests --------------------------------------------------------------------------------

# The path without scheme and host: a proxy that speaks TLS may stand in front of the city.
_REQUEST = (
    Component("@method"),
    Component("@path"),
    Component("@query"),
    Component("content-digest"),
    Component("content-type"),
)


def make_nonce() -> str:
    """What makes a request differ from every other."""
    return secrets.token_urlsafe(NONCE_BYTES)


def sign_request(key: Key, request: Message, nonce: str) -> dict[str, str]:
    """The headers that sign a request."""
    parameters: dict[str, str | int] = {"keyid": key.id, "nonce": nonce, "tag": TAG}
    return signature.sign(key.sign, _REQUEST, parameters, request)


def read_request(request: Message) -> Signed:
    """Of a request, by whom it claims to be signed. Raises `SignatureError`."""
    signed = signature.read(request.headers)
    signature.must_cover(signed, _REQUEST)
    if signed.parameters.get("tag") != TAG:
        raise SignatureError(f"the signature is not tagged {TAG}")
    if not signed.parameters.get("nonce"):
        raise SignatureError("the signature has no nonce")
    return signed


def verify_request(key: PublicKey, signed: Signed, request: Message) -> None:
    """See that a request is signed with `key`. Raises `SignatureError`."""
    if signed.keyid != key.id:
        raise SignatureError(f"signed with key {signed.keyid}, not {key.id}")
    key.verify(signed.signature, signature.base_of(signed, request))


# --- answers ---------------------------------------------------------------------------------


def _answer_covers(answer: Message, request: Message) -> list[Component]:
    """What of an answer is signed: all of it, and to which request it belongs."""
    covered = [Component("@status"), Component("content-digest")]
    if answer.headers.get("Content-Type"):
        covered.append(Component("content-type"))
    covered += [Component(name, of_request=True) for name in ("@method", "@path", "@query")]
    if request.headers.get("Signature"):
        # It was made with a nonce: no other request has it, so no older answer fits.
        covered.append(Component("signature", of_request=True))
    return covered


def sign_answer(key: Key, answer: Message, request: Message) -> dict[str, str]:
    """The headers that sign an answer to `request`; it has its Content-Digest already."""
    covered = _answer_covers(answer, request)
    return signature.sign(key.sign, covered, {"keyid": key.id, "tag": TAG}, answer, request)


def verify_answer(
    keys: Mapping[str, PublicKey], answer: Message, body: bytes, request: Message
) -> None:
    """See that a city of ours gave this answer to this request. Raises `SignatureError`."""
    signed = signature.read(answer.headers)
    signature.must_cover(signed, _answer_covers(answer, request))
    key = keys.get(signed.keyid)
    if key is None:
        raise SignatureError(f"signed with key {signed.keyid}, which is not the city's")
    if signed.parameters.get("tag") != TAG:
        raise SignatureError(f"the signature is not tagged {TAG}")
    key.verify(signed.signature, signature.base_of(signed, answer, request))
    if not signature.matches(answer.headers.get("Content-Digest", ""), body):
        raise SignatureError(f"the body of {len(body)} bytes does not match its Content-Digest")


def rotation_proof(device: str, old: PublicKey, new: PublicKey) -> bytes:
    """What the new key signs, so that nobody rotates to a key that is another's."""
    return b"angsila rotate " + device.encode() + old.raw + new.raw
