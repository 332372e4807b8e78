"""What every store must do, asked through the port alone."""

import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, suppress
from dataclasses import replace
from itertools import count, permutations
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from botkit.errors import LeaseLost, StoreError, TakenBack
from botkit.messages import Chat, Content, Message
from botkit.ports import (
    Acceptance,
    Answer,
    Budget,
    Conversation,
    Count,
    Held,
    Inbox,
    Lease,
    Memory,
    Note,
    Pending,
    Record,
    Store,
)
from tests.support.samples import (
    ANSWER,
    BOT,
    DAY,
    HANA,
    HANAS_CHAT,
    MINUTE,
    NOTE,
    NOW,
    OTHER_ANSWER,
    SECOND,
    USER,
    arrival,
    memory,
    pending,
    read,
    receive,
    remember,
    settle,
    take_lease,
    texts,
    tokens,
    waiting,
)
from tests.support.stores import LASTING, OPENERS

KEN = Conversation("inn", "user:U2")
GROUP = Conversation("inn", "group:C1")
GROUPS_CHAT = Chat("group", "C1")
HANA_IN_GROUP = Conversation("inn", "group:C1:U1")
KEN_IN_GROUP = Conversation("inn", "group:C1:U2")
OTHER_BOT = Conversation("bar", HANA.id)
BOTS = (HANA.bot, OTHER_BOT.bot)
DAY_WINDOW = "day#2100-01-01"
SAID = (memory("question"), memory("answer", role=BOT))


@pytest.fixture(params=OPENERS)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(OPENERS[request.param](request, tmp_path)()) as opened:
        yield opened


