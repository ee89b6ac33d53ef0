"""When the browser is started again: a table of states, fed with signs of life and the time.

    starting    the browser was started, or we were; nothing was heard yet
    alive       the page gives signs of life
    given up    it was started again too often: the boot page stays, and somebody has to come

Whoever counts failures must not forget them at the first good sign: a page that comes up and dies
every minute would be started for ever.
"""

from dataclasses import dataclass

SILENT_S = 30.0  # Six signs of life that did not come.
START_S = 90.0  # A Pi's browser from a cold start to the first sign.
RESTARTS_MAX = 3
RESTARTS_WITHIN_S = 15 * 60.0
HEALTHY_S = 10 * 60.0  # Of life without a break, before failures are forgotten.
REST_S = 24 * 3600.0  # After giving up, where no clock tells when it is night.
NIGHT_FROM_MIN = 3 * 60 + 30  # Minutes since local midnight:
NIGHT_TO_MIN = 5 * 60  # later the first people are here.
NIGHT_EVERY_S = 12 * 3600.0  # Once a night, whatever is done to the clock.

# What to do: nothing, start the browser again, start it with the boot page staying, note it.
NOTHING, RESTART, GIVE_UP, RECOVERED = "", "restart", "give up", "recovered"

# (state, what is so) -> (next state, what to do). What is not here changes nothing.
STEPS = {
    ("starting", "beat"): ("alive", NOTHING),
    ("starting", "silent"): ("starting", RESTART),
    ("starting", "silent again"): ("given up", GIVE_UP),
    ("starting", "night"): ("starting", RESTART),
    ("alive", "silent"): ("starting", RESTART),
    ("alive", "silent again"): ("given up", GIVE_UP),
    ("alive", "night"): ("starting", RESTART),
    ("given up", "beat"): ("alive", RECOVERED),
    ("given up", "night"): ("starting", RESTART),
    ("given up", "rested"): ("starting", RESTART),
}


@dataclass(frozen=True)
class Step:
    """What to do, and why."""

    act: str
    why: str


class ScreenWatch:
    """The watch over one browser. All times are seconds of one clock that never steps."""

    def __init__(self, now_s: float) -> None:
        self.state = "starting"
        self.restarts: list[float] = []  # That failures have led to, and that still count.
        self._since_s = now_s
        self._beat_s: float | None = None
        self._alive_s = now_s  # Since when there is life without a break.
        self._night_s = now_s - NIGHT_EVERY_S
        self._idle = False

    def beat(self, now_s: float, *, idle: bool) -> Step:
        """A sign of life came."""
        if self.state != "alive" or self._silence_s(now_s) > SILENT_S:
            self._alive_s = now_s
        self._beat_s, self._idle = now_s, idle
        if now_s - self._alive_s >= HEALTHY_S:
            self.restarts.clear()
        return self._step("beat", now_s)

    def look(self, now_s: float, minute_of_day: int | None) -> Step:
        """Time has passed; `minute_of_day` is the local time, where it is known."""
        if self._is_night(now_s, minute_of_day):
            return self._step("night", now_s)
        if self.state == "given up":
            if now_s - self._since_s >= REST_S:
                self.restarts.clear()
                return self._step("rested", now_s)
        elif self._silence_s(now_s) > (SILENT_S if self.state == "alive" else START_S):
            recent = [at_s for at_s in self.restarts if now_s - at_s <= RESTARTS_WITHIN_S]
            again = len(recent) >= RESTARTS_MAX
            return self._step("silent again" if again else "silent", now_s)
        return Step(NOTHING, "")

    def _silence_s(self, now_s: float) -> float:
        heard_s = self._since_s if self._beat_s is None else max(self._beat_s, self._since_s)
        return now_s - heard_s

    def _is_night(self, now_s: float, minute_of_day: int | None) -> bool:
        return (
            minute_of_day is not None
            and NIGHT_FROM_MIN <= minute_of_day < NIGHT_TO_MIN
            and now_s - self._night_s >= NIGHT_EVERY_S
            and (self._idle or self.state != "alive")
        )

    def _step(self, happened: str, now_s: float) -> Step:
        silence_s = self._silence_s(now_s)
        state, act = STEPS.get((self.state, happened), (self.state, NOTHING))
        if state != self.state or act != NOTHING:
            self._since_s = now_s
        self.state = state
        if happened == "night":
            self._night_s = now_s
            self.restarts.clear()
        elif act == RESTART:
            self.restarts.append(now_s)
        why = {"night": "once a night", "beat": "it is back", "rested": "a day has passed"}
        return Step(act, why.get(happened, f"no sign of life for {silence_s:.0f} s"))
