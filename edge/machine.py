"""The board itself, for the technician: its serial, its disk, its heat and its power."""

import shutil
from pathlib import Path
from typing import Any

SERIAL = Path("/proc/device-tree/serial-number")
MODELS = (Path("/proc/device-tree/model"), Path("/sys/class/dmi/id/product_name"))
HEAT = Path("/sys/class/thermal/thermal_zone0/temp")
THROTTLED = Path("/sys/devices/platform/soc/soc:firmware/get_throttled")
TEXT_MAX = 60


def machine(folder: Path) -> dict[str, Any]:
    """What the kernel says now; None for what this board does not tell."""
    free_bytes, all_bytes = disk(folder)
    models = [text for path in MODELS if (text := read(path))]
    return {
        "serial": read(SERIAL),
        "model": models[0] if models else None,
        "disk_free_bytes": free_bytes,
        "disk_bytes": all_bytes,
        "temperature_celsius": number(read(HEAT), 10, 1000),
        "throttled": whole(read(THROTTLED), 16),
    }


def disk(folder: Path) -> tuple[int | None, int | None]:
    """Free bytes and all bytes of the file system with the state."""
    try:
        usage = shutil.disk_usage(folder)
    except OSError:
        return None, None
    return usage.free, usage.total


def read(path: Path) -> str | None:
    """One line of the kernel's."""
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    return text.strip("\0\n ")[:TEXT_MAX] or None


def whole(text: str | None, base: int) -> int | None:
    """A whole number in this base, where it is one."""
    try:
        return None if text is None else int(text, base)
    except ValueError:
        return None


def number(text: str | None, base: int, parts: int) -> float | None:
    """A number that is written in so many parts of one."""
    found = whole(text, base)
    return None if found is None else found / parts
