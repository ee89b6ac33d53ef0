"""What systemd and we tell each other: readiness, watchdog, and the socket it hands over."""

import os
import socket

FIRST_FD = 3  # SD_LISTEN_FDS_START: systemd hands over sockets from here on.


def notify(**fields: str) -> None:
    """Send `NAME=value` lines to systemd; nothing happens where nobody listens."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address.startswith("@"):  # The abstract name space is written with an @.
        address = "\0" + address[1:]
    lines = "\n".join(f"{name}={value}" for name, value in fields.items())
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sender:
        sender.connect(address)
        sender.sendall(lines.encode())


def watchdog_s() -> float | None:
    """Tell how long systemd waits for a sign of life; None when it does not wait."""
    if os.environ.get("WATCHDOG_PID", str(os.getpid())) != str(os.getpid()):
        return None
    microseconds = int(os.environ.get("WATCHDOG_USEC", "0"))
    return microseconds / 1e6 if microseconds else None


def handed_over() -> list[socket.socket]:
    """Take the listening sockets that systemd opened for this very process."""
    if os.environ.get("LISTEN_PID") != str(os.getpid()):
        return []
    count = int(os.environ.get("LISTEN_FDS", "0"))
    sockets = [socket.socket(fileno=FIRST_FD + number) for number in range(count)]
    for handed in sockets:
        handed.setblocking(False)
        handed.set_inheritable(False)  # systemd leaves it open across exec.
    return sockets