@pytest.fixture(params=LASTING)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same store anew, as a process that starts."""
    opener = OPENERS[request.param](request, tmp_path)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(opener()))


def together(count: int, work: Callable[[int], Any]) -> list[Any]:
    """What `work(0)`, `work(1)` … return, all begun at the same moment in threads."""
    barrier = Barrier(count)

    def run(number: int) -> Any:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def waiting_ids(store: Store, lease: Lease) -> list[str]:
    return [event.event_id for event in waiting(store, lease)]


def counted(
    store: Store, counter: str = "U#U1", window: str = DAY_WINDOW, *, bot: str = HANA.bot, now: int = NOW
) -> dict[str, int]:
    (amounts,) = store.counted(bot, [(counter, window)], now)
    return dict(amounts)


def heard(text: str, event_id: str = "e1", **options: Any) -> Memory:
    """What was said to others than the bot."""
    said = memory(text, event_id, **options)
    return replace(said, message=replace(said.message, overheard=True))


def of(user_id: str, *memories: Memory) -> list[Memory]:
    return [replace(one, user_id=user_id) for one in memories]


def all_texts(store: Store, conversation: Conversation) -> list[str]:
    """What is remembered of a conversation, overheard or not."""
    return [message.text for message in store.history(conversation, 100, NOW, 100)]


def known(store: Store, event_id: str = "e1") -> Record:
    record = store.record(HANA.bot, event_id, NOW)
    assert record is not None
    return record


def finish(store: Store, lease: Lease, event_id: str = "e1", state: Any = "DONE", **options: Any) -> Lease | None:
    return store.finish(lease, read(store, lease, event_id), state, HANAS_CHAT, **options)


# ---------------------------------------------------------------- how an event comes to where it is
# Each takes a conversation with a RECEIVED event and answers it, with a question and an answer for the history.


def sent(store: Store, lease: Lease, event_id: str = "e1", *, answer: Answer = ANSWER, **options: Any) -> None:
    options = {"memories": SAID} | options
    store.answer(lease, read(store, lease, event_id), answer, **options)


def sent_in_vain(store: Store, lease: Lease, event_id: str = "e1", **options: Any) -> None:
    sent(store, lease, event_id, **options)
    store.postpone(lease, read(store, lease, event_id), NOW, refused=True)


def kept(store: Store, lease: Lease, event_id: str = "e1", **options: Any) -> None:
    sent(store, lease, event_id, **options, waits=True)


def given_up(store: Store, lease: Lease, event_id: str = "e1", **options: Any) -> None:
    sent(store, lease, event_id, **options)
    finish(store, lease, event_id, "UNDELIVERED")


def delivered(store: Store, lease: Lease, event_id: str = "e1", **options: Any) -> None:
    sent(store, lease, event_id, **options)
    finish(store, lease, event_id)


def silent(store: Store, lease: Lease, event_id: str = "e1", **options: Any) -> None:
    store.answer(lease, read(store, lease, event_id), None, **options)


def covered(store: Store, lease: Lease, event_id: str = "e1", **options: Any) -> None:
    store.accept(arrival("lead", at=NOW + 1))
    store.answer(lease, read(store, lease, "lead"), ANSWER, covers=[read(store, lease, event_id)], **options)


WAYS = {way.__name__: way for way in (sent, sent_in_vain, kept, given_up, delivered, silent, covered)}
"""Every way a RECEIVED event can go."""


def ways(*names: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("go", [WAYS[name] for name in names], ids=names)


Go = Callable[..., None]


# ---------------------------------------------------------------- accept


def test_an_event_never_seen_is_new(store: Store) -> None:
    assert store.accept(arrival()) is Acceptance.NEW


def test_an_unfinished_event_is_pending(store: Store) -> None:
    store.accept(arrival())
    assert store.accept(arrival()) is Acceptance.PENDING


@ways("sent", "sent_in_vain")
def test_an_event_being_sent_is_pending(store: Store, go: Go) -> None:
    go(store, receive(store))
    assert store.accept(arrival()) is Acceptance.PENDING


@ways("kept", "given_up", "delivered", "silent", "covered")
def test_an_event_with_nothing_left_to_do_is_finished(store: Store, go: Go) -> None:
    go(store, receive(store))
    assert store.accept(arrival(renews=True, received_at=NOW + MINUTE)) is Acceptance.FINISHED


def test_a_finished_event_is_still_known_on_the_seventh_day(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(received_at=NOW + 7 * DAY - 1)) is Acceptance.FINISHED


def test_a_finished_event_is_forgotten_after_seven_days(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(received_at=NOW + 7 * DAY)) is Acceptance.NEW


def test_an_event_forgotten_begins_anew(store: Store) -> None:
    week = 7 * DAY
    sent_in_vain(store, receive(store), notes=[NOTE])
    store.accept(arrival(received_at=NOW + week, at=NOW + week))
    lease = take_lease(store, owner="b", now=NOW + week, until=NOW + week + MINUTE)
    assert waiting(store, lease) == (pending(at=NOW + week, received_at=NOW + week),)


def test_a_duplicate_is_in_the_inbox_once(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(body="other"))
    lease = take_lease(store)
    assert [event.body for event in waiting(store, lease)] == [arrival().body]
    assert lease.inbox_seq == 1


def test_a_renewing_redelivery_moves_received_at_forward(store: Store) -> None:
    store.accept(arrival())
    assert store.accept(arrival(received_at=NOW + MINUTE, renews=True)) is Acceptance.PENDING
    assert read(store, take_lease(store)).received_at == NOW + MINUTE


def test_a_renewing_redelivery_never_moves_received_at_back(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(received_at=NOW - MINUTE, renews=True))
    assert read(store, take_lease(store)).received_at == NOW


def test_a_duplicate_that_does_not_renew_leaves_received_at(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(received_at=NOW + MINUTE))
    assert read(store, take_lease(store)).received_at == NOW


def test_a_renewal_counts_no_arrival(store: Store) -> None:
    lease = receive(store)
    store.accept(arrival(received_at=NOW + MINUTE, renews=True))
    assert store.release(lease) is None
    assert take_lease(store, owner="b").inbox_seq == 1


def test_a_duplicate_for_another_conversation_of_the_bot_is_the_same_event(store: Store) -> None:
    store.accept(arrival())
    assert store.accept(arrival(conversation=KEN)) is Acceptance.PENDING
    other = take_lease(store, KEN)
    assert (waiting_ids(store, other), other.inbox_seq) == ([], 0)


def test_a_finished_event_is_finished_for_every_conversation_of_the_bot(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(conversation=KEN)) is Acceptance.FINISHED


def test_a_renewal_for_another_conversation_reaches_the_one_where_the_event_waits(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(conversation=KEN, received_at=NOW + MINUTE, renews=True))
    assert read(store, take_lease(store)).received_at == NOW + MINUTE


def test_bots_share_no_dedupe(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(conversation=OTHER_BOT)) is Acceptance.NEW


def test_many_threads_accepting_one_event_make_it_new_once(store: Store) -> None:
    outcomes = together(8, lambda _: store.accept(arrival()))
    assert sorted(outcome.name for outcome in outcomes) == ["NEW"] + ["PENDING"] * 7


def test_many_threads_accepting_one_event_for_two_conversations_make_it_new_once(store: Store) -> None:
    outcomes = together(8, lambda number: store.accept(arrival(conversation=(HANA, KEN)[number % 2])))
    assert sorted(outcome.name for outcome in outcomes) == ["NEW"] + ["PENDING"] * 7
    assert sum(len(waiting(store, take_lease(store, place))) for place in (HANA, KEN)) == 1


def test_many_threads_accepting_many_events_count_each(store: Store) -> None:
    together(8, lambda number: [store.accept(arrival(f"e{number}-{n}")) for n in range(5)])
    lease = take_lease(store)
    assert (lease.inbox_seq, len(waiting(store, lease))) == (40, 40)


# ---------------------------------------------------------------- the inbox


def test_a_pending_event_is_as_it_arrived(store: Store) -> None:
    lease = receive(store, at=NOW - 7, received_at=NOW + 3, user_id="U1", message_id="m1")
    expected = Pending("e1", NOW - 7, NOW + 3, arrival().body, "RECEIVED", 0, 0, user_id="U1", message_id="m1")
    assert waiting(store, lease) == (expected,)


def test_an_event_of_nobody_and_no_message_has_neither(store: Store) -> None:
    (event,) = waiting(store, receive(store))
    assert (event.user_id, event.message_id) == (None, None)


def test_pending_events_come_in_the_order_they_happened(store: Store) -> None:
    store.accept(arrival("late", at=NOW))
    store.accept(arrival("early", at=NOW - 10 * SECOND))
    store.accept(arrival("long-ago", at=999))
    assert waiting_ids(store, take_lease(store)) == ["long-ago", "early", "late"]


def test_pending_events_of_one_moment_come_in_the_order_of_their_ids(store: Store) -> None:
    for event_id in ["b", "c", "a"]:
        store.accept(arrival(event_id))
    assert waiting_ids(store, take_lease(store)) == ["a", "b", "c"]


def test_the_inbox_gives_the_oldest_hundred(store: Store) -> None:
    for n in range(105):
        store.accept(arrival(f"e{n:03}", at=NOW + n))
    assert waiting_ids(store, take_lease(store)) == [f"e{n:03}" for n in range(100)]


def test_an_event_is_no_longer_pending_after_seven_days(store: Store) -> None:
    store.accept(arrival())
    week_later = take_lease(store, now=NOW + 7 * DAY, until=NOW + 7 * DAY + MINUTE)
    assert waiting_ids(store, week_later) == []


@pytest.mark.parametrize(("until", "found"), [(NOW + 7 * DAY - 1, ["e1"]), (NOW + 7 * DAY, [])])
def test_an_event_that_expires_before_the_lease_ends_is_left_out(store: Store, until: int, found: list[str]) -> None:
    store.accept(arrival())
    assert waiting_ids(store, take_lease(store, until=until)) == found


def test_an_answer_that_waits_expires_like_every_event(store: Store) -> None:
    kept(store, receive(store))
    week_later = take_lease(store, owner="b", now=NOW + 7 * DAY, until=NOW + 7 * DAY + MINUTE)
    assert waiting_ids(store, week_later) == []


def test_an_event_goes_into_no_other_inbox(store: Store) -> None:
    store.accept(arrival())
    for conversation in (KEN, OTHER_BOT):
        lease = take_lease(store, conversation)
        assert (waiting_ids(store, lease), lease.inbox_seq) == ([], 0)


def test_an_inbox_without_anything_is_empty(store: Store) -> None:
    assert store.inbox(take_lease(store), 10, NOW) == Inbox((), ())


@pytest.mark.parametrize(("window", "found"), [(0, []), (2, ["2", "3"]), (9, ["1", "2", "3"])])
def test_the_inbox_brings_the_newest_of_the_history(store: Store, window: int, found: list[str]) -> None:
    remember(store, HANA, *(memory(str(n), f"e{n}", at=NOW + n) for n in (3, 1, 2)))
    remember(store, KEN, memory("yours"))
    assert [message.text for message in store.inbox(take_lease(store), window, NOW).recent] == found


def test_the_inbox_leaves_out_messages_that_have_expired_by_now(store: Store) -> None:
    remember(store, HANA, memory("brief", "e1", expires_at=NOW + 5), memory("lasting", "e2"))
    lease = take_lease(store)
    assert [message.text for message in store.inbox(lease, 9, NOW + 4).recent] == ["brief", "lasting"]
    assert [message.text for message in store.inbox(lease, 9, NOW + 5).recent] == ["lasting"]


def test_the_inbox_has_events_and_history_side_by_side(store: Store) -> None:
    said = Message("user", "七時から 🕖", speaker="花子", tokens=17)
    remember(store, HANA, Memory("e0", NOW - 1, NOW + DAY, said))
    assert store.inbox(receive(store), 10, NOW) == Inbox((pending(),), (said,))


def test_a_message_without_a_count_comes_back_without_one(store: Store) -> None:
    told = [Message("user", "question"), Message("assistant", "answer", tokens=1), Message("user", "a", overheard=True)]
    remember(store, HANA, *(Memory(f"e{n}", NOW - 9 + n, NOW + DAY, said) for n, said in enumerate(told)))
    assert [one.tokens for one in store.history(HANA, 9, NOW, 9)] == [None, 1, None]
    assert [one.tokens for one in store.inbox(receive(store), 9, NOW, 9).recent] == [None, 1, None]


# ---------------------------------------------------------------- lease and release


def test_a_lease_tells_what_was_asked_for(store: Store) -> None:
    assert receive(store) == Lease(HANA, "a", 1, NOW + MINUTE, 1, abandoned=False)


def test_a_lease_shuts_other_owners_out_until_it_has_ended_and_tells_them_when(store: Store) -> None:
    take_lease(store, until=NOW + MINUTE)
    assert store.lease(HANA, "b", NOW + MINUTE, NOW + 2 * MINUTE) == Held(NOW + MINUTE)


def test_who_is_shut_out_changes_nothing(store: Store) -> None:
    lease = receive(store)
    store.lease(HANA, "b", NOW, NOW + 9 * MINUTE)
    store.answer(lease, pending(), ANSWER)
    assert store.lease(HANA, "b", NOW, NOW + 9 * MINUTE) == Held(lease.until)


def test_a_lease_that_has_ended_is_taken_over_with_a_higher_fence(store: Store) -> None:
    first = take_lease(store, until=NOW + MINUTE)
    second = take_lease(store, owner="b", now=NOW + MINUTE + 1, until=NOW + 2 * MINUTE)
    assert second.fence > first.fence


@pytest.mark.parametrize("now", [NOW, NOW + 2 * MINUTE], ids=["before its end", "after its end"])
def test_its_owner_may_take_the_lease_again_with_a_higher_fence(store: Store, now: int) -> None:
    first = take_lease(store)
    assert take_lease(store, now=now, until=now + MINUTE).fence > first.fence


def test_a_lease_taken_again_ends_the_writes_of_the_grant_before(store: Store) -> None:
    first = receive(store)
    take_lease(store)
    with pytest.raises(LeaseLost):
        store.answer(first, pending(), ANSWER)


def test_a_lease_given_back_goes_to_the_next_with_a_higher_fence(store: Store) -> None:
    first = take_lease(store)
    assert store.release(first) is None
    assert take_lease(store, owner="b").fence > first.fence


def test_a_lease_given_back_was_not_abandoned(store: Store) -> None:
    store.release(take_lease(store))
    assert not take_lease(store, owner="b").abandoned


def test_a_lease_given_back_with_the_last_event_was_not_abandoned(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    finish(store, lease, release=True)
    assert not take_lease(store, owner="b").abandoned


@pytest.mark.parametrize("owner", ["a", "b"])
def test_a_lease_that_ended_without_being_given_back_was_abandoned(store: Store, owner: str) -> None:
    take_lease(store, until=NOW + MINUTE)
    later = NOW + MINUTE + 1
    assert take_lease(store, owner=owner, now=later, until=later + MINUTE).abandoned


def test_a_lease_that_its_owner_takes_again_was_abandoned(store: Store) -> None:
    take_lease(store)
    assert take_lease(store).abandoned


def test_a_lease_given_back_after_a_takeover_is_abandoned_no_more(store: Store) -> None:
    take_lease(store, until=NOW + MINUTE)
    store.release(take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE))
    assert not take_lease(store, owner="c", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE).abandoned


@pytest.mark.parametrize("other", [KEN, OTHER_BOT], ids=["conversation", "bot"])
def test_a_lease_shuts_nobody_out_of_another(store: Store, other: Conversation) -> None:
    take_lease(store)
    assert isinstance(store.lease(other, "b", NOW, NOW + MINUTE), Lease)


def test_many_threads_leasing_have_one_winner(store: Store) -> None:
    outcomes = together(8, lambda number: store.lease(HANA, f"worker-{number}", NOW, NOW + MINUTE))
    assert sorted(type(outcome).__name__ for outcome in outcomes) == ["Held"] * 7 + ["Lease"]


def test_an_arrival_after_the_lease_keeps_it(store: Store) -> None:
    lease = receive(store)
    waiting(store, lease)
    store.accept(arrival("e2"))
    assert store.release(lease) == replace(lease, inbox_seq=2)
    assert store.lease(HANA, "b", NOW, NOW + MINUTE) == Held(lease.until)


def test_a_lease_kept_for_an_arrival_can_be_used_and_given_back_then(store: Store) -> None:
    lease = receive(store)
    store.accept(arrival("e2"))
    still = store.release(lease)
    assert still is not None
    silent(store, still, "e2")
    assert store.release(still) is None
    assert isinstance(store.lease(HANA, "b", NOW, NOW + MINUTE), Lease)


def test_releasing_a_lease_lost_meanwhile_leaves_the_new_holder_alone(store: Store) -> None:
    stale = receive(store)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    store.accept(arrival("e2"))
    assert store.release(stale) is None
    silent(store, current)


def test_releasing_twice_is_harmless(store: Store) -> None:
    lease = take_lease(store)
    store.release(lease)
    assert store.release(lease) is None


def test_no_arrival_is_lost_between_release_and_the_next_lease(store: Store) -> None:
    lease = take_lease(store)

    def leave_or_arrive(number: int) -> Lease | None:
        return None if number and store.accept(arrival(f"e{number}")) else store.release(lease)

    still = together(5, leave_or_arrive)[0]
    assert len(waiting_ids(store, still or take_lease(store, owner="b"))) == 4


# ---------------------------------------------------------------- writes under a lease


def stage(store: Store) -> Lease:
    """A leased inbox with one event of each state, and a history of one message."""
    for n, event_id in enumerate(["old", "other", "sending", "kept"]):
        store.accept(arrival(event_id, at=NOW - 9 + n, message_id=f"m-{event_id}"))
    lease = receive(store)
    silent(store, lease, "old", memories=[memory("old", "old", at=NOW - 9)])
    sent(store, lease, "sending", memories=())
    kept(store, lease, "kept", memories=())
    return lease


OTHER = pending("other", at=NOW - 8)
SENDING = pending("sending", at=NOW - 7)
KEPT = pending("kept", at=NOW - 6, state="UNDELIVERED")
EDITED = Message("user", "edited", tokens=9)
EVERYTHING = {"memories": SAID, "counts": [tokens()], "notes": [NOTE]}
FINISHED: dict[str, Any] = {"counts": [tokens()], "notes": [NOTE]}

Write = Callable[[Store, Lease], Any]
WRITES: dict[str, Write] = {
    "notice": lambda store, lease: store.notice(lease, pending(), [NOTE]),
    "answer": lambda store, lease: store.answer(lease, pending(), ANSWER, **EVERYTHING),
    "covering answer": lambda store, lease: store.answer(lease, pending(), ANSWER, covers=[OTHER, KEPT], **EVERYTHING),
    "answer that waits": lambda store, lease: store.answer(lease, pending(), ANSWER, waits=True, **EVERYTHING),
    "silence": lambda store, lease: store.answer(lease, pending(), None, **EVERYTHING),
    "postpone": lambda store, lease: store.postpone(lease, SENDING, NOW + 3, refused=False, notes=[NOTE]),
    "postpone, refused": lambda store, lease: store.postpone(lease, SENDING, NOW + 3, refused=True, notes=[NOTE]),
    "done": lambda store, lease: store.finish(lease, SENDING, "DONE", HANAS_CHAT, ["m9"], **FINISHED),
    "done, release": lambda store, lease: store.finish(
        lease, SENDING, "DONE", HANAS_CHAT, ["m9"], **FINISHED, release=True
    ),
    "undelivered": lambda store, lease: store.finish(lease, SENDING, "UNDELIVERED", HANAS_CHAT, **FINISHED),
    "undelivered, release": lambda store, lease: store.finish(
        lease, SENDING, "UNDELIVERED", HANAS_CHAT, **FINISHED, release=True
    ),
    "kept is done": lambda store, lease: store.finish(lease, KEPT, "DONE", HANAS_CHAT, ["m9"], **FINISHED),
    "edit": lambda store, lease: store.edit(lease, HANAS_CHAT, "m-old", NOW, EDITED),
}
COUNTED_EACH_TIME: dict[str, Write] = {
    "resend": lambda store, lease: store.resend(lease, SENDING, "push", Budget(tokens(), 999)),
}
MADE_BEFORE: dict[str, Write] = {
    "repeated answer": lambda store, lease: sent(store, lease, "sending", memories=()),
    "repeated answer that waits": lambda store, lease: kept(store, lease, "kept", memories=()),
}


def table(*writes: dict[str, Write]) -> pytest.MarkDecorator:
    cases = {name: write for group in writes for name, write in group.items()}
    return pytest.mark.parametrize("write", cases.values(), ids=cases)


def everything(store: Store, lease: Lease) -> list[Any]:
    """All that `stage` and the writes could have changed."""
    return [
        store.inbox(lease, 100, NOW),
        [store.record(HANA.bot, event_id, NOW) for event_id in ("old", "other", "sending", "kept", "e1")],
        [list(store.overdue(NOW + ms, 10, BOTS)) for ms in (0, 3, 5 * SECOND)],
        counted(store),
        store.said_by_bot(HANA.bot, HANAS_CHAT, "m9"),
    ]


@table(WRITES, COUNTED_EACH_TIME)
def test_a_write_changes_something(store: Store, write: Write) -> None:
    lease = stage(store)
    before = everything(store, lease)
    write(store, lease)
    assert everything(store, lease) != before


@table(WRITES, COUNTED_EACH_TIME, MADE_BEFORE)
def test_no_write_after_a_takeover(store: Store, write: Write) -> None:
    stale = stage(store)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    before = everything(store, current)
    with pytest.raises(LeaseLost):
        write(store, stale)
    assert everything(store, current) == before


@table(WRITES, COUNTED_EACH_TIME, MADE_BEFORE)
def test_no_write_after_the_release(store: Store, write: Write) -> None:
    lease = stage(store)
    assert store.release(lease) is None
    with pytest.raises(LeaseLost):
        write(store, lease)


@table(WRITES, COUNTED_EACH_TIME)
def test_no_write_under_the_fence_of_another_owner(store: Store, write: Write) -> None:
    lease = stage(store)
    with pytest.raises(LeaseLost):
        write(store, replace(lease, owner="b"))


@table(WRITES, COUNTED_EACH_TIME, MADE_BEFORE)
def test_an_ended_lease_that_nobody_took_over_still_writes(store: Store, write: Write) -> None:
    lease = stage(store)
    store.accept(arrival("later", received_at=NOW + DAY))
    write(store, lease)


@table(WRITES)
def test_a_write_repeated_under_the_same_lease_changes_nothing(store: Store, write: Write) -> None:
    lease = stage(store)
    outcome = write(store, lease)
    once = everything(store, lease)
    assert write(store, lease) == outcome
    assert everything(store, lease) == once


@table(MADE_BEFORE)
def test_a_write_repeated_by_a_process_that_has_read_its_effect_changes_nothing(store: Store, write: Write) -> None:
    lease = stage(store)
    once = everything(store, lease)
    write(store, lease)
    assert everything(store, lease) == once


# ---------------------------------------------------------------- attempts


def test_attempts_are_counted_for_each_event(store: Store) -> None:
    store.accept(arrival("e0", at=NOW - 1))
    lease = receive(store)
    store.attempt(lease, [pending("e0", at=NOW - 1), pending()])
    store.attempt(lease, [pending()])
    assert [event.attempts for event in waiting(store, lease)] == [1, 2]


def test_an_attempt_of_nothing_is_harmless(store: Store) -> None:
    store.attempt(take_lease(store), [])


def test_an_attempt_on_an_event_being_sent_is_counted(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    store.attempt(lease, [pending()])
    assert read(store, lease).attempts == 1


@ways("kept", "given_up", "delivered", "silent", "covered")
def test_an_attempt_on_an_event_with_nothing_left_to_do_changes_nothing(store: Store, go: Go) -> None:
    lease = receive(store)
    go(store, lease)
    before = known(store)
    store.attempt(lease, [pending()])
    assert known(store) == before


def test_an_attempt_is_counted_though_the_lease_has_passed_on(store: Store) -> None:
    stale = receive(store)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    store.attempt(stale, [pending()])
    assert read(store, current).attempts == 1


def test_an_attempt_makes_its_event_due_at_the_end_of_the_lease(store: Store) -> None:
    lease = receive(store, due_at=NOW)
    store.attempt(lease, [pending()])
    assert list(store.overdue(lease.until - 1, 10, BOTS)) == []
    assert list(store.overdue(lease.until, 10, BOTS)) == [HANA]


def test_an_attempt_counted_late_does_not_hide_that_the_answer_was_made(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER, counts=[tokens()])
    store.attempt(lease, [pending()])
    store.answer(lease, pending(), ANSWER, counts=[tokens()])
    assert counted(store) == {"tokens": 150}


# ---------------------------------------------------------------- the notice


def test_a_notice_is_recorded(store: Store) -> None:
    lease = receive(store)
    store.notice(lease, pending())
    assert waiting(store, lease) == (pending(noticed=True),)


def test_a_notice_outlives_its_holder_and_the_answer(store: Store) -> None:
    lease = receive(store)
    store.notice(lease, pending())
    kept(store, lease)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    assert read(store, current).noticed


def test_a_notice_may_be_recorded_again_by_the_next_holder(store: Store) -> None:
    store.notice(receive(store), pending(), [Note(1, "first")])
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    store.notice(current, pending(noticed=True), [Note(2, "second")])
    assert read(store, current).notes == (Note(1, "first"), Note(2, "second"))


@ways("sent", "kept", "delivered")
def test_there_is_no_notice_once_there_is_an_answer(store: Store, go: Go) -> None:
    lease = receive(store)
    go(store, lease)
    with pytest.raises(StoreError, match=r"event e1 is (SENDING|UNDELIVERED|DONE)"):
        store.notice(lease, pending())


def test_there_is_no_notice_for_an_event_that_is_not_there(store: Store) -> None:
    with pytest.raises(StoreError, match="event e1 is not in the inbox"):
        store.notice(take_lease(store), pending())


# ---------------------------------------------------------------- the answer


def test_an_answer_is_fixed_as_it_was_given(store: Store) -> None:
    lease = receive(store, user_id="U1", message_id="m1")
    before = read(store, lease)
    store.answer(lease, before, ANSWER)
    assert waiting(store, lease) == (replace(before, state="SENDING", sends=1, answer=ANSWER),)


def test_a_fixed_answer_keeps_the_order_of_its_keys(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), Answer(({"z": 1, "a": {"y": 2, "b": [3]}},), "k"))
    answer = read(store, lease).answer
    assert answer is not None
    assert str(answer.messages) == "({'z': 1, 'a': {'y': 2, 'b': [3]}},)"


def test_an_answer_outlives_its_holder(store: Store) -> None:
    sent(store, receive(store))
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    assert read(store, current).answer == ANSWER


def test_an_answer_that_waits_is_undelivered_and_unsent_to_line(store: Store) -> None:
    lease = receive(store, user_id="U1", message_id="m1")
    before = read(store, lease)
    store.answer(lease, before, ANSWER, waits=True)
    assert waiting(store, lease) == (replace(before, state="UNDELIVERED", answer=ANSWER, body=""),)


def test_an_answer_brings_its_memories(store: Store) -> None:
    lease = receive(store)
    said = [memory("あさごはん？ 🍚"), memory("七時から 🕖", role=BOT)]
    store.answer(lease, pending(), ANSWER, memories=said)
    assert texts(store) == ["あさごはん？ 🍚", "七時から 🕖"]


def test_a_repeated_answer_after_a_resend_keeps_the_count(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    store.resend(lease, pending(), "reply")
    store.answer(lease, pending(), ANSWER)
    assert read(store, lease).sends == 2


def test_a_second_answer_that_differs_is_refused(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    before = read(store, lease)
    with pytest.raises(StoreError, match="event e1 is SENDING"):
        store.answer(lease, pending(), OTHER_ANSWER, memories=SAID, counts=[tokens()])
    assert read(store, lease) == before
    assert (texts(store), counted(store)) == ([], {})


@ways("sent", "kept", "delivered", "covered")
def test_an_answer_fixed_by_an_earlier_lease_is_not_fixed_again(store: Store, go: Go) -> None:
    go(store, receive(store))
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    with pytest.raises(StoreError, match=r"event e1 is (SENDING|UNDELIVERED|DONE)"):
        store.answer(current, pending(), ANSWER)


def test_an_answer_to_an_event_that_is_not_there_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(StoreError, match="event e9 is not in the inbox"):
        store.answer(receive(store), pending("e9"), ANSWER, memories=SAID, counts=[tokens()])
    assert (texts(store), counted(store)) == ([], {})


def test_an_answer_to_an_event_of_another_conversation_is_refused(store: Store) -> None:
    receive(store)
    with pytest.raises(StoreError, match="event e1 is not in the inbox"):
        store.answer(take_lease(store, KEN), pending(), ANSWER)


def test_silence_leaves_the_inbox(store: Store) -> None:
    lease = receive(store)
    silent(store, lease)
    assert (waiting_ids(store, lease), known(store).state) == ([], "DONE")


def test_silence_may_remember_and_count(store: Store) -> None:
    silent(store, receive(store), memories=[memory("overheard")], counts=[tokens()])
    assert (texts(store), counted(store)) == (["overheard"], {"tokens": 150})


def test_silence_that_waits_is_silence(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), None, waits=True)
    assert (waiting_ids(store, lease), known(store).state) == ([], "DONE")


# ---------------------------------------------------------------- several events, one answer


def two_and_one_kept(store: Store) -> Lease:
    """e1 and e2, RECEIVED, and an answer to e0 that waits."""
    for n in range(3):
        store.accept(arrival(f"e{n}", at=NOW + n, message_id=f"m{n}", user_id="U1"))
    lease = take_lease(store)
    kept(store, lease, "e0", memories=[memory("earlier", "e0"), memory("earlier answer", "e0", role=BOT)])
    return lease


def test_what_an_answer_covers_leaves_the_inbox_done(store: Store) -> None:
    lease = two_and_one_kept(store)
    store.answer(lease, read(store, lease, "e2"), ANSWER, covers=[read(store, lease, "e0"), read(store, lease)])
    assert waiting_ids(store, lease) == ["e2"]
    assert [known(store, event_id).state for event_id in ("e0", "e1", "e2")] == ["DONE", "DONE", "SENDING"]


def test_what_an_answer_covers_knows_its_lead(store: Store) -> None:
    lease = two_and_one_kept(store)
    assert [known(store, event_id).lead for event_id in ("e0", "e1", "e2")] == ["e0", None, None]
    store.answer(lease, read(store, lease, "e2"), ANSWER, covers=[read(store, lease, "e0"), read(store, lease)])
    assert [known(store, event_id).lead for event_id in ("e0", "e1", "e2")] == ["e2", "e2", "e2"]


@pytest.mark.parametrize("answer", [ANSWER, None], ids=["an answer that waits", "silence"])
def test_an_answer_of_any_kind_covers(store: Store, answer: Answer | None) -> None:
    lease = two_and_one_kept(store)
    store.answer(lease, read(store, lease, "e2"), answer, covers=[read(store, lease)], waits=True)
    assert known(store).lead == "e2"


def test_what_an_answer_covers_is_never_overdue(store: Store) -> None:
    lease = two_and_one_kept(store)
    silent(store, lease, "e2", covers=[read(store, lease)])
    assert list(store.overdue(NOW + DAY, 10, BOTS)) == []


def test_what_an_answer_covers_keeps_its_own_story(store: Store) -> None:
    lease = two_and_one_kept(store)
    store.notice(lease, read(store, lease), [Note(1, "notice")])
    store.answer(lease, read(store, lease, "e2"), ANSWER, covers=[read(store, lease)], notes=[NOTE])
    assert (known(store).notes, known(store, "e2").notes) == ((Note(1, "notice"),), (NOTE,))


@ways("sent", "sent_in_vain", "delivered", "silent")
def test_only_what_is_received_or_undelivered_is_covered(store: Store, go: Go) -> None:
    lease = two_and_one_kept(store)
    before = read(store, lease)
    go(store, lease)
    with pytest.raises(StoreError, match=r"event e1 is (SENDING|DONE)"):
        store.answer(lease, read(store, lease, "e2"), OTHER_ANSWER, covers=[before])


@pytest.mark.parametrize("missing", ["first", "last"])
def test_an_answer_that_cannot_cover_all_leaves_nothing_behind(store: Store, missing: str) -> None:
    lease = two_and_one_kept(store)
    before = everything(store, lease)
    covers = [read(store, lease, "e0"), read(store, lease)]
    covers.insert(0 if missing == "first" else 2, pending("e9"))
    with pytest.raises(StoreError, match="event e9 is not in the inbox"):
        store.answer(lease, read(store, lease, "e2"), ANSWER, covers=covers, **EVERYTHING)
    assert everything(store, lease) == before


def test_an_answer_covers_twenty_with_all_their_memories_and_counts(store: Store) -> None:
    for n in range(21):
        store.accept(arrival(f"e{n:02}", at=NOW + n))
    lease = take_lease(store)
    *covers, lead = waiting(store, lease)
    store.answer(
        lease,
        lead,
        ANSWER,
        covers=covers,
        memories=[memory(str(n), f"e{n:02}", at=NOW + n) for n in range(40)],
        counts=[tokens(1, f"Q#{n}") for n in range(10)],
    )
    assert waiting_ids(store, lease) == ["e20"]
    assert (len(texts(store)), [counted(store, f"Q#{n}") for n in range(10)]) == (40, [{"tokens": 1}] * 10)


# ---------------------------------------------------------------- resends and budgets


def test_a_resend_is_counted_with_its_way(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    assert (read(store, lease).sends, read(store, lease).via) == (1, "reply")
    assert store.resend(lease, pending(), "reply")
    assert store.resend(lease, pending(), "push")
    assert (read(store, lease).sends, read(store, lease).via) == (3, "push")


@pytest.mark.parametrize("state", ["RECEIVED", "UNDELIVERED", "DONE"])
def test_only_an_answer_on_its_way_is_sent_again(store: Store, state: str) -> None:
    lease = receive(store)
    if state != "RECEIVED":
        (kept if state == "UNDELIVERED" else delivered)(store, lease)
    with pytest.raises(StoreError, match=f"event e1 is {state}"):
        store.resend(lease, pending(), "push")


@pytest.mark.parametrize(
    ("spent", "limit", "allowed", "after"),
    [
        ({}, 3, True, {"messages": 3}),
        ({}, 2, False, {}),
        ({"messages": 7}, 10, True, {"messages": 10}),
        ({"messages": 8}, 10, False, {"messages": 8}),
        ({"tokens": 9}, 3, True, {"messages": 3, "tokens": 9}),
    ],
    ids=["as much as there is", "too much at once", "the rest", "more than the rest", "another amount"],
)
def test_a_budget_is_charged_unless_it_would_be_exceeded(
    store: Store, spent: dict[str, int], limit: int, allowed: bool, after: dict[str, int]
) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER, counts=[tokens(amount, name=name) for name, amount in spent.items()])
    assert store.resend(lease, pending(), "push", Budget(tokens(3, name="messages"), limit)) is allowed
    assert counted(store) == after


def test_every_amount_of_a_count_must_stay_within_the_budget(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    count = replace(tokens(), amounts={"messages": 1, "people": 4})
    assert not store.resend(lease, pending(), "push", Budget(count, 3))
    assert store.resend(lease, pending(), "push", Budget(count, 4))
    assert counted(store) == {"messages": 1, "people": 4}


def test_a_push_that_the_budget_forbids_is_not_recorded(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    before = read(store, lease)
    store.resend(lease, pending(), "push", Budget(tokens(3), 2))
    assert read(store, lease) == before


def test_a_budget_is_charged_once_for_an_event(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    budget = Budget(tokens(2), 3)
    assert [store.resend(lease, pending(), "push", budget) for _ in range(3)] == [True] * 3
    assert (counted(store), read(store, lease).sends) == ({"tokens": 2}, 4)


def test_a_budget_charged_by_an_earlier_holder_is_not_charged_again(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    store.resend(lease, pending(), "push", Budget(tokens(2), 2))
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    assert store.resend(current, read(store, current), "push", Budget(tokens(2), 2))
    assert counted(store) == {"tokens": 2}


def test_a_resend_without_a_budget_leaves_the_charge_to_the_first_push(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    store.resend(lease, pending(), "reply")
    store.resend(lease, pending(), "push", Budget(tokens(2), 2))
    assert counted(store) == {"tokens": 2}


def test_events_share_a_budget(store: Store) -> None:
    store.accept(arrival("e0"))
    lease = receive(store)
    for event_id in ("e0", "e1"):
        store.answer(lease, pending(event_id), ANSWER)
    budget = Budget(tokens(2), 3)
    assert [store.resend(lease, pending(event_id), "push", budget) for event_id in ("e0", "e1")] == [True, False]


def test_many_threads_spend_no_more_than_the_budget(store: Store) -> None:
    places = [Conversation(HANA.bot, f"user:{n}") for n in range(6)]
    leases = [receive(store, f"e{n}", conversation=place) for n, place in enumerate(places)]
    for n, lease in enumerate(leases):
        store.answer(lease, pending(f"e{n}"), ANSWER)
    allowed = together(6, lambda n: store.resend(leases[n], pending(f"e{n}"), "push", Budget(tokens(2), 7)))
    assert (sorted(allowed), counted(store)) == ([False] * 3 + [True] * 3, {"tokens": 6})


# ---------------------------------------------------------------- postpone


@ways("sent", "sent_in_vain")
def test_a_postponed_answer_is_due_then_and_keeps_what_it_was(store: Store, go: Go) -> None:
    lease = receive(store)
    go(store, lease)
    before = read(store, lease)
    store.postpone(lease, before, NOW + 5, refused=False)
    assert read(store, lease) == before
    assert list(store.overdue(NOW + 4, 10, BOTS)) == []
    assert list(store.overdue(NOW + 5, 10, BOTS)) == [HANA]


def test_a_received_event_can_be_postponed(store: Store) -> None:
    lease = receive(store)
    store.postpone(lease, pending(), NOW + MINUTE, refused=False)
    assert list(store.overdue(NOW + MINUTE - 1, 10, BOTS)) == []
    assert waiting(store, lease) == (pending(),)


def test_an_event_can_be_postponed_to_the_same_moment_after_another_attempt(store: Store) -> None:
    lease = receive(store)
    for _ in range(2):
        store.attempt(lease, [pending()])
        store.postpone(lease, pending(), NOW + 5, refused=False)
    assert list(store.overdue(NOW + 5, 10, BOTS)) == [HANA]


def test_what_was_certainly_refused_counts_as_not_sent(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    store.resend(lease, pending(), "reply")
    store.postpone(lease, pending(), NOW, refused=True)
    assert read(store, lease).sends == 0


@ways("kept", "given_up", "delivered", "silent", "covered")
def test_an_event_with_nothing_left_to_do_cannot_be_postponed(store: Store, go: Go) -> None:
    lease = receive(store)
    go(store, lease)
    with pytest.raises(StoreError, match=r"event e1 is (UNDELIVERED|DONE)"):
        store.postpone(lease, pending(), NOW, refused=False)


# ---------------------------------------------------------------- finish


def test_a_done_event_leaves_the_inbox(store: Store) -> None:
    lease = stage(store)
    finish(store, lease, "sending")
    assert waiting_ids(store, lease) == ["other", "kept", "e1"]


def test_an_undelivered_event_stays_with_its_answer_and_without_its_text(store: Store) -> None:
    lease = receive(store, user_id="U1", message_id="m1")
    sent(store, lease)
    before = read(store, lease)
    finish(store, lease, "e1", "UNDELIVERED")
    assert waiting(store, lease) == (replace(before, state="UNDELIVERED", body=""),)


@ways("kept", "given_up")
def test_an_undelivered_event_can_be_done_by_a_later_holder(store: Store, go: Go) -> None:
    go(store, receive(store))
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    finish(store, current)
    assert (waiting_ids(store, current), known(store).state) == ([], "DONE")


def test_what_is_done_cannot_become_undelivered(store: Store) -> None:
    lease = receive(store)
    delivered(store, lease)
    with pytest.raises(StoreError, match="event e1 is DONE"):
        store.finish(lease, pending(), "UNDELIVERED", HANAS_CHAT)


def test_what_waits_already_cannot_become_undelivered(store: Store) -> None:
    lease = receive(store)
    kept(store, lease)
    with pytest.raises(StoreError, match="event e1 is UNDELIVERED"):
        finish(store, lease, "e1", "UNDELIVERED")


def test_an_event_without_an_answer_cannot_be_finished(store: Store) -> None:
    lease = receive(store)
    with pytest.raises(StoreError, match="event e1 is RECEIVED"):
        store.finish(lease, pending(), "DONE", HANAS_CHAT, ["m1"], release=True)
    assert not store.said_by_bot("inn", HANAS_CHAT, "m1")
    assert store.lease(HANA, "b", NOW, NOW + MINUTE) == Held(lease.until)


def test_an_event_that_is_not_there_cannot_be_finished(store: Store) -> None:
    with pytest.raises(StoreError, match="event e1 is not in the inbox"):
        store.finish(take_lease(store), pending(), "DONE", HANAS_CHAT)


def test_finishing_keeps_the_lease_as_it_was(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    assert finish(store, lease) == lease
    assert store.lease(HANA, "b", NOW, NOW + MINUTE) == Held(lease.until)


def test_finishing_does_not_hide_an_arrival_from_the_release(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    store.accept(arrival("e2"))
    still = finish(store, lease)
    assert still is not None
    assert store.release(still) == replace(lease, inbox_seq=2)


@pytest.mark.parametrize("state", ["DONE", "UNDELIVERED"])
def test_finishing_may_give_the_lease_back(store: Store, state: str) -> None:
    lease = receive(store)
    sent(store, lease)
    assert finish(store, lease, "e1", state, release=True) is None
    assert isinstance(store.lease(HANA, "b", NOW, NOW + MINUTE), Lease)
    assert known(store).state == state


def test_finishing_does_not_give_the_lease_back_where_events_arrived(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    store.accept(arrival("e2"))
    assert finish(store, lease, release=True) == replace(lease, inbox_seq=2)
    assert known(store).state == "DONE"
    assert store.lease(HANA, "b", NOW, NOW + MINUTE) == Held(lease.until)


def test_a_repeated_finish_that_kept_the_lease_tells_it_again(store: Store) -> None:
    lease = receive(store)
    event = read(store, lease)
    sent(store, lease)
    store.accept(arrival("e2"))
    outcomes = [store.finish(lease, event, "DONE", HANAS_CHAT, release=True) for _ in range(2)]
    assert outcomes == [replace(lease, inbox_seq=2)] * 2


def test_a_repeated_finish_that_gave_the_lease_back_leaves_the_next_holder_alone(store: Store) -> None:
    lease = receive(store)
    event = read(store, lease)
    sent(store, lease)
    store.finish(lease, event, "DONE", HANAS_CHAT, release=True)
    store.accept(arrival("e2"))
    current = take_lease(store, owner="b")
    assert store.finish(lease, event, "DONE", HANAS_CHAT, release=True) is None
    silent(store, current, "e2")


def test_only_who_finished_an_event_has_it_finished_already(store: Store) -> None:
    stale = receive(store)
    event = read(store, stale)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    delivered(store, current)
    with pytest.raises(LeaseLost):
        store.finish(stale, event, "DONE", HANAS_CHAT, release=True)


@ways("sent", "kept")
def test_the_counts_of_a_finish_are_added_once(store: Store, go: Go) -> None:
    lease = receive(store)
    go(store, lease, counts=[tokens(3)])
    event = read(store, lease)
    for _ in range(2):
        store.finish(lease, event, "DONE", HANAS_CHAT, counts=[tokens(4), tokens(5)])
    assert counted(store) == {"tokens": 12}


def test_the_counts_of_a_finish_are_added_once_where_events_arrived(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    event = read(store, lease)
    store.accept(arrival("e2"))
    for _ in range(2):
        store.finish(lease, event, "DONE", HANAS_CHAT, counts=[tokens(4)], release=True)
    assert counted(store) == {"tokens": 4}


def test_a_finish_that_is_refused_counts_nothing(store: Store) -> None:
    lease = receive(store)
    for state in ("DONE", "UNDELIVERED"):
        with pytest.raises(StoreError):
            finish(store, lease, state=state, counts=[tokens()])
    assert counted(store) == {}


# ---------------------------------------------------------------- notes


def test_notes_are_added_in_the_order_of_the_writes(store: Store) -> None:
    story = [Note(NOW + n, f"step {n}") for n in range(7)]
    lease = receive(store)
    store.notice(lease, pending(), story[:1])
    store.postpone(lease, pending(), NOW, refused=False, notes=story[1:2])
    store.answer(lease, pending(), ANSWER, notes=story[2:4])
    store.postpone(lease, pending(), NOW, refused=True, notes=story[4:5])
    finish(store, lease, "e1", "UNDELIVERED", notes=story[5:6])
    assert read(store, lease).notes == tuple(story[:6])
    finish(store, lease, notes=story[6:])
    assert known(store).notes == tuple(story)


@pytest.mark.parametrize("text", ["", "two\nlines", "\u2028\u0085\r", '🏮 "q" \\n [1]', "\x00"])
def test_a_note_comes_back_whole(store: Store, text: str) -> None:
    lease = receive(store)
    store.notice(lease, pending(), [Note(NOW, text), NOTE])
    assert read(store, lease).notes == (Note(NOW, text), NOTE)


def test_a_note_belongs_to_its_event_alone(store: Store) -> None:
    store.accept(arrival("e0"))
    store.notice(receive(store), pending(), [NOTE])
    assert known(store, "e0").notes == ()


# ---------------------------------------------------------------- overdue


def test_what_is_due_is_overdue_and_what_is_not_is_not(store: Store) -> None:
    store.accept(arrival(due_at=NOW))
    store.accept(arrival("e2", conversation=KEN, due_at=NOW + 1))
    assert list(store.overdue(NOW, 10, BOTS)) == [HANA]


def test_overdue_names_the_longest_due_first_and_each_once(store: Store) -> None:
    store.accept(arrival("e1", due_at=NOW - 1))
    store.accept(arrival("e2", due_at=NOW - 9))
    store.accept(arrival("e3", due_at=NOW - 5, conversation=OTHER_BOT))
    assert list(store.overdue(NOW, 10, BOTS)) == [HANA, OTHER_BOT]


@pytest.mark.parametrize("limit", [0, 1, 2])
def test_overdue_names_no_more_than_asked_for(store: Store, limit: int) -> None:
    for n in range(3):
        store.accept(arrival(f"e{n}", due_at=NOW - 1, conversation=Conversation("inn", f"user:U{n}")))
    assert len(store.overdue(NOW, limit, BOTS)) == limit


def test_only_the_bots_asked_for_are_looked_after(store: Store) -> None:
    for conversation in (HANA, OTHER_BOT):
        store.accept(arrival(conversation=conversation))
    assert list(store.overdue(NOW + DAY, 1, [OTHER_BOT.bot])) == [OTHER_BOT]
    assert list(store.overdue(NOW + DAY, 1, [])) == []


@ways("kept", "given_up", "delivered", "silent")
def test_an_event_with_nothing_left_to_do_is_never_overdue(store: Store, go: Go) -> None:
    go(store, receive(store))
    assert list(store.overdue(NOW + DAY, 10, BOTS)) == []


def test_an_expired_event_is_not_overdue(store: Store) -> None:
    store.accept(arrival())
    assert [list(store.overdue(NOW + days * DAY, 10, BOTS)) for days in (6, 7, 8)] == [[HANA], [], []]


def test_an_answer_in_a_group_covers_twenty_with_memories_of_many_people_and_counts(store: Store) -> None:
    for n in range(21):
        store.accept(arrival(f"e{n:02}", at=NOW + n, conversation=HANA_IN_GROUP, user_id=f"U{n}"))
    lease = take_lease(store, HANA_IN_GROUP)
    *covers, lead = waiting(store, lease)
    said = [one for n in range(16) for one in of(f"U{n}", memory(str(n), f"e{n:02}", at=NOW + n))]
    store.answer(lease, lead, ANSWER, covers=covers, memories=said, counts=[tokens(1, f"Q#{n}") for n in range(20)])
    assert (len(texts(store, HANA_IN_GROUP)), counted(store, "Q#19")) == (16, {"tokens": 1})


# ---------------------------------------------------------------- unsend


def receive_m1(store: Store) -> Lease:
    return receive(store, message_id="m1")


def unsend(store: Store, message_id: str = "m1", now: int = NOW) -> None:
    store.unsend(HANA.bot, HANAS_CHAT, message_id, now)


def stay_received(store: Store, lease: Lease) -> None:
    """The event is not answered at all."""


TAKEN_BACK = {go.__name__: go for go in (stay_received, sent_in_vain, kept, given_up)}
taken_back = pytest.mark.parametrize("go", TAKEN_BACK.values(), ids=TAKEN_BACK)


@taken_back
def test_a_message_unsent_in_time_loses_its_text_and_its_answer(store: Store, go: Go) -> None:
    lease = receive_m1(store)
    go(store, lease)
    before = read(store, lease)
    unsend(store)
    assert waiting(store, lease) == (replace(before, unsent=True, body="", answer=None, revision=1),)


@taken_back
def test_a_message_unsent_in_time_leaves_no_history(store: Store, go: Go) -> None:
    lease = receive_m1(store)
    go(store, lease)
    unsend(store)
    assert texts(store) == []


@taken_back
def test_a_message_unsent_in_time_is_ended_in_silence(store: Store, go: Go) -> None:
    lease = receive_m1(store)
    go(store, lease)
    unsend(store)
    store.answer(lease, read(store, lease), None)
    assert (waiting_ids(store, lease), known(store).state) == ([], "DONE")


@ways("sent_in_vain", "kept", "given_up")
def test_an_answer_taken_back_may_be_finished(store: Store, go: Go) -> None:
    lease = receive_m1(store)
    go(store, lease)
    unsend(store)
    finish(store, lease)
    assert (waiting_ids(store, lease), known(store).state) == ([], "DONE")


def test_a_message_unsent_before_its_turn_waits_to_be_ended(store: Store) -> None:
    receive_m1(store)
    unsend(store)
    assert list(store.overdue(NOW + DAY, 10, BOTS)) == [HANA]
    assert store.accept(arrival(message_id="m1")) is Acceptance.PENDING


def test_an_answer_that_may_have_been_sent_stays(store: Store) -> None:
    lease = receive_m1(store)
    sent(store, lease)
    before = read(store, lease)
    unsend(store)
    assert read(store, lease) == before
    assert store.resend(lease, before, "reply")


@ways("sent", "delivered")
def test_a_message_unsent_too_late_is_forgotten_and_its_answer_is_not(store: Store, go: Go) -> None:
    go(store, receive_m1(store))
    unsend(store)
    assert texts(store) == ["answer"]


@pytest.mark.parametrize("remembered", [memory, heard], ids=["said to the bot", "overheard"])
def test_a_message_without_an_answer_is_forgotten(store: Store, remembered: Callable[[str], Memory]) -> None:
    silent(store, receive_m1(store), memories=[remembered("gossip")])
    unsend(store)
    assert all_texts(store, HANA) == []


def test_unsending_forgets_nothing_else(store: Store) -> None:
    remember(store, HANA, memory("before", "e0"), memory("after", "e2"))
    remember(store, KEN, memory("yours", "e1"))
    delivered(store, receive_m1(store))
    unsend(store)
    assert (texts(store), texts(store, KEN)) == (["before", "answer", "after"], ["yours"])


NOT_THIS_MESSAGE = {
    "another bot": ("bar", HANAS_CHAT, "m1"),
    "another chat": ("inn", Chat("user", "U2"), "m1"),
    "another kind of chat": ("inn", Chat("group", "U1"), "m1"),
    "another message": ("inn", HANAS_CHAT, "m2"),
}
not_this_message = pytest.mark.parametrize("place", NOT_THIS_MESSAGE.values(), ids=NOT_THIS_MESSAGE)


@not_this_message
def test_unsending_another_message_leaves_this_one(store: Store, place: tuple[str, Chat, str]) -> None:
    lease = receive_m1(store)
    kept(store, lease)
    before = read(store, lease)
    store.unsend(*place, NOW)
    assert (read(store, lease), texts(store)) == (before, ["question", "answer"])


@pytest.mark.parametrize("go", [*TAKEN_BACK.values(), sent, delivered], ids=[*TAKEN_BACK, "sent", "delivered"])
def test_a_message_may_be_unsent_again(store: Store, go: Go) -> None:
    lease = receive_m1(store)
    go(store, lease)
    unsend(store)
    once = everything(store, lease)
    unsend(store)
    assert everything(store, lease) == once


def test_what_the_bot_said_is_not_a_persons_to_unsend(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    finish(store, lease, sent=["m1"])
    unsend(store)
    assert store.said_by_bot(HANA.bot, HANAS_CHAT, "m1")
    assert texts(store) == ["question", "answer"]


def test_a_turn_begun_before_the_message_was_unsent_cannot_be_committed(store: Store) -> None:
    lease = receive_m1(store)
    event = read(store, lease)
    unsend(store)
    before = everything(store, lease)
    with pytest.raises(TakenBack):
        store.answer(lease, event, ANSWER, **EVERYTHING)
    assert everything(store, lease) == before


@pytest.mark.parametrize("unsent", ["m0", "m1"])
def test_a_turn_cannot_be_committed_where_a_message_it_covers_was_unsent(store: Store, unsent: str) -> None:
    lease = two_and_one_kept(store)
    covers = [read(store, lease, "e0"), read(store, lease)]
    unsend(store, unsent)
    before = everything(store, lease)
    with pytest.raises(TakenBack):
        store.answer(lease, read(store, lease, "e2"), OTHER_ANSWER, covers=covers, **EVERYTHING)
    assert everything(store, lease) == before


def test_not_even_silence_is_committed_for_a_message_unsent_meanwhile(store: Store) -> None:
    lease = receive_m1(store)
    event = read(store, lease)
    unsend(store)
    with pytest.raises(TakenBack):
        store.answer(lease, event, None, memories=[memory("overheard")])
    assert texts(store) == []


def test_a_message_known_to_be_unsent_may_be_covered(store: Store) -> None:
    lease = two_and_one_kept(store)
    unsend(store, "m1")
    store.answer(lease, read(store, lease, "e2"), ANSWER, covers=[read(store, lease)])
    assert known(store).lead == "e2"


def test_an_answer_taken_back_after_it_was_read_is_not_sent(store: Store) -> None:
    lease = receive_m1(store)
    sent_in_vain(store, lease)
    event = read(store, lease)
    unsend(store)
    with pytest.raises(TakenBack):
        store.resend(lease, event, "push", Budget(tokens(), 999))
    assert (read(store, lease).sends, counted(store)) == (0, {})


def test_a_lost_lease_is_told_before_what_was_unsent(store: Store) -> None:
    stale = receive_m1(store)
    unsend(store)
    take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    with pytest.raises(LeaseLost):
        store.answer(stale, pending(), ANSWER)


LED = (memory("question 1"), memory("question 2", "e2", at=NOW + 2), memory("answer", "e2", role=BOT, at=NOW + 2))


def lead_by_e2(store: Store, go: Go) -> Lease:
    """e1 (m1) covered by the answer to e2 (m2), which has gone its way."""
    store.accept(arrival("e2", at=NOW + 2, message_id="m2"))
    lease = receive_m1(store)
    go(store, lease, "e2", covers=[read(store, lease)], memories=LED)
    return lease


@ways("sent_in_vain", "kept", "given_up")
def test_an_answer_that_waits_is_taken_back_with_a_message_that_it_covers(store: Store, go: Go) -> None:
    lease = lead_by_e2(store, go)
    before = read(store, lease, "e2")
    unsend(store)
    assert waiting(store, lease) == (replace(before, unsent=True, body="", answer=None, revision=1),)
    assert texts(store) == ["question 2"]


@ways("sent", "delivered")
def test_an_answer_that_may_have_been_sent_outlives_the_messages_it_covers(store: Store, go: Go) -> None:
    lease = lead_by_e2(store, go)
    before = waiting(store, lease)
    unsend(store)
    assert waiting(store, lease) == before
    assert texts(store) == ["question 2", "answer"]


@ways("sent_in_vain", "kept", "given_up")
def test_an_answer_taken_back_leaves_the_other_messages_that_it_covers(store: Store, go: Go) -> None:
    lead_by_e2(store, go)
    unsend(store, "m2")
    assert (texts(store), known(store).state) == (["question 1"], "DONE")


def test_the_answer_is_forgotten_wherever_the_turn_has_put_it(store: Store) -> None:
    """The answer's place in the history is that of the burst's last message, which need not be its lead."""
    for n in range(3):
        store.accept(arrival(f"e{n}", at=NOW + n, message_id=f"m{n}"))
    lease = take_lease(store)
    first, lead, last = waiting(store, lease)
    answer = memory("answer", "e2", role=BOT, at=NOW + 2)
    store.answer(lease, lead, ANSWER, covers=[first, last], memories=[answer], waits=True)
    unsend(store, "m0")
    assert texts(store) == []


JOINT = Answer(tuple({"type": "text", "text": f"answer {n}"} for n in range(3)), "joint-retry", ("e0", "e1", "e2"))
in_vain = ways("sent_in_vain", "kept", "given_up")


def what_is_left(*numbers: int) -> Answer:
    return Answer(tuple(JOINT.messages[n] for n in numbers), JOINT.retry_key, tuple(f"e{n}" for n in numbers))


def question_and_answer(n: int) -> list[Memory]:
    said = {"event_id": f"e{n}", "at": NOW + n}
    return [memory(f"question {n}", **said), memory(f"answer {n}", role=BOT, **said)]


def three_in_one(store: Store, go: Go) -> Lease:
    """Answers to e0 and e1 that were kept and joined into that to e2, which has gone its way."""
    for n in range(3):
        store.accept(arrival(f"e{n}", at=NOW + n, message_id=f"m{n}", user_id="U1"))
    lease = take_lease(store)
    for n in range(2):
        kept(store, lease, f"e{n}", memories=question_and_answer(n))
    covers = [read(store, lease, f"e{n}") for n in range(2)]
    go(store, lease, "e2", answer=JOINT, covers=covers, memories=question_and_answer(2))
    return lease


@in_vain
def test_whose_the_messages_of_an_answer_are_is_kept_with_it(store: Store, go: Go) -> None:
    assert read(store, three_in_one(store, go), "e2").answer == JOINT


@in_vain
def test_of_a_joint_answer_only_what_answers_the_unsent_message_is_taken_out(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    before = read(store, lease, "e2")
    unsend(store, "m0")
    assert waiting(store, lease) == (replace(before, answer=what_is_left(1, 2), revision=1),)
    assert texts(store) == ["question 1", "answer 1", "question 2", "answer 2"]


@in_vain
def test_where_the_joint_answers_own_message_is_unsent_the_others_stay_without_its_text(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    before = read(store, lease, "e2")
    unsend(store, "m2")
    assert waiting(store, lease) == (replace(before, answer=what_is_left(0, 1), body="", revision=1),)
    assert texts(store) == ["question 0", "answer 0", "question 1", "answer 1"]


@in_vain
def test_a_joint_answer_of_which_nothing_is_left_is_taken_back(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    before = read(store, lease, "e2")
    for n in (1, 2, 0):
        unsend(store, f"m{n}")
    assert waiting(store, lease) == (replace(before, unsent=True, body="", answer=None, revision=3),)
    assert texts(store) == []


@in_vain
def test_unsending_a_part_of_a_joint_answer_again_changes_nothing(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    unsend(store, "m0")
    once = everything(store, lease)
    unsend(store, "m0")
    assert everything(store, lease) == once


def test_a_joint_answer_that_may_have_been_sent_stays_whole(store: Store) -> None:
    lease = three_in_one(store, sent)
    before = waiting(store, lease)
    unsend(store, "m0")
    assert (waiting(store, lease), texts(store)[0]) == (before, "answer 0")


@in_vain
def test_with_one_message_of_a_burst_its_answer_is_taken_out_and_other_turns_stay(store: Store, go: Go) -> None:
    for n in range(3):
        store.accept(arrival(f"e{n}", at=NOW + n, message_id=f"m{n}"))
    lease = take_lease(store)
    kept(store, lease, "e0", memories=question_and_answer(0))
    answer = replace(what_is_left(0, 2), messages=JOINT.messages[:2])
    said = [memory("question 1", "e1", at=NOW + 1), *question_and_answer(2)]
    go(store, lease, "e2", answer=answer, covers=[read(store, lease, "e0"), read(store, lease)], memories=said)
    before = read(store, lease, "e2")
    unsend(store, "m1")
    assert waiting(store, lease) == (replace(before, answer=what_is_left(0), revision=1),)
    assert texts(store) == ["question 0", "answer 0", "question 2"]


@in_vain
def test_an_unsent_message_is_followed_from_joint_answer_to_joint_answer(store: Store, go: Go) -> None:
    lease = three_in_one(store, kept)
    store.accept(arrival("e3", at=NOW + 3, message_id="m3"))
    more = replace(JOINT, messages=(*JOINT.messages, *OTHER_ANSWER.messages), owners=(*JOINT.owners, "e3"))
    go(store, lease, "e3", answer=more, covers=[read(store, lease, "e2")], memories=question_and_answer(3))
    unsend(store, "m1")
    left = replace(more, messages=(*more.messages[:1], *more.messages[2:]), owners=("e0", "e2", "e3"))
    assert read(store, lease, "e3").answer == left


@in_vain
def test_an_answer_that_covers_another_without_showing_it_is_not_taken_back_with_it(store: Store, go: Go) -> None:
    lease = two_and_one_kept(store)
    go(store, lease, "e2", covers=[read(store, lease, "e0")], memories=question_and_answer(2))
    before = waiting(store, lease)
    unsend(store, "m0")
    assert (waiting(store, lease), texts(store)) == (before, ["question 2", "answer 2"])


@ways("kept", "given_up")
def test_a_joint_answer_cannot_be_joined_as_it_was_before_a_part_was_taken_out(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    store.accept(arrival("e3", at=NOW + 3))
    late = read(store, lease, "e3")
    covers = [read(store, lease, "e2")]
    unsend(store, "m0")
    before = everything(store, lease)
    with pytest.raises(TakenBack):
        store.answer(lease, late, OTHER_ANSWER, covers=covers, **EVERYTHING)
    assert everything(store, lease) == before
    store.answer(lease, late, OTHER_ANSWER, covers=[read(store, lease, "e2")])
    assert waiting_ids(store, lease) == ["e3"]


def test_a_joint_answer_is_not_sent_as_it_was_before_a_part_was_taken_out(store: Store) -> None:
    lease = three_in_one(store, sent_in_vain)
    event = read(store, lease, "e2")
    for n in (0, 1):
        unsend(store, f"m{n}")
        with pytest.raises(TakenBack):
            store.resend(lease, event, "push", Budget(tokens(), 999))
        event = read(store, lease, "e2")
    assert (event.sends, event.revision, counted(store)) == (0, 2, {})
    assert store.resend(lease, event, "push")


@in_vain
def test_what_is_left_of_a_joint_answer_may_be_finished(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    unsend(store, "m0")
    finish(store, lease, "e2")
    assert (waiting_ids(store, lease), known(store, "e2").state) == ([], "DONE")


def test_messages_unsent_at_the_same_moment_are_all_taken_out(store: Store) -> None:
    lease = three_in_one(store, kept)
    together(2, lambda number: unsend(store, f"m{number}"))
    event = read(store, lease, "e2")
    assert (event.answer, event.revision) == (what_is_left(2), 2)
    assert texts(store) == ["question 2", "answer 2"]


def test_a_message_unsent_before_it_comes_is_finished(store: Store) -> None:
    unsend(store)
    outcomes = [store.accept(arrival(message_id="m1", renews=renews)) for renews in (False, True)]
    assert outcomes == [Acceptance.FINISHED] * 2


def test_nothing_is_stored_of_a_message_unsent_before_it_comes(store: Store) -> None:
    unsend(store)
    lease = receive_m1(store)
    assert (waiting_ids(store, lease), lease.inbox_seq) == ([], 0)
    assert list(store.overdue(NOW + DAY, 10, BOTS)) == []
    assert store.conversation_of(HANA.bot, HANAS_CHAT, "m1") is None


def test_a_message_unsent_before_it_comes_is_on_record_as_done(store: Store) -> None:
    unsend(store)
    receive_m1(store)
    assert (known(store).state, known(store).notes) == ("DONE", ())


def test_a_message_unsent_before_it_comes_may_be_unsent_again(store: Store) -> None:
    unsend(store)
    unsend(store)
    assert store.accept(arrival(message_id="m1")) is Acceptance.FINISHED
    unsend(store)
    assert store.accept(arrival("e2", message_id="m1")) is Acceptance.FINISHED


@not_this_message
def test_unsending_an_unknown_message_says_nothing_of_others(store: Store, place: tuple[str, Chat, str]) -> None:
    store.unsend(*place, NOW)
    assert store.accept(arrival(message_id="m1")) is Acceptance.NEW


def test_events_without_a_message_have_nothing_to_unsend(store: Store) -> None:
    unsend(store)
    assert store.accept(arrival()) is Acceptance.NEW


@pytest.mark.parametrize(
    ("later", "outcome"), [(7 * DAY - 1, Acceptance.FINISHED), (7 * DAY, Acceptance.NEW)], ids=["seventh day", "eighth"]
)
def test_a_message_unsent_before_it_comes_is_remembered_for_seven_days(
    store: Store, later: int, outcome: Acceptance
) -> None:
    unsend(store)
    store.accept(arrival("e0", received_at=NOW + later - 1))
    assert store.accept(arrival(message_id="m1", received_at=NOW + later)) is outcome


def test_a_message_is_unsent_whichever_comes_first(store: Store) -> None:
    def accept_or_unsend(number: int) -> None:
        if number % 2:
            unsend(store, f"m{number // 2}")
        else:
            store.accept(arrival(f"e{number // 2}", message_id=f"m{number // 2}"))

    together(12, accept_or_unsend)
    assert {(event.body, event.unsent) for event in waiting(store, take_lease(store))} <= {("", True)}


def test_a_message_is_unsent_whether_or_not_its_answer_is_committed_first(store: Store) -> None:
    leases = {
        n: receive(store, f"e{n}", message_id=f"m{n}", conversation=Conversation("inn", f"{n}")) for n in range(6)
    }

    def answer_or_unsend(number: int) -> None:
        n = number // 2
        if number % 2:
            return unsend(store, f"m{n}")
        with suppress(TakenBack):
            store.answer(leases[n], pending(f"e{n}"), ANSWER, memories=[memory("question", f"e{n}")], waits=True)
        return None

    together(12, answer_or_unsend)
    for lease in leases.values():
        assert [(event.unsent, event.answer) for event in waiting(store, lease)] == [(True, None)]
        assert texts(store, lease.conversation) == []


# ---------------------------------------------------------------- edit


def edit(store: Store, lease: Lease, text: str = "edited", at: int = NOW + 1, message_id: str = "m1") -> bool:
    return store.edit(lease, HANAS_CHAT, message_id, at, Message("user", text, tokens=9))


def test_an_edit_replaces_text_and_tokens_and_nothing_else(store: Store) -> None:
    lease = receive_m1(store)
    said = Message("user", "question", speaker="花子", tokens=2)
    sent(store, lease, memories=[memory("answer", role=BOT), Memory("e1", NOW, NOW + DAY, said)])
    assert edit(store, lease, "edited ✏️")
    assert list(store.history(HANA, 9, NOW)) == [
        Message("user", "edited ✏️", speaker="花子", tokens=9),
        Message("assistant", "answer"),
    ]
    assert texts(store, now=NOW + DAY) == ["answer"]


def test_an_edit_without_a_count_leaves_none_of_the_old_text(store: Store) -> None:
    lease = receive_m1(store)
    said = Message("user", "question", speaker="花子", tokens=2)
    sent(store, lease, memories=[Memory("e1", NOW, NOW + DAY, said)])
    assert store.edit(lease, HANAS_CHAT, "m1", NOW + 1, Message("user", "edited"))
    assert list(store.history(HANA, 9, NOW)) == [Message("user", "edited", speaker="花子")]


@pytest.mark.parametrize("second", [NOW + 4, NOW + 5], ids=["older", "as old"])
def test_an_edit_that_is_not_newer_changes_nothing(store: Store, second: int) -> None:
    lease = receive_m1(store)
    sent(store, lease)
    assert edit(store, lease, "newest", NOW + 5)
    assert edit(store, lease, "late", second)
    assert texts(store) == ["newest", "answer"]


def test_a_newer_edit_wins(store: Store) -> None:
    lease = receive_m1(store)
    sent(store, lease)
    edit(store, lease, "first", NOW + 5)
    edit(store, lease, "second", NOW + 6)
    assert texts(store) == ["second", "answer"]


def test_an_overheard_message_can_be_edited_and_stays_overheard(store: Store) -> None:
    lease = receive_m1(store)
    silent(store, lease, memories=[heard("question")])
    assert edit(store, lease, "newest", NOW + 5)
    assert edit(store, lease, "late", NOW + 4)
    assert list(store.history(HANA, 9, NOW, 9)) == [Message("user", "newest", tokens=9, overheard=True)]
    assert texts(store) == []


def test_a_message_covered_by_another_ones_answer_can_be_edited(store: Store) -> None:
    lease = lead_by_e2(store, delivered)
    assert edit(store, lease)
    assert texts(store) == ["edited", "question 2", "answer"]


def test_an_edit_is_an_event_of_its_own_that_names_the_same_message(store: Store) -> None:
    delivered(store, receive_m1(store))
    lease = receive(store, "edit", message_id="m1", at=NOW + 9)
    assert edit(store, lease)
    assert texts(store) == ["edited", "answer"]


def test_a_message_not_answered_yet_is_not_in_the_history(store: Store) -> None:
    assert not edit(store, receive_m1(store))
    assert texts(store) == []


def test_a_message_that_was_forgotten_stays_forgotten(store: Store) -> None:
    lease = receive_m1(store)
    delivered(store, lease)
    unsend(store)
    assert not edit(store, lease)
    assert texts(store) == ["answer"]


def test_a_message_that_was_cleared_stays_cleared(store: Store) -> None:
    lease = receive_m1(store)
    delivered(store, lease)
    store.clear(HANA)
    assert not edit(store, lease)
    assert texts(store) == []


def test_a_message_not_known_cannot_be_edited(store: Store) -> None:
    lease = receive_m1(store)
    delivered(store, lease)
    assert not edit(store, lease, message_id="m2")
    assert not store.edit(lease, Chat("group", "C1"), "m1", NOW, EDITED)
    assert texts(store) == ["question", "answer"]


def test_a_message_unsent_before_it_came_cannot_be_edited(store: Store) -> None:
    unsend(store)
    assert not edit(store, receive_m1(store))


def test_what_the_bot_said_cannot_be_edited(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    finish(store, lease, sent=["m1"])
    assert not edit(store, lease)
    assert texts(store) == ["question", "answer"]


def test_a_message_of_another_conversation_cannot_be_edited(store: Store) -> None:
    delivered(store, receive_m1(store))
    remember(store, KEN, memory("yours"))
    assert not edit(store, take_lease(store, KEN))
    assert (texts(store), texts(store, KEN)) == (["question", "answer"], ["yours"])


# ---------------------------------------------------------------- history


def test_history_is_in_the_order_things_were_said(store: Store) -> None:
    remember(
        store,
        HANA,
        memory("answer 2", "e2", role=BOT, at=NOW + 2),
        memory("question 2", "e2", at=NOW + 2),
        memory("same moment, later id", "e1b", at=NOW + 1),
        memory("answer 1", "e1", role=BOT, at=NOW + 1),
        memory("question 1", "e1", at=NOW + 1),
        memory("long ago", "e0", at=999),
    )
    assert texts(store) == [
        "long ago",
        "question 1",
        "answer 1",
        "same moment, later id",
        "question 2",
        "answer 2",
    ]


@pytest.mark.parametrize("limit", [0, 1, 3])
def test_history_gives_the_newest(store: Store, limit: int) -> None:
    remember(store, HANA, *(memory(str(n), f"e{n}", at=NOW + n) for n in range(5)))
    assert texts(store, limit=limit) == ["0", "1", "2", "3", "4"][5 - limit :]


def test_history_leaves_out_what_has_expired(store: Store) -> None:
    remember(store, HANA, memory("gone", "e1", expires_at=NOW), memory("kept", "e2", expires_at=NOW + 1))
    assert texts(store, now=NOW) == ["kept"]


def test_expired_messages_take_no_place_in_the_window(store: Store) -> None:
    live = [memory(f"live {n}", f"a{n}", at=NOW - 100 + n) for n in range(3)]
    gone = [memory("gone", f"b{n}", at=NOW + n, expires_at=NOW) for n in range(30)]
    remember(store, HANA, *live, *gone)
    assert texts(store, limit=2) == ["live 1", "live 2"]


def test_a_message_comes_back_whole(store: Store) -> None:
    said = Message("user", 'ねこ 🐈‍⬛ "q"\n\x00\'; --', speaker="花子 #1%", tokens=17)
    remember(store, HANA, Memory("e1", NOW - 9, NOW + DAY, said, user_id="U1"))
    (found,) = store.history(HANA, 10, NOW)
    assert (found, found.at) == (said, NOW - 9)


def test_text_is_not_normalised(store: Store) -> None:
    decomposed = unicodedata.normalize("NFD", "が")
    remember(store, HANA, memory(decomposed))
    assert texts(store) == [decomposed]


def test_a_message_is_stored_without_its_images(store: Store) -> None:
    seen = Message("user", "what is this?", images=(Content(b"...", "image/png"),))
    remember(store, HANA, Memory("e1", NOW, NOW + DAY, seen))
    assert list(store.history(HANA, 10, NOW)) == [replace(seen, images=())]


def test_no_conversation_sees_the_words_of_another(store: Store) -> None:
    remember(store, HANA, memory("secret"))
    assert (texts(store, KEN), texts(store, OTHER_BOT)) == ([], [])


# ---------------------------------------------------------------- what was overheard


def from_the_inbox(store: Store, window: int, now: int, overheard: int) -> list[Message]:
    return [*store.inbox(take_lease(store, GROUP), window, now, overheard).recent]


def from_the_history(store: Store, window: int, now: int, overheard: int) -> list[Message]:
    return [*store.history(GROUP, window, now, overheard)]


recently = pytest.mark.parametrize("recent", [from_the_inbox, from_the_history])
Recent = Callable[[Store, int, int, int], list[Message]]


@recently
def test_what_was_overheard_comes_in_its_place_and_says_so(store: Store, recent: Recent) -> None:
    remember(
        store,
        GROUP,
        heard("hi Ken", "e0", at=NOW),
        memory("question", "e1", at=NOW + 1),
        memory("answer", "e1", role=BOT, at=NOW + 1),
        heard("at the same moment", "e2", at=NOW + 1),
        memory("thanks", "e3", at=NOW + 3),
    )
    found = recent(store, 9, NOW, 9)
    assert [(one.text, one.overheard, one.at) for one in found] == [
        ("hi Ken", True, NOW),
        ("question", False, NOW + 1),
        ("answer", False, NOW + 1),
        ("at the same moment", True, NOW + 1),
        ("thanks", False, NOW + 3),
    ]


@recently
@pytest.mark.parametrize(
    ("window", "overheard", "found"),
    [
        (3, 0, ["0", "1", "2"]),
        (2, 0, ["1", "2"]),
        (2, 1, ["1", "2", "heard 29"]),
        (1, 2, ["2", "heard 28", "heard 29"]),
        (0, 2, ["heard 28", "heard 29"]),
        (0, 0, []),
    ],
)
def test_what_was_overheard_takes_no_place_from_what_was_said_to_the_bot(
    store: Store, recent: Recent, window: int, overheard: int, found: list[str]
) -> None:
    said = [memory(str(n), f"a{n}", at=NOW - 9 + n) for n in range(3)]
    gossip = [heard(f"heard {n}", f"b{n:02}", at=NOW + n) for n in range(30)]
    remember(store, GROUP, *said, *gossip)
    assert [one.text for one in recent(store, window, NOW, overheard)] == found


@recently
def test_what_was_overheard_and_has_expired_takes_no_place(store: Store, recent: Recent) -> None:
    gone = [heard("gone", f"b{n:02}", at=NOW + n, expires_at=NOW) for n in range(30)]
    remember(store, GROUP, heard("old but alive", "a0", at=NOW - 1), *gone)
    assert [one.text for one in recent(store, 1, NOW, 1)] == ["old but alive"]


def test_the_inbox_has_events_beside_what_was_overheard(store: Store) -> None:
    remember(store, HANA, heard("gossip", "e0", at=NOW - 1))
    inbox = store.inbox(receive(store), 1, NOW, 1)
    assert ([event.event_id for event in inbox.pending], [one.text for one in inbox.recent]) == (["e1"], ["gossip"])


numbers = count()
memories = st.builds(
    lambda n, at, event, said, lives: said(f"{n}", event, at=NOW + at, expires_at=NOW + lives),
    st.integers(0, 999),
    st.integers(0, 3),
    st.sampled_from(["e1", "e10", "e2"]),
    st.sampled_from([memory, heard]),
    st.sampled_from([0, 1, DAY]),
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(said=st.lists(memories, max_size=12), window=st.integers(0, 5), overheard=st.integers(0, 5))
def test_what_is_recent_is_the_newest_of_each_kind_in_order(
    store: Store, said: list[Memory], window: int, overheard: int
) -> None:
    place = Conversation("inn", f"group:{next(numbers)}")
    remember(store, place, *said)
    last = {(one.at, one.event_id): one for one in said}  # of one event and speaker, the last is kept
    alive = [last[key] for key in sorted(last) if last[key].expires_at > NOW]
    ordinary = [one for one in alive if not one.message.overheard]
    gossip = [one for one in alive if one.message.overheard]
    newest = [*ordinary[len(ordinary) - min(window, len(ordinary)) :], *gossip[max(len(gossip) - overheard, 0) :]]
    expected = [one.message for one in sorted(newest, key=lambda one: (one.at, one.event_id))]
    assert list(store.history(place, window, NOW, overheard)) == expected
    assert list(store.inbox(take_lease(store, place), window, NOW, overheard).recent) == expected


# ---------------------------------------------------------------- clear


def test_clear_deletes_all_of_a_long_history(store: Store) -> None:
    remember(store, HANA, *(memory(str(n), f"e{n:02}") for n in range(60)))
    store.clear(HANA)
    assert texts(store) == []


def test_clear_deletes_what_was_overheard(store: Store) -> None:
    remember(store, GROUP, heard("gossip", "e1"), memory("question", "e2"))
    store.clear(GROUP)
    assert all_texts(store, GROUP) == []


def test_clear_deletes_what_was_said_up_to_a_moment_and_nothing_later(store: Store) -> None:
    """A worker that comes late with it does no harm to what was said meanwhile."""
    said = [(memory(f"said {n}", f"e{n}", at=NOW + n), heard(f"heard {n}", f"h{n}", at=NOW + n)) for n in range(4)]
    remember(store, GROUP, *(one for both in said for one in both))
    store.clear(GROUP, until=NOW + 1)
    assert all_texts(store, GROUP) == ["said 2", "heard 2", "said 3", "heard 3"]


def test_clear_deletes_one_persons_words_and_what_the_bot_answered_to_them(store: Store) -> None:
    remember(
        store,
        GROUP,
        *of("U1", memory("hers", "e1"), memory("to her", "e1", role=BOT), heard("hers, overheard", "e2")),
        *of("U2", memory("his", "e3"), memory("to him", "e3", role=BOT), heard("his, overheard", "e4")),
        memory("nobody's", "e5"),
    )
    store.clear(GROUP, user_id="U1")
    assert all_texts(store, GROUP) == ["his", "to him", "his, overheard", "nobody's"]


def test_clear_deletes_one_persons_words_up_to_a_moment(store: Store) -> None:
    hers, his = (of(who, *(memory(f"{who} {n}", f"{who}{n}", at=NOW + n) for n in range(2))) for who in ("U1", "U2"))
    remember(store, GROUP, *hers, *his)
    store.clear(GROUP, NOW, "U1")
    assert all_texts(store, GROUP) == ["U2 0", "U1 1", "U2 1"]


def test_clear_leaves_other_conversations(store: Store) -> None:
    remember(store, HANA, memory("mine"))
    remember(store, KEN, memory("yours"))
    store.clear(HANA)
    assert texts(store, KEN) == ["yours"]


def test_clear_leaves_the_inbox_and_the_dedupe(store: Store) -> None:
    lease = receive(store, "done")
    settle(store, lease, "done", [memory("question")])
    store.accept(arrival("waiting"))
    store.clear(HANA)
    assert store.accept(arrival("done")) is Acceptance.FINISHED
    assert waiting_ids(store, lease) == ["waiting"]


def test_clear_leaves_an_answer_that_waits(store: Store) -> None:
    lease = receive(store)
    kept(store, lease)
    store.clear(HANA)
    assert read(store, lease).answer == ANSWER


def test_clearing_an_empty_history_is_harmless(store: Store) -> None:
    store.clear(HANA)
    assert texts(store) == []


# ---------------------------------------------------------------- forget


ROOM = Conversation("inn", "room:R1")


def forget(store: Store, user_id: str = "U1", now: int = NOW) -> int:
    return store.forget(HANA.bot, user_id, now)


def exchange(user_id: str, **options: Any) -> list[Memory]:
    """A person's question and its answer, and something else of theirs that was overheard."""
    question, answer = (
        memory(f"{to} {user_id}", user_id, role=role, **options) for to, role in (("of", USER), ("to", BOT))
    )
    return of(user_id, question, answer, heard("gossip", f"{user_id}+", **options))


