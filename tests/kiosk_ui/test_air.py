import pytest

from kiosk_ui.air import _rothfusz_fahrenheit, heat_index_celsius, heat_level, pm2_5_band


def celsius(fahrenheit: float) -> float:
    """Turn the chart's degrees into ours."""
    return (fahrenheit - 32) * 5 / 9


# The heat index chart of the National Weather Service (weather.gov/safety/heat-index), °F.
CHART = [
    (80, 40, 80),
    (84, 40, 83),
    (90, 40, 91),
    (96, 40, 101),
    (100, 40, 109),
    (104, 40, 119),
    (110, 40, 136),
    (84, 50, 85),
    (90, 50, 95),
    (96, 50, 108),
    (100, 50, 118),
    (86, 90, 105),
    (90, 90, 122),
]


@pytest.mark.parametrize(("air", "humidity", "index"), CHART)
def test_heat_index_agrees_with_the_weather_services_chart(
    air: int, humidity: int, index: int
) -> None:
    """The chart shows whole degrees Fahrenheit, and so close must we be."""
    found = heat_index_celsius(celsius(air), humidity)

    assert found == pytest.approx(celsius(index), abs=celsius(33.1))


def test_dry_air_lowers_the_index() -> None:
    """Below 13 % the procedure takes ((13-RH)/4)·sqrt((17-|T-95|)/17) off: 0.75 °F here."""
    found = heat_index_celsius(celsius(95), 10)

    assert found == pytest.approx(celsius(_rothfusz_fahrenheit(95, 10) - 0.75))


def test_very_humid_air_raises_the_index() -> None:
    """Above 85 % and below 87 °F the procedure adds ((RH-85)/10)·((87-T)/5): 0.6 °F here."""
    found = heat_index_celsius(celsius(84), 95)

    assert found == pytest.approx(celsius(_rothfusz_fahrenheit(84, 95) + 0.6))


def test_a_cool_day_takes_the_simple_form() -> None:
    """Below 80 °F the index stays within a degree or two of the air."""
    assert heat_index_celsius(20, 60) == pytest.approx(19.6, abs=0.3)


@pytest.mark.parametrize(
    ("index", "level"),
    [
        (26.9, 0),
        (27.0, 1),
        (32.9, 1),
        (33.0, 2),
        (41.9, 2),
        (42.0, 3),
        (51.9, 3),
        (52.0, 4),
        (70.0, 4),
    ],
)
def test_heat_levels_begin_exactly(index: float, level: int) -> None:
    """The Thai levels begin at 27, 33, 42 and 52 °C."""
    assert heat_level(index) == level


def test_the_level_fits_the_number_that_is_shown() -> None:
    """32.96 is shown as 33.0, and 33.0 is a warning."""
    assert heat_level(32.96) == 2


@pytest.mark.parametrize(
    ("ugm3", "band"),
    [
        (0, 0),
        (15.0, 0),
        (15.1, 1),
        (25.0, 1),
        (25.1, 2),
        (37.5, 2),
        (37.6, 3),
        (75.0, 3),
        (75.1, 4),
        (500, 4),
    ],
)
def test_pm2_5_bands_begin_exactly(ugm3: float, band: int) -> None:
    """The bands of the Pollution Control Department (2023) end at 15, 25, 37.5 and 75 µg/m³."""
    assert pm2_5_band(ugm3) == band
