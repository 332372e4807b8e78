"""Threads for what runs beside something else."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from functools import partial
from threading import Thread
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Threads(Executor):
    """A thread for each task, gone with it; nobody waits for one when the process ends.

    Not a pool: turns wait for what runs beside them, and a turn that hangs for ever would keep its place in one. And a
    thread that took another task would carry what a step has left in it, a context variable, say, into another
    conversation. That costs 0.1 ms a task.
    """

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin the task now; it cannot be cancelled any more."""
        future: Future[T] = Future()
        future.set_running_or_notify_cancel()
        Thread(target=_settle, args=(future, partial(fn, *args, **kwargs)), name="botkit", daemon=True).start()
        return future


def _settle(future: "Future[Any]", task: Callable[[], Any]) -> None:
    try:
        future.set_result(task())
    except BaseException as error:  # carried over to the thread that waits, which raises it
        future.set_exception(error)
