"""Invocations of the handler, as Lambda runs them: side by side, each with a deadline and a life of its own."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread, current_thread
from time import monotonic
from typing import Any, Final

from botkit.ports import Clock
from botkit.simulator.playground.mortal import Killed, Life

log = logging.getLogger(__name__)

Event = Mapping[str, Any]
Invoke = Callable[[Event, int, Life], dict[str, Any]]
Ended = Callable[[Mapping[str, Any] | None], None]

GRACE: Final = 2.0
"""Seconds of the machine's own that an invocation has to come to its end once the clock has passed its deadline.

A jump of the clock passes it without having left any time.
"""
PATIENCE: Final = 5.0
"""Seconds that the end of the program waits for all threads: one that asks a real model hears of nothing else."""


@dataclass(eq=False, slots=True)
class Invocation:
    """One invocation under way; lives until its end was dealt with. `over`: somebody deals with it already.

    `late_since` is when the deadline was seen to be passed, in seconds of the machine's own.
    """

    make_event: Callable[[], Event]
    deadline: int
    ended: Ended
    life: Life = field(default_factory=Life)
    over: bool = False
    late_since: float | None = None


class Invocations:
    """All invocations under way. Lives as long as the program; `bell` guards it, and rings at every end."""

    def __init__(self, invoke: Invoke, clock: Clock, bell: Condition) -> None:
        self._invoke = invoke
        self._clock = clock
        self._bell = bell
        self._running: set[Invocation] = set()
        self._threads: set[Thread] = set()
        self._stopped = False

    @property
    def running(self) -> int:
        """How many are under way."""
        with self._bell:
            return len(self._running)

    def begin(self, make_event: Callable[[], Event], seconds: int, ended: Ended) -> None:
        """Begin an invocation with so many seconds, in a thread of its own, where its event is made, too.

        `ended` is told the handler's answer, or None where there is none: it failed, was killed, or took too long.
        """
        invocation = Invocation(make_event, self._clock.now() + seconds * 1000, ended)
        thread = Thread(target=self._run, args=(invocation,), name="cloud: invocation", daemon=True)
        with self._bell:
            if self._stopped:
                return
            self._running.add(invocation)
            self._threads.add(thread)
            invocation.life.listen(partial(self._end, invocation, None))
            thread.start()

    def look(self) -> None:
        """Kill those whose time is over."""
        now = self._clock.now()
        with self._bell:
            late = [one for one in self._running if one.deadline <= now]
        for one in late:
            if one.late_since is None:
                one.late_since = monotonic()
            elif monotonic() - one.late_since >= GRACE:
                log.error("an invocation has taken longer than it may, and is killed")
                one.life.end()

    def stop(self) -> None:
        """Kill all, and wait for their threads."""
        with self._bell:
            self._stopped = True
            running, threads = tuple(self._running), tuple(self._threads)
        for one in running:
            one.life.end()
        end = monotonic() + PATIENCE
        for thread in threads:
            if thread is not current_thread():
                thread.join(max(0.0, end - monotonic()))

    def _run(self, invocation: Invocation) -> None:
        answer = None
        try:
            answer = self._invoke(invocation.make_event(), invocation.deadline, invocation.life)
        except Killed:
            log.info("an invocation was killed")
        except BaseException:  # Lambda's own edge: whatever it was, this invocation has failed, and no other
            if invocation.life.alive:
                log.exception("an invocation failed")
        self._end(invocation, answer)
        with self._bell:
            self._threads.discard(current_thread())

    def _end(self, invocation: Invocation, answer: Mapping[str, Any] | None) -> None:
        """Deal with the end of an invocation, once: its thread may come to its own end after it was killed."""
        with self._bell:
            if invocation.over:
                return
            invocation.over = True
        try:
            if not self._stopped:
                invocation.ended(answer)
        except Exception:
            log.exception("the end of an invocation could not be told")
        finally:
            with self._bell:
                self._running.discard(invocation)
                self._bell.notify_all()
