"""Packs on the card: two are kept, one is shown, and a power cut leaves the old or the new one.

    packs/7-1a2b3c4d/     a whole pack, unpacked: version and the first digits of its digest
    packs/current         a link to the one that is shown; without it the shipped pack is
    packs/state.json      which one was shown before, what is on trial, what is not to come back

A pack is written beside the others under a name that nobody reads, synced file by file, read
back and checked, and only then given its name; the switch is the replacement of one link.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import wraps
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, TypeVar

from kiosk_ui.content import Pack, load_pack, read_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import (
    MANIFEST,
    SIGNATURES,
    SIGNATURES_MAX,
    SIGNED_AS,
    Envelope,
    opened,
    read_json,
)
from sync.identity import PublicKey
from sync.signature import SignatureError

FOLDER = "packs"
CURRENT = "current"
STATE = "state.json"
STATE_BYTES_MAX = 64 * 1024
REFUSED_MAX = 20  # The latest packs that are not to come back by themselves.
TRIAL_STARTS_MAX = 3  # A pack that does not get through its trial in so many starts goes.
WHY_MAX = 200
PART = ".part"

P = ParamSpec("P")
T = TypeVar("T")

_NAME = re.compile(r"\d{1,10}-[0-9a-f]{8}")
_HEX = re.compile(r"[0-9a-f]{64}")


class RefusedError(ContentError):
    """This pack will not be shown; the message says why, and the old one stays."""


class Disk:
    """What the store does to the card, step by step; each step is on the card when it returns.

    A test puts another one in its place, whose power goes after the n-th step.
    """

    def make_folder(self, folder: Path) -> None:
        """A new, empty folder."""
        folder.mkdir(parents=True)

    def write(self, path: Path, body: bytes) -> None:
        """A new file. Its name is safe after `sync` of its folder."""
        with path.open("xb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())

    def sync(self, folder: Path) -> None:
        """What was made, renamed and removed in a folder stays so."""
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def link(self, path: Path, target: str) -> None:
        """A new symbolic link."""
        path.symlink_to(target)

    def rename(self, old: Path, new: Path) -> None:
        """Give a file, link or folder its name, in one step."""
        old.replace(new)

    def remove(self, path: Path) -> None:
        """Take away a file, link or folder; nothing happens where there is none."""
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)


def _alone(
    method: Callable[Concatenate[PackStore, P], T],
) -> Callable[Concatenate[PackStore, P], T]:
    """One change of the card at a time, whichever thread wants it."""

    @wraps(method)
    def locked(self: PackStore, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self._lock:
            return method(self, *args, **kwargs)

    return locked


@dataclass(frozen=True)
class Rules:
    """Which packs this kiosk takes."""

    id: str = "angsila"
    trusted_keys: tuple[str, ...] = ()  # Public keys in hex.
    signatures_wanted: int = 2
    app: str = "0.1.0"


@dataclass(frozen=True)
class State:
    """What must outlast a power cut besides the packs themselves."""

    kept: str = ""  # The pack that was shown before; empty for the shipped one.
    trial: str = ""  # The pack that has not yet shown that it works.
    starts: int = 0  # How often the service has started with it.
    refused: Mapping[str, str] = field(default_factory=dict)  # Digest -> why.
    handled: tuple[str, ...] = ()  # Digests of the city's files of which something has become.
    trying: str = ""  # The one that is being tried,
    tries: int = 0  # and how often that was begun.


class PackStore:
    """The packs in a kiosk's state folder."""

    def __init__(self, folder: Path, rules: Rules, disk: Disk | None = None) -> None:
        self.folder = folder / FOLDER
        self.rules = rules
        self._disk = disk or Disk()
        # A trial ends in one thread while what the city sent is settled in another.
        self._lock = threading.RLock()

    # --- what there is -------------------------------------------------------------------------

    def load(self) -> tuple[Pack, str]:
        """The pack to show now, and what was wrong with the one that should be; "" for nothing.

        A pack that is damaged on the card gives way to the one before, and that to the shipped.
        """
        state, wrong = self.state(), ""
        for name in dict.fromkeys((self.current, state.kept)):
            if not name:
                continue
            try:
                pack = load_pack(self.folder / name)
            except ContentError as error:
                wrong = wrong or f"{name}: {error}"
                continue
            shipped = load_pack()
            newer = pack.id == shipped.id and pack.version < shipped.version
            return (shipped if newer else pack), wrong
        return load_pack(), wrong

    def shipped(self) -> Pack:
        """The pack that came with the program. Raises `ContentError`."""
        return load_pack()

    @property
    def current(self) -> str:
        """The name of the pack that is shown; empty for the shipped one."""
        try:
            name = (self.folder / CURRENT).readlink().name
        except OSError:
            return ""
        return name if _NAME.fullmatch(name) else ""

    def state(self) -> State:
        """What was written down; a file that is damaged counts as none."""
        try:
            with (self.folder / STATE).open("rb") as file:
                said = read_json(STATE, file.read(STATE_BYTES_MAX))
            return _state(said)
        except (OSError, ContentError, KeyError, TypeError, AttributeError):
            return State()

    # --- activation ----------------------------------------------------------------------------

    def check(self, envelope: Envelope, shown: Pack) -> None:
        """See that this pack may follow the one that is shown. Raises `RefusedError`."""
        manifest = envelope.manifest
        if manifest.id != self.rules.id:
            raise RefusedError(f"this is a pack of {manifest.id!r}, and not of {self.rules.id!r}")
        must_be_signed(envelope, self.rules)
        if _numbers(manifest.minimum_app) > _numbers(self.rules.app):
            raise RefusedError(
                f"it needs angsila {manifest.minimum_app}, and this is {self.rules.app}"
            )
        if shown.digest == manifest.digest:
            raise RefusedError(f"version {manifest.version} is shown already")
        if manifest.version < shown.version:
            raise RefusedError(
                f"version {manifest.version} is older than {shown.version}, which is shown"
            )
        if manifest.version == shown.version:
            raise RefusedError(
                f"version {manifest.version} is shown already, with other content: "
                "each edition needs a version of its own"
            )

    @_alone
    def take_in(self, path: Path, shown: Pack, *, by_hand: bool) -> Pack:
        """Check a pack file or folder and write it down beside the others; nothing is switched.

        Blocks: call it off the event loop. Raises `ContentError`, `OSError`.
        """
        with opened(path) as envelope:
            digest, name = envelope.manifest.digest, envelope.manifest.name
            self.check(envelope, shown)
            why = self.state().refused.get(digest)
            if why is not None and not by_hand:
                raise RefusedError(f"version {envelope.manifest.version} was refused: {why}")
            read_pack(envelope)
            if not self._is_whole(name, digest):
                self._write(envelope, self.folder / name)
        return load_pack(self.folder / name)  # What lies on the card now, read back.

    @_alone
    def switch(self, name: str) -> None:
        """Show this pack from now on, on trial. Raises `OSError`."""
        before, state = self.current, self.state()
        # A pack that is on trial itself is nothing to go back to: the one before it is.
        kept = state.kept if before in (name, state.trial) else before
        refused = {key: why for key, why in state.refused.items() if key[:8] != name[-8:]}
        self._remember(replace(state, kept=kept, trial=name, starts=0, refused=refused))
        self._point_to(name)
        self._prune({name, kept})

    @_alone
    def confirm(self) -> None:
        """The pack on trial works. Raises `OSError`."""
        self._remember(replace(self.state(), trial="", starts=0))

    @_alone
    def count_start(self) -> int:
        """How often the service has started with the pack on trial, this time included."""
        state = self.state()
        if not state.trial or state.trial != self.current:
            return 0
        self._remember(replace(state, starts=state.starts + 1))
        return state.starts + 1

    @_alone
    def roll_back(self, digest: str, why: str) -> str:
        """Go back to the pack that was shown before; its name. Raises `RefusedError`, `OSError`.

        The pack that goes is not taken from the city again.
        """
        now, state = self.current, self.state()
        if not now:
            raise RefusedError("the shipped pack is shown, and there is none before it")
        if state.kept == now:
            raise RefusedError("there is no pack before this one on the card")
        refused = {key: text for key, text in state.refused.items() if key != digest}
        refused[digest] = why[:WHY_MAX]
        self._point_to(state.kept)
        # After this there is nothing to go back to: the one that was bad is no way out.
        kept = state.kept
        latest = dict(list(refused.items())[-REFUSED_MAX:])
        self._remember(replace(state, kept=kept, trial="", starts=0, refused=latest))
        return kept

    def handled(self, blob: str) -> bool:
        """Whether something has become of this file of the city."""
        return blob in self.state().handled

    @_alone
    def note_try(self, blob: str) -> int:
        """How often this file of the city was tried, this time included. Raises `OSError`.

        A power cut in the middle is no reason to give up, one each time is.
        """
        state = self.state()
        tries = state.tries + 1 if state.trying == blob else 1
        self._remember(replace(state, trying=blob, tries=tries))
        return tries

    @_alone
    def note_handled(self, blob: str) -> None:
        """This file was shown or refused. Raises `OSError`."""
        state = self.state()
        rest = tuple(other for other in state.handled if other != blob)
        handled = (*rest, blob)[-REFUSED_MAX:]
        self._remember(replace(state, handled=handled, trying="", tries=0))

    # --- the card ------------------------------------------------------------------------------

    def _is_whole(self, name: str, digest: str) -> bool:
        """Whether a pack lies here already, unharmed."""
        try:
            with opened(self.folder / name) as envelope:
                return envelope.manifest.digest == digest and envelope.signatures is not None
        except ContentError:
            return False

    def _write(self, envelope: Envelope, folder: Path) -> None:
        disk, part = self._disk, folder.with_name(folder.name + PART)
        for old in (part, folder):
            disk.remove(old)
        disk.make_folder(part / "files")
        manifest = envelope.manifest
        for member, name in {one.member: name for name, one in manifest.files.items()}.items():
            disk.write(part / member, envelope.file(name))
        disk.write(part / MANIFEST, manifest.raw)
        disk.write(part / SIGNATURES, envelope.signatures or b"{}")
        disk.sync(part / "files")
        disk.sync(part)
        disk.rename(part, folder)
        disk.sync(self.folder)

    def _point_to(self, name: str) -> None:
        disk, link = self._disk, self.folder / CURRENT
        if name:
            new = link.with_name(CURRENT + PART)
            disk.remove(new)
            disk.link(new, name)
            disk.rename(new, link)
        else:
            disk.remove(link)
        disk.sync(self.folder)

    def _remember(self, state: State) -> None:
        disk, path = self._disk, self.folder / STATE
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = path.with_name(STATE + PART)
        disk.remove(part)
        disk.write(part, json.dumps(asdict(state), ensure_ascii=False).encode())
        disk.rename(part, path)
        disk.sync(self.folder)

    def _prune(self, keep: Iterable[str]) -> None:
        """Take away all packs but these, and what a power cut has left."""
        for path in sorted(self.folder.iterdir()):
            if path.name not in {*keep, CURRENT, STATE}:
                self._disk.remove(path)


