import random
from pathlib import Path
from typing import Any

from drivers import pms5003
from tests.edge.archive import rows_at
from tests.edge.dust import CAPTURED, TABLE, is_awake
from tests.edge.town import town
from tests.terminal import terminal
from tests.waiting import angsila, send_at, until

FRAMES = 60
BYTES_PER_S = 960  # 9600 baud: a byte is ten bits with its start and stop.
SETTINGS = f"""
[kiosk]
id = "serial"
[journal]
commit_s = 0.5
segment_s = 1
{TABLE}"""


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

    def all_there() -> Any:
        found = at_city(city.url)
        return found if len(found) >= len(wanted) else None

    with terminal() as (sensor, line):
        settings = tmp_path / "kiosk.toml"
        settings.write_text(SETTINGS.format(port=line))
        async with (
            town(tmp_path / "city") as city,
            angsila(
                *("run", "--config", settings, "--state", tmp_path / "kiosk"),
                *("--port", "0", "--city", city.url),
            ) as kiosk,
        ):
            await city.enrol(tmp_path / "kiosk", "serial")
            # The driver wakes its sensor; what the sensor sends before that is nobody's.
            await until(lambda: is_awake(sensor))
            await send_at(BYTES_PER_S, sensor, stream)
            found = await until(all_there)
            assert (await kiosk.end())[0] == 0

    assert [value for _, value, _ in found] == wanted
    assert [seq for seq, _, _ in found] == list(range(1, len(wanted) + 1))
