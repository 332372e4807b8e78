"""Lambda: cold and warm starts, timeouts, and containers that freeze between two invocations."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from botkit.errors import BotkitError
from botkit.runtime import Runtime
from tests.simulation.scheduler import Process, Scheduler, Signal


@dataclass
class Invocation:
    """One call of the handler. `result` is None where it failed, crashed or ran out of time."""

    ended: Signal
    deadline: int
    result: dict[str, Any] | None = None


@dataclass(frozen=True)
class Context:
    """What Lambda hands to the handler beside the event."""

    scheduler: Scheduler
    deadline: int

    def get_remaining_time_in_millis(self) -> int:
        return self.deadline - self.scheduler.now


@dataclass
class Fleet:
    """All containers of one function. `start` builds what a cold start builds; `bugs` are errors nobody foresaw."""

    scheduler: Scheduler
    name: str
    timeout: int
    start: Callable[[Process], Runtime]
    bugs: list[BaseException]
    running: int = 0
    _idle: list[tuple[Process, Runtime]] = field(default_factory=list)
    _numbers: "count[int]" = field(default_factory=lambda: count(1))

    def invoke(self, event: Mapping[str, Any]) -> Invocation:
        """Call the handler in a container of its own; returns at once."""
        scheduler = self.scheduler
        process, runtime = self._container()
        invocation = Invocation(Signal(scheduler), scheduler.now + self.timeout)
        self.running += 1
        process.thaw()

        def run() -> None:
            try:
                invocation.result = runtime(event, Context(scheduler, invocation.deadline))
            except BotkitError as error:
                scheduler.note(process, "✗", error)
            except Exception as error:
                self.bugs.append(error)
                scheduler.note(process, "✗ bug", repr(error))
            finally:
                self._end(invocation, process, runtime)

        scheduler.spawn(process, run)
        scheduler.at(invocation.deadline, lambda: self._time_out(invocation, process, runtime))
        return invocation

    def _container(self) -> tuple[Process, Runtime]:
        random = self.scheduler.random
        if self._idle and random.random() < 0.7:
            return self._idle.pop(random.randrange(len(self._idle)))
        process = Process(self.scheduler, f"{self.name}{next(self._numbers)}")
        return process, self.start(process)

    def _time_out(self, invocation: Invocation, process: Process, runtime: Runtime) -> None:
        if not invocation.ended.is_set:
            self.scheduler.note(process, "⏱", "out of time")
            process.kill()
            self._end(invocation, process, runtime)

    def _end(self, invocation: Invocation, process: Process, runtime: Runtime) -> None:
        if invocation.ended.is_set:
            return
        self.running -= 1
        if process.dead:
            invocation.result = None
        else:
            process.freeze()
            self._idle.append((process, runtime))
        invocation.ended.set()
