import sys

import pytest

from drivers.errors import BusError
from drivers.linux.microphone import Microphone
from drivers.sound import SoundLevel

# A recorder that plays a tone of 1 kHz, 26 dB below full scale, for ever.
TONE = """
import array, math, sys
scale = 2**31 * 10 ** (-26 / 20)
block = array.array("i", [round(scale * math.sin(math.pi * i / 24)) for i in range(48)])
while True:
    sys.stdout.buffer.write(block.tobytes())
"""


def recorder(script: str) -> Microphone:
    """A microphone whose recorder is a small program."""
    return Microphone("default", (sys.executable, "-c", script))


async def test_a_tone_has_its_level() -> None:
    """The tone at which the microphone's sensitivity is given is read as 94 dB."""
    driver = SoundLevel(recorder(TONE), blocks=2)
    await driver.start()
    assert [one.value for one in await driver.read()] == [94.0, 94.0, 94.0]
    await driver.close()


async def test_a_recorder_that_stops_is_a_bus_error() -> None:
    """What it wrote before is no reading."""
    microphone = recorder("print('tide')")
    await microphone.open()
    with pytest.raises(BusError, match="has stopped: no device 'default'"):
        await microphone.samples(100)
    await microphone.close()


async def test_a_recorder_that_is_not_there_is_named() -> None:
    """Without alsa-utils there is no microphone."""
    with pytest.raises(BusError, match="no-such-recorder cannot be started") as caught:
        await Microphone("default", ("no-such-recorder",)).open()
    assert caught.value.fault == "absent"
    with pytest.raises(BusError, match="not open"):
        await Microphone().samples(1)
