from pathlib import Path

import pytest

from edge.calibration import Calibration
from edge.errors import EXIT_USAGE, SettingsError
from edge.settings import SENSORS_MAX, check, city_url, load, load_city


def refusal(folder: Path, text: str, *, city: bool = False) -> str:
    """What is said about a settings file that is wrong, without the folder."""
    path = folder / "kiosk.toml"
    path.write_text(text)
    with pytest.raises(SettingsError) as caught:
        (load_city if city else load)(path)
    assert caught.value.exit_status == EXIT_USAGE
    assert "\n" not in str(caught.value)
    return str(caught.value).replace(f"{folder}/", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[web]\nport = 99999", "line 2: [web] port = 99999 is not allowed; allowed: a whole"),
        ("[web]\nport = true", "line 2: [web] port = true is not allowed"),
        ("[web]\nport = '80'", "line 2: [web] port = '80' is not allowed"),
        ("[web]\n\nprot = 80", "line 3: unknown option prot = 80 in [web]; allowed: host, port"),
        ("[wbe]\nport = 80", "line 1: unknown section [wbe]; allowed: "),
        ("port = 80", "line 1: unknown section port; allowed: "),
        ("web = 80", "line 1: web = 80: allowed is a table, written [web]"),
        ("[journal]\ncommit_s = nan", "line 2: [journal] commit_s = nan is not allowed"),
        ("[journal]\ncommit_s = 0", "line 2: [journal] commit_s = 0 is not allowed"),
        ("[journal]\ncommit_s = inf", "line 2: [journal] commit_s = inf is not allowed"),
        ("[uplink]\ncity_url = 'ftp://x'", "line 2: [uplink] city_url = 'ftp://x' is not allowed"),
        ("[uplink]\ncity_url = 'http://a/b'", "line 2: [uplink] city_url = 'http://a/b' is not"),
        ("[uplink]\ncity_url = 'http://a:b:c'", "line 2: [uplink] city_url = 'http://a:b:c' is"),
        ("[uplink]\ncity_url = 'http://a:99999'", "city_url = 'http://a:99999' is not allowed"),
        ("[web]\nhosts = ['']", "line 2: [web] hosts = [''] is not allowed; allowed: a list of"),
        ("[clock]\ntrust = ['gps']", "line 2: [clock] trust = ['gps'] is not allowed"),
        ("[clock]\ntrust = 'ntp'", "line 2: [clock] trust = 'ntp' is not allowed"),
        ("[clock]\ntrust = ['ntp', 'ntp']", "each at most once"),
        ("[kiosk]\nid = 'A B'", "line 2: [kiosk] id = 'A B' is not allowed; allowed: up to 40"),
        ("[kiosk]\nname = 'Pier'", "line 2: [kiosk] name = 'Pier' is not allowed"),
        ("[kiosk]\nname = { fr = 'Quai' }", "line 2: unknown option name.fr = 'Quai'"),
        ("[kiosk]\nname = { en = '' }", "line 2: [kiosk] name.en = '' is not allowed"),
        ("[kiosk]\nlatitude = 13.3", "line 1: [kiosk] latitude and longitude come together"),
        ("[kiosk]\nlanguages = ['en']", "start_language = 'th' is not allowed; allowed: one of"),
        ("[web\nport = 80", "not TOML: "),
    ],
)
def test_a_wrong_option_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    """The message says file, line, key, value and what is allowed, in one line."""
    said = refusal(tmp_path, text)

    assert said.startswith("kiosk.toml")
    assert words in said


SENSOR = "[web]\n\n[[sensor]]\nname = 'pier'\ndriver = 'bme280'\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[[sensor]]\nname = 'pier'", "line 1: a [[sensor]] needs the option driver"),
        ("[[sensor]]\ndriver = 'host'", "line 1: a [[sensor]] needs the option name"),
        ("[sensor]\nname = 'pier'", "line 1: a sensor is written as [[sensor]]"),
        ("[[sensor]]\nname = 'Pier'\ndriver = 'host'", "line 2: [[sensor]] name = 'Pier' is not"),
        ("[[sensor]]\nname = 'a'\ndriver = 'bme'", "line 3: [[sensor]] driver = 'bme' is not"),
        (SENSOR + "adress = 1", "line 6: unknown option adress = 1 in [[sensor]]; allowed: bus"),
        (SENSOR + "address = 'x'", "line 6: [[sensor]] pier: bme280 option address = 'x' is not"),
        (SENSOR + "address = 0x20", "line 6: [[sensor]] pier: bme280 option address = 0x20 is"),
        (SENSOR + "period_s = -1", "line 6: [[sensor]] period_s = -1 is not allowed"),
        (SENSOR + "period_s = 0.001", "line 6: [[sensor]] period_s = 0.001 is not allowed"),
        (SENSOR + "period_s = 0", "line 6: [[sensor]] period_s = 0.0 is not allowed"),
        ("[[sensor]]\nname = 'a'\ndriver = 'pms5003'", "line 1: [[sensor]] a: pms5003 needs"),
        (
            "[[sensor]]\nname = 'a'\ndriver = 'modbus'\nport = 'x'\nregisters = 'ph'",
            "line 5: [[sensor]] a: modbus option registers is wrong: not quantity, unit",
        ),
        (SENSOR + SENSOR.removeprefix("[web]"), "line 9: [[sensor]] name = 'pier' is not allowed"),
    ],
)
def test_a_wrong_sensor_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    """A driver's own options are checked as ours are, and the right table is pointed at."""
    assert words in refusal(tmp_path, text)