def test_a_person_is_forgotten_wherever_they_spoke_and_nobody_else_is(store: Store) -> None:
    for place in (HANA, HANA_IN_GROUP, ROOM):
        remember(store, place, *exchange("U1"))
    remember(store, GROUP, *exchange("U1"), *exchange("U2"))
    for place in (KEN, KEN_IN_GROUP):
        remember(store, place, *exchange("U2"))
    assert forget(store) == 12
    assert [all_texts(store, place) for place in (HANA, HANA_IN_GROUP, ROOM)] == [[]] * 3
    assert [all_texts(store, place) for place in (GROUP, KEN, KEN_IN_GROUP)] == [["of U2", "to U2", "gossip"]] * 3


def test_a_person_is_forgotten_by_one_bot(store: Store) -> None:
    elsewhere = replace(GROUP, bot="bar")
    for place in (GROUP, elsewhere, OTHER_BOT):
        remember(store, place, *exchange("U1"))
    assert forget(store) == 3
    assert [len(all_texts(store, place)) for place in (GROUP, elsewhere, OTHER_BOT)] == [0, 3, 3]


@pytest.mark.parametrize("other", ["U10", "u1", "U", "U%231", "U:1"])
@pytest.mark.parametrize("place", [GROUP, ROOM])
def test_people_of_similar_ids_are_not_forgotten_with_each_other(store: Store, other: str, place: Conversation) -> None:
    own = Conversation("inn", f"user:{quote(other, safe='')}")
    remember(store, place, *exchange(other), *exchange("U1"))
    remember(store, own, *exchange(other))
    assert forget(store) == 3
    assert (len(all_texts(store, place)), len(all_texts(store, own))) == (3, 3)
    assert forget(store, other) == 6
    assert (all_texts(store, place), all_texts(store, own)) == ([], [])


