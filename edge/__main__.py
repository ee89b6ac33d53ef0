"""The command `angsila`."""

import argparse
import asyncio
import gc
import logging
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from edge.errors import EdgeError, SettingsError
from edge.pack import add_pack

# Each command imports what it needs when it runs: the start of the kiosk is measured, and
# `angsila check` wants neither a web server nor a database.

INSTALLED = Path("/etc/angsila")
PORT_MAX = 65535
LISTEN_S_MAX = 120
COUNT_MAX = 10_000
DATABASE_WORDS = "postgresql://USER@HOST:PORT/NAME of the archive; '' for a file in --state"


def main() -> None:
    """Run the command line and exit with its status."""
    arguments = parser().parse_args()
    try:
        status = arguments.run(arguments)
    except EdgeError as error:
        print(f"angsila: {error}", file=sys.stderr)
        status = error.exit_status
    sys.exit(status)


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    top = argparse.ArgumentParser(
        prog="angsila", description="Offline kiosk and edge gateway of a seaside market town."
    )
    commands = top.add_subparsers(required=True, metavar="COMMAND")

    run = command(commands, "run", run_kiosk, "run a kiosk: sensors, journal, pages, uplink")
    run.add_argument("--config", type=Path, metavar="FILE", help="settings of the kiosk")
    run.add_argument("--state", type=Path, metavar="DIR", help="where the journal lives")
    run.add_argument("--port", type=port, help="port of the screen's pages")
    run.add_argument("--city", metavar="URL", help="where the city is; '' for none")

    city = command(commands, "city", run_city, "run a city: receiver and archive")
    city.add_argument("--config", type=Path, metavar="FILE", help="settings of the city")
    city.add_argument("--state", type=Path, metavar="DIR", help="where the archive lives")
    city.add_argument("--host", help="address to listen on")
    city.add_argument("--port", type=port, help="port to listen on")
    city.add_argument("--database", metavar="URL", help=DATABASE_WORDS)

    add_city_orders(city)

    enrol = command(commands, "enrol", run_enrol, "make this kiosk known to its city")
    enrol.add_argument("--token", required=True, help="what `angsila city enrol-token` printed")
    enrol.add_argument("--city", metavar="URL", help="where the city is; default: as in settings")
    enrol.add_argument("--config", type=Path, metavar="FILE", help="settings of the kiosk")
    enrol.add_argument("--state", type=Path, metavar="DIR", help="where the journal lives")
    enrol.add_argument("--new-key", action="store_true", help="as a new device, after a revocation")

    rotate = command(commands, "rotate", run_rotate, "give this kiosk a new key at its city")
    rotate.add_argument("--state", type=Path, metavar="DIR", help="where the journal lives")

    add_pins(commands)

    demo = command(commands, "demo", run_demo, "run a kiosk and a city on this machine")
    demo.add_argument("--kiosk-port", type=port, default=8080, metavar="PORT")
    demo.add_argument("--city-port", type=port, default=8090, metavar="PORT")
    demo.add_argument("--state", type=Path, default=Path("state"), metavar="DIR")

    check = command(commands, "check", run_check, "check settings files")
    check.add_argument("file", type=Path, nargs="*", help="default: what `angsila run` reads")
    check.add_argument(
        "--wiring", action="store_true", help="also what the sensors claim, and where they clash"
    )

    add_decode(commands)
    add_pack(commands, command)

    clock = command(commands, "set-time", run_set_time, "tell a running kiosk the time")
    clock.add_argument(
        "when", metavar="TIME", help="ISO 8601 with its zone: 2026-11-25T17:00+07:00"
    )
    clock.add_argument("--error-s", type=float, default=60.0, metavar="S", help="give or take")
    clock.add_argument("--state", type=Path, metavar="DIR", help="where the journal lives")

    verify = command(commands, "verify", run_verify, "compare a kiosk's journal with a city")
    verify.add_argument("--state", type=Path, required=True, metavar="DIR")
    verify.add_argument("--city", required=True, metavar="URL|DATABASE|FOLDER")
    return top


