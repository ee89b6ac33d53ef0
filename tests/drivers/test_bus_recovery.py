"""A chip that holds the data line is clocked until it lets go, and the lines are given back."""

from drivers.bus_recovery import CLOCKS_MAX, free

PORTABLE = True


class StuckChip:
    """A chip in the middle of a byte, and the lines it is on."""

    def __init__(self, clocks_needed: int) -> None:
        self.clocks_needed = clocks_needed
        self.steps: list[str] = []
        self.we_hold_data = False

    def take(self) -> None:
        """Note it."""
        self.steps.append("take")

    def clock(self, *, low: bool) -> None:
        """Count the rising edges."""
        self.steps.append("clock low" if low else "clock high")
        if not low:
            self.clocks_needed -= 1

    def pull_data(self, *, low: bool) -> None:
        """Note it."""
        self.steps.append("data low" if low else "data high")
        self.we_hold_data = low

    def data_is_high(self) -> bool:
        """Low as long as one of us pulls."""
        return self.clocks_needed <= 0 and not self.we_hold_data

    def give_back(self) -> None:
        """Note it."""
        self.steps.append("give back")


def test_a_chip_is_clocked_until_it_lets_go() -> None:
    """As many clocks as it needs, then a stop, and the controller has its lines again."""
    for needed in range(CLOCKS_MAX + 1):
        chip = StuckChip(needed)
        assert free(chip)
        assert chip.steps.count("clock low") == needed + 1
        assert chip.steps[0] == "take"
        assert chip.steps[-5:] == ["clock low", "data low", "clock high", "data high", "give back"]


def test_a_line_that_stays_low_is_given_back_too() -> None:
    """A short to ground takes nine clocks, and is said."""
    chip = StuckChip(1000)
    assert not free(chip)
    assert chip.steps.count("clock low") == CLOCKS_MAX + 1
    assert chip.steps[-1] == "give back"
