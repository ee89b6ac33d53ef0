from pathlib import Path

import pytest

from kiosk_ui.kept import Kept


def test_what_was_written_is_there_after_a_start(tmp_path: Path) -> None:
    """It lies on the card as a whole."""
    Kept(tmp_path / "pins.json").write({"a": 1})

    assert Kept(tmp_path / "pins.json").value == {"a": 1}
    assert [path.name for path in tmp_path.iterdir()] == ["pins.json"]


@pytest.mark.parametrize("damage", [b"", b"{", b"[1]", b"\xff"])
def test_a_damaged_file_is_an_empty_one(tmp_path: Path, damage: bytes) -> None:
    """The kiosk starts, and the next write mends it."""
    (tmp_path / "pins.json").write_bytes(damage)
    kept = Kept(tmp_path / "pins.json")

    assert kept.value == {}
    assert kept.write({"a": 1})
    assert Kept(tmp_path / "pins.json").value == {"a": 1}


def test_a_card_that_takes_nothing_is_said(tmp_path: Path) -> None:
    """The value holds until the process ends, and who wrote it knows that."""
    kept = Kept(tmp_path / "no such folder" / "pins.json")

    assert not kept.write({"a": 1})
    assert kept.value == {"a": 1}
