import asyncio
import json
import subprocess
import sys
from contextlib import closing
from http.client import HTTPConnection
from pathlib import Path

import pytest

from drivers import bthome, catalog
from edge import node
from edge.errors import SettingsError, StateError
from tests.edge.town import town
from tests.waiting import angsila, free_port, get, until

ROOT = Path(__file__).resolve().parents[2]
MICROPYTHON = Path(sys.executable).with_name("micropython")
BOARD = Path(__file__).parent / "board"
RUN_MAX_S = 60
KEY = "231d39c1d7cc1ab1aee224cd096db932"
ADDRESS = "c0ffee000001"

I2C_PINS = "sda = 21\nscl = 22\n"
UART_PINS = "uart = 1\nrx = 16\ntx = 17\n"
SENSOR = f'[[sensor]]\ndriver = "bme280"\n{I2C_PINS}address = 0x76\n'
SECOND = SENSOR.replace("0x76", "0x77")
LINE = f'[[sensor]]\ndriver = "pms5003"\n{UART_PINS}'
NETWORK = f"""[node]
name = "buoy"
period_s = 1
send = "network"
kiosk_host = "127.0.0.1"
wifi_name = "pier"
address = "{ADDRESS}"
key = "{KEY}"
"""

WRONG = {
    "a driver that no board can run": (
        '[[sensor]]\ndriver = "ds18b20"\n',
        "[[sensor]] driver = 'ds18b20' is not allowed; allowed: one of 'a02yyuw'",
    ),
    "a simulated sensor": ('[[sensor]]\ndriver = "fake_pier"\n', "'fake_pier' is not allowed"),
    "no pins": ('[[sensor]]\ndriver = "bme280"\n', "bme280 needs sda: pin of the bus's data"),
    "a bus of Linux": (SENSOR + "bus = 1\n", "unknown option bus = 1"),
    "an address that the chip cannot have": (
        SENSOR.replace("0x76", "0x10"),
        "bme280 option address = 0x10 is not from 0x76 to 0x77",
    ),
    "two temperatures": (SENSOR + SECOND, "air_temperature and air_temperature are both"),
    "no sensor": ("[node]\n", "a node has 1 to 16 [[sensor]] tables"),
    "a network without its name": (
        '[node]\nsend = "network"\n' + SENSOR,
        'send = "network" needs kiosk_host and wifi_name',
    ),
    "a short key": ('[node]\nkey = "12"\n' + SENSOR, "32 hexadecimal digits"),
    "an unknown section": ("[web]\n" + SENSOR, "unknown section [web]"),
}


def written(folder: Path, text: str) -> Path:
    """A settings file of a node."""
    path = folder / "node.toml"
    path.write_text(text)
    return path


