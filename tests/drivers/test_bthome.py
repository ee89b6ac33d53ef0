from drivers import bthome
from drivers.errors import DriverError
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True

ADDRESS = bytes.fromhex("5448E68F80A5")
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")


def test_captured_adverts() -> None:
    """Each advertisement of either version, open or sealed, gives its values or its fault."""
    found = rows("bthome", "service_data")
    assert len(found) == 28
    for row in found:
        ((uuid, payload),) = row["input"]["service_data"].items()
        given = (
            int(uuid, 16),
            bytes.fromhex(payload),
            ADDRESS,
            bytes.fromhex(row["input"].get("bindkey", "")),
        )
        fault = row["expected"].get("fault", "")
        assert fault_of(bthome.decode, *given) == fault, row["id"]
        if not fault:
            named = bthome.decode(*given)
            for name, value in row["expected"].items():
                assert abs(named[name] - value) < 0.001, row["id"]


def test_a_sealed_advert_is_made_as_the_standard_says() -> None:
    """The example of bthome.io comes out byte for byte, and opens again."""
    objects = bthome.encode(0x02, 25.06) + bthome.encode(0x03, 50.55)
    assert objects.hex() == "02ca0903bf13"
    sealed = bthome.sealed_v2(objects, ADDRESS, 0x33221100, KEY)
    assert sealed.hex() == "41a47266c95f730011223378237214"
    assert bthome.counter_of(bthome.V2, sealed) == 0x33221100
    assert bthome.counter_of(bthome.V2, b"\x40\x01\x50") is None
    assert bthome.opened(bthome.V2, sealed, ADDRESS, KEY) == objects


def test_every_changed_bit_of_a_sealed_advert_is_noticed() -> None:
    """Nothing that was tampered with opens; the address is part of the seal."""
    sealed = bthome.sealed_v2(bthome.encode(0x02, 25.06), ADDRESS, 7, KEY)
    for bit in range(8, len(sealed) * 8):
        changed = bytearray(sealed)
        changed[bit // 8] ^= 1 << bit % 8
        assert fault_of(bthome.decode, bthome.V2, bytes(changed), ADDRESS, KEY) == "key"
    assert fault_of(bthome.decode, bthome.V2, sealed, bytes(6), KEY) == "key"


def test_a_missing_key_is_said_with_the_address() -> None:
    """The technician reads which sensor wants a key."""
    sealed = bthome.sealed_v2(b"\x01\x50", ADDRESS, 7, KEY)
    message = ""
    try:
        bthome.decode(bthome.V2, sealed, ADDRESS)
    except DriverError as error:
        message = str(error)
    assert message == "sealed, and no key for 54:48:E6:8F:80:A5"


def test_an_address_may_be_inside() -> None:
    """With bit 1 set the sender's address comes first, last byte first."""
    inside = b"\x42" + bytes(reversed(ADDRESS)) + b"\x01\x61"
    assert bthome.decode(bthome.V2, inside) == {"battery": 97}


def test_objects_without_a_number() -> None:
    """States, buttons, texts and raw bytes are named; nothing behind them is lost."""
    payload = bytes.fromhex("400f0121003a043c0103530548656c6c6f5402beef0161")
    assert bthome.decode(bthome.V2, payload) == {
        "generic": True,
        "motion": False,
        "button": 4,
        "dimmer": [1, 3],
        "text": "Hello",
        "raw": "beef",
        "battery": 97,
    }


def test_version_1_says_itself_how_a_value_is_written() -> None:
    """Signed, a float, a text and a state."""
    payload = bytes.fromhex("230218fc4302000062532101")
    assert bthome.decode(bthome.V1_OPEN, bytes.fromhex("230218fc")) == {"temperature": -10.0}
    assert bthome.decode(bthome.V1_OPEN, bytes.fromhex("45020000803f")) == {"temperature": 0.01}
    assert bthome.decode(bthome.V1_OPEN, bytes.fromhex("022101")) == {"motion": True}
    assert fault_of(bthome.decode, bthome.V1_OPEN, bytes.fromhex("45020000c07f")) == "framing"
    assert fault_of(bthome.decode, bthome.V1_OPEN, payload) != ""


def test_damaged_adverts() -> None:
    """A wrong version, an unknown object and one that breaks off are refused."""
    for uuid, payload, fault in (
        (bthome.V2, "", "incomplete"),
        (bthome.V2, "2002ca09", "framing"),
        (bthome.V2, "40ff00", "framing"),
        (bthome.V2, "4002ca", "incomplete"),
        (bthome.V2, "405305", "incomplete"),
        (bthome.V2, "405302ffff", "framing"),
        (bthome.V2, "420102", "incomplete"),
        (bthome.V1_OPEN, "23", "incomplete"),
        (bthome.V1_OPEN, "2102", "incomplete"),
        (0x1234, "40", "framing"),
    ):
        assert fault_of(bthome.decode, uuid, bytes.fromhex(payload)) == fault, payload
    assert fault_of(bthome.encode, 0x02, 400.0) == "input"


def test_readings_have_our_names() -> None:
    """What others call temperature is air temperature here; the packet id is no quantity."""
    found = bthome.objects(bthome.V2, bytes.fromhex("40000c02ca0903bf13"))
    assert bthome.readings(found) == (
        ("air_temperature", 25.06, "Cel", "ok"),
        ("relative_humidity", 50.55, "%", "ok"),
    )


def test_a_quantity_has_one_unit() -> None:
    """Millimetres and metres, and two probes of one device, are not mixed up."""
    for payload, wanted in (
        ("4040d204", [("distance", 1.234, "m")]),
        ("40410c00", [("distance", 1.2, "m")]),
        ("405f0c00", [("rain", 1.2, "mm")]),
        ("4002ca0902c409", [("air_temperature_1", 25.06, "Cel"), ("air_temperature_2", 25, "Cel")]),
    ):
        found = bthome.readings(bthome.objects(bthome.V2, bytes.fromhex(payload)))
        assert [(one[0], one[1], one[2]) for one in found] == wanted
    assert ("distance", "m", -1e9, 1e9, 3) in bthome.spec()


def test_no_random_bytes_end_in_another_error() -> None:
    """Whatever a passer-by broadcasts is values or a fault."""
    state = 1
    for _ in range(400):
        payload = b""
        for _ in range(state % 24):
            state = state * 1103515245 + 12345 & 0x7FFFFFFF
            payload += bytes([state >> 16 & 0xFF])
        state = state * 1103515245 + 12345 & 0x7FFFFFFF
        for uuid in (bthome.V2, bthome.V1_OPEN):
            fault_of(bthome.decode, uuid, b"\x40" + payload if uuid == bthome.V2 else payload)
