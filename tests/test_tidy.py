"""Style that can be checked: each rule of STYLE.md that a machine can see."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
LAYERS = ("drivers", "sync", "kiosk_ui", "edge")  # Each imports only what stands to its left.
LINE_MAX = 100

# A library is imported only in the folder that wraps it; the longest path that fits counts.
LIBRARIES = {
    # MicroPython's standard library, and what only a board has.
    "drivers": {"cryptolib", "bluetooth", "machine", "network"},
    "drivers/linux": {"bleak", "dbus_fast", "gpiozero", "smbus2"},
    "sync": {
        "aiohttp",
        "backports",
        "compression",
        "cryptography",
        "google",
        "peewee",
        "psycopg",
    },
    "kiosk_ui": {
        "aiohttp",
        "jinja2",
        "markupsafe",
        "fontTools",
        "babel",
        "brotli",
        "segno",
        "PIL",
        "playwright",
        "python_calamine",
        "rjsmin",
        "xlsxwriter",
    },
    "edge": {"aiohttp"},
}
# These take values and return values: no loop, no socket, no disk, no clock, no log.
PURE = (
    "drivers/reading.py",
    "drivers/errors.py",
    "drivers/tide.py",
    "sync/entry.py",
    "sync/ranges.py",
    "sync/signature.py",
    "sync/wire.py",
    "kiosk_ui/air.py",
    "kiosk_ui/map_art.py",
    "kiosk_ui/map_city.py",
    "kiosk_ui/map_frame.py",
    "kiosk_ui/moon.py",
    "kiosk_ui/sun.py",
    "kiosk_ui/tides.py",
    "edge/errors.py",
)
IMPURE_IMPORTS = {"asyncio", "socket", "logging", "sqlite3", "subprocess", "threading", "time"}
LOOSE = {"create_task", "ensure_future", "gather", "run_coroutine_threadsafe"}
NAMELESS = {"timeout", "interval", "delay", "size", "period", "duration", "data", "info"}
WRITTEN_BY_TOOLS = {"sync/wire_pb2.py"}


@dataclass(frozen=True)
class Source:
    """One Python file of ours."""

    path: Path

    @property
    def name(self) -> str:
        """Its path from the root."""
        return self.path.relative_to(ROOT).as_posix()

    @property
    def tree(self) -> ast.Module:
        """What it says."""
        return parse(self.path)

    def where(self, node: ast.AST) -> str:
        """Its name and a line."""
        return f"{self.name}:{getattr(node, 'lineno', 0)}"

    def imports(self) -> Iterator[tuple[ast.AST, str]]:
        """Every module it imports, wherever in the file."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                yield from ((node, alias.name) for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node, node.module


@cache
def parse(path: Path) -> ast.Module:
    """Parse a file once for all tests."""
    return ast.parse(path.read_text())


