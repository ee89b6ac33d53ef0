import pytest

from sync.clock import ANCHOR_PERIOD_MS, FLOOR_UTC_MS, Clock, kernel_error_ms, this_boot

UTC_MS = FLOOR_UTC_MS + 1_000_000


class Kernel:
    """What the kernel says, set by the test."""

    def __init__(self) -> None:
        self.boottime_ms = 5_000
        self.wall_ms = UTC_MS
        self.error_ms: int | None = None

    def clock(self, *trust: str) -> Clock:
        """A clock that asks this kernel."""
        return Clock(
            trust,
            boot="ab" * 16,
            boottime_ms=lambda: self.boottime_ms,
            wall_ms=lambda: self.wall_ms,
            ntp_error_ms=lambda: self.error_ms,
        )


def test_a_clock_nobody_vouches_for_is_not_set() -> None:
    """Without NTP there is no UTC, however plausible the wall clock looks."""
    clock = Kernel().clock("ntp", "city")
    assert clock.poll() is None
    assert clock.utc_ms() is None
    assert clock.state()["set"] is False


def test_ntp_sets_the_clock() -> None:
    """When the kernel says that NTP has set it, UTC follows the steady clock from there."""
    kernel = Kernel()
    clock = kernel.clock("ntp")
    kernel.error_ms = 12
    clock.poll()
    kernel.boottime_ms += 2_500
    assert clock.utc_ms() == UTC_MS + 2_500
    assert (clock.source, clock.error_ms) == ("ntp", 13)  # And 1 for 2.5 s on a quartz.


def test_a_step_of_a_trusted_clock_is_a_new_anchor() -> None:
    """A wall clock that jumps further than both errors makes a new anchor at once."""
    kernel = Kernel()
    clock = kernel.clock("ntp")
    kernel.error_ms = 10
    first = clock.poll()
    kernel.wall_ms += 15
    assert clock.poll() is None
    kernel.wall_ms += 3_600_000
    second = clock.poll()
    assert first is not None
    assert second is not None
    assert second.utc_ms == UTC_MS + 15 + 3_600_000


def test_a_good_anchor_is_renewed_after_an_hour() -> None:
    """A quartz drifts, so an anchor is not used for ever."""
    kernel = Kernel()
    clock = kernel.clock("ntp")
    kernel.error_ms = 10
    clock.poll()
    kernel.boottime_ms += ANCHOR_PERIOD_MS
    kernel.wall_ms += ANCHOR_PERIOD_MS
    assert clock.poll() is not None


def test_a_worse_source_does_not_replace_a_better_one() -> None:
    """The city's word does not move a clock that NTP has set, the other way round it does."""
    kernel = Kernel()
    clock = kernel.clock("ntp", "city")
    assert clock.told("city", UTC_MS, 300) is not None
    kernel.error_ms = 10
    assert clock.poll() is not None
    assert clock.told("city", UTC_MS + 9_000_000, 300) is None
    assert clock.source == "ntp"


def test_1970_is_no_time() -> None:
    """Whoever says it, a time before this software existed is not believed."""
    kernel = Kernel()
    kernel.wall_ms = 10_000
    kernel.error_ms = 1
    clock = kernel.clock("ntp", "city", "system")
    assert clock.poll() is None
    assert clock.told("city", 10_000, 1) is None


def test_the_system_clock_counts_only_where_its_owner_says_so() -> None:
    """A desktop's clock is trusted by a setting, and called that."""
    clock = Kernel().clock("system")
    clock.poll()
    assert clock.source == "system"


def test_a_source_that_is_none_is_named() -> None:
    """A wrong word in `trust` is said with what is allowed."""
    with pytest.raises(ValueError, match="gps"):
        Clock(("gps",))


def test_this_machine_has_a_boot_and_a_bound() -> None:
    """The real kernel gives an id of 32 hex digits, and a bound or none."""
    assert len(bytes.fromhex(this_boot())) == 16
    error_ms = kernel_error_ms()
    assert error_ms is None or error_ms > 0
    clock = Clock(())
    assert clock.boottime_ms() > 0


def test_a_quartz_is_trusted_less_the_longer_nobody_corrects_it() -> None:
    """The error that is declared grows with the distance from the anchor, to both sides of it."""
    kernel = Kernel()
    clock = kernel.clock("ntp")
    kernel.error_ms = 10
    anchor = clock.poll()
    assert anchor is not None
    declared_ms = [anchor.error_at(anchor.boottime_ms + off) for off in (0, 1, 1_000_000, -50_000)]
    assert declared_ms == [10, 11, 110, 15]
    kernel.boottime_ms += 1_000_000
    assert clock.error_ms == 110