def run_node(folder: Path, *arguments: str) -> str:
    """Run MicroPython in a board's folder, with stand-ins for what only a board has."""
    done = subprocess.run(
        [MICROPYTHON, *arguments],
        cwd=folder,
        env={"MICROPYPATH": f".:{BOARD}:.frozen"},
        capture_output=True,
        text=True,
        timeout=RUN_MAX_S,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize(("text", "words"), WRONG.values(), ids=WRONG)
def test_wrong_settings_are_refused(tmp_path: Path, text: str, words: str) -> None:
    """The message names the option, the value and what would be right."""
    with pytest.raises(SettingsError) as caught:
        node.plan(written(tmp_path, text))

    assert words in str(caught.value)


def test_key_and_address_are_made(tmp_path: Path) -> None:
    """What the technician leaves empty is new for each node, and of the right shape."""
    path = written(tmp_path, SENSOR)

    first, second = node.plan(path).node, node.plan(path).node

    assert len(bytes.fromhex(first.key)) == 16
    assert first.key != second.key
    assert bytes.fromhex(first.address)[0] >> 6 == 3


def test_a_board_gets_what_it_needs_and_no_more(tmp_path: Path) -> None:
    """The driver of the sensor is there with all that it imports; other drivers are not."""
    node.build(written(tmp_path, LINE), tmp_path / "out", compiled=False)

    found = {path.name for path in (tmp_path / "out" / "drivers").iterdir()}

    assert {"__init__.py", "node.py", "node_board.py", "pms5003.py", "line.py"} <= found
    assert not {"bme280.py", "catalog.py", "fake.py"} & found
    assert (tmp_path / "out" / "node.json").stat().st_mode & 0o077 == 0


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    """A file in the way of the folder is no traceback."""
    (tmp_path / "out").write_text("in the way")

    with pytest.raises(StateError, match="cannot be written"):
        node.build(written(tmp_path, SENSOR), tmp_path / "out", compiled=False)


@pytest.mark.parametrize("compiled", [False, True], ids=["py", "mpy"])
def test_every_kind_can_be_imported_on_a_board(tmp_path: Path, *, compiled: bool) -> None:
    """For each driver that a board can run, MicroPython finds all modules in what was built."""
    classes = []
    # Compiling takes a while: a chip, a line and a circuit stand for the others there.
    for kind in ("bme280", "pms5003", "ezo_ph") if compiled else node.portable_kinds():
        pins = I2C_PINS if "bus" in catalog.options(kind) else UART_PINS
        table = f'[[sensor]]\ndriver = "{kind}"\n{pins}'
        made = node.build(written(tmp_path, table), tmp_path / "out", compiled=compiled)
        classes.append((made.sensors[0].module, made.sensors[0].class_name))
    lines = [f"from {module} import {name}" for module, name in classes]

    said = run_node(tmp_path / "out", "-c", "\n".join([*lines, "print('all there')"]))

    assert said == "all there\n"
    assert compiled or len(classes) > 20


async def test_a_node_reads_seals_and_is_shown(tmp_path: Path) -> None:
    """A BME280 on a real MicroPython is read, sealed, shown and at the city; forgeries are not."""
    pages, door = free_port(), free_port()
    table = NETWORK + f"kiosk_port = {door}\n" + SENSOR
    made = node.build(written(tmp_path, table), tmp_path / "board", compiled=True)
    gateway = tmp_path / "gateway.toml"
    gateway.write_text(
        f'[nodes]\nhost = "127.0.0.1"\nport = {door}\n[journal]\nsegment_s = 1\n'
        + made.kiosk_table()
    )

    async with (
        town(tmp_path / "city") as city,
        angsila(
            *("run", "--config", gateway, "--state", tmp_path / "kiosk"),
            *("--port", str(pages), "--city", city.url),
        ) as kiosk,
    ):
        await city.enrol(tmp_path / "kiosk", "angsila-1")
        await kiosk.line("nodes are heard")
        said = await asyncio.to_thread(run_node, tmp_path / "board", str(BOARD / "beats.py"))
        shown = await until(lambda: shown_on(pages).get("buoy/air_temperature"))
        packets = (first_packet(said), sealed(1, "00" * 16), sealed(10**6) + "00", "4002ca09")
        refused = [await asyncio.to_thread(status, door, ADDRESS, one) for one in packets]
        strange = await asyncio.to_thread(status, door, "c0ffee000002", sealed(10**6))
        stored = await until(lambda: at_city(city.url))

    assert shown == 22.93  # As the formula of the data sheet has it for these registers.
    assert refused == [409, 403, 403, 403]
    assert strange == 404
    assert stored == pytest.approx(shown)


async def test_mip_installs_a_driver_from_the_kiosk(tmp_path: Path) -> None:
    """MicroPython's own installer fetches a driver and all that it needs from the door."""
    door = free_port()
    gateway = tmp_path / "gateway.toml"
    gateway.write_text(f'[nodes]\nhost = "127.0.0.1"\nport = {door}\n')
    target = tmp_path / "lib"
    target.mkdir()

    async with angsila(
        *("run", "--config", gateway, "--state", tmp_path / "kiosk"),
        *("--port", str(free_port()), "--city", ""),
    ) as kiosk:
        url = f"http://127.0.0.1:{door}/mip/sht4x.json"
        await kiosk.line("nodes are heard")
        install = f"import mip; mip.install({url!r}, target={str(target)!r})"
        await asyncio.to_thread(run_node, tmp_path, "-c", install)

    found = {path.name for path in (target / "drivers").iterdir()}
    assert {"sht4x.py", "sensirion.py", "node.py"} <= found
    assert "bme280.py" not in found


def shown_on(port: int) -> dict[str, float]:
    """What the kiosk shows now, by the name of the stream."""
    now = get(f"http://127.0.0.1:{port}/api/now") or {"readings": []}
    return {row["stream"]: row["value"] for row in now["readings"]}


def at_city(url: str) -> float | None:
    """The node's newest temperature at the city."""
    fleet = get(f"{url}/v1/fleet") or {"kiosks": []}
    for row in (row for kiosk in fleet["kiosks"] for row in kiosk["streams"]):
        if row["stream"] == "buoy/air_temperature" and row["value"] is not None:
            return float(row["value"])
    return None


def sealed(counter: int, key: str = KEY) -> str:
    """A packet as the node would send it."""
    objects = bthome.encode(2, 20.0)
    return bthome.sealed_v2(objects, bytes.fromhex(ADDRESS), counter, bytes.fromhex(key)).hex()


def first_packet(said: str) -> str:
    """The first packet that the board's console shows."""
    return next(line for line in said.splitlines() if line.startswith(ADDRESS)).split()[-1]


def status(port: int, address: str, packet: str) -> int:
    """Post a packet as anybody on the network can; the status of the answer."""
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("POST", "/node", json.dumps({"address": address, "packet": packet}))
    with closing(connection):
        return connection.getresponse().status
