"""The public fakes: stand-ins at the ports, for tests of your own steps and of botkit itself."""

from time import time


class MovableClock:
    """A `Clock` that moves only when it is told to.

    `tick` (ms) passes at every look, so that no two events happen at the same time.
    """

    def __init__(self, start: int | None = None, *, tick: int = 0) -> None:
        self._now = int(time() * 1000) if start is None else start
        self._tick = tick

    def now(self) -> int:
        """Milliseconds since 1970."""
        self._now += self._tick
        return self._now

    def sleep(self, ms: int) -> None:
        """Moves the time; nobody waits."""
        self._now += ms
