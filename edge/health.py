"""Health: what the kiosk says about itself, to the technician and to the city."""

import importlib.metadata
import os
import platform
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sync.entry import Lane

if TYPE_CHECKING:
    from sync.journal import Journal

DISTRIBUTION = "angsila-kiosk"
WHY_CHARACTERS_MAX = 200
SILENCE_MAX_MS = 240_000  # A sensor that went is tried again every minute or so.
SLACK_MS = 60_000


@dataclass(slots=True)
class SensorState:
    """How one sensor is. `state` is starting, ok, failed or quarantined."""

    name: str
    driver: str
    period_s: float
    simulated: bool = False
    listens: bool = False  # It cannot be asked, and may be silent for long while it is well.
    state: str = "starting"
    quality: str = "no_data"
    why: str = ""
    since_ms: int = 0
    readings: int = 0
    misses: int = 0
    bugs: int = 0
    late_ms: int = 0
    late_ms_max: int = 0
    calibration: dict[str, Any] = field(default_factory=dict)

    def turn(self, state: str, quality: str, why: str, now_ms: int) -> bool:
        """Take the new state; True when it differs from the one before.

        The quality belongs to the state: a sensor that was silent and is now not even
        there has changed. The reason may change its wording with every try.
        """
        changed = (state, quality) != (self.state, self.quality)
        self.why = why[:WHY_CHARACTERS_MAX]
        if changed:
            self.state, self.quality, self.since_ms = state, quality, now_ms
        return changed

    def late(self, late_ms: int) -> None:
        """Note how long after its beat a reading was asked for."""
        self.late_ms = late_ms
        self.late_ms_max = max(self.late_ms_max, late_ms)

    def event(self) -> dict[str, Any]:
        """Say it for the event lane."""
        return {
            "part": "sensor",
            "name": self.name,
            "driver": self.driver,
            "state": self.state,
            "quality": self.quality,
            "why": self.why,
        }


class TrialWrite:
    """Writes a few bytes to the card and sees that they arrive.

    A card can turn read-only while every read still works, so health asks with a write.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / "test-write"
        self.ok: bool | None = None
        self.why = ""

    def run(self) -> bool:
        """Write, sync and read back. Blocks: call it off the event loop."""
        text = os.urandom(8).hex()
        try:
            with self._path.open("w") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            self.ok = self._path.read_text() == text
            self.why = "" if self.ok else "what was read is not what was written"
        except OSError as error:
            self.ok, self.why = False, str(error)
        return self.ok


@dataclass(slots=True)
class Stage:
    """One stage of the pipeline: how far it came, and how long it has been stuck there.

    The age runs while there is work for the stage that was there at the last look, too.
    """

    words: str
    age_ms_max: int
    place: int = -1
    since_ms: int = 0

    def look(self, place: int, now_ms: int, *, has_work: bool) -> str:
        """Say so when it has not moved from `place` for too long although it has work."""
        if place != self.place or not has_work:
            self.place, self.since_ms = place, now_ms
        age_ms = now_ms - self.since_ms
        return f"{self.words} for {age_ms // 1000} s" if age_ms > self.age_ms_max else ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far readings have come, at one look."""

    sensors: int  # That can be asked, and are not quarantined.
    taken: int  # The newest seq in the journal.
    committed: int  # The newest seq on the card.
    acked: int  # How many entries the city has, or knows to be lost.
    sealed: int  # How many entries there are for it to have.
    online: bool


