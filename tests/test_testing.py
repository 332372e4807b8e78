"""The public fakes."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from threading import Barrier, Event

import pytest

from botkit.ports import Clock
from botkit.testing import MovableClock
from tests.simulator import clock as simulator

CLOCKS: list[Callable[[], Clock]] = [MovableClock, lambda: MovableClock(5, tick=1), simulator.MovableClock]
every_clock = pytest.mark.parametrize("new_clock", CLOCKS)


def finished() -> "Future[str]":
    future: Future[str] = Future()
    future.set_result("done")
    return future


@every_clock
def test_a_clock_waits_for_nothing_that_is_done(new_clock: Callable[[], Clock]) -> None:
    clock = new_clock()
    assert clock.wait(finished(), clock.now() + 1000)


@every_clock
@pytest.mark.parametrize("ms", [0, -1])
def test_a_clock_without_time_to_wait_does_not(new_clock: Callable[[], Clock], ms: int) -> None:
    clock = new_clock()
    assert not clock.wait(Future(), clock.now() + ms)


@every_clock
def test_a_clock_waits_for_another_thread_to_finish(new_clock: Callable[[], Clock]) -> None:
    clock, go = new_clock(), Event()
    with ThreadPoolExecutor(2) as pool:
        work = pool.submit(go.wait, 10)
        waiting = pool.submit(clock.wait, work, clock.now() + 1000)
        assert not waiting.done()
        go.set()
        assert waiting.result(10)


@every_clock
def test_a_clock_waits_until_another_thread_has_moved_it_far_enough(new_clock: Callable[[], Clock]) -> None:
    clock = new_clock()
    work: Future[str] = Future()
    began = Event()

    def wait() -> bool:
        began.set()
        return clock.wait(work, clock.now() + 1000)

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait)
        assert began.wait(10)
        while not waiting.done():  # when it began to count is not to be seen from here
            clock.sleep(100)
        assert not waiting.result()


@pytest.mark.parametrize(("slept", "in_time"), [(0, True), (999, True), (1000, False), (60_000, False)])
def test_what_takes_too_long_is_late_however_fast_its_thread_is(slept: int, in_time: bool) -> None:
    clock, waits = MovableClock(), Event()

    class Watched(Future[str]):
        """Tells when somebody has begun to wait for it."""

        def add_done_callback(self, fn: Callable[["Future[str]"], object]) -> None:
            super().add_done_callback(fn)
            waits.set()

    work = Watched()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(clock.wait, work, clock.now() + 1000)
        assert waits.wait(10)
        clock.sleep(slept)
        work.set_result("done")
        assert waiting.result(10) is in_time


def test_what_is_cancelled_is_done() -> None:
    clock = MovableClock()
    work: Future[str] = Future()
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(clock.wait, work, clock.now() + 1000)
        work.cancel()
        assert waiting.result(10)


def test_what_fails_is_done() -> None:
    clock = MovableClock()
    with ThreadPoolExecutor(1) as pool:
        assert clock.wait(pool.submit(int, "x"), clock.now() + 1000)


def test_waiting_is_no_look() -> None:
    clock = MovableClock(0, tick=1)
    with ThreadPoolExecutor(1) as pool:
        clock.wait(pool.submit(Event().wait, 0.02), 1000)
    clock.wait(Future(), 0)
    assert clock.now() == 1


def test_threads_never_see_the_same_time_of_a_clock_that_ticks() -> None:
    clock, threads, looks = MovableClock(0, tick=1), 8, 2000
    start = Barrier(threads)

    def look() -> list[int]:
        start.wait(10)
        return [clock.now() for _ in range(looks)]

    with ThreadPoolExecutor(threads) as pool:
        seen = [time for times in [pool.submit(look) for _ in range(threads)] for time in times.result(30)]
    assert sorted(seen) == list(range(1, threads * looks + 1))
