"""What the bench asks of other processes: to start, to be ready, and what they cost."""

from __future__ import annotations

import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HOST = "127.0.0.1"
STOP_MAX_S = 10
_TICKS_PER_S = os.sysconf("SC_CLK_TCK")

# The child takes the listening socket as systemd hands it over: as descriptor 3, with its own
# pid in LISTEN_PID. So a client may connect before the child has started, and waits in the
# socket's queue; nothing has to be polled.
HAND_OVER = 'LISTEN_PID=$$ LISTEN_FDS=1 exec "$@" 3<&0 0</dev/null'


@contextmanager
def served(command: Sequence[str], log: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """A process that is handed a listening socket; the process and its port."""
    with socket.create_server((HOST, 0)) as listening, log.open("ab") as output:
        port = int(listening.getsockname()[1])
        process: subprocess.Popen[bytes] = subprocess.Popen(
            ["/bin/sh", "-c", HAND_OVER, "sh", *command],
            stdin=listening.fileno(),
            stdout=output,
            stderr=output,
        )
        try:
            yield process, port
        finally:
            stop(process)


def stop(process: subprocess.Popen[bytes]) -> None:
    """End a process of ours, by force if it does not end by itself."""
    process.terminate()
    try:
        process.wait(STOP_MAX_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def cpu_s(pid: int) -> float:
    """CPU time of a process so far, all threads."""
    text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    user, system = text.rpartition(")")[2].split()[11:13]  # Fields 14 and 15 of proc(5).
    return (int(user) + int(system)) / _TICKS_PER_S


def rss_bytes(pid: int) -> int:
    """Memory that a process has now."""
    return _status_kb(pid, "VmRSS") * 1024


def rss_peak_bytes(pid: int) -> int:
    """The most memory that it had since `forget_rss_peak`."""
    return _status_kb(pid, "VmHWM") * 1024


def forget_rss_peak() -> None:
    """Start this process's peak anew, see proc(5), clear_refs."""
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def _status_kb(pid: int, name: str) -> int:
    text = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(text.partition(f"\n{name}:")[2].split()[0])
