from pathlib import Path

import pytest

from drivers.bus_recovery import free
from drivers.errors import BusError
from drivers.linux.pinctrl import PiLines

# Says what `pinctrl` of Raspberry Pi OS says; a chip lets go after three clocks.
SCRIPT = """#!/bin/sh
cd "$(dirname "$0")"
echo "$*" >>calls
clocks=$(grep -c "set 3 ip" calls)
case "$1 $2" in
"get 2") [ "$clocks" -gt 3 ] && at=hi || at=lo; echo " 2: a0    pu | $at // GPIO2 = SDA1" ;;
"get 3") echo " 3: a0    pu | hi // GPIO3 = SCL1" ;;
esac
"""


@pytest.fixture
def pinctrl(tmp_path: Path) -> Path:
    """A stand-in for the command."""
    path = tmp_path / "pinctrl"
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def test_the_lines_are_clocked_and_become_the_controllers_again(pinctrl: Path) -> None:
    """Nothing is ever driven high, and what the pins did before they do afterwards."""
    assert free(PiLines(1, str(pinctrl)))

    calls = pinctrl.with_name("calls").read_text().splitlines()
    assert calls[:4] == ["get 2", "get 3", "set 2 ip pu", "set 3 ip pu"]
    assert calls.count("set 3 op dl") == 4  # Three clocks, and the stop.
    assert sorted(calls[-2:]) == ["set 2 a0 pu", "set 3 a0 pu"]
    assert not any("dh" in call for call in calls)


def test_what_cannot_be_freed_is_said(tmp_path: Path, pinctrl: Path) -> None:
    """Another bus, another machine, another answer: each is an error of ours."""
    with pytest.raises(BusError, match="nobody knows the pins of /dev/i2c-7"):
        PiLines(7)
    with pytest.raises(BusError, match="is not installed"):
        free(PiLines(1, str(tmp_path / "no_pinctrl")))
    pinctrl.write_text("#!/bin/sh\necho No GPIO chips found\n")
    with pytest.raises(BusError, match="pinctrl says about pin 2: 'No GPIO"):
        free(PiLines(1, str(pinctrl)))
    pinctrl.write_text("#!/bin/sh\nexit 3\n")
    with pytest.raises(BusError, match="pinctrl get 2"):
        free(PiLines(1, str(pinctrl)))
