"""The one oracle: what was made and promised = what is at the city + what is declared lost."""

from __future__ import annotations

import json
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from drivers.reading import QUALITIES, Reading
from sync import wire
from sync.city.archive import Archive
from sync.entry import Lane, Stream
from sync.ranges import Ranges
from tests.sim.loop import SimError

if TYPE_CHECKING:
    from sync.journal import Journal
    from tests.sim.machines import Kiosk
    from tests.sim.universe import Universe

Content = tuple[Any, ...]  # (name of the stream, boot, at_ms), or ("event", number).
Key = tuple[bytes, Lane, int]  # Epoch, lane, seq.
SHOWN_MAX = 5
OURS = "feedback"  # The kind of the generator's events; the product makes others.


class BrokenPromiseError(SimError):
    """The city and the generators do not agree."""


class Oracle:
    """Watches generators, journals and the archive of one universe."""

    def __init__(self, universe: Universe) -> None:
        self.universe = universe
        self.made: dict[Content, Any] = {}  # → (value, quality, true UTC), or UTC for an event.
        self.promises: dict[Content, str] = {}  # → the kiosk that gave it.
        self.keys: dict[Content, list[Key]] = {}
        self.anchored: dict[str, None] = {}  # Boots whose UTC is on a card.
        self.shaky: dict[Content, str] = {}  # Promised, but the card broke the promise: why.
        self.failures: list[str] = []
        self.events = 0
        self.waiting: dict[int, int] = {}  # Event → uploads that were let in before it.

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

    def promised(self, kiosk: Kiosk, journal: Journal, batch: Any) -> None:
        """A batch is on the card."""
        for row in batch.rows:
            content = (journal.streams[row.stream].name, journal.clock.boot, row.at_ms)
            self._promise(kiosk, content, (journal.epoch, Lane.READINGS, row.seq))
        for event in batch.events:
            if event.kind == OURS:
                content = ("event", event.body["n"])
                self._promise(kiosk, content, (journal.epoch, Lane.EVENTS, event.seq))
                self.waiting[event.body["n"]] = 0
        for anchor in batch.anchors:
            self.anchored[anchor.boot] = None

    def _promise(self, kiosk: Kiosk, content: Content, key: Key) -> None:
        self.promises.setdefault(content, kiosk.name)
        self.keys.setdefault(content, []).append(key)
        self.universe.record("promised", *content, key[2])

    def renumbered(self, kiosk: Kiosk, journal: Journal) -> None:
        """Entries have moved to a new epoch: a loss may be declared there."""
        del kiosk
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
            lanes = []
            for body in upload.segments:
                stored[wire.sha256(body)] = None
                lanes.append(self._arrived(body))
            self.universe.record("taken", len(upload.segments), len(upload.lost))
            return taken

        archive.take = watched  # type: ignore[method-assign]

    def _arrived(self, body: bytes) -> Lane:
        return wire.decode_segment(body).lane

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

    # --- the end -----------------------------------------------------------------------------

    def check(self, archive: Archive) -> None:
        """Compare everything. The findings are in `failures`."""
        tables = archive._tables
        found: dict[Content, list[Key]] = {}
        lost: dict[tuple[bytes, Lane], Ranges] = {}
        for lane in tables.lane.select():
            epoch = bytes.fromhex(lane.epoch)
            lost[epoch, Lane(lane.lane)] = archive_ranges(lane.lost)
            self._check_lane(archive, lane, found)
        self._check_doubles(found)
        self._check_missing(found, lost)
        self.universe.record("delivered", len(found))

    def _check_lane(self, archive: Archive, lane: Any, found: dict[Content, list[Key]]) -> None:
        if Lane(lane.lane) not in (Lane.EVENTS, Lane.READINGS):
            return  # Summaries are new numbers made of lost ones.
        table = archive._tables.segment
        query = table.select().where(table.lane == lane.id).order_by(table.first_seq)
        for row in query:
            segment = wire.decode_segment(bytes(row.body))
            streams: Sequence[Stream] = ()
            if segment.schema:
                streams = archive._schema(lane.kiosk_id, segment.schema)
            for content, seq, (value, quality, at_ms) in contents(segment, streams):
                key = (segment.epoch, segment.lane, seq)
                found.setdefault(content, []).append(key)
                made = self.made.get(content)
                if made is None:
                    self.fail(f"NEVER MADE {content} seq {seq}")
                    continue
                if content[0] != "event" and made[:2] != (value, quality):
                    self.fail(f"WRONG {content}: {made[:2]} became {(value, quality)}")
                boot = segment.boot.hex()
                if content[0] == "event" and boot != made[0]:
                    self.fail(f"WRONG BOOT {content}")
                self._check_time(archive, lane.kiosk_id, boot, at_ms, made[2], content)

    def _check_time(
        self, archive: Archive, kiosk: str, boot: str, at_ms: int, true_ms: int, content: Content
    ) -> None:
        anchor = archive._anchor_for(kiosk, boot, at_ms)
        if anchor is None:
            if boot in self.anchored:
                self.fail(f"TIME UNKNOWN though boot {boot[:8]} was told it")
            return
        wrong_ms = abs(anchor.utc_at(at_ms) - true_ms)
        if wrong_ms > anchor.error_ms + 1:
            self.fail(
                f"WRONG TIME {content}: {wrong_ms} ms off, ± {anchor.error_ms} declared by "
                f"{anchor.source}"
            )

    def _check_doubles(self, found: dict[Content, list[Key]]) -> None:
        doubled = [content for content, keys in found.items() if len(keys) > 1]
        if doubled:
            keys = [(key[0].hex()[:6], key[2]) for key in found[doubled[0]]]
            self.fail(f"DOUBLED {len(doubled)}, such as {doubled[0]} at {keys}")

    def _check_missing(
        self, found: dict[Content, list[Key]], lost: dict[tuple[bytes, Lane], Ranges]
    ) -> None:
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
        if missing:
            first = missing[0]
            key = [(key[0].hex()[:6], key[1].name, key[2]) for key in self.keys[first]]
            self.fail(f"LOST {len(missing)} of {len(self.promises)}, such as {first} {key}")
        if declared and not self.universe.may_lose:
            self.fail(f"DECLARED LOST {declared} without need")
        self.universe.counts["promised"] = len(self.promises)
        self.universe.counts["declared lost"] = declared


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


def archive_ranges(text: str) -> Ranges:
    """Ranges as the archive keeps them."""
    return Ranges(json.loads(text))


def leaves(group: BaseExceptionGroup[Any]) -> list[BaseException]:
    """The errors in a group of groups."""
    found: list[BaseException] = []
    for error in group.exceptions:
        found.extend(leaves(error) if isinstance(error, BaseExceptionGroup) else [error])
    return found
