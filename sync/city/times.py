"""When an entry was measured, in UTC, as well as the anchors and neighbouring boots allow."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from sync.clock import FLOOR_UTC_MS
from sync.entry import Anchor
from sync.orm import BigIntegerField, CompositeKey, Database, IntegerField, Model, TextField, fn

ESTIMATED = "estimated"
CITY_ERROR_MS = 60_000  # What the city's own clock is trusted to.
ASIDE_MAX = 16  # Of a kiosk: times that are not believed, the first of each boot.


class Times:
    """Anchors of all kiosks, and how far each boot reached. Runs within a turn of its kiosk."""

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

        class AsideRow(Model):
            kiosk = TextField()
            boot = TextField()
            boottime_ms = BigIntegerField()
            utc_ms = BigIntegerField()
            error_ms = BigIntegerField()
            source = TextField()
            reason = TextField()

            class Meta:
                table_name = "anchor_aside"
                primary_key = CompositeKey("kiosk", "boot")

        self._anchor = AnchorRow
        self._boot = BootRow
        self._aside = AsideRow
        database.bind(self.tables(), bind_refs=False, bind_backrefs=False)

    def tables(self) -> list[type[Model]]:
        """What the archive creates."""
        return [self._anchor, self._boot, self._aside]

    def take(self, kiosk: str, anchors: Iterable[Anchor], city_ms: int) -> None:
        """Keep the anchors that can be true at `city_ms`, and the others aside.

        Nothing was measured after it arrived. One that was kept aside only since the city's own
        clock was behind comes again with a later hello, and is believed then.
        """
        table = self._aside
        for anchor in anchors:
            reason = _unbelievable(anchor, city_ms)
            here = (table.kiosk == kiosk) & (table.boot == anchor.boot)
            if not reason:
                self.add_anchors(kiosk, [anchor])
                table.delete().where(here & (table.utc_ms == anchor.utc_ms)).execute()
            elif table.select().where(table.kiosk == kiosk).count() < ASIDE_MAX:
                query = table.insert(kiosk=kiosk, reason=reason, **anchor._asdict())
                query.on_conflict_ignore().execute()

    def report(self, kiosk: str) -> list[dict[str, Any]]:
        """The times of a kiosk that are not believed, for the operator."""
        rows = self._aside.select().where(self._aside.kiosk == kiosk).order_by(self._aside.boot)
        return [
            {"boot": row.boot, "utc_ms": row.utc_ms, "source": row.source, "reason": row.reason}
            for row in rows
        ]

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
        of the boot before, and all that it measured came before the next one began. The moment
        itself came before `seen_ms`, when the city knew of it; what the boot measured later may
        have come later, too. The middle is the estimate, half the width its error.
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
        high_ms = seen_ms
        next_ms = self._start_of_boot_after(kiosk, here)
        if next_ms is not None:
            high_ms = min(high_ms, next_ms - (here.last_ms - at_ms))
        if high_ms < low_ms:
            return None
        middle_ms = (low_ms + high_ms) // 2
        return Anchor(boot, at_ms, middle_ms, high_ms - middle_ms, ESTIMATED)

    def _nearest(self, kiosk: str, boot: str, at_ms: int) -> Anchor | None:
        table = self._anchor
        query = table.select().where((table.kiosk == kiosk) & (table.boot == boot))
        row = query.order_by(fn.ABS(table.boottime_ms - at_ms), table.boottime_ms).first()
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

    def _start_of_boot_after(self, kiosk: str, here: Any) -> int | None:
        table = self._boot
        after = table.select().where((table.lane == here.lane) & (table.first_seq > here.last_seq))
        for row in after.order_by(table.first_seq):
            anchor = self._nearest(kiosk, row.boot, 0)
            if anchor is not None:
                return anchor.utc_at(0) + anchor.error_at(0)
        return None


def _unbelievable(anchor: Anchor, city_ms: int) -> str:
    """Why an anchor cannot be true; empty where it can."""
    if anchor.utc_ms - anchor.error_ms > city_ms + CITY_ERROR_MS:
        ahead_s = (anchor.utc_ms - city_ms) // 1000
        return f"{anchor.source} says {_day(anchor.utc_ms)}, {ahead_s} s after it arrived"
    if anchor.utc_ms + anchor.error_ms < FLOOR_UTC_MS:
        return f"{anchor.source} says {_day(anchor.utc_ms)}, before this software was written"
    return ""


def _day(utc_ms: int) -> str:
    try:
        return time.strftime("%Y-%m-%d", time.gmtime(utc_ms / 1000))
    except (ValueError, OverflowError, OSError):
        return f"UTC {utc_ms} ms"
