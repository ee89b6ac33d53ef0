"""Compares a kiosk's journal with the city's archive, entry by entry."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from sync import local, wire
from sync.city import archive
from sync.city.address import is_postgres, without_password
from sync.clock import Clock
from sync.entry import Lane, SyncError
from sync.journal import FILE, Journal
from sync.ranges import Ranges

WAIT_S = 60.0  # For what the kiosk has sealed just now to arrive.
POLL_S = 0.5
TIMEOUT_S = 30
LISTED_MAX = 500


class VerifyError(SyncError):
    """The two ends cannot be compared at all."""


@dataclass
class Report:
    """What the comparison found."""

    entries: int = 0
    missing: Ranges = field(default_factory=Ranges)
    doubled: Ranges = field(default_factory=Ranges)
    lost: Ranges = field(default_factory=Ranges)
    different: list[str] = field(default_factory=list)


class _Kiosk(Protocol):
    epoch: bytes

    async def sealed(self, lane: Lane) -> int: ...
    async def flush(self) -> None: ...
    async def segments(self, lane: Lane, after: int) -> list[bytes]: ...


class _City(Protocol):
    async def fleet(self) -> list[dict[str, Any]]: ...
    async def segments(self, kiosk: str, lane: Lane, epoch: bytes, after: int) -> list[bytes]: ...


def verify_command(state: Path, city: str, wait_s: float = WAIT_S) -> int:
    """`angsila verify`: print the comparison; 0 where nothing is missing and nothing doubled."""
    try:
        reports = asyncio.run(verify(state, city, wait_s))
    except (SyncError, aiohttp.ClientError, OSError) as error:
        print(f"angsila verify: {error}", file=sys.stderr)  # noqa: T201  A command prints.
        return 2
    for lane, report in reports.items():
        for what, ranges in (("missing", report.missing), ("doubled", report.doubled)):
            for first, last in ranges:
                print(f"{lane.name.lower()} {what}: {first} to {last}")  # noqa: T201
        for line in report.different:
            print(line)  # noqa: T201
    totals = [
        sum(getattr(report, name).count() for report in reports.values())
        for name in ("missing", "doubled", "lost")
    ]
    entries = sum(report.entries for report in reports.values())
    print(  # noqa: T201
        f"{entries} entries, {totals[0]} missing, {totals[1]} doubled, {totals[2]} declared lost"
    )
    return 0 if totals[0] == totals[1] == 0 else 1


async def verify(state: Path, city: str, wait_s: float = WAIT_S) -> dict[Lane, Report]:
    """Compare every entry that survives a power cut on the kiosk with what the city has.

    A running kiosk is asked to seal and send what it holds; then the city gets `wait_s` to have
    it all. Raises `VerifyError` and what the calls raise.
    """
    async with _open_kiosk(_find_journal(state)) as kiosk, _open_city(city) as far:
        await kiosk.flush()
        ends = {lane: await kiosk.sealed(lane) for lane in Lane}
        await _wait_for(kiosk, far, ends, wait_s)
        return {lane: await _compare(kiosk, far, lane, end) for lane, end in ends.items()}


async def _wait_for(kiosk: _Kiosk, city: _City, ends: dict[Lane, int], wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            while True:
                lanes = _lanes_of(await city.fleet(), kiosk.epoch)
                if all(_there(lanes, lane, end) for lane, end in ends.items()):
                    return
                await kiosk.flush()
                await asyncio.sleep(POLL_S)
    except TimeoutError:
        return  # What is not there by now is what the report says is missing.


def _there(lanes: list[dict[str, Any]], lane: Lane, end: int) -> bool:
    there = Ranges()
    for found in lanes:
        if found["lane"] == lane.name.lower():
            for first, last in [*found["got"], *found["lost"]]:
                there.add(first, last)
    return end == 0 or there.covers(1, end)


def _lanes_of(fleet: list[dict[str, Any]], epoch: bytes) -> list[dict[str, Any]]:
    return [
        {**lane, "kiosk": kiosk["kiosk"]}
        for kiosk in fleet
        for lane in kiosk["lanes"]
        if lane["epoch"] == epoch.hex()
    ]


async def _compare(kiosk: _Kiosk, city: _City, lane: Lane, end: int) -> Report:
    report = Report(entries=end)
    there = Ranges()
    stored: list[bytes] = []
    for found in _lanes_of(await city.fleet(), kiosk.epoch):
        if found["lane"] != lane.name.lower():
            continue
        for first, last in found["lost"]:
            report.lost.add(first, last)
        async for body in _all_stored(city, found["kiosk"], lane, kiosk.epoch):
            segment = wire.decode_segment(body)
            new = Ranges(there.holes(segment.first_seq, segment.last_seq))
            for first, last in new.holes(segment.first_seq, segment.last_seq):
                report.doubled.add(first, last)
            there.add(segment.first_seq, segment.last_seq)
            stored.append(body)
    for first, last in there.holes(1, end) if end else []:
        for undeclared in report.lost.holes(first, last):
            report.missing.add(*undeclared)
    await _compare_content(kiosk, lane, end, stored, report)
    return report


async def _compare_content(
    kiosk: _Kiosk, lane: Lane, end: int, stored: list[bytes], report: Report
) -> None:
    """What the kiosk still holds must be at the city to the last digit."""
    same = {wire.sha256(body) for body in stored}
    at_city: dict[int, Any] | None = None
    after = 0
    while after < end:
        bodies = await kiosk.segments(lane, after)
        if not bodies:
            return
        for body in bodies:
            segment = wire.decode_segment(body)
            after = segment.last_seq
            if wire.sha256(body) in same:
                continue
            if at_city is None:
                at_city = {
                    seq: entry
                    for each in stored
                    for seq, entry in wire.entries_by_seq(each).items()
                }
            for seq, entry in wire.entries_by_seq(body).items():
                if seq in at_city and at_city[seq] != entry:
                    report.missing.add(seq, seq)
                    report.different.append(
                        f"{lane.name.lower()} {seq}: {entry} is not {at_city[seq]}"
                    )


async def _all_stored(city: _City, kiosk: str, lane: Lane, epoch: bytes) -> AsyncIterator[bytes]:
    after, before = 0, -1
    while after > before:  # A damaged archive may not get on.
        before = after
        for body in await city.segments(kiosk, lane, epoch, after):
            after = max(after, wire.decode_segment(body).first_seq)
            yield body


# --- the two ends ------------------------------------------------------------------------------


def _find_journal(state: Path) -> Path:
    """The folder of the journal: `state` itself, or its `kiosk`, as `angsila demo` lays it."""
    for folder in (state, state / "kiosk"):
        if (folder / FILE).exists():
            return folder
    raise VerifyError(f"no {FILE} in {state} or {state / 'kiosk'}")


@asynccontextmanager
async def _open_kiosk(folder: Path) -> AsyncIterator[_Kiosk]:
    try:
        async with local.connect(folder) as session:
            kiosk = _RunningKiosk(session)
            await kiosk.open()
            yield kiosk
            return
    except aiohttp.ClientConnectorError:
        pass  # Nobody runs on it, so it can be opened.
    journal = await Journal.open(folder, Clock())
    try:
        yield _StoppedKiosk(journal)
    finally:
        await journal.close()


class _RunningKiosk:
    """A kiosk that is asked through its local socket."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self.epoch = b""

    async def open(self) -> None:
        self.epoch = bytes.fromhex((await self._lanes())["epoch"])

    async def _lanes(self) -> dict[str, Any]:
        async with self._session.get("/lanes") as response:
            response.raise_for_status()
            found: dict[str, Any] = await response.json()
            return found

    async def sealed(self, lane: Lane) -> int:
        return int((await self._lanes())["lanes"][lane.name.lower()])

    async def flush(self) -> None:
        async with self._session.post("/flush") as response:
            response.raise_for_status()

    async def segments(self, lane: Lane, after: int) -> list[bytes]:
        query = {"lane": lane.name.lower(), "after": str(after)}
        async with self._session.get("/segments", params=query) as response:
            response.raise_for_status()
            return list(wire.parse_upload(await response.read()).segments)


