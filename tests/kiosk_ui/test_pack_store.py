import json
import random
import shutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from kiosk_ui.content import Pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import FILES, MANIFEST, SIGNATURES, SIGNED_AS
from kiosk_ui.pack_store import CURRENT, REFUSED_MAX, STATE, Disk, PackStore, RefusedError
from tests.kiosk_ui import packs


@pytest.fixture
def store(tmp_path: Path) -> PackStore:
    """A kiosk that shows the shipped pack."""
    return PackStore(tmp_path / "state", packs.RULES)


def activate(store: PackStore, path: Path, *, by_hand: bool = False, good: bool = True) -> Pack:
    """Take a pack in, switch to it and, where it is good, end its trial."""
    pack = store.take_in(path, store.load()[0], by_hand=by_hand)
    store.switch(pack.envelope.manifest.name)
    if good:
        store.confirm()
    return pack


def shown(store: PackStore) -> int:
    """The version that is shown."""
    pack, wrong = store.load()
    assert wrong == ""
    return pack.version


def test_without_any_other_the_shipped_pack_is_shown(store: PackStore) -> None:
    """A new kiosk has no pack on its card."""
    assert store.load() == (packs.shipped(), "")
    assert store.current == ""


def test_a_good_pack_is_shown_after_the_switch(store: PackStore, tmp_path: Path) -> None:
    """Taking it in shows nothing; the switch does, and it is on trial until it is confirmed."""
    pack = store.take_in(packs.write(tmp_path, packs.good()), packs.shipped(), by_hand=False)
    assert store.load()[0].version == packs.shipped().version

    name = pack.envelope.manifest.name
    store.switch(name)
    assert shown(store) == packs.VERSION
    assert store.state().trial == store.current == name
    store.confirm()
    assert store.state().trial == ""


def test_a_folder_is_as_good_as_a_file(store: PackStore, tmp_path: Path) -> None:
    """What was unpacked on a stick is taken in as well."""
    activate(store, packs.unfold(tmp_path / "stick", packs.good()))

    assert shown(store) == packs.VERSION


def flip(made: packs.Members) -> packs.Members:
    """One bit of the entries."""
    member = FILES + json.loads(made[MANIFEST])["files"]["entries.json"]["sha256"]
    return {**made, member: bytes([made[member][0] ^ 1]) + made[member][1:]}


def without_a_file(made: packs.Members) -> packs.Members:
    """The entries are not there."""
    member = FILES + json.loads(made[MANIFEST])["files"]["entries.json"]["sha256"]
    return {name: body for name, body in made.items() if name != member}


def rewritten(made: packs.Members) -> packs.Members:
    """Another manifest under the old signatures."""
    said = json.loads(made[MANIFEST])
    return {**made, MANIFEST: json.dumps({**said, "version": 200}).encode()}


def same_key_twice(made: packs.Members) -> packs.Members:
    """The clerk has signed for the mayor, too: with his own key, in other letters."""
    key, mark = packs.CLERK.public.raw.hex(), packs.CLERK.sign(SIGNED_AS + made[MANIFEST]).hex()
    return {**made, SIGNATURES: json.dumps({key: mark, key.upper(): mark}).encode()}


def for_another_purpose(made: packs.Members) -> packs.Members:
    """Signatures of the bare manifest."""
    marks = {
        key.public.raw.hex(): key.sign(made[MANIFEST]).hex() for key in (packs.CLERK, packs.MAYOR)
    }
    return {**made, SIGNATURES: json.dumps(marks).encode()}


