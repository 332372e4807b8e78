"""A thread for each task: it begins at once, whatever the others do, and leaves nothing behind."""

from concurrent.futures import Executor
from contextvars import ContextVar
from threading import Event, local

import pytest

from botkit.threads import Threads

PATIENCE = 10.0
SAID: ContextVar[str] = ContextVar("said", default="nothing")


@pytest.fixture
def pool() -> Executor:
    return Threads()


def test_a_task_gives_what_it_returns_or_raises(pool: Executor) -> None:
    assert pool.submit(divmod, 7, 2).result(PATIENCE) == (3, 1)
    with pytest.raises(ZeroDivisionError):
        pool.submit(divmod, 7, 0).result(PATIENCE)
    with pytest.raises(SystemExit):
        pool.submit(exit, 1).result(PATIENCE)


def test_however_many_hang_the_next_one_begins(pool: Executor) -> None:
    go_on = Event()
    hanging = [pool.submit(go_on.wait, PATIENCE) for _ in range(100)]
    assert pool.submit(int).result(PATIENCE) == 0
    go_on.set()
    assert all(one.result(PATIENCE) for one in hanging)


def test_a_task_finds_nothing_of_the_one_before(pool: Executor) -> None:
    mine = local()

    def tell(text: str) -> tuple[str, str]:
        found = SAID.get(), getattr(mine, "said", "nothing")
        SAID.set(text)
        mine.said = text
        return found

    assert pool.submit(tell, "my pin is 1234").result(PATIENCE) == ("nothing", "nothing")
    assert pool.submit(tell, "hello").result(PATIENCE) == ("nothing", "nothing")


def test_what_runs_cannot_be_cancelled(pool: Executor) -> None:
    go_on = Event()
    running = pool.submit(go_on.wait, PATIENCE)
    assert not running.cancel()
    go_on.set()
    assert running.result(PATIENCE)