def files(*folders: str) -> list[Source]:
    """All Python files below some folders."""
    found = [Source(path) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    return [source for source in found if source.name not in WRITTEN_BY_TOOLS]


def calls(source: Source) -> Iterator[tuple[ast.Call, str, str]]:
    """Every call: the node, what is called, and on what."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call):
            function = node.func
            if isinstance(function, ast.Attribute):
                yield node, function.attr, ast.unparse(function.value)
            elif isinstance(function, ast.Name):
                yield node, function.id, ""


def layer(source: Source) -> str:
    """The top-level folder a file stands in."""
    return source.name.partition("/")[0]


def broken(rule: Callable[[Source], Iterator[str]], sources: list[Source]) -> list[str]:
    """All places where a rule is broken."""
    return [place for source in sources for place in rule(source)]


def imports_to_the_right(source: Source) -> Iterator[str]:
    """Imports that point the wrong way."""
    own = LAYERS.index(layer(source))
    for node, module in source.imports():
        top = module.partition(".")[0]
        if top in LAYERS and LAYERS.index(top) > own:
            yield f"{source.where(node)} imports {module}"


def foreign_imports(source: Source) -> Iterator[str]:
    """Libraries imported outside the folder that wraps them."""
    folder = max((key for key in LIBRARIES if source.name.startswith(f"{key}/")), key=len)
    for node, module in source.imports():
        top = module.partition(".")[0]
        if top not in sys.stdlib_module_names | set(LAYERS) | LIBRARIES[folder]:
            yield f"{source.where(node)} imports {module}"


def impure_imports(source: Source) -> Iterator[str]:
    """What a pure module may not import."""
    for node, module in source.imports():
        if module.partition(".")[0] in IMPURE_IMPORTS:
            yield f"{source.where(node)} imports {module}"


def loose_tasks(source: Source) -> Iterator[str]:
    """Tasks that belong to no TaskGroup."""
    for node, name, owner in calls(source):
        if name in LOOSE and not (name == "create_task" and owner.endswith("group")):
            yield f"{source.where(node)} {owner}.{name}()"


def naps(source: Source) -> Iterator[str]:
    """Sleeping for a time, in the hope that something has happened meanwhile."""
    for node, name, owner in calls(source):
        if name != "sleep" or owner not in ("", "time", "asyncio"):
            continue
        zero = isinstance(node.args[0], ast.Constant) and node.args[0].value == 0
        if not (owner == "asyncio" and zero):
            yield f"{source.where(node)} {ast.unparse(node)}"


def bare_raises(source: Source) -> Iterator[str]:
    """An error without a word about what is wrong."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name | ast.Call):
            named = node.exc
            empty = isinstance(named, ast.Call) and not named.args and not named.keywords
            is_class = isinstance(named, ast.Name) and named.id.endswith(("Error", "Exception"))
            if empty or is_class:
                yield f"{source.where(node)} {ast.unparse(node)}"


def unbounded(source: Source) -> Iterator[str]:
    """Queues that grow until the memory is gone."""
    for node, name, _ in calls(source):
        if name in ("Queue", "LifoQueue", "PriorityQueue") and not (node.args or node.keywords):
            yield f"{source.where(node)} {ast.unparse(node)}"


def catching_everything(source: Source) -> Iterator[str]:
    """Handlers that hide bugs."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = ast.unparse(node.type) if node.type else "everything"
            re_raises = any(
                isinstance(inner, ast.Raise) and inner.exc is None for inner in ast.walk(node)
            )
            if caught in ("everything", "Exception", "BaseException") and not re_raises:
                yield f"{source.where(node)} catches {caught}"


def nameless(source: Source) -> Iterator[str]:
    """Names that say neither what nor in which unit."""
    for node in ast.walk(source.tree):
        named = []
        if isinstance(node, ast.arg):
            named = [node.arg]
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            if node.value and "ClientTimeout(" in ast.unparse(node.value):
                continue  # aiohttp's own noun for a set of limits.
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            named = [target.id for target in targets if isinstance(target, ast.Name)]
        for name in named:
            if name.lower().strip("_") in NAMELESS:
                yield f"{source.where(node)} {name}"


def silent_tests(source: Source) -> Iterator[str]:
    """Tests that do not say in one sentence which fact they prove."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            words = ast.get_docstring(node) or ""
            if node.name.startswith("test_") and not re.match(r"(?s)\S.*\.", words):
                yield f"{source.where(node)} {node.name}"


def silent_modules(source: Source) -> Iterator[str]:
    """Modules without a docstring; an empty `__init__.py` has nothing to say."""
    if source.tree.body and not ast.get_docstring(source.tree):
        yield source.name


OURS = ("drivers", "sync", "kiosk_ui", "edge")
RULES = [
    pytest.param(imports_to_the_right, OURS, id="imports point left"),
    pytest.param(foreign_imports, OURS, id="each library in the folder that wraps it"),
    pytest.param(loose_tasks, (*OURS, "tests"), id="tasks live in a TaskGroup"),
    pytest.param(naps, ("tests",), id="tests never nap"),
    pytest.param(bare_raises, OURS, id="an error says what is wrong"),
    pytest.param(unbounded, OURS, id="every queue has a limit"),
    pytest.param(catching_everything, OURS, id="nobody catches everything"),
    pytest.param(nameless, OURS, id="names say what, and in which unit"),
    pytest.param(silent_tests, ("tests",), id="a test states its fact"),
    pytest.param(silent_modules, OURS, id="a module says what it is"),
]
# What a rule lets pass, with the reason.
EXCEPTIONS = {
    "edge/supervisor.py": {catching_everything},  # Strangers' sensors: its docstring says why.
    # Strangers' parsers of what anybody may send through the air may raise anything.
    "drivers/linux/adverts.py": {catching_everything},
    # A load has a pace, and the threads of a peer's storage tell nobody when they have written.
    "tests/bench/bench_sensors.py": {naps},
    "tests/bench/bench_thingsboard.py": {naps},
    "tests/bench/sensors_kiosk.py": {naps},
    "tests/bench/peer_thingsboard.py": {naps},
    "tests/waiting.py": {naps},  # Other processes raise no event here: looked at in one place.
}


@pytest.mark.parametrize(("rule", "folders"), RULES)
def test_a_rule_of_style_holds(
    rule: Callable[[Source], Iterator[str]], folders: tuple[str, ...]
) -> None:
    """No file of ours breaks the rule, but for the exceptions that are listed with a reason."""
    sources = [source for source in files(*folders) if rule not in EXCEPTIONS.get(source.name, ())]

    assert "\n".join(broken(rule, sources)) == ""


@pytest.mark.parametrize("name", PURE)
def test_a_pure_module_imports_nothing_that_acts(name: str) -> None:
    """Bytes in, values out: it can be tested without a machine around it."""
    assert list(impure_imports(Source(ROOT / name))) == []


@pytest.mark.parametrize("folder", LAYERS)
def test_a_folder_has_one_root_exception(folder: str) -> None:
    """Whoever catches a folder's errors catches them all with one name."""
    bases = {
        node.name: [ast.unparse(base) for base in node.bases]
        for source in files(folder)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ClassDef) and node.name.endswith("Error")
    }
    roots = [name for name, above in bases.items() if above[0] in BUILT_IN]

    assert [name for name, above in bases.items() if len(above) > 1] == []
    assert len(roots) <= 1, roots


