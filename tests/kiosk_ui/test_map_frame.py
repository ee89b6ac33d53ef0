import pytest

from kiosk_ui.content import distance_m
from kiosk_ui.map_frame import Box, Frame, box_round, curve, line

PIER = (13.341, 100.925)
SHRINE = (13.328, 100.922)


def test_metres_on_the_plan_are_metres_on_the_ground() -> None:
    """Over the town, the flat plan and the round earth agree within half a per cent."""
    x, y = Frame(PIER).point(*SHRINE)

    assert (x * x + y * y) ** 0.5 == pytest.approx(distance_m(PIER, SHRINE), rel=0.005)


@pytest.mark.parametrize(
    ("up_deg", "place", "where"),
    [
        (0.0, (13.35, 100.925), "up"),
        (0.0, (13.341, 100.935), "right"),
        (90.0, (13.341, 100.935), "up"),
        (90.0, (13.35, 100.925), "left"),
        (180.0, (13.35, 100.925), "down"),
        (270.0, (13.341, 100.915), "up"),
        (270.0, (13.35, 100.925), "right"),
    ],
)
def test_what_is_ahead_is_up(up_deg: float, place: tuple[float, float], where: str) -> None:
    """A person who looks east has the east at the top of the plan and the north to the left."""
    x, y = Frame(PIER, up_deg).point(*place)

    found = {"right": x, "left": -x, "down": y, "up": -y}
    assert max(found, key=lambda side: found[side]) == where
    assert min(abs(x), abs(y)) < 1


def test_turning_keeps_distances() -> None:
    """A turned plan is the same plan."""
    straight, turned = Frame(PIER).point(*SHRINE), Frame(PIER, 237.0).point(*SHRINE)

    assert sum(n * n for n in turned) == pytest.approx(sum(n * n for n in straight))


def test_a_box_holds_its_points_with_a_margin() -> None:
    """And is never smaller than what one can still look at."""
    box = box_round([(0, 0), (100, 40)], margin=10, least=80)

    assert box == Box(-10, -20, 120, 80)
    assert box.holds((0, 0))
    assert not box.holds((111, 0))
    assert box.view == "-10 -20 120 80"


def test_a_curve_passes_through_all_its_points() -> None:
    """Otherwise the coast would leave the places that are known to lie at it."""
    points: list[tuple[float, float]] = [(0, 0), (10, 20), (30, 20), (40, 0)]

    ends = [piece.split()[-2:] for piece in curve(points).split("C")[1:]]

    assert [(float(x), float(y)) for x, y in ends] == points[1:]
    assert curve(points).startswith("M0 0C")
    assert line(points[:2], closed=True) == "M0 0L10 20Z"
