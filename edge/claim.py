"""What a process claims before it starts: a state folder, alone, and an address."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import InUseError, PortError, StateError

LOCK = "lock"
BACKLOG_MAX = 128


def writable_folder(folder: Path) -> Path:
    """Make `folder` where it is missing and write in it. Raises `StateError`."""
    trial = folder / f".trial-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        raise StateError(f"state folder {folder} cannot be written: {error.strerror}") from None
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. Raises `InUseError` while another one holds it.

    The kernel drops the lock with the process, so a power cut leaves nothing to clean up.
    """
    with (folder / LOCK).open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read(20).strip() or "unknown"
            raise InUseError(
                f"state folder {folder} is in use by another angsila (process {owner})"
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def listen(host: str, port: int) -> socket.socket:
    """Listen on `host` and `port`. Raises `PortError`."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG_MAX)
    except socket.gaierror as error:
        raise PortError(f"{host} is no address of this machine: {error.strerror}") from None
    except OSError as error:
        reason = "in use by another program" if error.errno == errno.EADDRINUSE else error.strerror
        raise PortError(f"{host} port {port} cannot be listened on: {reason}") from None
