"""What the documents say is true: options, defaults, commands and links."""

import dataclasses
import re
import tomllib
from argparse import Namespace, _SubParsersAction
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from drivers import catalog
from edge import settings
from edge.__main__ import parser
from edge.node import NodeSettings

ROOT = Path(__file__).resolve().parent.parent
DOCUMENTS = ("README.md", "ARCHITECTURE.md", "STYLE.md", "CHANGELOG.md")
SECTIONS: dict[str, dict[str, type]] = {
    "gateway.toml": settings.SECTIONS,
    "city.toml": {"city": settings.CitySettings},
    "node.toml": {"node": NodeSettings},
}


def options(file: str) -> list[tuple[str, "dataclasses.Field[Any]"]]:
    """Every option that a settings file can have, with its section."""
    return [
        (section, option)
        for section, kind in SECTIONS[file].items()
        for option in dataclasses.fields(kind)
    ]


def lines_of(file: str) -> Iterator[tuple[str, str, str, bool]]:
    """Section, key and value of each line, and whether a comment stands above it.

    An option that has no default is a line like the others, behind a #.
    """
    section, above = "", ""
    for line in (ROOT / "config" / file).read_text().splitlines():
        if head := re.fullmatch(r"(?:# )?\[+(\w+)\]+", line):
            section = head[1]
        elif found := re.fullmatch(r"(# )?(\w+) = (.+)", line):
            yield section, found[2], found[3], above.startswith("# ")
        above = line


@pytest.mark.parametrize("file", SECTIONS)
def test_every_option_is_in_its_file_and_explained(file: str) -> None:
    """Who opens the file sees every option there is, and above it what it does."""
    written = {(section, key) for section, key, _, explained in lines_of(file) if explained}
    wanted = {(section, option.name) for section, option in options(file)}

    assert wanted - written == set()
    assert {line for line in written - wanted if line[0] != "sensor"} == set()


@pytest.mark.parametrize("file", SECTIONS)
def test_the_defaults_in_a_file_are_the_true_ones(file: str) -> None:
    """Deleting a line of the shipped file changes nothing."""
    tables = tomllib.loads((ROOT / "config" / file).read_text())
    for section, option in options(file):
        value = tables[section].get(option.name)
        default = option.default
        if option.type is settings.Names:
            default = dataclasses.asdict(settings.Names())
        assert (tuple(value) if isinstance(value, list) else value) == default, option.name


@pytest.mark.parametrize("path", sorted((ROOT / "config").rglob("*.toml")), ids=lambda p: p.name)
def test_every_settings_file_is_good(path: Path) -> None:
    """Each file that is shipped can be used as it is."""
    assert settings.check(path).startswith("good settings")


def test_the_demo_measures_and_simulates() -> None:
    """The demo has at least 12 streams; at least 4 of them are of this very machine."""
    streams: dict[bool, int] = {True: 0, False: 0}
    for sensor in settings.load(ROOT / "config" / "demo.toml").sensors:
        driver = catalog.make(sensor.driver, dict(sensor.options))
        streams[driver.SIMULATED] += len(driver.SPEC)

    assert streams[False] >= 4
    assert sum(streams.values()) >= 12


def test_every_driver_and_its_options_are_in_the_readme() -> None:
    """A technician finds each driver, and what it can be told, in one table."""
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line[:3] == "| `"]
    for kind in catalog.KINDS:
        row = next((row for row in rows if f"`{kind}`" in row.split("|")[1]), "")
        assert row, kind
        assert [name for name in catalog.options(kind) if f"`{name}`" not in row] == []


def test_every_option_of_a_sensor_and_its_calibration_is_explained() -> None:
    """The example at the end of the file leaves out nothing that all sensors have."""
    written = {key for section, key, _, explained in lines_of("gateway.toml") if explained}
    kinds = (settings.SensorSettings, settings.CalibrationSettings)
    wanted = {one.name for kind in kinds for one in dataclasses.fields(kind)}

    assert wanted - written == {"options", "calibration"}  # Tables, and not lines.


def test_the_table_of_sensors_is_true() -> None:
    """Each driver stands in it once, and a quantity it names is one that a driver has."""
    text = (ROOT / "README.md").read_text().partition("### What each sensor measures")[2]
    rows = [line.split("|") for line in text.partition("\n### ")[0].splitlines() if "| `" in line]
    kinds = [kind for row in rows for kind in re.findall(r"`([a-z0-9_]+)`", row[1])]
    assert sorted(kinds) == sorted(catalog.KINDS)
    for row in rows:
        modules = [catalog.KINDS[kind][:2] for kind in re.findall(r"`([a-z0-9_]+)`", row[1])]
        classes = [
            getattr(__import__(module, None, None, (name,)), name) for module, name in modules
        ]
        known = {line[0] for one in classes for line in getattr(one, "SPEC", ())}
        named = set(re.findall(r"`([a-z0-9_]+)`", row[3])) - catalog.KINDS.keys()
        assert named <= known | {"water_level", "water_temperature", "air_temperature"}, row[1]
        portable = all(not module.startswith("drivers.linux") for module, _ in modules)
        assert (row[4].strip() == "both") >= portable, row[1]


def documents() -> str:
    """All documents in one text."""
    return "\n".join((ROOT / name).read_text() for name in DOCUMENTS)


def test_every_make_target_in_the_documents_exists() -> None:
    """What a document says to type can be typed."""
    targets = set(re.findall(r"(?m)^([a-z-]+):", (ROOT / "Makefile").read_text()))
    said = set(re.findall(r"`make ([a-z-]+)", documents()))
    said |= set(re.findall(r"(?m)^make ([a-z-]+)", documents()))

    assert said - targets == set()
    assert {"run", "test", "setup", "bench", "shots", "lint", "city", "kiosk"} <= targets


def test_every_angsila_command_in_the_documents_exists() -> None:
    """Every subcommand that is named is one, and none of the important ones is forgotten."""
    actions = parser()._actions
    commands = next(action for action in actions if isinstance(action, _SubParsersAction))
    said = set(re.findall(r"(?:`|bin/)angsila ([a-z-]+)", documents()))

    assert said - set(commands.choices) == set()
    assert {"run", "city", "enrol", "rotate", "set-time", "check", "decode", "verify"} <= said


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_leads_somewhere(name: str) -> None:
    """A link to a file of ours names a file that is there."""
    links = re.findall(r"\]\((?!https?:)([^)#]+)\)", (ROOT / name).read_text())

    assert [link for link in links if not (ROOT / link).exists()] == []


def test_the_command_lines_in_the_units_are_understood() -> None:
    """The units start the command with options that it has."""
    for unit in (ROOT / "systemd").glob("*.service"):
        text = unit.read_text().replace("\\\n", " ")
        for line in re.findall(r"ExecStart=/opt/angsila/bin/angsila (.*)", text):
            assert isinstance(parser().parse_args(line.split()), Namespace)
