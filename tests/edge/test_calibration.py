from pathlib import Path
from typing import Any

from drivers.reading import Reading
from edge.calibration import Calibration, calibrated, with_raw
from tests.waiting import angsila, free_port, get, until

SETTINGS = """
[[sensor]]
name = "pier"
driver = "fake_pier"
period_s = 0.2
[sensor.calibration.water_level]
gain = 2
offset = 10
date = "2026-11-25"
by = "Somchai"
ref = "tide staff"
"""

PH = Calibration(1.02, -0.11, "2026-11-25", "Somchai", "buffers 7.00 and 10.01")
RAW = (Reading("ph", 8.0, "[pH]"), Reading("air_temperature", 31.5, "Cel"))


def test_the_raw_value_stays_beside_the_calibrated_one() -> None:
    """What is shown is gain × raw + offset; what the probe said can still be had."""
    assert calibrated(RAW, {"ph": PH}, needs=True) == (
        Reading("ph", 8.0 * 1.02 - 0.11, "[pH]"),
        Reading("ph_raw", 8.0, "[pH]"),
        Reading("air_temperature", 31.5, "Cel", "uncalibrated"),
    )


def test_without_a_calibration_a_reading_is_what_was_read() -> None:
    """A sensor that is calibrated in its factory is taken at its word."""
    assert calibrated(RAW, {}, needs=False) is RAW


def test_a_probe_that_needs_one_says_that_it_has_none() -> None:
    """The value stays, so that it can be watched; what is missing for another reason says that."""
    missing = Reading("ph", None, "[pH]", "timeout")

    assert [one.quality for one in calibrated((RAW[0], missing), {}, needs=True)] == [
        "uncalibrated",
        "timeout",
    ]


def test_a_missing_value_is_missing_in_both() -> None:
    """Nothing is made out of nothing, and no number that is none leaves."""
    missing = Reading("ph", None, "[pH]", "checksum")
    assert [one.value for one in calibrated((missing,), {"ph": PH}, needs=True)] == [None, None]

    huge = Calibration(1e6, 0, "2026-11-25", "Somchai", "nothing")
    found = calibrated((Reading("ph", 1e305, "[pH]"),), {"ph": huge}, needs=True)
    assert [(one.value, one.quality) for one in found] == [(None, "out_of_range"), (1e305, "ok")]


def test_each_raw_value_has_its_row() -> None:
    """The journal knows its decimals, and the gap of a sensor that went is in both streams."""
    spec = (("ph", "[pH]", 0, 14, 2), ("air_temperature", "Cel", -40, 85, 2))

    assert with_raw(spec, {"ph": PH}) == (*spec, ("ph_raw", "[pH]", 0, 14, 2))
    assert PH.words() == {
        "gain": 1.02,
        "offset": -0.11,
        "date": "2026-11-25",
        "by": "Somchai",
        "ref": "buffers 7.00 and 10.01",
    }


async def test_a_calibration_shows_with_its_raw_value_and_who_found_it(tmp_path: Path) -> None:
    """Through the running kiosk: both streams in /api/now, and date and name in /health."""
    config = tmp_path / "kiosk.toml"
    config.write_text(SETTINGS)
    port = free_port()
    url = f"http://127.0.0.1:{port}"

    def levels() -> Any:
        readings = (get(f"{url}/api/now") or {}).get("readings", ())
        found = {one["quantity"]: one for one in readings}
        return found if "water_level_raw" in found else None

    where = ("--state", tmp_path / "kiosk", "--port", str(port))
    async with angsila("run", "--config", config, *where) as kiosk:
        found = await until(levels)
        (sensor,) = get(f"{url}/health")["sensors"]
        assert (await kiosk.end())[0] == 0

    shown, raw = found["water_level"], found["water_level_raw"]
    assert abs(shown["value"] - (2 * raw["value"] + 10)) < 0.02
    assert (shown["unit"], shown["simulated"]) == (raw["unit"], raw["simulated"])
    assert sensor["calibration"]["water_level"]["by"] == "Somchai"
    assert sensor["calibration"]["water_level"]["date"] == "2026-11-25"
