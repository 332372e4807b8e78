"""Threads that stay for the next task: each task begins at once, whatever the others do, and none is lost."""

import threading
from concurrent.futures import Future, wait
from threading import Barrier, Event

import pytest

from botkit import threads
from botkit.threads import Threads

PATIENCE = 10.0


def test_a_task_gives_what_it_returns_or_raises() -> None:
    pool = Threads()
    assert pool.submit(divmod, 7, 2).result(PATIENCE) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(PATIENCE)
    with pytest.raises(SystemExit):
        pool.submit(exit, 1).result(PATIENCE)


def test_a_task_after_the_other_is_done_in_the_same_thread() -> None:
    pool = Threads()
    assert len({pool.submit(threading.get_ident).result(PATIENCE) for _ in range(50)}) == 1


def test_however_many_hang_the_next_one_begins() -> None:
    pool, go_on = Threads(), Event()
    hanging = [pool.submit(go_on.wait, PATIENCE) for _ in range(3 * threads.MOST_IDLE)]
    assert pool.submit(int).result(PATIENCE) == 0
    go_on.set()
    assert all(one.result(PATIENCE) for one in hanging)


def test_tasks_that_begin_together_all_run_and_each_one_once() -> None:
    pool, done, counting = Threads(), list[int](), threading.Lock()

    def count(start: Barrier, number: int) -> None:
        start.wait(PATIENCE)
        with counting:
            done.append(number)

    def begin(start: Barrier, first: int) -> list["Future[None]"]:
        return [pool.submit(count, start, number) for number in range(first, first + 10)]

    for turn in range(50):
        assert not wait(begin(Barrier(10), 10 * turn), PATIENCE).not_done
    assert sorted(done) == list(range(500))


def test_idle_threads_go_and_nothing_is_lost_where_one_is_about_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "IDLE_SECONDS", 0.0005)
    pool = Threads()
    answers = {pool.submit(int, number).result(PATIENCE) for number in range(2000)}
    assert len(answers) == 2000


def test_an_idle_thread_keeps_nothing_of_what_it_has_done() -> None:
    class Thing:
        gone = Event()

        def __del__(self) -> None:
            self.gone.set()

    pool = Threads()
    pool.submit(Thing).result(PATIENCE)
    pool.submit(int).result(PATIENCE)
    assert Thing.gone.wait(PATIENCE)
