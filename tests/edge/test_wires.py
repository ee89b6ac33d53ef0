"""Every fault of a wire, from the emulated wire through a running kiosk to the city."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from drivers import pms5003
from drivers.errors import WrongChipError
from tests.edge.archive import readings_at
from tests.edge.town import town
from tests.terminal import terminal
from tests.waiting import angsila, free_port, get, until

MACHINE = Path(__file__).parent / "wires" / "i2c_machine.py"
DEBIAN_PYTHON = "/usr/bin/python3"
WAIT_S = 40.0  # Pauses between two starts of a failed sensor grow to some seconds.

SETTINGS = """
[kiosk]
id = "wires"
[journal]
commit_s = 0.5
segment_s = 1
[[sensor]]
name = "air"
driver = "bme280"
period_s = 0.5
[[sensor]]
name = "hall"
driver = "sht4x"
period_s = 0.5
[[sensor]]
name = "sea"
driver = "ds18b20"
period_s = 0.5
root = "{w1}"
quantity = "water_temperature"
[[sensor]]
name = "dust"
driver = "pms5003"
period_s = 0.5
port = "{port}"
warm_up_s = 0
"""

CLEAN = bytes.fromhex("424d001c0005000d00160005000d001602fd00fc001d000f00060006970003a0")
DUST = pms5003.with_sum(CLEAN[:30])
ZEROS = pms5003.with_sum(b"\x42\x4d\x00\x1c" + bytes(24) + b"\x97\x00")
# Its last words are 30.0 °C and 71.3 % instead of counts.
SISTER = pms5003.with_sum(
    CLEAN[:24] + (300).to_bytes(2, "big") + (713).to_bytes(2, "big") + b"\x97\x00"
)
FLIPPED = bytes([*DUST[:10], DUST[10] ^ 0x10, *DUST[11:]])

PROBE = "b8 01 4b 46 7f ff 08 10 8a : crc=8a YES\nb8 01 4b 46 7f ff 08 10 8a t=27500\n"
POWER_ON = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"


class Round(NamedTuple):
    """One fault on each wire at once, and the quality that a person then reads."""

    i2c: str
    probe: str | None  # What stands in the kernel's file; None: the probe is gone.
    dust: bytes  # What the line says again and again.
    qualities: dict[str, str]


GOOD = Round(
    "",
    PROBE,
    DUST,
    {
        "air/air_temperature": "ok",
        "hall/air_temperature": "ok",
        "sea/water_temperature": "ok",
        "dust/pm2_5": "ok",
    },
)
ROUNDS = {
    "a flipped bit": Round(
        "crc",
        PROBE.replace("YES", "NO"),
        FLIPPED,
        {
            "air/air_temperature": "ok",
            "hall/air_temperature": "checksum",
            "sea/water_temperature": "checksum",
            "dust/pm2_5": "timeout",
        },
    ),
    "nothing measured": Round(
        "nan",
        POWER_ON,
        ZEROS,
        {
            "air/air_temperature": "no_data",
            "hall/air_temperature": "ok",
            "sea/water_temperature": "power_on_value",
            "dust/pm2_5": "warming_up",
        },
    ),
    "unplugged": Round(
        "absent",
        None,
        b"",
        {
            "air/air_temperature": "io",
            "hall/air_temperature": "ok",
            "sea/water_temperature": "absent",
            "dust/pm2_5": "timeout",
        },
    ),
    "another model": Round(
        "wrong_chip",
        PROBE,
        SISTER,
        {
            "air/air_temperature": "wrong_chip",
            "hall/air_temperature": "ok",
            "sea/water_temperature": "ok",
            "dust/pm2_5": "wrong_chip",
        },
    ),
    "a bus held low, a torn frame": Round(
        "stuck",
        PROBE[:20],
        DUST[:17],
        {
            "air/air_temperature": "timeout",
            "hall/air_temperature": "timeout",
            "sea/water_temperature": "checksum",
            "dust/pm2_5": "timeout",
        },
    ),
}


class Wires:
    """The emulated wires of one machine."""

    def __init__(self, folder: Path, sensor: int) -> None:
        self.fault = folder / "fault"
        self.w1 = folder / "w1"
        self._sensor = sensor
        self._says = b""
        self.w1.mkdir()
        self.turn(GOOD)

    def turn(self, one: Round) -> None:
        """Break, or mend, all of them."""
        self.fault.write_text(one.i2c)
        probe = self.w1 / "28-00000a1b2c3d"
        shutil.rmtree(probe, ignore_errors=True)
        if one.probe is not None:
            probe.mkdir()
            (probe / "w1_slave").write_text(one.probe)
        self._says = one.dust

    def speak(self) -> None:
        """Let the sensor on the serial line say once more what it says, and forget answers."""
        os.write(self._sensor, self._says)
        try:
            os.read(self._sensor, 4096)
        except BlockingIOError:
            return


def seen(port: int, wires: Wires, wanted: dict[str, str]) -> Callable[[], Any]:
    """Whether the kiosk shows these qualities now, each not older than a few beats."""

    def look() -> dict[str, str] | None:
        wires.speak()
        rows = (get(f"http://127.0.0.1:{port}/api/now") or {"readings": []})["readings"]
        found = {row["stream"]: row["quality"] for row in rows if row["stream"] in wanted}
        return found if found == wanted else None

    return look


async def test_each_fault_of_a_wire_is_read_by_a_person(tmp_path: Path) -> None:
    """On I²C, UART and 1-Wire each fault shows its quality on the screen and at the city."""
    port = free_port()
    with terminal() as (sensor, line):
        wires = Wires(tmp_path, sensor)
        settings = tmp_path / "kiosk.toml"
        settings.write_text(SETTINGS.format(w1=wires.w1, port=line))
        under = ("umockdev-wrapper", DEBIAN_PYTHON, str(MACHINE), str(wires.fault))
        async with (
            town(tmp_path / "city") as city,
            angsila(
                *("run", "--config", settings, "--state", tmp_path / "kiosk"),
                *("--port", str(port), "--city", city.url),
                under=under,
            ) as kiosk,
        ):
            await city.enrol(tmp_path / "kiosk", "wires")
            for one in (GOOD, *(part for broken in ROUNDS.values() for part in (broken, GOOD))):
                wires.turn(one)
                await until(seen(port, wires, one.qualities), WAIT_S)
            told = {
                (stream, quality)
                for one in ROUNDS.values()
                for stream, quality in one.qualities.items()
            }
            found = await until(lambda: told <= (at := qualities(city.url)) and at)
            assert (await kiosk.end())[0] == 0

    assert told <= found


def qualities(url: str) -> set[tuple[str, str]]:
    """Every stream and quality that the city has of this kiosk."""
    return {(entry.stream.name, entry.quality) for entry in readings_at(url, "wires")}


def test_the_bench_is_true() -> None:
    """The frames of the rounds are what they are called."""
    assert pms5003.is_good(DUST)
    assert pms5003.is_good(ZEROS)
    assert not pms5003.is_good(FLIPPED)
    with pytest.raises(WrongChipError):
        pms5003.check_counts(pms5003.decode(SISTER))
