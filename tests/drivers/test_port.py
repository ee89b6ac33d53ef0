from drivers.port import TICKS_PERIOD_MS, ticks_diff, ticks_ms, utc_s

PORTABLE = True


def test_a_difference_is_right_over_the_wrap() -> None:
    """The counter begins again after its period, on every Python, and differences do not care."""
    assert TICKS_PERIOD_MS >= 1 << 30
    assert ticks_diff(5, TICKS_PERIOD_MS - 5) == 10
    assert ticks_diff(TICKS_PERIOD_MS - 5, 5) == -10
    assert ticks_diff(1000, 400) == 600


def test_ticks_stay_below_the_wrap() -> None:
    """They go on, and never reach the period."""
    first = ticks_ms()
    assert 0 <= first < TICKS_PERIOD_MS
    assert ticks_diff(ticks_ms(), first) >= 0


def test_time_counts_from_1970() -> None:
    """Whatever epoch a port has, seconds are Unix seconds."""
    assert utc_s() > 1_760_000_000