BUILT_IN = {"Exception", "ValueError", "RuntimeError", "OSError", "KeyError", "TypeError"}


@pytest.mark.parametrize(
    ("rule", "bad"),
    [
        (loose_tasks, "asyncio.create_task(run())"),
        (loose_tasks, "await asyncio.gather(a, b)"),
        (naps, "time.sleep(1)"),
        (naps, "await asyncio.sleep(0.1)"),
        (bare_raises, "raise ValueError"),
        (bare_raises, "raise ValueError()"),
        (unbounded, "asyncio.Queue()"),
        (catching_everything, "try:\n    a()\nexcept Exception:\n    pass"),
        (nameless, "def read(timeout): ..."),
        (silent_tests, "def test_it(): ..."),
        (impure_imports, "import socket"),
    ],
)
def test_a_rule_finds_what_it_is_for(
    rule: Callable[[Source], Iterator[str]], bad: str, tmp_path: Path
) -> None:
    """The rules are tested, too: each finds the simplest thing it forbids."""
    path = ROOT / f"{tmp_path.name}.py"
    source = Planted(path, bad)

    assert len(list(rule(source))) == 1


@dataclass(frozen=True)
class Planted(Source):
    """A file that was never written."""

    text: str

    @property
    def tree(self) -> ast.Module:
        """What it would say."""
        return ast.parse(self.text)


def test_top_level_holds_only_what_is_agreed() -> None:
    """The four packages, data, tests and root documents; no further folder."""
    listed = {
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and not path.name.startswith(".") and path.name not in BUILT
    }

    assert listed == {*LAYERS, "config", "systemd", "tests"}


BUILT = {"build", "dist", "state", "__pycache__", "angsila_kiosk.egg-info"}


def test_lines_fit_on_the_screen() -> None:
    """No line of code, settings or unit is longer than LINE_MAX characters."""
    paths = [source.path for source in files(*OURS, "tests")]
    paths += [*(ROOT / "config").rglob("*.toml"), *(ROOT / "systemd").iterdir()]
    long = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in paths
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if len(line) > LINE_MAX
    ]

    assert "\n".join(long) == ""
