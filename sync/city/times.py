"""When an entry was measured, in UTC, as well as the anchors and neighbouring boots allow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from peewee import SQL, BigIntegerField, CompositeKey, Database, IntegerField, Model, TextField

from sync.entry import Anchor

ESTIMATED = "estimated"


class Times:
    """Anchors of all kiosks, and how far each boot reached. Runs on the archive's thread."""

    def __init__(self, database: Database) -> None:
        class AnchorRow(Model):
            kiosk = TextField()
            boot = TextField()
            boottime_ms = BigIntegerField()
            utc_ms = BigIntegerField()
            error_ms = BigIntegerField()
            source = TextField()

            class Meta:
                table_name = "anchor"
                primary_key = CompositeKey("kiosk", "boot", "boottime_ms")

        class BootRow(Model):
            lane = IntegerField()  # Of one kiosk and epoch: seqs in it tell the order of boots.
            boot = TextField()
            first_seq = BigIntegerField()
            last_seq = BigIntegerField()
            last_ms = BigIntegerField()  # CLOCK_BOOTTIME of its latest entry.

            class Meta:
                table_name = "boot_span"
                primary_key = CompositeKey("lane", "boot")

        self._anchor = AnchorRow
        self._boot = BootRow
        database.bind(self.tables(), bind_refs=False, bind_backrefs=False)

    def tables(self) -> list[type[Model]]:
        """What the archive creates."""
        return [self._anchor, self._boot]

    def add_anchors(self, kiosk: str, anchors: Iterable[Anchor]) -> None:
        """Keep what a kiosk says of its boots."""
        for anchor in anchors:
            query = self._anchor.insert(kiosk=kiosk, **anchor._asdict())
            query.on_conflict_ignore().execute()

    def note_boot(self, lane: int, boot: str, first_seq: int, last_seq: int, last_ms: int) -> None:
        """Note that a segment of this boot has come."""
        table = self._boot
        row = table.get_or_none((table.lane == lane) & (table.boot == boot))
        if row is None:
            table.create(
                lane=lane, boot=boot, first_seq=first_seq, last_seq=last_seq, last_ms=last_ms
            )
            return
        table.update(
            first_seq=min(row.first_seq, first_seq),
            last_seq=max(row.last_seq, last_seq),
            last_ms=max(row.last_ms, last_ms),
        ).where((table.lane == lane) & (table.boot == boot)).execute()

    def bind(self, kiosk: str, lane: int, boot: str, at_ms: int, seen_ms: int) -> Anchor | None:
        """The anchor by which a moment of a boot is read; None where nothing bounds it.

        Of a boot that nobody told the time, its neighbours know: it began after the last entry
        of the boot before, and ended before the next one began, or before `seen_ms`, when the
        city knew of it. The middle is the estimate, half the width its error.
        """
        anchor = self._nearest(kiosk, boot, at_ms)
        if anchor is not None:
            return anchor
        table = self._boot
        here = table.get_or_none((table.lane == lane) & (table.boot == boot))
        if here is None:
            return None
        earliest_ms = self._end_of_boot_before(kiosk, here)
        if earliest_ms is None:
            return None
        # Since its start, which was after that, `at_ms` had passed.
        low_ms = earliest_ms + at_ms
        high_ms = self._start_of_boot_after(kiosk, here, seen_ms) - (here.last_ms - at_ms)
        if high_ms < low_ms:
            return None
        middle_ms = (low_ms + high_ms) // 2
        return Anchor(boot, at_ms, middle_ms, high_ms - middle_ms, ESTIMATED)

    def _nearest(self, kiosk: str, boot: str, at_ms: int) -> Anchor | None:
        table = self._anchor
        query = table.select().where((table.kiosk == kiosk) & (table.boot == boot))
        row = query.order_by(SQL("abs(boottime_ms - ?)", (at_ms,))).first()
        if row is None:
            return None
        return Anchor(row.boot, row.boottime_ms, row.utc_ms, row.error_ms, row.source)

    def _end_of_boot_before(self, kiosk: str, here: Any) -> int | None:
        table = self._boot
        before = table.select().where((table.lane == here.lane) & (table.last_seq < here.first_seq))
        for row in before.order_by(table.last_seq.desc()):
            anchor = self._nearest(kiosk, row.boot, row.last_ms)
            if anchor is not None:
                return anchor.utc_at(row.last_ms) - anchor.error_at(row.last_ms)
        return None

    def _start_of_boot_after(self, kiosk: str, here: Any, seen_ms: int) -> int:
        table = self._boot
        after = table.select().where((table.lane == here.lane) & (table.first_seq > here.last_seq))
        for row in after.order_by(table.first_seq):
            anchor = self._nearest(kiosk, row.boot, 0)
            if anchor is not None:
                return min(seen_ms, anchor.utc_at(0) + anchor.error_at(0))
        return seen_ms
