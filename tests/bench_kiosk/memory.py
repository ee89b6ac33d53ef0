"""What a browser takes of the machine's memory: the PSS of all its processes."""

from __future__ import annotations

from pathlib import Path

KB = 1024
MB = 1024 * 1024


def pss_bytes(marker: str) -> int:
    """Proportional set size of the process that was started with `marker`, and of its children.

    A page that two processes share counts half in each, so the sum counts nothing twice.
    """
    return sum(_kept(pid, "Pss") for pid in _family(marker))


def own_bytes(marker: str) -> int:
    """What of it no file is behind: this grows by a leak, and not when another browser ends."""
    return sum(_kept(pid, "Pss_Anon") + _kept(pid, "Pss_Shmem") for pid in _family(marker))


def _family(marker: str) -> set[int]:
    parents, ours = {}, set()
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text(encoding="utf-8")
            command = (folder / "cmdline").read_bytes()
        except OSError:
            continue  # It has ended meanwhile.
        pid = int(folder.name)
        parents[pid] = int(status.rpartition(")")[2].split()[1])
        if marker.encode() in command:
            ours.add(pid)
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in ours} - ours
        ours |= more
        grown = bool(more)
    return ours


def _kept(pid: int, name: str) -> int:
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="utf-8")
    except OSError:
        return 0
    return int(text.partition(f"\n{name}:")[2].split()[0]) * KB
