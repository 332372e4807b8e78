"""The step `limits` by itself: what may slip through while turns run at once, and what it reads and writes."""

from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from itertools import chain, count
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from greenlet import getcurrent, greenlet
from hypothesis import given
from hypothesis import strategies as st

from botkit.errors import ModelError, StoreError
from botkit.messages import Chat, Event, Reply
from botkit.ports import Conversation, Services, Store, Usage
from botkit.steps.limits import Limits
from botkit.stores.memory import MemoryStore
from botkit.testing import MovableClock
from botkit.turn import Said, Turn, User
from botkit.usage import SHARDS
from tests.support.samples import NOW, receive, waiting

INN = type("Inn", (), {"name": "inn", "description": "", "timezone": ZoneInfo("UTC")})()
GROUP = Chat("group", "C1")


def event_of(number: int, person: str, chat: Chat) -> Event:
    return Event(f"e{number}", "message", NOW, "active", chat, person, None, False, "{}", text="hi")


def turn_of(store: Store, number: int = 0, messages: int = 1, person: str = "U1", chat: Chat = GROUP) -> Turn:
    """Each turn has a conversation of its own, so that nothing but the limits keeps them from running at once."""
    event = event_of(number, person, chat)
    return Turn(
        bot=INN,
        event=event,
        chat=chat,
        conversation=Conversation("inn", f"group:C{number}:{person}"),
        user=User(person, lambda: None),
        services=cast(Services, Around(store)),
        deadline=NOW,
        access_token="",
        said=(Said(event, "hi"),) * messages,
    )


class Around:
    """What the step may ask of the services."""

    def __init__(self, store: Store) -> None:
        self.store, self.clock = store, MovableClock(NOW)


def commit(store: Store, turn: Turn) -> None:
    """The answer transaction of a turn."""
    lease = receive(store, f"{turn.event.id} of {turn.conversation.id}", conversation=turn.conversation)
    store.answer(lease, waiting(store, lease)[0], None, counts=turn.counts)


def limits(**options: Any) -> Limits:
    return Limits.model_validate({"notice": "Enough.", **options})


# ---------------------------------------------------------------- turns at once

AT_ONCE, LARGEST = 4, (5, 40)
TURNS = st.lists(st.tuples(st.integers(1, LARGEST[0]), st.integers(0, LARGEST[1])), min_size=1, max_size=14)
"""For each turn: its messages, and the tokens it uses."""


@given(
    turns=TURNS,
    owner=st.sampled_from(["user", "group", "bot"]),
    most=st.tuples(st.integers(1, 12), st.integers(1, 120)),
    order=st.lists(st.integers(0, AT_ONCE - 1), max_size=60),
)
def test_a_turn_is_refused_exactly_if_what_is_committed_reaches_a_limit(
    turns: list[tuple[int, int]], owner: str, most: tuple[int, int], order: list[int]
) -> None:
    """And so what slips through is at most what the turns that run at once use, in whatever order they take turns."""
    step = limits(**{owner: {"messages": f"{most[0]}/day", "tokens": f"{most[1]}/day"}})
    spent = Counter[str]()
    with closing(MemoryStore()) as store:

        def live(number: int, messages: int, tokens: int) -> None:
            turn = turn_of(store, number, messages, "U1" if owner == "user" else f"U{number}")
            over = spent["messages"] >= most[0] or spent["tokens"] >= most[1]

            def ask(turn: Turn) -> Reply:
                pause()
                turn.usages.append(Usage("m", tokens, 0))
                return Reply.of("ok")

            assert step(turn, ask).text == ("Enough." if over else "ok")
            pause()
            commit(store, turn)
            if not over:
                spent.update(messages=messages, tokens=tokens)

        interleave([partial(live, number, *turn) for number, turn in enumerate(turns)], order)
    assert spent["messages"] < most[0] + AT_ONCE * LARGEST[0]
    assert spent["tokens"] < most[1] + AT_ONCE * LARGEST[1]


def pause() -> None:
    """Let another turn go on."""
    getcurrent().parent.switch()


def interleave(lives: Sequence[Callable[[], None]], order: Sequence[int]) -> None:
    """Run these, at most AT_ONCE of them at once; `order` says whose next step it is, and then they go in turn."""
    waiting, running = deque(map(greenlet, lives)), list[greenlet]()
    for pick in chain(order, count()):
        while waiting and len(running) < AT_ONCE:
            running.append(waiting.popleft())
        if not running:
            return
        chosen = running[pick % len(running)]
        chosen.switch()
        if chosen.dead:
            running.remove(chosen)


def test_threads_that_ask_at_once_are_all_counted() -> None:
    step = limits(bot={"messages": "1M/day"})

    def live(number: int) -> None:
        turn = turn_of(store, number, 3, f"U{number}")
        step(turn, lambda _: Reply.of("ok"))
        commit(store, turn)

    with closing(MemoryStore()) as store, ThreadPoolExecutor(8) as pool:
        list(pool.map(live, range(40)))
        assert step(turn_of(store, 99), ok).text == "ok"
        assert limits(bot={"messages": "121/day"})(turn_of(store, 99), ok).text == "ok"
        assert limits(bot={"messages": "120/day"})(turn_of(store, 99), ok).text == "Enough."


