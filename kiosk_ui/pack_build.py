"""Build a content pack from a workbook: the same bytes each time."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

from kiosk_ui.content import load_pack
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import FILES, MANIFEST, SCHEMA
from kiosk_ui.pack_glyphs import Sources, carried_fonts, check_glyphs
from kiosk_ui.pack_qr import content_of, qr_svg
from kiosk_ui.pack_weight import refuse_heavy, report_bundles
from kiosk_ui.place import KioskPlace
from kiosk_ui.shown import render
from kiosk_ui.stalls import read_stalls
from kiosk_ui.workbook_check import Checked, check
from kiosk_ui.workbook_problems import problem
from kiosk_ui.workbook_read import read_workbook

if TYPE_CHECKING:
    from collections.abc import Mapping

    from kiosk_ui.content import Pack

NO_SOURCES = Sources()
STAMP = (1980, 1, 1, 0, 0, 0)  # The first day that a zip file knows: the same bytes each time.
UNIX = 3  # Who made the zip, wherever it is built.
PLAIN_FILE = 0o100644 << 16


class Built(NamedTuple):
    """A pack's members by name, and what the workbook was found to be like."""

    members: dict[str, bytes]  # Empty where there is an error.
    checked: Checked


def build(path: Path, fonts: Sources = NO_SOURCES) -> Built:
    """Check a workbook, and make its pack if it is good. Raises `ContentError`."""
    checked = check(read_workbook(path))
    report = checked.report
    carried = carried_fonts(checked, fonts)
    check_glyphs(checked, carried)
    if report.errors:
        return Built({}, checked)
    members = members_of(checked, {**logical_files(checked), **carried})
    _check_whole(members, checked)
    return Built({} if report.errors else members, checked)


def logical_files(checked: Checked) -> dict[str, bytes]:
    """All files of a pack by their logical names."""
    files = {name: canonical(value) for name, value in checked.tables.items()}
    for entry in checked.entries.rows:
        content = content_of(entry, checked.entries.links.get(entry["id"]))
        if content is not None:
            files[f"qr/{entry['id']}.svg"] = qr_svg(content)
    return files | checked.files


def canonical(value: Any) -> bytes:
    """JSON in the one form that is hashed and signed."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return text.encode()


def members_of(checked: Checked, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """The members of the unsigned pack: a manifest, and each file under its hash."""
    city, report = checked.city, checked.report
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in files.items()}
    manifest = {
        "schema": SCHEMA,
        "id": city.id,
        "version": city.version,
        "minimum_app": city.minimum_app,
        "languages": list(report.languages),
        # From the workbook: building it again tomorrow gives the same pack.
        "made_on": str(report.made_on),
        "files": {
            name: {"sha256": digests[name], "bytes": len(content)}
            for name, content in files.items()
        },
    }
    members = {FILES + digests[name]: content for name, content in files.items()}
    members[MANIFEST] = canonical(manifest)
    heavy_bytes = sum(len(content) for content in members.values())
    refuse_heavy(files, heavy_bytes)
    return members


def pack_of(members: Mapping[str, bytes]) -> Pack:
    """What a kiosk reads from these members. Raises `ContentError`."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "members.pack"
        path.write_bytes(zipped(members))
        return load_pack(path)


def _check_whole(members: dict[str, bytes], checked: Checked) -> None:
    """Read and render the pack as a kiosk will: nothing is given out that it would refuse."""
    try:
        pack = pack_of(members)
        read_stalls(pack)
        rendered = render(pack, KioskPlace(languages=pack.languages))
    except ContentError as error:
        checked.report.add(problem("whole", "city", reason=error))
    else:
        report_bundles(checked, rendered.files)


def zipped(members: Mapping[str, bytes]) -> bytes:
    """One zip file, byte by byte the same for the same members."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            entry = zipfile.ZipInfo(name, STAMP)
            entry.create_system = UNIX
            entry.external_attr = PLAIN_FILE
            archive.writestr(entry, members[name])
    return target.getvalue()


def write_pack(path: Path, members: Mapping[str, bytes]) -> None:
    """Write a pack as one file; a power cut leaves the old one or the new one."""
    trial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with trial.open("wb") as file:
            file.write(zipped(members))
            file.flush()
            os.fsync(file.fileno())
        trial.replace(path)
    except OSError as error:
        trial.unlink(missing_ok=True)
        raise ContentError(f"{path} cannot be written: {error.strerror}") from None


def write_folder(folder: Path, members: Mapping[str, bytes]) -> None:
    """Write a pack as a folder, and take away the files that belong to it no more."""
    try:
        (folder / FILES).mkdir(parents=True, exist_ok=True)
        for name, content in members.items():
            (folder / name).write_bytes(content)
        for old in (folder / FILES).iterdir():
            if FILES + old.name not in members:
                old.unlink()
    except OSError as error:
        raise ContentError(f"{folder} cannot be written: {error.strerror}") from None
