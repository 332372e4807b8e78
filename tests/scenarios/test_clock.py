"""A scenario's time: a long sleep stops at every moment that somebody waits for."""

from concurrent.futures import Future, ThreadPoolExecutor
from threading import Event

from botkit.scenarios.world.clock import StageClock


def test_time_moves_at_once_where_nobody_waits() -> None:
    clock = StageClock(0)
    clock.sleep(3_600_000)
    assert clock.now() == 3_600_000


def test_what_is_done_in_time_was_in_time() -> None:
    clock, making = StageClock(0), Future[None]()

    def make() -> None:
        clock.sleep(44_000)
        making.set_result(None)

    with ThreadPoolExecutor(1) as pool:
        slept = pool.submit(make)
        assert clock.wait(making, 45_000)
        slept.result()
    assert clock.now() == 44_000


def test_a_sleeper_waits_until_the_one_who_was_waited_for_has_acted() -> None:
    clock, making, began = StageClock(0), Future[None](), Event()

    def make() -> None:
        began.set()
        clock.sleep(79_000)
        making.set_result(None)

    with ThreadPoolExecutor(1) as pool:
        slept = pool.submit(make)
        began.wait()
        times = []
        for until in (45_000, 55_000):
            assert not clock.wait(making, until)
            times.append(clock.now())
        assert clock.wait(making, 90_000)
        slept.result()
    assert (times, clock.now()) == ([45_000, 55_000], 79_000)


def test_a_sleeper_goes_on_where_nobody_waits_any_longer() -> None:
    clock, making = StageClock(0), Future[None]()
    with ThreadPoolExecutor(1) as pool:
        slept = pool.submit(clock.sleep, 79_000)
        assert not clock.wait(making, 45_000)
        slept.result(timeout=10)
    assert clock.now() == 79_000
