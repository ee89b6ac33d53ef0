import os
import socket
from pathlib import Path

import pytest

from edge.systemd import handed_over, notify, watchdog_s


def test_systemd_is_told_in_its_own_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notification is one datagram of NAME=value lines."""
    address = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(address)
        monkeypatch.setenv("NOTIFY_SOCKET", address)

        notify(READY="1", STATUS="serving")

        assert systemd.recv(100) == b"READY=1\nSTATUS=serving"


def test_an_abstract_address_is_understood(monkeypatch: pytest.MonkeyPatch) -> None:
    """An address that begins with @ lives in the abstract name space."""
    name = f"angsila-test-{os.getpid()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")

        notify(WATCHDOG="1")

        assert systemd.recv(100) == b"WATCHDOG=1"


def test_without_systemd_nothing_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a desktop nobody listens, and that is no error."""
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)

    notify(READY="1")


def test_the_watchdog_of_another_process_is_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment is inherited, so systemd says whom it means."""
    monkeypatch.setenv("WATCHDOG_USEC", "60000000")
    monkeypatch.setenv("WATCHDOG_PID", str(os.getpid()))
    assert watchdog_s() == 60.0

    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert watchdog_s() is None

    monkeypatch.delenv("WATCHDOG_PID")
    monkeypatch.delenv("WATCHDOG_USEC")
    assert watchdog_s() is None


def test_sockets_for_another_process_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child of the service must not take its parent's socket."""
    monkeypatch.setenv("LISTEN_PID", "1")
    monkeypatch.setenv("LISTEN_FDS", "1")

    assert handed_over() == []
