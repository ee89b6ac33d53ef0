"""Today in a real Chromium, with messages of the service as they may come."""

import json
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.kiosk_ui.screen import (
    CUT,
    LANGUAGES,
    LIVE_MS_MAX,
    SIZES,
    Served,
    open_screen,
    served,
    show,
)

HOUR_MS = 3_600_000
# Of sensors that start later.
LATE = ("rain", "pm10", "co2", "illuminance", "ph", "dissolved_oxygen")
# The service's own messages, with some parts of them changed.
CHANGED = """
const change = window.change = %s;
const Real = EventSource;
window.EventSource = class extends Real {
  addEventListener(kind, hear) {
    super.addEventListener(kind, (event) => {
      if (!event.data) return hear(event);
      const message = JSON.parse(event.data);
      Object.assign(message.today, change.today);
      message.readings = message.readings
        .filter((one) => !change.without.includes(one.quantity))
        .map((one) => ({...one, ...change.readings[one.quantity]}));
      message.readings.push(...change.more);
      hear({data: JSON.stringify(message)});
    });
  }
};
"""


def open_today(browser: Browser, screen: Served, page_number: int, **change: Any) -> Page:
    """Open a page of Today in English with a changed world."""
    whole = {"today": {}, "readings": {}, "without": [], "more": [], **change}
    page = open_screen(browser, screen, f"#en/today@{page_number}", CHANGED % json.dumps(whole))
    # Which sensors there are is asked when the screen is shown.
    show(page, "en", "home")
    show(page, "en", "today", page_number)
    return page


def reading(quantity: str, value: float | None, unit: str, quality: str = "ok") -> dict[str, Any]:
    """One more reading of the service."""
    return {
        "stream": f"roof/{quantity}",
        "quantity": quantity,
        "value": value,
        "unit": unit,
        "age_s": 1,
        "quality": quality,
        "simulated": False,
    }


DAY = {
    "value": 37.6,
    "unit": "ug/m3",
    "band": 3,
    "averaging": "24h",
    "hours": 21,
    "until_ms": 1_795_600_800_000,
    "age_s": 60,
    "source": "roof",
    "simulated": False,
}


def test_the_days_mean_is_the_index_and_the_value_of_now_stands_beside_it(
    browser: Browser, screen: Served
) -> None:
    """With a mean of 24 hours, the band is that of the mean, and it is called one."""
    page = open_today(browser, screen, 1, today={"pm2_5_day": DAY})
    panel = page.locator('[data-age="pmday"]')

    expect(panel).to_contain_text("PM2.5, 24 h mean")
    expect(panel).to_contain_text("37.6 µg/m³")
    expect(panel).to_contain_text("Starting to affect health")
    expect(panel).to_contain_text("now 18 µg/m³ · 21 of 24 h")
    expect(panel.locator(".scale")).to_have_attribute("data-level", "3")
    assert page.evaluate(CUT) == []
    page.context.close()


def test_a_sensor_that_comes_later_gets_its_sheet(browser: Browser, screen: Served) -> None:
    """What the screen came to before it was there is not what it comes to now."""
    page = open_today(browser, screen, 0)
    sheets = page.locator(".today .sheets > :not([data-absent])").count()
    more = [reading(name, 1.0, "1") for name in LATE]
    page.evaluate("(more) => { window.change.more = more; }", more)
    place = page.locator(f'[data-quantity="{LATE[-1]}"]')
    expect(place).not_to_have_attribute("hidden", "", timeout=LIVE_MS_MAX)
    show(page, "en", "home")
    show(page, "en", "today")

    assert page.locator(".today .sheets > :not([data-absent])").count() == sheets + 1
    while not place.is_visible():
        page.locator('#pager [data-turn="1"]:enabled').click()
    page.context.close()


def test_a_value_that_grows_while_it_is_read_is_not_cut(browser: Browser, screen: Served) -> None:
    """The screen is laid out anew when what it shows needs more room than it had."""
    page = open_today(browser, screen, 3)
    noise = page.locator('[data-quantity="sound_level"]')
    expect(noise).to_be_visible()
    long = "wwww " * 8
    page.evaluate(
        "(change) => { window.change.readings = change; }", {"sound_level": {"unit": long}}
    )
    expect(noise).to_contain_text(long.strip(), timeout=LIVE_MS_MAX)

    assert page.evaluate(CUT) == []
    page.context.close()


