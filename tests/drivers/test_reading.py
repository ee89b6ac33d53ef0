from drivers.errors import (
    QUALITY_OF_FAULT,
    BusError,
    ChecksumError,
    DriverError,
    FrameError,
    NoDataError,
    WrongChipError,
)
from drivers.reading import QUALITIES, Reading, measured, without_values

PORTABLE = True

ROW = ("air_temperature", "Cel", -40, 85, 2)


def test_a_reading_is_ok_unless_said_otherwise() -> None:
    """The quality is the last field and has a default."""
    reading = Reading("people", 3, "1")
    assert reading.quality == "ok"
    assert tuple(reading) == ("people", 3, "1", "ok")


def test_a_value_is_rounded_as_the_spec_says() -> None:
    """Digits that the sensor cannot know do not leave the driver."""
    assert measured(ROW, 25.0821).value == 25.08
    assert str(measured(("people", "1", 0, 10, 0), 3.4).value) == "3"


def test_a_value_outside_the_data_sheet_is_withheld() -> None:
    """Out of range and NaN give no value, but the reason."""
    for value in (-40.1, 85.1, float("nan"), float("inf")):
        assert measured(ROW, value) == Reading("air_temperature", None, "Cel", "out_of_range")


def test_a_failed_sensor_still_names_its_quantities() -> None:
    """Every quantity is there without a value, so that the screen can say why."""
    assert without_values((ROW,), "io") == (Reading("air_temperature", None, "Cel", "io"),)


def test_every_fault_has_a_quality_that_the_wire_knows() -> None:
    """No error of a driver leads to a word that has no number."""
    for fault, quality in QUALITY_OF_FAULT.items():
        assert DriverError("x", fault).quality in QUALITIES
        assert quality in QUALITIES


def test_each_error_has_its_own_fault() -> None:
    """The class alone says enough; a fault can be named more exactly."""
    faults = [kind("x").fault for kind in (BusError, ChecksumError, FrameError, NoDataError)]
    assert faults == ["io", "checksum", "framing", "no_data"]
    assert WrongChipError("x").quality == "wrong_chip"
    assert ChecksumError("x", "crc").fault == "crc"
    assert issubclass(BusError, DriverError)


def test_the_numbers_on_the_wire_do_not_move() -> None:
    """A quality keeps its place for ever, because stored segments hold the number."""
    assert QUALITIES[:4] == ("ok", "warming_up", "stale", "out_of_range")
    assert QUALITIES.index("absent") == 12
