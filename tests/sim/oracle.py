"""The one oracle: what was made and promised = what is at the city + what is declared lost."""

from __future__ import annotations

import json
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.reading import QUALITIES, Reading
from sync import wire
from sync.city.archive import Archive
from sync.city.intake import find_schema
from sync.city.times import ESTIMATED
from sync.entry import Anchor, Lane, Stream
from sync.ranges import Ranges

if TYPE_CHECKING:
    from sync.journal import Journal
    from tests.sim.machines import Kiosk
    from tests.sim.universe import Universe

Content = tuple[Any, ...]  # (name of the stream, boot, at_ms), or ("event", number).
Key = tuple[bytes, Lane, int]  # Epoch, lane, seq.
Bound = tuple[str, Anchor | None]  # A boot, and what the city reads its time by.
OVERTAKEN_MAX = 4  # Uploads that were under way when the button was pressed, and then some.
OURS = "feedback"  # The kind of the generator's events; the product makes others.
# What must have happened before this may be the reason of a loss.
BAD_CARD = ("lying_sync", "full_disk", "sync_error", "dying_card", "bit_rot", "card_restore")
CAUSES = {
    "no room": ("quota", *BAD_CARD),
    "the card takes no commits": BAD_CARD,
    "the card was damaged": BAD_CARD,
    "acked and deleted, then lost by the city": ("city_restore",),
}


