from pathlib import Path

import pytest

from edge.__main__ import main
from edge.wiring import claims, look

BOARDS = Path(__file__).parents[2] / "config" / "boards"

BME = 'driver = "bme280"\nbus = 1\naddress = 0x76'
DEPTH = 'driver = "ms5837_30ba"\nbus = 1'
PROBE = 'driver = "ds18b20"'
RS485 = 'driver = "modbus"\nport = "/dev/serial/by-id/a"\nregisters = "x, 1, 0, u16, 1, 0, 9, 0"'
NOISE = 'driver = "sound_level"'

CLASHES = {
    "two chips at one address": (
        (BME, DEPTH),
        "a and b are both at 0x76 on I2C bus 1; a (bme280) can be moved to 0x77",
    ),
    "two chips that cannot move": (
        (DEPTH, 'driver = "ms5837_02ba"\nbus = 1'),
        "neither can be moved: give one of them another bus than 1",
    ),
    "one chip read twice": ((BME, BME), "one chip is read twice"),
    "one pin for two": (
        ('driver = "pir"\npin = 17', 'driver = "rain"\npin = 17'),
        "a and b are both on GPIO17",
    ),
    "a pin of the I2C bus": ((BME, 'driver = "rain"\npin = 3'), "b is on GPIO3, which I2C bus 1"),
    "a pin of 1-Wire": ((PROBE, 'driver = "rain"\npin = 4'), "b is on GPIO4, which 1-Wire"),
    "a pin of the serial line": (
        ('driver = "sds011"\nport = "/dev/serial0"', 'driver = "rain"\npin = 14'),
        "b is on GPIO14, which the Pi's own serial line uses",
    ),
    "a pin of the microphone": ((NOISE, 'driver = "rain"\npin = 20'), "which the I2S microphone"),
    "a pin of the EEPROM": (('driver = "rain"\npin = 0',), "belongs to the HAT's EEPROM"),
    "a pin that is not there": (('driver = "rain"\npin = 40',), "the header has GPIO2 to GPIO27"),
    "a line for two": (
        ('driver = "pms5003"\nport = "/dev/serial0"', 'driver = "sds011"\nport = "/dev/serial0"'),
        "a and b are both on /dev/serial0; a line has one sensor",
    ),
    "two speeds on a line": ((RS485, RS485 + "\nbaud = 19200\nunit = 2"), "one line has one speed"),
    "two probes without a name": (
        (PROBE, PROBE),
        "a and b takes the only ds18b20, but there are 2",
    ),
    "one probe read twice": (
        (PROBE + '\ndevice = "28-1"', PROBE + '\ndevice = "28-1"'),
        "28-1 is read twice",
    ),
    "one microphone for two": ((NOISE, NOISE), "a and b both listen to 'default'"),
}
HINTS = {
    "a stick by its number": (
        ('driver = "sds011"\nport = "/dev/ttyUSB0"',),
        "take its name below /dev/serial/by-id",
    ),
    "a chip that stretches the clock": (
        ('driver = "ezo_ph"\nbus = 1\nperiod_s = 60.0',),
        "better is bus 3 by dtoverlay=i2c-gpio,bus=3",
    ),
    "a beat that is too fast": (
        ('driver = "scd41"\nbus = 1\nperiod_s = 1.0',),
        "a is read every 1 s, but a scd41 has a new value every 5 s",
    ),
    "one unit twice": ((RS485, RS485), "good for one probe, bad for two of them"),
}


def written(folder: Path, sensors: tuple[str, ...]) -> Path:
    """A settings file with these sensors, named a, b and so on."""
    tables = [f'[[sensor]]\nname = "{chr(97 + i)}"\n{table}\n' for i, table in enumerate(sensors)]
    path = folder / "gateway.toml"
    path.write_text("\n".join(tables))
    return path


@pytest.mark.parametrize(("sensors", "words"), CLASHES.values(), ids=CLASHES)
def test_clashes_are_found(tmp_path: Path, sensors: tuple[str, ...], words: str) -> None:
    """What cannot work is named, with what would be right."""
    _, faults = look(written(tmp_path, sensors))

    assert [fault.is_clash for fault in faults] == [True]
    assert words in faults[0].words


@pytest.mark.parametrize(("sensors", "words"), HINTS.values(), ids=HINTS)
def test_hints_are_given(tmp_path: Path, sensors: tuple[str, ...], words: str) -> None:
    """What may work and is likely to trouble somebody is said."""
    _, faults = look(written(tmp_path, sensors))

    assert [fault.is_clash for fault in faults] == [False]
    assert words in faults[0].words


@pytest.mark.parametrize("path", sorted(BOARDS.glob("*.toml")), ids=lambda path: path.name)
def test_our_boards_have_no_fault(path: Path) -> None:
    """The wirings that we ship can be built."""
    found, faults = look(path)

    assert found
    assert faults == []


def test_inputs_of_one_converter_do_not_clash(tmp_path: Path) -> None:
    """Four inputs of an ADS1115 are four sensors at one address."""
    inputs = tuple(f'driver = "ads1115"\nbus = 1\nchannel = {n}' for n in range(4))

    found, faults = look(written(tmp_path, inputs))

    assert [claim.place for claim in found] == [f"0x48 input {n}" for n in range(4)]
    assert faults == []


def test_probes_that_take_turns_do_not_clash(tmp_path: Path) -> None:
    """Modbus probes with units of their own share a line."""
    _, faults = look(written(tmp_path, (RS485, RS485 + "\nunit = 2")))

    assert faults == []


def test_no_sensors_claim_nothing() -> None:
    """A kiosk without sensors has free wires."""
    assert list(claims([])) == []


def test_the_command_fails_on_a_clash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`angsila check --wiring` shows who needs what, says the clash, and ends with status 2."""
    path = written(tmp_path, (BME, DEPTH))
    monkeypatch.setattr("sys.argv", ["angsila", "check", "--wiring", str(path)])

    with pytest.raises(SystemExit) as stop:
        main()

    assert stop.value.code == 2
    shown = capsys.readouterr().out
    assert "I2C bus 1    0x76" in shown
    assert "clash: a and b are both at 0x76" in shown
