"""A bad link and a crowd: the product's parts on the simulator's time and network."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from statistics import median, quantiles

from tests.bench.figures import Beside, Figure
from tests.bench.replay import ram_folder
from tests.sim.stories import SEGMENT_S, TAKE_S, Return, all_come_back, come_back
from tests.sim.town import SLOW, card_of

GOAL_LIVE_S = 5.0
GOAL_WINDOWS = 1.0
GOAL_RATIO = 1.3
ABSENCE_HOURS = 72.0
SEEDS = 20
SEEDS_WITHOUT_TIME = 8
KIOSKS = 200
HERD_HOURS = 2.0


async def measure() -> list[Figure]:
    """Both stories; nothing in them depends on how busy this machine is."""
    return await asyncio.to_thread(_measure)  # There they can have loops of their own.


def _measure() -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="bench-", dir=ram_folder()) as folder:
        return [*_link(Path(folder) / "link"), _herd(Path(folder) / "herd")]


def _link(folder: Path) -> list[Figure]:
    with card_of(folder, ABSENCE_HOURS) as card:
        found = [come_back(card, seed) for seed in range(SEEDS)]
        bare = [come_back(card, seed, has_time=False) for seed in range(SEEDS_WITHOUT_TIME)]
    missing = sum(each.missing for each in [*found, *bare])
    live_s = sorted(each.live_value_s for each in found)
    line = (
        f"{SLOW.bits_per_s / 1000:.0f} kbit/s, {SLOW.loss:.0%} loss, {SLOW.round_trip_s * 1000:.0f}"
        f" ms round trip, {ABSENCE_HOURS / 24:.0f} days of backlog, {SEEDS} seeds"
    )
    return [
        Figure(
            "link_first_live_value_s",
            live_s[-1],
            "s (the worst)",
            GOAL_LIVE_S,
            beside=(
                Beside("the median", median(live_s)),
                Beside("9 of 10", quantiles(live_s, n=10)[-1]),
                Beside("a kiosk that does not know the time, the worst", max(_live(bare))),
                Beside("the whole backlog", median(each.backlog_s for each in found)),
            ),
            note=f"{line}; from the first packet on, with TCP and TLS; {missing} entries missing",
        ),
        Figure(
            "link_complaint_windows",
            max(each.complaint_uploads for each in found),
            "uploads",
            GOAL_WINDOWS,
            beside=(
                Beside("one made amid the backlog", max(_late_uploads(found))),
                Beside("the same, s (median)", median(each.late_complaint_s for each in found)),
                Beside("all uploads of the backlog", median(each.uploads for each in found)),
            ),
            note="the most of all seeds; the one amid the backlog waits for the upload under way",
        ),
    ]


def _live(found: list[Return]) -> list[float]:
    return [each.live_value_s for each in found]


def _late_uploads(found: list[Return]) -> list[int]:
    return [each.late_complaint_uploads for each in found]


def _herd(folder: Path) -> Figure:
    with card_of(folder, HERD_HOURS) as card:
        herd = all_come_back(card, KIOSKS)
    return Figure(
        "herd_drain_ratio",
        herd.drained_s / herd.ideal_s,
        "x ideal",
        GOAL_RATIO,
        beside=(
            Beside("ideal, s", herd.ideal_s),
            Beside("until the last complaint was there, s", herd.complaints_s),
            Beside("calls answered with 503", herd.refused),
            Beside("entries missing", herd.missing),
        ),
        note=f"{KIOSKS} kiosks with {HERD_HOURS:g} h each, copies of one card; the city takes one "
        f"upload at a time, in {TAKE_S:g} s and {SEGMENT_S:g} s for each segment",
    )