def test_all_of_a_persons_own_chat_is_forgotten(store: Store) -> None:
    remember(store, HANA, memory("nobody knows whose"))
    assert (forget(store), texts(store)) == (1, [])


@taken_back
def test_whatever_waits_in_a_persons_own_chat_is_taken_back(store: Store, go: Go) -> None:
    lease = receive(store)
    go(store, lease)
    forget(store)
    event = read(store, lease)
    assert (event.unsent, event.body, event.answer, texts(store)) == (True, "", None, [])


def test_a_long_history_is_forgotten(store: Store) -> None:
    remember(store, GROUP, *of("U1", *(memory(str(n), f"e{n:02}") for n in range(40))))
    assert (forget(store), all_texts(store, GROUP)) == (40, [])


def test_a_person_may_be_forgotten_again_and_again(store: Store) -> None:
    remember(store, GROUP, *exchange("U1"))
    assert [forget(store), forget(store), forget(store, "U9")] == [3, 0, 0]
    silent(store, receive(store, conversation=GROUP), memories=of("U1", memory("me again")))
    assert (forget(store), all_texts(store, GROUP)) == (1, [])


def test_what_had_expired_is_not_counted_as_forgotten(store: Store) -> None:
    remember(store, GROUP, *exchange("U1", expires_at=NOW + 5))
    assert forget(store, now=NOW + 5) == 0


