"""A computer that can lose its power: User-Mode Linux on the host's files, with a card of its own.

The kernel runs as a process, with its own page cache and ext4. What it has not written to the
card when it is killed is gone, as in a power cut. The card itself, a file, keeps what it got.
"""

from __future__ import annotations

import ctypes
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import deque
from contextlib import suppress
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
KERNEL = "linux.uml"
MEMORY = "256M"
CARD_BYTES = 64 * 1024 * 1024
PR_SET_CHILD_SUBREAPER = 36
WORDS_KEPT = 40  # Lines of the kernel's own, for a report.
FSCK_LEFT_ERRORS = 4  # e2fsck(8), exit code.
READ_BYTES = 65536


class MachineError(Exception):
    """No machine, or it ended by itself; says why."""


def prepare() -> None:
    """See that there is a kernel, and be told when its processes end. Raises `MachineError`."""
    done = subprocess.run([str(ROOT / ".ci" / "setup"), "powercut"], check=False)
    if done.returncode or shutil.which(KERNEL) is None:
        raise MachineError("there is no User-Mode Linux")
    # The kernel's helpers are nobody's children once it is killed; so they become ours.
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise MachineError("prctl(PR_SET_CHILD_SUBREAPER) is not permitted")


@cache
def _namespace() -> list[str]:
    """How to give the machine process ids of its own; empty where that is not permitted."""
    command = ["unshare", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        command += ["--user", "--map-current-user"]
    tried = subprocess.run([*command, "true"], check=False, capture_output=True)
    return [] if tried.returncode else command


def make_card(image: Path) -> None:
    """Format a card the way a kiosk's data partition is."""
    with image.open("wb") as file:
        file.truncate(CARD_BYTES)
    _card_tool("mkfs.ext4", "-q", "-F", "-b", "4096", str(image))


def repair(image: Path) -> bool:
    """Check and repair the file system as a kiosk's start does; whether there was need to."""
    status = _card_tool("e2fsck", "-f", "-y", str(image))
    if status >= FSCK_LEFT_ERRORS:
        raise MachineError(f"e2fsck ended with status {status}")
    return status > 0


def _card_tool(*command: str) -> int:
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    done = subprocess.run(
        command, check=False, capture_output=True, env={**os.environ, "PATH": path}
    )
    return done.returncode


class Machine:
    """One run of it, from power on to the cut."""

    def __init__(self, folder: Path, image: Path, asked: str, environment: dict[str, str]) -> None:
        (folder / "card").mkdir(exist_ok=True)
        (folder / "asked").write_text(asked)
        told = {
            "PYTHONPATH": str(ROOT),
            "POWERCUT_PYTHON": sys.executable,
            "POWERCUT_GUEST": str(HERE / "guest.py"),
            "POWERCUT_CARD": str(folder / "card"),
            "POWERCUT_ASKED": str(folder / "asked"),
            **environment,
        }
        # Should this program be killed, the machine does not run on: setpriv sees to it. And
        # the kernel's helpers end with the namespace that it is the first process of.
        command = ["setpriv", "--pdeathsig", "KILL", *_namespace()]
        command += [KERNEL, f"mem={MEMORY}", f"ubd0={image}"]
        command += ["rootfstype=hostfs", "rootflags=/", "root=/dev/root", "ro", "quiet"]
        command += [f"init={HERE / 'init.sh'}", "con=null", "con0=fd:0,fd:1"]
        command += [f"{name}={value}" for name, value in told.items()]
        self.words: deque[str] = deque(maxlen=WORDS_KEPT)
        self._buffer = b""
        self.on_at_s = self.off_at_s = time.monotonic()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def hear(self, until_s: float) -> str | None:
        """The next line for us; None when the time has come. Raises `MachineError` at its end."""
        while True:
            line, separator, rest = self._buffer.partition(b"\n")
            if separator:
                self._buffer = rest
                text = line.decode(errors="replace").rstrip("\r")
                if text.startswith("@"):
                    return text
                self.words.append(text)
                continue
            if not self._read(until_s - time.monotonic()):
                return None

    def _read(self, limit_s: float) -> bool:
        console = self._console()
        if not select.select([console], [], [], max(0.0, limit_s))[0]:
            return False
        got = os.read(console, READ_BYTES)
        if not got:
            raise MachineError(f"the machine ended: {' / '.join(list(self.words)[-3:])}")
        self._buffer += got
        return True

    def _console(self) -> int:
        if self._process.stdout is None:
            raise MachineError("it has no console")
        return self._process.stdout.fileno()

    def cut(self) -> list[str]:
        """Cut the power; what it had said to us before."""
        self.off_at_s = time.monotonic()
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        with suppress(ChildProcessError):
            while True:  # Only when all are gone does nobody write to the card any more.
                os.waitpid(-1, 0)
        said = []
        with suppress(MachineError):  # The end of the console: all is heard.
            while (line := self.hear(time.monotonic())) is not None:
                said.append(line)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return said
