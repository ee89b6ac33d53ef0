"""The subset of RFC 9421 against the RFC's own example, and against what is not well formed."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import signature
from sync.identity import Key
from sync.signature import Component, Message, SignatureError

# RFC 9421, B.1.4: the private key test-key-ed25519, as the "d" of its JWK.
KEY = Key(
    Ed25519PrivateKey.from_private_bytes(
        base64.urlsafe_b64decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU=")
    )
)
# B.2: the request of all examples.
REQUEST = Message(
    {
        "date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "content-type": "application/json",
        "content-length": "18",
    },
    "POST",
    "/foo?param=Value&Pet=dog",
    authority="example.com",
)
# B.2.6: signed with Ed25519.
COVERED = tuple(
    map(Component, ("date", "@method", "@path", "@authority", "content-type", "content-length"))
)
PARAMETERS: dict[str, str | int] = {"created": 1618884473, "keyid": "test-key-ed25519"}
SIGNATURE_INPUT = (
    'sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length")'
    ';created=1618884473;keyid="test-key-ed25519"'
)
SIGNATURE = (
    "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPp"
    "BKRCw==:"
)


def test_the_rfcs_own_request_gets_the_rfcs_own_signature() -> None:
    """Ed25519 is deterministic: key, base and headers of B.2.6 come out byte for byte."""
    headers = signature.sign(KEY.sign, COVERED, PARAMETERS, REQUEST, label="sig-b26")
    assert headers == {"Signature-Input": SIGNATURE_INPUT, "Signature": SIGNATURE}


def test_the_rfcs_own_signature_verifies() -> None:
    """What others have signed is read, down to its parameters."""
    headers = {"Signature-Input": SIGNATURE_INPUT, "Signature": SIGNATURE}
    signed = signature.read(headers)
    assert (signed.covered, signed.parameters) == (COVERED, PARAMETERS)
    KEY.public.verify(signed.signature, signature.base_of(signed, REQUEST))


def test_an_answer_can_cover_its_request() -> None:
    """A line of the base that belongs to the request says so (section 2.4)."""
    covered = (Component("@status"), Component("@query", of_request=True))
    base = signature.signature_base(covered, "()", Message({}, status=200), REQUEST)
    lines = ['"@status": 200', '"@query";req: ?param=Value&Pet=dog', '"@signature-params": ()']
    assert base.decode().split("\n") == lines


@pytest.mark.parametrize(
    ("written", "made", "reason"),
    [
        ("", "sig1=:AAAA:", "not signed"),
        ('sig1=("@method")', "", "not signed"),
        ('sig1=("@method"', "sig1=:AAAA:", "not a Signature-Input"),
        ('sig1=( "@method")', "sig1=:AAAA:", "not a Signature-Input"),
        ('sig1=("@method"),sig2=("@path")', "sig1=:AAAA:", "not a Signature-Input"),
        ('sig1=("@method");keyid="a\\"b"', "sig1=:AAAA:", "not a Signature-Input"),
        ('sig1=("@method")', "sig2=:AAAA:", "not the Signature for sig1"),
        ('sig1=("@method")', "sig1=:AAA:", "not a Signature: "),
        ('sig1=("@method");keyid="a";keyid="b"', "sig1=:AAAA:", "keyid is there twice"),
        ('sig1=("@method")', "sig1=:" + "A" * 4000 + ":", "over 2048 characters"),
    ],
)
def test_headers_that_are_not_well_formed_are_refused(written: str, made: str, reason: str) -> None:
    """There is one way to write a signature; everything else is refused with the reason."""
    with pytest.raises(SignatureError, match=reason):
        signature.read({"Signature-Input": written, "Signature": made})


@pytest.mark.parametrize(
    ("covered", "reason"),
    [
        ([Component("x-missing")], 'has no "x-missing"'),
        ([Component("@unheard-of")], 'has no "@unheard-of"'),
        ([Component("date"), Component("date")], "covered twice"),
        ([Component("date", of_request=True)], "this is no answer"),
        ([Component("x-lines")], "not printable ASCII"),
    ],
)
def test_a_base_that_cannot_be_built_is_an_error(covered: list[Component], reason: str) -> None:
    """No component is passed over, and none can smuggle in a second line."""
    message = REQUEST._replace(headers={**REQUEST.headers, "x-lines": 'a\n"@method": GET'})
    with pytest.raises(SignatureError, match=reason):
        signature.signature_base(covered, "()", message)


def test_the_digest_is_the_rfcs() -> None:
    """RFC 9530 shows the digest of this very body."""
    digest = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    assert signature.content_digest(b'{"hello": "world"}') == digest
    assert signature.matches(digest, b'{"hello": "world"}')
    assert not signature.matches(digest, b'{"hello": "World"}')
