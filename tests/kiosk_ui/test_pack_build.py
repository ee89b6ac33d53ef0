import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from kiosk_ui.content import DEFAULT_PACK, load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_build import build, canonical, pack_of, write_folder, write_pack, zipped
from kiosk_ui.pack_file import FILES, MANIFEST, opened
from kiosk_ui.workbook_read import DEFAULT_WORKBOOK
from tests.kiosk_ui import workbooks

ROOT = Path(__file__).resolve().parents[2]


def test_the_shipped_pack_is_fresh() -> None:
    """It is, byte by byte, what the shipped workbook gives: `angsila pack build --folder`."""
    members = build(DEFAULT_WORKBOOK).members
    shipped = {
        path.relative_to(DEFAULT_PACK).as_posix(): path.read_bytes()
        for path in DEFAULT_PACK.rglob("*")
        if path.is_file()
    }

    assert shipped == members


def test_building_twice_gives_the_same_bytes(tmp_path: Path) -> None:
    """Also in another process, whose hashes and clock are others."""
    again = tmp_path / "again.pack"
    code = (
        "import sys; from pathlib import Path; from kiosk_ui.pack_build import build, write_pack;"
        "write_pack(Path(sys.argv[2]), build(Path(sys.argv[1])).members)"
    )
    subprocess.run(
        [sys.executable, "-c", code, DEFAULT_WORKBOOK, again], check=True, timeout=60, cwd=ROOT
    )

    assert again.read_bytes() == zipped(build(DEFAULT_WORKBOOK).members)


def test_a_pack_is_what_a_kiosk_reads(tmp_path: Path) -> None:
    """Manifest, hashes and logical names are those of the format; members are stored, in order."""
    path = tmp_path / "a.pack"
    write_pack(path, build(DEFAULT_WORKBOOK).members)
    with opened(path) as envelope:
        names = envelope.names()
        manifest = envelope.manifest
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()

    assert {"pack.json", "entries.json", "sources.json", "levels.json"} < set(names)
    assert {"aliases.json", "stalls.json", "notices.json", "qr/old-market.svg"} < set(names)
    assert manifest.raw == canonical(json.loads(manifest.raw))
    assert (manifest.id, manifest.minimum_app) == ("angsila", "0.1.0")
    assert [one.filename for one in entries] == sorted(one.filename for one in entries)
    assert {one.compress_type for one in entries} == {zipfile.ZIP_STORED}
    assert {one.date_time for one in entries} == {(1980, 1, 1, 0, 0, 0)}


def test_a_pack_that_a_kiosk_would_refuse_is_not_given_out(tmp_path: Path) -> None:
    """A stall stands at an entry that does not ship: only the kiosk's own reader sees that."""
    path = workbooks.edited(tmp_path, "goods", "oyster", status="draft")
    row = {"status": "approved", "name_th": "ป้าแดง", "name_en": "Daeng"}
    workbooks.edit(path, "stalls", "12", **row, pin="274861", entry="oyster")
    built = build(path)

    assert built.members == {}
    assert "the pack cannot be shown: stalls.json: 12: entry" in str(
        next(one for one in built.checked.report.problems if one.code == "whole")
    )


def test_a_folder_loses_the_files_of_the_pack_before(tmp_path: Path) -> None:
    """A file that belongs to no pack would make the folder be refused."""
    members = build(DEFAULT_WORKBOOK).members
    write_folder(tmp_path, {**members, FILES + "0" * 64: b"old"})
    write_folder(tmp_path, members)

    assert load_pack(tmp_path).entries == pack_of(members).entries
    assert not (tmp_path / FILES / ("0" * 64)).exists()


def test_a_pack_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    """Nothing is left where it cannot be written."""
    members = {MANIFEST: b"{}"}

    with pytest.raises(ContentError, match=r"none/a\.pack cannot be written: No such file"):
        write_pack(tmp_path / "none" / "a.pack", members)

    assert list(tmp_path.iterdir()) == []
