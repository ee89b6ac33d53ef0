"""The pins of a Raspberry Pi through gpiozero: each edge stamped at once, then handed over."""

from __future__ import annotations

import asyncio
import threading
import warnings
from collections import deque
from typing import TYPE_CHECKING, Any

from drivers.errors import BusError
from drivers.port import ticks_ms

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpiozero import DigitalInputDevice  # type: ignore[import-untyped] # it has no types

# Edges that wait for the loop. A contact that chatters faster than the loop runs loses its
# oldest ones, which are bounces anyway.
EDGES_MAX = 4096


class GPIOPin:
    """One input by its BCM number.

    gpiozero calls from a thread of its own. There the edge gets its time and nothing else
    happens: the callback is told in the loop's thread. There is no debouncing here, since
    gpiozero's drops edges without a trace; a `PulseCounter` counts what it leaves out.
    """

    def __init__(self, number: int, *, pull_up: bool = True, factory: Any = None) -> None:
        self._number = number
        self._pull_up = pull_up
        self._factory = factory
        self._device: DigitalInputDevice | None = None
        self._edges: deque[tuple[int, bool]] = deque(maxlen=EDGES_MAX)
        self._lock = threading.Lock()
        self._is_told = False

    async def open(self, on_edge: Callable[[int, bool], None]) -> None:
        """Call `on_edge(at_ms, is_active)` from now on. Raises `BusError`."""
        await self.close()
        try:
            from gpiozero import (  # noqa: PLC0415 # only a machine with pins pays for it
                DigitalInputDevice,
                GPIOZeroError,
                PinFactoryFallback,
            )
        except ImportError as error:
            message = "gpiozero is not installed: install angsila-kiosk[pi]"
            raise BusError(message, "absent") from error
        loop = asyncio.get_running_loop()

        def stamp(*, is_active: bool) -> None:
            with self._lock:
                self._edges.append((ticks_ms(), is_active))
                if self._is_told or loop.is_closed():
                    return
                self._is_told = True
            loop.call_soon_threadsafe(self._hand_over, on_edge)

        try:
            with warnings.catch_warnings():
                # Each library that is not there would be a line in the log, at every try.
                warnings.simplefilter("ignore", PinFactoryFallback)
                device = DigitalInputDevice(
                    self._number, pull_up=self._pull_up, pin_factory=self._factory
                )
        except (GPIOZeroError, OSError) as error:
            raise BusError(f"GPIO {self._number}: {error}", "absent") from error
        device.when_activated = lambda: stamp(is_active=True)
        device.when_deactivated = lambda: stamp(is_active=False)
        self._device = device

    async def close(self) -> None:
        """Give the pin back."""
        if self._device is not None:
            self._device.close()
        self._device = None
        with self._lock:
            self._edges.clear()

    def is_active(self) -> bool:
        """What the pin says now. Raises `BusError`."""
        if self._device is None:
            raise BusError(f"GPIO {self._number} is not open")
        return bool(self._device.is_active)

    def _hand_over(self, on_edge: Callable[[int, bool], None]) -> None:
        """Tell all edges that wait; called by the loop."""
        with self._lock:
            edges = list(self._edges)
            self._edges.clear()
            self._is_told = False
        for at_ms, is_active in edges:
            on_edge(at_ms, is_active)
