"""Kiosk and city over loopback: enrolment, keys that come and go, and who is believed."""

from __future__ import annotations

import shutil
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from sync import enrolment, wire_pb2
from sync.call import PROTOBUF, undated_tls
from sync.city.archive import Archive
from sync.city.receiver import make_app
from sync.clock import FLOOR_UTC_MS, Clock
from sync.enrolment import EnrolmentError
from sync.identity import Identity, Key, write_token
from sync.journal import Journal
from sync.uplink import NotEnrolledError, Options, PortalError, RevokedError, Uplink, UplinkError
from tests.enrolled import KIOSK, UTC_MS, city_says, device, signed
from tests.postgres import BOTH
from tests.sync.lines import Measure, flush_from_hello, state
from tests.sync.road import HEADERS, pass_on, road

ON = BOTH


async def post(
    city: BaseTestServer, path: str, body: bytes, headers: dict[str, str]
) -> tuple[int, str]:
    """Post as it is; status and text."""
    async with (
        aiohttp.ClientSession() as session,
        session.post(city.make_url(path), data=body, headers=headers) as response,
    ):
        return response.status, (await response.read()).decode("utf-8", "replace")


async def call(
    city: BaseTestServer, key: Key, body: bytes, path: str = "/v1/hello"
) -> tuple[int, str]:
    """Post signed with this key; status and text."""
    return await post(city, path, body, signed(key, "POST", path, body))


@pytest.fixture
async def token(archive: Archive, city_key: Key) -> str:
    """A token as the operator prints it."""
    return write_token(await archive.registry.new_token("pier 1"), city_key.public)


@pytest.fixture
def url(city: BaseTestServer) -> str:
    """Where the city is."""
    return str(city.make_url("/"))


# --- enrolment -------------------------------------------------------------------------------


async def test_a_token_makes_a_kiosk_known(
    url: str,
    token: str,
    tmp_path: Path,
    archive: Archive,
    city_key: Key,
    journal: Journal,
    clock: Clock,
) -> None:
    """Token in, device out; then its readings are taken, and the fleet shows where it stands."""
    own = device(tmp_path / "new")
    found = await enrolment.enrol(own, url, token, "kiosk-9", hardware={"serial": "42"})
    assert (found.kiosk, found.site, found.device) == ("kiosk-9", "pier 1", own.key().id)
    assert (kept := own.enrolment()) is not None
    assert kept.letter_key == city_key.opener().public
    await Uplink(journal, clock, Options(url, "kiosk-9"), own).flush()
    (kiosk,) = await archive.fleet()
    (entered,) = kiosk["devices"]
    assert entered["device"] == own.key().id
    assert (entered["site"], entered["hardware"]) == ("pier 1", {"serial": "42"})


async def test_the_same_token_and_key_get_the_same_answer(
    url: str, token: str, tmp_path: Path
) -> None:
    """A power cut between the city's commit and its answer costs nothing."""
    own = device(tmp_path / "new")
    first = await enrolment.enrol(own, url, token, "kiosk-9")
    (tmp_path / "new" / "enrolment.json").unlink()
    second = await enrolment.enrol(own, url, token, "kiosk-9")
    assert second[1:4] == first[1:4]


async def test_a_token_used_twice_is_refused_and_seen(
    url: str, token: str, tmp_path: Path, archive: Archive
) -> None:
    """Another key with a used token gets 409, and the operator sees it in the fleet."""
    await enrolment.enrol(device(tmp_path / "new"), url, token, "kiosk-9")
    thief = device(tmp_path / "thief")
    for _ in range(2):
        with pytest.raises(EnrolmentError, match="409: the token was used by another device"):
            await enrolment.enrol(thief, url, token, "kiosk-9")
    assert thief.enrolment() is None
    (kiosk,) = await archive.fleet()
    (alarm,) = kiosk["alarms"]
    assert (alarm["key"], alarm["times"]) == (thief.key().id, 2)


async def test_an_expired_token_is_refused(tmp_path: Path) -> None:
    """A quarter of an hour by the city's clock, then a token opens nothing."""
    now_ms = [UTC_MS]
    archive = await Archive.open(tmp_path / "other", wall_ms=lambda: now_ms[0])
    key = Key()
    async with TestServer(make_app(archive, key)) as server:
        secrets = [await archive.registry.new_token() for _ in range(2)]
        tokens = [write_token(secret, key.public) for secret in secrets]
        now_ms[0] += 15 * 60 * 1000
        at = str(server.make_url("/"))
        await enrolment.enrol(device(tmp_path / "a"), at, tokens[0], "kiosk-1")
        now_ms[0] += 1
        with pytest.raises(EnrolmentError, match="401: the token has expired"):
            await enrolment.enrol(device(tmp_path / "b"), at, tokens[1], "kiosk-2")
    await archive.close()


