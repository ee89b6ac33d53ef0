import pytest

from edge.visitors import SCREEN_DARK_S, nobody_there
from kiosk_ui.beat import ATTRACT, Beat


def beat(view: str) -> Beat:
    """A sign of life at 1000 s."""
    return Beat(1000.0, view, "r1", 16, 9000, 0, checked=True, fault="")


@pytest.mark.parametrize(
    ("view", "age_s", "nobody"),
    [
        (ATTRACT, 1, True),
        ("map", 1, False),
        ("map", SCREEN_DARK_S - 1, False),
        ("map", SCREEN_DARK_S + 1, True),
    ],
)
def test_the_last_sign_of_life_tells_whether_somebody_is_there(
    view: str, age_s: float, *, nobody: bool
) -> None:
    """The first screen waits for people, any other is read by one, and a dead page by none."""
    assert nobody_there(beat(view), 1000 + age_s) is nobody


def test_a_kiosk_without_a_screen_disturbs_nobody() -> None:
    """Where no page was ever heard of, nobody looks at one."""
    assert nobody_there(None, 5.0)
