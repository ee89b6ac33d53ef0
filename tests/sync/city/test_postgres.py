"""A city on PostgreSQL: several receivers, a server that goes, and one that was brought back."""

from __future__ import annotations

import asyncio
import shutil
import signal
import threading
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import BaseTestServer, TestServer
from psycopg.pq import TransactionStatus

from drivers.reading import Reading
from sync import wire, wire_pb2
from sync.city import blobs
from sync.city import postgres as postgres_store
from sync.city.archive import Archive, ArchiveError, AwayError
from sync.city.receiver import make_app
from sync.city.service import agreed_key, check_blobs
from sync.clock import Clock
from sync.entry import Anchor, Lane, Stream, SyncError
from sync.identity import CITY_KEY, Identity, Key
from sync.journal import Journal, Options
from sync.ranges import Ranges
from sync.uplink import Options as UplinkOptions
from sync.uplink import RetryAfterError, Uplink
from tests.enrolled import KIOSK, enrolled
from tests.postgres import GUARDED, Cluster, cluster
from tests.sync.lines import Measure, flush_from_hello
from tests.sync.road import pass_on, road
from tests.waiting import until

ON = ("postgres",)
SECRET = "oyster-7"  # noqa: S105  It must not be shown.
KIOSKS = 4
ACTIVE = TransactionStatus.ACTIVE  # A statement is under way.
END_MAX_S = 20
SEGMENTS = 30  # Of each kiosk.
BOOT = "0123456789abcdef0123456789abcdef"


@pytest.fixture
async def other(archive: Archive, database: str, tmp_path: Path) -> AsyncIterator[Archive]:
    """What a second receiver has of the same database."""
    del archive  # It was first.
    opened = await Archive.open(tmp_path / "other", database)
    yield opened
    await opened.close()


@pytest.fixture
async def other_city(other: Archive, city_key: Key) -> AsyncIterator[BaseTestServer]:
    """The second receiver."""
    async with TestServer(make_app(other, city_key)) as server:
        yield server


async def segments_of(journal: Journal) -> list[bytes]:
    """Everything that a journal has sealed."""
    found = await journal.segments(Lane.READINGS, 1, 1 << 40, limit=999, bytes_max=1 << 30)
    return [each.body for each in found]


async def put_schema(archive: Archive, journal: Journal, kiosk: str = KIOSK) -> None:
    """Let the city have a journal's dictionary."""
    schema = journal.schema()
    await archive.put_schema(kiosk, wire.sha256(schema), schema)


async def readings_of(archive: Archive, kiosk: str = KIOSK) -> list[dict[str, Any]]:
    """What the operator reads of a kiosk's readings."""
    return [
        lane
        for found in await archive.fleet()
        if found["kiosk"] == kiosk
        for lane in found["lanes"]
        if lane["lane"] == "readings"
    ]


# --- two receivers ---------------------------------------------------------------------------


async def test_uploads_that_race_on_two_receivers_are_kept_once(
    journal: Journal, archive: Archive, other: Archive, measure: Measure
) -> None:
    """The same and the next segment at both at once: each seq once, one range, one chain."""
    for _ in range(SEGMENTS):
        await measure(5)
    bodies = await segments_of(journal)
    await put_schema(archive, journal)
    async with asyncio.TaskGroup() as group:
        for number, body in enumerate(bodies):
            upload = wire_pb2.Upload(kiosk=KIOSK, segments=[body])
            both = [*bodies[number : number + 2]]
            group.create_task(archive.take(upload))
            group.create_task(other.take(upload))
            group.create_task(other.take(wire_pb2.Upload(kiosk=KIOSK, segments=both)))
    (lane,) = await readings_of(archive)
    assert (lane["got"], lane["alert"]) == ([[1, 5 * SEGMENTS]], "")
    assert await other.segments(KIOSK, Lane.READINGS, journal.epoch, 0, 999) == bodies
    ((stream,),) = [kiosk["streams"] for kiosk in await archive.fleet()]
    assert stream["seq"] == 5 * SEGMENTS


