from pathlib import Path

import pytest

from edge import machine
from edge.machine import number, read, whole


def test_the_board_tells_what_it_can(tmp_path: Path) -> None:
    """The disk is always there; what a board does not tell is None."""
    said = machine.machine(tmp_path)

    assert 0 < said["disk_free_bytes"] <= said["disk_bytes"]
    assert set(said) == {
        "serial",
        "model",
        "disk_free_bytes",
        "disk_bytes",
        "temperature_celsius",
        "throttled",
    }


def test_a_pi_tells_its_serial_heat_and_power(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the device tree, the thermal zone and the firmware write them."""
    for name, text in {
        "SERIAL": "10000000abcdef01\0",
        "HEAT": "52100\n",
        "THROTTLED": "50005\n",
    }.items():
        (tmp_path / name).write_text(text)
        monkeypatch.setattr(machine, name, tmp_path / name)
    said = machine.machine(tmp_path)

    assert said["serial"] == "10000000abcdef01"
    assert said["temperature_celsius"] == 52.1
    assert said["throttled"] == 0x50005


def test_a_folder_that_is_gone_has_no_disk(tmp_path: Path) -> None:
    """The technician sees a dash, and the rest."""
    assert machine.machine(tmp_path / "gone")["disk_bytes"] is None


def test_what_is_no_number_is_none(tmp_path: Path) -> None:
    """A kernel may write other words in other years."""
    assert whole("hot", 10) is None
    assert number(None, 10, 1000) is None
    assert read(tmp_path) is None
