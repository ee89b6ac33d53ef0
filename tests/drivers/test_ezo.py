from drivers import ezo
from drivers.bus import DirectI2C
from drivers.fake_bus import FakeI2C
from tests.drivers.captured import rows
from tests.drivers.faults import fault_awaited, fault_of

PORTABLE = True


ezo.READ_S = ezo.COMMAND_S = ezo.PENDING_S = 0.001  # A fake circuit is ready at once.
OK = b"\x01\x00"


def circuit(answers: "list[bytes]") -> "tuple[FakeI2C, ezo.EZOPH]":
    """A circuit for pH with those answers to a reading, and its driver."""
    known: dict[bytes, bytes | list[bytes]] = {b"T,29.5": OK, b"R": answers}
    i2c = FakeI2C({}, -1, {0x63: known})
    return i2c, ezo.EZOPH(DirectI2C(i2c), water_temperature_celsius=29.5)


def test_captured_answers() -> None:
    """Each answer gives its numbers or its fault."""
    found = rows("ezo", "response")
    assert len(found) == 6
    for row in found:
        answer = bytes.fromhex(row["input"]["response"])
        wanted = row["expected"]
        assert fault_of(ezo.decode, answer) == wanted.get("fault", "")
        if "value" in wanted:
            assert ezo.decode(answer) == (wanted["value"],)
        if "values" in wanted:
            assert list(ezo.decode(answer)) == wanted["values"]


def test_what_is_no_number() -> None:
    """An answer without a number, with another text or status is no reading."""
    for answer, fault in (
        (b"", "incomplete"),
        (b"\x01", "no_data"),
        (b"\x01*ER", "framing"),
        (b"\x01nan", "framing"),
        (b"\x01inf", "framing"),
        (b"\x078.12", "framing"),
        (b"\x82", "syntax"),
    ):
        assert fault_of(ezo.decode, answer) == fault


async def test_a_reading_waits_for_a_slow_circuit() -> None:
    """The water's temperature is told first; a pending answer is asked for again."""
    i2c, driver = circuit([b"\xfe", b"\x018.123\x00\x00"])
    await driver.start()
    assert await driver.read() == (("ph", 8.12, "[pH]", "ok"),)
    assert i2c.commands == [b"T,29.5", b"R"]


async def test_a_circuit_that_stays_busy_is_a_timeout() -> None:
    """The driver does not wait for ever."""
    _, driver = circuit([b"\xfe"] * 9)
    await driver.start()
    assert await fault_awaited(driver.read()) == "timeout"


async def test_a_dry_probe_is_out_of_range() -> None:
    """A pH of 0 is what the circuit says without a probe."""
    _, driver = circuit([b"\x010.000\x00"])
    await driver.start()
    assert (await driver.read())[0].quality == "out_of_range"
