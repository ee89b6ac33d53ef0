import os

from drivers import bthome, node
from drivers.errors import BusError, DriverError
from drivers.reading import Reading
from tests.drivers.faults import fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PORTABLE = True

KEY = bytes(range(16))
ADDRESS = bytes.fromhex("c0ffee000001")
COUNTED = "counter-of-a-test.txt"


class Thermometer:
    """A sensor that says what it is told to say."""

    KIND = "thermometer"
    SIMULATED = False
    SPEC: "tuple[Any, ...]" = (
        ("air_temperature", "Cel", -40, 85, 2),
        ("relative_humidity", "%", 0, 100, 1),
    )

    def __init__(self, *answers: "object") -> None:
        self.answers = list(answers)
        self.starts = 0

    async def start(self) -> None:
        """Count the starts."""
        self.starts += 1

    async def read(self) -> "tuple[Any, ...]":
        """Give the next answer, or raise it."""
        answer = self.answers.pop(0)
        if isinstance(answer, DriverError):
            raise answer
        return answer  # type: ignore[return-value] # what the test wrote down

    async def close(self) -> None:
        """Nothing is open."""


class Radio:
    """A way to the kiosk that keeps what goes over it."""

    def __init__(self) -> None:
        self.address = ADDRESS
        self.sent: list[bytes] = []

    async def send(self, packet: bytes) -> None:
        """Keep one packet."""
        self.sent.append(packet)


def forget_counter() -> None:
    """Remove the file of a counter."""
    if COUNTED in os.listdir("."):
        os.remove(COUNTED)


async def told(*answers: "object") -> "tuple[Thermometer, list[dict[str, Any]]]":
    """What a kiosk with the key reads of a node with these answers, beat by beat."""
    forget_counter()
    sensor, radio = Thermometer(*answers), Radio()
    one = node.Node([sensor], radio, KEY, node.Counter(COUNTED), 60)
    for _ in answers:
        await one.beat()
    forget_counter()
    return sensor, [bthome.decode(bthome.V2, packet, ADDRESS, KEY) for packet in radio.sent]


async def test_a_reading_is_sealed_and_told() -> None:
    """What the sensor read comes out where the key is known, under the names of BTHome."""
    readings = (Reading("air_temperature", 29.41, "Cel", "ok"),)
    _, found = await told(readings)
    assert found == [{"temperature": 29.41}]


async def test_a_sensor_that_fails_is_started_again() -> None:
    """A beat without a value tells nothing; the next one begins with the start."""
    readings = (Reading("relative_humidity", 71.5, "%", "ok"),)
    sensor, found = await told(BusError("unplugged"), readings)
    assert found == [{"humidity": 71.5}]
    assert sensor.starts == 2


async def test_a_value_that_is_missing_is_not_told() -> None:
    """A quantity without a value, or one that BTHome has no word for, is left out."""
    readings = (
        Reading("air_temperature", None, "Cel", "warming_up"),
        Reading("ph", 8.1, "[pH]", "ok"),
        Reading("pressure", 1009.25, "hPa", "ok"),
    )
    _, found = await told(readings)
    assert found == [{"pressure": 1009.25}]


def test_a_value_that_does_not_fit_costs_itself() -> None:
    """A level below the zero of the gauge has no sign in BTHome; the others are told."""
    found = node.objects(
        (Reading("water_level", -0.2, "m", "ok"), Reading("co2", 612, "[ppm]", "ok"))
    )
    assert found == [bthome.encode(0x12, 612)]


def test_objects_stand_in_the_order_of_their_ids() -> None:
    """Receivers may rely on it (bthome.io/format)."""
    found = node.objects(
        (Reading("water_level", 1.234, "m", "ok"), Reading("air_temperature", 30, "Cel", "ok"))
    )
    assert [one[0] for one in found] == [0x02, 0x40]
    assert bthome.by_name(bthome.objects_v2(found[1])) == {"distance": 1234}


def test_every_packet_fits_an_advertisement() -> None:
    """Whatever a node can tell at once goes out in pieces of at most 31 bytes."""
    numbers = [node.OBJECTS[quantity][0] for quantity in node.OBJECTS]
    found = [bthome.encode(number, 1) for number in sorted(set(numbers))]
    pieces = node.packets(found)
    assert b"".join(pieces) == b"".join(found)
    for piece in pieces:
        sealed = bthome.sealed_v2(piece, ADDRESS, 7, KEY)
        assert len(node.advertisement(sealed)) <= 31
    assert node.packets([]) == []


def test_an_advertisement_is_flags_and_service_data() -> None:
    """Byte for byte what the format says, around the public example (bthome.io/encryption)."""
    sealed = bytes.fromhex("41a47266c95f730011223378237214")
    assert node.advertisement(sealed).hex() == "020106" + "12" + "16" + "d2fc" + sealed.hex()


def test_a_counter_never_repeats_itself() -> None:
    """After a power cut it goes on above every number that can have been given out."""
    forget_counter()
    last = -1
    for _ in range(3):
        counter = node.Counter(COUNTED)
        first = counter.take()
        assert last < first <= last + node.COUNTER_STEP + 1
        last = first
        for _ in range(node.COUNTER_STEP):
            assert counter.take() == last + 1
            last += 1
    forget_counter()


def test_a_damaged_counter_is_said() -> None:
    """A node that began again at 0 would be taken for a replay, so it asks for help."""
    with open(COUNTED, "w") as file:
        file.write("12x")
    assert fault_of(node.Counter, COUNTED) == "input"
    forget_counter()


def test_a_counter_ends() -> None:
    """Past 32 bits there is no number left that was not used."""
    with open(COUNTED, "w") as file:
        file.write(str(node.COUNTER_MAX + 1))
    assert fault_of(node.Counter(COUNTED).take) == "input"
    forget_counter()


def test_two_quantities_of_one_name_are_refused() -> None:
    """Air and water are both "temperature" to BTHome, and nobody could tell them apart."""
    assert fault_of(node.check_distinct, ["air_temperature", "water_temperature"]) == "input"
    assert fault_of(node.check_distinct, ["air_temperature", "ph", "pressure"]) == ""


def test_only_sealed_packets_are_ours() -> None:
    """An open advertisement could come from anybody."""
    assert node.is_sealed_v2(bthome.sealed_v2(b"\x01\x64", ADDRESS, 1, KEY))
    assert not node.is_sealed_v2(b"\x40\x01\x64")
    assert not node.is_sealed_v2(b"")


async def test_a_kiosk_that_is_not_there_is_an_error() -> None:
    """The node says so and goes on; its next packet is a new one."""
    poster = node.Poster("127.0.0.1", 1, ADDRESS)
    fault = ""
    try:
        await poster.send(b"\x41")
    except DriverError as error:
        fault = error.fault
    assert fault == "io"
