"""HTTP message signatures: what of a message is signed, and how that is written in its headers.

The part of RFC 9421 that kiosk and city use, and RFC 9530 for bodies. Pure: keys come as
functions. No library from PyPI would do: they write the time of day into each signature, and a
kiosk may not know it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sync.entry import SyncError

LABEL = "sig1"
HEADER_MAX = 2048  # Characters of a signature header.


class SignatureError(SyncError):
    """A message is not signed, not as it should be, or not by whom it should be."""


class Message(NamedTuple):
    """Of a request or an answer, what can be signed."""

    headers: Mapping[str, str]  # Any mapping that finds a name in any case, or in lower case.
    method: str = ""
    target: str = ""  # Path and query as they stand in the request line.
    status: int = 0
    authority: str = ""


class Component(NamedTuple):
    """One line of the signature base: a field's name, or what begins with @."""

    name: str
    of_request: bool = False  # In an answer: of the request that it answers.

    def __str__(self) -> str:
        """As it stands in the list of what is covered."""
        return f'"{self.name}";req' if self.of_request else f'"{self.name}"'


class Signed(NamedTuple):
    """What the two signature headers say."""

    covered: tuple[Component, ...]
    parameters: dict[str, str | int]
    text: str  # List and parameters as they were written: the base's last line.
    signature: bytes

    @property
    def keyid(self) -> str:
        """Which key has signed, as the message says."""
        return str(self.parameters.get("keyid", ""))


# --- the base --------------------------------------------------------------------------------

# One line for each covered component, then how they were signed (RFC 9421, section 2.5):
#
#   "@method": POST
#   "@path": /v1/hello
#   "content-digest": sha-256=:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=:
#   "@signature-params": ("@method" "@path" "content-digest");keyid="1f…";nonce="Zx…"


def signature_base(
    covered: Sequence[Component], text: str, message: Message, request: Message | None = None
) -> bytes:
    """The bytes that are signed. Raises `SignatureError` where the message lacks a component."""
    if len(set(covered)) != len(covered):
        raise SignatureError("a component is covered twice")
    lines = []
    for component in covered:
        source = request if component.of_request else message
        if source is None:
            raise SignatureError(f"{component} of a request, but this is no answer")
        value = _value(component.name, source)
        if not value.isascii() or not value.replace("\t", " ").isprintable():
            raise SignatureError(f"{component} is not printable ASCII")
        lines.append(f"{component}: {value}")
    lines.append(f'"@signature-params": {text}')
    return "\n".join(lines).encode()


_DERIVED: dict[str, Callable[[Message], str]] = {
    "@method": lambda message: message.method,
    "@authority": lambda message: message.authority,
    "@path": lambda message: message.target.partition("?")[0],
    "@query": lambda message: "?" + message.target.partition("?")[2],
    "@status": lambda message: str(message.status or ""),
}


def _value(name: str, source: Message) -> str:
    derive = _DERIVED.get(name)
    value = (derive(source) or None) if derive else source.headers.get(name)
    if value is None:
        raise SignatureError(f'the message has no "{name}"')
    return value.strip(" \t")


# --- the headers -----------------------------------------------------------------------------


def sign(
    make: Callable[[bytes], bytes],
    covered: Sequence[Component],
    parameters: Mapping[str, str | int],
    message: Message,
    request: Message | None = None,
    *,
    label: str = LABEL,
) -> dict[str, str]:
    """The headers that sign a message; `make` signs bytes. Raises `SignatureError`."""
    listed = " ".join(map(str, covered))
    written = "".join(f";{name}={_bare(value)}" for name, value in parameters.items())
    text = f"({listed}){written}"
    signature = base64.b64encode(make(signature_base(covered, text, message, request))).decode()
    return {"Signature-Input": f"{label}={text}", "Signature": f"{label}=:{signature}:"}


def _bare(value: str | int) -> str:
    if isinstance(value, int):
        return str(value)
    if not _TEXT.fullmatch(value):
        raise SignatureError(f"not a parameter: {value!r}")
    return f'"{value}"'


_TEXT = re.compile(r"[ !#-\[\]-~]*")  # Without " and \, so that nothing needs escaping.
_KEY = r"[a-z*][a-z0-9_.*-]*"
_COMPONENT = re.compile(r'"([@a-z0-9-]+)"(;req)?')
_PARAMETER = re.compile(rf';({_KEY})=(?:"([ !#-\[\]-~]*)"|(-?[0-9]{{1,15}}))')
# Only the canonical way of writing is taken, so that the text itself is the base's last line.
_INPUT = re.compile(
    rf"({_KEY})=(\(({_COMPONENT.pattern}(?: {_COMPONENT.pattern})*)?\)"
    rf"((?:{_PARAMETER.pattern})*))"
)
_SIGNATURE = re.compile(rf"({_KEY})=:([A-Za-z0-9+/]*=*):")


def read(headers: Mapping[str, str]) -> Signed:
    """What a message says of its signature. Raises `SignatureError`."""
    written, value = headers.get("Signature-Input", ""), headers.get("Signature", "")
    if not written or not value:
        raise SignatureError("not signed")
    if len(written) > HEADER_MAX or len(value) > HEADER_MAX:
        raise SignatureError(f"a signature header of over {HEADER_MAX} characters")
    said, made = _INPUT.fullmatch(written), _SIGNATURE.fullmatch(value)
    if said is None:
        raise SignatureError(f"not a Signature-Input: {written[:200]!r}")
    if made is None or made[1] != said[1]:
        raise SignatureError(f"not the Signature for {said[1]}: {value[:200]!r}")
    covered = [Component(name, bool(req)) for name, req in _COMPONENT.findall(said[3] or "")]
    parameters: dict[str, str | int] = {}
    for name, text, number in _PARAMETER.findall(said[2].partition(")")[2]):
        if name in parameters:
            raise SignatureError(f"the parameter {name} is there twice")
        parameters[name] = int(number) if number else text
    try:
        signature = base64.b64decode(made[2], validate=True)
    except binascii.Error:
        raise SignatureError(f"not a Signature: {value[:200]!r}") from None
    return Signed(tuple(covered), parameters, said[2], signature)


def base_of(signed: Signed, message: Message, request: Message | None = None) -> bytes:
    """The bytes that a message's signature must be of. Raises `SignatureError`."""
    return signature_base(signed.covered, signed.text, message, request)


def must_cover(signed: Signed, needed: Sequence[Component]) -> None:
    """See that nothing that counts was left out. Raises `SignatureError`."""
    missing = [component for component in needed if component not in signed.covered]
    if missing:
        raise SignatureError(f"the signature does not cover {missing[0]}")


# --- the body --------------------------------------------------------------------------------


def content_digest(body: bytes) -> str:
    """The value of the header Content-Digest (RFC 9530)."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def matches(digest: str, body: bytes) -> bool:
    """Whether a body is the one of this Content-Digest. Raises `SignatureError` on no digest."""
    if not (digest.startswith("sha-256=:") and digest.endswith(":")):
        raise SignatureError(f"not a sha-256 Content-Digest: {digest[:200]!r}")
    try:
        expected = base64.b64decode(digest[len("sha-256=:") : -1], validate=True)
    except binascii.Error:
        raise SignatureError(f"not a sha-256 Content-Digest: {digest[:200]!r}") from None
    return expected == hashlib.sha256(body).digest()
