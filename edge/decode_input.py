"""What a decoder may be given: names, numbers and bytes out of JSON, each checked."""

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

from drivers.errors import DriverError
from drivers.reading import Reading

LIST_MAX = 100_000  # Numbers in one list of the input.

Given = Mapping[str, Any]
Fields = dict[str, Any]
Decoded = tuple[Sequence[Reading], Fields]


class InputError(DriverError):
    """The input is not what a decoder takes: the caller must write it differently."""

    FAULT = "input"


def hexadecimal(given: Given, key: str) -> bytes:
    """The bytes under `key`. Raises `InputError`."""
    return bytes_of(key, given.get(key))


def bytes_of(name: str, value: Any) -> bytes:
    """Turn a text such as "42 4d 00" or "424d00" into bytes. Raises `InputError`."""
    if not isinstance(value, str):
        raise InputError(f"{name} is no hexadecimal text: {value!r}")
    try:
        return bytes.fromhex(value.removeprefix("0x"))
    except ValueError as error:
        raise InputError(f"{name} is no hexadecimal text: {value!r}") from error


def text(given: Given, key: str) -> str:
    """The text under `key`. Raises `InputError`."""
    value = given.get(key)
    if not isinstance(value, str):
        raise InputError(f"{key} is no text: {value!r}")
    return value


def whole(name: str, value: Any, highest: int) -> int:
    """A whole number from 0 to `highest`. Raises `InputError`."""
    if type(value) is not int or not 0 <= value <= highest:  # True is an int, too.
        raise InputError(f"{name} is no whole number from 0 to {highest}: {value!r}")
    return value


def number(name: str, value: Any) -> float:
    """A finite number. Raises `InputError`."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not abs(value) < 1e15:
        raise InputError(f"{name} is no number: {value!r}")
    return value


def positive(name: str, value: Any) -> float:
    """A finite number above 0. Raises `InputError`."""
    if number(name, value) <= 0:
        raise InputError(f"{name} is not above 0: {value!r}")
    return float(value)


def numbers(name: str, value: Any) -> list[float]:
    """A list of finite numbers. Raises `InputError`."""
    if not isinstance(value, list) or not 0 < len(value) <= LIST_MAX:
        raise InputError(f"{name} is no list of numbers: {value!r}")
    return [number(f"a number of {name}", one) for one in value]


def one_or_many(name: str, value: Any, highest: int) -> tuple[list[int], bool]:
    """Whole numbers from one or a list, and whether it was a list. Raises `InputError`."""
    if isinstance(value, list):
        return [whole(f"a number of {name}", one, highest) for one in value], True
    return [whole(name, value, highest)], False


def byte_address(name: str, text: Any) -> int:
    """A register or a chip id such as "0xD0" or "d0". Raises `InputError`."""
    if not isinstance(text, str) or not re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,2}", text):
        raise InputError(f"{name} is no byte such as 0x60: {text!r}")
    return int(text, 16)


def word_of(name: str, value: Any) -> int:
    """Sixteen bits, as a number or as hexadecimal text. Raises `InputError`."""
    if isinstance(value, str) and re.fullmatch(r"(0[xX])?[0-9a-fA-F]{1,4}", value):
        return int(value, 16)
    return whole(name, value, 0xFFFF)


def only_one(given: Given, *keys: str) -> str:
    """The one key of `keys` that is there. Raises `InputError` for none or several."""
    there = [key for key in keys if key in given]
    if len(there) != 1:
        found = " and ".join(there) or "none"
        raise InputError(f"wanted one of the keys {', '.join(keys)}; found {found}")
    return there[0]


def finite(value: float) -> float | None:
    """`value`, or None for what JSON cannot say."""
    return value if math.isfinite(value) else None
