"""The archive's store on PostgreSQL, which several receivers may share.

Whoever works on a kiosk has it for one transaction: a lock of PostgreSQL that ends with it, so
there is nothing to clean up after a receiver that died. A connection that breaks costs the calls
that were on it; the next call makes a new one.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, ParamSpec, Self, TypeVar

from sync.city.address import without_password
from sync.city.store import NUL_INSTEAD, VERSION, ArchiveError, AwayError
from sync.orm import (
    DatabaseError,
    InterfaceError,
    InternalError,
    Model,
    OperationalError,
    PostgresqlDatabase,
    Psycopg3Adapter,
    TextField,
)
from sync.sql_thread import SqlThread

try:
    import psycopg
    from psycopg import conninfo, pq
except ImportError as error:
    raise ArchiveError(
        f"PostgreSQL needs psycopg: pip install 'angsila-kiosk[city]' ({error})"
    ) from None

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")

log = logging.getLogger(__name__)

CONNECTIONS = 4  # Of one receiver: while one waits for the disk, others work.
REASON_MAX = 300  # Characters.
_WAITS_S = 30  # A statement that takes longer, or a transaction that nobody goes on with, ends.
# Where the address says nothing of it. A server that is gone without a word is noticed in time.
CONNECTING: dict[str, Any] = {
    "application_name": "angsila city",
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "target_session_attrs": "read-write",  # Of several hosts, the one that takes writes.
}
_PATIENCE_S = 40.0  # Then a server that does not even end a statement is taken for gone.
_SETTINGS = {
    "default_transaction_isolation": "read committed",  # What was waited for must be seen.
    "statement_timeout": f"{_WAITS_S}s",
    "idle_in_transaction_session_timeout": f"{_WAITS_S}s",
    "client_min_messages": "warning",  # See `_Database.commit`.
}
# Under these a commit that has been answered may be gone after a power cut, here or at a replica.
_TOO_WEAK = ("off", "local", "remote_write")
# What a lost connection or a server in trouble looks like; anything else is our bug.
_TROUBLE = (OperationalError, InterfaceError, InternalError)
_SCHEMA = "schema/"  # What a turn is called in which tables are made.


class PostgresStore:
    """One database, some connections, any number of receivers."""

    def __init__(self, address: str) -> None:
        given = _parsed(address)
        self.name = _shown(given)
        self.database = _Database(self.name, **(CONNECTING | given))
        self.thread = _Threads(self)
        self._is_open = False
        self._is_away = False
        self._is_closing = False
        self._fact = _fact_table(self.database)

    def open(self, tables: list[type[Model]]) -> None:
        """Connect, and make what tables are missing. Raises `ArchiveError`."""
        try:
            with self.turn(_SCHEMA):
                self.database.create_tables([self._fact])
                version = self.agree("version", str(VERSION))
                if version != str(VERSION):
                    raise ArchiveError(f"{self.name} has version {version}, not {VERSION}")
                self.database.create_tables(tables)
        except DatabaseError as error:
            raise ArchiveError(f"{self.name}: {_reason(error)}") from None
        self._is_open = True

    async def close(self) -> None:
        """Let all connections go. Calls under way end now, whatever the server does or not."""
        self._is_closing = True
        self.database.cut_all()
        await SqlThread.run(self.thread, self.database.close_all)
        self.thread.close()

    @contextmanager
    def turn(self, *names: str) -> Iterator[None]:
        """A transaction; others that name one of the same things wait until it has ended.

        A lock of a row could not be had by who makes that row. Whoever names two things does it
        in the same order as all others.
        """
        with self.database.atomic(*names):
            yield

    def agree(self, fact: str, ours: str) -> str:
        """What all receivers of this database hold for true; `ours` where nobody said so yet."""
        table = self._fact
        table.insert(name=fact, value=ours).on_conflict_ignore().execute()
        return str(table.get_by_id(fact).value)

    def call(self, work: Callable[[], Result], watch: _Watch) -> Result:
        """Do some work on this thread's connection. Raises `AwayError` where that is gone."""
        if self._is_closing:
            raise AwayError(f"{self.name} is closed")
        try:
            with watch.over(self.database):
                result = work()
        except _TROUBLE as error:
            self.database.drop()
            reason = f"no answer within {_PATIENCE_S} s" if watch.is_over else _reason(error)
            raise self._trouble(reason) from None
        if self._is_away:
            self._is_away = False
            log.warning("%s is back", self.name)
        return result

    def _trouble(self, reason: str) -> AwayError | ArchiveError:
        if not self._is_open:
            return ArchiveError(f"{self.name}: {reason}")
        if not self._is_away and not self._is_closing:
            self._is_away = True
            log.warning("%s is away: %s", self.name, reason)
        return AwayError(f"{self.name} is away")


