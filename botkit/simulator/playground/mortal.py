"""An invocation that can be killed: from then on nothing of it reaches the world, as when its process dies."""

import logging
from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import replace
from functools import partial
from threading import Event, Lock
from typing import Any, ParamSpec, TypeVar, cast

from botkit.ports import Services

P = ParamSpec("P")
T = TypeVar("T")


class Killed(BaseException):
    """The invocation is dead. No `except Exception` of the code under it can catch this."""


class Life:
    """Whether an invocation lives. Threads may share it; it ends once, and never begins again."""

    def __init__(self) -> None:
        self._ended = Event()
        self._lock = Lock()
        self._mourners: list[Callable[[], None]] = []

    @property
    def alive(self) -> bool:
        """Whether it has not been ended."""
        return not self._ended.is_set()

    def end(self) -> None:
        """Kill it: who waits goes on, and who listens is told, in this thread."""
        with self._lock:
            told, self._mourners = self._mourners, []
            self._ended.set()
        for mourner in told:
            mourner()

    def listen(self, mourner: Callable[[], None]) -> None:
        """Be told of the end, once; at once where it has come."""
        with self._lock:
            if self.alive:
                self._mourners.append(mourner)
                return
        mourner()

    def wait(self, seconds: float) -> None:
        """Let time pass, on the machine's own clock. Raises Killed where the life has ended or ends meanwhile."""
        self._ended.wait(seconds)
        self.check()

    def check(self) -> None:
        """Raises Killed where the life has ended."""
        if not self.alive:
            raise Killed("the invocation was killed")

    def run(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Make a call. Raises Killed where the life has ended before it, or when it returns, whatever it came to."""
        self.check()
        try:
            return call(*args, **kwargs)
        finally:
            self.check()


def mortal(services: Services, life: Life) -> Services:
    """The services as one invocation has them: once its `life` has ended, every call of a port raises Killed.

    A call under way at the end raises it on its return, and what it did stands. Work given to the pool belongs to
    the same life.
    """
    return replace(
        services,
        store=_mortal(services.store, life),
        line=_mortal(services.line, life),
        model=_mortal(services.model, life),
        markdown=_mortal(services.markdown, life),
        secrets=_mortal(services.secrets, life),
        clock=_mortal(services.clock, life),
        pool=_MortalPool(services.pool, life),
        wake=None if services.wake is None else _mortal(services.wake, life),
    )


def _mortal(port: T, life: Life) -> T:
    return cast(T, _Mortal(port, life))


class _Mortal:
    """Stands before a port, and lets calls pass while the life lasts."""

    def __init__(self, port: object, life: Life) -> None:
        self._port = port
        self._life = life

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._port, name)
        return partial(self._life.run, found) if callable(found) else found


class _MortalPool(Executor):
    """The pool, of whose work nothing goes on when the life has ended."""

    def __init__(self, pool: Executor, life: Life) -> None:
        self._pool = pool
        self._life = life

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        """Begin the task as part of this life. Raises Killed where it has ended."""
        self._life.check()
        return self._pool.submit(partial(self._life.run, fn, *args, **kwargs))


def is_of_the_living(record: logging.LogRecord) -> bool:
    """A filter for log handlers: a killed process logs nothing, so nobody is told of a step that Killed has ended."""
    return not (record.exc_info and isinstance(record.exc_info[1], Killed))
