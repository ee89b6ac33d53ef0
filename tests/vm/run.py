"""`make vm`: the drivers on a real kernel's I²C and Bluetooth, in a virtual machine.

SILENCE_S=90 is how long a radio may hear nothing before it is healed, as shipped. FAULT= plants
something that must be found: "register" (a chip that shows ours another byte than the kernel's
driver), "key" (a kiosk with a wrong key), "deaf" (a controller that no reset heals).
Exit status: 0 all is well, 1 a check is not ok or was never made, 2 no machine can run here.
"""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from pathlib import Path

from tests.vm.checks import END, Check, from_line, missing, table
from tests.vm.machine import (
    BUILD,
    MachineError,
    command_line,
    environment,
    kernel,
    lines_of,
    make_first_files,
    prepare,
    running,
)

RUN_MAX_S = 900.0
EXIT_NOT_OK = 1
EXIT_NO_MACHINE = 2
EXIT_STOPPED = 130
FAULTS = ("", "register", "key", "deaf")
LAST = "traces of the crowd"  # The check that is made at the end.


def say(line: str = "") -> None:
    """Print a line at once: a run takes minutes."""
    print(line, flush=True)  # noqa: T201  A command prints.


def run(folder: Path, silence_s: str, fault: str) -> list[Check]:
    """Boot the machine and hear its checks. Raises `MachineError` if it does not boot."""
    image, version = kernel()
    command = command_line(image, make_first_files(folder, version), environment(silence_s, fault))
    checks: list[Check] = []
    is_complete = False
    with (BUILD / "vm.log").open("w", buffering=1) as log, running(command) as process:
        try:
            for line in lines_of(process, RUN_MAX_S):
                log.write(f"{line}\n")
                is_complete = is_complete or line.endswith(END)
                if (check := from_line(line)) is not None:
                    checks.append(check)
                    if sys.stderr.isatty():
                        print(f"... {check.name}", file=sys.stderr)  # noqa: T201  The same.
        except MachineError as error:
            say(f"The machine was put out: {error}")
    if not checks and not is_complete:
        raise MachineError(f"it said nothing; see {BUILD / 'vm.log'}")
    return checks + missing(checks, () if is_complete else (LAST, "the end of the checks"))


def main() -> int:
    """Run once; the exit status says whether all is well."""
    silence_s = os.environ.get("SILENCE_S") or "90"
    fault = os.environ.get("FAULT") or ""
    if fault not in FAULTS or not silence_s.isdecimal():
        say(f"not a FAULT or SILENCE_S: {fault!r}, {silence_s!r}; faults: {', '.join(FAULTS[1:])}")
        return EXIT_NO_MACHINE
    # As Ctrl-C: the machine is put out and its folder removed.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    start_s = time.monotonic()
    try:
        prepare()
        with tempfile.TemporaryDirectory(prefix="vm-") as name:
            checks = run(Path(name), silence_s, fault)
    except MachineError as error:
        say(f"No virtual machine can run here: {error}")
        return EXIT_NO_MACHINE
    except KeyboardInterrupt:
        say("stopped before the end")
        return EXIT_STOPPED
    say(table(checks))
    bad = [check.name for check in checks if not check.is_ok]
    verdict = f"not ok: {', '.join(bad)}" if bad else "all ok"
    say(f"{len(checks)} checks in {time.monotonic() - start_s:.0f} s: {verdict}")
    return EXIT_NOT_OK if bad else 0


if __name__ == "__main__":
    sys.exit(main())
