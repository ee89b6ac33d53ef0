"""Tide heights from harmonic constants, with the nodal corrections of Schureman (1958)."""

from math import acos, atan, atan2, cos, pi, sin, sqrt, tan

TYPE_CHECKING = False
if TYPE_CHECKING:
    # name, amplitude (m), Greenwich phase lag (degrees), then the argument
    # V = T, s, h, p, p1 multiples + degrees, then the tide whose node factors it takes.
    Constituent = tuple[str, float, float, int, int, int, int, int, int, str]
    # amplitude (m), speed (rad/s), phase (rad) at noon: good for one UTC day.
    Wave = tuple[float, float, float]

DAY_S = 86_400
RADIANS = pi / 180

# The Ang Sila constants are the mean of two stations (Bangkok Bar and Ko Si Chang): the
# vector mean of amplitude and phase. Bangkok Bar was fitted to the hourly tables of 2026 of
# the Hydrographic Department, Royal Thai Navy, Ko Si Chang to parts of them. An estimate,
# not for navigation: expect 0.1 m and a quarter of an hour.
# SA follows the IHO: V = h. The letters of Doodson's argument are explained below.
ANG_SILA = (
    # name  A (m)   g (deg)  T   s  h   p  p1 +deg  node factors of
    ("K1", 0.67, 60.0, 1, 0, 1, 0, 0, -90, "K1"),
    ("M2", 0.5284, 293.1, 2, -2, 2, 0, 0, 0, "M2"),
    ("O1", 0.4337, 18.7, 1, -2, 1, 0, 0, 90, "O1"),
    ("S2", 0.2515, 358.8, 2, 0, 0, 0, 0, 0, ""),
    ("P1", 0.2025, 64.1, 1, 0, -1, 0, 0, 90, ""),
    ("SA", 0.15, 304.5, 0, 0, 1, 0, 0, 0, ""),
    ("N2", 0.0964, 271.4, 2, -3, 2, 1, 0, 0, "M2"),
    ("K2", 0.0937, 338.1, 2, 0, 2, 0, 0, 0, "K2"),
    ("Q1", 0.0817, 3.4, 1, -3, 1, 1, 0, 90, "O1"),
    ("SSA", 0.053, 22.0, 0, 0, 2, 0, 0, 0, ""),
    ("OO1", 0.0398, 97.0, 1, 2, 1, 0, 0, -90, "OO1"),
    ("NO1", 0.0337, 47.3, 1, -1, 1, 1, 0, -90, "NO1"),
    ("J1", 0.0334, 114.3, 1, 1, 1, -1, 0, -90, "J1"),
    ("L2", 0.0289, 303.0, 2, -1, 2, -1, 0, 180, "L2"),
    ("2N2", 0.0284, 260.0, 2, -4, 2, 2, 0, 0, "M2"),
    ("SO1", 0.0263, 236.2, 1, 2, -1, 0, 0, -90, "SO1"),
    ("PHI1", 0.0222, 57.2, 1, 0, 3, 0, 0, -90, ""),
    ("LAM2", 0.0191, 292.7, 2, -1, 0, 1, 0, 180, "M2"),
    ("PI1", 0.0173, 59.6, 1, 0, -2, 0, 1, 90, ""),
    ("RHO1", 0.016, 352.8, 1, -3, 3, -1, 0, 90, "O1"),
    ("T2", 0.0151, 301.9, 2, 0, -1, 0, 1, 0, ""),
    ("MF", 0.0135, 3.9, 0, 2, 0, 0, 0, 0, "MF"),
    ("SIG1", 0.0119, 23.1, 1, -4, 3, 0, 0, 90, "O1"),
    ("THE1", 0.0106, 101.0, 1, 1, -1, 1, 0, -90, "J1"),
    ("NU2", 0.0106, 256.6, 2, -3, 4, -1, 0, 0, "M2"),
    ("MM", 0.01, 282.7, 0, 1, 0, -1, 0, 0, "MM"),
    ("MS4", 0.0095, 165.5, 4, -2, 2, 0, 0, 0, "M2"),
    ("MU2", 0.0091, 324.6, 2, -4, 4, 0, 0, 0, "M2"),
    ("2Q1", 0.009, 325.9, 1, -4, 1, 2, 0, 90, "O1"),
    ("M4", 0.0074, 100.2, 4, -4, 4, 0, 0, 0, "M4"),
    ("MO3", 0.0071, 332.0, 3, -4, 3, 0, 0, 90, "MO3"),
    ("MK3", 0.0046, 297.0, 3, -2, 3, 0, 0, -90, "MK3"),
    ("M3", 0.0034, 183.6, 3, -3, 3, 0, 0, 180, "M3"),
)
ANG_SILA_CREDIT = "Hydrographic Department, Royal Thai Navy"

# Mean sea level above the lowest low water; heights are shown above the latter.
ANG_SILA_MEAN_LEVEL_M = 2.40

