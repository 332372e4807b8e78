"""The scheduler: virtual time, tasks that take turns at every port call, and processes that die with all their tasks."""

import heapq
from collections.abc import Callable
from itertools import count
from random import Random
from typing import Any

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]  # its types are a package of their own

MOST_CALLS_OF_THE_DEAD = 200
"""Port calls that the clean-up code of one dead task may try before the run is taken for hung."""


class Crashed(BaseException):
    """The process is dead. Clean-up code runs, as Python cannot be kept from it, but nothing it does has an effect."""


class Stuck(AssertionError):
    """The run does not come to rest."""


class Process:
    """A process and its fate: frozen between two invocations, as Lambda does, and dead once it crashed."""

    def __init__(self, scheduler: "Scheduler", name: str) -> None:
        self.name = name
        self.dead = False
        self.frozen = False
        self._scheduler = scheduler
        self.tasks: set[Task] = set()
        self.parked: list[Task] = []

    def kill(self) -> None:
        """Crash: every task of it ends, and no later port call of theirs has any effect."""
        self._scheduler.note(self, "†", "the process dies")
        self.dead = True
        self.thaw()
        for task in sorted(self.tasks, key=lambda task: task.number):
            self._scheduler.wake(task)

    def freeze(self) -> None:
        """Stop what is left over after an invocation, until the next one."""
        self.frozen = True

    def thaw(self) -> None:
        """Let what was left over go on."""
        self.frozen = False
        for task in self.parked:
            self._scheduler.ready.append(task)
        self.parked.clear()


class Task:
    """One thread of a process."""

    def __init__(self, number: int, process: Process, run: Callable[[], Any], hub: greenlet) -> None:
        self.number = number
        self.process = process
        self.ticket = 0
        self.waiting = False
        self.calls_after_death = 0
        self.greenlet = greenlet(run, hub)


class Signal:
    """Something that happens once, and that tasks wait for."""

    def __init__(self, scheduler: "Scheduler") -> None:
        self.is_set = False
        self._scheduler = scheduler
        self._waiting: list[Task] = []

    def set(self) -> None:
        """It has happened."""
        self.is_set = True
        for task in self._waiting:
            self._scheduler.wake(task)
        self._waiting.clear()

    def wait(self, ms: int | None = None) -> bool:
        """Wait for it, `ms` at most; whether it has happened."""
        until = None if ms is None else self._scheduler.now + ms
        while not self.is_set and (until is None or self._scheduler.now < until):
            self._waiting.append(self._scheduler.task)
            self._scheduler.park(until)
        self._scheduler.check_alive()
        return self.is_set


class Scheduler:
    """Runs tasks one at a time; who is next among those that can run is a choice of the seed's.

    Time stands still while anybody can run, and then jumps to the next timer.
    """

    def __init__(self, seed: int, start: int) -> None:
        self.now = start
        self.start = start
        self.random = Random(seed)
        self.ready: list[Task] = []
        self.trace: list[tuple[int, str, str, object]] = []
        self.platform = Process(self, "world")
        self._timers: list[tuple[int, int, Callable[[], None]]] = []
        self._numbers = count()
        self._tasks: dict[greenlet, Task] = {}
        self._hub = getcurrent()

    # ---------------------------------------------------------------- for whoever runs

    @property
    def task(self) -> Task:
        """The task that runs now."""
        return self._tasks[getcurrent()]

    def note(self, process: Process, mark: str, what: object) -> None:
        """Keep a line of the trace; `what` is put into words only when it is shown."""
        self.trace.append((self.now, process.name, mark, what))

    def spawn(self, process: Process, run: Callable[[], Any]) -> Task:
        """Begin a task; it runs when its turn comes."""

        def body() -> None:
            try:
                if not process.dead:
                    run()
            except Crashed:
                pass
            finally:
                process.tasks.discard(task)
                self._tasks.pop(task.greenlet, None)

        task = Task(next(self._numbers), process, body, self._hub)
        self._tasks[task.greenlet] = task
        process.tasks.add(task)
        self.ready.append(task)
        return task

    def at(self, when: int, fire: Callable[[], None]) -> None:
        """Call `fire` then, outside of all tasks."""
        heapq.heappush(self._timers, (when, next(self._numbers), fire))

    def sleep(self, ms: int) -> None:
        """Let this task wait. Raises Crashed."""
        until = self.now + ms
        self.park(until)
        while self.now < until:
            self.park(until)

    def park(self, until: int | None) -> None:
        """Let others run until somebody wakes this task, or until then. Raises Crashed."""
        task = self.task
        self.check_alive()
        task.ticket += 1
        task.waiting = True
        if until is not None:
            ticket = task.ticket
            self.at(until, lambda: self.wake(task, ticket))
        self._hub.switch()
        self.check_alive()

    def check_alive(self) -> None:
        """Raises Crashed in a task of a dead process."""
        task = self.task
        if task.process.dead:
            task.calls_after_death += 1
            if task.calls_after_death > MOST_CALLS_OF_THE_DEAD:
                raise Stuck(f"{task.process.name} is dead and does not stop")
            raise Crashed

    def wake(self, task: Task, ticket: int | None = None) -> None:
        """Let a waiting task run again; an out-of-date `ticket` does nothing."""
        if task.waiting and ticket in (None, task.ticket):
            task.waiting = False
            self.ready.append(task)

    # ---------------------------------------------------------------- the loop

    def run(self, finished: Callable[[], bool], limit: int) -> None:
        """Run until nobody can and it is `finished`. Raises Stuck where it is not by `limit`, or nothing moves."""
        while True:
            while self.ready:
                self._step()
            if finished():
                return
            if not self._timers:
                raise Stuck("nobody can run, and nothing is timed")
            self.now = max(self.now, self._timers[0][0])
            if self.now > limit:
                raise Stuck(f"not at rest after {(limit - self.start) // 1000} s")
            while self._timers and self._timers[0][0] <= self.now:
                heapq.heappop(self._timers)[2]()

    def _step(self) -> None:
        n = self.random.randrange(len(self.ready)) if len(self.ready) > 1 else 0
        self.ready[n], self.ready[-1] = self.ready[-1], self.ready[n]
        task = self.ready.pop()
        if task.process.frozen:
            task.process.parked.append(task)
        else:
            task.greenlet.switch()

    def close(self) -> None:
        """End every task that is left, so that no greenlet outlives the run."""
        self._timers.clear()
        while self._tasks:
            for task in list(self._tasks.values()):
                task.process.dead = True
                task.greenlet.switch()
