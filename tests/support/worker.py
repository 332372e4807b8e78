"""A handler in a process of its own: Lambda events go in, its answers come out, and it can be killed."""

import multiprocessing
import os
import runpy
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from botkit.runtime import Runtime
from botkit.wiring import SystemClock

ROOT = Path(__file__).parents[2]
READY = "ready"
PATIENCE = 30.0

# Processes are forked from one that has the slow imports behind it, and nothing else: no thread, no socket.
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(
    [__name__, "botkit.line.client", "botkit.models.openai", "botkit.stores.sqlite", "botkit.stores.dynamodb"]
)


class Context:
    """An invocation that has so many seconds."""

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds

    def get_remaining_time_in_millis(self) -> int:
        return int((self._end - time.monotonic()) * 1000)


class Ahead(SystemClock):
    """The machine's clock, so many ms ahead."""

    def __init__(self, ms: int) -> None:
        self._ms = ms

    def now(self) -> int:
        return super().now() + self._ms


def serve(pipe: Connection, environ: Mapping[str, str], seconds: float, ahead: int) -> None:
    """What the process does: it builds a handler of its environment, and takes one event after the other."""
    os.environ.clear()
    os.environ.update(environ)
    handler: Callable[[Any, Any], Any] = runpy.run_path(str(ROOT / "handler.py"))["handler"]
    if ahead:
        handler = Runtime.start(ROOT, clock=Ahead(ahead))
    pipe.send(READY)
    while True:
        pipe.send(handler(pipe.recv(), Context(seconds)))


class Worker:
    """A process with a handler, as its parent sees it. It takes one event at a time, as on Lambda."""

    def __init__(self, process: BaseProcess, pipe: Connection) -> None:
        self._process = process
        self._pipe = pipe

    def send(self, event: Mapping[str, Any]) -> None:
        """Begin an invocation."""
        self._pipe.send(event)

    def answer(self) -> Any:
        """What the invocation that was begun has answered."""
        assert self._pipe.poll(PATIENCE), "the process does not answer"
        return self._pipe.recv()

    def wait(self) -> bool:
        """Whether the invocation has come to its end; False where the process has not lived to see it."""
        try:
            self.answer()
        except EOFError:
            return False
        return True

    def has_answered(self) -> bool:
        """Whether there is an answer."""
        return self._pipe.poll()

    def __call__(self, event: Mapping[str, Any]) -> Any:
        """One invocation."""
        self.send(event)
        return self.answer()

    def kill(self) -> None:
        """As a machine dies: no handler runs, no file is closed."""
        self._process.kill()
        self._process.join(PATIENCE)
        assert self._process.exitcode == -signal.SIGKILL


@contextmanager
def worker(seconds: float = 60, ahead: int = 0) -> Iterator[Worker]:
    """Start a process with this environment; yields when it is ready.

    Its invocations have so many seconds, and its clock is so many ms ahead of the machine's.
    """
    ours, theirs = _processes.Pipe()
    process = _processes.Process(target=serve, args=(theirs, dict(os.environ), seconds, ahead), daemon=True)
    process.start()
    theirs.close()
    try:
        made = Worker(process, ours)
        assert made.answer() == READY
        yield made
    finally:
        process.kill()
        process.join()
        process.close()
        ours.close()
