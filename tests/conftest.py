"""Collect every portable test file twice: for CPython, and for a real MicroPython."""

import ast
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path

import pytest

from tests.postgres import Cluster, cluster

# A test file with this line runs on both. It imports neither pytest nor typing, and its
# tests take no fixtures.
PORTABLE_MARK = "\nPORTABLE = True\n"
HEAP = "128k"  # A sensor node has more; what fits here fits there.
RUN_MAX_S = 60

ROOT = Path(__file__).resolve().parent.parent
MICROPYTHON = Path(sys.executable).parent / "micropython"
PATH = ":".join([str(ROOT), str(ROOT / "tests" / "mpshim"), ".frozen"])  # asyncio is frozen.

RUNNER = ROOT / "tests" / "mtest.py"

LONG = ["kiosk_ui", "sim", "powercut", "edge"]  # Folders of browsers, universes and kiosks.
PORTABLE = "portable"  # The name of a report's property.
passed: Counter[str] = Counter()


class MicroPythonError(Exception):
    """A test failed there; the message is what MicroPython printed."""


class MicroPythonFile(pytest.File):
    """A portable test file, to be run by MicroPython."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each test function. The file itself is run once."""
        outcomes: dict[str, str] = {}
        for node in ast.parse(self.path.read_text()).body:
            if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                continue
            if node.name.startswith("test_"):
                yield MicroPythonItem.from_parent(
                    self, name=f"{node.name}[micropython]", test=node.name, outcomes=outcomes
                )


class MicroPythonItem(pytest.Item):
    """One test function, run by MicroPython together with the others of its file."""

    def __init__(self, test: str, outcomes: dict[str, str], **kwargs: object) -> None:
        super().__init__(**kwargs)  # type: ignore[arg-type] # pytest's own, passed through
        self._test = test
        self._outcomes = outcomes

    def runtest(self) -> None:
        """Fail with MicroPython's traceback if the test failed there."""
        if not self._outcomes:
            self._outcomes.update(run_under_micropython(self.path))
        outcome = self._outcomes.get(self._test, self._outcomes[""])
        if outcome != "PASS":
            raise MicroPythonError(outcome)

    def repr_failure(
        self, excinfo: pytest.ExceptionInfo[BaseException], style: object = None
    ) -> str:
        """Show what MicroPython printed."""
        del style
        return str(excinfo.value)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Say which test of which file this is."""
        return self.path, None, self.name


def run_under_micropython(path: Path) -> dict[str, str]:
    """Test name → "PASS" or the traceback; the empty name → all output, for a crash."""
    command = [str(MICROPYTHON), "-X", f"heapsize={HEAP}", str(RUNNER), str(path)]
    done = subprocess.run(
        command,
        env={**os.environ, "MICROPYPATH": PATH},
        capture_output=True,
        text=True,
        timeout=RUN_MAX_S,
        check=False,
    )
    outcomes = {"": f"exit status {done.returncode}\n{done.stdout}{done.stderr}"}
    for block in (
        ("\n" + done.stdout).replace("\nFAIL ", "\n\0").replace("\nPASS ", "\n\1").split("\n")
    ):
        if block.startswith("\1"):
            outcomes[block[1:]] = "PASS"
        elif block.startswith("\0"):
            failed = block[1:]
            outcomes[failed] = done.stdout.partition(f"FAIL {failed}\n")[2].partition("\nPASS ")[0]
    return outcomes


def is_portable(path: Path) -> bool:
    """Whether the file asks to be run on MicroPython too."""
    return PORTABLE_MARK in path.read_text()


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> MicroPythonFile | None:
    """Collect a portable file a second time; pytest itself collects it the first time."""
    if file_path.match("test_*.py") and is_portable(file_path):
        return MicroPythonFile.from_parent(parent, path=file_path)
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long, so that both cores are busy to the end."""
    items.sort(
        key=lambda item: LONG.index(name) if (name := item.path.parent.name) in LONG else len(LONG)
    )


@pytest.fixture(scope="session")
def postgres() -> Iterator[Cluster]:
    """A PostgreSQL of these tests' own."""
    with cluster() as made:
        yield made


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Write on a portable test's report which Python it ran on."""
    del call
    report = yield
    if isinstance(item, MicroPythonItem):
        report.user_properties.append((PORTABLE, "micropython"))
    elif getattr(getattr(item, "module", None), "PORTABLE", False):
        report.user_properties.append((PORTABLE, "cpython"))
    return report


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Count the portable tests that passed; the process that sums up hears of all of them."""
    if report.when == "call" and report.passed:
        passed.update(str(value) for name, value in report.user_properties if name == PORTABLE)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say on one line how many portable tests passed on each."""
    if passed:
        terminalreporter.write_line(
            f"portable: {passed['cpython']} on CPython {sys.version_info.major}."
            f"{sys.version_info.minor}, {passed['micropython']} on {micropython_version()}"
        )


def micropython_version() -> str:
    """As MicroPython gives it, such as "MicroPython 1.29"."""
    command = [str(MICROPYTHON), "-c", "import sys; print(*sys.implementation[1][:2], sep='.')"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_MAX_S, check=True)
    return f"MicroPython {done.stdout.strip()}"
