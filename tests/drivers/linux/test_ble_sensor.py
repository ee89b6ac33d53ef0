import json
from collections.abc import Callable
from pathlib import Path

import pytest

from drivers import bthome
from drivers.errors import BusError, DriverError
from drivers.linux import adverts
from drivers.linux.adverts import Advert, from_hci
from drivers.linux.ble_sensor import (
    COMPANIES_MAX,
    FLAGS_PATTERNS,
    KINDS,
    PATTERNS,
    QUANTITIES_MAX,
    BLESensor,
    Ear,
    patterns_of,
    rows,
)
from drivers.reading import Reading

FRAMES = Path(__file__).parent.parent.parent / "frames"
ADDRESS = "54:48:E6:8F:80:A5"
RAW_ADDRESS = bytes.fromhex("5448E68F80A5")
KEY = bytes.fromhex("231d39c1d7cc1ab1aee224cd096db932")
OPEN = bytes.fromhex("4002ca0903bf13")


class Time:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now_s = 1000.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now_s


def no_trouble() -> DriverError | None:
    """A radio that is well."""
    return None


def advert(payload: bytes, uuid: int = bthome.V2) -> Advert:
    """An advertisement of the sensor."""
    return Advert(ADDRESS, service_data={uuid: payload})


def sealed(counter: int, celsius: float, key: bytes = KEY) -> Advert:
    """A sealed advertisement of the sensor."""
    payload = bthome.sealed_v2(bthome.encode(2, celsius), RAW_ADDRESS, counter, key)
    return Advert(ADDRESS, service_data={bthome.V2: payload})


def sensor(
    kind: str = "bthome",
    key: bytes = b"",
    now_s: Time | None = None,
    trouble: Callable[[], DriverError | None] = no_trouble,
    quantities: tuple[str, ...] = (),
    *,
    every_frame: bool = False,
) -> tuple[Ear, BLESensor]:
    """A sensor and the ear it is heard by."""
    ear = Ear(kind, ADDRESS, key, now_s or Time())
    return ear, BLESensor(ear, trouble, quantities=quantities, every_frame=every_frame)


def values(readings: tuple[Reading, ...]) -> dict[str, float | int | None]:
    """Quantity → value."""
    return {reading.quantity: reading.value for reading in readings}


async def fault(one: BLESensor) -> str:
    """The fault that a read ends in, and its quality."""
    with pytest.raises(DriverError) as caught:
        await one.read()
    return f"{caught.value.fault} {caught.value.quality}"


async def test_the_newest_of_each_quantity_is_read_once() -> None:
    """Between two beats several adverts come; each quantity is told once, the newest value."""
    ear, one = sensor()
    await one.start()
    assert await one.read() == ()
    for payload in ("40000102ca09", "4000020164", "40000302cb09"):
        ear.hear(advert(bytes.fromhex(payload)))

    assert values(await one.read()) == {"air_temperature": 25.07, "battery": 100}
    assert [row[0] for row in one.SPEC] == ["air_temperature", "battery"]
    assert await one.read() == ()
    await one.close()


async def test_a_repeated_payload_is_no_new_reading() -> None:
    """BlueZ shows its picture again when only the loudness has changed."""
    ear, one = sensor()
    ear.hear(advert(OPEN))
    await one.read()
    for _ in range(3):
        ear.hear(advert(OPEN))

    assert await one.read() == ()


async def test_a_repeated_packet_is_no_new_reading() -> None:
    """The same packet id is the same measurement, whatever else the payload says."""
    ear, one = sensor()
    for payload, wanted in (
        ("40000702ca09", 25.06),
        ("40000702cb09", None),
        ("40000802cb09", 25.07),
    ):
        ear.hear(advert(bytes.fromhex(payload)))
        assert values(await one.read()).get("air_temperature") == wanted


async def test_a_sealed_sensor_is_read_and_a_replay_is_not() -> None:
    """What was recorded earlier is refused, also by a driver that was made anew."""
    ear, one = sensor(key=KEY)
    ear.hear(sealed(7, 20))
    ear.hear(sealed(8, 21))
    assert values(await one.read()) == {"air_temperature": 21}

    ear.hear(sealed(7, 20))
    again = BLESensor(ear, no_trouble)
    assert await fault(again) == "replayed stale"
    assert await again.read() == ()  # Said once, for each replay.
    ear.hear(sealed(8, 99))
    assert await fault(again) == "replayed stale"

    ear.hear(sealed(9, 22))
    assert values(await again.read()) == {"air_temperature": 22}


async def test_a_missing_or_wrong_key_is_said_as_long_as_it_is_wrong() -> None:
    """Each beat says it, with the address, although the payload comes only once."""
    for key in (b"", bytes(16)):
        ear, one = sensor(key=key)
        ear.hear(sealed(1, 20))
        for _ in range(3):
            with pytest.raises(DriverError, match=ADDRESS) as caught:
                await one.read()
            assert caught.value.fault == "key"


async def test_a_forgery_costs_one_beat_at_most() -> None:
    """Once the key has fitted, what it does not open is a stranger's, and so is what is open."""
    ear, one = sensor(key=KEY)
    ear.hear(sealed(1, 20))
    await one.read()
    for forged in (sealed(2, 90, bytes(16)), advert(OPEN)):
        ear.hear(forged)
        assert (await fault(one)).startswith("key")
        assert await one.read() == ()
    ear.hear(sealed(2, 21))

    assert values(await one.read()) == {"air_temperature": 21}


