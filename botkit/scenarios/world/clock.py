"""StageClock: the time of a scenario, in which nobody sleeps through a moment that somebody else waits for."""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Condition, get_ident
from typing import Any, Final

from botkit.testing import MovableClock

LONG: Final = 5_000
"""A sleep of so many ms and more, beside the thread that made the clock, is one of a turn that a worker waits for."""
COMES: Final = 0.5
"""Seconds of the machine's own in which that worker begins to wait."""
ACTS: Final = 1.0
"""Seconds of the machine's own in which it does what it has waited to do, such as giving a notice."""


class StageClock(MovableClock):
    """A clock that moves only when it is told to. Lives as long as one scenario; threads may share it.

    `MovableClock` jumps over a long sleep at once: a worker that is to give a notice after 45 s would find itself
    at the sleep's end, and the reply token dead. Here the sleep stops at that moment until the worker has done it.
    """

    def __init__(self, start: int) -> None:
        super().__init__(start)
        self._changed = Condition()
        self._untils: list[int] = []
        self._arrivals = 0
        self._own = get_ident()

    def wait(self, future: Future[Any], until: int) -> bool:
        """Waits, really, until the future is done or the time was moved to `until`; whether it was done before that."""
        with self._changed:
            self._untils.append(until)
            self._arrivals += 1
            self._changed.notify_all()
        try:
            return super().wait(future, until)
        finally:
            with self._changed:
                self._untils.remove(until)

    def sleep(self, ms: int) -> None:
        """Moves the time, and stops wherever somebody waits for it, until they wait for something else."""
        if ms >= LONG and get_ident() != self._own:
            self._until(lambda: bool(self._untils), COMES)
        while ms > 0:
            ms -= self._step(ms)

    def _step(self, ms: int) -> int:
        """Moves the time by so much, or to where somebody waits for it; by how much."""
        with self._changed:
            now, seen = self._move(0), self._arrivals
            awaited = [until - now for until in self._untils if now < until <= now + ms]
            step = min(awaited, default=ms)
            self._move(step)
        if awaited:
            self._until(lambda: self._arrivals > seen, ACTS)
        return step

    def _until(self, happened: Callable[[], bool], seconds: float) -> None:
        with self._changed:
            self._changed.wait_for(happened, seconds)
