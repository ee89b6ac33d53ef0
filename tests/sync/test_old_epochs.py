"""Epochs that have ended, and what a kiosk still answers for in them."""

from __future__ import annotations

from pathlib import Path

from sync.entry import Lane
from sync.old_epochs import CLOSED_MAX, FILE, ClosedEpochs
from sync.ranges import Ranges

EPOCH = bytes(range(16))
ANSWERS = {Lane.EVENTS: Ranges([(1, 3)]), Lane.READINGS: Ranges([(1, 70), (90, 95)])}


def reopened(folder: Path) -> dict[bytes, dict[Lane, Ranges]]:
    """What the next start knows."""
    closed = ClosedEpochs(folder)
    closed.load()
    return closed.epochs


def test_a_closed_epoch_is_remembered(tmp_path: Path) -> None:
    """The next start knows which seqs the kiosk answers for, in every lane."""
    ClosedEpochs(tmp_path).add(EPOCH, dict(ANSWERS))
    assert reopened(tmp_path) == {EPOCH: ANSWERS}


def test_an_epoch_that_is_closed_twice_answers_for_both(tmp_path: Path) -> None:
    """A start that was cut off, and the one after it, may each have known a part."""
    closed = ClosedEpochs(tmp_path)
    closed.add(EPOCH, {Lane.READINGS: Ranges([(1, 9)])})
    closed.add(EPOCH, {Lane.READINGS: Ranges([(5, 20)]), Lane.EVENTS: Ranges([(1, 1)])})
    expected = {Lane.READINGS: Ranges([(1, 20)]), Lane.EVENTS: Ranges([(1, 1)])}
    assert reopened(tmp_path) == {EPOCH: expected}


def test_a_torn_line_costs_itself_alone(tmp_path: Path) -> None:
    """A power cut in the middle of a line leaves those before and after it readable."""
    closed = ClosedEpochs(tmp_path)
    closed.add(EPOCH, dict(ANSWERS))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b'\n0badc0de {"epoch": "00')
    closed.add(EPOCH[::-1], dict(ANSWERS))
    assert reopened(tmp_path) == {EPOCH: ANSWERS, EPOCH[::-1]: ANSWERS}


def test_a_changed_bit_is_never_taken_for_an_answer(tmp_path: Path) -> None:
    """Whatever bit of the line has flipped, the line does not count."""
    ClosedEpochs(tmp_path).add(EPOCH, dict(ANSWERS))
    content = (tmp_path / FILE).read_bytes()
    for place in range(1, len(content) - 1):
        changed = bytearray(content)
        changed[place] ^= 1 << place % 8
        (tmp_path / FILE).write_bytes(changed)
        assert reopened(tmp_path) == {}, f"bit {place % 8} of byte {place}"


def test_the_file_stays_small(tmp_path: Path) -> None:
    """A card that dies for years keeps the newest epochs, and a file to match."""
    closed = ClosedEpochs(tmp_path)
    for number in range(10 * CLOSED_MAX):
        closed.add(number.to_bytes(16, "big"), dict(ANSWERS))
    newest = [number.to_bytes(16, "big") for number in range(9 * CLOSED_MAX, 10 * CLOSED_MAX)]
    assert list(reopened(tmp_path)) == newest
    assert len((tmp_path / FILE).read_bytes().splitlines()) < 6 * CLOSED_MAX


def test_in_memory_nothing_is_written(tmp_path: Path) -> None:
    """On a card that takes no writes the answer is given until the power goes."""
    closed = ClosedEpochs(tmp_path)
    closed.add(EPOCH, dict(ANSWERS), memory=True)
    assert closed.epochs == {EPOCH: ANSWERS}
    assert reopened(tmp_path) == {}
