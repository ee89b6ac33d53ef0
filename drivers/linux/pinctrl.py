"""The two lines of an I²C bus of a Raspberry Pi, through its own command `pinctrl`.

gpiozero can make a pin an output, but not give it back to the bus's controller afterwards.
"""

from __future__ import annotations

import re
import subprocess

from drivers.errors import BusError

PINCTRL = "/usr/bin/pinctrl"
CALL_MAX_S = 2.0
# Number of the bus → BCM numbers of its data and clock line on the 40-pin header.
I2C_PINS = {1: (2, 3)}
# It says, for instance:  2: a0    pu | hi // GPIO2 = SDA1
ANSWER = re.compile(r"\s*\d+: (\S+)\s+(\S+)\s*\| (hi|lo)")


class PiLines:
    """Both lines of a bus by its number. Every method raises `BusError`."""

    def __init__(self, bus: int, command: str = PINCTRL) -> None:
        if bus not in I2C_PINS:
            raise BusError(f"nobody knows the pins of /dev/i2c-{bus}", "absent")
        self._data, self._clock = I2C_PINS[bus]
        self._command = command
        self._before: dict[int, str] = {}

    def take(self) -> None:
        """Take both lines; what they did before is kept to be given back."""
        for pin in (self._data, self._clock):
            self._before[pin] = self._look(pin)[0]
        for pin in (self._data, self._clock):
            self._run("set", str(pin), "ip", "pu")

    def clock(self, *, low: bool) -> None:
        """Pull the clock line low, or let it rise."""
        self._pull(self._clock, low=low)

    def pull_data(self, *, low: bool) -> None:
        """Pull the data line low, or let it rise."""
        self._pull(self._data, low=low)

    def data_is_high(self) -> bool:
        """Whether nobody holds the data line low."""
        return self._look(self._data)[1] == "hi"

    def give_back(self) -> None:
        """Hand both lines back to the controller."""
        while self._before:
            pin, function = self._before.popitem()
            self._run("set", str(pin), function, "pu")

    def _pull(self, pin: int, *, low: bool) -> None:
        # Never driven high: a chip may hold it low, and the bus has its own resistors.
        self._run("set", str(pin), *(("op", "dl") if low else ("ip", "pu")))

    def _look(self, pin: int) -> tuple[str, str]:
        """What a pin does, such as "a0", and whether it is "hi" or "lo"."""
        said = self._run("get", str(pin))
        found = ANSWER.match(said)
        if found is None:
            raise BusError(f"pinctrl says about pin {pin}: {said[:80]!r}")
        return found[1], found[3]

    def _run(self, *arguments: str) -> str:
        try:
            done = subprocess.run(  # noqa: S603 # our own words
                [self._command, *arguments],
                capture_output=True,
                text=True,
                timeout=CALL_MAX_S,
                check=True,
            )
        except FileNotFoundError as error:
            raise BusError(f"{self._command} is not installed", "absent") from error
        except (OSError, subprocess.SubprocessError) as error:
            raise BusError(f"pinctrl {' '.join(arguments)}: {error}") from error
        return done.stdout