class _Threads(SqlThread):
    """As many threads as connections: peewee gives each thread one of its own."""

    def __init__(self, store: PostgresStore) -> None:
        super().__init__("archive", CONNECTIONS)
        self._store = store

    async def run(
        self,
        function: Callable[Arguments, Result],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> Result:
        """Call `function` on one of the threads."""
        with _Watch() as watch:
            work = partial(function, *args, **kwargs)
            return await super().run(self._store.call, work, watch)


class _Watch:
    """Ends a call whose server has stopped answering, though its connection stands.

    A server that is frozen, or that waits for a replica which is gone, says nothing; libpq would
    wait for ever.
    """

    def __init__(self) -> None:
        self.is_over = False
        self._lock = threading.Lock()
        self._connection: Any = None
        self._asked_s = 0.0
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        self._look_in(_PATIENCE_S)
        return self

    def __exit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _look_in(self, seconds: float) -> None:
        self._timer = asyncio.get_running_loop().call_later(seconds, self._look)

    def _look(self) -> None:
        with self._lock:
            left_s = self._asked_s + _PATIENCE_S - time.monotonic()
            if self._connection is not None and left_s <= 0:
                self.is_over = True
                _cut(self._connection)
                return
        self._look_in(max(left_s, 0.0) or _PATIENCE_S)

    @contextmanager
    def over(self, database: _Database) -> Iterator[None]:
        """Watch what a thread asks during the block."""
        database.watched.by = self
        try:
            self.on(database.ready())
            yield
        finally:
            database.watched.by = None
            self.on(None)

    def on(self, connection: Any) -> None:
        """Watch this connection from now on."""
        with self._lock:
            self._connection = connection
            self.asked()

    def asked(self) -> None:
        """From now on an answer is waited for."""
        self._asked_s = time.monotonic()


class _Adapter(Psycopg3Adapter):
    """psycopg for peewee, which was imported without it, see `sync.orm`."""

    txn_idle = pq.TransactionStatus.IDLE
    txn_inerror = pq.TransactionStatus.INERROR
    txn_unknown = pq.TransactionStatus.UNKNOWN

    def check_driver(self) -> None:
        """It is there: it was imported above."""

    def get_binary_type(self) -> Any:
        """What marks bytes as such."""
        return bytes

    def connect(self, db: _Database, **params: Any) -> Any:
        """Make a connection."""
        del db
        return psycopg.connect(**params)


class _Database(PostgresqlDatabase):
    """peewee's PostgreSQL, with transactions that begin with a lock, and a text without NUL."""

    psycopg2_adapter = psycopg3_adapter = _Adapter

    def __init__(self, name: str, **parameters: Any) -> None:
        super().__init__(name, **parameters)
        self.watched = threading.local()  # Who watches what this thread asks.
        self._all: set[Any] = set()
        self._all_lock = threading.Lock()

    def _connect(self) -> Any:
        connection = super()._connect()  # type: ignore[misc]  # Its stubs leave it out.
        with self._all_lock:
            self._all = {each for each in self._all if not each.closed} | {connection}
        watch = getattr(self.watched, "by", None)
        if watch is not None:
            watch.on(connection)
        return connection

    def _initialize_connection(self, conn: Any) -> None:
        cursor = conn.execute(
            "SELECT current_setting('synchronous_commit'), current_setting('fsync'),"
            " current_setting('server_encoding')"
        )
        commit, fsync, encoding = cursor.fetchone()
        for (what, found), wanted in (("fsync", fsync), "on"), (("encoding", encoding), "UTF8"):
            if found != wanted:
                raise OperationalError(f"{what} is {found}, and must be {wanted}")
        settings = _SETTINGS | ({"synchronous_commit": "on"} if commit in _TOO_WEAK else {})
        for name, value in settings.items():
            conn.execute("SELECT set_config(%s, %s, false)", (name, value))

    def begin(self, *names: Any) -> None:
        """Begin a transaction and wait for one's turn, in one round trip."""
        locks = [f"SELECT pg_advisory_xact_lock({_number(name)})" for name in names]
        self.execute_sql("; ".join(["BEGIN", *locks]))

    def commit(self) -> None:
        """Commit, and wait until that is on the disk here and at synchronous replicas.

        Raises `OperationalError` where the server warns: when somebody cancels its wait for a
        replica, that commit succeeds, with no more than a warning.
        """
        self._note_question()
        connection, warnings = self.connection(), list[str]()

        def note(warning: Any) -> None:
            warnings.append(str(warning.message_primary))

        connection.add_notice_handler(note)
        try:
            super().commit()
        finally:
            connection.remove_notice_handler(note)
        if warnings:
            raise OperationalError(warnings[0])

    def _note_question(self) -> None:
        watch = getattr(self.watched, "by", None)
        if watch is not None:
            watch.asked()

    def execute_sql(self, sql: str, params: Sequence[Any] | None = None) -> Any:
        """Run one statement."""
        self._note_question()
        if params and any(type(value) is str and "\0" in value for value in params):
            params = [
                value.replace("\0", NUL_INSTEAD) if isinstance(value, str) else value
                for value in params
            ]
        return super().execute_sql(sql, params)  # type: ignore[no-untyped-call]  # In its stubs.

    def ready(self) -> Any:
        """This thread's connection, and not one whose server has gone meanwhile."""
        if not self.is_closed() and _has_ended(self.connection()):
            self.drop()
        if self.is_closed():
            self.connect()
        return self.connection()

    def drop(self) -> None:
        """Let this thread's connection go, whatever state it is in."""
        if not self.is_closed():
            self.connection().close()
            self.dispose()

    def cut_all(self) -> None:
        """End the connections of all threads, from another one."""
        with self._all_lock:
            for connection in self._all:
                _cut(connection)

    def close_all(self) -> None:
        """Let the connections of all threads go."""
        with self._all_lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
        self.dispose()


def _cut(connection: Any) -> None:
    """End a connection that another thread waits on: that thread is told that it has ended."""
    with (
        suppress(OSError, psycopg.OperationalError),  # It has ended by itself.
        socket.socket(fileno=os.dup(connection.fileno())) as end,
    ):
        end.shutdown(socket.SHUT_RDWR)


def _has_ended(connection: Any) -> bool:
    """Whether something has come that nobody asked for: the server says good-bye."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _number(name: str) -> int:
    """What PostgreSQL calls a lock: 64 bits, so two names with one number only wait in vain."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], signed=True)


def _fact_table(database: _Database) -> Any:
    class Fact(Model):
        name = TextField(primary_key=True)
        value = TextField()

    database.bind([Fact], bind_refs=False, bind_backrefs=False)
    return Fact


def _parsed(address: str) -> dict[str, Any]:
    """The parts of an address. Raises `ArchiveError`, without anything that may be a password."""
    given: dict[str, Any] | None = None
    with suppress(psycopg.ProgrammingError):
        given = conninfo.conninfo_to_dict(address)
    if given is None or _is_torn(given):
        raise ArchiveError(
            f"{without_password(address)} is no address of a database; one is"
            " postgresql://USER@HOST:PORT/NAME, and in a password / is written %2F and @ %40"
        )
    return given


def _is_torn(given: dict[str, Any]) -> bool:
    """Whether libpq took a part of a password that has a / or @ for a host, a port or a name."""
    named = f"{given.get('host', '')}{given.get('dbname', '')}"
    return "@" in named or re.fullmatch("[0-9,]*", str(given.get("port", ""))) is None


def _shown(given: dict[str, Any]) -> str:
    user, port = given.get("user"), given.get("port")
    return "".join(
        [
            "postgresql://",
            f"{user}@" if user else "",
            str(given.get("host", "")),
            f":{port}" if port else "",
            f"/{given.get('dbname', '')}",
        ]
    )


def _reason(error: Exception) -> str:
    """What went wrong, on one line; libpq writes several."""
    text = str(error.args[0] if error.args else error)
    return " ".join(text.split())[:REASON_MAX]