async def test_kiosks_that_are_new_at_two_receivers_at_once_are_entered_once(
    archive: Archive, other: Archive
) -> None:
    """Where there is no row to be locked yet, nobody trips over the other one's."""
    uploads = []
    for number in range(KIOSKS):
        columns = wire_pb2.EventColumns(at_ms=[5], kind=["health"], body=["{}"])
        packed = wire.pack_columns(columns.SerializeToString())
        epoch, kiosk = bytes([number]) * 16, f"kiosk-{number}"
        event = wire.Segment(epoch, Lane.EVENTS, 1, 1, bytes(16), b"", wire.UNLINKED, packed)
        body = wire.encode_segment(event)
        uploads += [wire_pb2.Upload(kiosk=kiosk, segments=[body])] * 3
    async with asyncio.TaskGroup() as group:
        for upload in uploads:
            group.create_task(archive.take(upload))
            group.create_task(other.take(upload))
    assert [len(kiosk["lanes"]) for kiosk in await archive.fleet()] == [1] * KIOSKS
    assert len(await archive.events([], "", 99)) == KIOSKS


async def test_one_token_enrols_one_device_at_two_receivers(
    archive: Archive, other: Archive
) -> None:
    """Two devices that use it at once: one is enrolled, and so is one kiosk of two tokens."""
    tokens = [await archive.registry.new_token() for _ in range(3)]
    at = [archive.registry, other.registry]

    async def enrol(number: int, token: bytes, kiosk: str) -> str:
        try:
            return (await at[number % 2].enrol(token, Key().public, kiosk, {})).kiosk
        except SyncError:
            return ""

    async with asyncio.TaskGroup() as group:
        same_token = [group.create_task(enrol(n, tokens[0], f"pier-{n}")) for n in range(4)]
        same_kiosk = [group.create_task(enrol(n, tokens[1 + n], "market")) for n in range(2)]
    assert sorted(task.result() != "" for task in same_token) == [False, False, False, True]
    assert sorted(task.result() for task in same_kiosk) == ["", "market"]


async def test_a_lost_answer_and_another_receiver_double_nothing(
    journal: Journal,
    make_uplink: Callable[..., Uplink],
    city: BaseTestServer,
    other_city: BaseTestServer,
    archive: Archive,
    measure: Measure,
) -> None:
    """The first receiver commits, its answer is lost, and every call goes to the other in turn."""
    calls = 0

    async def in_turn(request: web.Request) -> web.Response:
        nonlocal calls
        calls += 1
        answer = await pass_on(city if calls % 2 else other_city, request)
        if request.path == "/v1/segments" and answer.status == 200 and calls < 6:
            assert request.transport is not None
            request.transport.abort()
        return answer

    for _ in range(SEGMENTS):
        await measure(3)
    async with road(in_turn) as url:
        uplink = make_uplink(journal, url)
        with pytest.raises(aiohttp.ClientError):
            await uplink.flush()
        calls += 6
        await flush_from_hello(uplink)
    assert journal.pending() == 0
    (lane,) = await readings_of(archive)
    assert lane["got"] == [[1, 3 * SEGMENTS]]
    stored = await archive.segments(KIOSK, Lane.READINGS, journal.epoch, 0, 999)
    assert stored == await segments_of(journal)


async def test_receivers_sign_with_one_key(archive: Archive, other: Archive) -> None:
    """The one that came second with a key of its own does not serve, and says what to do."""
    for folder in (archive.folder, other.folder):
        folder.mkdir()
    key = await agreed_key(archive)
    with pytest.raises(ArchiveError, match=f"with key {key.id}, and .*: put that city's city.key"):
        await agreed_key(other)
    (other.folder / CITY_KEY).write_bytes(key.pem())
    assert (await agreed_key(other)).id == key.id


