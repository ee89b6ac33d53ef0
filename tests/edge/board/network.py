"""A stand-in for what a board's MicroPython calls `network`: always joined."""

STA_IF = 0


class WLAN:
    """A wireless network that lets everybody in."""

    def __init__(self, interface: int) -> None:
        self.interface = interface

    def active(self, is_on: object) -> None:
        """Switch it on."""

    def connect(self, name: str, password: str) -> None:
        """Join."""

    def isconnected(self) -> bool:
        """Whether it is joined."""
        return True
