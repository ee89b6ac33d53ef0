"""Scan: what hangs on the wires of this machine and what is in the air around it."""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from drivers import catalog
from drivers.bme280 import CHIPS, REG_ID
from drivers.errors import BusError, DriverError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drivers.bus import ByteStream, I2CBus

I2C_FIRST, I2C_LAST = 0x08, 0x77  # The others are reserved (NXP UM10204, table 3).
# An empty write, which asks "are you there", can lock an EEPROM of a memory module; those are
# read instead, as i2cdetect does (its manual page).
READ_ONLY_ADDRESSES = (*range(0x30, 0x38), *range(0x50, 0x60))
RANGE_MAX = 16  # A chip that can have any address is looked for at its usual one.
CHIP_ID_KINDS = {"BME280": "bme280", "BMP280": "bmp280"}

LISTEN_S = 2.5  # The slowest of them sends once a second.
LISTEN_BYTES_MAX = 65536
FRAMES_MIN = 2  # One may be chance.
PORTS_MAX = 16

W1_FAMILIES = {"28": "ds18b20", "10": "ds18s20"}


@dataclass(frozen=True)
class Found:
    """One thing that answers: on which wire, at which place, and what it may be."""

    wire: str
    place: str
    kinds: tuple[str, ...]  # Drivers that fit, the surest first; none for an unknown one.
    note: str = ""


@dataclass
class Scan:
    """What was found, and what could not be looked at."""

    found: list[Found] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Machine:
    """Where a Linux machine keeps its wires; a test has its own."""

    dev: Path = Path("/dev")
    w1: Path = Path("/sys/bus/w1/devices")


async def scan(
    machine: Machine,
    *,
    bluetooth_s: float,
    i2c: Callable[[int], I2CBus],
    line: Callable[[str, int], ByteStream],
) -> Scan:
    """Look at every bus, line, probe and at the air, one after the other."""
    result = Scan()
    for number in i2c_buses(machine.dev):
        await scan_i2c(result, number, i2c(number))
    for port in serial_ports(machine.dev):
        await scan_line(result, port, line)
    result.found += scan_w1(machine.w1)
    if bluetooth_s:
        await scan_air(result, bluetooth_s)
    return result


def i2c_buses(dev: Path) -> list[int]:
    """Numbers of the I²C adapters."""
    names = [path.name.removeprefix("i2c-") for path in dev.glob("i2c-*")]
    return sorted(int(name) for name in names if name.isdecimal())


def serial_ports(dev: Path) -> list[str]:
    """Serial devices that sensors hang on, by the name that survives a boot where there is one."""
    lasting = sorted((dev / "serial" / "by-id").glob("*"))
    meant = {path.resolve() for path in lasting}
    others = [dev / "serial0", *sorted(dev.glob("ttyUSB*")), *sorted(dev.glob("ttyACM*"))]
    plain = [path for path in others if path.exists() and path.resolve() not in meant]
    return [str(path) for path in (*lasting, *plain)][:PORTS_MAX]


async def scan_i2c(result: Scan, number: int, bus: I2CBus) -> None:
    """Ask every address of one bus."""
    try:
        await bus.open()
    except BusError as error:
        result.troubles.append(f"I2C bus {number}: {error}")
        return
    try:
        for address in range(I2C_FIRST, I2C_LAST + 1):
            if await answers(bus, address):
                kinds = await identified(bus, address)
                result.found.append(Found(f"I2C bus {number}", hex(address), kinds))
    finally:
        await bus.close()


async def answers(bus: I2CBus, address: int) -> bool:
    """Whether a chip acknowledges its address."""
    try:
        if address in READ_ONLY_ADDRESSES:
            await bus.readfrom(address, 1)
        else:
            await bus.writeto(address, b"")
    except BusError:
        return False
    return True


async def identified(bus: I2CBus, address: int) -> tuple[str, ...]:
    """Drivers whose chips can have this address; where a chip tells its name, that one."""
    kinds = tuple(kind for kind in sorted(catalog.KINDS) if address in addresses(kind))
    if "bme280" not in kinds:
        return kinds
    try:
        chip = CHIPS.get((await bus.readfrom_mem(address, REG_ID, 1))[0])
    except BusError:
        chip = None
    if chip is not None:
        return (CHIP_ID_KINDS[chip],)
    return tuple(kind for kind in kinds if kind not in CHIP_ID_KINDS.values())


def addresses(kind: str) -> Sequence[int]:
    """Where on an I²C bus a kind can be found; nowhere if it is on another wire."""
    known = catalog.options(kind)
    if "bus" not in known:
        return ()
    if (kind, "address") in catalog.CHOICES:
        return [int(address) for address in catalog.CHOICES[kind, "address"]]
    low, high = catalog.ADDRESSES[kind]
    return range(low, high + 1) if high - low < RANGE_MAX else (int(known["address"].default),)


