import random
from pathlib import Path

from sync import spare
from sync.entry import Lane
from sync.spare import Frame, Spare
from sync.wire import Segment, encode_segment


def test_frames_are_found_between_any_rubbish() -> None:
    """Every undamaged frame comes back, whatever stands before, between and behind."""
    rng = random.Random(3)  # noqa: S311
    for _ in range(50):
        bodies = [rng.randbytes(rng.randrange(400)) for _ in range(5)]
        data = rng.randbytes(rng.randrange(50))
        for body in bodies:
            data += spare.frame(spare.SEGMENT, body) + rng.randbytes(rng.choice((0, 0, 30)))
        assert list(spare.frames(data)) == [Frame(spare.SEGMENT, body) for body in bodies]


def test_a_damaged_frame_is_skipped_and_the_next_one_found() -> None:
    """A flipped bit costs its own frame and no other."""
    data = bytearray(spare.frame(b"D", b"one") + spare.frame(b"D", b"two"))
    for place in range(len(spare.frame(b"D", b"one"))):
        damaged = bytearray(data)
        damaged[place] ^= 1
        bodies = [frame.body for frame in spare.frames(bytes(damaged))]
        assert bodies[-1] == b"two"
        assert b"one" not in bodies or place == 4, "the kind alone is not covered"


def test_a_file_goes_when_all_it_holds_is_safe(tmp_path: Path) -> None:
    """Spare files are bounded: full ones go once the city has what they hold."""
    copy = Spare(tmp_path)
    body = bytes(60_000)
    for seq in range(1, 11):
        copy.add(Lane.READINGS, seq, body, b"schema")
    assert len(spare.files(tmp_path / "spare")) == 2
    safe = dict.fromkeys(Lane, 0)
    copy.forget(safe | {Lane.READINGS: 4})
    assert len(spare.files(tmp_path / "spare")) == 2
    copy.forget(safe | {Lane.READINGS: 10})
    assert len(spare.files(tmp_path / "spare")) == 1


def test_files_of_an_earlier_run_go_as_well(tmp_path: Path) -> None:
    """Each start begins a new file; those from before it go once the city has what they hold."""
    for seq in (1, 3, 5):
        segment = Segment(bytes(16), Lane.READINGS, seq, 2, bytes(16), bytes(8), b"", b"columns")
        Spare(tmp_path).add(Lane.READINGS, segment.last_seq, encode_segment(segment), b"schema")
    assert len(spare.files(tmp_path / "spare")) == 3

    copy = Spare(tmp_path)
    safe = dict.fromkeys(Lane, 0)
    for _ in range(4):
        copy.forget(safe | {Lane.READINGS: 4})
    assert [path.stem for path in spare.files(tmp_path / "spare")] == ["00000003"]
    copy.forget(safe | {Lane.READINGS: 6})
    assert spare.files(tmp_path / "spare") == []


def test_a_full_card_is_no_reason_to_stop(tmp_path: Path) -> None:
    """When the copy cannot be written the journal goes on, and health can say why."""
    (tmp_path / "spare").write_text("in the way")
    copy = Spare(tmp_path)
    copy.add(Lane.EVENTS, 1, b"x", b"")
    assert copy.error
