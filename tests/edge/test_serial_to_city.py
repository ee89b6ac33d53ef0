import json
import os
import pty
import random
from pathlib import Path
from typing import Any

from drivers import pms5003
from edge.enrol import enrol, new_token
from tests.edge.archive import rows_at
from tests.waiting import angsila, free_port, get, send_at, until

FRAMES = 60
BYTES_PER_S = 960  # 9600 baud: a byte is ten bits with its start and stop.
CAPTURED = [
    bytes.fromhex(row["input"]["frame"])
    for row in json.loads(Path("tests/frames/pms5003.json").read_text())
    if "frame" in row["input"] and "fault" not in row["expected"] and row["sensor"] != "PMS5003T"
]
SETTINGS = """
[kiosk]
id = "serial"
[journal]
commit_s = 0.5
segment_s = 1
[[sensor]]
name = "dust"
driver = "pms5003"
port = "{port}"
every_frame = true
warm_up_s = 0
period_s = 0
"""


def transmission(rng: random.Random) -> tuple[list[bytes], bytes]:
    """The clean frames, and a stream in which they stand between damaged ones and noise."""
    clean, stream = [], b""
    for number in range(FRAMES):
        captured = rng.choice(CAPTURED)
        # The count of the smallest particles numbers the frames: none can stand for another.
        frame = pms5003.with_sum(captured[:16] + number.to_bytes(2, "big") + captured[18:30])
        if rng.random() < 0.3:
            bit = rng.randrange(len(frame) * 8)
            broken = bytearray(frame)
            broken[bit // 8] ^= 1 << bit % 8
            stream += broken
        else:
            clean.append(frame)
            stream += frame
        stream += bytes(rng.choice(b"\x42\x4d\x00\x1c\xff") for _ in range(rng.randrange(20)))
    return clean, stream + bytes(pms5003.FRAME_BYTES)  # A live sensor would go on sending.


def at_city(url: str) -> list[tuple[int, int | None, int]]:
    """Seq, scaled value and quality of every reading that the city has, in order."""
    return [(row.seq, row.scaled, row.quality) for _, row in rows_at(url, "serial")]


async def test_clean_frames_reach_the_city_and_damaged_ones_do_not(tmp_path: Path) -> None:
    """From a serial line at 9600 baud with noise, exactly the clean frames are archived."""
    clean, stream = transmission(random.Random(2))  # noqa: S311 # seeded, no secret
    assert len(clean) < FRAMES - 10
    wanted = [
        reading.value
        for frame in clean
        for reading in pms5003.readings(pms5003.PMS5003.SPEC, pms5003.decode(frame))
    ]
    sensor, line = pty.openpty()
    os.set_blocking(sensor, False)
    settings = tmp_path / "kiosk.toml"
    settings.write_text(SETTINGS.format(port=os.ttyname(line)))
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def all_there() -> Any:
        found = at_city(url)
        return found if len(found) >= len(wanted) else None

    try:
        async with (
            angsila("city", "--state", tmp_path / "city", "--port", str(port)),
            angsila(
                *("run", "--config", settings, "--state", tmp_path / "kiosk"),
                *("--port", "0", "--city", url),
            ) as kiosk,
        ):
            await until(lambda: get(f"{url}/health"))
            token = await new_token(tmp_path / "city", "bench")
            await enrol(tmp_path / "kiosk", url, token, "serial")
            # The driver wakes its sensor; what the sensor sends before that is nobody's.
            await until(lambda: heard(sensor).endswith(pms5003.command("active")))
            await send_at(BYTES_PER_S, sensor, stream)
            found = await until(all_there)
            assert (await kiosk.end())[0] == 0
    finally:
        os.close(sensor)
        os.close(line)

    assert [value for _, value, _ in found] == wanted
    assert [seq for seq, _, _ in found] == list(range(1, len(wanted) + 1))


def heard(sensor: int) -> bytes:
    """What the driver has sent to the sensor since the last look."""
    try:
        return os.read(sensor, 100)
    except BlockingIOError:
        return b""
