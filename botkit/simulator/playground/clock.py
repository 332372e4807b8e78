"""A clock that can be moved forward while everything runs on."""

from threading import Lock

from botkit.runtime import SystemClock


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