# ---------------------------------------------------------------- what is read and written


def ok(_turn: Turn) -> Reply:
    return Reply.of("ok")


@pytest.fixture
def store() -> Iterator[Store]:
    with closing(MemoryStore()) as opened:
        yield opened


class Recording:
    """A store that notes what is asked of it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[list[tuple[str, str]]] = []

    def counted(self, bot: str, counters: Sequence[tuple[str, str]], now: int) -> Any:
        self.asked.append(list(counters))
        return self._store.counted(bot, counters, now)


def test_whatever_is_limited_it_is_read_at_once_and_within_what_a_store_takes(store: Store) -> None:
    rates = [f"9/{period}" for period in ("min", "hour", "day", "month")]
    all_of_them = {"messages": rates, "tokens": rates, "cost": [rate.replace("/", " USD/") for rate in rates]}
    recording = Recording(store)
    turn = turn_of(cast(Store, recording))
    assert limits(user=all_of_them, group=all_of_them, bot=all_of_them)(turn, ok).text == "ok"
    (asked,) = recording.asked
    assert len(asked) == len(set(asked)) == 4 * (1 + 1 + SHARDS + 1) <= 100


def test_without_limits_nothing_is_read_or_counted() -> None:
    turn = turn_of(cast(Store, None))
    assert limits()(turn, ok).text == "ok"
    assert turn.counts == []


def test_a_group_limit_is_no_concern_of_a_chat_with_one_person() -> None:
    turn = turn_of(cast(Store, None), chat=Chat("user", "U1"))
    assert limits(group={"messages": "1/day"})(turn, ok).text == "ok"


def test_who_is_not_known_counts_for_the_group_and_the_bot(store: Store) -> None:
    turn = turn_of(store, person="")
    limits(user={"messages": "1/day"}, group={"messages": "9/day"}, bot={"messages": "9/day"})(turn, ok)
    assert [count.counter.partition("#")[0] for count in turn.counts] == ["G", "L"]


def test_what_a_turn_used_is_counted_in_each_window_that_is_limited(store: Store) -> None:
    def ask(turn: Turn) -> Reply:
        turn.said = turn.said[:2]  # what a step inside leaves out is not counted
        turn.usages += [Usage("m", 100, 20, 7), Usage("n", 3, 0, 1)]
        return Reply.of("ok")

    turn = turn_of(store, messages=3)
    limits(user={"messages": ["9/min", "99/day"], "cost": "1 USD/day"}, group={"tokens": "1k/month"})(turn, ask)
    amounts = {"messages": 2, "tokens": 123, "cost": 8}
    assert [(one.counter, one.window, one.amounts) for one in turn.counts] == [
        ("U#U1", "min#2100-01-01T00:00+0000", amounts),
        ("U#U1", "day#2100-01-01", amounts),
        ("G#group:C1", "month#2100-01", amounts),
    ]


def test_what_a_failed_turn_used_is_counted(store: Store) -> None:
    def fail(turn: Turn) -> Reply:
        turn.usages.append(Usage("m", 100, 0))
        raise ModelError("no")

    turn = turn_of(store)
    with pytest.raises(ModelError):
        limits(user={"tokens": "1k/day"})(turn, fail)
    assert [one.amounts for one in turn.counts] == [{"messages": 1, "tokens": 100}]


def test_an_event_that_the_model_answers_is_limited_and_counts_as_a_message(store: Store) -> None:
    step = limits(user={"messages": "9/day", "tokens": "50/day"})

    def ask(turn: Turn) -> Reply:
        turn.usages.append(Usage("m", 50, 0))
        return Reply.of("ok")

    first, second = tapped(store, 1), tapped(store, 2)
    assert step(first, ask).text == "ok"
    assert [one.amounts for one in first.counts] == [{"messages": 1, "tokens": 50}]
    commit(store, first)
    assert step(second, ask).text == "Enough."


def tapped(store: Store, number: int) -> Turn:
    """A tap on a button, which a step before has put into words."""
    turn = turn_of(store, number)
    turn.event = replace(turn.event, type="postback", postback="menu")
    turn.said = (Said(turn.event, "show me the menu"),)
    return turn


def test_a_store_that_cannot_tell_is_no_permission() -> None:
    with closing(MemoryStore()) as closed:
        pass
    with pytest.raises(StoreError):
        limits(user={"messages": "1/day"})(turn_of(closed), ok)


@pytest.mark.parametrize(("owner", "counted"), [("user", True), ("group", True), ("bot", True), (None, False)])
def test_it_knows_whether_prices_matter(owner: str | None, counted: bool) -> None:
    options = {owner: {"cost": "1 USD/month"}} if owner else {"user": {"messages": "1/day", "tokens": "1/day"}}
    assert limits(**options).counts_cost is counted