def test_words_that_live_long_are_found_though_others_of_the_same_person_expired_soon(store: Store) -> None:
    for n, days in enumerate((300, 1)):
        lease = receive(store, f"e{n}", conversation=GROUP, user_id="U1")
        said = [memory(f"for {days} days", f"e{n}", expires_at=NOW + days * DAY)]
        silent(store, lease, f"e{n}", memories=of("U1", *said))
    store.accept(arrival("e9", received_at=NOW + 200 * DAY))  # whatever expires by itself may go now
    assert forget(store, now=NOW + 200 * DAY) == 1


def hers(store: Store, conversation: Conversation = GROUP, event_id: str = "e1", **changes: Any) -> Lease:
    """An event of the person's that waits where they never spoke before."""
    chat = Chat(*conversation.id.split(":")[:2])
    return receive(store, event_id, **{"conversation": conversation, "chat": chat, "user_id": "U1"} | changes)


anywhere = pytest.mark.parametrize("place", [HANA, GROUP, HANA_IN_GROUP, ROOM], ids=lambda place: place.id)


@anywhere
@taken_back
@pytest.mark.parametrize("message_id", ["m1", None], ids=["message", "postback"])
def test_what_waits_of_a_person_is_taken_back(
    store: Store, go: Go, place: Conversation, message_id: str | None
) -> None:
    lease = hers(store, place, message_id=message_id)
    go(store, lease)
    before = read(store, lease)
    forget(store)
    assert waiting(store, lease) == (replace(before, unsent=True, body="", answer=None, revision=1),)
    assert texts(store, place) == []


