import pytest

from drivers.linux.ble_ladder import (
    LADDER,
    REBOOT_AFTER_S,
    REBOOT_UPTIME_S,
    ROUND_MAX_S,
    SILENCE_S,
    Ladder,
)


def climbed(ladder: Ladder, first_s: int, last_s: int) -> list[tuple[int, str]]:
    """The steps that fall due, looking once a second."""
    steps = ((now_s, ladder.due(now_s)) for now_s in range(first_s, last_s))
    return [(now_s, step) for now_s, step in steps if step]


def test_the_steps_follow_each_other_as_the_table_says() -> None:
    """Silence for 90 s begins the ladder; all of it is climbed before two minutes are over."""
    ladder = Ladder(0)

    assert climbed(ladder, 0, 120) == [(90, "restart"), (98, "power"), (106, "helper")]
    assert LADDER[-1].after_s + SILENCE_S < 120


def test_the_rounds_become_rarer() -> None:
    """Who cannot be healed is left alone for longer and longer, up to an hour."""
    starts = [now_s for now_s, step in climbed(Ladder(0), 0, 30_000) if step == "restart"]

    pauses = [later - earlier for earlier, later in zip(starts, starts[1:], strict=False)]
    assert pauses == sorted(pauses)
    assert pauses[:3] == [196, 376, 736]
    assert pauses[-1] == ROUND_MAX_S + LADDER[-1].after_s


@pytest.mark.parametrize("step", range(1, len(LADDER) + 1))
def test_an_advert_ends_the_silence_at_once(step: int) -> None:
    """Whoever is heard, on whichever rung, the ladder begins at its foot again."""
    ladder = Ladder(0)
    climbed(ladder, 0, round(SILENCE_S + LADDER[step - 1].after_s) + 1)
    assert ladder.is_silent

    assert ladder.heard(1000)
    assert not ladder.is_silent
    assert not ladder.heard(1001)
    assert climbed(ladder, 1001, 1091) == []
    assert climbed(ladder, 1091, 1120)[0] == (1091, "restart")


def test_an_air_that_is_alive_asks_for_nothing() -> None:
    """An advertisement every minute, for a day, and no step is taken."""
    ladder = Ladder(0)
    for now_s in range(0, 86_400, 60):
        ladder.heard(now_s)
        assert climbed(ladder, now_s, now_s + 60) == []


@pytest.mark.parametrize(
    ("silent_s", "uptime_s", "is_idle", "wants"),
    [
        (REBOOT_AFTER_S, REBOOT_UPTIME_S, True, True),
        (REBOOT_AFTER_S - 1, REBOOT_UPTIME_S, True, False),
        (REBOOT_AFTER_S, REBOOT_UPTIME_S - 1, True, False),
        (REBOOT_AFTER_S, REBOOT_UPTIME_S, False, False),
    ],
)
def test_a_reboot_is_the_last_resort(
    silent_s: float, uptime_s: float, *, is_idle: bool, wants: bool
) -> None:
    """After an hour of silence, a day after the last start at the earliest, with nobody there."""
    ladder = Ladder(0)
    climbed(ladder, 0, 120)

    assert ladder.wants_reboot(silent_s, uptime_s, is_idle=is_idle) is wants