# The mean longitudes at noon of 1 January 2000, UTC, and what a day adds to them, in 1e-9
# degrees: s moon, h sun, p lunar perigee, N lunar node, p1 solar perigee (Meeus, Astronomical
# Algorithms, chapters 22, 25 and 47; the terms in T squared stay below 0.002 degrees until
# 2050). Integers, because a node's float has 24 bits.
J2000_DAY = 10_957
S_NDEG = (218_316_459_100, 13_176_396_475)
H_NDEG = (280_466_450_000, 985_647_360)
P_NDEG = (83_353_243_000, 111_403_524)
N_NDEG = (125_044_555_000, -52_953_763)
P1_NDEG = (282_937_350_000, 47_078)

# Obliquity of the ecliptic and inclination of the moon's orbit (Schureman, table 1).
OBLIQUITY = 23.452 * RADIANS
INCLINATION = 5.145 * RADIANS

STEP_S = 1_800  # Finer than a quarter of M4's period, so no turn of the tide hides in a step.
RISE_MIN_M = 0.03  # A smaller dip between two highs is no low water that a person could see.
SPAN_S_MAX = 400 * DAY_S


class Tide:
    """Predicts the tide at one place. One day's waves are kept, so ask in order of time."""

    def __init__(self, constituents: "tuple[Constituent, ...]", mean_level_m: float) -> None:
        self._constituents = constituents
        self._mean_level_m = mean_level_m
        self._day = -1
        self._waves: list[Wave] = []

    def height_m(self, utc_s: float) -> float:
        """Height above the datum at `utc_s` (Unix time, UTC)."""
        after_noon_s = self._turn_to(utc_s)
        return self._mean_level_m + sum(
            [
                amplitude * cos(speed * after_noon_s + phase)
                for amplitude, speed, phase in self._waves
            ]
        )

    def slope(self, utc_s: float) -> float:
        """Rise of the water at `utc_s` in m/s."""
        after_noon_s = self._turn_to(utc_s)
        return -sum(
            [
                amplitude * speed * sin(speed * after_noon_s + phase)
                for amplitude, speed, phase in self._waves
            ]
        )

    def extremes(self, utc_s_from: float, utc_s_to: float) -> "list[tuple[int, float, str]]":
        """High and low waters in the span, as (utc_s, height_m, "high" or "low").

        Raises `ValueError` for a span of more than `SPAN_S_MAX`.
        """
        first_s, last_s = int(utc_s_from), int(utc_s_to)
        if last_s - first_s > SPAN_S_MAX:
            raise ValueError("tide span too long: " + str(last_s - first_s) + " s")
        # A day more on both sides: whether a turn at the edge counts depends on its neighbours.
        turns = _drop_ripples(self._turns(first_s - DAY_S, last_s + DAY_S))
        return [turn for turn in turns if first_s <= turn[0] <= last_s]

    def _turns(self, first_s: int, last_s: int) -> "list[tuple[int, float, str]]":
        turns = []
        rising = self.slope(first_s) > 0
        for at_s in range(first_s + STEP_S, last_s + STEP_S, STEP_S):
            if (self.slope(at_s) > 0) == rising:
                continue
            turn_s = self._turn_between(at_s - STEP_S, at_s, rising)
            turns.append((turn_s, self.height_m(turn_s), "high" if rising else "low"))
            rising = not rising
        return turns

    def _turn_between(self, low_s: int, high_s: int, rising: bool) -> int:  # noqa: FBT001
        while high_s - low_s > 1:
            middle_s = (low_s + high_s) // 2
            if (self.slope(middle_s) > 0) == rising:
                low_s = middle_s
            else:
                high_s = middle_s
        return high_s

    def _turn_to(self, utc_s: float) -> float:
        """Make the waves of that day current; return the seconds since its noon."""
        day = int(utc_s // DAY_S)
        if day != self._day:
            self._waves = waves(self._constituents, day)
            self._day = day
        return utc_s - day * DAY_S - DAY_S // 2


def waves(constituents: "tuple[Constituent, ...]", day: int) -> "list[Wave]":
    """What the constituents come to on one UTC day (counted from 1970), seen from its noon."""
    days = day - J2000_DAY
    s, h, p, n, p1 = [
        (at_epoch + per_day * days) % 360_000_000_000 / 1e9
        for at_epoch, per_day in (S_NDEG, H_NDEG, P_NDEG, N_NDEG, P1_NDEG)
    ]
    nodes = node_factors(n, p)
    found = []
    for _, amplitude_m, lag, i_t, i_s, i_h, i_p, i_p1, degrees, node in constituents:
        factor, shift = nodes[node]
        # T, the hour angle of the mean sun, is zero at noon and grows by 360 degrees a day.
        argument = i_s * s + i_h * h + i_p * p + i_p1 * p1 + degrees
        degrees_per_day = (
            360 * i_t
            + (i_s * S_NDEG[1] + i_h * H_NDEG[1] + i_p * P_NDEG[1] + i_p1 * P1_NDEG[1]) / 1e9
        )
        phase = (argument + shift - lag) % 360 * RADIANS
        found.append((amplitude_m * factor, degrees_per_day * RADIANS / DAY_S, phase))
    return found


def node_factors(node: float, perigee: float) -> "dict[str, tuple[float, float]]":
    """Factor f and shift u (degrees) of each kind of tide, for N and p in degrees.

    Schureman, Manual of Harmonic Analysis and Prediction of Tides (1958); the numbers of his
    formulas stand beside each line.
    """
    n = node * RADIANS
    # I, nu and xi: where the moon's orbit cuts the equator (191 and figure 1).
    incline = acos(cos(INCLINATION) * cos(OBLIQUITY) - sin(INCLINATION) * sin(OBLIQUITY) * cos(n))
    less, more = (OBLIQUITY - INCLINATION) / 2, (OBLIQUITY + INCLINATION) / 2
    # atan2 of sine and cosine keeps the branch that a tangent of N/2 loses at 180 degrees.
    one = atan2(cos(less) * sin(n / 2), cos(more) * cos(n / 2)) - n / 2
    two = atan2(sin(less) * sin(n / 2), sin(more) * cos(n / 2)) - n / 2
    nu, xi = one - two, -(one + two)
    sine, double = sin(incline), sin(2 * incline)
    half_cos, half_tan = cos(incline / 2), tan(incline / 2)
    # nu' of K1 (224) and 2 nu'' of K2 (232).
    nu1 = atan2(double * sin(nu), double * cos(nu) + 0.3347)
    nu2 = atan2(sine**2 * sin(2 * nu), sine**2 * cos(2 * nu) + 0.0727)
    # R and 1/Ra of L2 (214, 213).
    pc = perigee * RADIANS - xi
    r = atan(sin(2 * pc) / (1 / (6 * half_tan**2) - cos(2 * pc)))
    l2 = sqrt(1 - 12 * half_tan**2 * cos(2 * pc) + 36 * half_tan**4)

    m2, m2_u = half_cos**4 / 0.9154, 2 * xi - 2 * nu  # 78
    o1, o1_u = sine * half_cos**2 / 0.3800, 2 * xi - nu  # 75
    k1 = sqrt(0.8965 * double**2 + 0.6001 * double * cos(nu) + 0.1006)  # 227
    k2 = sqrt(19.0444 * sine**4 + 2.7702 * sine**2 * cos(2 * nu) + 0.0981)  # 235
    factors = {
        "": (1.0, 0.0),
        "MM": ((2 / 3 - sine**2) / 0.5021, 0.0),  # 73
        "MF": (sine**2 / 0.1578, -2 * xi),  # 74
        "O1": (o1, o1_u),
        "SO1": (o1, -o1_u),  # A compound, S2 minus O1.
        "K1": (k1, -nu1),
        "J1": (double / 0.7214, -nu),  # 76
        "OO1": (sine * (half_tan * half_cos) ** 2 / 0.0164, -2 * xi - nu),  # 77
        "NO1": (m2 * o1, m2_u - o1_u),  # A compound, N2 minus O1.
        "M2": (m2, m2_u),
        "L2": (m2 * l2, m2_u - r),  # 215
        "K2": (k2, -nu2),
        "M3": (m2**1.5, 1.5 * m2_u),  # 149
        "M4": (m2**2, 2 * m2_u),
        "MO3": (m2 * o1, m2_u + o1_u),
        "MK3": (m2 * k1, m2_u - nu1),
    }
    return {kind: (f, u / RADIANS) for kind, (f, u) in factors.items()}


def _drop_ripples(
    turns: "list[tuple[int, float, str]]",
) -> "list[tuple[int, float, str]]":
    """Take out pairs of turns that differ by less than `RISE_MIN_M`, the smallest first."""
    while len(turns) > 1:
        rises = [abs(turns[i + 1][1] - turns[i][1]) for i in range(len(turns) - 1)]
        smallest = rises.index(min(rises))
        if rises[smallest] >= RISE_MIN_M:
            break
        turns = turns[:smallest] + turns[smallest + 2 :]
    return turns


_ang_sila = Tide(ANG_SILA, ANG_SILA_MEAN_LEVEL_M)


def height_m(utc_s: float) -> float:
    """Height of the tide at Ang Sila above the lowest low water. Unix time, UTC."""
    return _ang_sila.height_m(utc_s)


def extremes(utc_s_from: float, utc_s_to: float) -> "list[tuple[int, float, str]]":
    """High and low waters at Ang Sila in the span, as (utc_s, height_m, "high" or "low")."""
    return _ang_sila.extremes(utc_s_from, utc_s_to)
