"""Keys on disk, tokens, and who is believed."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sync import identity
from sync.identity import Enrolment, Identity, IdentityError, Key, PublicKey
from sync.signature import Message, SignatureError, content_digest

BODY = b"body"
HEADERS = {"content-type": "application/x-protobuf", "content-digest": content_digest(BODY)}
REQUEST = Message(HEADERS, "POST", "/v1/hello")


def signed(key: Key, request: Message = REQUEST, nonce: str = "n") -> Message:
    """A request with its signature."""
    made = identity.sign_request(key, request, nonce)
    return request._replace(
        headers={**request.headers, **{name.lower(): value for name, value in made.items()}}
    )


class Headers(dict[str, str]):
    """Headers that are found in any case, as HTTP has them."""

    def get(self, name: str, default: Any = None) -> Any:
        """The value of a header."""
        return super().get(name.lower(), default)


def answered(key: Key, request: Message, status: int = 200) -> Message:
    """An answer with its signature."""
    answer = Message(Headers(HEADERS), status=status)
    made = identity.sign_answer(key, answer, request)
    lowered = {name.lower(): value for name, value in made.items()}
    return answer._replace(headers=Headers({**HEADERS, **lowered}))


def with_any_case(request: Message) -> Message:
    """The same request with headers that are found in any case."""
    return request._replace(headers=Headers(request.headers))


def test_a_key_is_made_once_and_only_its_owner_reads_it(tmp_path: Path) -> None:
    """The key is made on the device, in a file of mode 0600 that openssl reads, too."""
    first, second = Identity(tmp_path).key(), Identity(tmp_path).key()
    path = tmp_path / "device.key"
    shown = subprocess.run(
        ["openssl", "pkey", "-in", path, "-noout", "-text"],
        capture_output=True,
        text=True,
        check=True,
    )

    assert first.id == second.id
    assert len(bytes.fromhex(first.id)) == 8
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "ED25519 Private-Key" in shown.stdout
    assert [child.name for child in tmp_path.iterdir()] == ["device.key"]


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"-----BEGIN PRIVATE KEY-----\nAAAA\n"])
def test_a_damaged_key_is_named(tmp_path: Path, content: bytes) -> None:
    """A key that the card has eaten is an error that says what to do, not a new identity."""
    (tmp_path / "device.key").write_bytes(content)
    with pytest.raises(IdentityError, match=r"device\.key is damaged"):
        Identity(tmp_path).key()


def test_an_enrolment_is_read_as_it_was_kept(tmp_path: Path) -> None:
    """What was learned at enrolment is there after a power cut."""
    own = Identity(tmp_path)
    kept = Enrolment(own.key(), "d", "kiosk-1", "pier", "http://city", (Key().public,), bytes(32))
    assert own.enrolment() is None
    own.keep(kept)
    found = own.enrolment()
    assert found is not None
    assert found[1:5] == kept[1:5]
    assert found.key.id == kept.key.id
    assert [key.raw for key in found.city_keys] == [key.raw for key in kept.city_keys]
    assert found.letter_key == kept.letter_key


def test_an_enrolment_from_before_letters_is_read(tmp_path: Path) -> None:
    """A kiosk that was enrolled by an older version has no key for them, and goes on."""
    own = Identity(tmp_path)
    own.keep(Enrolment(own.key(), "d", "kiosk-1", "pier", "http://city", (Key().public,)))
    said = json.loads((tmp_path / "enrolment.json").read_text())
    del said["letter_key"]
    (tmp_path / "enrolment.json").write_text(json.dumps(said))

    found = own.enrolment()
    assert found is not None
    assert found.letter_key == b""

    (tmp_path / "enrolment.json").write_text(json.dumps({**said, "letter_key": "00"}))
    with pytest.raises(IdentityError, match="enrol again"):
        own.enrolment()


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"city_keys": ["00"]}', b"\xff"])
def test_a_damaged_enrolment_is_named(tmp_path: Path, content: bytes) -> None:
    """An enrolment that cannot be read says so; the kiosk goes on without its city."""
    Identity(tmp_path).key()
    (tmp_path / "enrolment.json").write_bytes(content)
    with pytest.raises(IdentityError, match="enrol again"):
        Identity(tmp_path).enrolment()


def test_a_token_says_which_city_is_meant() -> None:
    """A token is read as it was written, in any case; what is cut off is no token."""
    city = Key().public
    text = identity.write_token(bytes(range(16)), city)
    assert identity.read_token(f" {text.lower()}\n") == (bytes(range(16)), city.fingerprint)
    for wrong in (text[:-2], text + "AAAAAAAA", "", "no token!"):
        with pytest.raises(IdentityError, match="not a token"):
            identity.read_token(wrong)


def test_a_request_verifies_with_its_own_key_only() -> None:
    """The key of another device, whatever id it claims, has not signed this."""
    key, other = Key(), Key()
    request = with_any_case(signed(key))
    found = identity.read_request(request)
    identity.verify_request(key.public, found, request)
    with pytest.raises(SignatureError, match="signed with key"):
        identity.verify_request(other.public, found, request)
    claimed = Headers(request.headers)
    claimed["signature-input"] = claimed["signature-input"].replace(key.id, other.id)
    request = request._replace(headers=claimed)
    with pytest.raises(SignatureError, match="bad signature"):
        identity.verify_request(other.public, identity.read_request(request), request)


@pytest.mark.parametrize(
    "other",
    [
        {"method": "PUT"},
        {"target": "/v1/segments"},
        {"target": "/v1/hello?x=1"},
        {"digest": content_digest(b"other")},
        {"type": "text/html"},
    ],
)
def test_nothing_that_counts_can_be_changed(other: dict[str, str]) -> None:
    """Method, path, query, body and type are all under the signature."""
    key = Key()
    request = with_any_case(signed(key))
    headers = Headers(request.headers)
    headers["content-digest"] = other.pop("digest", headers["content-digest"])
    headers["content-type"] = other.pop("type", headers["content-type"])
    changed = Message(
        headers, other.get("method", request.method), other.get("target", request.target)
    )
    with pytest.raises(SignatureError, match="bad signature"):
        identity.verify_request(key.public, identity.read_request(changed), changed)


def test_a_signature_that_covers_less_is_refused() -> None:
    """Nobody may leave out the body and have the rest believed."""
    request = with_any_case(signed(Key()))
    headers = Headers(request.headers)
    headers["signature-input"] = headers["signature-input"].replace(' "content-digest"', "")
    with pytest.raises(SignatureError, match="does not cover"):
        identity.read_request(request._replace(headers=headers))


def test_an_answer_fits_one_request() -> None:
    """The answer to an equal request of earlier does not verify: its nonce was another."""
    kiosk, city = Key(), Key()
    earlier, now = (with_any_case(signed(kiosk, nonce=nonce)) for nonce in ("1", "2"))
    keys = {city.id: city.public}
    answer = answered(city, earlier)
    identity.verify_answer(keys, answer, BODY, earlier)
    with pytest.raises(SignatureError, match="bad signature"):
        identity.verify_answer(keys, answer, BODY, now)


@pytest.mark.parametrize("change", ["status", "body", "key"])
def test_a_forged_answer_is_none(change: str) -> None:
    """Another status, another body, or a key that is not the city's: no answer."""
    city = Key()
    request = with_any_case(signed(Key()))
    answer = answered(Key() if change == "key" else city, request)
    body = b"other" if change == "body" else BODY
    if change == "status":
        answer = answer._replace(status=204)
    with pytest.raises(SignatureError):
        identity.verify_answer({city.id: city.public}, answer, body, request)


@pytest.mark.parametrize("raw", [b"", bytes(31), bytes(33)])
def test_what_is_no_public_key_is_refused(raw: bytes) -> None:
    """A peer's key is looked at before it is used."""
    with pytest.raises(SignatureError, match="public key has"):
        PublicKey(raw)