async def test_receivers_share_one_folder_of_blobs(archive: Archive, other: Archive) -> None:
    """The one that came second with a folder of its own says so; a link to the first one's does."""
    await check_blobs(archive)
    with pytest.raises(ArchiveError, match="is not the folder that the other receivers") as refused:
        await check_blobs(other)
    assert (archive.folder / blobs.FOLDER / blobs.MARK).read_text().strip() in str(refused.value)
    shutil.rmtree(other.folder)
    other.folder.mkdir()
    (other.folder / blobs.FOLDER).symlink_to(archive.folder / blobs.FOLDER)
    await check_blobs(other)


# --- a server that goes ----------------------------------------------------------------------


async def test_without_its_server_a_city_acks_nothing_and_comes_back_by_itself(
    journal: Journal,
    uplink: Uplink,
    city: BaseTestServer,
    archive: Archive,
    postgres: Cluster,
    measure: Measure,
) -> None:
    """503 with Retry-After, signed, while it is away; the next call after that is served."""
    await measure(3)
    await uplink.flush()
    await asyncio.to_thread(postgres.stop)
    try:
        await measure(2)
        with pytest.raises(RetryAfterError) as refused:
            await uplink.flush()
        async with aiohttp.ClientSession() as session, session.get(city.make_url("/health")) as got:
            assert (got.status, got.headers["Retry-After"]) == (503, "5")
        assert refused.value.seconds == 5
        assert journal.pending() == 2
        with pytest.raises(AwayError):
            await archive.count()
    finally:
        await asyncio.to_thread(postgres.start)
    await uplink.flush()
    assert journal.pending() == 0
    (lane,) = await readings_of(archive)
    assert lane["got"] == [[1, 5]]


