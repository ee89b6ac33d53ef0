import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from edge.claim import alone, listen, writable_folder
from edge.errors import EXIT_TRY_LATER, InUseError, PortError, StateError


def test_a_folder_that_cannot_be_written_is_said_in_one_line(tmp_path: Path) -> None:
    """A file in the way, as a stand-in for a card that went: one line with the reason."""
    (tmp_path / "state").write_text("not a folder")

    with pytest.raises(StateError, match=r"state/kiosk cannot be written: Not a directory$"):
        writable_folder(tmp_path / "state" / "kiosk")


def test_a_folder_is_made_and_left_clean(tmp_path: Path) -> None:
    """A missing folder is made for its owner alone, and nothing of the trial stays."""
    folder = writable_folder(tmp_path / "a" / "b")

    assert list(folder.iterdir()) == []
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_is_held_by_one(tmp_path: Path) -> None:
    """A second claim is refused and names the process; after the first it is free again."""
    with alone(tmp_path):
        with (
            pytest.raises(InUseError, match=rf"\(process {os.getpid()}\)") as caught,
            alone(tmp_path),
        ):
            pass
        assert caught.value.exit_status == EXIT_TRY_LATER

    with alone(tmp_path):
        pass


def test_a_port_in_use_is_said_in_one_line() -> None:
    """The message has the address and the reason."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(PortError, match=f"127.0.0.1 port {port} .* in use by another"):
            listen("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said_in_one_line() -> None:
    """So is an address that this machine does not have."""
    with pytest.raises(PortError, match=r"192\.0\.2\.1 port 80"):
        listen("192.0.2.1", 80)


FULL = """
import os, sys
from pathlib import Path
from edge import claim

def full(*_):
    raise OSError(claim.errno.ENOSPC, "No space left on device")

Path.write_bytes = full
with claim.alone(claim.writable_folder(Path(sys.argv[1]))):
    print("held")
"""


def test_a_full_card_is_no_reason_not_to_start(tmp_path: Path) -> None:
    """The folder can be claimed and held with not a byte free; the journal does the rest."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, tmp_path], capture_output=True, text=True, check=False
    )

    assert done.stdout == "held\n", done.stderr