async def test_a_token_is_not_kept_at_the_city(token: str, archive: Archive, database: str) -> None:
    """Who steals the city's file cannot enrol with it: there is only a hash in it."""
    secret = await archive.registry.new_token()
    table = archive.registry._tables.token
    kept = [repr(row) for row in await archive._thread.run(lambda: list(table.select().dicts()))]
    files = [] if database else [path.read_bytes() for path in archive.folder.iterdir()]
    assert len(kept) == 2
    assert not any(repr(secret) in row or token in row for row in kept)
    assert not any(secret in content or token.encode() in content for content in files)


async def test_an_unknown_token_is_refused(
    url: str, city_key: Key, tmp_path: Path, archive: Archive
) -> None:
    """A guessed token opens nothing and leaves no trace."""
    guessed = write_token(bytes(16), city_key.public)
    with pytest.raises(EnrolmentError, match="401: not a token of this city"):
        await enrolment.enrol(device(tmp_path / "new"), url, guessed, "kiosk-9")
    assert await archive.fleet() == []


async def test_another_city_is_recognised(url: str, tmp_path: Path, archive: Archive) -> None:
    """Who stands in the city's way cannot answer for it: the token names the city's key."""
    token = write_token(await archive.registry.new_token(), Key().public)
    own = device(tmp_path / "new")
    with pytest.raises(EnrolmentError, match="not the city that gave the token"):
        await enrolment.enrol(own, url, token, "kiosk-9")
    assert own.enrolment() is None


async def test_a_kiosk_is_one_device(
    url: str, token: str, tmp_path: Path, archive: Archive, identity: Identity
) -> None:
    """A second device does not become a kiosk that is there already, until that is revoked."""
    new = device(tmp_path / "new")
    with pytest.raises(EnrolmentError, match=f"409: {KIOSK} is device {identity.key().id}"):
        await enrolment.enrol(new, url, token, KIOSK)
    await archive.registry.revoke(KIOSK)
    assert (await enrolment.enrol(new, url, token, KIOSK)).device == new.key().id


async def test_nobody_enrols_anothers_key(city: BaseTestServer, archive: Archive) -> None:
    """Who does not have the private key cannot enter the public one."""
    mine, theirs = Key(), Key()
    secret = await archive.registry.new_token()
    request = wire_pb2.EnrolRequest(token=secret, public_key=theirs.public.raw, kiosk="kiosk-9")
    body = request.SerializeToString()
    status, text = await call(city, mine, body, "/v1/enrol")
    assert status == 401
    assert "signed with key" in text


# --- requests --------------------------------------------------------------------------------


def hello(boot: bytes = bytes(16), boottime_ms: int = 5, kiosk: str = KIOSK) -> bytes:
    """A hello."""
    message = wire_pb2.HelloRequest(kiosk=kiosk, boot=boot, boottime_ms=boottime_ms)
    return message.SerializeToString()


PATHS = ("/v1/hello", "/v1/segments", "/v1/rotate", "/v1/enrol")


@pytest.mark.parametrize("path", PATHS)
async def test_what_is_not_signed_is_refused(city: BaseTestServer, path: str) -> None:
    """Without a signature a kiosk can ask the time, and nothing else."""
    headers = {"Content-Digest": signed(Key(), "POST", path, b"")["Content-Digest"]}
    status, text = await post(city, path, b"", headers)
    assert (status, text) == (401, "not signed\n")


async def test_an_unknown_key_is_refused(city: BaseTestServer, archive: Archive) -> None:
    """A key that was never enrolled is named, and nothing is noted."""
    key = Key()
    status, text = await call(city, key, hello())
    assert status == 401
    assert f"unknown key '{key.id}'" in text
    assert await archive.fleet() == []


async def test_a_key_speaks_for_its_own_kiosk(city: BaseTestServer, identity: Identity) -> None:
    """A good device that claims to be another kiosk is refused."""
    status, text = await call(city, identity.key(), hello(kiosk="kiosk-2"))
    assert status == 401
    assert f"the key of {KIOSK} does not speak for 'kiosk-2'" in text


