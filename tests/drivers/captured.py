"""The captured rows of tests/frames, for CPython and for MicroPython."""

import json

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

FRAMES = __file__.rsplit("/", 2)[0] + "/frames/"


def rows(frames: str, key: str = "") -> "list[dict[str, Any]]":
    """The rows of a file, or those whose input has `key`."""
    with open(FRAMES + frames + ".json") as file:
        found: list[dict[str, Any]] = json.load(file)
    return [row for row in found if not key or key in row["input"]]
