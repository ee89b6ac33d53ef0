import pytest

from edge.screen_watch import (
    GIVE_UP,
    HEALTHY_S,
    NIGHT_FROM_MIN,
    NIGHT_TO_MIN,
    NOTHING,
    RECOVERED,
    REST_S,
    RESTART,
    RESTARTS_MAX,
    SILENT_S,
    START_S,
    STEPS,
    ScreenWatch,
)

BEAT_S = 5.0
NOON_MIN = 12 * 60


class World:
    """A watch, a clock that the test turns, and what the watch has asked for."""

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.watch = ScreenWatch(self.now_s)
        self.acts: list[str] = []

    def live(
        self, seconds: float, minute_of_day: int | None = NOON_MIN, *, idle: bool = True
    ) -> None:
        """Let the page live for so long."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += BEAT_S
            self._note(self.watch.beat(self.now_s, idle=idle).act)
            self._note(self.watch.look(self.now_s, minute_of_day).act)

    def be_silent(self, seconds: float, minute_of_day: int | None = NOON_MIN) -> None:
        """Let nothing be heard for so long."""
        end_s = self.now_s + seconds
        while self.now_s < end_s:
            self.now_s += 1.0
            self._note(self.watch.look(self.now_s, minute_of_day).act)

    def _note(self, act: str) -> None:
        if act != NOTHING:
            self.acts.append(act)


@pytest.fixture
def world() -> World:
    """A browser that has just been started."""
    return World()


def test_a_page_that_lives_is_left_alone(world: World) -> None:
    """As long as signs of life come, nothing is done."""
    world.live(3600)

    assert world.acts == []
    assert world.watch.state == "alive"


def test_a_dead_page_is_started_again_within_half_a_minute(world: World) -> None:
    """The browser is restarted once 30 s have passed without a sign, and not before."""
    world.live(60)
    world.be_silent(SILENT_S)
    assert world.acts == []
    world.be_silent(1)

    assert world.acts == [RESTART]


def test_a_browser_gets_its_time_to_start(world: World) -> None:
    """After a start the first sign may take longer than one between two signs."""
    world.be_silent(START_S)
    assert world.acts == []
    world.be_silent(1)

    assert world.acts == [RESTART]


def test_after_three_restarts_in_a_quarter_of_an_hour_the_boot_page_stays(world: World) -> None:
    """The fourth failure is the last: somebody is called, and nothing is started any more."""
    world.live(60)
    world.be_silent(SILENT_S + RESTARTS_MAX * (START_S + 1) + 600)

    assert world.acts == [RESTART] * RESTARTS_MAX + [GIVE_UP]
    assert world.watch.state == "given up"


def test_a_short_life_does_not_wipe_the_failures(world: World) -> None:
    """A page that comes up and dies again each minute is given up all the same."""
    world.live(60)
    for _ in range(RESTARTS_MAX):
        world.be_silent(SILENT_S + 1)
        world.live(60)
    world.be_silent(SILENT_S + 1)

    assert world.acts == [RESTART] * RESTARTS_MAX + [GIVE_UP]


def test_ten_healthy_minutes_wipe_the_failures(world: World) -> None:
    """Failures that lie before ten minutes without a break do not count any more."""
    world.live(60)
    for _ in range(3 * RESTARTS_MAX):
        world.be_silent(SILENT_S + 1)
        world.live(HEALTHY_S + BEAT_S)

    assert world.acts == [RESTART] * (3 * RESTARTS_MAX)


def test_ten_minutes_with_a_break_do_not_wipe_them(world: World) -> None:
    """Nine minutes of life and one failure, again and again, keep the failures in mind."""
    world.live(60)
    for _ in range(RESTARTS_MAX):
        world.be_silent(SILENT_S + 1)
        world.live(HEALTHY_S - 60)

    assert len(world.watch.restarts) == RESTARTS_MAX


def test_a_page_that_comes_back_is_welcome(world: World) -> None:
    """A sign of life after giving up ends it, and the failures still count."""
    world.be_silent(RESTARTS_MAX * (START_S + 1) + START_S + 10)
    assert world.watch.state == "given up"
    world.live(BEAT_S)

    assert world.acts[-2:] == [GIVE_UP, RECOVERED]
    assert world.watch.state == "alive"
    assert len(world.watch.restarts) == RESTARTS_MAX


def test_a_day_later_there_is_another_try(world: World) -> None:
    """Where no clock tells when it is night, giving up ends after a day."""
    world.be_silent(RESTARTS_MAX * (START_S + 1) + START_S + 10, None)
    world.acts.clear()
    world.be_silent(REST_S, None)

    assert world.acts[0] == RESTART


def test_once_a_night_the_browser_is_started_afresh(world: World) -> None:
    """At half past three, once, and it is no failure."""
    world.live(60)
    world.live(1800, NIGHT_FROM_MIN)

    assert world.acts == [RESTART]
    assert world.watch.restarts == []


def test_nobody_is_disturbed_at_night(world: World) -> None:
    """While somebody uses the screen, the nightly restart waits, and then it is day."""
    world.live(60)
    world.live(3600, NIGHT_FROM_MIN, idle=False)
    world.live(3600, NIGHT_TO_MIN)

    assert world.acts == []


def test_a_clock_that_is_not_set_has_no_night(world: World) -> None:
    """Without a time there is no half past three."""
    world.live(26 * 3600, None)

    assert world.acts == []


def test_the_night_ends_giving_up(world: World) -> None:
    """What one day has made hopeless gets another chance on the next."""
    world.be_silent(RESTARTS_MAX * (START_S + 1) + START_S + 10)
    world.acts.clear()
    world.be_silent(1, NIGHT_FROM_MIN)

    assert world.acts == [RESTART]
    assert world.watch.restarts == []


def test_every_step_leads_to_a_state_of_the_table() -> None:
    """No step leads out of the table, and from each state a sign of life leads to life."""
    states = {state for state, _ in STEPS}

    assert {state for state, _ in STEPS.values()} <= states
    for state in states - {"alive"}:
        assert STEPS[state, "beat"][0] == "alive"
