"""What a Linux machine says about itself: load, memory, disk, uptime, heat and throttling."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from drivers.errors import BusError, FrameError
from drivers.reading import Reading, measured

if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.reading import SpecRow

THERMAL = "class/thermal/thermal_zone0/temp"
# The firmware's own word on a Raspberry Pi; bit 0 under-voltage, 1 frequency capped,
# 2 throttled, 3 soft temperature limit; from bit 16 on the same, since boot.
THROTTLED = "devices/platform/soc/soc:firmware/get_throttled"


class Host:
    """This machine. It has only those quantities that can really be read on it."""

    KIND = "host"
    SIMULATED = False
    SPEC: tuple[SpecRow, ...] = (
        ("load_1m", "1", 0, 1000, 2),
        ("cpu_used", "%", 0, 100, 1),
        ("memory_used", "%", 0, 100, 1),
        ("disk_used", "%", 0, 100, 1),
        ("uptime", "s", 0, 1e9, 0),
        ("cpu_temperature", "Cel", -40, 150, 1),
        ("throttled", "1", 0, 0xFFFFF, 0),
    )

    def __init__(
        self, disk: str = "/", proc: Path = Path("/proc"), sys: Path = Path("/sys")
    ) -> None:
        self._disk = disk
        self._proc = proc
        self._sys = sys
        self._cpu = (0, 0)
        self._sources: dict[str, Callable[[], float]] = {
            "load_1m": self._load_1m,
            "cpu_used": self._cpu_used,
            "memory_used": self._memory_used,
            "disk_used": self._disk_used,
            "uptime": self._uptime,
        }
        if is_readable(sys / THERMAL):
            self._sources["cpu_temperature"] = self._cpu_temperature
        if is_readable(sys / THROTTLED):
            self._sources["throttled"] = self._throttled
        self.SPEC = tuple(row for row in self.SPEC if row[0] in self._sources)

    async def start(self) -> None:
        """Begin to count the processor's time. Raises `BusError`."""
        self._cpu = self._cpu_times()

    async def read(self) -> tuple[Reading, ...]:
        """Read everything once; it takes well under a millisecond. Raises `BusError`."""
        return tuple(measured(row, self._sources[row[0]]()) for row in self.SPEC)

    async def close(self) -> None:
        """Nothing is held open."""

    def _load_1m(self) -> float:
        return float(self._words("loadavg")[0])

    def _uptime(self) -> float:
        return float(self._words("uptime")[0])

    def _memory_used(self) -> float:
        kilobytes = memory(text(self._proc / "meminfo"))
        return 100 * (1 - kilobytes["MemAvailable"] / kilobytes["MemTotal"])

    def _disk_used(self) -> float:
        try:
            usage = shutil.disk_usage(self._disk)
        except OSError as error:
            raise BusError(f"{self._disk}: {error.strerror}") from error
        return 100 * (1 - usage.free / usage.total) if usage.total else 0.0

    def _cpu_used(self) -> float:
        """Per cent of all cores since the reading before."""
        before, self._cpu = self._cpu, self._cpu_times()
        busy, total = self._cpu[0] - before[0], self._cpu[1] - before[1]
        return min(max(100 * busy / total, 0.0), 100.0) if total > 0 else 0.0

    def _cpu_times(self) -> tuple[int, int]:
        """Busy and whole time of all cores since boot, in the kernel's ticks."""
        # cpu  user nice system idle iowait irq softirq steal guest guest_nice
        # Guest time is in user time already.
        times = [int(word) for word in self._words("stat")[1:9]]
        return sum(times) - times[3] - times[4], sum(times)

    def _cpu_temperature(self) -> float:
        return int(text(self._sys / THERMAL)) / 1000

    def _throttled(self) -> float:
        return int(text(self._sys / THROTTLED), 16)

    def _words(self, name: str) -> list[str]:
        return text(self._proc / name).partition("\n")[0].split()


def text(file: Path) -> str:
    """All of a small file of the kernel. Raises `BusError`."""
    try:
        return file.read_text()
    except OSError as error:
        raise BusError(f"{file}: {error.strerror}") from error


def is_readable(file: Path) -> bool:
    """Whether the kernel gives an answer; some virtual machines have the file, but none."""
    try:
        text(file)
    except BusError:
        return False
    return True


def memory(meminfo: str) -> dict[str, int]:
    """Name → kilobytes, from the text of /proc/meminfo. Raises `FrameError`."""
    found = {}
    for line in meminfo.splitlines():
        name, _, rest = line.partition(":")
        if name in {"MemTotal", "MemAvailable"}:
            found[name] = int(rest.split()[0])
    if len(found) != 2:
        raise FrameError("/proc/meminfo lacks MemTotal or MemAvailable")
    return found
