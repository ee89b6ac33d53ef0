"""The city's receiver as a command: it claims its folder and its port, then serves."""

import errno
from pathlib import Path

from edge.claim import alone, listen, writable_folder
from edge.errors import PortError, StateError
from sync.city.archive import ArchiveError
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
