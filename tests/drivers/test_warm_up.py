"""Before a sensor is warm it has no value, and after that it always has."""

from drivers.reading import Reading
from drivers.warm_up import WarmUp

SPEC = (("pm10", "ug/m3", 0, 1000, 0),)
WARM = (Reading("pm10", 7, "ug/m3"),)


def test_values_come_when_it_is_over() -> None:
    """Until then each quantity is there without its value, and says why."""
    now_ms = [1000]
    warm_up = WarmUp(30, lambda: now_ms[0])
    warm_up.begin()
    now_ms[0] += 29_999
    assert warm_up.covered(SPEC, WARM) == (Reading("pm10", None, "ug/m3", "warming_up"),)
    now_ms[0] += 1
    assert warm_up.covered(SPEC, WARM) == WARM


def test_it_begins_anew_at_each_start() -> None:
    """A sensor that was away is cold again."""
    now_ms = [0]
    warm_up = WarmUp(30, lambda: now_ms[0])
    warm_up.begin()
    now_ms[0] = 30_000
    assert warm_up.covered(SPEC, WARM) == WARM
    warm_up.begin()
    assert warm_up.covered(SPEC, WARM)[0].quality == "warming_up"


def test_none_is_over_at_once() -> None:
    """With 0 seconds the first reading has its value."""
    warm_up = WarmUp(0, lambda: 5)
    warm_up.begin()
    assert warm_up.covered(SPEC, WARM) == WARM