async def test_a_tampered_body_is_refused(city: BaseTestServer, identity: Identity) -> None:
    """A body that is not the signed one: 400, and 401 where its digest was made to fit."""
    headers = signed(identity.key(), "POST", "/v1/hello", hello())
    tampered = hello(boottime_ms=6)
    assert (await post(city, "/v1/hello", tampered, headers))[0] == 400
    headers["Content-Digest"] = signed(Key(), "POST", "/", tampered)["Content-Digest"]
    status, text = await post(city, "/v1/hello", tampered, headers)
    assert status == 401
    assert "bad signature" in text


async def test_an_old_hello_sent_once_more_is_refused(
    city: BaseTestServer, identity: Identity
) -> None:
    """A copy sets nothing off again: neither of this boot nor of an earlier one."""
    key, boots = identity.key(), (b"a" * 16, b"b" * 16)
    sent = [(boots[0], 5), (boots[0], 9), (boots[0], 9), (boots[0], 5), (boots[1], 1)]
    sent += [(boots[0], 9), (boots[0], 10)]
    found = [(await call(city, key, hello(boot, at_ms)))[0] for boot, at_ms in sent]
    assert found == [200, 200, 200, 401, 200, 401, 200]


async def test_a_replayed_upload_changes_nothing(
    journal: Journal,
    city: BaseTestServer,
    archive: Archive,
    make_uplink: Callable[..., Uplink],
    measure: Measure,
) -> None:
    """The same upload, byte for byte with its signature: 200, and nothing doubles."""
    await measure(5)
    heard: list[tuple[bytes, dict[str, str]]] = []

    async def listen(request: web.Request) -> web.Response:
        if request.path == "/v1/segments":
            headers = {name: request.headers[name] for name in HEADERS}
            heard.append((await request.read(), headers))
        return await pass_on(city, request)

    async with road(listen) as url:
        await make_uplink(journal, url).flush()
    before = await archive.fleet()
    for body, headers in heard:
        assert (await post(city, "/v1/segments", body, headers))[0] == 200
    (kiosk,), (was,) = await archive.fleet(), before
    assert [lane["got"] for lane in kiosk["lanes"]] == [lane["got"] for lane in was["lanes"]]
    assert [lane["quarantined"] for lane in kiosk["lanes"]] == [[] for _ in was["lanes"]]


# --- answers ---------------------------------------------------------------------------------


async def test_a_portal_that_speaks_protobuf_is_no_city(
    journal: Journal, make_uplink: Callable[..., Uplink], measure: Measure
) -> None:
    """A 200 with a body of the right type and no signature is no ack; the state says portal."""
    await measure(3)

    async def portal(_: web.Request) -> web.Response:
        return web.Response(body=b"", content_type=PROTOBUF)

    async with road(portal) as url:
        reason = await state(make_uplink(journal, url), "portal")
    assert "a 200 that is not the city's: not signed" in reason
    assert journal.pending() == 3


async def test_a_forged_ack_is_none(
    journal: Journal, make_uplink: Callable[..., Uplink], measure: Measure
) -> None:
    """Somebody who signs with a key of his own is not the city, and nothing is deleted."""
    await measure(3)
    forger = Key()

    async def forge(request: web.Request) -> web.Response:
        return city_says(forger, request, b"")

    async with road(forge) as url:
        uplink = make_uplink(journal, url)
        with pytest.raises(PortalError, match="which is not the city's"):
            await uplink.flush()
    assert journal.pending() == 3


@pytest.mark.parametrize("status", [200, 204, 409, 428])
async def test_what_a_kiosk_acts_on_is_signed(
    journal: Journal,
    city_key: Key,
    make_uplink: Callable[..., Uplink],
    measure: Measure,
    status: int,
) -> None:
    """Nobody on the way can make a kiosk begin a new epoch, give up its schema, or forget."""
    await measure(3)
    epoch = journal.epoch

    async def meddle(request: web.Request) -> web.Response:
        if request.path == "/v1/time":
            return city_says(city_key, request, b"")
        return web.Response(status=status, text="0011223344556677")

    async with road(meddle) as url:
        with pytest.raises(PortalError):
            await make_uplink(journal, url).flush()
    assert (journal.epoch, journal.pending()) == (epoch, 3)


