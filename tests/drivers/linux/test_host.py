from pathlib import Path

import pytest

from drivers.errors import DriverError
from drivers.linux.host import THERMAL, THROTTLED, Host

MEMINFO = "MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     250 kB\n"


def machine(root: Path) -> Host:
    """A Raspberry Pi out of files."""
    proc, sys = root / "proc", root / "sys"
    for file, text in (
        (proc / "loadavg", "0.52 0.58 0.59 1/467 12345\n"),
        (proc / "uptime", "90061.57 180000.00\n"),
        (proc / "meminfo", MEMINFO),
        (proc / "stat", "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 1 2 3 4\n"),
        (sys / THERMAL, "54768\n"),
        (sys / THROTTLED, "50005\n"),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Host(str(root), proc, sys)


async def test_a_raspberry_pi_has_all_quantities(tmp_path: Path) -> None:
    """Each value is what its file says, in its unit."""
    host = machine(tmp_path)
    await host.start()
    # Since start: 50 of 200 ticks busy, of which guest time is not counted twice.
    (tmp_path / "proc" / "stat").write_text("cpu  140 0 110 830 120 0 0 0 40 0\n")
    values = {reading.quantity: reading.value for reading in await host.read()}
    assert 0 < (values.pop("disk_used") or 0) <= 100
    assert values == {
        "load_1m": 0.52,
        "cpu_used": 25.0,
        "memory_used": 75.0,
        "uptime": 90062,
        "cpu_temperature": 54.8,
        "throttled": 0x50005,
    }


async def test_a_plain_machine_has_fewer(tmp_path: Path) -> None:
    """A machine without a thermometer does not have the stream at all."""
    machine(tmp_path)
    host = Host(str(tmp_path), tmp_path / "proc", tmp_path / "nothing")
    await host.start()
    quantities = [reading.quantity for reading in await host.read()]
    assert quantities == ["load_1m", "cpu_used", "memory_used", "disk_used", "uptime"]
    assert [row[0] for row in host.SPEC] == quantities


async def test_this_machine_is_real() -> None:
    """On the machine that runs the tests there are at least five values, and none is simulated."""
    host = Host()
    await host.start()
    readings = await host.read()
    assert len(readings) >= 5
    assert {reading.quality for reading in readings} == {"ok"}
    assert not host.SIMULATED
    await host.close()


async def test_two_readings_at_once_are_no_division_by_zero(tmp_path: Path) -> None:
    """If no tick of the processor has passed, nothing was used."""
    host = machine(tmp_path)
    await host.start()
    values = {reading.quantity: reading.value for reading in await host.read()}
    assert values["cpu_used"] == 0.0


async def test_a_file_that_vanishes_is_a_fault(tmp_path: Path) -> None:
    """What the kernel does not give is an error with the file's name."""
    host = machine(tmp_path)
    await host.start()
    (tmp_path / "proc" / "meminfo").unlink()
    with pytest.raises(DriverError, match="meminfo"):
        await host.read()


async def test_a_missing_disk_is_a_fault(tmp_path: Path) -> None:
    """A file system that is not there is named."""
    machine(tmp_path)
    host = Host(str(tmp_path / "usb"), tmp_path / "proc", tmp_path / "sys")
    await host.start()
    with pytest.raises(DriverError, match="usb"):
        await host.read()
