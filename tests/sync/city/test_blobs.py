import hashlib
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sync.city import blobs

PACK = b"a pack"
OTHER = b"another pack"
RECEIVERS = 8
ROUNDS = 10


def offered(folder: Path, content: bytes) -> str:
    """A blob of the city."""
    path = folder / "original"
    path.write_bytes(content)
    return blobs.add(folder, path)


def test_a_kiosk_hears_what_all_are_to_show(tmp_path: Path) -> None:
    """Nothing at first; then hash and length of what the operator has named."""
    wishes = blobs.Wishes(tmp_path / blobs.FOLDER)
    assert wishes.of("pier") is None

    digest = offered(tmp_path, PACK)
    assert wishes.of("pier") is None
    blobs.want(tmp_path, digest)
    found = wishes.of("pier")
    assert found is not None
    assert (found.sha256, found.length) == (hashlib.sha256(PACK).digest(), len(PACK))


def test_a_wish_for_one_kiosk_goes_before_that_for_all(tmp_path: Path) -> None:
    """One kiosk tries a pack first; a later wish for all ends that."""
    wishes = blobs.Wishes(tmp_path / blobs.FOLDER)
    first, second = offered(tmp_path, PACK), offered(tmp_path, OTHER)
    blobs.want(tmp_path, first)
    blobs.want(tmp_path, second, "pier")

    def shown(kiosk: str) -> str:
        found = wishes.of(kiosk)
        return "" if found is None else found.sha256.hex()

    assert (shown("pier"), shown("market")) == (second, first)
    blobs.want(tmp_path, second)
    assert (shown("pier"), shown("market")) == (second, second)


def test_the_wishes_are_one_readable_file(tmp_path: Path) -> None:
    """Receivers that share the folder say the same, and an operator can look."""
    digest = offered(tmp_path, PACK)
    blobs.want(tmp_path, digest, "pier")

    text = (tmp_path / blobs.FOLDER / blobs.WISHES).read_text()
    assert json.loads(text) == {"pier": {"sha256": digest, "bytes": len(PACK)}}
    assert sorted(path.name for path in (tmp_path / blobs.FOLDER).iterdir()) == sorted(
        [digest, blobs.WISHES]
    )


def test_receivers_that_start_at_once_read_one_mark(tmp_path: Path) -> None:
    """Nobody reads a mark that another one is about to write."""
    all_at_once = threading.Barrier(RECEIVERS)

    def mark(folder: Path) -> str:
        all_at_once.wait()
        return blobs.mark_of(folder)

    with ThreadPoolExecutor(RECEIVERS) as receivers:
        for number in range(ROUNDS):
            folder = tmp_path / str(number)
            (found,) = set(receivers.map(mark, [folder] * RECEIVERS))
            assert len(found) == 32
            assert [path.name for path in (folder / blobs.FOLDER).iterdir()] == [blobs.MARK]