class _StoppedKiosk:
    """A kiosk that does not run: its journal is opened here."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.epoch = journal.epoch

    async def sealed(self, lane: Lane) -> int:
        return self._journal.position(lane).sealed

    async def flush(self) -> None:
        await self._journal.seal()

    async def segments(self, lane: Lane, after: int) -> list[bytes]:
        sealed = self._journal.position(lane).sealed
        found = await self._journal.segments(
            lane, after + 1, sealed, limit=LISTED_MAX, bytes_max=local.ANSWER_BYTES_MAX
        )
        return [segment.body for segment in found]


@asynccontextmanager
async def _open_city(city: str) -> AsyncIterator[_City]:
    if city.startswith(("http://", "https://")):
        timeout = aiohttp.ClientTimeout(total=TIMEOUT_S)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            yield _CityByHttp(session, city.rstrip("/"))
        return
    folder, address = Path(city), ""
    if is_postgres(city):
        folder, address = Path(), city
    elif folder.name == archive.FILE:
        folder = folder.parent
    if not address and not (folder / archive.FILE).exists():
        raise VerifyError(f"no city: {without_password(city)} is no URL and no archive")
    stored = await archive.Archive.open(folder, address)
    try:
        yield _CityByFile(stored)
    finally:
        await stored.close()


class _CityByHttp:
    """A city that runs."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def fleet(self) -> list[dict[str, Any]]:
        async with self._session.get(f"{self._url}/v1/fleet") as response:
            response.raise_for_status()
            kiosks: list[dict[str, Any]] = (await response.json())["kiosks"]
            return kiosks

    async def segments(self, kiosk: str, lane: Lane, epoch: bytes, after: int) -> list[bytes]:
        query = {
            "kiosk": kiosk,
            "lane": lane.name.lower(),
            "epoch": epoch.hex(),
            "after": str(after),
        }
        async with self._session.get(f"{self._url}/v1/segments", params=query) as response:
            response.raise_for_status()
            return list(wire.parse_upload(await response.read()).segments)


class _CityByFile:
    """A city's archive on this machine, running or not."""

    def __init__(self, stored: archive.Archive) -> None:
        self._stored = stored

    async def fleet(self) -> list[dict[str, Any]]:
        return await self._stored.fleet()

    async def segments(self, kiosk: str, lane: Lane, epoch: bytes, after: int) -> list[bytes]:
        return await self._stored.segments(kiosk, lane, epoch, after, LISTED_MAX)
