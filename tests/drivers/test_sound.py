import math

from drivers import sound
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True

# IEC 61672-1, table 3: what a class 2 meter may differ by, in dB, at nominal frequencies.
CLASS_2 = {
    31.5: (3.0, 3.0),
    63: (2.0, 2.0),
    125: (1.5, 1.5),
    250: (1.5, 1.5),
    500: (1.5, 1.5),
    1000: (1.0, 1.0),
    2000: (2.0, 2.0),
    4000: (3.0, 3.0),
    8000: (5.0, 5.0),
}
RATE = 48_000
SLOW = 4_000  # For samples that fit a node.


def tone(hertz: float, amplitude: float, count: int) -> "list[float]":
    """Samples of a sine."""
    step = 2 * math.pi * hertz / SLOW
    return [amplitude * math.sin(step * i) for i in range(count)]


class Tone:
    """A microphone that hears one tone."""

    SAMPLES_PER_S = SLOW

    def __init__(self, amplitude: float) -> None:
        self._block = tone(1000, amplitude, SLOW // 8)  # 125 whole periods.

    async def open(self) -> None:
        """Start to listen."""

    async def close(self) -> None:
        """Stop."""

    async def samples(self, count: int) -> "list[float]":
        """The next samples."""
        assert count == len(self._block)
        return self._block


def test_the_weighting_of_tones() -> None:
    """The formula gives the table of the standard."""
    (row,) = rows("sound", "freq_hz")[:1]
    for nominal, wanted in zip(row["input"]["freq_hz"], row["expected"]["db"]):
        assert abs(sound.a_weighting_db(sound.exact_hz(nominal)) - wanted) < 0.1


def test_the_filter_keeps_to_class_2() -> None:
    """The digital filter is within the tolerances of a class 2 meter, from 31.5 Hz to 8 kHz."""
    weighting = sound.AWeighting(RATE)
    assert abs(weighting.response_db(1000, RATE)) < 1e-6
    for nominal, (above, below) in CLASS_2.items():
        exact = sound.exact_hz(nominal)
        error = weighting.response_db(exact, RATE) - sound.a_weighting_db(exact)
        assert -below < error < above, (nominal, error)


def test_the_filter_does_what_its_response_says() -> None:
    """A tone comes out as much weaker as the response says, whatever the blocks."""
    weighting = sound.AWeighting(SLOW)
    response_db = weighting.response_db(250, SLOW)
    samples = tone(250, 0.5, 160)
    weighting.weighted(samples)  # It settles.
    weighted = weighting.weighted(samples[:100]) + weighting.weighted(samples[100:])
    assert abs(sound.rms_dbfs(weighted) - sound.rms_dbfs(samples) - response_db) < 0.1


def test_the_level_of_a_microphone() -> None:
    """What the microphone gives at 94 dB is read as 94 dB."""
    (row,) = rows("sound", "sine_dbfs_rms")
    given = row["input"]
    level = sound.level_db(
        given["sine_dbfs_rms"], given["mic_sensitivity_dbfs"], given["ref_db"], given["offset_db"]
    )
    assert abs(level - row["expected"]["dba"]) < 0.001


def test_the_mean_is_one_of_energy() -> None:
    """Three quarters of an hour at 60 dB and one at 70 dB are 65.1 dB and not 62.5."""
    assert abs(sound.equivalent_db([60, 60, 60, 70]) - 65.119) < 0.001
    levels = [float(level) for level in range(101)]
    assert abs(sound.exceeded_db(levels, 10) - 90) < 1e-9
    assert abs(sound.exceeded_db(levels, 90) - 10) < 1e-9
    assert fault_of(sound.equivalent_db, []) == "no_data"
    assert fault_of(sound.exceeded_db, [], 10) == "no_data"


def test_silence_has_a_level() -> None:
    """Nothing at all is very quiet, and no infinity."""
    assert sound.rms_dbfs([0.0] * 10) == sound.QUIETEST_DBFS


async def test_a_reading_of_a_tone() -> None:
    """A steady tone has the same Leq, L10 and L90."""
    driver = sound.SoundLevel(Tone(0.0501), blocks=2)  # -26 dB of full scale.
    await driver.start()
    assert [(one.quantity, one.value, one.quality) for one in await driver.read()] == [
        ("sound_level", 94.0, "ok"),
        ("sound_level_l10", 94.0, "ok"),
        ("sound_level_l90", 94.0, "ok"),
    ]
    await driver.close()


async def test_what_is_too_loud_is_said() -> None:
    """A clipped sample makes the whole reading saturated; its values stay."""
    driver = sound.SoundLevel(Tone(1.0), blocks=1)
    await driver.start()
    assert [one.quality for one in await driver.read()] == ["saturated"] * 3
    assert fault_of(lambda: sound.SoundLevel(Tone(0.1), blocks=0)) == "input"
