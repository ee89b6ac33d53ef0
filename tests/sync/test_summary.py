from sync.entry import Stream
from sync.summary import summarise
from sync.wire import Row

LEVEL = Stream("pier", "water_level", "m", 3, simulated=False)


def test_a_minute_becomes_its_lowest_mean_and_highest() -> None:
    """Six values of one minute become three, stamped with the minute's start."""
    streams: list[Stream] = [LEVEL]

    def number(stream: Stream) -> int:
        if stream not in streams:
            streams.append(stream)
        return streams.index(stream)

    rows = [Row(n, 0, 60_000 + n * 10_000, value, 0) for n, value in enumerate((5, 1, 9, 3, 2, 4))]
    found = {streams[row.stream].quantity: row for row in summarise(rows, [LEVEL], number)}
    assert {name: row.scaled for name, row in found.items()} == {
        "water_level.min": 1,
        "water_level.mean": 4,
        "water_level.max": 9,
    }
    assert {row.at_ms for row in found.values()} == {60_000}


def test_a_lone_value_is_its_own_mean_and_a_missing_one_is_none() -> None:
    """One value needs one row; an entry without a value leaves no trace in the figures."""
    rows = [Row(1, 0, 0, 7, 0), Row(2, 0, 60_000, None, 5)]
    found = summarise(rows, [LEVEL], lambda _: 3)
    assert [(row.at_ms, row.scaled, row.quality) for row in found] == [(0, 7, 0)]