REFUSED: list[tuple[str, Callable[[], packs.Members], str]] = [
    ("a flipped bit", lambda: flip(packs.good()), r"entries\.json: damaged: its hash"),
    ("a missing file", lambda: without_a_file(packs.good()), r"entries\.json: missing"),
    ("no signature", packs.members, "not signed; 2 signatures are wanted"),
    (
        "one signature",
        lambda: packs.signed(packs.members(), packs.CLERK),
        "signed by 1 of the 2 people who must agree",
    ),
    ("one key twice", lambda: same_key_twice(packs.members()), "signed by 1 of the 2 people"),
    (
        "a stranger's signature",
        lambda: packs.signed(packs.members(), packs.STRANGER),
        "signed by nobody whom this kiosk trusts",
    ),
    (
        "one of the two is a stranger",
        lambda: packs.signed(packs.members(), packs.CLERK, packs.STRANGER),
        "signed by 1 of the 2 people",
    ),
    ("changed after signing", lambda: rewritten(packs.good()), "changed after it was signed"),
    ("signed for something else", lambda: for_another_purpose(packs.members()), "does not fit"),
    (
        "signatures that are no list",
        lambda: {**packs.members(), SIGNATURES: b"[]"},
        r"signatures\.json: at most",
    ),
    ("signatures that are no JSON", lambda: {**packs.members(), SIGNATURES: b"{"}, "not JSON"),
    ("an older version", lambda: packs.good(90), "version 90 is older than 95, which is shown"),
    (
        "the same version, changed",
        lambda: packs.good(95, packs.content(aliases={})),
        "version 95 is shown already, with other content",
    ),
    ("the very same", lambda: packs.good(95), "version 95 is shown already"),
    (
        "another town",
        lambda: packs.good(id="bang-saen"),
        "this is a pack of 'bang-saen', and not of 'angsila'",
    ),
    (
        "a newer program",
        lambda: packs.good(minimum_app="0.1.1"),
        r"it needs angsila 0\.1\.1, and this is 0\.1\.0",
    ),
    (
        "wrong content under good signatures",
        lambda: packs.good(bodies=packs.content(entries={"oyster": {"kind": "shop"}})),
        r"entries\.json: oyster: kind: .*'shop'",
    ),
]


@pytest.mark.parametrize(
    ("make", "message"), [case[1:] for case in REFUSED], ids=[case[0] for case in REFUSED]
)
def test_a_bad_pack_is_refused_and_the_old_one_stays(
    store: PackStore, tmp_path: Path, make: Callable[[], packs.Members], message: str
) -> None:
    """Each has its own message, and the card is as it was."""
    activate(store, packs.write(tmp_path, packs.good(95)))
    before = sorted(path.name for path in store.folder.iterdir())

    with pytest.raises(ContentError, match=message):
        activate(store, packs.write(tmp_path, make()))

    assert shown(store) == 95
    assert sorted(path.name for path in store.folder.iterdir()) == before


def test_without_trusted_keys_nothing_is_taken(tmp_path: Path) -> None:
    """A kiosk that nobody has told whom to trust trusts nobody."""
    store = PackStore(tmp_path, replace(packs.RULES, trusted_keys=()))

    with pytest.raises(RefusedError, match="no key is trusted here"):
        activate(store, packs.write(tmp_path, packs.good()))


def test_the_way_back_leads_to_the_pack_before(store: PackStore, tmp_path: Path) -> None:
    """One step, and to the shipped pack at the end; the pack that went is remembered."""
    activate(store, packs.write(tmp_path, packs.good(101)))
    bad = activate(store, packs.write(tmp_path, packs.good(102)))

    store.roll_back(bad.digest, "by hand")
    assert shown(store) == 101
    assert store.state().refused == {bad.digest: "by hand"}
    with pytest.raises(RefusedError, match="no pack before this one"):
        store.roll_back("", "again")


def test_the_first_pack_gives_way_to_the_shipped_one(store: PackStore, tmp_path: Path) -> None:
    """Before the first pack there is the one that came with the program."""
    first = activate(store, packs.write(tmp_path, packs.good()))

    store.roll_back(first.digest, "broken")
    assert store.load() == (packs.shipped(), "")
    with pytest.raises(RefusedError, match="the shipped pack is shown"):
        store.roll_back("", "again")


def test_the_way_back_leads_past_a_pack_on_trial(store: PackStore, tmp_path: Path) -> None:
    """Of two packs that came one after the other, the first never showed that it works."""
    activate(store, packs.write(tmp_path, packs.good(101)))
    activate(store, packs.write(tmp_path, packs.good(102)), good=False)
    bad = activate(store, packs.write(tmp_path, packs.good(103)), good=False)

    store.roll_back(bad.digest, "the page was empty")
    assert shown(store) == 101


def test_a_pack_that_went_comes_back_by_hand_only(store: PackStore, tmp_path: Path) -> None:
    """The city's wish does not bring it back, somebody who stands there does."""
    path = packs.write(tmp_path, packs.good())
    bad = activate(store, path)
    store.roll_back(bad.digest, "the page was empty")

    with pytest.raises(RefusedError, match="version 100 was refused: the page was empty"):
        activate(store, path)
    activate(store, path, by_hand=True)
    assert shown(store) == packs.VERSION
    assert store.state().refused == {}


def test_two_packs_are_kept(store: PackStore, tmp_path: Path) -> None:
    """The one that is shown and the one before; nothing else stays on the card."""
    for version in (101, 102, 103, 104):
        activate(store, packs.write(tmp_path, packs.good(version)))

    kept = sorted(path.name for path in store.folder.iterdir() if path.name[0].isdigit())
    assert [name.partition("-")[0] for name in kept] == ["103", "104"]