async def scan_line(
    result: Scan, port: str, line: Callable[[str, int], ByteStream], listen_s: float = LISTEN_S
) -> None:
    """Listen to one serial device at each speed that a sensor of ours has."""
    for baud, kinds in talkers().items():
        try:
            chunk = await listened(line(port, baud), listen_s)
        except BusError as error:
            result.troubles.append(f"{port}: {error}")
            return
        fitting = tuple(kind for kind in kinds if frames_of(kind, chunk) >= FRAMES_MIN)
        if fitting:
            result.found.append(Found("serial line", port, fitting, f"{baud} baud"))
            return
    result.found.append(Found("serial line", port, (), "silent, or nothing that we know"))


async def listened(line: ByteStream, listen_s: float) -> bytes:
    """What a line says within `listen_s`. Raises `BusError`."""
    await line.open()
    heard = b""
    try:
        async with asyncio.timeout(listen_s):
            while len(heard) < LISTEN_BYTES_MAX:
                heard += await line.read()
    except TimeoutError:
        pass  # It has said what it had to say.
    finally:
        await line.close()
    return heard


def talkers() -> dict[int, list[str]]:
    """Speed → drivers of sensors that talk without being asked."""
    found: dict[int, list[str]] = {}
    for kind, (module, name, known, _) in sorted(catalog.KINDS.items()):
        if "port" not in known or "registers" in known:
            continue
        python = __import__(module, None, None, (name,))
        if hasattr(getattr(python, name), "make_scanner"):
            found.setdefault(python.BAUD, []).append(kind)
    return found


def frames_of(kind: str, chunk: bytes) -> int:
    """How many good frames of a kind are in what was heard."""
    module, name, _, _ = catalog.KINDS[kind]
    sensor = getattr(__import__(module, None, None, (name,)), name)(NoLine())
    readable = 0
    for frame in sensor.scanner.feed(chunk):
        try:
            sensor.take(frame)
        except DriverError:
            continue
        readable += 1
    return readable


class NoLine:
    """The line of a driver that is only shown frames."""

    async def open(self) -> None:
        """Nothing is opened."""

    async def close(self) -> None:
        """Nothing is closed."""

    async def read(self) -> bytes:
        """Nothing is read."""
        return b""

    async def write(self, frame: bytes) -> None:
        """Nobody is written to. Raises `BusError`."""
        raise BusError(f"no line for {frame.hex()}")

    def drop_pending(self) -> None:
        """Nothing is pending."""


def scan_w1(root: Path) -> Iterator[Found]:
    """Probes that the kernel's 1-Wire driver has found."""
    for path in sorted(root.glob("[0-9a-f][0-9a-f]-*")):
        kind = W1_FAMILIES.get(path.name[:2])
        yield Found("1-Wire", path.name, () if kind is None else (kind,))


async def scan_air(result: Scan, seconds: float) -> None:
    """Listen for Bluetooth sensors of known formats."""
    from drivers.linux.ble import nearby  # noqa: PLC0415 # bleak is large

    try:
        rows = await nearby(seconds)
    except BusError as error:
        result.troubles.append(f"Bluetooth: {error}")
        return
    for row in rows:
        values = " ".join(f"{name}={value}" for name, value in row.values.items())
        note = "sealed, needs its key" if row.is_sealed else values
        words = " ".join(part for part in (f"{row.rssi} dBm", row.name, note) if part)
        result.found.append(Found("Bluetooth", row.address, (row.kind,), words))


def table(result: Scan) -> str:
    """What was found, for a person."""
    rows = [
        (one.wire, one.place, " or ".join(one.kinds) or "unknown", one.note) for one in result.found
    ]
    lines = aligned([("WIRE", "PLACE", "DRIVER", ""), *rows]) if rows else ["Nothing was found."]
    return "\n".join([*lines, *(f"not looked at: {trouble}" for trouble in result.troubles)])


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def as_json(result: Scan) -> str:
    """The same for a program."""
    found = [asdict(one) for one in result.found]
    return json.dumps({"found": found, "troubles": result.troubles}, ensure_ascii=False, indent=1)


def look_around(bluetooth_s: float) -> Scan:
    """Scan this very machine."""
    from drivers.linux.i2c import LinuxI2C  # noqa: PLC0415 # only this command needs both
    from drivers.linux.uart import UART  # noqa: PLC0415

    return asyncio.run(scan(Machine(), bluetooth_s=bluetooth_s, i2c=LinuxI2C, line=UART))
