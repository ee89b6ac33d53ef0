import os
import signal
from pathlib import Path

import pytest

from drivers.bme280 import BME280, REG_DATA
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from drivers.linux.adverts import Advert
from drivers.linux.ble_sensor import decoder
from tests.vm.checks import Check, as_line, at_most, compared, from_line, missing, table
from tests.vm.chips import POINTS, TRIMS, Values, as_iio, burst, from_iio, picture
from tests.vm.guest_air import ADDRESS, CROWD, KEY, part, sealed, stranger
from tests.vm.machine import MachineError, command_line, environment, lines_of, running
from tests.vm.run import EXIT_NO_MACHINE, main

LEGACY_BYTES_MAX = 31  # Bluetooth Core 5.4, volume 6, part B, section 2.3.1.
# What Linux 6.1 said of these registers on i2c-stub.
KERNEL_SAID = {
    ("a chip that was sold", "fog"): "22930 m°C 100.043214843 kPa 100000 m%",
    ("the data sheet's", "a cool day"): "25080 m°C 100.653253906 kPa 34488 m%",
    ("the data sheet's", "frost"): "-3170 m°C 105.436453125 kPa 13460 m%",
}


def test_a_check_comes_through_the_console() -> None:
    """What the machine tells is what the host reads, behind a message of the kernel as well."""
    check = Check("chips", "25.08 °C", "25.08 °C", is_ok=True)

    assert from_line(as_line(check)) == check
    assert from_line("[    8.228051] alg: " + as_line(check)) == check


@pytest.mark.parametrize("line", ["", "@end", "@ ", "@ 7", '@ ["a", "b"]', "mail@ home", "@ {"])
def test_what_is_no_check_is_none(line: str) -> None:
    """Anything else on the console is passed over."""
    assert from_line(line) is None


def test_only_true_is_ok() -> None:
    """A check is ok by that very word and by nothing that is like it."""
    found = from_line('@ ["a", "b", "c", "false"]')

    assert found is not None
    assert not found.is_ok


def test_a_check_that_was_never_made_is_not_ok() -> None:
    """A machine that ends early has not passed what it did not come to."""
    checks = [compared("first", 1, 1)]

    found = missing(checks, ("first", "last"))

    assert [(one.name, one.is_ok) for one in found] == [("last", False)]
    assert "NOT OK" in table(checks + found).splitlines()[2]


def test_a_limit_is_kept_or_not() -> None:
    """What took as long as the limit took too long."""
    assert at_most("data resumes", 119.9, 120.0).is_ok
    assert not at_most("data resumes", 120.0, 120.0).is_ok


@pytest.mark.parametrize(("chip", "weather"), KERNEL_SAID)
def test_the_kernel_agrees_with_us_as_it_once_did(chip: str, weather: str) -> None:
    """Our formulas still give what the kernel's driver gave of the same registers."""
    assert as_iio(TRIMS[chip], POINTS[chip][weather]).words() == KERNEL_SAID[chip, weather]


def test_digits_behind_a_thousandth_are_left_out() -> None:
    """Kernels differ in how they print a whole number of thousandths; the number is the same."""
    assert from_iio("-6500", "93.471910156", "22356.445312500") == Values(
        "-6500", "93.471910156", "22356"
    )


@pytest.mark.parametrize("chip", TRIMS)
async def test_every_weather_is_one_that_a_chip_can_measure(chip: str) -> None:
    """No emulated weather is out of range, so that both drivers have something to say."""
    for point in POINTS[chip].values():
        registers = picture(TRIMS[chip], point)
        driver = BME280(DirectI2C(FakeI2C({0x76: registers})))
        await driver.start()
        readings = await driver.read()

        told = " ".join(str(reading.value) for reading in readings)
        assert told == as_iio(TRIMS[chip], point).rounded()
        assert [registers[REG_DATA + at] for at in range(8)] == list(burst(point))


def test_adverts_fit_into_the_air() -> None:
    """What is broadcast has the size and the form of real ones, and ours opens with its key."""
    payload = sealed(27.5, 1)
    adverts = [payload, *(stranger(number)[1] for number in range(CROWD))]
    service_data = payload.partition(b"\x16\xd2\xfc")[2]

    assert max(map(len, adverts)) <= LEGACY_BYTES_MAX
    heard = Advert(ADDRESS, "", -50, {}, {0xFCD2: service_data}, [])
    found = decoder("bthome", KEY).decode(heard)
    assert [(one.quantity, one.value) for one in found] == [("air_temperature", 27.5)]
    assert part(0xFF, b"\x99\x04") == b"\x03\xff\x99\x04"


def test_a_machine_is_heard_to_its_end() -> None:
    """Whole lines are heard, without their ends; half a line at the end is none."""
    with running(["printf", "one\r\ntwo\nrest"]) as process:
        assert list(lines_of(process, 10.0)) == ["one", "two"]


def test_a_machine_that_hangs_is_put_out() -> None:
    """After its time it is an error, and its process is gone when the block is left."""
    with running(["sleep", "60"]) as process, pytest.raises(MachineError, match="not done after"):
        list(lines_of(process, 0.05))
    assert process.returncode == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(process.pid, 0)


def test_the_files_of_the_host_are_shared_read_only() -> None:
    """Nothing that happens in the machine can change a file of the host."""
    words = command_line(Path("vmlinuz"), Path("first.cpio"), environment("90", "register"))

    shares = [word for word in words if word.startswith("local,")]
    assert shares
    assert all("readonly=on" in word.split(",") for word in shares)
    assert "FAULT=register" in " ".join(words)


def test_an_unknown_fault_starts_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused with what there is."""
    monkeypatch.setenv("FAULT", "flood")

    assert main() == EXIT_NO_MACHINE
    assert "'flood'" in capsys.readouterr().out
