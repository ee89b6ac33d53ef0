import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from edge.enrol import hardware
from tests.waiting import ANGSILA, angsila, free_port, get, until

SETTINGS = """
[kiosk]
id = "pier-1"
[journal]
commit_s = 0.2
segment_s = 1.0
[uplink]
city_url = "{city}"
retry_max_s = 1.0
[clock]
trust = ["city"]
[[sensor]]
name = "pier"
driver = "fake_pier"
period_s = 0.5
"""


def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command that ends by itself."""
    return subprocess.run(
        [ANGSILA, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


async def test_a_kiosk_is_enrolled_rotated_and_revoked_while_it_runs(tmp_path: Path) -> None:
    """It serves people all the while, and takes up by itself what the commands have changed.

    Its clock trusts nobody but the city, as one that was booted in 1970 does.
    """
    kiosk_port, city_port = free_port(), free_port()
    city_url, pages = f"http://127.0.0.1:{city_port}", f"http://127.0.0.1:{kiosk_port}"
    kiosk, city = tmp_path / "kiosk", tmp_path / "city"
    settings = tmp_path / "kiosk.toml"
    settings.write_text(SETTINGS.format(city=city_url))

    def state(wanted: str) -> Any:
        uplink = (get(f"{pages}/api/now") or {}).get("uplink", {})
        return uplink if uplink.get("state") == wanted else None

    def entries() -> int:
        fleet = get(f"{city_url}/v1/fleet") or {"kiosks": []}
        return sum(lane["entries"] for each in fleet["kiosks"] for lane in each["lanes"])

    async with (
        angsila("city", "--state", city, "--port", str(city_port)),
        angsila(*("run", "--config", settings, "--state", kiosk, "--port", str(kiosk_port))),
    ):
        await until(lambda: state("not enrolled"))
        await until(lambda: get(f"{city_url}/health"))
        token = run("city", "--state", city, "enrol-token", "--site", "Pier 1")
        assert re.fullmatch(r"[A-Z2-7]{42}\n", token.stdout)
        done = run("enrol", "--token", token.stdout.strip(), "--config", settings, "--state", kiosk)
        assert "pier-1 at Pier 1 is enrolled at" in done.stdout, done.stderr
        await until(lambda: state("online"))
        clock = (get(f"{pages}/api/now") or {}).get("clock", {})
        assert clock["source"] == "city"

        done = run("rotate", "--state", kiosk)
        assert "device " in done.stdout, done.stderr
        before = await until(entries)
        await until(lambda: entries() > before + 10)

        done = run("city", "revoke", "pier-1", "--state", city)
        assert "of pier-1 is revoked" in done.stdout, done.stderr
        revoked = await until(lambda: state("revoked"))
        await until(lambda: (state("revoked") or {}).get("pending", 0) > revoked["pending"])


def test_what_does_not_work_is_one_line(tmp_path: Path) -> None:
    """A wrong token, a city that does not answer, no city at all, nobody to revoke."""
    token = run("city", "enrol-token", "--state", tmp_path / "city").stdout.strip()
    dead = f"http://127.0.0.1:{free_port()}"
    enrol = ("enrol", "--state", tmp_path / "kiosk", "--config", "config/demo.toml")
    for command, reason in (
        ((*enrol, "--token", "abc", "--city", dead), "not a token: 'abc'"),
        ((*enrol, "--token", token, "--city", dead), "not enrolled: Cannot connect"),
        ((*enrol, "--token", token), "no city: give --city URL"),
        ((*enrol, "--token", token, "--city", "nowhere"), "--city 'nowhere' is not allowed"),
        (("city", "revoke", "nobody", "--state", tmp_path / "city"), "no device or kiosk 'nobody'"),
        (("rotate", "--state", tmp_path / "kiosk"), "the key stays: this kiosk is not enrolled"),
    ):
        done = run(*command)
        assert (done.returncode != 0, done.stderr.count("\n")) == (True, 1), done.stderr
        assert reason in done.stderr


@pytest.mark.parametrize("given", ["before", "after"])
def test_the_citys_folder_may_stand_before_or_after_the_order(given: str, tmp_path: Path) -> None:
    """`angsila city --state DIR enrol-token` is the same as `enrol-token --state DIR`."""
    state = ("--state", tmp_path / given)
    words = (
        ("city", *state, "enrol-token") if given == "before" else ("city", "enrol-token", *state)
    )
    assert run(*words).returncode == 0
    assert (tmp_path / given / "city.key").exists()


def test_a_board_is_told_by_what_it_says_of_itself() -> None:
    """Whatever is not there is left out; nothing is long, nothing has control characters."""
    for name, text in hardware().items():
        assert text.isprintable(), name
        assert len(text) <= 100, name


@pytest.mark.parametrize(
    ("command", "missing"),
    [(["city", "revoke", "pier-1"], "archive"), (["rotate"], "key")],
)
def test_a_mistyped_state_folder_is_not_made(
    command: list[str], missing: str, tmp_path: Path
) -> None:
    """Who looks in the wrong place is told so, and leaves nothing behind."""
    done = run(*command, "--state", tmp_path / "typo")
    assert done.returncode != 0
    assert f"there is no {missing} in {tmp_path / 'typo'}" in done.stderr
    assert not (tmp_path / "typo").exists()
