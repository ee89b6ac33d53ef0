"""What a process claims before it starts: a state folder, alone, and an address."""

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from edge.errors import InUseError, PortError, StateError

# What a card does that is full, worn out, or was mounted read-only after an error.
CARD_FAULTS = (errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO)
BACKLOG_MAX = 128


def writable_folder(folder: Path) -> Path:
    """Make `folder` where it is missing and write in it. Raises `StateError`.

    A card that is full, worn or mounted read-only is no reason not to start: the journal
    knows what to do with one, and people can be served from RAM.
    """
    trial = folder / f".trial-{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        trial.write_bytes(b"")
        trial.unlink()
    except OSError as error:
        if error.errno not in CARD_FAULTS or not folder.is_dir():
            raise StateError(f"state folder {folder} cannot be written: {error.strerror}") from None
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process. Raises `InUseError` while another one holds it.

    The folder itself is locked: that needs no file, so it works on a full card, and the
    kernel drops the lock with the process, so a power cut leaves nothing to clean up.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        owner = holder(os.fstat(descriptor).st_ino)
        raise InUseError(
            f"state folder {folder} is in use by another angsila (process {owner})"
        ) from None
    finally:
        os.close(descriptor)


def holder(inode: int) -> str:
    """Find the process that holds a lock, as the kernel lists it in proc(5)."""
    # 1: FLOCK  ADVISORY  WRITE 18587 fe:01:1234567 0 EOF
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "FLOCK" and words[5].rpartition(":")[2] == str(inode):
            return words[4]
    return "unknown"


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