async def test_a_server_that_says_nothing_at_all_is_away(
    archive: Archive, postgres: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its connection stands and nobody answers, as with a replica that a commit waits for."""
    await archive.count()
    monkeypatch.setattr(postgres_store, "_PATIENCE_S", 0.1)
    with postgres.frozen(), pytest.raises(AwayError):
        await archive.put_schema(KIOSK, wire.sha256(b""), b"")
    monkeypatch.undo()
    assert await archive.count() in (0, 1)


async def test_a_city_ends_although_its_server_says_nothing(
    tmp_path: Path, postgres: Cluster, database: str
) -> None:
    """With a call under way on each connection, and more that wait: none of them holds it up."""
    archive = await Archive.open(tmp_path / "city", database)
    all_at_once = threading.Barrier(postgres_store.CONNECTIONS)
    async with asyncio.TaskGroup() as group:
        for _ in range(postgres_store.CONNECTIONS):
            group.create_task(archive._thread.run(all_at_once.wait))
    assert isinstance(archive._store, postgres_store.PostgresStore)
    connections = archive._store.database._all
    async with asyncio.TaskGroup() as group:
        with postgres.frozen():
            calls = [group.create_task(archive.count()) for _ in range(9)]
            await until(lambda: all(each.info.transaction_status == ACTIVE for each in connections))
            for call in calls:
                call.cancel()
            async with asyncio.timeout(END_MAX_S):
                await archive.close()
    assert all(call.cancelled() for call in calls)


async def test_a_connection_that_died_unused_costs_no_call(
    archive: Archive, postgres: Cluster
) -> None:
    """A server that was started again while nobody asked is noticed before it is asked."""
    async with asyncio.TaskGroup() as group:  # One call on each connection.
        for _ in range(9):
            group.create_task(archive.count())
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)
    assert [await archive.count() for _ in range(9)] == [0] * 9


async def test_a_server_that_is_killed_loses_nothing_that_was_acked(
    journal: Journal, archive: Archive, postgres: Cluster, measure: Measure
) -> None:
    """SIGKILL and then an immediate stop, in the middle of uploads of four kiosks."""
    for _ in range(SEGMENTS):
        await measure(4)
    crowd = Crowd(archive, postgres, journal, await segments_of(journal))
    for kiosk in crowd.acked:
        await put_schema(archive, journal, kiosk)
    async with asyncio.TaskGroup() as group:
        for kiosk in crowd.acked:
            group.create_task(crowd.upload(kiosk))
        await crowd.crash(postgres.kill, after=KIOSKS * SEGMENTS // 4)
        await crowd.crash(lambda: postgres.stop(signal.SIGQUIT), after=KIOSKS * SEGMENTS // 2)
    assert crowd.refusals > 0
    for kiosk in crowd.acked:
        assert await crowd.stored(kiosk) == crowd.bodies
        (lane,) = await readings_of(archive, kiosk)
        assert lane["got"] == [[1, 4 * SEGMENTS]]


class Crowd:
    """Kiosks that upload the same segments until each is acked, over a server that crashes."""

    def __init__(
        self, archive: Archive, server: Cluster, journal: Journal, bodies: list[bytes]
    ) -> None:
        self.bodies = bodies
        self.acked: dict[str, list[bytes]] = {f"kiosk-{number}": [] for number in range(KIOSKS)}
        self.refusals = 0
        self._archive = archive
        self._server = server
        self._epoch = journal.epoch
        self._progress = asyncio.Condition()
        self._up = asyncio.Event()
        self._up.set()

    async def stored(self, kiosk: str) -> list[bytes]:
        """What the city has of a kiosk."""
        return await self._archive.segments(kiosk, Lane.READINGS, self._epoch, 0, 999)

    async def upload(self, kiosk: str) -> None:
        """Bring all segments to the city, one after the other."""
        for body in self.bodies:
            while not await self._is_acked(kiosk, body):
                await self._up.wait()
            self.acked[kiosk].append(body)
            async with self._progress:
                self._progress.notify_all()

    async def _is_acked(self, kiosk: str, body: bytes) -> bool:
        try:
            await self._archive.take(wire_pb2.Upload(kiosk=kiosk, segments=[body]))
        except AwayError:
            self.refusals += 1
            return False
        return True

    async def crash(self, stop: Callable[[], None], after: int) -> None:
        """Crash after so many acks, start again, and look for all that was acked."""
        async with self._progress:
            await self._progress.wait_for(lambda: sum(map(len, self.acked.values())) >= after)
        self._up.clear()
        await asyncio.to_thread(stop)
        before = {kiosk: list(found) for kiosk, found in self.acked.items()}
        await asyncio.to_thread(self._server.start)
        for kiosk, found in before.items():
            assert (await self.stored(kiosk))[: len(found)] == found
        self._up.set()


# --- a point in time -------------------------------------------------------------------------


async def test_a_city_that_was_brought_back_in_time_gets_again_what_it_has_lost(
    tmp_path: Path, city_key: Key
) -> None:
    """Generated = at the city + declared lost, no doubles; the receiver itself ran all the time."""
    with cluster() as server:
        await asyncio.to_thread(server.archive_log)
        archive = await Archive.open(tmp_path / "city", server.database())
        async with TestServer(make_app(archive, city_key)) as city:
            kept = await Line.open(archive, city, city_key, tmp_path / "kiosk", Options())
            pruned = await Line.open(
                archive, city, city_key, tmp_path / "pruned", Options(quota_bytes=0)
            )
            for line in (kept, pruned):
                await line.send(3)
            await asyncio.to_thread(server.back_up, server.folder / "backup")
            for line in (kept, pruned):
                await line.send(2)
            server.sql("SELECT pg_create_restore_point('noon')")
            for line in (kept, pruned):
                await line.send(4)
                await line.send(1)
                assert line.journal.pending() == 0
            await asyncio.to_thread(server.return_to, "noon", server.folder / "backup")
            await until(server.takes_writes)
            for line in (kept, pruned):
                await line.seal(2)
                await flush_from_hello(line.uplink)
            for line, lost in (kept, []), (pruned, [(6, 10)]):
                (lane,) = await readings_of(archive, line.kiosk)
                assert [tuple(found) for found in lane["lost"]] == lost
                assert line.journal.pending() == 0
                assert await line.arrived(archive, Ranges(lost))
            alerts = {lane["alert"] for k in await archive.fleet() for lane in k["lanes"]}
            assert alerts <= {"", "city_restored"}
            assert "city_restored" in alerts
            for line in (kept, pruned):
                await line.journal.close()
        await archive.close()


class Line:
    """A kiosk with its journal and its uplink, which counts what it has made."""

    def __init__(self, kiosk: str, journal: Journal, uplink: Uplink) -> None:
        self.kiosk = kiosk
        self.journal = journal
        self.uplink = uplink
        self.made = 0

    @classmethod
    async def open(
        cls, archive: Archive, city: BaseTestServer, key: Key, folder: Path, options: Options
    ) -> Line:
        """Enrol a kiosk and open its journal."""
        identity: Identity = await enrolled(archive, key, folder, folder.name)
        journal = await Journal.open(
            folder, Clock((), boot=BOOT, boottime_ms=lambda: 50_000), options
        )
        line = UplinkOptions(str(city.make_url("/")), folder.name)
        return cls(folder.name, journal, Uplink(journal, journal.clock, line, identity))

    async def seal(self, count: int) -> None:
        """Make entries of which each has a value of its own."""
        for _ in range(count):
            self.made += 1
            reading = Reading("people", self.made, "1")
            self.journal.append("pier", [reading], 0, simulated=False, decimals={"people": 0})
        await self.journal.seal()

    async def send(self, count: int) -> None:
        """Make entries and bring them to the city."""
        await self.seal(count)
        await self.uplink.flush()

    async def arrived(self, archive: Archive, lost: Ranges) -> bool:
        """Whether the city has each entry once, with its value, but for what is lost."""
        found = []
        epoch = self.journal.epoch
        for body in await archive.segments(self.kiosk, Lane.READINGS, epoch, 0, 999):
            rows = wire.segment_rows(wire.decode_segment(body))
            found += [(row.seq, row.scaled) for row in rows]
        wanted = [seq for seq in range(1, self.made + 1) if not lost.covers(seq, seq)]
        return found == [(seq, seq) for seq in wanted]


# --- what is refused, and what is the same -----------------------------------------------------


ADDRESSES = [
    (f"postgresql://u:{SECRET}@[x/name", "is no address of a database"),
    (f"postgresql://u:{SECRET}@h/name?what=1", "is no address of a database"),
    (f"postgresql://u:{SECRET}/9@h/name", "is no address of a database"),
    (f"postgresql://u:9/{SECRET}@h/name", "is no address of a database"),
    (f"postgresql://u:9@{SECRET}@h/name", "is no address of a database"),
    (f"postgresql://u:{SECRET}@127.0.0.1:1/name", "postgresql://u@127.0.0.1:1/name: .*refused"),
]


@pytest.mark.parametrize(("address", "words"), ADDRESSES)
async def test_an_address_where_nobody_is_is_said_without_its_password(
    tmp_path: Path, address: str, words: str, database: str
) -> None:
    """A slip in the address and a server that is away, each on one line."""
    del database
    with pytest.raises(ArchiveError, match=words) as refused:
        await Archive.open(tmp_path, address)
    assert SECRET not in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_a_database_that_is_not_there_or_does_not_open_is_said(
    tmp_path: Path, postgres: Cluster, database: str
) -> None:
    """No such database, a wrong password, another version or encoding: the name, and why."""
    postgres.sql(f"CREATE DATABASE {GUARDED}")
    postgres.sql("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    archive = await Archive.open(tmp_path / "city", database)
    await archive._thread.run(
        archive._database.execute_sql, "UPDATE fact SET value = '9' WHERE name = 'version'"
    )
    await archive.close()
    for address, words in (
        (postgres.address("nowhere"), '/nowhere: .*database "nowhere" does not exist'),
        (postgres.address(GUARDED, password=SECRET), f"/{GUARDED}: .*password authentication"),
        (postgres.address(GUARDED), f"/{GUARDED}: .*no password supplied"),
        (database, "has version 9, not 1"),
        (postgres.address("latin"), "encoding is LATIN1, and must be UTF8"),
    ):
        with pytest.raises(ArchiveError, match=words) as refused:
            await Archive.open(tmp_path / "city", address)
        assert SECRET not in str(refused.value)
        assert "\n" not in str(refused.value)


async def test_an_ack_waits_for_the_disk_whatever_the_server_says(
    tmp_path: Path, postgres: Cluster, database: str
) -> None:
    """synchronous_commit = off, as some set it for speed, is not what a city gets."""
    del database
    address = postgres.database()
    name = address.partition("@/")[2].partition("?")[0]
    postgres.sql(f"ALTER DATABASE {name} SET synchronous_commit = off")
    archive = await Archive.open(tmp_path / "city", address)
    cursor = await archive._thread.run(archive._database.execute_sql, "SHOW synchronous_commit")
    assert cursor.fetchone() == ("on",)
    await archive.close()


async def test_a_commit_that_a_replica_has_not_got_is_not_acked(
    tmp_path: Path, postgres: Cluster, database: str
) -> None:
    """An operator who cancels the wait for a replica that is gone makes the commit succeed."""
    del database
    archive = await Archive.open(tmp_path / "city", postgres.database())
    waiting = "FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    await asyncio.to_thread(postgres.stop)
    await asyncio.to_thread(postgres.start)
    try:
        async with asyncio.TaskGroup() as group:
            call = group.create_task(refused(archive))
            await until(lambda: postgres.sql(f"SELECT 1 {waiting}"))
            postgres.sql(f"SELECT pg_cancel_backend(pid) {waiting}")
        assert call.result()
    finally:
        postgres.sql("ALTER SYSTEM RESET synchronous_standby_names")
        postgres.sql("SELECT pg_reload_conf()")
    await archive.close()


async def refused(archive: Archive) -> bool:
    """Whether the archive does not take a dictionary."""
    try:
        await archive.put_schema(KIOSK, wire.sha256(b""), b"")
    except AwayError:
        return True
    return False


async def test_no_upload_fails_for_how_the_database_isolates(
    tmp_path: Path, postgres: Cluster, database: str
) -> None:
    """default_transaction_isolation = serializable, as some set it, is not what a city gets."""
    del database
    address = postgres.database()
    name = address.partition("@/")[2].partition("?")[0]
    postgres.sql(f"ALTER DATABASE {name} SET default_transaction_isolation = serializable")
    archive = await Archive.open(tmp_path / "city", address)
    async with asyncio.TaskGroup() as group:
        for _ in range(SEGMENTS):
            group.create_task(archive.put_schema(KIOSK, wire.sha256(b""), b""))
    assert await archive.count() == 1
    await archive.close()


async def test_a_text_with_a_zero_in_it_is_no_poison(archive: Archive) -> None:
    """PostgreSQL has no U+0000 in a text: what a kiosk sends with it is taken all the same."""
    schema = wire.encode_schema([Stream("pi\0er", "people", "1", 0, simulated=False)])
    await archive.put_schema(KIOSK, wire.sha256(schema), schema)
    prefix = wire.sha256(schema)[: wire.SCHEMA_BYTES]
    for seq in (2, 1):
        columns = wire.pack_columns(wire.pack_rows([wire.Row(seq, 0, 5, seq, 0)]))
        head = (bytes(16), Lane.READINGS, seq, 1, bytes(16), prefix, wire.UNLINKED, columns)
        anchor = wire.encode_anchor(Anchor(BOOT, 1, 1_800_000_000_000, 20, "n\0tp"))
        body = wire.encode_segment(wire.Segment(*head))
        await archive.take(wire_pb2.Upload(kiosk=KIOSK, segments=[body], anchors=[anchor]))
    await archive.hello(wire_pb2.HelloRequest(kiosk=KIOSK, name="a\0b", software="c\0d"))
    await archive.registry.alarm(KIOSK, "refused: /\0", "k")
    (kiosk,) = await archive.fleet()
    assert (kiosk["name"], kiosk["software"]) == ("a\N{REPLACEMENT CHARACTER}b", "c\ufffdd")
    assert [(each["stream"], each["seq"]) for each in kiosk["streams"]] == [
        ("pi\ufffder/people", 2)
    ]
    assert await archive.segments("no\0kiosk", Lane.READINGS, bytes(16), 0, 9) == []