@anywhere
def test_a_turn_begun_before_its_person_was_forgotten_cannot_be_committed(store: Store, place: Conversation) -> None:
    lease = hers(store, place)
    before = read(store, lease)
    forget(store)
    with pytest.raises(TakenBack):
        store.answer(lease, before, ANSWER, memories=of("U1", *SAID))
    store.answer(lease, read(store, lease), None)
    assert (waiting_ids(store, lease), texts(store, place)) == ([], [])


def test_forgetting_a_person_leaves_what_others_wait_for(store: Store) -> None:
    hers(store)
    lease = hers(store, event_id="his", user_id="U2", at=NOW + 1)
    his = [replace(one, event_id="his") for one in SAID]
    kept(store, lease, "his", memories=of("U2", *his))
    before = read(store, lease, "his")
    forget(store)
    assert read(store, lease, "his") == before
    assert texts(store, GROUP) == ["question", "answer"]


@anywhere
def test_an_answer_that_may_have_been_sent_is_left_to_its_end_when_its_person_is_forgotten(
    store: Store, place: Conversation
) -> None:
    lease = hers(store, place)
    sent(store, lease, memories=of("U1", *SAID))
    before = read(store, lease)
    assert forget(store) == 2
    assert (read(store, lease), texts(store, place)) == (before, [])
    assert store.resend(lease, before, "reply")


