"""A clock that can be moved forward while everything runs on."""

from concurrent.futures import Future, wait
from threading import Lock
from typing import Any, Final

from botkit.runtime import SystemClock

LOOK_EVERY: Final = 0.05
"""Seconds between two looks of who waits: the time may have jumped."""


class PlayClock(SystemClock):
    """The machine's time and a jump ahead of it; LINE, the handler and the schedule all go by it.

    `offset` is how far ahead it is, in ms. It never goes back: what was said stays in order.
    """

    def __init__(self, offset: int = 0) -> None:
        self.offset = offset
        self._lock = Lock()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return super().now() + self.offset

    def jump(self, ms: int) -> None:
        """Move ahead. Raises ValueError for a jump back."""
        if ms < 0:
            raise ValueError("time only goes forward")
        with self._lock:
            self.offset += ms

    def wait(self, future: "Future[Any]", until: int) -> bool:
        """Wait until the future is done, or until a time in ms since 1970, also where a jump brings it."""
        while not future.done() and (left := until - self.now()) > 0:
            wait([future], min(left / 1000, LOOK_EVERY))
        return future.done()
