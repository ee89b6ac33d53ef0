import asyncio
import os
from pathlib import Path
from typing import Any

import pytest

from edge import settings as reader
from edge.claim import alone, writable_folder
from edge.errors import InUseError, PackError
from edge.pack_device import activate, roll_back
from tests.kiosk_ui import packs
from tests.waiting import ANGSILA, angsila, free_port, get, until

VERSION = packs.shipped().version


def config(folder: Path, more: str = "") -> Path:
    """Settings of a kiosk that trusts the clerk and the mayor."""
    keys = ", ".join(f'"{key}"' for key in packs.RULES.trusted_keys)
    path = folder / "kiosk.toml"
    path.write_text(
        f"[kiosk]\nid = 'test'\n[clock]\ntrust = ['system']\n{more}\n"
        f"[content]\ntrusted_keys = [{keys}]\n"
    )
    return path


async def order(*arguments: str | Path) -> tuple[int, str]:
    """Run a command to its end."""
    process = await asyncio.create_subprocess_exec(
        *(ANGSILA, "pack", *map(str, arguments)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        env=dict(os.environ),
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode().strip()


def content(url: str) -> Any:
    """What health says of the content."""
    return (get(f"{url}/health") or {}).get("content")


async def test_a_running_kiosk_shows_a_pack_without_a_restart(tmp_path: Path) -> None:
    """A pack is activated, a bad one is refused, and the way back leads to the shipped one."""
    port, state = free_port(), tmp_path / "state"
    url = f"http://127.0.0.1:{port}"
    at = ("--config", config(tmp_path), "--state", state)
    made = packs.good(bodies=packs.content(entries={"oyster": {"phone": "038 000 000"}}))
    pack = packs.write(tmp_path, made)
    bad = packs.write(tmp_path, packs.members(version=101), "bad.zip")
    async with angsila("run", *at, "--port", str(port)):
        before = await until(lambda: content(url))
        assert before["version"] == VERSION

        assert await order("activate", pack, *at) == (
            0,
            f"version 100 ({packs.digest(made)[:8]}) is shown",
        )
        now = await until(lambda: (found := content(url)) and not found["trial"] and found)
        assert now["version"] == packs.VERSION
        assert now["release"] != before["release"]
        assert get(f"{url}/api/now")["release"] == now["release"]

        status, said = await order("activate", bad, *at)
        assert (status, said) == (1, "angsila: not signed; 2 signatures are wanted")
        assert content(url)["version"] == packs.VERSION

        status, said = await order("rollback", *at)
        assert (status, said) == (0, f"version {VERSION} is shown again, and not 100")
        assert content(url)["version"] == VERSION
        status, said = await order("rollback", *at)
        assert (status, said) == (
            1,
            "angsila: the shipped pack is shown, and there is none before it",
        )
    assert not (state / "pack.part").exists()


async def test_a_kiosk_starts_with_the_pack_that_it_was_given(tmp_path: Path) -> None:
    """What was activated is shown after a restart; nobody has to give it again."""
    port, state = free_port(), tmp_path / "state"
    url = f"http://127.0.0.1:{port}"
    at = ("--config", config(tmp_path), "--state", state)
    for _ in range(2):
        async with angsila("run", *at, "--port", str(port)) as kiosk:
            found = await until(lambda: content(url))
            if found["version"] == VERSION:
                folder = packs.unfold(tmp_path / "stick", packs.good())
                assert (await order("activate", folder, *at))[0] == 0
            await kiosk.end()
    assert found["version"] == packs.VERSION


def test_a_kiosk_that_does_not_run_is_switched_on_its_card(tmp_path: Path) -> None:
    """It shows the pack when it starts, and can be taken back as well."""
    settings, state = reader.load(config(tmp_path)), tmp_path / "state"
    pack = packs.write(tmp_path, packs.good())

    said = activate(settings, state, pack)
    assert said == "version 100 will be shown when the kiosk starts, on trial"
    assert roll_back(settings, state) == f"version {VERSION} will be shown when the kiosk starts"
    with pytest.raises(PackError, match="the shipped pack is shown"):
        roll_back(settings, state)


@pytest.mark.parametrize(
    ("name", "message"),
    [("nowhere.zip", "No such file"), ("noise.zip", "not a pack, or cut off")],
)
def test_what_is_no_pack_is_one_line(tmp_path: Path, name: str, message: str) -> None:
    """The technician learns which file and why."""
    (tmp_path / "noise.zip").write_bytes(b"noise")

    with pytest.raises(PackError, match=message):
        activate(reader.load(config(tmp_path)), tmp_path / "state", tmp_path / name)


def test_a_folder_that_another_holds_is_left_alone(tmp_path: Path) -> None:
    """Without its socket a running kiosk is still told by its lock."""
    state = writable_folder(tmp_path / "state")
    with alone(state), pytest.raises(InUseError):
        activate(reader.load(config(tmp_path)), state, packs.write(tmp_path, packs.good()))