async def test_yesterdays_answer_is_no_ack(
    journal: Journal,
    city_key: Key,
    make_uplink: Callable[..., Uplink],
    measure: Measure,
) -> None:
    """An answer of the city itself, recorded and played again, verifies for no other request."""
    await measure(3)
    recorded: list[web.Response] = []

    async def replay(request: web.Request) -> web.Response:
        answer = city_says(city_key, request, b"")
        if request.path == "/v1/hello":
            recorded.append(answer)
            old = recorded[0]
            return web.Response(body=old.body, headers=old.headers)
        return answer

    async with road(replay) as url:
        uplink = make_uplink(journal, url)
        with pytest.raises(UplinkError, match="has not taken"):
            await uplink.flush()
        with pytest.raises(PortalError, match="bad signature"):
            await flush_from_hello(uplink)
    assert len(recorded) == 2


# --- time ------------------------------------------------------------------------------------


async def test_a_kiosk_of_1970_takes_the_signed_time_first(
    journal: Journal, clock: Clock, city_key: Key, make_uplink: Callable[..., Uplink]
) -> None:
    """Before anything else it asks the time, and keeps how wrong that can be."""
    asked: list[str] = []

    async def tell(request: web.Request) -> web.Response:
        asked.append(request.path)
        return city_says(city_key, request, b"")

    async with road(tell) as url:
        await make_uplink(journal, url).flush()
    assert asked[:2] == ["/v1/time", "/v1/hello"]
    assert (clock.source, clock.utc_ms()) == ("city", UTC_MS)
    assert clock.error_ms == 1, "the test's clock stands still: a round trip of 0 ms, and 1 more"
    assert journal.anchors[0].utc_ms == UTC_MS > FLOOR_UTC_MS


@pytest.mark.parametrize("forger", [True, False])
async def test_a_time_that_nobody_vouches_for_is_none(
    journal: Journal,
    clock: Clock,
    city_key: Key,
    make_uplink: Callable[..., Uplink],
    forger: bool,  # noqa: FBT001  It is the test's parameter.
) -> None:
    """A time with another key, or that answers another question, does not set the clock."""

    async def tell(request: web.Request) -> web.Response:
        if forger:
            return city_says(Key(), request, b"")
        other = request.clone(rel_url="/v1/time?nonce=another")
        return city_says(city_key, other, b"")

    async with road(tell) as url:
        with pytest.raises(PortalError, match="/v1/time"):
            await make_uplink(journal, url).flush()
    assert clock.utc_ms() is None


async def test_a_certificate_of_the_future_does_not_keep_the_time_away(
    journal: Journal,
    clock: Clock,
    archive: Archive,
    city_key: Key,
    make_uplink: Callable[..., Uplink],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To a clock of 1970 every certificate is of the future; name and issuer are still checked."""
    monkeypatch.setenv("SSL_CERT_FILE", str(future_certificate(tmp_path)))
    undated_tls.cache_clear()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(tmp_path / "tls.pem")
    app = make_app(archive, city_key)
    async with served(app, tls) as url:
        dated = aiohttp.ClientSession()
        async with dated:
            with pytest.raises(aiohttp.ClientConnectorCertificateError, match="not yet valid"):
                await dated.get(url, ssl=ssl.create_default_context())
        await make_uplink(journal, url).flush()
        with pytest.raises(aiohttp.ClientConnectorCertificateError, match="mismatch"):
            await make_uplink(journal, url.replace("127.0.0.1", "localhost")).flush()
    undated_tls.cache_clear()
    assert clock.source == "city"


@asynccontextmanager
async def served(app: web.Application, tls: ssl.SSLContext) -> AsyncIterator[str]:
    """Serve with TLS on loopback; the address."""
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
        yield f"https://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


def future_certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that becomes valid tomorrow, with its key."""
    key = Ed25519PrivateKey.generate()
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "city")])
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(tomorrow)
        .not_valid_after(tomorrow + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, None)
    )
    path = folder / "tls.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + made.public_bytes(pem))
    return path


# --- keys that come and go -------------------------------------------------------------------


async def test_a_revoked_kiosk_goes_on_and_keeps_what_it_measures(
    journal: Journal, archive: Archive, uplink: Uplink, measure: Measure
) -> None:
    """Its state says revoked, nothing is lost on it, and the operator sees that it calls."""
    await uplink.flush()
    await archive.registry.revoke(KIOSK)
    await measure(3)
    with pytest.raises(RevokedError):
        await uplink.flush()
    assert "revoked" in await state(uplink, "revoked")
    assert journal.pending() == 3
    (kiosk,) = await archive.fleet()
    assert [alarm["what"] for alarm in kiosk["alarms"]] == ["a revoked device still calls"]
    assert kiosk["devices"][0]["revoked_utc_ms"] > FLOOR_UTC_MS