def add_decode(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add `angsila decode`."""
    look = command(commands, "scan", run_scan, "list what is on the wires and in the air")
    look.add_argument("--json", action="store_true", help="print JSON")
    look.add_argument(
        "--bluetooth-s",
        type=seconds,
        default=12.0,
        metavar="S",
        help="listen to the air for so long; 0: not at all",
    )

    node = commands.add_parser("node", help="make what goes on the board of a sensor node")
    node_orders = node.add_subparsers(required=True, metavar="ORDER")
    board = command(node_orders, "build", run_node_build, "write what to copy to the board")
    board.add_argument("file", type=Path, metavar="NODE.toml", help="settings of the node")
    board.add_argument("folder", type=Path, metavar="DIR", help="where to write it")
    board.add_argument("--mpy", action="store_true", help="compiled: smaller, and starts sooner")

    decode = command(commands, "decode", run_decode, "turn a captured frame into readings")
    decode.add_argument("kind", metavar="KIND", help="a driver, such as pms5003")
    decode.add_argument("--input", required=True, metavar="JSON", help="what was captured")
    decode.add_argument("--json", action="store_true", help="print JSON")


def add_events(
    orders: "argparse._SubParsersAction[argparse.ArgumentParser]", beside: argparse.ArgumentParser
) -> None:
    """Add `angsila city events`."""
    words = "list what people told, and what else happened at the kiosks"
    events = command(orders, "events", run_events, words, beside)
    kinds = "feedback, stall, usage, health …; may be given more than once; default: all"
    events.add_argument("--kind", action="append", default=[], metavar="KIND", help=kinds)
    events.add_argument("--kiosk", default="", metavar="KIOSK", help="of this kiosk alone")
    events.add_argument("--limit", type=count, default=50, metavar="N", help="the newest N; 50")
    events.add_argument("--json", action="store_true", help="one JSON object a line")


def add_pins(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add the commands that make the hash of a PIN."""
    for name, whose in (("technician-pin", "the technician"), ("stall-pin", "a stall")):
        words = f"print the hash of a PIN of {whose}; the PIN is read from the keyboard"
        command(commands, name, run_pin, words)


def add_city_orders(city: argparse.ArgumentParser) -> None:
    """Add what an operator tells a city instead of running it."""
    # Without default: one given before the word is not to be lost.
    beside = argparse.ArgumentParser(add_help=False, argument_default=argparse.SUPPRESS)
    beside.add_argument("--config", type=Path, metavar="FILE", help="settings of the city")
    beside.add_argument("--state", type=Path, metavar="DIR", help="where the archive lives")
    beside.add_argument("--database", metavar="URL", help=DATABASE_WORDS)
    orders = city.add_subparsers(metavar="ORDER", help="instead of running it:")
    token = command(
        orders, "enrol-token", run_enrol_token, "print a token that enrols one kiosk", beside
    )
    token.add_argument("--site", default="", metavar="WORDS", help="where that kiosk will stand")
    add = command(orders, "add-file", run_add_file, "offer a file to kiosks, by its hash", beside)
    add.add_argument("file", type=Path, metavar="FILE")
    content = command(
        orders, "content", run_content, "let kiosks show a content pack from now on", beside
    )
    content.add_argument("pack", type=Path, metavar="PACK", help="a signed pack file")
    content.add_argument("--kiosk", metavar="ID", help="this one only; default: all")
    revoke = command(orders, "revoke", run_revoke, "believe a device no more", beside)
    revoke.add_argument("device", metavar="DEVICE", help="its id, or the id of its kiosk")
    add_events(orders, beside)


def command(
    commands: "argparse._SubParsersAction[argparse.ArgumentParser]",
    name: str,
    run: Callable[[argparse.Namespace], int],
    words: str,
    *parents: argparse.ArgumentParser,
) -> argparse.ArgumentParser:
    """Add one command."""
    added = commands.add_parser(name, help=words, description=words, parents=parents)
    added.set_defaults(run=run)
    return added


def port(text: str) -> int:
    """Read a port number. Raises `ArgumentTypeError`."""
    if not (text.isascii() and text.isdigit() and int(text) <= PORT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: 0 to {PORT_MAX} is")
    return int(text)


def count(text: str) -> int:
    """Read how many there shall be. Raises `ArgumentTypeError`."""
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= COUNT_MAX):
        raise argparse.ArgumentTypeError(f"{text!r} is no count: 1 to {COUNT_MAX} is")
    return int(text)


def seconds(text: str) -> float:
    """Read a time in seconds. Raises `ArgumentTypeError`."""
    try:
        found = float(text)
    except ValueError:
        found = -1
    if not 0 <= found <= LISTEN_S_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is no time: 0 to {LISTEN_S_MAX} seconds is")
    return found


def run_kiosk(arguments: argparse.Namespace) -> int:
    """`angsila run`."""
    gc.disable()  # A start makes much and drops little; `service.run` enables it again.
    from edge import settings as reader

    settings = reader.load(arguments.config or settings_file("gateway.toml"))
    web, uplink = settings.web, settings.uplink
    if arguments.port is not None:
        web = replace(web, port=arguments.port)
    if arguments.city is not None:
        uplink = replace(uplink, city_url=reader.city_url(arguments.city))
    log_to_stderr()

    from edge import service

    state = arguments.state or state_folder("kiosk")
    asyncio.run(service.run(replace(settings, web=web, uplink=uplink), state))
    return 0


def run_city(arguments: argparse.Namespace) -> int:
    """`angsila city`."""
    from edge import settings as reader
    from edge.city import city

    settings = reader.load_city(arguments.config or settings_file("city.toml"))
    host = settings.host if arguments.host is None else arguments.host
    number = settings.port if arguments.port is None else arguments.port
    log_to_stderr()
    state = arguments.state or state_folder("city")
    asyncio.run(city(state, host, number, city_database(arguments)))
    return 0


def city_database(arguments: argparse.Namespace) -> str:
    """Where the archive of the city is: as typed, or as in its settings; '' for a file."""
    from edge import settings as reader

    if arguments.database is not None:
        return reader.database_address(arguments.database)
    return reader.load_city(arguments.config or settings_file("city.toml")).database


def run_enrol_token(arguments: argparse.Namespace) -> int:
    """`angsila city enrol-token`."""
    from edge.enrol import TOKEN_MINUTES, new_token

    state = arguments.state or state_folder("city")
    print(asyncio.run(new_token(state, arguments.site, city_database(arguments))))
    print(f"Good once, within {TOKEN_MINUTES} minutes.", file=sys.stderr)
    return 0


def run_add_file(arguments: argparse.Namespace) -> int:
    """`angsila city add-file`."""
    from sync.city.blobs import add

    try:
        print(add(arguments.state or state_folder("city"), arguments.file))
    except OSError as error:
        raise EdgeError(f"{error.filename}: {error.strerror}") from None
    return 0


def run_content(arguments: argparse.Namespace) -> int:
    """`angsila city content`."""
    from edge.city import offer_content

    state = arguments.state or state_folder("city")
    print(offer_content(state, arguments.pack, arguments.kiosk))
    return 0


def run_revoke(arguments: argparse.Namespace) -> int:
    """`angsila city revoke`."""
    from edge.enrol import revoke

    state, database = arguments.state or state_folder("city"), city_database(arguments)
    for line in asyncio.run(revoke(state, arguments.device, database)):
        print(line)
    return 0


def run_events(arguments: argparse.Namespace) -> int:
    """`angsila city events`."""
    from edge.city import events

    state = arguments.state or state_folder("city")
    asked = (arguments.kind, arguments.kiosk, arguments.limit)
    database = city_database(arguments)
    for line in asyncio.run(events(state, *asked, as_json=arguments.json, database=database)):
        print(line)
    return 0


def run_pin(_arguments: argparse.Namespace) -> int:
    """`angsila technician-pin` and `angsila stall-pin`: a PIN is no word of a command line."""
    from getpass import getpass

    from kiosk_ui.pin import DIGITS, hash_pin, is_pin

    typed = getpass("PIN: ") if sys.stdin.isatty() else sys.stdin.readline().strip()
    if not is_pin(typed):
        raise SettingsError(f"a PIN has {DIGITS} digits, not all the same or in order")
    print(hash_pin(typed))
    return 0


def run_enrol(arguments: argparse.Namespace) -> int:
    """`angsila enrol`."""
    from edge import settings as reader

    settings = reader.load(arguments.config or settings_file("gateway.toml"))
    wanted = settings.uplink.city_url
    url = wanted if arguments.city is None else reader.city_url(arguments.city)
    if not url:
        raise SettingsError("no city: give --city URL, or city_url in [uplink] of the settings")

    from edge.enrol import enrol

    state = arguments.state or state_folder("kiosk")
    found = asyncio.run(
        enrol(state, url, arguments.token, settings.kiosk.id, new_key=arguments.new_key)
    )
    at = f" at {found.site}" if found.site else ""
    print(f"{found.kiosk}{at} is enrolled at {url} as device {found.device}")
    if url != wanted:
        print(f'angsila run sends there with city_url = "{url}" in [uplink], or with --city {url}')
    return 0


def run_rotate(arguments: argparse.Namespace) -> int:
    """`angsila rotate`."""
    from edge.enrol import rotate

    found = asyncio.run(rotate(arguments.state or state_folder("kiosk")))
    print(f"device {found.device} of {found.kiosk} has the new key {found.key.id}")
    return 0


def run_set_time(arguments: argparse.Namespace) -> int:
    """`angsila set-time`."""
    from edge.set_time import set_time

    folder = arguments.state or state_folder("kiosk")
    asyncio.run(set_time(folder, arguments.when, arguments.error_s))
    return 0


def run_demo(arguments: argparse.Namespace) -> int:
    """`angsila demo`."""
    from edge.demo import demo

    asyncio.run(demo(arguments.kiosk_port, arguments.city_port, arguments.state))
    return 0


def run_check(arguments: argparse.Namespace) -> int:
    """`angsila check`: every file is looked at, the first error of each is said."""
    from edge import settings as reader

    status = 0
    for file in arguments.file or [settings_file("gateway.toml")]:
        try:
            print(f"{file}: {reader.check(file)}")
            if arguments.wiring and not wiring_works(file):
                status = SettingsError.exit_status
        except EdgeError as error:
            print(f"angsila: {error}", file=sys.stderr)
            status = error.exit_status
    return status


def wiring_works(file: Path) -> bool:
    """Print what the sensors of a settings file claim; False where two of them clash."""
    from edge.wiring import look

    claims, faults = look(file)
    print(*(f"  {line}" for line in (*claims, *faults)), sep="\n")
    return not any(fault.is_clash for fault in faults)


def run_scan(arguments: argparse.Namespace) -> int:
    """`angsila scan`."""
    from edge.scan import as_json, look_around, table

    result = look_around(arguments.bluetooth_s)
    print(as_json(result) if arguments.json else table(result))
    return 1 if result.troubles else 0


def run_node_build(arguments: argparse.Namespace) -> int:
    """`angsila node build`."""
    from edge.node import build, next_steps

    made = build(arguments.file, arguments.folder, compiled=arguments.mpy)
    print(next_steps(made, arguments.folder), end="")
    return 0


def run_decode(arguments: argparse.Namespace) -> int:
    """`angsila decode`."""
    from edge.decode import decode_command

    return decode_command(arguments.kind, arguments.input, as_json=arguments.json)


def run_verify(arguments: argparse.Namespace) -> int:
    """`angsila verify`."""
    from sync.verify import verify_command

    return verify_command(arguments.state, arguments.city)


def settings_file(name: str) -> Path:
    """Find the settings of an installed system, or those that came with the program."""
    from edge.settings import config_folder

    installed = INSTALLED / name
    return installed if installed.exists() else config_folder() / name


def state_folder(name: str) -> Path:
    """Name where state is kept unless somebody says otherwise: systemd, or here."""
    given = os.environ.get("STATE_DIRECTORY")
    return Path(given) if given else Path("state") / name


def log_to_stderr() -> None:
    """Send the log to stderr; systemd's journal has times of its own."""
    time = "" if "JOURNAL_STREAM" in os.environ else "%(asctime)s "
    logging.basicConfig(level=logging.INFO, format=f"{time}%(levelname)s %(name)s: %(message)s")
    logging.getLogger("aiohttp.access").setLevel(logging.WARNING)  # A state, not a change.


if __name__ == "__main__":
    main()
