"""Cold, cut off, and with a clock that was never set."""

import json
import subprocess
import sys

import pytest

from tests.kiosk_ui.screen import LANGUAGES, ROOT

WHY = {"th": "ยังไม่ได้ตั้งเวลา", "en": "clock is not set", "zh": "时钟"}
NAME = {"th": "ศิลา", "en": "Ang Sila", "zh": "昂西拉"}


def test_a_kiosk_without_any_network_starts_and_asks_nobody() -> None:
    """The first screen stands in all languages; in a day not one request leaves the machine."""
    may = subprocess.run(["unshare", "--net", "true"], capture_output=True, check=False)
    if may.returncode:
        pytest.skip("a network namespace wants root: " + may.stderr.decode().strip())
    command = ["unshare", "--net", sys.executable, "-m", "tests.kiosk_ui.cut_off"]
    done = subprocess.run(
        command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=180
    )
    found = json.loads(done.stdout)

    assert found["interfaces"] == ["lo"]
    assert found["dns_dead"]
    assert found["asked"] > 0
    assert found["foreign"] == []
    for language in LANGUAGES:
        shown = found["shown"][language]
        assert NAME[language] in shown["first"]
        assert "--:--" in shown["first"]
        assert "1970" not in shown["first"] + shown["tide"]
        assert WHY[language] in shown["tide"]
        assert not shown["curve"]