async def test_silence_repetition_and_a_dead_radio_are_told_apart() -> None:
    """Not heard for long is a timeout, only repeated is stale, and the radio's word goes first."""
    now_s = Time()
    radio: list[DriverError] = []
    ear, one = sensor(now_s=now_s, trouble=lambda: radio[0] if radio else None)
    now_s.now_s += 599
    assert await one.read() == ()
    now_s.now_s += 1
    assert await fault(one) == "timeout timeout"

    ear.hear(advert(OPEN))
    assert len(await one.read()) == 2
    now_s.now_s += 600
    ear.hear(advert(OPEN))
    assert await fault(one) == "repeated stale"

    radio.append(BusError("no Bluetooth adapter", "absent"))
    assert await fault(one) == "absent absent"


async def test_quantities_can_be_chosen() -> None:
    """What was not asked for is left out; what was asked for has its row from the start."""
    ear, one = sensor(quantities=("relative_humidity",))
    assert one.SPEC == (("relative_humidity", "%", -1e9, 1e9, 2),)
    ear.hear(advert(OPEN))

    assert values(await one.read()) == {"relative_humidity": 50.55}


async def test_every_frame_waits_for_the_next_one() -> None:
    """With period_s = 0 a read ends when something has come."""
    ear, one = sensor(every_frame=True)
    ear.hear(advert(OPEN))

    assert len(await one.read()) == 2


async def test_every_frame_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sensor that is silent gives the sampler its turn back."""
    monkeypatch.setattr("drivers.linux.ble_sensor.LISTEN_MAX_S", 0.01)
    _, one = sensor(every_frame=True)

    assert await one.read() == ()


async def test_ruuvi_counts_its_measurements() -> None:
    """A sequence that was there is no new measurement; another one is."""
    rows_of = json.loads((FRAMES / "ruuvitag.json").read_text())
    raw_v2 = next(
        bytes.fromhex(row["input"]["manufacturer_data"])
        for row in rows_of
        if str(row["input"].get("manufacturer_data", "")).startswith("05")
        and "temperature_c" in row["expected"]
        and row["expected"]["temperature_c"]
    )
    ear, one = sensor("ruuvitag")
    for payload, is_new in (
        (raw_v2, True),
        (raw_v2, False),
        (raw_v2[:15] + b"\x55" + raw_v2[16:], False),  # Moved, but not measured.
        (raw_v2[:16] + b"\x12\x34" + raw_v2[18:], True),
    ):
        ear.hear(Advert(ADDRESS, manufacturer_data={0x0499: payload}))
        assert bool(await one.read()) is is_new


@pytest.mark.parametrize("maker", sorted(adverts.PARSERS))
async def test_a_captured_sensor_is_heard(maker: str) -> None:
    """Each maker's captured packets become readings; the same one twice does not."""
    captured = [
        row["input"]
        for row in json.loads((FRAMES / "adverts.json").read_text())
        if row["sensor"] == maker and "hci_hex" in row["input"]
    ]
    heard = 0
    for given in captured:
        found = from_hci(bytes.fromhex(given["hci_hex"]))
        ear = Ear(maker, found.address, bytes.fromhex(given.get("bindkey", "")), Time())
        one = BLESensor(ear, no_trouble)
        ear.hear(found)
        heard += bool(await one.read())
        ear.hear(found)
        assert await one.read() == ()
    assert heard


async def test_a_picture_with_many_companies_is_given_up() -> None:
    """Makers that hide values in the company number fill BlueZ's picture until it says nothing."""
    ear, _ = sensor("thermopro")
    companies = dict.fromkeys(range(COMPANIES_MAX + 1), b"\x01\x02")
    ear.hear(Advert(ADDRESS, manufacturer_data=companies))

    assert ear.take_is_crowded()
    assert not ear.take_is_crowded()


async def test_a_library_that_is_missing_is_said_by_the_sensor(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no bug that would quarantine the sensor: the technician reads what to install."""
    monkeypatch.setitem(adverts.PARSERS, "govee", ("no_such_ble", "Parser"))
    ear, one = sensor("govee")
    ear.hear(Advert(ADDRESS, manufacturer_data={0xEC88: b"\x00"}))

    with pytest.raises(BusError, match="no-such-ble is not installed"):
        await one.read()


def test_an_ear_is_bounded() -> None:
    """Whatever a device says it measures, not more than so many quantities wait."""
    ear, _ = sensor()
    payload = b"\x40" + b"".join(b"\x57" + bytes([number]) for number in range(100))
    ear.hear(advert(payload))

    assert len(ear.take()) == QUANTITIES_MAX


def test_every_kind_can_be_listened_for() -> None:
    """A kind without a fixed beginning is found by what nearly everything sends first."""
    ears = [Ear(kind, ADDRESS, b"", Time()) for kind in KINDS]

    found = patterns_of(ears)
    assert set(FLAGS_PATTERNS) < set(found)
    assert len(found) == len(set(found))
    assert patterns_of(ears[:1]) == PATTERNS["bthome"]
    assert all(rows(kind) for kind in KINDS)
