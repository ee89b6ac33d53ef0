from pathlib import Path

import pytest

from kiosk_ui.workbook_place import COAST, coast_longitude, sea_m
from tests.kiosk_ui import workbooks


@pytest.mark.parametrize(("latitude", "longitude"), COAST)
def test_the_coast_goes_through_its_points(latitude: float, longitude: float) -> None:
    """From the pier to Wonnapha."""
    assert coast_longitude(latitude) == pytest.approx(longitude, abs=1e-9)
    assert sea_m(latitude, longitude - 0.01) == pytest.approx(1082, abs=5)
    assert sea_m(latitude, longitude + 0.01) == 0


def test_the_coast_goes_straight_on_beyond_its_ends() -> None:
    """North of the pier and south of Wonnapha nobody gave us a point."""
    assert coast_longitude(13.4) == 100.925
    assert coast_longitude(13.2) == 100.923


@pytest.mark.parametrize("lon", ["100.89", "100.9"])
def test_what_stands_over_water_says_so(tmp_path: Path, lon: str) -> None:
    """A pier or an oyster farm may be in the sea, when the row says that it is meant."""
    cells = {"lat": "13.335", "lon": lon, "precision_m": "50"}
    path = workbooks.edited(tmp_path, "places", "oyster-mussel-farms", **cells)
    codes = [one.code for one in workbooks.problems(path)]
    workbooks.edit(path, "places", "oyster-mussel-farms", over_water="yes")

    assert codes == ["sea"]
    assert workbooks.problems(path) == []


def test_a_rough_point_may_lie_a_little_off(tmp_path: Path) -> None:
    """A point that is known to 600 m can be 600 m out at sea and mean the beach."""
    cells = {"lat": "13.335", "lon": "100.9145", "precision_m": "600"}
    path = workbooks.edited(tmp_path, "places", "stone-basins", **cells)
    codes = [one.code for one in workbooks.problems(path)]
    workbooks.edit(path, "places", "stone-basins", precision_m="50")

    assert codes == []
    assert [one.code for one in workbooks.problems(path)] == ["sea"]