class Canary:
    """Whether readings still go all the way: sensor, journal, card, city.

    systemd is told that the kiosk is alive only while they do, so a pipeline that stalls
    anywhere is started again. A city that is offline is a verdict, not a stall; and sensors
    that are all quarantined would not be healed by a restart.
    """

    def __init__(self, commit_s: float) -> None:
        commit_ms = round(commit_s * 1000)
        self._taken = Stage("no reading from any sensor", SILENCE_MAX_MS)
        self._committed = Stage("nothing was committed", 3 * commit_ms + SLACK_MS)
        self._acked = Stage("the city is online and takes nothing", SILENCE_MAX_MS + SLACK_MS)

    def look(self, progress: Progress, now_ms: int) -> str:
        """Name the stage that is stuck, in a few words; nothing when all is well."""
        return (
            self._taken.look(progress.taken, now_ms, has_work=progress.sensors > 0)
            or self._committed.look(
                progress.committed, now_ms, has_work=progress.taken > progress.committed
            )
            or self._acked.look(
                progress.acked,
                now_ms,
                has_work=progress.online and progress.sealed > progress.acked,
            )
        )


class Health:
    """All that GET /health says."""

    def __init__(
        self,
        journal: "Journal",
        uplink_status: Callable[[], dict[str, Any]],
        sensors: Mapping[str, SensorState],
        test_write: TrialWrite,
    ) -> None:
        self._journal = journal
        self._uplink_status = uplink_status
        self._sensors = sensors
        self._test_write = test_write
        self._canary = Canary(journal.options.commit_s)
        self._started_ms = journal.clock.boottime_ms()
        self._versions = versions()
        self.reports_dropped = 0
        self.complaint = ""
        self.bluetooth: Callable[[], dict[str, Any]] | None = None

    def look(self) -> str:
        """Look at the canary; the complaint, or nothing when all is well."""
        self.complaint = self._canary.look(self.progress(), self._journal.clock.boottime_ms())
        return self.complaint

    def progress(self) -> Progress:
        """Say how far readings have come."""
        positions = [self._journal.position(lane) for lane in Lane]
        return Progress(
            sensors=sum(
                sensor.state != "quarantined" and not sensor.listens
                for sensor in self._sensors.values()
            ),
            taken=self._journal.seq,
            committed=self._journal.position(Lane.READINGS).committed,
            acked=sum(self._journal.settled(lane).count() for lane in Lane),
            sealed=sum(position.sealed for position in positions),
            online=self._uplink_status()["state"] == "online",
        )

    def line(self) -> str:
        """Say it in one line, as `systemctl status` shows it."""
        well = sum(sensor.state == "ok" for sensor in self._sensors.values())
        city = self._uplink_status()
        return (
            f"{well} of {len(self._sensors)} sensors, city {city['state']}, "
            f"{city['pending']} entries to send"
        )

    def body(self) -> dict[str, Any]:
        """Say everything, for GET /health."""
        journal = self._journal
        sensors = [asdict(sensor) for sensor in self._sensors.values()]
        wrong = self.complaint or self._test_write.ok is False or journal.trouble
        failed = any(sensor["state"] not in ("ok", "starting") for sensor in sensors)
        return {
            "status": "stalled" if wrong else "degraded" if failed else "ok",
            "complaint": self.complaint,
            "uptime_s": (journal.clock.boottime_ms() - self._started_ms) // 1000,
            "versions": self._versions,
            "clock": journal.clock.state(),
            "sensors": sensors,
            "journal": {
                "epoch": journal.epoch.hex(),
                "taken": journal.seq,
                "committed": journal.position(Lane.READINGS).committed,
                "events": journal.position(Lane.EVENTS).committed,
                "commits": journal.commits,
                "dropped": journal.dropped,
                "trouble": journal.trouble,
                "memory": journal.memory,
                "damage": journal.damage,
            },
            "uplink": self._uplink_status(),
            "test_write": {"ok": self._test_write.ok, "why": self._test_write.why},
            "bluetooth": self.bluetooth() if self.bluetooth else None,
            "reports_dropped": self.reports_dropped,
        }


def versions() -> dict[str, str]:
    """Say what runs here, for a fault report."""
    return {
        "angsila": importlib.metadata.version(DISTRIBUTION),
        "python": platform.python_version(),
        "kernel": platform.release(),
    }
