"""A serial line of this machine for a test or a bench: both ends of a terminal."""

import os
import pty
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def terminal() -> Iterator[tuple[int, str]]:
    """The sensor's end, which does not block, and the name of ours."""
    sensor, line = pty.openpty()
    os.set_blocking(sensor, False)
    try:
        yield sensor, os.ttyname(line)
    finally:
        os.close(sensor)
        os.close(line)
