"""What it costs to sign and to verify one upload and its answer."""

from __future__ import annotations

import time
from collections.abc import Callable

from sync import identity
from sync.call import PROTOBUF, Lowered
from sync.identity import Key
from sync.signature import Message, content_digest
from tests.bench.figures import Beside, Figure

ROUNDS = 2000
BODY = bytes(64 * 1024)  # An upload of a backlog; one of 10 minutes has about 1 KB.
REPLY = bytes(200)


async def measure() -> list[Figure]:
    """Both ends of one call: the kiosk signs and verifies, and so does the city."""
    kiosk, city = Key(), Key()
    sent = {"Content-Type": PROTOBUF, "Content-Digest": content_digest(BODY)}
    bare = Message(Lowered(sent), "POST", "/v1/segments")
    signed = identity.sign_request(kiosk, bare, identity.make_nonce())
    request = bare._replace(headers=Lowered(sent | signed))
    told = {"Content-Type": PROTOBUF, "Content-Digest": content_digest(REPLY)}
    bare_answer = Message(Lowered(told), status=200)
    made = identity.sign_answer(city, bare_answer, request)
    answer = bare_answer._replace(headers=Lowered(told | made))
    keys = {city.id: city.public}

    sign_us = _us(lambda: identity.sign_request(kiosk, bare, identity.make_nonce()))
    verify_us = _us(
        lambda: identity.verify_request(kiosk.public, identity.read_request(request), request)
    )
    answer_us = _us(lambda: identity.sign_answer(city, bare_answer, request))
    heard_us = _us(lambda: identity.verify_answer(keys, answer, REPLY, request))
    digest_us = _us(lambda: content_digest(BODY))
    return [
        Figure(
            "identity_kiosk_us",
            sign_us + heard_us,
            "us/call",
            beside=(Beside("sign the request", sign_us), Beside("verify the answer", heard_us)),
            note=f"and {digest_us:.0f} us for the digest of {len(BODY) // 1024} KB, each way",
        ),
        Figure(
            "identity_city_us",
            verify_us + answer_us,
            "us/call",
            beside=(Beside("verify the request", verify_us), Beside("sign the answer", answer_us)),
            note="without looking the key up in the registry",
        ),
        Figure(
            "identity_header_bytes",
            sum(len(f"{name}: {value}\r\n") for name, value in signed.items()),
            "B/request",
            beside=(
                Beside(
                    "in the answer",
                    sum(len(f"{name}: {value}\r\n") for name, value in made.items()),
                ),
                Beside("in the body", 0),
            ),
        ),
    ]


def _us(call: Callable[[], object]) -> float:
    call()
    start = time.perf_counter()
    for _ in range(ROUNDS):
        call()
    return (time.perf_counter() - start) / ROUNDS * 1e6
