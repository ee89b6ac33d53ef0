import asyncio

from drivers.aio import within
from drivers.errors import BusError, ChecksumError

PORTABLE = True


async def answer() -> int:
    """Work that is done at once."""
    return 7


async def refuse() -> None:
    """Work that fails."""
    raise ChecksumError("bad sum")


async def wait_for_ever(cancelled: "list[bool]") -> None:
    """Work without an end, which notes how it ended."""
    try:
        await asyncio.Event().wait()
    finally:
        cancelled.append(True)


async def test_an_answer_in_time_is_given() -> None:
    """The limit changes nothing for work that is done before it."""
    assert await within(5, "sensor", answer()) == 7


async def test_silence_is_a_timeout_that_names_the_thing() -> None:
    """Work that takes too long is cancelled, and its name stands in the error."""
    cancelled: list[bool] = []
    fault, message = "", ""
    try:
        await within(0.01, "sensor", wait_for_ever(cancelled))
    except BusError as error:
        fault, message = error.fault, str(error)
    assert (fault, cancelled) == ("timeout", [True])
    assert message == "sensor: nothing within 0.01 s"


async def test_a_fault_of_the_work_passes_through() -> None:
    """An error inside is not taken for a timeout."""
    fault = ""
    try:
        await within(5, "sensor", refuse())
    except ChecksumError as error:
        fault = error.fault
    assert fault == "checksum"
