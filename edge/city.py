"""The city's receiver as a command, and what its operator tells it."""

import errno
import json
from pathlib import Path

from edge.claim import alone, listen, writable_folder
from edge.errors import PackError, PortError, SettingsError, StateError
from kiosk_ui.errors import ContentError
from kiosk_ui.pack_file import SIGNATURES, opened, read_json
from sync.city import blobs
from sync.city.archive import Archive, ArchiveError
from sync.city.events import line, with_words
from sync.city.registry import KIOSK
from sync.city.service import run
from sync.identity import CITY_KEY, IdentityError, read_key


def offer_content(state: Path, pack: Path, kiosk: str | None) -> str:
    """Want a pack shown by one kiosk, or by all; a line about it. Raises `EdgeError`.

    Whose signatures count is for each kiosk to say, so they are only counted here.
    """
    if kiosk is not None and not KIOSK.fullmatch(kiosk):
        raise SettingsError(f"--kiosk {kiosk[:80]!r} is no id of a kiosk")
    try:
        with opened(pack) as envelope:
            manifest, signatures = envelope.manifest, envelope.signatures
        marks = 0 if signatures is None else len(read_json(SIGNATURES, signatures))
        if pack.is_dir():
            raise PackError(f"{pack} is a folder: a pack file is sent to kiosks")
        if not marks:
            raise PackError(f"{pack} is not signed: no kiosk would show it")
        digest = blobs.add(state, pack)
        blobs.want(state, digest, *([] if kiosk is None else [kiosk]))
    except ContentError as error:
        raise PackError(str(error)) from None
    except OSError as error:
        raise StateError(f"{error.filename}: {error.strerror}") from None
    who = kiosk or "every kiosk"
    return f"{who} is to show {manifest.id} {manifest.version} with {marks} signatures: {digest}"


async def city(state: Path, host: str, port: int, database: str = "") -> None:
    """Serve until SIGTERM or SIGINT. Raises `EdgeError` when it cannot begin."""
    with alone(writable_folder(state)):
        listen(host, port).close()  # It says what is wrong in our words.
        try:
            await run(state, host, port, database)
        except (ArchiveError, IdentityError) as error:
            raise StateError(str(error)) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortError(f"{host} port {port} was taken just now") from None


async def events(
    state: Path, kinds: list[str], kiosk: str, limit: int, *, as_json: bool, database: str = ""
) -> list[str]:
    """The newest events of the city whose state is in `state`, one line each, the oldest first.

    What people wrote can be read where the city's key is. Raises `EdgeError`.
    """
    try:
        key = read_key(state / CITY_KEY)
        archive = await Archive.open(state if database else writable_folder(state), database)
        try:
            found = await archive.events(kinds, kiosk, limit)
        finally:
            await archive.close()
    except (ArchiveError, IdentityError) as error:
        raise StateError(str(error)) from None
    if key is not None:
        opener = key.opener()
        found = [with_words(one, opener) for one in found]
    write = (lambda one: json.dumps(one._asdict(), ensure_ascii=False)) if as_json else line
    return [write(one) for one in reversed(found)]
