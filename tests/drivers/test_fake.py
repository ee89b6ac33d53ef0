from drivers import fake, tide

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

PORTABLE = True

NEW_YEAR_2026_S = 1_767_225_600
# What CPython gives for seed 7 on 2 January 2026, 17:17:36 at the pier.
EXPECTED = [2.114, 28.89, 29.92, 64.6, 1010.9, 34, 59, 63.9, 15, 3.3, 192]
GROUPS = (fake.FakePier, fake.FakeAir, fake.FakeCrowd, fake.FakeWind)


def mean(shape: "Callable[[fake.Moment], float]", utc_hour: int) -> float:
    """The mean of a shape at one hour of the day, over a year."""
    start_s = NEW_YEAR_2026_S + utc_hour * 3600
    days = range(0, 365, 5)
    return sum([shape(fake.Moment(1, start_s + day * 86_400)) for day in days]) / len(days)


async def values_at(seed: int, at_s: float) -> "list[float | None]":
    """All values of all groups at one instant."""
    found = []
    for group in GROUPS:
        driver = group(seed, lambda: at_s)
        await driver.start()
        found.extend([reading.value for reading in await driver.read()])
        await driver.close()
    return found


async def test_the_same_seed_and_time_give_the_same_values() -> None:
    """A test or a demo can be repeated; another seed or time gives another course."""
    first = await values_at(1, NEW_YEAR_2026_S)
    assert first == await values_at(1, NEW_YEAR_2026_S)
    assert first != await values_at(2, NEW_YEAR_2026_S)
    assert first != await values_at(1, NEW_YEAR_2026_S + 10)


async def test_every_python_gives_the_same_values() -> None:
    """CPython and MicroPython agree on one instant to the last digit that is shown."""
    assert await values_at(7, NEW_YEAR_2026_S + 123_456) == EXPECTED


async def test_all_values_are_within_their_spec() -> None:
    """Over a year no simulated sensor leaves its range."""
    for day in range(0, 365, 7):
        for hour in (0, 5, 7, 11):
            values = await values_at(3, NEW_YEAR_2026_S + day * 86_400 + hour * 3600)
            assert len(values) == 11
            assert None not in values


def test_everything_is_labelled_as_simulated() -> None:
    """No group can be taken for a real sensor, and each quantity has one row and one shape."""
    for group in GROUPS:
        assert group.SIMULATED
        assert len(group.SPEC) == len(group.SHAPES)


def test_the_water_follows_the_true_tide() -> None:
    """What is added to the tide stays below 15 cm."""
    for hour in range(0, 24 * 60, 7):
        at_s = NEW_YEAR_2026_S + hour * 3600
        assert abs(fake.water_level(fake.Moment(1, at_s)) - tide.height_m(at_s)) < 0.15


def test_the_day_has_a_shape() -> None:
    """Hot and dry after noon, a sea breeze, a busy market, and traffic in the fine dust."""
    assert mean(fake.air_temperature, 7) > mean(fake.air_temperature, 22) + 4
    assert mean(fake.relative_humidity, 7) < mean(fake.relative_humidity, 22) - 10
    assert mean(fake.wind_speed, 8) > mean(fake.wind_speed, 19) + 1
    assert mean(fake.people, 10) > mean(fake.people, 19) + 5
    assert mean(fake.sound_level, 10) > mean(fake.sound_level, 19) + 5
    assert mean(fake.pm2_5, 12) > mean(fake.pm2_5, 6)


def test_nobody_shops_at_night() -> None:
    """At three in the morning the market is closed."""
    assert mean(fake.people, 20) == 0


def test_noise_is_smooth_and_bounded() -> None:
    """It stays between -1 and 1, and moves little in a hundredth of its period."""
    last = fake.Moment(1, 0).noise(1, 100)
    for at_s in range(1, 1000):
        value = fake.Moment(1, at_s).noise(1, 100)
        assert -1 <= value <= 1
        assert abs(value - last) < 0.05
        last = value


def test_the_weekend_is_that_of_bangkok() -> None:
    """Saturday begins at 17:00 UTC on Friday; 2 January 2026 is a Friday."""
    friday_evening_s = NEW_YEAR_2026_S + 86_400 + 17 * 3600
    assert not fake.Moment(1, friday_evening_s - 1).is_weekend
    assert fake.Moment(1, friday_evening_s).is_weekend
    assert fake.Moment(1, friday_evening_s + 2 * 86_400 - 1).is_weekend
    assert not fake.Moment(1, friday_evening_s + 2 * 86_400).is_weekend