@in_vain
def test_all_of_a_joint_answer_is_forgotten_with_its_person(store: Store, go: Go) -> None:
    lease = three_in_one(store, go)
    forget(store)
    event = read(store, lease, "e2")
    assert (event.unsent, event.body, event.answer, texts(store)) == (True, "", None, [])


def test_that_a_person_was_seen_and_counted_is_not_forgotten(store: Store) -> None:
    delivered(store, hers(store), counts=[tokens(7)])
    forget(store)
    assert store.accept(arrival(conversation=GROUP, user_id="U1")) is Acceptance.FINISHED
    assert (counted(store), known(store).state) == ({"tokens": 7}, "DONE")


def test_a_person_is_forgotten_whether_or_not_an_answer_is_committed_first(store: Store) -> None:
    places = [Conversation("inn", f"group:C{n}") for n in range(6)]
    leases = [hers(store, place, f"e{n}") for n, place in enumerate(places)]

    def answer_or_forget(number: int) -> None:
        if number == len(leases):
            forget(store)
            return
        before, said = pending(f"e{number}", user_id="U1"), memory("question", f"e{number}")
        with suppress(TakenBack):
            store.answer(leases[number], before, ANSWER, memories=of("U1", said), waits=True)

    together(len(leases) + 1, answer_or_forget)
    for lease in leases:
        assert [(event.unsent, event.answer) for event in waiting(store, lease)] == [(True, None)]
        assert all_texts(store, lease.conversation) == []


# ---------------------------------------------------------------- chats that the bot has left


def test_with_a_chat_the_history_of_each_conversation_in_it_goes(store: Store) -> None:
    places = (GROUP, HANA_IN_GROUP, KEN_IN_GROUP)
    for place in places:
        remember(store, place, *exchange("U1"))
    store.disband("inn", GROUPS_CHAT, NOW)
    assert [all_texts(store, place) for place in places] == [[]] * 3


def test_with_a_persons_chat_its_history_goes(store: Store) -> None:
    for place in (HANA, HANA_IN_GROUP):
        remember(store, place, memory("question"))
    store.disband("inn", HANAS_CHAT, NOW)
    assert (texts(store), texts(store, HANA_IN_GROUP)) == ([], ["question"])


@pytest.mark.parametrize("place", [GROUP, HANA_IN_GROUP])
def test_what_was_said_after_the_bot_had_come_back_stays(store: Store, place: Conversation) -> None:
    remember(store, place, *(memory(str(n), f"e{n}", at=NOW + n) for n in range(3)))
    store.disband("inn", GROUPS_CHAT, NOW + 1)
    assert texts(store, place) == ["2"]


@pytest.mark.parametrize(
    "other",
    [
        HANA,
        replace(GROUP, bot="bar"),
        replace(HANA_IN_GROUP, bot="bar"),
        *(
            Conversation("inn", f"{chat}{whose}")
            for chat in ("room:C1", "group:C10", "group:C1a", "group:C1%3AU1")
            for whose in ("", ":U1")
        ),
    ],
    ids=str,
)
def test_other_chats_stay(store: Store, other: Conversation) -> None:
    remember(store, other, *exchange("U1"))
    store.disband("inn", GROUPS_CHAT, NOW)
    assert len(all_texts(store, other)) == 3


@pytest.mark.parametrize("whose", ["", ":U1", ":?e%231"])
def test_a_chat_is_found_whatever_its_id(store: Store, whose: str) -> None:
    odd = Chat("group", "C:1#%~/é")
    place = Conversation("inn", f"group:{quote(odd.id, safe='')}{whose}")
    remember(store, place, memory("question"))
    store.disband("inn", odd, NOW)
    assert texts(store, place) == []


LEAVE = NOW + 5
"""When the bot is removed from the group."""
of_the_group = pytest.mark.parametrize("place", [GROUP, HANA_IN_GROUP, KEN_IN_GROUP], ids=lambda place: place.id)


def groups(store: Store, conversation: Conversation, event_id: str = "e1", **changes: Any) -> Lease:
    """A message in the group, on its way into one of its conversations."""
    return hers(store, conversation, event_id, **{"message_id": f"m of {event_id}"} | changes)


def disband(store: Store) -> None:
    store.disband("inn", GROUPS_CHAT, LEAVE)


@of_the_group
@taken_back
def test_what_waits_in_a_disbanded_chat_is_taken_back(store: Store, go: Go, place: Conversation) -> None:
    lease = groups(store, place)
    go(store, lease)
    before = read(store, lease)
    for _ in range(2):
        disband(store)
        assert waiting(store, lease) == (replace(before, unsent=True, body="", answer=None, revision=1),)
        assert texts(store, place) == []
    silent(store, lease)
    disband(store)
    assert waiting_ids(store, lease) == []


@in_vain
def test_what_waits_in_any_conversation_of_a_disbanded_chat_is_taken_back_and_nothing_else(
    store: Store, go: Go
) -> None:
    theirs = [GROUP, HANA_IN_GROUP, KEN_IN_GROUP]
    others = [HANA, ROOM, replace(HANA_IN_GROUP, bot="bar"), Conversation("inn", "group:C2:U1")]
    leases = [groups(store, place, f"e{n}") for n, place in enumerate([*theirs, *others])]
    for n, lease in enumerate(leases):
        go(store, lease, f"e{n}", memories=[replace(one, event_id=f"e{n}") for one in SAID])
    before = [read(store, lease, f"e{n}") for n, lease in enumerate(leases)]
    disband(store)
    after = [read(store, lease, f"e{n}") for n, lease in enumerate(leases)]
    assert [(one.unsent, one.body, one.answer) for one in after[:3]] == [(True, "", None)] * 3
    assert after[3:] == before[3:]
    assert [texts(store, place) for place in theirs] == [[]] * 3


def test_an_event_without_a_message_is_taken_back_where_its_chat_had_spoken(store: Store) -> None:
    remember(store, HANA_IN_GROUP, memory("question"))
    lease = hers(store, HANA_IN_GROUP)
    disband(store)
    assert read(store, lease).unsent


@of_the_group
@pytest.mark.parametrize("at", [LEAVE, LEAVE + 1])
def test_what_waits_since_a_chat_was_disbanded_stays(store: Store, place: Conversation, at: int) -> None:
    groups(store, place, "before", at=LEAVE - 1)
    lease = groups(store, place, "e1", at=at)
    before = read(store, lease)
    disband(store)
    assert read(store, lease) == before
    assert read(store, lease, "before").unsent


@in_vain
def test_an_answer_that_waits_since_a_chat_was_disbanded_stays(store: Store, go: Go) -> None:
    lease = groups(store, KEN_IN_GROUP, at=LEAVE)
    go(store, lease, memories=[memory("answer", role=BOT, at=LEAVE + 1)])
    before = read(store, lease)
    disband(store)
    assert (read(store, lease), texts(store, KEN_IN_GROUP)) == (before, ["answer"])


@in_vain
@pytest.mark.parametrize("until", range(4))
def test_of_answers_joined_into_one_those_to_what_was_said_before_are_taken_out(
    store: Store, go: Go, until: int
) -> None:
    lease = three_in_one(store, go)
    before = read(store, lease, "e2")
    for _ in range(2):
        store.disband("inn", HANAS_CHAT, NOW + until)
    event = read(store, lease, "e2")
    nothing = {"unsent": True, "body": "", "answer": None}
    left = {"answer": what_is_left(*range(until, 3))} if until < 3 else nothing
    assert event == replace(before, revision=until, **left)
    assert texts(store) == [text for n in range(until + 1, 3) for text in (f"question {n}", f"answer {n}")]


@pytest.mark.parametrize(
    "go", [forget, lambda store: store.disband("inn", HANAS_CHAT, NOW + DAY)], ids=["forget", "disband"]
)
def test_an_answer_joined_into_another_goes_also_when_its_event_is_long_forgotten(store: Store, go: Go) -> None:
    kept(store, receive(store, "e0", user_id="U1"), "e0")
    store.accept(arrival("e2", at=NOW + DAY - 1, received_at=NOW + 6 * DAY, user_id="U1"))
    lease = take_lease(store, until=NOW + 6 * DAY)
    joint = Answer(JOINT.messages[:2], "joint-retry", ("e0", "e2"))
    kept(store, lease, "e2", answer=joint, covers=[read(store, lease, "e0")])
    store.accept(arrival("e9", conversation=KEN, received_at=NOW + 8 * DAY))  # whatever expires by itself may go now
    go(store)
    assert [(one.event_id, one.unsent, one.answer) for one in waiting(store, lease)] == [("e2", True, None)]


def test_an_answer_that_may_have_been_sent_is_left_to_its_end_when_its_chat_is_disbanded(store: Store) -> None:
    lease = groups(store, HANA_IN_GROUP)
    sent(store, lease)
    before = read(store, lease)
    disband(store)
    assert (read(store, lease), texts(store, HANA_IN_GROUP)) == (before, [])
    assert store.resend(lease, before, "reply")


def test_a_turn_begun_before_its_chat_was_disbanded_cannot_be_committed(store: Store) -> None:
    lease = groups(store, HANA_IN_GROUP)
    before = read(store, lease)
    disband(store)
    with pytest.raises(TakenBack):
        store.answer(lease, before, ANSWER, memories=SAID)
    store.answer(lease, read(store, lease), None)
    assert (waiting_ids(store, lease), texts(store, HANA_IN_GROUP)) == ([], [])


@in_vain
def test_an_answer_never_seen_leaves_the_history_with_its_chat_though_it_stands_there_later(
    store: Store, go: Go
) -> None:
    lease = groups(store, HANA_IN_GROUP)
    go(store, lease, memories=[memory("question"), memory("answer", role=BOT, at=LEAVE + 1)])
    disband(store)
    assert texts(store, HANA_IN_GROUP) == []


def test_that_a_message_of_a_disbanded_chat_came_is_not_forgotten(store: Store) -> None:
    groups(store, GROUP)
    disband(store)
    assert store.accept(arrival(conversation=GROUP)) is Acceptance.PENDING


@pytest.mark.parametrize("order", [*permutations((NOW, NOW + 1, NOW + 2))], ids=str)
@pytest.mark.parametrize("chat", [GROUPS_CHAT, HANAS_CHAT], ids=["group", "user"])
def test_of_partings_the_newest_is_known_in_whatever_order_they_come(
    store: Store, order: tuple[int, ...], chat: Chat
) -> None:
    assert store.parted_at("inn", chat) is None
    for n, at in enumerate(order, start=1):
        store.part("inn", chat, at)
        assert store.parted_at("inn", chat) == max(order[:n])


def test_a_parting_may_be_told_again(store: Store) -> None:
    for _ in range(2):
        store.part("inn", GROUPS_CHAT, NOW)
    assert store.parted_at("inn", GROUPS_CHAT) == NOW


