"""The city's receiver as a command: it claims its folder and its port, then serves."""

import errno
import json
from pathlib import Path

from edge.claim import alone, listen, writable_folder
from edge.errors import PortError, StateError
from sync.city.archive import Archive, ArchiveError
from sync.city.events import line
from sync.city.service import run
from sync.identity import IdentityError


async def city(state: Path, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT. Raises `EdgeError` when it cannot begin."""
    with alone(writable_folder(state)):
        listen(host, port).close()  # It says what is wrong in our words.
        try:
            await run(state, host, port)
        except (ArchiveError, IdentityError) as error:
            raise StateError(str(error)) from None
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            raise PortError(f"{host} port {port} was taken just now") from None


async def events(
    state: Path, kinds: list[str], kiosk: str, limit: int, *, as_json: bool
) -> list[str]:
    """The newest events of the city whose state is in `state`, one line each, the oldest first.

    Raises `EdgeError`.
    """
    try:
        archive = await Archive.open(writable_folder(state))
        try:
            found = await archive.events(kinds, kiosk, limit)
        finally:
            await archive.close()
    except ArchiveError as error:
        raise StateError(str(error)) from None
    write = (lambda one: json.dumps(one._asdict(), ensure_ascii=False)) if as_json else line
    return [write(one) for one in reversed(found)]