async def test_a_new_device_takes_over_a_revoked_one(
    url: str,
    token: str,
    journal: Journal,
    archive: Archive,
    uplink: Uplink,
    identity: Identity,
    measure: Measure,
) -> None:
    """With a new key and a new token the same journal goes on; the uplink sees it by itself."""
    await measure(3)
    await archive.registry.revoke(KIOSK)
    with pytest.raises(RevokedError):
        await uplink.flush()
    with pytest.raises(EnrolmentError, match="revoked or replaced: enrol with a new one"):
        await enrolment.enrol(identity, url, token, KIOSK)
    identity.forget_key()
    await enrolment.enrol(identity, url, token, KIOSK)
    await uplink.flush()
    assert journal.pending() == 0


async def test_a_key_is_rotated(url: str, token: str, tmp_path: Path, city: BaseTestServer) -> None:
    """The new key counts, the old one no more, and the device is the same."""
    own = device(tmp_path / "new")
    first = await enrolment.enrol(own, url, token, "kiosk-9")
    found = await enrolment.rotate(own)
    assert found.device == first.device
    assert own.key().id == found.key.id != first.key.id
    answers = [await call(city, key, hello(kiosk="kiosk-9")) for key in (first.key, found.key)]
    assert [status for status, _ in answers] == [401, 200]
    assert answers[0][1].startswith(f"replaced: key {first.key.id}")


async def test_a_rotation_that_a_power_cut_broke_off_is_ended(
    url: str, token: str, tmp_path: Path, journal: Journal, clock: Clock
) -> None:
    """The city has the new key, the kiosk has not gone over: the city's word makes it do so."""
    own = device(tmp_path / "new")
    await enrolment.enrol(own, url, token, "kiosk-9")
    own.next_key()
    shutil.copytree(tmp_path / "new", tmp_path / "cut")
    await enrolment.rotate(own)
    cut = Identity(tmp_path / "cut")
    uplink = Uplink(journal, clock, Options(url, "kiosk-9"), cut)
    await uplink.flush()
    assert cut.key().id == own.key().id


async def test_a_running_kiosk_goes_on_with_a_key_that_was_rotated_beside_it(
    url: str, token: str, tmp_path: Path, journal: Journal, clock: Clock
) -> None:
    """The command has changed the key on the card: the very call that finds out goes through."""
    own = device(tmp_path / "new")
    await enrolment.enrol(own, url, token, "kiosk-9")
    uplink = Uplink(journal, clock, Options(url, "kiosk-9"), own)
    await uplink.flush()
    await enrolment.rotate(Identity(tmp_path / "new"))
    await flush_from_hello(uplink)
    assert uplink.status()["state"] == "online"


async def test_nobody_rotates_to_a_key_that_is_not_his(
    city: BaseTestServer, identity: Identity
) -> None:
    """The new key has to sign as well."""
    request = wire_pb2.RotateRequest(public_key=Key().public.raw, proof=bytes(64))
    body = request.SerializeToString()
    status, text = await call(city, identity.key(), body, "/v1/rotate")
    assert status == 401
    assert "bad signature" in text


async def test_a_kiosk_that_is_not_enrolled_goes_on(
    journal: Journal,
    clock: Clock,
    url: str,
    tmp_path: Path,
    measure: Measure,
) -> None:
    """It keeps what it measures, says what to do, and sends nothing to anybody."""
    await measure(3)
    own = device(tmp_path / "new")
    uplink = Uplink(journal, clock, Options(url, KIOSK), own)
    with pytest.raises(NotEnrolledError):
        await uplink.flush()
    assert "angsila enrol" in await state(uplink, "not enrolled")
    assert journal.pending() == 3


async def test_settings_that_name_another_kiosk_are_not_believed(
    journal: Journal, clock: Clock, url: str, identity: Identity
) -> None:
    """Who renames a kiosk enrols it again: its data does not go under two names."""
    uplink = Uplink(journal, clock, Options(url, "renamed"), identity)
    with pytest.raises(NotEnrolledError, match=f"enrolled as {KIOSK}, but the settings say ren"):
        await uplink.flush()