class Oracle:
    """Watches generators, journals and the archive of one universe."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.made: dict[Content, Any] = {}  # → (value, quality, true UTC), or UTC for an event.
        self.promises: dict[Content, str] = {}  # → the kiosk that gave it.
        self.keys: dict[Content, list[Key]] = {}
        self.anchored: dict[str, str] = {}  # Boot whose UTC is on a card → kiosk.
        self.shaky: dict[Content, str] = {}  # Promised, but the card broke the promise: why.
        self.failures: list[str] = []
        self.events = 0
        self.wrong_times = 0
        self.waiting: dict[int, tuple[str, int]] = {}  # Event → uploads that went before it.

    def fail(self, text: str) -> None:
        """Note what is wrong."""
        if text not in self.failures:
            self.failures.append(text)

    # --- what generators make, and journals promise ------------------------------------------

    def made_readings(
        self, kiosk: Kiosk, sensor: str, readings: Sequence[Reading], at_ms: int
    ) -> None:
        """A sensor has measured."""
        for quantity, value, _, quality in readings:
            content = (f"{sensor}/{quantity}", kiosk.boot, at_ms)
            self.made[content] = (value, quality, self.universe.utc_ms())

    def made_event(self, kiosk: Kiosk) -> int:
        """A person has pressed a button."""
        self.events += 1
        self.made["event", self.events] = (kiosk.boot, None, self.universe.utc_ms())
        return self.events

    def refused(self, kiosk: Kiosk, number: int, error: Exception) -> None:
        """The journal has said that it cannot take an event."""
        self.universe.record("refused", kiosk.name, number, str(error))
        if not (kiosk.disk.errors or kiosk.disturbed):
            self.fail(f"REFUSED event {number} on a good card: {error}")

    def thanked(self, kiosk: Kiosk, journal: Journal, number: int, seq: int) -> None:
        """The journal has said that an event is on the card."""
        if ("event", number) not in self.promises:
            self._promise(kiosk, ("event", number), (journal.epoch, Lane.EVENTS, seq))

    def promised(self, kiosk: Kiosk, journal: Journal, batch: Any) -> None:
        """A batch is on the card."""
        for row in batch.rows:
            content: Content = (journal.streams[row.stream].name, journal.clock.boot, row.at_ms)
            self._promise(kiosk, content, (journal.epoch, Lane.READINGS, row.seq))
        for event in batch.events:
            if event.kind == OURS:
                content = ("event", event.body["n"])
                self._promise(kiosk, content, (journal.epoch, Lane.EVENTS, event.seq))
                self.waiting[event.body["n"]] = (kiosk.identity, 0)
        for anchor in batch.anchors:
            self.anchored[anchor.boot] = kiosk.name

    def _promise(self, kiosk: Kiosk, content: Content, key: Key) -> None:
        self.promises.setdefault(content, kiosk.name)
        self.keys.setdefault(content, []).append(key)
        self.universe.record("promised", *content, key[2])

    def renumbered(self, kiosk: Kiosk, journal: Journal) -> None:
        """Entries have moved to a new epoch: a loss may be declared there."""
        self._nobody_waits(kiosk)
        for lane in (Lane.EVENTS, Lane.READINGS):
            for row in journal._file._tables.segment[lane].select():
                segment = wire.decode_segment(bytes(row.body))
                schema = journal._file.schema_of(segment.schema) if segment.schema else None
                streams = wire.decode_schema(schema) if schema else ()
                for content, seq, _ in contents(segment, streams):
                    self.keys.setdefault(content, []).append((segment.epoch, lane, seq))

    def shake(self, kiosk: Kiosk, why: str = "the card lied") -> None:
        """What this kiosk has promised and the city has not got may be gone without a trace."""
        kiosk.disturbed = True
        for content, name in self.promises.items():
            if name == kiosk.name:
                self.shaky.setdefault(content, why)
        self._nobody_waits(kiosk)
        self.anchored = {boot: name for boot, name in self.anchored.items() if name != kiosk.name}

    def _nobody_waits(self, kiosk: Kiosk) -> None:
        """What is on another card, or salvaged, has no turn."""
        self.waiting = {
            number: (identity, uploads)
            for number, (identity, uploads) in self.waiting.items()
            if identity != kiosk.identity
        }

    def crashed(self, kiosk: Kiosk, group: BaseExceptionGroup[Exception]) -> None:
        """The service has ended with an error: on a good card it may not."""
        text = "; ".join(f"{type(error).__name__}: {error}" for error in leaves(group))
        self.universe.record("crashed", kiosk.name, text)
        self.universe.count("service restarts")
        if not (kiosk.disk.errors or kiosk.disturbed):
            self.fail(f"CRASHED {kiosk.name}: {text}")

    def bug(self, name: str, error: Exception) -> None:
        """A machine has ended with an error that is not one of ours."""
        errors = leaves(error) if isinstance(error, BaseExceptionGroup) else [error]
        for each in errors:
            at = traceback.extract_tb(each.__traceback__)[-3:]
            where = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in at[::-1])
            self.fail(f"BUG on {name}: {type(each).__name__}: {each} at {where}")

    # --- what the city promises ------------------------------------------------------------------

    def watch(self, archive: Archive, stored: dict[bytes, None]) -> None:
        """Note each segment whose answer has been made."""
        take = archive.take

        async def watched(upload: Any) -> Any:
            taken = await take(upload)
            if any(wire.sha256(body) not in stored for body in upload.segments):
                self._see_who_waits(upload)
            for body in upload.segments:
                stored[wire.sha256(body)] = None
            self.universe.record("taken", len(upload.segments), len(upload.lost))
            return taken

        archive.take = watched  # type: ignore[method-assign]

    def _see_who_waits(self, upload: Any) -> None:
        """Complaints go before readings: no event may see many uploads go by."""
        segments = [wire.decode_segment(body) for body in upload.segments]
        for segment in segments:
            if segment.lane is Lane.EVENTS:
                self._has_come(segment)
        if any(segment.lane is Lane.EVENTS for segment in segments):
            return  # It is their turn.
        if self.universe.has("late"):
            return  # What was held up on the way was sent before the button was pressed.
        twins = sum(kiosk.identity == upload.kiosk for kiosk in self.universe.kiosks) > 1
        for number, (kiosk, uploads) in self.waiting.items():
            if kiosk == upload.kiosk and not twins:
                self.waiting[number] = (kiosk, uploads + 1)
                if uploads + 1 == OVERTAKEN_MAX:
                    self.fail(f"STARVED event {number}: {OVERTAKEN_MAX} uploads went before it")

    def check_archive(self, archive: Archive, stored: dict[bytes, None]) -> None:
        """After a power cut the city still has all that it has acked."""
        tables = archive._tables
        have = {
            wire.sha256(bytes(row.body))
            for table in (tables.segment, tables.quarantine)
            for row in table.select(table.body)
        }
        gone = [digest for digest in stored if digest not in have]
        if gone:
            self.fail(f"ACKED AND LOST {len(gone)} segments at the city")
        self._see_who_came(archive)

    def _see_who_came(self, archive: Archive) -> None:
        """What the city committed just before its power went has come, though nobody said so.

        Its kiosk learns that with the next hello and has no reason to send it again.
        """
        tables = archive._tables
        events = tables.lane.select(tables.lane.id).where(tables.lane.lane == Lane.EVENTS)
        query = tables.segment.select(tables.segment.body)
        for row in query.where(tables.segment.lane.in_(events)):
            self._has_come(wire.decode_segment(bytes(row.body)))

    def _has_come(self, segment: wire.Segment) -> None:
        for event in wire.segment_events(segment):
            self.waiting.pop(event.body.get("n", 0), None)

    # --- the end -----------------------------------------------------------------------------

    def check(self, archive: Archive) -> None:
        """Compare everything. The findings are in `failures`."""
        found: dict[Content, list[Key]] = {}
        for lane in archive._tables.lane.select():
            for bound, (content, key), measured in self._entries(archive, lane):
                found.setdefault(content, []).append(key)
                self._check_entry(bound, content, measured)
        self._check_doubles(found)
        self._check_reasons(archive)
        missing, declared = self._missing(archive, found)
        if missing:
            first = missing[0]
            at = [(key[0].hex()[:6], key[1].name, key[2]) for key in self.keys[first]]
            self.fail(f"LOST {len(missing)} of {len(self.promises)}, such as {first} at {at}")
        if declared and not self.universe.may_lose:
            self.fail(f"DECLARED LOST {declared} without need")
        self.universe.counts["promised"] = len(self.promises)
        self.universe.counts["declared lost"] = declared
        self.universe.record("delivered", len(found))

    def _check_reasons(self, archive: Archive) -> None:
        """Nobody may declare a loss for which nothing has happened."""
        for lane in archive._tables.lane.select():
            for reason in json.loads(lane.reasons).values():
                causes = next((CAUSES[word] for word in CAUSES if reason.startswith(word)), None)
                if causes is None:
                    self.fail(f"DECLARED LOST for an unknown reason: {reason!r}")
                elif not (self.universe.has_small_quota and "quota" in causes) and not any(
                    self.universe.counts.get(kind) for kind in causes
                ):
                    self.fail(f"DECLARED LOST without a cause: {reason!r}")

    def missing(self, archive: Archive) -> list[Content]:
        """What was promised and is neither at the city nor declared lost."""
        found: dict[Content, list[Key]] = {}
        for lane in archive._tables.lane.select():
            for _, (content, key), _ in self._entries(archive, lane):
                found.setdefault(content, []).append(key)
        return self._missing(archive, found)[0]

    def _missing(
        self, archive: Archive, found: dict[Content, list[Key]]
    ) -> tuple[list[Content], int]:
        lost = {
            (bytes.fromhex(lane.epoch), Lane(lane.lane)): Ranges(json.loads(lane.lost))
            for lane in archive._tables.lane.select()
        }
        missing = []
        declared = 0
        for content in self.promises:
            if content in found:
                continue
            keys = self.keys[content]
            if any(lost.get(key[:2], Ranges()).covers(key[2], key[2]) for key in keys):
                declared += 1
            elif content not in self.shaky:
                missing.append(content)
        return missing, declared

    def _entries(
        self, archive: Archive, lane: Any
    ) -> Iterator[tuple[Bound, tuple[Content, Key], tuple[Any, Any, int]]]:
        """Each entry of a lane at the city: (boot, lane, …), (content, key), (value, …)."""
        if Lane(lane.lane) not in (Lane.EVENTS, Lane.READINGS):
            return  # Summaries are new numbers made of lost ones.
        table = archive._tables.segment
        for row in table.select().where(table.lane == lane.id).order_by(table.first_seq):
            segment = wire.decode_segment(bytes(row.body))
            streams: Sequence[Stream] = ()
            if segment.schema:
                streams = find_schema(archive._tables, lane.kiosk_id, segment.schema)
            for content, seq, measured in contents(segment, streams):
                boot = segment.boot.hex()
                bound = (
                    boot,
                    archive._times.bind(lane.kiosk_id, lane.id, boot, measured[2], row.received_ms),
                )
                yield bound, (content, (segment.epoch, segment.lane, seq)), measured

    def _check_entry(self, bound: Bound, content: Content, measured: tuple[Any, Any, int]) -> None:
        made = self.made.get(content)
        value, quality, at_ms = measured
        if made is None:
            self.fail(f"NEVER MADE {content}")
            return
        if content[0] != "event" and made[:2] != (value, quality):
            self.fail(f"WRONG {content}: {made[:2]} became {(value, quality)}")
        if content[0] == "event" and bound[0] != made[0]:
            self.fail(f"WRONG BOOT {content}")
        self._check_time(bound, at_ms, made[2], content)

    def _check_time(self, bound: Bound, at_ms: int, true_ms: int, content: Content) -> None:
        boot, anchor = bound
        if (anchor is None or anchor.source == ESTIMATED) and boot in self.anchored:
            self.fail(f"TIME UNKNOWN though boot {boot[:8]} was told it")
        if anchor is None:
            return
        wrong_ms = abs(anchor.utc_at(at_ms) - true_ms)
        declared_ms = anchor.error_at(at_ms)
        if wrong_ms > declared_ms + 1:
            self.wrong_times += 1
            if self.wrong_times == 1:
                self.fail(
                    f"WRONG TIME such as {content}: {wrong_ms} ms off, ± {declared_ms} declared "
                    f"by {anchor.source}"
                )

    def _check_doubles(self, found: dict[Content, list[Key]]) -> None:
        doubled = [content for content, keys in found.items() if len(keys) > 1]
        if doubled:
            keys = [(key[0].hex()[:6], key[2]) for key in found[doubled[0]]]
            self.fail(f"DOUBLED {len(doubled)}, such as {doubled[0]} at {keys}")


def contents(
    segment: wire.Segment, streams: Sequence[Stream]
) -> list[tuple[Content, int, tuple[Any, Any, int]]]:
    """What a segment holds, the generators' way: content, seq, (value, quality, at_ms)."""
    if segment.lane is Lane.EVENTS:
        return [
            (("event", event.body["n"]), event.seq, (None, None, event.at_ms))
            for event in wire.segment_events(segment)
            if event.kind == OURS
        ]
    found = []
    for row in wire.segment_rows(segment):
        entry = wire.to_entry(row, streams, segment.boot.hex()) if streams else None
        if entry is None:
            continue
        assert entry.quality in QUALITIES
        content = (entry.stream.name, entry.boot, entry.at_ms)
        found.append((content, entry.seq, (entry.value, entry.quality, entry.at_ms)))
    return found


def leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    """The errors in a group of groups."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found
