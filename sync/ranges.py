"""Sets of seqs as sorted, disjoint, inclusive ranges: the one duplicate check of both ends."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator


class Ranges:
    """A set of non-negative integers that mostly come in runs."""

    __slots__ = ("_firsts", "_lasts")

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._firsts: list[int] = []
        self._lasts: list[int] = []
        for first, last in ranges:
            self.add(first, last)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return zip(self._firsts, self._lasts, strict=True)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # A set that grows has no hash.

    def __repr__(self) -> str:
        return f"Ranges({list(self)})"

    def __bool__(self) -> bool:
        return bool(self._firsts)

    def count(self) -> int:
        """How many integers are in the set.

        Not `__len__`: list() would take memory for as many ranges as there are integers.
        """
        return sum(last - first + 1 for first, last in self)

    def add(self, first: int, last: int) -> None:
        """Put in `first` to `last`. Raises `ValueError` on an empty range, changing nothing."""
        if not 0 <= first <= last:
            raise ValueError(f"not a range of seqs: {first}..{last}")
        # Everything that touches or overlaps first-1 .. last+1 becomes one range.
        low = bisect_left(self._lasts, first - 1)
        high = bisect_right(self._firsts, last + 1)
        if low < high:
            first = min(first, self._firsts[low])
            last = max(last, self._lasts[high - 1])
        self._firsts[low:high] = [first]
        self._lasts[low:high] = [last]

    def __sub__(self, other: Ranges) -> Ranges:
        """What is in this set and not in the other."""
        return Ranges(hole for first, last in self for hole in other.holes(first, last))

    def covers(self, first: int, last: int) -> bool:
        """Whether all of `first` to `last` is in the set."""
        index = bisect_left(self._lasts, last)
        return index < len(self._firsts) and self._firsts[index] <= first

    def touches(self, first: int, last: int) -> bool:
        """Whether any of `first` to `last` is in the set."""
        index = bisect_left(self._lasts, first)
        return index < len(self._firsts) and self._firsts[index] <= last

    def without_hole(self) -> int:
        """The last seq of the run that starts at 1; 0 where there is none."""
        if self._firsts and self._firsts[0] <= 1:
            return self._lasts[0]
        return 0

    def holes(self, first: int, last: int) -> list[tuple[int, int]]:
        """What of `first` to `last` is not in the set."""
        holes = []
        for start, end in self:
            if end < first:
                continue
            if start > last:
                break
            if start > first:
                holes.append((first, start - 1))
            first = end + 1
        if first <= last:
            holes.append((first, last))
        return holes