def test_a_pack_that_is_damaged_on_the_card_gives_way(store: PackStore, tmp_path: Path) -> None:
    """A card that has lost a block costs one edition, and it is said."""
    activate(store, packs.write(tmp_path, packs.good(101)))
    activate(store, packs.write(tmp_path, packs.good(102)))
    victim = next((store.folder / store.current / "files").iterdir())
    victim.write_bytes(victim.read_bytes()[:-1])

    pack, wrong = store.load()
    assert pack.version == 101
    assert "damaged" in wrong
    shutil.rmtree(store.folder / store.state().kept)
    assert store.load()[0] == packs.shipped()


def test_a_newer_program_shows_its_own_newer_pack(store: PackStore, tmp_path: Path) -> None:
    """A pack on the card that is older than the shipped one is not brought back by an update."""
    activate(store, packs.write(tmp_path, packs.good()))
    old = packs.good(packs.shipped().version - 1)
    name = store.current
    shutil.rmtree(store.folder / name)
    packs.unfold(store.folder / name, old)
    assert store.load() == (packs.shipped(), "")


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"kept": 1}', '{"kept": "../..", "trial": "", "starts": 0}']
)
def test_a_damaged_note_costs_the_note_only(store: PackStore, tmp_path: Path, text: str) -> None:
    """The pack that is shown stays, whatever has become of the file beside it."""
    activate(store, packs.write(tmp_path, packs.good()))
    (store.folder / STATE).write_text(text)

    assert shown(store) == packs.VERSION
    assert store.state().kept == ""


def test_starts_on_trial_are_counted(store: PackStore, tmp_path: Path) -> None:
    """Only while the pack is on trial."""
    assert store.count_start() == 0
    activate(store, packs.write(tmp_path, packs.good()), good=False)
    assert [store.count_start() for _ in range(3)] == [1, 2, 3]
    store.confirm()
    assert store.count_start() == 0


def test_what_the_city_sent_is_remembered(store: PackStore) -> None:
    """A file that was tried is not fetched again; the list does not grow for ever."""
    blobs = [f"{number:064x}" for number in range(REFUSED_MAX + 1)]
    for blob in blobs:
        store.note_handled(blob)

    assert store.handled(blobs[-1])
    assert not store.handled(blobs[0])
    assert len(store.state().handled) == REFUSED_MAX


def test_tries_are_counted_until_something_has_become_of_them(store: PackStore) -> None:
    """A power cut in the middle of a try leaves the count, another file begins a new one."""
    first, second = "1" * 64, "2" * 64

    assert [store.note_try(first) for _ in range(3)] == [1, 2, 3]
    assert store.note_try(second) == 1
    store.note_handled(second)
    assert store.handled(second)
    assert not store.handled(first)
    assert store.note_try(second) == 1


def test_threads_do_not_write_over_each_other(store: PackStore) -> None:
    """A trial may end while something else is noted: nothing is lost, nothing fails."""
    blobs = [f"{number:064x}" for number in range(REFUSED_MAX)]
    with ThreadPoolExecutor(8) as pool:
        for done in [pool.submit(store.note_handled, blob) for blob in blobs]:
            done.result()

    assert set(store.state().handled) == set(blobs)


# --- power cuts ------------------------------------------------------------------------------


class PowerCutError(Exception):
    """The power has gone."""


class Quick(Disk):
    """A card that need not be waited for: nothing really goes off here."""

    def write(self, path: Path, body: bytes) -> None:
        """A new file."""
        with path.open("xb") as file:
            file.write(body)

    def sync(self, folder: Path) -> None:
        """Nothing to wait for."""


