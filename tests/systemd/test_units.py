import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "systemd"
NAMES = sorted(path.name for path in UNITS.glob("angsila-*"))
EXPOSURE_MAX = {"kiosk": 1.5, "city": 1.2, "screen": 4.0}


def analyze(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run systemd-analyze."""
    return subprocess.run(
        ["systemd-analyze", *arguments], capture_output=True, text=True, check=False, timeout=30
    )


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A root with our units as shipped, Debian's own, and the programs they name."""
    here = tmp_path / "etc/systemd/system"
    here.mkdir(parents=True)
    for name in NAMES:
        shutil.copy(UNITS / name, here)
    shutil.copytree("/usr/lib/systemd/system", tmp_path / "usr/lib/systemd/system", symlinks=True)
    for unit in UNITS.glob("*.service"):
        for program in re.findall(r"(?m)(?:^ExecStart(?:Pre)?=| -- )(/\S+)", unit.read_text()):
            stand_in = tmp_path / program.removeprefix("/")
            stand_in.parent.mkdir(parents=True, exist_ok=True)
            stand_in.touch(mode=0o755)
    return tmp_path


def test_the_units_are_what_systemd_understands(installed: Path) -> None:
    """`systemd-analyze verify` finds nothing to say about the units as they are shipped."""
    units = [installed / "etc/systemd/system" / name for name in NAMES]

    done = analyze("verify", "--man=no", "--recursive-errors=no", f"--root={installed}", *units)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize("name", EXPOSURE_MAX)
def test_a_unit_gives_away_no_more_than_it_must(name: str) -> None:
    """The exposure that systemd computes for a unit stays at or below its limit."""
    done = analyze("security", "--offline=true", "--no-pager", UNITS / f"angsila-{name}.service")

    found = re.search(r"Overall exposure level .*: ([0-9.]+) ", done.stdout)
    assert found, done.stderr
    assert float(found[1]) <= EXPOSURE_MAX[name]


def test_the_kiosk_may_ask_whether_its_clock_is_set() -> None:
    """ProtectClock= would forbid adjtimex(), by which the kiosk learns of NTP."""
    unit = (UNITS / "angsila-kiosk.service").read_text()

    assert "\nProtectClock=" not in unit
    assert "adjtimex" in unit


def test_nobody_changes_to_another_console() -> None:
    """Cage is started without -s, which would let a keyboard switch to a login."""
    unit = (UNITS / "angsila-screen.service").read_text()

    assert re.search(r"cage(?! --) ", unit.partition("ExecStart=")[2]) is None
    for never in ("--no-sandbox", "--remote-debugging", "--incognito", "--single-process"):
        assert never not in unit
