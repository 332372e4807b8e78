"""The public fakes: stand-ins at the ports, for tests of your own steps and of botkit itself."""

from concurrent.futures import Future, wait
from threading import Lock
from time import time
from typing import Any, Final

_GLANCE: Final = 0.003
"""Seconds of the machine's own between two looks of `MovableClock.wait` at whether the time has moved."""


class MovableClock:
    """A `Clock` that moves only when it is told to; threads may share it.

    `tick` (ms) passes at every look, so that no two events happen at the same time.
    """

    def __init__(self, start: int | None = None, *, tick: int = 0) -> None:
        self._now = int(time() * 1000) if start is None else start
        self._tick = tick
        self._lock = Lock()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return self._move(self._tick)

    def sleep(self, ms: int) -> None:
        """Moves the time; nobody waits."""
        self._move(ms)

    def wait(self, future: Future[Any], until: int) -> bool:
        """Waits, really, until the future is done or the time was moved to `until`; whether it was done before that.

        So it never depends on how fast threads are. It moves nothing itself, and is no look: where
        nobody finishes the future or moves the time, it never ends.
        """
        done_at: list[int] = []
        future.add_done_callback(lambda _: done_at.append(self._move(0)))
        while not done_at and self._move(0) < until:
            wait([future], _GLANCE)
        return bool(done_at) and done_at[0] < until

    def _move(self, ms: int) -> int:
        with self._lock:
            self._now += ms
            return self._now
