"""How many functions an event calls: the same number each time, so that what costs more is seen without a clock."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

import pytest

from benchmarks.versus.contestants import Role
from benchmarks.versus.events import person, webhook
from botkit.messages import Message
from botkit.steps.history import trim
from tests.speed.town import Service, Town

SLACK = 50
"""Calls more or fewer that say nothing. Over 50 events the counts were the same to the call, but for one in which
urllib3 found out how to wait (2 calls). A worker that is held up looks at the clock more often, and an answer that
comes in pieces is read in pieces (some 10 calls each). What is done for each message or bot shows in hundreds."""
DOOR, WORKER = 1_032, 5_303
"""Calls of a warm event with a full window, in all threads; a tenth more is left for other versions of Python."""

Calls = Mapping[str, int]


def difference(one: Calls, other: Calls) -> str:
    """The functions that are called more or less often, those first that make up most."""
    by = {name: other.get(name, 0) - one.get(name, 0) for name in {*one, *other}}
    told = sorted((name for name in by if by[name]), key=lambda name: -abs(by[name]))
    return "\n".join(["", *(f"{by[name]:+7} {name}" for name in told[:20])])


def assert_same(one: Calls, other: Calls) -> None:
    more = sum(other.values()) - sum(one.values())
    assert abs(more) <= SLACK, difference(one, other)


@contextmanager
def counted() -> Iterator[list[str]]:
    """The functions that are called in the block, in order; those written in Python."""
    names: list[str] = []

    def note(frame: FrameType, what: str, _argument: object) -> None:
        if what == "call":
            names.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield names
    finally:
        sys.setprofile(before)


def test_an_event_calls_as_many_functions_each_time(warm: Service) -> None:
    events = [warm.serve(webhook(person(100 + number)).event) for number in range(10)]
    for door, worker in events[1:]:
        assert_same(events[0][0].calls, door.calls)
        assert_same(events[0][1].calls, worker.calls)


def test_a_turn_costs_the_same_however_much_is_stored(warm: Service) -> None:
    few, many = person(200), person(201)
    warm.remember(few, 100)
    warm.remember(many, 10_000)
    door, worker = warm.serve(webhook(few).event)
    other_door, other_worker = warm.serve(webhook(many).event)
    assert [len(body["messages"]) for body in warm.world.asked()[-2:]] == [22, 22]
    assert_same(door.calls, other_door.calls)
    assert_same(worker.calls, other_worker.calls)


def test_a_turn_stays_within_its_budget(warm: Service) -> None:
    warm.remember(person(300), 100)
    door, worker = warm.serve(webhook(person(300)).event)
    for told, most in ((door, 1.1 * DOOR), (worker, 1.1 * WORKER)):
        calls = sum(told.calls.values())
        assert calls < most, difference({}, told.calls)


def test_a_door_costs_the_same_however_many_bots_there_are(town: Town) -> None:
    one, thousand = town.process("door", bots=1), town.process("door", bots=1_000)
    assert_same(one.start.calls, thousand.start.calls)
    for number in (400, 401):  # the first event reads the bot's account
        events = [process.invoke(webhook(person(number)).event) for process in (one, thousand)]
        assert [event.response["statusCode"] for event in events] == [200, 200]
        assert_same(events[0].calls, events[1].calls)


@pytest.mark.parametrize("role", ["door", "worker"])
def test_no_event_but_the_first_opens_a_file_or_imports_a_module(warm: Service, role: Role) -> None:
    before, *events = [warm.serve(webhook(person(500 + number)).event)[role == "worker"] for number in range(5)]
    assert [event.opened for event in events] == [[]] * 4
    assert events[-1].modules == before.modules


def test_messages_with_stored_counts_are_trimmed_with_one_call_each() -> None:
    stored = [Message("user", "word " * 10, tokens=10)] * 20
    with counted() as calls:
        kept = trim(stored, 3_000, lambda _message: pytest.fail("it was counted again"))
    assert len(kept) == 20
    assert calls.count("trim") == 1
    assert len(calls) <= 1 + 20 + 2  # and what ends the counting
