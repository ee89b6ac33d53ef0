from drivers import ruuvitag
from tests.drivers.captured import rows
from tests.drivers.faults import fault_of

PORTABLE = True


def test_captured_adverts() -> None:
    """Each advertisement gives its values; what was not measured is None."""
    found = rows("ruuvitag", "manufacturer_data")
    assert len(found) == 5
    for row in found:
        named = ruuvitag.decode(bytes.fromhex(row["input"]["manufacturer_data"]))
        for name, value in row["expected"].items():
            if isinstance(value, float):
                assert abs(named[name] - value) < 1e-9, name  # type: ignore[operator]
            else:
                assert named[name] == value, name


def test_readings() -> None:
    """Values have our names and units; what was not measured has none, and says so."""
    valid = bytes.fromhex("0512fc5394c37c0004fffc040cac364200cdcbb8334c884f")
    assert ruuvitag.readings(ruuvitag.decode(valid)) == (
        ("air_temperature", 24.3, "Cel", "ok"),
        ("relative_humidity", 53.5, "%", "ok"),
        ("pressure", 1000.44, "hPa", "ok"),
        ("voltage", 2.977, "V", "ok"),
    )
    nothing = ruuvitag.decode(bytes.fromhex("058000ffffffff800080008000" + "ff" * 11))
    assert {one.quality for one in ruuvitag.readings(nothing)} == {"no_data"}
    highest = ruuvitag.decode(b"\x05\x7f\xff\xff\xfe" + valid[5:])
    assert [one.quality for one in ruuvitag.readings(highest)][:2] == ["out_of_range"] * 2


def test_the_short_format() -> None:
    """C5 is format 5 without acceleration."""
    named = ruuvitag.decode(bytes.fromhex("c512fc5394c37cac364200cdcbb8334c884f"))
    assert (named["temperature_c"], named["pressure_pa"]) == (24.3, 100044)
    assert (named["sequence"], named["address"]) == (205, "cbb8334c884f")


def test_a_ruuvi_air() -> None:
    """Format 6 and E1 have particles, gases and light."""
    air = ruuvitag.decode(bytes.fromhex("06170c5668c79e007000c90501d900cd004c884f"))
    assert (air["temperature_c"], air["humidity_rh"]) == (29.5, 55.3)
    assert (air["pressure_pa"], air["pm25"], air["co2_ppm"]) == (101102, 11.2, 201)
    assert (air["voc_index"], air["nox_index"], air["sequence"]) == (10, 2, 205)
    extended = ruuvitag.decode(
        bytes.fromhex("e1170c5668c79e0065007004bd11ca00c90a0213e0ac000000deced1")
        + bytes.fromhex("1000000000cbb8334c884f00")
    )
    assert (extended["pm1"], extended["pm25"], extended["pm10"]) == (10.1, 11.2, 455.4)
    assert (extended["illuminance"], extended["sequence"]) == (13027.0, 0xDECED1)


def test_damaged_adverts() -> None:
    """Another format, or one that breaks off, is refused."""
    assert fault_of(ruuvitag.decode, b"") == "incomplete"
    assert fault_of(ruuvitag.decode, b"\x04abc") == "framing"
    assert fault_of(ruuvitag.decode, b"\x05abc") == "incomplete"
    assert fault_of(ruuvitag.readings, {}) == "no_data"