class Cut(Quick):
    """A card whose power goes after the n-th step.

    What was not synced by then may be there or not: `lossy` takes away new names, and the bytes
    of files whose write was under way.
    """

    def __init__(self, steps: int, *, lossy: bool) -> None:
        self.left = steps
        self.lossy = lossy
        self._undo: dict[Path, list[Callable[[], object]]] = {}

    def _step(self) -> None:
        if self.left == 0:
            if self.lossy:
                for undo in [one for steps in self._undo.values() for one in reversed(steps)]:
                    undo()
            raise PowerCutError("off")
        self.left -= 1

    def _later(self, folder: Path, undo: Callable[[], object]) -> None:
        self._undo.setdefault(folder, []).append(undo)

    def make_folder(self, folder: Path) -> None:
        """A new folder, whose name may be lost."""
        self._step()
        super().make_folder(folder)

    def write(self, path: Path, body: bytes) -> None:
        """A new file, of which half is there when the power goes meanwhile."""
        if self.left == 0:
            path.write_bytes(body[: len(body) // 2])
        self._step()
        super().write(path, body)
        self._later(path.parent, lambda: path.unlink(missing_ok=True))

    def sync(self, folder: Path) -> None:
        """From here on what was done in the folder stays."""
        self._step()
        super().sync(folder)
        self._undo.pop(folder, None)

    def link(self, path: Path, target: str) -> None:
        """A link, which may be lost."""
        self._step()
        super().link(path, target)
        self._later(path.parent, lambda: path.unlink(missing_ok=True))

    def rename(self, old: Path, new: Path) -> None:
        """A rename, which may not have happened."""
        self._step()
        before = None
        if new.is_symlink():
            before = str(new.readlink())
        elif new.is_file():
            before = new.read_text()
        super().rename(old, new)

        def undo() -> None:
            if new.is_dir() and not new.is_symlink():
                new.rename(old)
                return
            link = new.is_symlink()
            new.unlink(missing_ok=True)
            if before is not None and link:
                new.symlink_to(before)
            elif before is not None:
                new.write_text(before)

        self._later(new.parent, undo)

    def remove(self, path: Path) -> None:
        """A removal, of which half is done when the power goes meanwhile."""
        if self.left == 0 and path.is_dir() and not path.is_symlink():
            (path / MANIFEST).unlink(missing_ok=True)
        self._step()
        super().remove(path)


def small(version: int) -> packs.Members:
    """A good pack with few files, so that there are few steps."""
    bodies = {name: body for name, body in packs.content().items() if name.endswith(".json")}
    bodies["entries.json"] = json.dumps(json.loads(bodies["entries.json"])[:2]).encode()
    return packs.good(version, bodies)


@pytest.mark.parametrize("lossy", [False, True])
@pytest.mark.parametrize("what", ["activate", "confirm", "roll back"])
def test_a_power_cut_leaves_the_old_pack_or_the_new_one(
    tmp_path: Path, what: str, *, lossy: bool
) -> None:
    """After a cut at any step one whole pack is shown, and the next activation works."""
    first, second, third = (
        packs.write(tmp_path, small(version), f"{version}.zip") for version in (101, 102, 103)
    )
    origin = PackStore(tmp_path / "origin", packs.RULES, Quick())
    activate(origin, first)
    if what != "activate":
        bad = activate(origin, second)
    steps = 0
    while True:
        folder = tmp_path / "state"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(tmp_path / "origin", folder, symlinks=True)
        disk = Cut(steps, lossy=lossy)
        store = PackStore(folder, packs.RULES, disk)
        try:
            if what == "activate":
                activate(store, second)
            elif what == "confirm":
                store.confirm()
            else:
                store.roll_back(bad.digest, "broken")
        except PowerCutError:
            pass
        after = PackStore(folder, packs.RULES, Quick())
        assert shown(after) in (101, 102), steps
        if what == "confirm":
            assert shown(after) == 102
        activate(after, third)
        assert shown(after) == 103
        assert after.state().kept.partition("-")[0] in ("101", "102")
        after.roll_back(after.load()[0].digest, "enough")
        assert shown(after) in (101, 102), steps
        if disk.left > 0:
            break
        steps += 1
    assert steps >= {"activate": 15, "confirm": 3, "roll back": 6}[what]


def test_a_full_card_leaves_the_old_pack(store: PackStore, tmp_path: Path) -> None:
    """A write that fails is an error with its reason, and what is shown stays."""
    activate(store, packs.write(tmp_path, packs.good(101)))

    class Full(Disk):
        def write(self, path: Path, body: bytes) -> None:
            """Not any more."""
            raise OSError(28, f"No space left on device for {len(body)} bytes", str(path))

    full = PackStore(store.folder.parent, packs.RULES, Full())
    with pytest.raises(OSError, match="No space left"):
        activate(full, packs.write(tmp_path, packs.good(102)))
    assert shown(store) == 101


@pytest.mark.parametrize("seed", range(20))
def test_a_link_that_points_elsewhere_is_none(store: PackStore, tmp_path: Path, seed: int) -> None:
    """Whatever the link holds, there is a pack to show."""
    rng = random.Random(seed)  # noqa: S311 # chance from a seed
    activate(store, packs.write(tmp_path, packs.good()))
    link = store.folder / CURRENT
    link.unlink()
    target = rng.choice(["/etc", "..", ".", "100-00000000", store.state().kept or "x", "100"])
    link.symlink_to(target)

    assert store.load()[0].version in (packs.shipped().version, packs.VERSION)
