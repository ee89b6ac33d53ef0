import random

import pytest

from sync.ranges import Ranges


def test_it_behaves_like_a_set_of_integers() -> None:
    """Whatever is added in whatever order, ranges answer as a plain set would."""
    rng = random.Random(1)  # noqa: S311
    for _ in range(200):
        ranges, numbers = Ranges(), set[int]()
        for _ in range(20):
            first = rng.randrange(1, 60)
            last = first + rng.randrange(6)
            ranges.add(first, last)
            numbers |= set(range(first, last + 1))
        first, last = 10, 40
        inside = set(range(first, last + 1))
        holes = {seq for start, end in ranges.holes(first, last) for seq in range(start, end + 1)}
        assert {seq for start, end in ranges for seq in range(start, end + 1)} == numbers
        assert ranges.count() == len(numbers)
        assert holes == inside - numbers
        assert ranges.covers(first, last) == (inside <= numbers)
        assert ranges.touches(first, last) == bool(inside & numbers)


def test_neighbours_become_one_range() -> None:
    """Two ranges that touch are one, so a lane without a hole is one pair of numbers."""
    ranges = Ranges([(1, 5), (6, 9), (20, 30)])
    assert list(ranges) == [(1, 9), (20, 30)]
    assert ranges.without_hole() == 9


@pytest.mark.parametrize(("first", "last"), [(5, 4), (-1, 3)])
def test_an_empty_range_changes_nothing(first: int, last: int) -> None:
    """What is no range is refused, and the set stays as it was."""
    ranges = Ranges([(1, 2)])
    with pytest.raises(ValueError, match="not a range"):
        ranges.add(first, last)
    assert list(ranges) == [(1, 2)]


def test_a_huge_set_costs_no_memory() -> None:
    """What a city says it has may be any number; two integers are all that is kept of it."""
    ranges = Ranges([(1, 2**62)])
    assert [*ranges] == [(1, 2**62)]
    assert ranges.count() == 2**62
    assert ranges
    assert not Ranges()


def test_a_difference_is_what_only_the_first_has() -> None:
    """Ranges are cut where the other set begins and ends, and stay what they were."""
    ranges, other = Ranges([(1, 10), (20, 30)]), Ranges([(4, 5), (25, 40)])
    assert list(ranges - other) == [(1, 3), (6, 10), (20, 24)]
    assert list(ranges) == [(1, 10), (20, 30)]