def test_a_bot_parts_from_one_chat_alone(store: Store) -> None:
    store.part("inn", GROUPS_CHAT, NOW)
    others = [("bar", GROUPS_CHAT), ("inn", Chat("room", "C1")), ("inn", Chat("group", "C2")), ("inn", HANAS_CHAT)]
    assert [store.parted_at(*other) for other in others] == [None] * 4


def test_a_message_in_a_chat_is_no_parting(store: Store) -> None:
    settle(store, groups(store, GROUP))
    assert store.parted_at("inn", GROUPS_CHAT) is None


# ---------------------------------------------------------------- whose message an id is


def test_the_bot_knows_what_it_sent_by_bot_chat_and_message(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    store.finish(lease, read(store, lease), "DONE", Chat("group", "C1"), ["m1", "m2", "m2"])
    asked = [
        ("inn", Chat("group", "C1"), "m1"),
        ("inn", Chat("group", "C1"), "m2"),
        ("inn", Chat("group", "C1"), "m3"),
        ("inn", Chat("group", "C2"), "m1"),
        ("inn", Chat("room", "C1"), "m1"),
        ("bar", Chat("group", "C1"), "m1"),
    ]
    assert [store.said_by_bot(*question) for question in asked] == [True, True, False, False, False, False]


def test_an_undelivered_answer_may_have_left_messages_too(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    finish(store, lease, "e1", "UNDELIVERED", sent=["m1"])
    assert store.said_by_bot(HANA.bot, HANAS_CHAT, "m1")


def test_a_persons_message_is_found_by_bot_chat_and_message(store: Store) -> None:
    store.accept(arrival(chat=Chat("group", "C1"), message_id="m1"))
    asked = [
        ("inn", Chat("group", "C1"), "m1"),
        ("inn", Chat("group", "C1"), "m2"),
        ("inn", Chat("group", "C2"), "m1"),
        ("inn", Chat("room", "C1"), "m1"),
        ("bar", Chat("group", "C1"), "m1"),
    ]
    assert [store.conversation_of(*question) for question in asked] == [HANA, None, None, None, None]


@ways("sent", "kept", "delivered", "silent", "covered")
def test_a_persons_message_is_found_after_its_answer_too(store: Store, go: Go) -> None:
    go(store, receive_m1(store))
    assert store.conversation_of(HANA.bot, HANAS_CHAT, "m1") == HANA


def test_a_later_event_of_a_message_does_not_move_it(store: Store) -> None:
    store.accept(arrival(message_id="m1"))
    store.accept(arrival("edit", message_id="m1", conversation=KEN))
    assert store.conversation_of(HANA.bot, HANAS_CHAT, "m1") == HANA


def test_a_persons_message_is_not_the_bots_and_the_bots_is_no_persons(store: Store) -> None:
    lease = receive_m1(store)
    sent(store, lease)
    finish(store, lease, sent=["m9"])
    assert not store.said_by_bot(HANA.bot, HANAS_CHAT, "m1")
    assert store.conversation_of(HANA.bot, HANAS_CHAT, "m9") is None


# ---------------------------------------------------------------- counters


def test_nothing_counted_is_empty(store: Store) -> None:
    assert counted(store) == {}


def test_counts_add_up_by_name(store: Store) -> None:
    store.accept(arrival("e0"))
    lease = receive(store)
    silent(store, lease, "e0", counts=[replace(tokens(), amounts={"tokens": 3, "messages": 1})])
    silent(store, lease, counts=[replace(tokens(), amounts={"tokens": 4, "people": 0})])
    assert {name: amount for name, amount in counted(store).items() if amount} == {"tokens": 7, "messages": 1}


def test_counters_are_kept_apart_by_bot_counter_and_window(store: Store) -> None:
    silent(store, receive(store), counts=[tokens(3), tokens(4, "push"), tokens(5, window="month#2100-01")])
    assert counted(store) == {"tokens": 3}
    assert counted(store, "push") == {"tokens": 4}
    assert counted(store, window="month#2100-01") == {"tokens": 5}
    assert counted(store, "push", "month#2100-01") == {}
    assert counted(store, bot="bar") == {}


def test_a_counter_expires(store: Store) -> None:
    silent(store, receive(store), counts=[replace(tokens(3), expires_at=NOW + 9)])
    assert counted(store, now=NOW + 8) == {"tokens": 3}
    assert counted(store, now=NOW + 9) == {}


def test_many_threads_counting_lose_nothing(store: Store) -> None:
    leases = [receive(store, f"e{n}", conversation=Conversation(HANA.bot, f"user:{n}")) for n in range(6)]
    together(6, lambda n: store.answer(leases[n], pending(f"e{n}"), None, counts=[tokens(10 + n)]))
    assert counted(store) == {"tokens": 75}


def test_many_counters_are_told_in_the_order_they_were_asked_for(store: Store) -> None:
    lease = receive(store)
    silent(store, lease, counts=[tokens(n, f"Q#{n}") for n in range(1, 20)])
    asked = [(f"Q#{n}", DAY_WINDOW) for n in (7, 99, 3, 7, *range(50, 145), 19)]
    found = [dict(one) for one in store.counted(HANA.bot, asked, NOW)]
    assert found == [{"tokens": 7}, {}, {"tokens": 3}, {"tokens": 7}, *[{}] * 95, {"tokens": 19}]


def test_no_counters_tell_nothing(store: Store) -> None:
    assert list(store.counted(HANA.bot, [], NOW)) == []


def day(number: int, amount: int = 0, **changes: Any) -> Count:
    return replace(tokens(amount or number, "Q#7", f"day#2100-01-{number:02}"), **changes)


def month(user_id: str, month: str = "2100-01", amount: int = 1) -> Count:
    return tokens(amount, "Q#7", f"month#{month}#{user_id}")


def tally(store: Store, first: str, last: str, now: int = NOW) -> list[Count]:
    return [*store.tally(HANA.bot, "Q#7", first, last, now)]


def test_a_tally_tells_the_windows_of_a_counter_in_order_with_both_ends(store: Store) -> None:
    counts = [day(n) for n in (31, 9, 10, 1, 2)]
    silent(store, receive(store), counts=[*counts, month("U1"), tokens(5, "Q#8", "day#2100-01-05")])
    assert tally(store, "day#2100-01-02", "day#2100-01-10") == [day(2), day(9), day(10)]
    assert tally(store, "day#2100-01-01", "day#2100-01-31") == [day(1), day(2), day(9), day(10), day(31)]


def test_a_tally_tells_the_people_of_one_month(store: Store) -> None:
    one, other = month("U1", amount=3), month("U#2")
    silent(store, receive(store), counts=[one, day(1), other, month("U1", "2099-12"), month("U1", "2100-02")])
    assert tally(store, "month#2100-01#", "month#2100-01$") == [other, one]


def test_a_tally_tells_all_amounts_of_a_window(store: Store) -> None:
    store.accept(arrival("e0"))
    lease = receive(store)
    silent(store, lease, "e0", counts=[day(1, amounts={"tokens": 3, "turns": 1})])
    silent(store, lease, counts=[day(1, amounts={"tokens": 4})])
    assert tally(store, "day#2100-01-01", "day#2100-01-31") == [day(1, amounts={"tokens": 7, "turns": 1})]


def test_a_tally_leaves_out_what_has_expired_and_other_bots(store: Store) -> None:
    silent(store, receive(store), counts=[day(1, expires_at=NOW + 5), day(2)])
    silent(store, receive(store, conversation=OTHER_BOT), counts=[day(3)])
    assert tally(store, "day#", "day#~", NOW + 4) == [day(1, expires_at=NOW + 5), day(2)]
    assert tally(store, "day#", "day#~", NOW + 5) == [day(2)]


# ---------------------------------------------------------------- the record


def test_a_record_tells_where_an_event_is(store: Store) -> None:
    receive(store, at=NOW - 7, received_at=NOW + 3)
    assert known(store) == Record(HANA, "e1", NOW - 7, NOW + 3, "RECEIVED", 0, 0, None, ())


@pytest.mark.parametrize(
    ("go", "state", "sends", "lead"),
    [
        (sent, "SENDING", 1, "e1"),
        (sent_in_vain, "SENDING", 0, "e1"),
        (kept, "UNDELIVERED", 0, "e1"),
        (given_up, "UNDELIVERED", 1, "e1"),
        (delivered, "DONE", 1, "e1"),
        (silent, "DONE", 0, "e1"),
        (covered, "DONE", 0, "lead"),
    ],
)
def test_a_record_tells_what_became_of_an_event(store: Store, go: Go, state: str, sends: int, lead: str) -> None:
    lease = receive(store)
    store.attempt(lease, [pending()])
    go(store, lease)
    found = known(store)
    assert (found.state, found.attempts, found.sends, found.lead) == (state, 1, sends, lead)


def test_a_record_tells_of_a_renewal(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(received_at=NOW + MINUTE, renews=True))
    assert known(store).received_at == NOW + MINUTE


def test_an_event_that_never_came_has_no_record(store: Store) -> None:
    store.accept(arrival())
    assert store.record(HANA.bot, "e2", NOW) is None
    assert store.record(OTHER_BOT.bot, "e1", NOW) is None


@ways("delivered", "kept")
def test_a_record_is_kept_for_seven_days(store: Store, go: Go) -> None:
    go(store, receive(store))
    assert [store.record(HANA.bot, "e1", NOW + 7 * DAY - ms) is None for ms in (1, 0)] == [False, True]


# ---------------------------------------------------------------- ids

LOOKALIKES = [
    (Conversation("inn", "user:U#1"), Conversation("inn", "user:U%231")),
    (Conversation("inn", "user:U%1"), Conversation("inn", "user:U%251")),
    (Conversation("a#C", "b"), Conversation("a", "C#b")),
    (Conversation("a", "b#C#c"), Conversation("a#C#b", "c")),
    (Conversation("a", "group:C1"), Conversation("a", "group:C1:U1")),
]


@pytest.mark.parametrize(("one", "other"), LOOKALIKES)
def test_conversations_of_similar_ids_stay_apart(store: Store, one: Conversation, other: Conversation) -> None:
    remember(store, one, memory("secret"))
    lease = receive(store, "e1", conversation=other, due_at=NOW)
    assert waiting_ids(store, lease) == ["e1"]
    assert texts(store, other) == []
    assert list(store.overdue(NOW, 10, [one.bot, other.bot])) == [other]


def test_events_of_similar_ids_stay_apart(store: Store) -> None:
    ids = ["e", "e#", "e#0", "e%", "e%23", "e%2523", "e:0"]
    assert {store.accept(arrival(event_id)) for event_id in ids} == {Acceptance.NEW}
    assert sorted(waiting_ids(store, take_lease(store))) == sorted(ids)


@pytest.mark.parametrize(("one", "other"), [(("a", "b#c"), ("a#b", "c")), (("a", "E#b"), ("a#E", "b"))])
def test_bots_and_events_of_similar_ids_stay_apart(store: Store, one: tuple[str, str], other: tuple[str, str]) -> None:
    for bot, event_id in (one, other):
        assert store.accept(arrival(event_id, conversation=Conversation(bot, "user:U1"))) is Acceptance.NEW


def test_messages_of_similar_event_ids_stay_apart(store: Store) -> None:
    ids = ["e", "e#0", "e#1", "e%230", "e#0#0"]
    remember(store, HANA, *(memory(event_id, event_id) for event_id in ids))
    assert sorted(texts(store)) == sorted(ids)


def test_chats_and_messages_of_similar_ids_stay_apart(store: Store) -> None:
    lease = receive(store)
    sent(store, lease)
    store.finish(lease, read(store, lease), "DONE", Chat("group", "C#1"), ["m#1"])
    assert store.said_by_bot("inn", Chat("group", "C#1"), "m#1")
    assert not store.said_by_bot("inn", Chat("group", "C%231"), "m#1")
    assert not store.said_by_bot("inn", Chat("group", "C#1"), "m%231")


@pytest.mark.parametrize(("one", "other"), [(("a", "b#c"), ("a#b", "c")), (("a#b", "c"), ("a%23b", "c"))])
def test_counters_of_similar_names_stay_apart(store: Store, one: tuple[str, str], other: tuple[str, str]) -> None:
    silent(store, receive(store), counts=[tokens(3, *one)])
    assert counted(store, *one) == {"tokens": 3}
    assert counted(store, *other) == {}


# ---------------------------------------------------------------- a new process


def test_all_is_still_there_after_a_restart(reopen: Callable[[], Store]) -> None:
    first = reopen()
    lease = receive(first, "done", at=NOW - 1, message_id="m1")
    sent(first, lease, "done", memories=[memory("question", "done")], counts=[tokens()], notes=[NOTE])
    finish(first, lease, "done", sent=["m9"])
    first.accept(arrival("waiting", due_at=NOW))
    before = known(first, "done")

    second = reopen()
    assert second.accept(arrival("done")) is Acceptance.FINISHED
    assert second.lease(HANA, "b", NOW, NOW + MINUTE) == Held(lease.until)
    assert waiting_ids(second, lease) == ["waiting"]
    assert (texts(second), counted(second)) == (["question"], {"tokens": 150})
    assert second.said_by_bot("inn", HANAS_CHAT, "m9")
    assert second.conversation_of("inn", HANAS_CHAT, "m1") == HANA
    assert known(second, "done") == before
    assert list(second.overdue(NOW, 10, BOTS)) == [HANA]


def test_work_goes_on_where_another_process_left_it(reopen: Callable[[], Store]) -> None:
    first = reopen()
    lease = receive(first)
    sent(first, lease)

    second = reopen()
    second.attempt(lease, [pending()])
    finish(second, lease)
    assert list(second.overdue(NOW + DAY, 10, BOTS)) == []
    assert waiting(first, lease) == ()


def test_a_write_is_known_again_by_another_process(reopen: Callable[[], Store]) -> None:
    first = reopen()
    lease = receive(first)
    store_both = [first, reopen()]
    for store in store_both:
        store.answer(lease, pending(), ANSWER, counts=[tokens()], notes=[NOTE])
    assert (counted(first), known(first).notes) == ({"tokens": 150}, (NOTE,))


def test_an_event_answered_elsewhere_leaves_the_inbox_of_a_process_that_never_read_it(
    reopen: Callable[[], Store],
) -> None:
    first = reopen()
    lease = receive(first, at=NOW - 3)
    reopen().answer(lease, pending(at=NOW - 3), None)
    assert waiting(first, lease) == ()
    assert list(first.overdue(NOW + DAY, 10, BOTS)) == []
