"""A sensor that sends frames over a serial line by itself: what all of them share."""

from drivers.aio import within
from drivers.port import ticks_ms
from drivers.warm_up import WarmUp

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from drivers.bus import ByteStream, Scanner
    from drivers.reading import Reading, SpecRow


class LineSensor:
    """One sensor on one serial line.

    With `every_frame` each frame is a reading, in its order, as fast as the sensor sends
    them; without, `read` waits for the next one and forgets those in between. A sensor
    names its frames with `make_scanner` and turns one into readings with `take`.
    """

    KIND = ""
    SIMULATED = False
    SPEC: "tuple[SpecRow, ...]" = ()
    FRAME_MAX_S = 5.0  # So long may a frame be awaited.
    WARM_UP_S = 0.0  # So long after the start a reading has no value, where nobody says otherwise.

    def __init__(
        self,
        line: "ByteStream",
        *,
        every_frame: bool = False,
        warm_up_s: "float | None" = None,
        now_ms: "Callable[[], int]" = ticks_ms,
    ) -> None:
        self._line = line
        self._every_frame = every_frame
        self._warm = WarmUp(self.WARM_UP_S if warm_up_s is None else warm_up_s, now_ms)
        self._frames: list[bytes] = []
        self.scanner = self.make_scanner()

    def make_scanner(self) -> "Scanner":
        """What finds this sensor's frames."""
        raise NotImplementedError(f"{self.KIND} has no frames")

    def take(self, frame: bytes) -> "tuple[Reading, ...]":
        """Readings of one good frame. Raises `DriverError`."""
        raise NotImplementedError(f"{self.KIND} does not know {len(frame)} bytes")

    async def prepare(self) -> None:
        """Tell the sensor how to send. Raises `BusError`."""

    async def ask(self) -> None:
        """Ask for a frame, if the sensor does not send by itself. Raises `BusError`."""

    async def start(self) -> None:
        """Open the line and prepare the sensor. Raises `BusError`."""
        await self._line.open()
        await self.prepare()
        self._warm.begin()

    async def read(self) -> "tuple[Reading, ...]":
        """Wait for a good frame. Raises `DriverError`, with the fault "timeout" if none comes."""
        return self._warm.covered(self.SPEC, self.take(await self.next_frame()))

    async def close(self) -> None:
        """Give the line back. The sensor goes on: a restart would cost another warm-up."""
        await self._line.close()

    async def next_frame(self) -> bytes:
        """The next good frame. Raises `BusError`, with the fault "timeout" if none comes."""
        if not self._every_frame:
            self.forget()
        if not self._frames:
            await self.ask()
            await within(self.FRAME_MAX_S, self.KIND, self._receive())
        return self._frames.pop(0)

    def forget(self) -> None:
        """Forget everything that came before now."""
        self._frames = []
        self._line.drop_pending()
        self.scanner.reset()

    async def _receive(self) -> None:
        """Feed the scanner until it has found at least one frame.

        Only an empty list is filled, so it never holds more than what the line had.
        """
        while not self._frames:
            self._frames = self.scanner.feed(await self._line.read())
