import json
import logging
import random
from pathlib import Path
from typing import Any

import pytest

from drivers.errors import BusError, DriverError
from drivers.linux import adverts
from drivers.linux.adverts import Advert, Parser, address_bytes, from_hci, readings

FRAMES = Path(__file__).parent.parent.parent / "frames"
CAPTURED = [
    row
    for name in ("adverts", "bthome")
    for row in json.loads((FRAMES / f"{name}.json").read_text())
    if "hci_hex" in row["input"]
]
FOREIGN = [row for row in CAPTURED if row["sensor"] in adverts.PARSERS]


def parser_of(row: dict[str, Any]) -> Parser:
    """The parser for a row, with its key."""
    return Parser(row["sensor"], bytes.fromhex(row["input"].get("bindkey", "")))


@pytest.mark.parametrize("row", FOREIGN, ids=lambda row: row["id"])
def test_captured_packets(row: dict[str, Any]) -> None:
    """The packet as the radio gave it has every expected value."""
    named = parser_of(row).decode(from_hci(bytes.fromhex(row["input"]["hci_hex"])))
    for name, value in row["expected"].items():
        assert named[name] == pytest.approx(value, abs=row["tol"])


@pytest.mark.parametrize("row", CAPTURED, ids=lambda row: row["id"])
def test_a_packet_is_taken_apart(row: dict[str, Any]) -> None:
    """Address, name and payloads are those that the capture lists beside it."""
    given = row["input"]
    found = from_hci(bytes.fromhex(given["hci_hex"]))
    assert found.address == given["address"]
    assert found.name == given.get("name", "")
    for key, listed in (
        (found.manufacturer_data, given["manufacturer_data"]),
        (found.service_data, given["service_data"]),
    ):
        assert {f"{number:x}": payload.hex() for number, payload in key.items()} == {
            f"{int(number, 16):x}": payload for number, payload in listed.items()
        }


def test_readings_have_our_names() -> None:
    """Temperature is air temperature here; what has no quantity of ours is left out."""
    found = readings({"temperature": 21.5, "humidity": 130, "mystery": 1, "battery": 88})
    assert [(one.quantity, one.value, one.quality) for one in found] == [
        ("air_temperature", 21.5, "ok"),
        ("relative_humidity", None, "out_of_range"),
        ("battery", 88, "ok"),
    ]


def test_a_sealed_advert_wants_its_key() -> None:
    """Without a key, or with a wrong one, the address is said and nothing is read."""
    row = next(row for row in FOREIGN if "bindkey" in row["input"])
    advert = from_hci(bytes.fromhex(row["input"]["hci_hex"]))
    for key in (b"", bytes(16)):
        with pytest.raises(DriverError, match=advert.address) as caught:
            Parser("xiaomi", key).decode(advert)
        assert caught.value.fault == "key"
    with pytest.raises(DriverError, match="5 bytes"):
        Parser("xiaomi", b"short")


def test_an_advert_of_somebody_else_has_no_values() -> None:
    """A parser that finds nothing says so."""
    with pytest.raises(DriverError) as caught:
        Parser("govee").decode(Advert("00:11:22:33:44:55", "phone"))
    assert caught.value.fault == "no_data"


def test_a_library_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The technician reads what to install."""
    monkeypatch.setitem(adverts.PARSERS, "govee", ("no_such_ble", "Parser"))
    with pytest.raises(BusError, match="no-such-ble is not installed"):
        Parser("govee")


def test_no_passer_by_can_stop_the_kiosk(caplog: pytest.LogCaptureFixture) -> None:
    """Damaged adverts end in values or a fault, whatever the libraries raise, and in no log."""
    rng = random.Random(5)  # noqa: S311 # seeded, no secret
    faults: set[str] = set()
    with caplog.at_level(logging.DEBUG):
        for row in FOREIGN:
            packet = bytes.fromhex(row["input"]["hci_hex"])
            for _ in range(40):
                damaged = bytearray(packet)
                for _ in range(rng.randrange(1, 4)):
                    damaged[rng.randrange(14, len(damaged))] = rng.randrange(256)
                try:
                    parser_of(row).decode(from_hci(bytes(damaged[: rng.randrange(14, 80)])))
                except DriverError as error:
                    faults.add(error.fault)
    assert {"no_data", "incomplete"} <= faults
    assert [one for one in caplog.records if one.name.endswith("_ble.parser")] == []


@pytest.mark.parametrize(
    "packet", ["", "043e", "043e0a07010000000000000000000000", "043e2a0201ffff"]
)
def test_what_is_no_advertisement(packet: str) -> None:
    """Another event, or one that breaks off, is refused."""
    with pytest.raises(DriverError):
        from_hci(bytes.fromhex(packet))


def test_addresses() -> None:
    """An address is six bytes, however they are parted."""
    assert address_bytes("54:48:E6:8F:80:A5").hex() == "5448e68f80a5"
    assert address_bytes("54-48-e6-8f-80-a5").hex() == "5448e68f80a5"
    for text in ("54:48", "54:48:E6:8F:80:XX"):
        with pytest.raises(DriverError, match="54:48"):
            address_bytes(text)
