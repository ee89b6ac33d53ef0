"""Run the tests of one portable file under MicroPython; one line per test on stdout.

Usage: micropython tests/mtest.py tests/drivers/test_reading.py
"""

import asyncio
import gc
import sys


def run(path: str) -> None:
    """Run every test function of the file and print `PASS name` or `FAIL name`."""
    folder, _, name = path.rpartition("/")
    # It starts with the folder of this script, whose `drivers` would hide the real one.
    sys.path.pop(0)
    sys.path.append(folder)
    module = __import__(name[: -len(".py")])
    for name in dir(module):
        if not name.startswith("test_"):
            continue
        gc.collect()
        try:
            outcome = getattr(module, name)()
            if outcome is not None:  # A coroutine: the test is `async def`.
                asyncio.run(outcome)
        except Exception as error:  # noqa: BLE001 # whatever it is, this test failed
            print("FAIL " + name)  # noqa: T201 # the report
            sys.print_exception(error, sys.stdout)  # type: ignore[attr-defined] # MicroPython's
        else:
            print("PASS " + name)  # noqa: T201 # the report
        # A second `asyncio.run` would resume what the first one left behind.
        asyncio.new_event_loop()


if __name__ == "__main__":
    run(sys.argv[1])
