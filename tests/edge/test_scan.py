import asyncio
import json
from pathlib import Path
from typing import NoReturn

import pytest

from drivers import pms5003
from drivers.bus import DirectI2C
from drivers.errors import BusError
from drivers.fake_bus import FakeI2C
from drivers.linux.uart import UART
from edge.scan import (
    LISTEN_BYTES_MAX,
    Found,
    Machine,
    NoLine,
    Scan,
    addresses,
    as_json,
    frames_of,
    i2c_buses,
    listened,
    scan,
    scan_i2c,
    scan_line,
    scan_w1,
    serial_ports,
    table,
    talkers,
)
from tests.edge.test_wires import DEBIAN_PYTHON, DUST, MACHINE
from tests.terminal import terminal
from tests.waiting import angsila

LISTEN_S = 0.2
SDS011 = bytes.fromhex("aac0d4043a0aa1601dab")


class Talking(NoLine):
    """A line that says the same again and again, and then nothing more."""

    def __init__(self, chunk: bytes, times: int = 3) -> None:
        self.left = [chunk] * times

    async def read(self) -> bytes:
        """Say it once more, or wait for ever."""
        if not self.left:
            await asyncio.Event().wait()
        return self.left.pop()


async def test_chips_are_found_and_told_apart_by_their_names() -> None:
    """At 0x76 a chip says that it is a BMP280; at 0x44 two of ours can be."""
    bus = DirectI2C(FakeI2C({0x76: {0xD0: 0x58}, 0x44: {}}, -1, {0x51: {b"": b"\x00"}}))
    result = Scan()

    await scan_i2c(result, 1, bus)

    assert result.found == [
        Found("I2C bus 1", "0x44", ("ina219", "sht4x")),
        Found("I2C bus 1", "0x51", ()),
        Found("I2C bus 1", "0x76", ("bmp280",)),
    ]


async def test_a_chip_without_a_name_is_what_else_can_be_there() -> None:
    """An MS5837 at 0x76 knows no chip id: both models are named, and no BME280."""
    result = Scan()

    await scan_i2c(result, 1, DirectI2C(FakeI2C({0x76: {0xD0: 0x00}})))

    assert result.found[0].kinds == ("ms5837_02ba", "ms5837_30ba")


async def test_a_memory_module_is_read_and_never_written() -> None:
    """An empty write can lock the EEPROM at 0x50, so it is not sent there."""
    i2c = FakeI2C({0x50: {}, 0x40: {}})

    await scan_i2c(Scan(), 1, DirectI2C(i2c))

    assert i2c.commands == [b""]  # The one at 0x40.


async def test_a_bus_that_cannot_be_opened_is_told() -> None:
    """What was not looked at is no empty bus."""

    class Closed(DirectI2C):
        async def open(self) -> None:
            raise BusError("permission denied")

    result = Scan()

    await scan_i2c(result, 3, Closed(FakeI2C({})))

    assert result.troubles == ["I2C bus 3: permission denied"]


@pytest.mark.parametrize(
    ("frame", "kinds"),
    [
        (DUST, ("pms5003",)),
        (SDS011, ("sds011",)),
        (bytes.fromhex("ff07a1a7"), ("a02yyuw", "jsn_sr04t")),
        (b"\x00\x55\xaa" * 9, ()),
    ],
    ids=["pms5003", "sds011", "a02yyuw", "noise"],
)
async def test_a_talking_line_is_known_by_its_frames(frame: bytes, kinds: tuple[str, ...]) -> None:
    """Two good frames name the sensor; noise names none."""
    result = Scan()

    await scan_line(result, "/dev/x", lambda _port, _baud: Talking(frame), LISTEN_S)

    assert kinds == tuple(kind for kind in result.found[0].kinds if kind != "pms5003t")


def test_one_frame_is_not_enough() -> None:
    """It could stand in noise by chance."""
    assert frames_of("pms5003", DUST) == 1
    assert frames_of("pms5003", DUST * 2) == 2


def test_every_talker_is_listened_for() -> None:
    """Sensors that send by themselves are known, at the speed that each has."""
    found = talkers()

    assert {"pms5003", "sds011", "a02yyuw"} <= set(found[9600])
    assert {"ld2410", "ld2450"} <= set(found[256_000])
    assert all("modbus" not in kinds for kinds in found.values())


