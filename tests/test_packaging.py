"""The wheel holds what it should, and nobody else installs under our names."""

import importlib.metadata
import importlib.util
import itertools
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
OURS = ("drivers", "sync", "kiosk_ui", "edge")
DISTRIBUTION = "angsila-kiosk"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """A wheel of this source, built as an installation would."""
    folder = tmp_path_factory.mktemp("wheel")
    # With the builder at hand nothing is fetched; without, pip brings it as on any machine.
    isolated = [] if importlib.util.find_spec("hatchling") is None else ["--no-build-isolation"]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "wheel", "--quiet"]
    options = ["--no-deps", *isolated, "--wheel-dir", str(folder)]
    subprocess.run([*pip, *options, str(ROOT)], check=True, timeout=120)
    return zipfile.ZipFile(next(folder.glob("*.whl")))


def test_every_module_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    """What runs from the source runs from an installation."""
    packed = set(wheel.namelist())
    modules = {
        path.relative_to(ROOT).as_posix()
        for folder in OURS
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }

    assert modules - packed == set()


def test_settings_and_units_are_shared_data(wheel: zipfile.ZipFile) -> None:
    """Settings and units are installed as data: PyPI has a `config` package of its own."""
    packed = wheel.namelist()
    for folder in ("config", "systemd"):
        for path in (path for path in (ROOT / folder).rglob("*") if path.is_file()):
            wanted = f"share/angsila/{path.relative_to(ROOT)}"
            assert [name for name in packed if name.endswith(wanted)]
    assert [name for name in packed if name.endswith("share/angsila/README.md")]
    assert [name for name in packed if name.startswith(("config/", "systemd/", "tests/"))] == []


def test_the_command_is_installed(wheel: zipfile.ZipFile) -> None:
    """`angsila` is a command of the wheel."""
    entry = next(name for name in wheel.namelist() if name.endswith("entry_points.txt"))

    assert "angsila = edge.__main__:main" in wheel.read(entry).decode()


def test_nobody_else_installs_under_our_names() -> None:
    """Two distributions with one name overwrite each other's files without a word."""
    owners = importlib.metadata.packages_distributions()
    others = {
        name: found
        for name in OURS
        if (found := set(owners.get(name, [DISTRIBUTION])) - {DISTRIBUTION})
    }

    assert others == {}


def test_every_requirement_says_what_it_is_for() -> None:
    """Each library in pyproject.toml carries its reason on its line."""
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    extras = project["optional-dependencies"].values()
    wanted = [*project["dependencies"], *itertools.chain.from_iterable(extras)]
    reasons = [line for line in text.splitlines() if line.startswith('    "') and "# " in line]

    assert [want for want in wanted if not any(want in line for line in reasons)] == []


def test_the_city_needs_no_pi_library() -> None:
    """A city server installs and runs without what only a Pi has."""
    code = "import sys, sync.city.service, edge.city; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30
    )

    assert {"bleak", "gpiozero", "smbus2"} & set(done.stdout.split()) == set()
