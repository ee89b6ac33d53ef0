"""A PostgreSQL of the test's own: a cluster in a folder, with Debian's programs, on a socket."""

from __future__ import annotations

import os
import select
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

BOTH = ("sqlite", "postgres")  # What a module says of its tests with `ON`, see tests/sync.
DEBIAN = Path("/usr/lib/postgresql")
USER = "angsila"
GUARDED = "guarded"  # The database that wants a password.
START_MAX_S = 60
SHM = Path("/dev/shm")  # noqa: S108  The folders in it are made by tempfile.
SHM_FREE_BYTES_MIN = 1024 * 1024 * 1024
NOBODY = 65534
SETTINGS = """
listen_addresses = ''
unix_socket_directories = '{socket}'
fsync = on
synchronous_commit = on
shared_buffers = 32MB
max_connections = 60
log_min_messages = warning
wal_level = replica
archive_mode = on
archive_command = '{archive}'
max_wal_senders = 4
restart_after_crash = off
"""


class Cluster:
    """A server with its files, which can be killed, started again, and brought back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files = folder / "files"
        self.wal = folder / "wal"  # The archive of its log.
        self._databases = 0
        self._server: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """Make an empty cluster."""
        self.folder.chmod(0o711)
        self.wal.mkdir()
        self.files.mkdir(mode=0o700)
        if os.geteuid() == 0:
            for path in (self.folder, self.wal, self.files):
                os.chown(path, NOBODY, NOBODY)
        self._run("initdb", "-D", self.files, "-U", USER, "-A", "trust", "-E", "UTF8", "-N")
        self.configure("/bin/true")
        rules = self.files / "pg_hba.conf"
        guarded = f"local {GUARDED} all scram-sha-256\n"  # The first rule that fits counts.
        rules.write_text(guarded + rules.read_text(encoding="utf-8"), encoding="utf-8")

    def configure(self, archive_command: str) -> None:
        """Write the settings of the next start."""
        settings = SETTINGS.format(socket=self.folder, archive=archive_command)
        with (self.files / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(settings)

    def start(self) -> None:
        """Start the server and wait until it says that it is ready, as it says to systemd."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.settimeout(START_MAX_S)
            path = self.folder / "notify"
            path.unlink(missing_ok=True)
            notices.bind(str(path))
            path.chmod(0o777)
            with (self.folder / "log").open("ab") as log:
                self._server = subprocess.Popen(
                    [*as_nobody(), programs() / "postgres", "-D", self.files],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd="/",
                    env={**os.environ, "NOTIFY_SOCKET": str(path)},
                )
            while b"READY=1" not in notices.recv(4096):
                pass

    def stop(self, number: int = signal.SIGINT) -> None:
        """Stop it: SIGINT ends all connections, SIGQUIT leaves what a crash leaves behind."""
        if self._server is not None:
            self._server.send_signal(number)
            self._server.wait(START_MAX_S)
            self._server = None

    def kill(self) -> None:
        """SIGKILL to the server and to all that it has started, until none of them is left.

        It would not start again while one of them still has the memory that they share.
        """
        with self._processes() as found:
            for process in found:
                _send(process, signal.SIGKILL)
            for process in found:
                if not select.select([process], [], [], START_MAX_S)[0]:
                    raise RuntimeError("a process of the server does not end")
        if self._server is not None:
            self._server.wait(START_MAX_S)
        self._server = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """Stop all of its processes during the block, as a machine does that is out of memory."""
        with self._processes() as found:
            for process in found:
                _send(process, signal.SIGSTOP)
            try:
                yield
            finally:
                for process in found:
                    _send(process, signal.SIGCONT)

    @contextmanager
    def _processes(self) -> Iterator[list[int]]:
        """A descriptor of each process (pidfd_open(2)): some end by themselves meanwhile."""
        with ExitStack() as opened:
            found = []
            for pid in self._pids():
                with suppress(ProcessLookupError):
                    found.append(os.pidfd_open(pid))
                    opened.callback(os.close, found[-1])
            yield found

    def _pids(self) -> list[int]:
        """The server's own process, and those that it has started."""
        if self._server is None:
            raise RuntimeError("the server does not run")
        main = self._server.pid
        children = Path(f"/proc/{main}/task/{main}/children").read_text(encoding="ascii").split()
        return [main, *map(int, children)]

    def cpu_s(self) -> float:
        """CPU time of the server so far, and of all that it has started."""
        main, *children = self._pids()
        # Fields 14 to 17 of proc(5): of those that have ended it knows the sum.
        ticks = sum(_ticks(pid, 2) for pid in children) + _ticks(main, 4)
        return ticks / os.sysconf("SC_CLK_TCK")

    def address(self, name: str, **more: str) -> str:
        """The address of a database."""
        options = "".join(f"&{key}={quote(value)}" for key, value in more.items())
        return f"postgresql://{USER}@/{name}?host={quote(str(self.folder), safe='')}{options}"

    def database(self) -> str:
        """Make a fresh database; its address."""
        self._databases += 1
        name = f"city_{self._databases}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'")
        return self.address(name)

    def namespace(self) -> str:
        """Make an empty part of a database, which takes a tenth of the time; its address."""
        self._databases += 1
        name = f"city_{self._databases}"
        self.sql(f"CREATE SCHEMA {name}")
        return self.address("postgres", options=f"-csearch_path={name}")

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run one statement as the superuser; what it says."""
        words = ("-h", self.folder, "-U", USER, "-d", database, "-Atqc", statement)
        return self._run("psql", "-X", "-v", "ON_ERROR_STOP=1", *words)

    def back_up(self, to: Path) -> None:
        """Take a base backup, as an operator does."""
        words = ("-h", self.folder, "-U", USER, "-D", to, "-X", "none", "-c", "fast", "-N")
        self._run("pg_basebackup", *words)

    def archive_log(self) -> None:
        """Keep all of the log from now on, which a return to a point in time needs."""
        self.configure(f"cp %p {self.wal}/%f")
        self.stop()
        self.start()

    def return_to(self, point: str, backup: Path) -> None:
        """Bring the server back to a point in time, as an operator does: backup and log.

        It begins as a server that only reads, see `takes_writes`.
        """
        self.sql("SELECT pg_switch_wal()")
        self.stop()  # It ends when the last of the log is in the archive.
        shutil.rmtree(self.files)
        shutil.copytree(backup, self.files)
        if os.geteuid() == 0:
            for path in (self.files, *self.files.rglob("*")):
                os.chown(path, NOBODY, NOBODY)
        (self.files / "recovery.signal").touch()
        with (self.files / "postgresql.conf").open("a", encoding="utf-8") as file:
            file.write(
                f"restore_command = 'cp {self.wal}/%f %p'\n"
                f"recovery_target_name = '{point}'\nrecovery_target_action = 'promote'\n"
            )
        self.start()

    def takes_writes(self) -> bool:
        """Whether it has read all of the log that it was to read."""
        return self.sql("SELECT pg_is_in_recovery()") == "f"

    def _run(self, program: str, *words: object, check: bool = True) -> str:
        done = subprocess.run(
            [*as_nobody(), str(programs() / program), *map(str, words)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            cwd="/",
            env={**os.environ, "LC_ALL": "C.UTF-8"},
            timeout=START_MAX_S,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"{program} ended with {done.returncode}: {done.stdout}")
        return done.stdout.strip()


def _send(process: int, number: int) -> None:
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(process, number)


def _ticks(pid: int, fields: int) -> int:
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    return sum(map(int, text.rpartition(")")[2].split()[11 : 11 + fields]))


def as_nobody() -> list[str]:
    """What runs a program as nobody, where we are root: the server refuses that."""
    if os.geteuid() != 0:
        return []
    return ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]


def programs() -> Path:
    """Where Debian keeps the newest server's programs; they are not on the path."""
    found = sorted(DEBIAN.glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    if not found:
        raise RuntimeError(f"no PostgreSQL in {DEBIAN}: .ci/setup browser installs it")
    return found[-1].parent


def roomy_ram() -> Path:
    """RAM, if there is enough, or the usual place: a killed process loses no page of either."""
    if SHM.is_dir() and shutil.disk_usage(SHM).free >= SHM_FREE_BYTES_MIN:
        return SHM
    return Path(tempfile.gettempdir())


@contextmanager
def cluster(place: Path | None = None) -> Iterator[Cluster]:
    """A server that runs during the block, in a folder whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=place or roomy_ram()))
    made = Cluster(folder)
    try:
        made.make()
        made.start()
        yield made
    finally:
        made.stop(signal.SIGQUIT)  # Nobody needs its files any more.
        shutil.rmtree(folder)
