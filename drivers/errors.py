"""What can go wrong between a sensor and a reading, in stable words."""

# fault → the quality a missing reading is journalled with. A frame that was damaged in
# any way counts as `checksum`; one that broke off counts as `io`.
QUALITY_OF_FAULT = {
    "absent": "absent",
    "checksum": "checksum",
    "crc": "checksum",
    "device": "io",
    "exception": "io",
    "framing": "checksum",
    "incomplete": "io",
    "input": "io",
    "io": "io",
    "key": "io",
    "length": "checksum",
    "no_data": "no_data",
    "no_new_data": "no_data",
    "out_of_range": "out_of_range",
    "pending": "no_data",
    "power_on_value": "power_on_value",
    "repeated": "stale",
    "replayed": "stale",
    "syntax": "io",
    "timeout": "timeout",
    "wrong_chip": "wrong_chip",
    "wrong_unit": "checksum",
}


class DriverError(Exception):
    """A sensor gave no reading this time: skip this beat and try again.

    `fault` is one short stable word, `quality` the member of `QUALITIES` for it, `fields`
    what could be read all the same, for a person who looks into the case.
    """

    FAULT = "io"

    def __init__(self, message: str, fault: str = "") -> None:
        super().__init__(message)
        self.fault = fault or self.FAULT
        self.quality = QUALITY_OF_FAULT[self.fault]
        self.fields: dict[str, object] = {}


class BusError(DriverError):
    """The wire failed: a missing adapter, no answer, or a transfer that broke off."""

    FAULT = "io"


class ChecksumError(DriverError):
    """The bytes arrived, but do not match their own checksum."""

    FAULT = "checksum"


class FrameError(DriverError):
    """The bytes are no frame of this sensor."""

    FAULT = "framing"


class NoDataError(DriverError):
    """The sensor answered, and says itself that it has not measured."""

    FAULT = "no_data"


class WrongChipError(DriverError):
    """Another chip answers at this address."""

    FAULT = "wrong_chip"
