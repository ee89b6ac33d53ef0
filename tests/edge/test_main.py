import re
import subprocess
import sys
from pathlib import Path

import pytest

from edge.__main__ import parser, settings_file, state_folder
from edge.settings import PIN_HASH
from kiosk_ui.pin import fits
from tests.waiting import ANGSILA


def run(*arguments: str | Path, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [ANGSILA, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        input=typed,
    )


def test_check_says_of_each_file_whether_it_is_good(tmp_path: Path) -> None:
    """Every file is looked at; one that is wrong makes the exit status 2."""
    wrong = tmp_path / "wrong.toml"
    wrong.write_text("[web]\nport = 'x'\n")

    done = run("check", wrong, "config/demo.toml")

    assert done.returncode == 2
    assert "wrong.toml, line 2: [web] port = 'x' is not allowed" in done.stderr
    assert "config/demo.toml: good settings of a kiosk with" in done.stdout


@pytest.mark.parametrize("port", ["x", "-1", "65536", "²", ""])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    """A wrong port on the command line is named, and the exit status is 2."""
    done = run("run", f"--port={port}")

    assert done.returncode == 2
    assert f"{port!r} is no port" in done.stderr


def test_a_city_that_is_no_url_is_refused() -> None:
    """A wrong address of the city starts nothing."""
    done = run("run", "--config", "config/demo.toml", "--city", "localhost:8090")

    assert done.returncode == 2
    assert "--city 'localhost:8090' is not allowed; allowed: 'http://HOST:PORT'" in done.stderr


def test_a_frame_is_decoded_or_refused_in_one_line() -> None:
    """`angsila decode` ends with 1 and one line when the frame is damaged."""
    done = run("decode", "pms5003", "--input", '{"frame": "424d"}')

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("command", "unwanted"),
    [
        ("check config/demo.toml", {"aiohttp", "peewee", "jinja2"}),
        ("decode pms5003 --input {}", {"aiohttp", "peewee", "jinja2"}),
    ],
)
def test_a_command_imports_only_what_it_needs(command: str, unwanted: set[str]) -> None:
    """Small commands start without the web server, the database and the templates."""
    code = (
        f"import sys, atexit; sys.argv = ['angsila', *{command.split()}]; "
        "atexit.register(lambda: print(*sys.modules, sep='\\n')); "
        "from edge.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )

    imported = set(done.stdout.split())
    assert "drivers.catalog" in imported or "edge.decode" in imported, done.stderr
    assert unwanted & imported == set()


def test_every_command_explains_itself() -> None:
    """`--help` of the command lists each subcommand with a sentence."""
    text = parser().format_help()

    for name in ("run", "city", "demo", "check", "decode", "verify"):
        assert re.search(rf"\n    {name} +\w+", text), name


def test_systemd_says_where_state_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without --state it is the folder systemd gave, or state/ here."""
    monkeypatch.delenv("STATE_DIRECTORY", raising=False)
    assert state_folder("kiosk") == Path("state/kiosk")

    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/angsila")
    assert state_folder("kiosk") == Path("/var/lib/angsila")


def test_without_an_installed_file_the_shipped_one_is_read() -> None:
    """`angsila run` without --config finds settings on any machine."""
    assert settings_file("gateway.toml").exists()


@pytest.mark.parametrize("command", ["technician-pin", "stall-pin"])
def test_a_pins_hash_is_printed(command: str) -> None:
    """It is what settings and packs take, and the PIN itself is on no command line."""
    done = run(command, typed="270519\n")

    assert done.returncode == 0
    assert fits("270519", done.stdout.strip())
    assert PIN_HASH.fits(done.stdout.strip())


@pytest.mark.parametrize("typed", ["", "123456\n", "27051\n", "777777\n"])
def test_a_pin_that_is_none_is_one_line(typed: str) -> None:
    """An easy one is none, and is not repeated."""
    done = run("technician-pin", typed=typed)

    assert done.returncode == 2
    assert done.stderr == "angsila: a PIN has 6 digits, not all the same or in order\n"


@pytest.mark.parametrize("limit", ["0", "-1", "x", "10001"])
def test_a_count_that_is_none_is_refused(limit: str) -> None:
    """The operator is told what is one."""
    done = run("city", "events", f"--limit={limit}")

    assert done.returncode == 2
    assert f"{limit!r} is no count" in done.stderr