async def test_a_line_that_never_stops_is_left() -> None:
    """At most so many bytes are taken from a line that floods us."""
    heard = await listened(Talking(bytes(4096), times=100), 30.0)

    assert LISTEN_BYTES_MAX <= len(heard) < LISTEN_BYTES_MAX + 4096


def test_ports_go_by_their_lasting_name(tmp_path: Path) -> None:
    """A stick that has a name below by-id is listed by it, and once."""
    (tmp_path / "serial" / "by-id").mkdir(parents=True)
    for name in ("ttyUSB0", "ttyUSB1", "ttyAMA0"):
        (tmp_path / name).touch()
    (tmp_path / "serial" / "by-id" / "usb-gauge").symlink_to(tmp_path / "ttyUSB0")
    (tmp_path / "serial0").symlink_to(tmp_path / "ttyAMA0")

    found = [Path(port).name for port in serial_ports(tmp_path)]

    assert found == ["usb-gauge", "serial0", "ttyUSB1"]


def test_buses_and_probes_are_listed(tmp_path: Path) -> None:
    """Adapters by number; probes by family, bus masters left out."""
    for name in ("i2c-20", "i2c-1", "i2c-x"):
        (tmp_path / name).touch()
    for name in ("28-00000a1b2c3d", "10-000000000001", "3b-000000000002", "w1_bus_master1"):
        (tmp_path / name).mkdir()

    assert i2c_buses(tmp_path) == [1, 20]
    assert [(one.place[:2], one.kinds) for one in scan_w1(tmp_path)] == [
        ("10", ("ds18s20",)),
        ("28", ("ds18b20",)),
        ("3b", ()),
    ]


def test_addresses_are_those_of_the_data_sheets() -> None:
    """A chip with two addresses has two; a circuit that can have any is looked for at its own."""
    assert list(addresses("bh1750")) == [0x23, 0x5C]
    assert list(addresses("bme280")) == [0x76, 0x77]
    assert list(addresses("ezo_ph")) == [0x63]
    assert list(addresses("pms5003")) == []


async def test_a_machine_without_wires_has_nothing(tmp_path: Path) -> None:
    """Nothing is found, and nothing went wrong."""

    def never(*_given: object) -> NoReturn:
        raise AssertionError("there is no wire")

    result = await scan(Machine(tmp_path, tmp_path), bluetooth_s=0, i2c=never, line=never)

    assert table(result) == "Nothing was found."


def test_the_table_and_the_json_say_the_same() -> None:
    """A person reads columns, a program the same rows."""
    result = Scan([Found("I2C bus 1", "0x23", ("bh1750",))], ["Bluetooth: no adapter"])

    assert table(result).splitlines() == [
        "WIRE       PLACE  DRIVER",
        "I2C bus 1  0x23   bh1750",
        "not looked at: Bluetooth: no adapter",
    ]
    assert json.loads(as_json(result))["found"][0]["kinds"] == ["bh1750"]


async def test_a_true_bus_is_scanned_by_the_command(tmp_path: Path) -> None:
    """`angsila scan --json` finds the two chips on an emulated /dev/i2c-1."""
    fault = tmp_path / "fault"
    fault.touch()
    under = ("umockdev-wrapper", DEBIAN_PYTHON, str(MACHINE), str(fault))

    async with angsila("scan", "--json", "--bluetooth-s", "0", under=under) as command:
        status, output = await command.ended()

    assert status == 0, output
    assert [(one["place"], one["kinds"]) for one in json.loads(output)["found"]] == [
        ("0x44", ["ina219", "sht4x"]),
        ("0x76", ["bme280"]),
    ]


async def test_a_terminal_is_listened_to() -> None:
    """The true serial line of Linux is opened at each speed, and found silent."""
    with terminal() as (_, port):
        result = Scan()

        await scan_line(result, port, UART, LISTEN_S)

    assert result.found == [Found("serial line", port, (), "silent, or nothing that we know")]
    assert pms5003.BAUD in talkers()
