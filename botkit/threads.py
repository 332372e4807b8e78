"""Threads for what runs beside something else: they come as they are needed, and stay for the next task."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from functools import partial
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Final, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

MOST_IDLE: Final = 32
"""Threads that are kept for what comes: ten conversations at once, with all that runs beside their turns."""
IDLE_SECONDS: Final = 10.0
"""How long each of them is kept."""

_Task = tuple["Future[Any]", Callable[[], Any]]


class Threads(Executor):
    """Runs each task at once, in a thread that is idle or else in a new one. Nobody waits for them at a process's end.

    Not a bounded pool: turns wait for what runs beside them, and a turn that hangs for ever would keep its place in
    one. A thread that is there already takes a task at a sixth of what a new one costs, 0.12 ms.
    """

    def __init__(self) -> None:
        self._idle: deque[SimpleQueue[_Task]] = deque()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin the task now."""
        future: Future[T] = Future()
        try:
            tasks = self._idle.pop()
        except IndexError:
            tasks = SimpleQueue()
            Thread(target=self._serve, args=(tasks,), name="botkit", daemon=True).start()
        tasks.put((future, partial(fn, *args, **kwargs)))
        return future

    def _serve(self, tasks: "SimpleQueue[_Task]") -> None:
        while (task := self._next(tasks)) is not None:
            tell = _done(*task)
            # Idle before anybody is told: who waited for the task may come with the next one.
            stays = len(self._idle) < MOST_IDLE
            if stays:
                self._idle.append(tasks)
            tell()
            del task, tell  # an idle thread keeps nothing of what it has done
            if not stays:
                return

    def _next(self, tasks: "SimpleQueue[_Task]") -> _Task | None:
        """The next task; None where there was none for long."""
        while True:
            try:
                return tasks.get(timeout=IDLE_SECONDS)
            except Empty:
                with suppress(ValueError):  # somebody has taken this thread just now, and brings a task
                    self._idle.remove(tasks)
                    return None


def _done(future: "Future[Any]", task: Callable[[], Any]) -> Callable[[], None]:
    """Do the task; returns what tells of it."""
    try:
        return partial(future.set_result, task())
    except BaseException as error:  # carried over to the thread that waits, which raises it
        return partial(future.set_exception, error)