def test_without_a_days_mean_the_value_is_called_one_of_now(
    browser: Browser, screen: Served
) -> None:
    """So nobody takes it for the official index."""
    page = open_today(browser, screen, 1)
    panel = page.locator('[data-age="pmday"]')

    expect(panel).to_contain_text("PM2.5 now")
    expect(panel).to_contain_text("not the 24\N{NO-BREAK SPACE}h index")
    page.context.close()


@pytest.mark.parametrize(
    ("quality", "words"),
    [
        ("timeout", "sensor silent"),
        ("absent", "no sensor"),
        ("warming_up", "warming up"),
        ("out_of_range", "out of range"),
        ("checksum", "damaged data"),
        ("wrong_chip", "sensor fault"),
    ],
)
def test_a_value_that_is_missing_says_why(
    browser: Browser, screen: Served, quality: str, words: str
) -> None:
    """In words, where the value would be."""
    silent = {"value": None, "quality": quality}
    page = open_today(browser, screen, 3, readings={"water_temperature": silent})

    expect(page.locator("[data-quantity=water_temperature]")).to_contain_text(f"–{words} · pier")
    page.context.close()


def test_a_value_to_be_taken_with_care_says_so(browser: Browser, screen: Served) -> None:
    """A probe that nobody has calibrated still tells something."""
    page = open_today(browser, screen, 3, readings={"water_level": {"quality": "uncalibrated"}})

    level = page.locator("[data-quantity=water_level]")
    expect(level).to_contain_text("1.87")
    expect(level).to_contain_text("not calibrated · simulated")
    page.context.close()


def test_rain_is_that_of_today_and_wind_has_its_gusts(browser: Browser, screen: Served) -> None:
    """What fell since the last reading means nothing to anybody."""
    rain = {"value": 4.2, "unit": "mm", "whole_day": False, "age_s": 1, "source": "roof"}
    page = open_today(
        browser,
        screen,
        3,
        today={"rain_day": {**rain, "since_ms": 1_795_600_800_000, "simulated": False}},
        more=[reading("rain", 0.0, "mm"), reading("wind_gust", 9.5, "m/s")],
    )

    expect(page.locator("[data-quantity=rain]")).to_contain_text("Rain today4.2 mm")
    expect(page.locator("[data-quantity=rain]")).to_contain_text("since 17:00 · just now · roof")
    expect(page.locator("[data-quantity=wind_speed]")).to_contain_text("gust 9.5 m/s")
    assert page.evaluate(CUT) == []
    page.context.close()


def test_what_is_measured_stands_together(browser: Browser, screen: Served) -> None:
    """Few sensors fill one sheet, wherever in the table they stand."""
    hidden = ["air_temperature", "relative_humidity", "water_temperature", "wind_speed"]
    page = open_today(browser, screen, 3, without=[*hidden, "pm2_5"])

    expect(page.locator(".here li:visible")).to_have_count(4)
    expect(page.locator("[data-count]")).to_have_text("4/4")
    page.context.close()


def test_without_any_sensor_the_screen_says_so(browser: Browser, screen: Served) -> None:
    """Instead of an empty sheet."""
    everything = ["air_temperature", "relative_humidity", "water_temperature", "wind_speed"]
    everything += ["water_level", "sound_level", "people", "pressure", "pm2_5"]
    page = open_today(browser, screen, 3, without=everything)

    expect(page.locator(".here .none:visible")).to_have_text("No sensor reports just now")
    page.context.close()


@pytest.mark.parametrize("size", SIZES)
def test_the_longest_words_fit(browser: Browser, size: str) -> None:
    """A day's mean in the band with the longest name, in every language and size."""
    with served(size) as screen:
        page = open_today(browser, screen, 0, today={"pm2_5_day": {**DAY, "simulated": True}})
        cut = []
        for language in LANGUAGES:
            for number in range(5):
                show(page, language, "today", number)
                cut += page.evaluate(CUT)
        page.context.close()

    assert cut == []


def test_the_tide_is_one_tap_from_home(browser: Browser, screen: Served) -> None:
    """High and low water with their times, and the sun's and the moon's one page on."""
    page = open_today(browser, screen, 0)
    show(page, "en", "home")
    page.locator('[data-go="today"]').click()

    expect(page.locator(".turns").first).to_contain_text("High")
    page.locator('[data-turn="1"]').click()
    page.locator('[data-turn="1"]').click()
    expect(page.locator(".moonpanel .phase b")).not_to_have_text("–")
    assert page.locator("[data-moon] .light").get_attribute("d")
    expect(page.locator(".sunpanel")).to_contain_text("Sunrise")
    page.context.close()
