"""A simulated pier: sensors without hardware, the same for the same seed and time.

The shapes of the days and years follow the climate of Chonburi and a market's opening
hours; the numbers are invented, and every stream says that it is simulated. Only the water
level rests on true tide constants.
"""

from math import cos, pi

from drivers import tide
from drivers.port import utc_s
from drivers.reading import Reading, measured

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.reading import SpecRow

DAY_S = 86_400
WEEK_S = 7 * DAY_S
YEAR_S = 31_556_952
BANGKOK_S = 7 * 3600  # Local time is UTC + 7 h, all year.
MONDAY_S = 4 * DAY_S  # The first Monday after 1 January 1970.


class Moment:
    """One instant at the pier, and the seeded noise that belongs to it."""

    def __init__(self, seed: int, at_s: float) -> None:
        self.seed = seed
        self.at_s = at_s
        local_s = at_s + BANGKOK_S
        self.hour = local_s % DAY_S / 3600
        self.is_weekend = (local_s - MONDAY_S) % WEEK_S >= 5 * DAY_S
        self._year = at_s % YEAR_S / YEAR_S

    def yearly(self, peak_day: float) -> float:
        """+1 on `peak_day` of the year, -1 half a year later."""
        return cos(2 * pi * (self._year - peak_day / 365.25))

    def daily(self, peak_hour: float, times: int = 1) -> float:
        """+1 at `peak_hour`, `times` a day, -1 in between."""
        return cos(2 * pi * times * (self.hour - peak_hour) / 24)

    def bump(self, peak_hour: float, width_h: float) -> float:
        """1 at `peak_hour`, falling to 0 at `width_h` before and after it."""
        away_h = abs((self.hour - peak_hour + 12) % 24 - 12)
        return (1 + cos(pi * away_h / width_h)) / 2 if away_h < width_h else 0.0

    def noise(self, key: int, period_s: float) -> float:
        """Between -1 and +1, smooth, new after `period_s`; its own course for each `key`."""
        step = int(self.at_s // period_s)
        part = self.at_s / period_s - step
        part = part * part * (3 - 2 * part)
        before, after = scatter(self.seed, key, step), scatter(self.seed, key, step + 1)
        return before + (after - before) * part


def scatter(seed: int, key: int, step: int) -> float:
    """A number between -1 and +1 that looks like chance, and is the same on every Python."""
    # The finalizer of MurmurHash3, 32 bits.
    h = (seed * 0x9E3779B1 + key * 0x85EBCA77 + step * 0xC2B2AE3D) & 0xFFFFFFFF
    h = (h ^ h >> 16) * 0x85EBCA6B & 0xFFFFFFFF
    h = (h ^ h >> 13) * 0xC2B2AE35 & 0xFFFFFFFF
    return (h ^ h >> 16) / 0x7FFFFFFF - 1


def water_level(now: Moment) -> float:
    """The tide, a surge that wanders over hours, and what is left of the waves: metres."""
    surge = 0.06 * now.noise(1, 5 * 3600)
    waves = 0.03 * now.noise(2, 7) + 0.02 * now.noise(3, 3)
    return tide.height_m(now.at_s) + surge + waves


def water_temperature(now: Moment) -> float:
    """Warm, a little warmer in the afternoon: °C."""
    return 29.2 + 1.2 * now.yearly(125) + 0.5 * now.daily(15) + 0.2 * now.noise(4, 7200)


def air_temperature(now: Moment) -> float:
    """Coolest before sunrise, hottest after noon, April above December: °C."""
    day = 3.1 * now.daily(14)
    return 28.4 + 1.7 * now.yearly(110) + day + 0.7 * now.noise(5, 5400) + 0.1 * now.noise(6, 60)


def relative_humidity(now: Moment) -> float:
    """Against the temperature of the day; drier in the cool season: per cent."""
    day = -11 * now.daily(14)
    return 74 + 4 * now.yearly(250) + day + 3 * now.noise(7, 5400) + 0.5 * now.noise(8, 60)


def pressure(now: Moment) -> float:
    """The tropics' tide of the air, twice a day, over a slow wander: hPa."""
    return 1009.5 + 2.2 * now.yearly(10) + 1.4 * now.daily(10, 2) + 0.8 * now.noise(9, DAY_S)


def pm2_5(now: Moment) -> float:
    """Haze in the cool season, traffic in the morning and the evening: µg/m³."""
    season = 21 + 13 * now.yearly(25)
    traffic = 1 + 0.25 * now.bump(7.5, 3) + 0.35 * now.bump(19, 4)
    return max(season * traffic * (1 + 0.3 * now.noise(10, 10800)) + now.noise(11, 60), 1.0)


def pm10(now: Moment) -> float:
    """The fine dust, and salt and sand on top: µg/m³."""
    return pm2_5(now) * 1.5 + 6 + 3 * now.noise(12, 1800)


def bustle(now: Moment) -> float:
    """How busy the market is, from 0 to about 1.5."""
    busy = now.bump(10.5, 4) * 0.7 + now.bump(17, 4.5)
    return busy * (1.4 if now.is_weekend else 1.0) * (1 + 0.25 * now.noise(13, 900))


def people(now: Moment) -> float:
    """People who pass the kiosk in a minute."""
    return max(14 * bustle(now) + 3 * bustle(now) * now.noise(14, 45), 0.0)


def sound_level(now: Moment) -> float:
    """Waves at night, the market and its scooters by day: dB(A)."""
    return 46 + 15 * min(bustle(now), 1.2) + 2.5 * now.noise(15, 20) + 1.5 * now.noise(16, 3)


def wind_speed(now: Moment) -> float:
    """A sea breeze in the afternoon, hardly any wind at night: m/s."""
    return max(1.6 + 2.9 * now.bump(15, 6) + 0.9 * now.noise(17, 1200) + 0.5 * now.noise(18, 10), 0)


def wind_direction(now: Moment) -> float:
    """From the land at night (north-east), from the sea by day (west-south-west): degrees."""
    to_sea = now.bump(14.5, 7)
    return (50 + 200 * to_sea + 20 * now.noise(19, 1800) + 8 * now.noise(20, 20)) % 360


class Fake:
    """A group of simulated sensors; `now_s` gives Unix time."""

    KIND = "fake"
    SIMULATED = True
    SPEC: "tuple[SpecRow, ...]" = ()
    SHAPES: "tuple[Callable[[Moment], float], ...]" = ()

    def __init__(self, seed: int = 1, now_s: "Callable[[], float]" = utc_s) -> None:
        self._seed = seed
        self._now_s = now_s

    async def start(self) -> None:
        """Nothing to find."""

    async def read(self) -> tuple[Reading, ...]:
        """What the pier is like at this moment."""
        now = Moment(self._seed, self._now_s())
        return tuple([measured(self.SPEC[i], shape(now)) for i, shape in enumerate(self.SHAPES)])

    async def close(self) -> None:
        """Nothing to give back."""


class FakePier(Fake):
    """A level gauge and a thermometer in the water."""

    KIND = "fake_pier"
    SPEC: "tuple[SpecRow, ...]" = (
        ("water_level", "m", -2, 7, 3),
        ("water_temperature", "Cel", 10, 40, 2),
    )
    SHAPES = (water_level, water_temperature)


class FakeAir(Fake):
    """A weather box with a dust sensor."""

    KIND = "fake_air"
    SPEC: "tuple[SpecRow, ...]" = (
        ("air_temperature", "Cel", -40, 85, 2),
        ("relative_humidity", "%", 0, 100, 1),
        ("pressure", "hPa", 300, 1100, 1),
        ("pm2_5", "ug/m3", 0, 1000, 0),
        ("pm10", "ug/m3", 0, 1000, 0),
    )
    SHAPES = (air_temperature, relative_humidity, pressure, pm2_5, pm10)


class FakeCrowd(Fake):
    """A microphone and a people counter at the market."""

    KIND = "fake_crowd"
    SPEC: "tuple[SpecRow, ...]" = (
        ("sound_level", "dB", 20, 130, 1),
        ("people", "/min", 0, 1000, 0),
    )
    SHAPES = (sound_level, people)


class FakeWind(Fake):
    """A wind vane and an anemometer on the pier."""

    KIND = "fake_wind"
    SPEC: "tuple[SpecRow, ...]" = (
        ("wind_speed", "m/s", 0, 75, 1),
        ("wind_direction", "deg", 0, 360, 0),
    )
    SHAPES = (wind_speed, wind_direction)