def must_be_signed(envelope: Envelope, rules: Rules) -> None:
    """See that enough different keys that we trust have signed. Raises `RefusedError`."""
    if not rules.trusted_keys:
        raise RefusedError("no key is trusted here: trusted_keys in [content] of the settings")
    if envelope.signatures is None:
        raise RefusedError(f"not signed; {rules.signatures_wanted} signatures are wanted")
    said = read_json(SIGNATURES, envelope.signatures)
    if not isinstance(said, dict) or len(said) > SIGNATURES_MAX:
        raise RefusedError(f"{SIGNATURES}: at most {SIGNATURES_MAX} signatures are wanted")
    good = {key for key in said if key in rules.trusted_keys}
    for key in good:
        _must_fit(key, said[key], SIGNED_AS + envelope.manifest.raw)
    if not good and said:
        raise RefusedError(f"signed by nobody whom this kiosk trusts: {min(said)[:16]!r}")
    if len(good) < rules.signatures_wanted:
        raise RefusedError(
            f"signed by {len(good)} of the {rules.signatures_wanted} people who must agree"
        )


def _must_fit(key: str, signature: object, signed: bytes) -> None:
    try:
        PublicKey(bytes.fromhex(key)).verify(bytes.fromhex(str(signature)), signed)
    except (SignatureError, ValueError):
        raise RefusedError(
            f"the signature of key {key[:16]} does not fit: it is another's, or the pack was "
            "changed after it was signed"
        ) from None


def _numbers(version: str) -> tuple[int, ...]:
    """A version to compare: "0.1" and "0.1.0" are one."""
    parts = [int(part) for part in re.findall(r"\d+", version)[:3]]
    return tuple(parts + [0] * (3 - len(parts)))


def _state(said: Any) -> State:
    names = [str(said[key]) for key in ("kept", "trial")]
    if any(name and not _NAME.fullmatch(name) for name in names):
        raise ContentError(f"{STATE}: no names of packs: {names}")
    refused = {str(key): str(why) for key, why in said["refused"].items() if _HEX.fullmatch(key)}
    handled = tuple(str(blob) for blob in said["handled"] if _HEX.fullmatch(str(blob)))
    trying, tries = str(said.get("trying", "")), int(said.get("tries", 0))
    return State(names[0], names[1], int(said["starts"]), refused, handled, trying, tries)
