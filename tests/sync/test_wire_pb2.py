"""What protoc writes stands in the tree, so that a kiosk needs no protoc."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", ["wire_pb2.py", "wire_pb2.pyi"])
def test_the_generated_modules_are_fresh(name: str, tmp_path: Path) -> None:
    """Who changes wire.proto runs protoc, too: what it writes today is what is committed."""
    command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", "sync/wire.proto"]
    command += [f"--python_out={tmp_path}", f"--pyi_out={tmp_path}"]
    subprocess.run(command, cwd=ROOT, check=True, timeout=60)
    assert (tmp_path / "sync" / name).read_text() == (ROOT / "sync" / name).read_text()
