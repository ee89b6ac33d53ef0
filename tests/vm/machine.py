"""A virtual machine with Debian's own kernel: QEMU without KVM, on the host's files, read-only.

The kernel and bluetoothd are unpacked below build/vm and not installed. A small first file system
holds busybox and the modules that reach the host's files; everything else is read from there.
"""

from __future__ import annotations

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
BUILD = ROOT / "build" / "vm"
DEBIAN = BUILD / "debian"
BUMBLE_PYTHON = ROOT / "build" / "vm-venv" / "bin" / "python"
QEMU = "qemu-system-x86_64"
MEMORY_MB = 768
# In this order: each needs those before it.
BOOT_MODULES = ("virtio_pci", "9pnet_virtio", "9p")
MODULES_MAX = 32
SOURCES = ("drivers", "sync", "kiosk_ui", "edge", "tests")
READ_BYTES = 65536
TOOL_MAX_S = 120.0


class MachineError(Exception):
    """No machine can run here; says why."""


def prepare() -> None:
    """See that everything is there. Raises `MachineError`."""
    done = subprocess.run([str(ROOT / ".ci" / "setup"), "vm"], check=False)
    if done.returncode or shutil.which(QEMU) is None:
        raise MachineError("QEMU, a kernel or bluetoothd is missing")
    # The machine cannot write what it has compiled, and takes ten times as long to do it.
    tool([sys.executable, "-m", "compileall", "-q", *SOURCES], ROOT)


def kernel() -> tuple[Path, str]:
    """The kernel and its version. Raises `MachineError`."""
    found = sorted((DEBIAN / "boot").glob("vmlinuz-*"))
    if not found:
        raise MachineError(f"there is no kernel in {DEBIAN / 'boot'}")
    return found[-1], found[-1].name.removeprefix("vmlinuz-")


def make_first_files(folder: Path, version: str) -> Path:
    """Pack the first file system, an initramfs; where it is. Raises `MachineError`."""
    root = folder / "first"
    for name in ("bin", "proc", "sys", "host", "modules", "dev"):
        (root / name).mkdir(parents=True)
    busybox = shutil.which("busybox") or "/bin/busybox"
    shutil.copy(busybox, root / "bin" / "busybox")
    for applet in ("mount", "insmod", "poweroff", "switch_root"):
        (root / "bin" / applet).symlink_to("busybox")
    shutil.copy(HERE / "init.sh", root / "init")
    for number, path in enumerate(boot_modules(version)):
        shutil.copy(path, root / "modules" / f"{number:02}-{path.name}")
    packed = folder / "first.cpio"
    names = "\n".join(str(path.relative_to(root)) for path in sorted(root.rglob("*")))
    with packed.open("wb") as file:
        tool([busybox, "cpio", "-o", "-H", "newc"], root, names, file.fileno())
    return packed


def boot_modules(version: str) -> list[Path]:
    """Files of the modules that reach the host's files, and of those they need, in order."""
    found: list[Path] = []
    for name in BOOT_MODULES:
        command = ["modprobe", "-d", str(DEBIAN), "-S", version, "--show-depends", name]
        for line in tool(command, ROOT).splitlines():
            word, _, rest = line.partition(" ")
            path = Path(rest.strip())
            if word == "insmod" and path not in found:
                found.append(path)
    if len(found) > MODULES_MAX:
        raise MachineError(f"{len(found)} modules to boot, at most {MODULES_MAX}")
    return found


def tool(command: list[str], folder: Path, told: str = "", output: int | None = None) -> str:
    """Run one of Debian's tools; what it says. Raises `MachineError`."""
    path = f"{os.environ['PATH']}:/usr/sbin:/sbin"
    try:
        done = subprocess.run(
            command,
            check=True,
            cwd=folder,
            input=told.encode(),
            stdout=subprocess.PIPE if output is None else output,
            stderr=subprocess.PIPE,
            timeout=TOOL_MAX_S,
            env={**os.environ, "PATH": path},
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = getattr(error, "stderr", None) or b""
        raise MachineError(f"{command[0]}: {error} {said.decode(errors='replace')}") from error
    return "" if done.stdout is None else done.stdout.decode()


def command_line(image: Path, first_files: Path, told: dict[str, str]) -> list[str]:
    """How QEMU is called."""
    words = " ".join(f"{name}={value}" for name, value in told.items())
    return [
        # Should this program be killed, the machine does not run on: setpriv sees to it.
        *("setpriv", "--pdeathsig", "KILL"),
        *(QEMU, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        # KVM is not everywhere, and where it is nested it may hang.
        *("-accel", "tcg,thread=multi", "-cpu", "max", "-smp", "2", "-m", str(MEMORY_MB)),
        *("-kernel", str(image), "-initrd", str(first_files)),
        *("-append", f"console=ttyS0 loglevel=3 panic=-1 {words}"),
        *("-serial", "stdio"),
        "-fsdev",
        "local,id=host,path=/,security_model=none,readonly=on,multidevs=remap",
        *("-device", "virtio-9p-pci,fsdev=host,mount_tag=host"),
    ]


def environment(silence_s: str, fault: str) -> dict[str, str]:
    """What the machine is told."""
    return {
        "VM_ROOT": str(ROOT),
        "VM_PYTHON": sys.executable,
        "VM_BUMBLE_PYTHON": str(BUMBLE_PYTHON),
        "VM_DEBIAN": str(DEBIAN),
        "VM_SILENCE_S": silence_s,
        **({"FAULT": fault} if fault else {}),
    }


@contextmanager
def running(command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    """Run the machine during the block; then it is gone."""
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def lines_of(process: subprocess.Popen[bytes], limit_s: float) -> Iterator[str]:
    """The console, line by line, until the machine ends. Raises `MachineError` at the limit."""
    if process.stdout is None:
        raise MachineError("it has no console")
    console, buffer = process.stdout.fileno(), b""
    end_s = time.monotonic() + limit_s
    while True:
        left_s = end_s - time.monotonic()
        if left_s <= 0 or not select.select([console], [], [], left_s)[0]:
            raise MachineError(f"it was not done after {limit_s:.0f} s")
        got = os.read(console, READ_BYTES)
        *lines, buffer = (buffer + got).split(b"\n")
        yield from (line.decode(errors="replace").rstrip("\r") for line in lines)
        if not got:
            return
