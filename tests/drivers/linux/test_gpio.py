import asyncio
import threading
from collections.abc import Iterator

import pytest
from gpiozero.pins.mock import MockFactory  # type: ignore[import-untyped] # it has no types

from drivers.errors import BusError
from drivers.linux.gpio import EDGES_MAX, GPIOPin
from drivers.pulses import PIR, Rain


@pytest.fixture
def factory() -> Iterator[MockFactory]:
    """Give gpiozero's own pretended pins, and take them back after the test."""
    pins = MockFactory()
    yield pins
    pins.close()
    pins.reset()


async def turn_of_the_loop() -> None:
    """Let what was handed over to the loop be done."""
    for _ in range(3):
        await asyncio.sleep(0)


async def test_tips_of_a_bucket_are_counted(factory: MockFactory) -> None:
    """Each contact to ground is an active edge; opening again is none."""
    driver = Rain(GPIOPin(17, factory=factory), gap_ms=0)
    await driver.start()
    for _ in range(3):
        factory.pin(17).drive_low()
        factory.pin(17).drive_high()
    await turn_of_the_loop()
    assert [(one.quantity, one.value) for one in await driver.read()] == [("rain", 0.84)]
    await driver.close()


async def test_bounces_are_not_counted(factory: MockFactory) -> None:
    """A contact that closes five times within a moment tipped once."""
    driver = Rain(GPIOPin(17, factory=factory), mm_per_tip=1.0, gap_ms=10_000)
    await driver.start()
    for _ in range(5):
        factory.pin(17).drive_low()
        factory.pin(17).drive_high()
    await turn_of_the_loop()
    assert (await driver.read())[0].value == 1.0
    assert driver.counter.bounces == 4
    await driver.close()


async def test_a_motion_sensor_drives_its_pin_high(factory: MockFactory) -> None:
    """Without a pull-up, high is active; as long as it stays so there is motion."""
    pin = GPIOPin(4, pull_up=False, factory=factory)
    driver = PIR(pin, warm_up_s=0)
    await driver.start()
    factory.pin(4).drive_high()
    await turn_of_the_loop()
    assert [one.value for one in await driver.read()] == [1, 1]
    assert [one.value for one in await driver.read()] == [1, 0]
    factory.pin(4).drive_low()
    await turn_of_the_loop()
    assert [one.value for one in await driver.read()] == [0, 0]
    await driver.close()


async def test_edges_come_in_the_loops_thread(factory: MockFactory) -> None:
    """Gpiozero calls from its own thread; a driver is told in the loop's."""
    pin = GPIOPin(17, factory=factory)
    told: list[str] = []
    came = asyncio.Event()

    def on_edge(at_ms: int, is_active: bool) -> None:  # noqa: FBT001 # as the pin says it
        del at_ms, is_active
        told.append(threading.current_thread().name)
        came.set()

    await pin.open(on_edge)
    thread = threading.Thread(target=factory.pin(17).drive_low, name="gpiozero")
    thread.start()
    async with asyncio.timeout(5):
        await came.wait()
    thread.join()
    assert told == [threading.main_thread().name]
    await pin.close()


async def test_a_chattering_contact_costs_no_memory(factory: MockFactory) -> None:
    """While the loop is busy only so many edges are kept, the newest ones."""
    pin = GPIOPin(17, factory=factory)
    told: list[bool] = []
    await pin.open(lambda _, is_active: told.append(is_active))
    for _ in range(EDGES_MAX):
        factory.pin(17).drive_low()
        factory.pin(17).drive_high()
    await turn_of_the_loop()
    assert len(told) == EDGES_MAX
    await pin.close()


async def test_a_pin_that_is_not_there_or_not_open(factory: MockFactory) -> None:
    """Both are named."""
    with pytest.raises(BusError, match="GPIO 99") as caught:
        await GPIOPin(99, factory=factory).open(lambda *_: None)
    assert caught.value.fault == "absent"
    with pytest.raises(BusError, match="GPIO 17 is not open"):
        GPIOPin(17, factory=factory).is_active()


async def test_a_pin_can_be_opened_again(factory: MockFactory) -> None:
    """After a failure the supervisor starts a driver anew, on the same pin."""
    driver = Rain(GPIOPin(17, factory=factory), gap_ms=0)
    for _ in range(2):
        await driver.start()
    factory.pin(17).drive_low()
    await turn_of_the_loop()
    assert (await driver.read())[0].value == 0.28
    await driver.close()
    await driver.close()