AIR = "[[sensor]]\nname = 'a'\ndriver = 'bthome'\naddress = 'A4:C1:38:12:34:56'\n"
FOUND = "date = '2026-11-25'\nby = 'Somchai'\nref = 'ice'\n"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (AIR + "key = 'abc'", "line 5: [[sensor]] a: bthome option key has 3 characters; allowed"),
        (AIR.replace(":56", ""), "line 4: [[sensor]] a: bthome option address = 'A4:C1:38:12:34'"),
        (
            AIR + AIR.replace("'a'", "'b'").replace("A4:", "a4:"),
            "line 8: [[sensor]] address = 'a4:C1:38:12:34:56' is not allowed; allowed: an address",
        ),
        (AIR + "[sensor.calibration.ph]\ngain = 2", "[[sensor]] calibration.ph needs date: who"),
        (
            AIR + "[sensor.calibration.ph]\ndate = '25.11.2026'\nby = 'S'\nref = 'r'",
            "line 6: [[sensor]] calibration.ph.date = '25.11.2026' is not allowed; allowed: a day",
        ),
        (
            AIR + f"[sensor.calibration.ph]\n{FOUND}[[sensor]]\nname = 'B'\ndriver = 'host'",
            "line 10: [[sensor]] name = 'B' is not allowed",
        ),
        (
            AIR + f"[sensor.calibration.ph]\n{FOUND}gian = 2",
            "line 9: unknown option calibration.ph.gian = 2 in [[sensor]]; allowed: calibration.",
        ),
        (AIR + "calibration = 3", "line 5: [[sensor]] calibration = 3 is not allowed; allowed: ta"),
        ("[bluetooth]\nhelper = 'systemctl'", "line 2: [bluetooth] helper = 'systemctl' is not"),
        ("[bluetooth]\nadapter = 'usb'", "line 2: [bluetooth] adapter = 'usb' is not allowed"),
    ],
)
def test_what_is_wrong_with_a_sensor_in_the_air_or_a_calibration(
    tmp_path: Path, text: str, words: str
) -> None:
    """A wrong address, key, day or command is pointed at, and a key is not repeated."""
    said = refusal(tmp_path, text)

    assert words in said
    assert "abc" not in said


def test_a_calibration_belongs_to_its_sensor(tmp_path: Path) -> None:
    """What stands in the file is what is applied; a gain that is not said is one."""
    path = tmp_path / "kiosk.toml"
    path.write_text(AIR + f"[sensor.calibration.air_temperature]\n{FOUND}offset = -0.5\n")

    (sensor,) = load(path).sensors

    assert sensor.calibration["air_temperature"] == Calibration(
        1.0, -0.5, "2026-11-25", "Somchai", "ice"
    )
    assert set(sensor.options) == {"address"}


def test_the_second_of_two_sensors_is_pointed_at(tmp_path: Path) -> None:
    """The same key in an earlier table is not mistaken for the one that is wrong."""
    first = "[[sensor]]\nname = 'a'\ndriver = 'host'\ndisk = '/'\n"
    second = "[[sensor]]\nname = 'b'\ndriver = 'host'\ndisk = 5\n"

    assert "line 8: " in refusal(tmp_path, first + second)


def test_there_is_a_limit_to_sensors(tmp_path: Path) -> None:
    """More sensors than SENSORS_MAX are refused."""
    tables = [f"[[sensor]]\nname = 's{n}'\ndriver = 'host'\n" for n in range(SENSORS_MAX + 1)]

    assert f"more than {SENSORS_MAX}" in refusal(tmp_path, "".join(tables))


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A missing file, and one that is not text, are refused in one line."""
    with pytest.raises(SettingsError, match=r"nowhere\.toml: cannot be read: No such file"):
        load(tmp_path / "nowhere.toml")
    (tmp_path / "binary.toml").write_bytes(b"[web]\n\xff\xfe")
    with pytest.raises(SettingsError, match=r"binary\.toml, line 2: not UTF-8"):
        load(tmp_path / "binary.toml")


def test_what_is_silent_has_its_default(tmp_path: Path) -> None:
    """An empty file is a kiosk without sensors, with the defaults of all options."""
    (tmp_path / "empty.toml").write_text("")

    made = load(tmp_path / "empty.toml")

    assert (made.web.port, made.journal.commit_s, made.sensors) == (8080, 30.0, ())


def test_a_whole_number_does_for_a_number(tmp_path: Path) -> None:
    """`commit_s = 5` means 5.0, and a list of text becomes what cannot be changed."""
    (tmp_path / "some.toml").write_text("[journal]\ncommit_s = 5\n[clock]\ntrust = []")

    made = load(tmp_path / "some.toml")

    assert isinstance(made.journal.commit_s, float)
    assert made.clock.trust == ()


def test_a_city_has_settings_of_its_own(tmp_path: Path) -> None:
    """A city's file is checked by the same rules."""
    assert "line 2: unknown option prot" in refusal(tmp_path, "[city]\nprot = 1", city=True)
    assert "unknown section [web]" in refusal(tmp_path, "[web]\nport = 1", city=True)
    (tmp_path / "city.toml").write_text("[city]\nport = 1")
    assert load_city(tmp_path / "city.toml").port == 1
    assert check(tmp_path / "city.toml") == "good settings of a city"


@pytest.mark.parametrize("key", ["database", "databse"])
def test_no_refusal_shows_a_password(tmp_path: Path, key: str) -> None:
    """Neither of a wrong address nor of a wrong option."""
    text = f"[city]\n{key} = 'mysql://town:oyster@h/city'"
    assert "= 'mysql://town:…@h/city'" in refusal(tmp_path, text, city=True)


def test_the_citys_address_on_the_command_line_is_checked() -> None:
    """What is typed is held to the same rule as what is written."""
    assert city_url("http://127.0.0.1:8090") == "http://127.0.0.1:8090"
    with pytest.raises(SettingsError, match="--city 'localhost:8090' is not allowed"):
        city_url("localhost:8090")
