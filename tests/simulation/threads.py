"""What the runtime takes for threads and time: the ports `Clock` and `Executor` over the scheduler."""

from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from tests.simulation.scheduler import Process, Scheduler, Signal


class VirtualClock:
    """The port `Clock`."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler

    def now(self) -> int:
        return self._scheduler.now

    def sleep(self, ms: int) -> None:
        self._scheduler.sleep(ms)

    def wait(self, future: Future[Any], until: int) -> bool:
        assert isinstance(future, VirtualFuture)
        return future.wait(max(0, until - self._scheduler.now))


class VirtualFuture(Future[Any]):
    """A future whose waiters let others run."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._ended = Signal(scheduler)

    def wait(self, ms: int | None = None) -> bool:
        return self._ended.wait(ms)

    def result(self, timeout: float | None = None) -> Any:
        self._await(timeout)
        return super().result(0)

    def exception(self, timeout: float | None = None) -> BaseException | None:
        self._await(timeout)
        return super().exception(0)

    def _await(self, timeout: float | None) -> None:
        if not self.wait(None if timeout is None else int(timeout * 1000)):
            raise TimeoutError

    def end(self, call: Callable[[], Any]) -> None:
        """Run what was submitted, and tell those who wait."""
        if self.set_running_or_notify_cancel():
            try:
                result = call()
            except Exception as error:
                self.set_exception(error)
            else:
                self.set_result(result)
        self._ended.set()

    def cancel(self) -> bool:
        if cancelled := super().cancel():
            self._ended.set()
        return cancelled


class VirtualPool(Executor):
    """The pool of one process: `threads` tasks at once, what comes on top waits, as in a ThreadPoolExecutor."""

    def __init__(self, scheduler: Scheduler, process: Process, threads: int) -> None:
        self._scheduler = scheduler
        self._process = process
        self._idle = threads
        self._waiting: deque[Callable[[], None]] = deque()

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> VirtualFuture:
        future = VirtualFuture(self._scheduler)
        self._waiting.append(lambda: future.end(lambda: fn(*args, **kwargs)))
        if self._idle:
            self._idle -= 1
            self._scheduler.spawn(self._process, self._work)
        return future

    def _work(self) -> None:
        while self._waiting:
            self._waiting.popleft()()
        self._idle += 1
