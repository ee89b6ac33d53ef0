"""A dust sensor at the far end of a serial line, and its table in the settings."""

import os

from drivers import pms5003
from tests.drivers.captured import rows

TABLE = """
[[sensor]]
name = "dust"
driver = "pms5003"
port = "{port}"
every_frame = true
warm_up_s = 0
period_s = 0
"""
CAPTURED = [
    bytes.fromhex(row["input"]["frame"])
    for row in rows("pms5003", "frame")
    if "fault" not in row["expected"] and row["sensor"] != "PMS5003T"
]


def is_awake(sensor: int) -> bool:
    """Whether the driver has told it to send, since the last look."""
    try:
        return os.read(sensor, 100).endswith(pms5003.command("active"))
    except BlockingIOError:
        return False
