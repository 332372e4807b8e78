"""A clock that can be moved forward while everything runs on."""

from concurrent.futures import Future, wait
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Any, Final

from botkit.errors import StoreError
from botkit.wiring import SystemClock

LOOK_EVERY: Final = 0.05
"""Seconds between two looks of who waits: the time may have jumped."""


class PlayClock(SystemClock):
    """The machine's time and a jump ahead of it; LINE, the handler and the schedule all go by it.

    `offset` is how far ahead it is, in ms, and is kept in the file `kept`, where one is given: whoever uses the
    same store later must not be earlier. It never goes back: what was said stays in order.
    """

    def __init__(self, kept: Path | None = None) -> None:
        self.offset = _read(kept) if kept else 0
        self._kept = kept
        self._lock = Lock()

    def now(self) -> int:
        """Milliseconds since 1970."""
        return super().now() + self.offset

    def jump(self, ms: int) -> None:
        """Move ahead. Raises ValueError for a jump back, and StoreError where it cannot be kept."""
        if ms < 0:
            raise ValueError("time only goes forward")
        with self._lock:
            ahead = self.offset + ms
            if self._kept:
                _write(self._kept, ahead)
            self.offset = ahead

    def wait(self, future: "Future[Any]", until: int) -> bool:
        """Wait until the future is done, or until a time in ms since 1970, also where a jump brings it."""
        while not future.done() and (left := until - self.now()) > 0:
            wait([future], min(left / 1000, LOOK_EVERY))
        return future.done()


def _read(kept: Path) -> int:
    """How far ahead it was; 0 where nothing that makes sense was kept."""
    with suppress(OSError, ValueError):
        return max(0, int(kept.read_text("ascii")))
    return 0


def _write(kept: Path, ms: int) -> None:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        new = kept.with_suffix(".new")
        new.write_text(str(ms), "ascii")
        new.replace(kept)
    except OSError as error:
        raise StoreError(f"{kept}: the time cannot be kept: {error.strerror}; see that it can be written") from error
