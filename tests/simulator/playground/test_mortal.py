"""What a killed invocation can still do: nothing."""

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from logging import makeLogRecord
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from botkit.messages import Chat
from botkit.ports import Conversation, Services
from botkit.simulator.playground.cloud import Cloud
from botkit.simulator.playground.mischief import Mischief
from botkit.simulator.playground.mortal import Killed, Life, is_of_the_living, mortal
from botkit.threads import Threads
from botkit.wiring import services
from tests.simulator.clock import MovableClock

HANA = Chat("user", "U1")
CALLS: dict[str, Callable[[Services], object]] = {
    "store": lambda ports: ports.store.part("kind", HANA, 5),
    "line": lambda ports: ports.line.reply("token", "reply token", []),
    "model": lambda ports: ports.model.count_tokens("gpt-4.1-mini", "hello"),
    "markdown": lambda ports: ports.markdown.plain("hello"),
    "secrets": lambda ports: ports.secrets.get("env:NAME"),
    "clock": lambda ports: ports.clock.sleep(1000),
    "pool": lambda ports: ports.pool.submit(print),
    "wake": lambda ports: wake(ports, Conversation("kind", "user:U1")),
}


def wake(ports: Services, conversation: Conversation) -> None:
    assert ports.wake
    ports.wake.send([conversation])


@pytest.fixture
def ports(tmp_path: Path) -> Services:
    clock = MovableClock()
    cloud = Cloud(lambda *_: {}, clock, Mischief(), print)
    environ = {"BOTKIT_STORE": f"sqlite:///{tmp_path}/botkit.db", "BOTKIT_LINE_URL": "http://127.0.0.1:1", "NAME": "x"}
    return replace(services(environ, clock), wake=cloud.wake)


def test_the_table_names_every_port() -> None:
    assert set(CALLS) == set(Services.__slots__) - {"new_id"}


@pytest.mark.parametrize("port", CALLS)
def test_after_the_end_no_port_is_reached(ports: Services, port: str) -> None:
    life = Life()
    mine, before = mortal(ports, life), ports.clock.now()
    life.end()
    with pytest.raises(Killed):
        CALLS[port](mine)
    assert ports.clock.now() == before
    assert ports.store.parted_at("kind", HANA) is None


def test_while_it_lives_nothing_is_different(ports: Services) -> None:
    mine = mortal(ports, Life())
    mine.store.part("kind", HANA, 5)
    assert mine.store.parted_at("kind", HANA) == 5
    assert mine.secrets.get("env:NAME") == "x"
    assert mine.pool.submit(lambda one, two: one + two, 1, two=2).result() == 3
    assert mortal(replace(ports, wake=None), Life()).wake is None


@pytest.mark.parametrize("outcome", [5, ValueError("a bug")], ids=["returns", "raises"])
def test_what_is_under_way_at_the_end_stands_and_is_not_told(ports: Services, outcome: Any) -> None:
    life, done = Life(), list[str]()

    class Store:
        def parted_at(self, _bot: str, _chat: Chat) -> int:
            done.append("done")
            life.end()
            if isinstance(outcome, Exception):
                raise outcome
            return int(outcome)

    mine = mortal(replace(ports, store=Store()), life)  # type: ignore[arg-type]
    with pytest.raises(Killed):
        mine.store.parted_at("kind", HANA)
    assert done == ["done"]


def test_work_on_the_pool_dies_too(ports: Services) -> None:
    life, go_on = Life(), Event()
    running: Future[bool] = mortal(replace(ports, pool=Threads()), life).pool.submit(go_on.wait, 10)
    life.end()
    go_on.set()
    with pytest.raises(Killed):
        running.result(10)


def test_who_waits_for_the_end_is_told_once() -> None:
    life, told = Life(), list[str]()
    life.listen(lambda: told.append("before"))
    life.end()
    life.end()
    life.listen(lambda: told.append("after"))
    assert told == ["before", "after"]
    assert not life.alive


def test_nothing_is_logged_of_a_death() -> None:
    killed, failed = (Killed, Killed(), None), (ValueError, ValueError(), None)
    records = [makeLogRecord({"exc_info": one}) for one in (killed, failed, None)]
    assert [is_of_the_living(record) for record in records] == [False, True, True]
