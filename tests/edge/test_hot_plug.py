import os
import pty
from pathlib import Path
from typing import Any

from tests.edge.dust import CAPTURED, TABLE, is_awake
from tests.waiting import angsila, free_port, get, send_at, until

BYTES_PER_S = 9600
FRAME = CAPTURED[0]
SETTINGS = f"""
[journal]
commit_s = 0.5
{TABLE}
[[sensor]]
name = "machine"
driver = "host"
period_s = 0.2
"""


class Adapter:
    """A USB adapter with a sensor behind it, as /dev/serial/by-id names it."""

    def __init__(self, by_id: Path) -> None:
        self._sensor, self._line = pty.openpty()
        os.set_blocking(self._sensor, False)
        by_id.unlink(missing_ok=True)
        by_id.symlink_to(os.ttyname(self._line))
        self._by_id = by_id

    async def send(self, frame: bytes) -> None:
        """Let the sensor speak."""
        await send_at(BYTES_PER_S, self._sensor, frame)

    def is_awake(self) -> bool:
        """Whether the driver has spoken to it."""
        return is_awake(self._sensor)

    def unplug(self) -> None:
        """Take it out: the name goes, and what is open hangs up."""
        self._by_id.unlink()
        os.close(self._sensor)
        os.close(self._line)


async def test_an_adapter_is_pulled_in_mid_frame_and_comes_back_as_another_device(
    tmp_path: Path,
) -> None:
    """The values go as absent and return by themselves under the same name; others go on."""
    by_id = tmp_path / "usb-Plantower_PMS5003-if00-port0"
    config = tmp_path / "kiosk.toml"
    config.write_text(SETTINGS.format(port=by_id))
    port = free_port()
    where = ("--state", tmp_path / "kiosk", "--port", str(port))

    def quality(stream: str) -> str:
        readings = (get(f"http://127.0.0.1:{port}/api/now") or {}).get("readings", ())
        found: dict[str, Any] = {one["stream"]: one for one in readings}.get(stream, {})
        return str(found.get("quality"))

    def machine_readings() -> int:
        sensors = get(f"http://127.0.0.1:{port}/health")["sensors"]
        return next(int(one["readings"]) for one in sensors if one["name"] == "machine")

    first = Adapter(by_id)
    async with angsila("run", "--config", config, *where) as kiosk:
        await until(first.is_awake)
        await first.send(FRAME)
        await until(lambda: quality("dust/pm2_5") == "ok")
        await first.send(FRAME[:13])
        first.unplug()
        await until(lambda: quality("dust/pm2_5") == "absent")
        before = machine_readings()
        await until(lambda: machine_readings() > before)

        second = Adapter(by_id)
        await until(second.is_awake)
        await second.send(FRAME)
        await until(lambda: quality("dust/pm2_5") == "ok")
        status, output = await kiosk.end()
        second.unplug()

    assert status == 0
    assert output.count("dust failed") <= 2  # First the hang-up, then the missing name.
    assert output.count("dust is back") == 1
