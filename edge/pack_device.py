"""Packs on a kiosk by command: shown and taken back, whether the kiosk runs or not."""

import asyncio
import io
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from aiohttp import ClientConnectorError, ClientError, ClientTimeout

from edge.claim import alone, writable_folder
from edge.errors import PackError, StateError
from edge.packs import rules
from edge.settings import Settings
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import MANIFEST, SIGNATURES, opened
from kiosk_ui.pack_store import PackStore
from sync import local


def activate(settings: Settings, folder: Path, pack: Path) -> str:
    """Show a pack on the kiosk in `folder`; a line about it. Raises `EdgeError`."""
    said = asyncio.run(_tell(folder, "PUT", "/pack", _body(pack)))
    if said is not None:
        return said
    with _store(settings, folder) as store:
        taken = store.take_in(pack, store.load()[0], by_hand=True)
        store.switch(taken.envelope.manifest.name)
    return f"version {taken.version} will be shown when the kiosk starts, on trial"


def roll_back(settings: Settings, folder: Path) -> str:
    """Go back to the pack before on the kiosk in `folder`; a line. Raises `EdgeError`."""
    said = asyncio.run(_tell(folder, "POST", "/pack/rollback", b""))
    if said is not None:
        return said
    with _store(settings, folder) as store:
        store.roll_back(store.load()[0].digest, "by hand")
        version = store.load()[0].version
    return f"version {version} will be shown when the kiosk starts"


@contextmanager
def _store(settings: Settings, folder: Path) -> Iterator[PackStore]:
    """The packs of a kiosk that does not run. Raises `EdgeError`."""
    with alone(writable_folder(folder)):
        try:
            yield PackStore(folder, rules(settings))
        except ContentError as error:
            raise PackError(str(error)) from None
        except OSError as error:
            raise StateError(f"state folder {folder}: {error.strerror}") from None


def _body(pack: Path) -> bytes:
    """A pack as one file. Raises `EdgeError`."""
    try:
        if pack.is_dir():
            return _zipped(pack)
        if pack.stat().st_size > local.PACK_BYTES_MAX:
            raise PackError(f"{pack}: over {local.PACK_BYTES_MAX} bytes")
        return pack.read_bytes()
    except OSError as error:
        raise PackError(f"{pack}: {error.strerror}") from None


async def _tell(folder: Path, method: str, path: str, body: bytes) -> str | None:
    """What the running kiosk answers, or None where none runs. Raises `EdgeError`."""
    timeout = ClientTimeout(total=local.PACK_TIMEOUT_S)
    try:
        async with (
            local.connect(folder) as session,
            session.request(method, path, data=body or None, timeout=timeout) as response,
        ):
            said = (await response.text()).strip()
            if response.status != 200:
                raise PackError(said)
            return said
    except (ClientConnectorError, FileNotFoundError):
        return None
    except (ClientError, TimeoutError) as error:
        raise PackError(f"the kiosk does not answer: {error or 'too slow'}") from None
    except OSError as error:
        raise StateError(f"state folder {folder}: {error.strerror}") from None


def _zipped(folder: Path) -> bytes:
    """A pack folder as the file that a running kiosk takes. Raises `EdgeError`."""
    target = io.BytesIO()
    try:
        with opened(folder) as envelope, zipfile.ZipFile(target, "w") as archive:
            archive.writestr(MANIFEST, envelope.manifest.raw)
            if envelope.signatures is not None:
                archive.writestr(SIGNATURES, envelope.signatures)
            named = {one.member: name for name, one in envelope.manifest.files.items()}
            for member, name in named.items():
                archive.writestr(member, envelope.file(name))
    except ContentError as error:
        raise PackError(str(error)) from None
    return target.getvalue()
