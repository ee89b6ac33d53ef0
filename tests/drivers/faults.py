"""The fault that a call of a driver ends in; on MicroPython as well, which has no pytest."""

from drivers.errors import DriverError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from typing import Any


def fault_of(call: "Callable[..., Any]", *given: "Any") -> str:
    """The fault that a call ends in, or an empty string."""
    try:
        call(*given)
    except DriverError as error:
        return error.fault
    return ""


async def fault_awaited(work: "Awaitable[Any]") -> str:
    """The fault that an awaited call ends in, or an empty string."""
    try:
        await work
    except DriverError as error:
        return error.fault
    return ""
