"""What every store must do, asked through the port alone."""

import unicodedata
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path
from threading import Barrier

import pytest

from botkit.errors import LeaseLost, StoreError
from botkit.messages import Chat, Message
from botkit.ports import Acceptance, Answer, Conversation, Lease, Memory, Store, Usage
from botkit.stores.dynamodb import DynamoStore
from botkit.stores.memory import MemoryStore
from botkit.stores.sqlite import SqliteStore
from tests.support.samples import (
    ANSWER,
    BOT,
    DAY,
    HANA,
    HANAS_CHAT,
    MINUTE,
    NOW,
    SECOND,
    arrival,
    memory,
    receive,
    remember,
    settle,
    take_lease,
    texts,
)

KEN = Conversation("inn", "user:U2")
OTHER_BOT = Conversation("bar", HANA.id)
BOTS = (HANA.bot, OTHER_BOT.bot)


def _opener(kind: str, request: pytest.FixtureRequest, folder: Path) -> Callable[[], Store]:
    if kind == "memory":
        return MemoryStore
    if kind == "sqlite":
        return lambda: SqliteStore(folder / "botkit.db")
    table = request.getfixturevalue("dynamodb_table")
    client = request.getfixturevalue("dynamodb_client")
    return lambda: DynamoStore(table, client)


@pytest.fixture(params=["memory", "sqlite", "dynamodb"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    with closing(_opener(request.param, request, tmp_path)()) as opened:
        yield opened


@pytest.fixture(params=["sqlite", "dynamodb"])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Opens the same store anew, as a process that starts."""
    opener = _opener(request.param, request, tmp_path)
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(opener()))


def together(count: int, work: Callable[[int], object]) -> list[object]:
    """What `work(0)`, `work(1)` … return, all begun at the same moment in threads."""
    barrier = Barrier(count)

    def run(number: int) -> object:
        barrier.wait()
        return work(number)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def pending_ids(store: Store, lease: Lease) -> list[str]:
    return [event.event_id for event in store.pending(lease)]


# ---------------------------------------------------------------- accept


def test_an_event_never_seen_is_new(store: Store) -> None:
    assert store.accept(arrival()) is Acceptance.NEW


def test_an_unfinished_event_is_pending(store: Store) -> None:
    store.accept(arrival())
    assert store.accept(arrival()) is Acceptance.PENDING


def test_an_event_being_sent_is_pending(store: Store) -> None:
    store.answer(receive(store), "e1", ANSWER)
    assert store.accept(arrival()) is Acceptance.PENDING


@pytest.mark.parametrize("state", ["DONE", "UNDELIVERED"])
def test_an_event_sent_or_given_up_is_finished(store: Store, state: str) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    store.finish(lease, "e1", state, HANAS_CHAT)
    assert store.accept(arrival(renews=True, received_at=NOW + MINUTE)) is Acceptance.FINISHED


def test_an_event_passed_over_in_silence_is_finished(store: Store) -> None:
    store.answer(receive(store), "e1", None)
    assert store.accept(arrival()) is Acceptance.FINISHED


def test_a_finished_event_is_still_known_on_the_seventh_day(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(received_at=NOW + 7 * DAY - 1)) is Acceptance.FINISHED


def test_a_finished_event_is_forgotten_after_seven_days(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(received_at=NOW + 7 * DAY)) is Acceptance.NEW


def test_a_duplicate_is_in_the_inbox_once(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(body="other"))
    lease = take_lease(store)
    assert [event.body for event in store.pending(lease)] == [arrival().body]
    assert lease.inbox_seq == 1


def test_a_renewing_redelivery_moves_received_at_forward(store: Store) -> None:
    store.accept(arrival())
    assert store.accept(arrival(received_at=NOW + MINUTE, renews=True)) is Acceptance.PENDING
    assert store.pending(take_lease(store))[0].received_at == NOW + MINUTE


def test_a_renewing_redelivery_never_moves_received_at_back(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(received_at=NOW - MINUTE, renews=True))
    assert store.pending(take_lease(store))[0].received_at == NOW


def test_a_duplicate_that_does_not_renew_leaves_received_at(store: Store) -> None:
    store.accept(arrival())
    store.accept(arrival(received_at=NOW + MINUTE))
    assert store.pending(take_lease(store))[0].received_at == NOW


def test_a_renewal_counts_no_arrival(store: Store) -> None:
    lease = receive(store)
    store.accept(arrival(received_at=NOW + MINUTE, renews=True))
    assert store.release(lease) is None
    assert take_lease(store, owner="b").inbox_seq == 1


def test_many_threads_accepting_one_event_make_it_new_once(store: Store) -> None:
    outcomes = together(8, lambda _: store.accept(arrival()))
    assert sorted(outcome.name for outcome in outcomes) == ["NEW"] + ["PENDING"] * 7


def test_many_threads_accepting_many_events_count_each(store: Store) -> None:
    together(8, lambda number: [store.accept(arrival(f"e{number}-{n}")) for n in range(5)])
    lease = take_lease(store)
    assert (lease.inbox_seq, len(store.pending(lease))) == (40, 40)


# ---------------------------------------------------------------- pending


def test_a_pending_event_is_as_it_arrived(store: Store) -> None:
    (event,) = store.pending(receive(store, at=NOW - 7))
    assert (event.event_id, event.at, event.received_at, event.body) == ("e1", NOW - 7, NOW, arrival().body)
    assert (event.state, event.attempts, event.sends, event.answer) == ("RECEIVED", 0, 0, None)


def test_pending_events_come_in_the_order_they_happened(store: Store) -> None:
    store.accept(arrival("late", at=NOW))
    store.accept(arrival("early", at=NOW - 10 * SECOND))
    store.accept(arrival("long-ago", at=999))
    assert pending_ids(store, take_lease(store)) == ["long-ago", "early", "late"]


def test_pending_events_of_one_moment_come_in_the_order_of_their_ids(store: Store) -> None:
    for event_id in ["b", "c", "a"]:
        store.accept(arrival(event_id))
    assert pending_ids(store, take_lease(store)) == ["a", "b", "c"]


def test_pending_gives_the_oldest_hundred(store: Store) -> None:
    for n in range(105):
        store.accept(arrival(f"e{n:03}", at=NOW + n))
    assert pending_ids(store, take_lease(store)) == [f"e{n:03}" for n in range(100)]


def test_an_event_is_no_longer_pending_after_seven_days(store: Store) -> None:
    store.accept(arrival())
    week_later = take_lease(store, now=NOW + 7 * DAY, until=NOW + 7 * DAY + MINUTE)
    assert pending_ids(store, week_later) == []


def test_an_event_goes_into_no_other_inbox(store: Store) -> None:
    store.accept(arrival())
    for conversation in (KEN, OTHER_BOT):
        lease = take_lease(store, conversation)
        assert (pending_ids(store, lease), lease.inbox_seq) == ([], 0)


def test_bots_share_no_dedupe(store: Store) -> None:
    settle(store, receive(store))
    assert store.accept(arrival(conversation=OTHER_BOT)) is Acceptance.NEW


# ---------------------------------------------------------------- lease and release


def test_a_lease_tells_what_was_asked_for(store: Store) -> None:
    assert receive(store) == Lease(HANA, "a", 1, NOW + MINUTE, 1)


def test_a_lease_shuts_other_owners_out_until_it_has_ended(store: Store) -> None:
    take_lease(store, until=NOW + MINUTE)
    assert store.lease(HANA, "b", NOW + MINUTE, NOW + 2 * MINUTE) is None


def test_a_lease_that_has_ended_is_taken_over_with_a_higher_fence(store: Store) -> None:
    first = take_lease(store, until=NOW + MINUTE)
    second = take_lease(store, owner="b", now=NOW + MINUTE + 1, until=NOW + 2 * MINUTE)
    assert second.fence > first.fence


def test_its_owner_may_take_the_lease_again_with_a_higher_fence(store: Store) -> None:
    first = take_lease(store)
    assert take_lease(store).fence > first.fence


def test_a_lease_taken_again_ends_the_writes_of_the_grant_before(store: Store) -> None:
    first = receive(store)
    take_lease(store)
    with pytest.raises(LeaseLost):
        store.attempt(first, "e1")


def test_a_lease_given_back_goes_to_the_next_with_a_higher_fence(store: Store) -> None:
    first = take_lease(store)
    assert store.release(first) is None
    assert take_lease(store, owner="b").fence > first.fence


@pytest.mark.parametrize("other", [KEN, OTHER_BOT], ids=["conversation", "bot"])
def test_a_lease_shuts_nobody_out_of_another(store: Store, other: Conversation) -> None:
    take_lease(store)
    assert store.lease(other, "b", NOW, NOW + MINUTE) is not None


def test_many_threads_leasing_have_one_winner(store: Store) -> None:
    outcomes = together(8, lambda number: store.lease(HANA, f"worker-{number}", NOW, NOW + MINUTE))
    assert sum(lease is not None for lease in outcomes) == 1


def test_an_arrival_between_pending_and_release_keeps_the_lease(store: Store) -> None:
    lease = receive(store)
    store.pending(lease)
    store.accept(arrival("e2"))
    assert store.release(lease) == replace(lease, inbox_seq=2)
    assert store.lease(HANA, "b", NOW, NOW + MINUTE) is None


def test_a_lease_kept_for_an_arrival_can_be_given_back_then(store: Store) -> None:
    lease = receive(store)
    store.accept(arrival("e2"))
    kept = store.release(lease)
    assert kept is not None
    store.attempt(kept, "e2")
    assert store.release(kept) is None
    assert store.lease(HANA, "b", NOW, NOW + MINUTE) is not None


def test_releasing_a_lease_lost_meanwhile_leaves_the_new_holder_alone(store: Store) -> None:
    stale = receive(store)
    held = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    store.accept(arrival("e2"))
    assert store.release(stale) is None
    store.attempt(held, "e1")


def test_releasing_twice_is_harmless(store: Store) -> None:
    lease = take_lease(store)
    store.release(lease)
    assert store.release(lease) is None


def test_no_arrival_is_lost_between_release_and_the_next_lease(store: Store) -> None:
    lease: Lease | None = take_lease(store)

    def arrive(number: int) -> None:
        store.accept(arrival(f"e{number}"))

    def leave(_: int) -> Lease | None:
        return store.release(lease)

    outcomes = together(5, lambda number: arrive(number) if number else leave(number))
    kept = outcomes[0]
    final = kept or take_lease(store, owner="b")
    assert len(pending_ids(store, final)) == 4


# ---------------------------------------------------------------- writes under a lease

WRITES: dict[str, Callable[[Store, Lease], None]] = {
    "attempt": lambda store, lease: store.attempt(lease, "e1"),
    "answer": lambda store, lease: store.answer(lease, "e1", ANSWER, [memory("q")]),
    "silence": lambda store, lease: store.answer(lease, "e1", None, [memory("q")]),
    "resend": lambda store, lease: store.resend(lease, "sending", "reply"),
    "postpone": lambda store, lease: store.postpone(lease, "sending", NOW, unsent=True),
    "finish": lambda store, lease: store.finish(lease, "sending", "DONE", HANAS_CHAT, ["m1"]),
    "repeated answer": lambda store, lease: store.answer(lease, "sending", ANSWER),
}


def _one_received_one_sending(store: Store) -> Lease:
    store.accept(arrival("sending", at=NOW - 1))
    lease = receive(store)
    store.answer(lease, "sending", ANSWER)
    return lease


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_no_write_after_a_takeover(store: Store, write: Callable[[Store, Lease], None]) -> None:
    stale = _one_received_one_sending(store)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    before = store.pending(current)
    with pytest.raises(LeaseLost):
        write(store, stale)
    assert store.pending(current) == before
    assert texts(store) == []


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_no_write_after_the_release(store: Store, write: Callable[[Store, Lease], None]) -> None:
    lease = _one_received_one_sending(store)
    assert store.release(lease) is None
    with pytest.raises(LeaseLost):
        write(store, lease)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_an_ended_lease_that_nobody_took_over_still_writes(store: Store, write: Callable[[Store, Lease], None]) -> None:
    lease = _one_received_one_sending(store)
    store.accept(arrival("later", received_at=NOW + DAY))
    write(store, lease)


def test_an_attempt_is_counted(store: Store) -> None:
    lease = receive(store)
    store.attempt(lease, "e1")
    store.attempt(lease, "e1")
    assert store.pending(lease)[0].attempts == 2


def test_an_attempt_on_an_event_being_sent_is_counted(store: Store) -> None:
    lease = _one_received_one_sending(store)
    store.attempt(lease, "sending")
    assert store.pending(lease)[0].attempts == 1


def test_an_attempt_on_an_event_that_is_not_there_fails(store: Store) -> None:
    with pytest.raises(StoreError, match="event e1 is not in the inbox"):
        store.attempt(take_lease(store), "e1")


def test_an_attempt_on_a_finished_event_fails(store: Store) -> None:
    lease = receive(store)
    settle(store, lease)
    with pytest.raises(StoreError, match="event e1 is DONE"):
        store.attempt(lease, "e1")


def test_an_answer_is_fixed_as_it_was_given(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER, usage=Usage("gpt-4.1-mini", 120, 30))
    (event,) = store.pending(lease)
    assert (event.state, event.sends, event.answer) == ("SENDING", 1, ANSWER)


def test_a_fixed_answer_keeps_the_order_of_its_keys(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", Answer(({"z": 1, "a": {"y": 2, "b": [3]}},), "k"))
    (event,) = store.pending(lease)
    assert event.answer is not None
    assert str(event.answer.messages) == "({'z': 1, 'a': {'y': 2, 'b': [3]}},)"


def test_an_answer_outlives_its_holder(store: Store) -> None:
    store.answer(receive(store), "e1", ANSWER)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    assert store.pending(current)[0].answer == ANSWER


def test_an_answer_brings_its_memories(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER, [memory("あさごはん？ 🍚"), memory("七時から 🕖", role=BOT)])
    assert texts(store) == ["あさごはん？ 🍚", "七時から 🕖"]


def test_a_repeated_answer_under_the_same_lease_changes_nothing(store: Store) -> None:
    lease = receive(store)
    for _ in range(2):
        store.answer(lease, "e1", ANSWER, [memory("question"), memory("answer", role=BOT)])
    assert store.pending(lease)[0].sends == 1
    assert texts(store) == ["question", "answer"]


def test_a_repeated_answer_after_a_resend_keeps_the_count(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    store.resend(lease, "e1", "reply")
    store.answer(lease, "e1", ANSWER)
    assert store.pending(lease)[0].sends == 2


def test_a_second_answer_that_differs_is_refused(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    with pytest.raises(StoreError, match="event e1 is SENDING"):
        store.answer(lease, "e1", Answer(({"type": "text", "text": "four"},), "k"), [memory("four")])
    assert store.pending(lease)[0].answer == ANSWER
    assert texts(store) == []


def test_an_answer_fixed_by_an_earlier_lease_is_not_fixed_again(store: Store) -> None:
    store.answer(receive(store), "e1", ANSWER)
    current = take_lease(store, owner="b", now=NOW + 2 * MINUTE, until=NOW + 3 * MINUTE)
    with pytest.raises(StoreError, match="event e1 is SENDING"):
        store.answer(current, "e1", ANSWER)


def test_an_answer_to_an_event_that_is_not_there_leaves_nothing_behind(store: Store) -> None:
    with pytest.raises(StoreError, match="event e9 is not in the inbox"):
        store.answer(receive(store), "e9", ANSWER, [memory("question")])
    assert texts(store) == []


def test_silence_leaves_the_inbox(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", None)
    assert pending_ids(store, lease) == []


def test_silence_may_be_repeated_under_the_same_lease(store: Store) -> None:
    lease = receive(store)
    for _ in range(2):
        store.answer(lease, "e1", None, [memory("overheard")])
    assert texts(store) == ["overheard"]


def test_a_resend_is_counted_with_its_way(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    assert (store.pending(lease)[0].sends, store.pending(lease)[0].via) == (1, "reply")
    store.resend(lease, "e1", "reply")
    store.resend(lease, "e1", "push")
    assert (store.pending(lease)[0].sends, store.pending(lease)[0].via) == (3, "push")


def test_a_resend_before_there_is_an_answer_fails(store: Store) -> None:
    with pytest.raises(StoreError, match="event e1 is RECEIVED"):
        store.resend(receive(store), "e1", "reply")


@pytest.mark.parametrize("state", ["DONE", "UNDELIVERED"])
def test_a_finished_event_leaves_the_inbox(store: Store, state: str) -> None:
    lease = _one_received_one_sending(store)
    store.finish(lease, "sending", state, HANAS_CHAT)
    assert pending_ids(store, lease) == ["e1"]


def test_finishing_may_be_repeated_under_the_same_lease(store: Store) -> None:
    lease = receive(store)
    settle(store, lease)
    store.finish(lease, "e1", "DONE", HANAS_CHAT)
    assert pending_ids(store, lease) == []


def test_what_is_done_cannot_become_undelivered(store: Store) -> None:
    lease = receive(store)
    settle(store, lease)
    with pytest.raises(StoreError, match="event e1 is DONE"):
        store.finish(lease, "e1", "UNDELIVERED", HANAS_CHAT)


def test_an_event_without_an_answer_cannot_be_finished(store: Store) -> None:
    lease = receive(store)
    with pytest.raises(StoreError, match="event e1 is RECEIVED"):
        store.finish(lease, "e1", "DONE", HANAS_CHAT, ["m1"])
    assert not store.said_by_bot("inn", HANAS_CHAT, "m1")


# ---------------------------------------------------------------- overdue


def test_what_is_due_is_overdue_and_what_is_not_is_not(store: Store) -> None:
    store.accept(arrival(due_at=NOW))
    store.accept(arrival(conversation=KEN, due_at=NOW + 1))
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


def test_an_attempt_makes_its_event_due_at_the_end_of_the_lease(store: Store) -> None:
    lease = receive(store, due_at=NOW)
    store.attempt(lease, "e1")
    assert list(store.overdue(lease.until - 1, 10, BOTS)) == []
    assert list(store.overdue(lease.until, 10, BOTS)) == [HANA]


def test_only_the_bots_asked_for_are_looked_after(store: Store) -> None:
    for conversation in (HANA, OTHER_BOT):
        store.accept(arrival(conversation=conversation))
    assert list(store.overdue(NOW + DAY, 1, [OTHER_BOT.bot])) == [OTHER_BOT]
    assert list(store.overdue(NOW + DAY, 1, [])) == []


def test_a_postponed_event_is_due_then_and_keeps_what_it_was(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    store.resend(lease, "e1", "push")
    before = store.pending(lease)
    store.postpone(lease, "e1", NOW + 5, unsent=False)
    assert store.pending(lease) == before
    assert list(store.overdue(NOW + 4, 10, BOTS)) == []
    assert list(store.overdue(NOW + 5, 10, BOTS)) == [HANA]


def test_what_was_certainly_not_sent_counts_as_unsent(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    store.resend(lease, "e1", "reply")
    store.postpone(lease, "e1", NOW, unsent=True)
    assert store.pending(lease)[0].sends == 0


def test_a_finished_event_is_never_overdue(store: Store) -> None:
    settle(store, receive(store))
    assert list(store.overdue(NOW + DAY, 10, BOTS)) == []


def test_an_event_passed_over_in_silence_is_never_overdue(store: Store) -> None:
    store.answer(receive(store), "e1", None)
    assert list(store.overdue(NOW + DAY, 10, BOTS)) == []


def test_an_expired_event_is_not_overdue(store: Store) -> None:
    store.accept(arrival())
    assert [list(store.overdue(NOW + days * DAY, 10, BOTS)) for days in (6, 7, 8)] == [[HANA], [], []]


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
    remember(store, HANA, Memory("e1", NOW, NOW + DAY, said))
    assert list(store.history(HANA, 10, NOW)) == [said]


def test_text_is_not_normalised(store: Store) -> None:
    decomposed = unicodedata.normalize("NFD", "が")
    remember(store, HANA, memory(decomposed))
    assert texts(store) == [decomposed]


def test_no_conversation_sees_the_words_of_another(store: Store) -> None:
    remember(store, HANA, memory("secret"))
    assert (texts(store, KEN), texts(store, OTHER_BOT)) == ([], [])


def test_clear_deletes_all_of_a_long_history(store: Store) -> None:
    remember(store, HANA, *(memory(str(n), f"e{n:02}") for n in range(60)))
    store.clear(HANA)
    assert texts(store) == []


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
    assert pending_ids(store, lease) == ["waiting"]


def test_clearing_an_empty_history_is_harmless(store: Store) -> None:
    store.clear(HANA)
    assert texts(store) == []


# ---------------------------------------------------------------- the bot's own messages


def test_the_bot_knows_what_it_sent_by_bot_chat_and_message(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    store.finish(lease, "e1", "DONE", Chat("group", "C1"), ["m1", "m2", "m2"])
    asked = [
        ("inn", Chat("group", "C1"), "m1"),
        ("inn", Chat("group", "C1"), "m2"),
        ("inn", Chat("group", "C1"), "m3"),
        ("inn", Chat("group", "C2"), "m1"),
        ("inn", Chat("room", "C1"), "m1"),
        ("bar", Chat("group", "C1"), "m1"),
    ]
    assert [store.said_by_bot(*question) for question in asked] == [True, True, False, False, False, False]


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
    remember(store, one, memory("secret"), event_id="e1")
    lease = receive(store, "e1", conversation=other, due_at=NOW)
    assert pending_ids(store, lease) == ["e1"]
    assert texts(store, other) == []
    assert list(store.overdue(NOW, 10, [one.bot, other.bot])) == [other]


def test_events_of_similar_ids_stay_apart(store: Store) -> None:
    ids = ["e", "e#", "e#0", "e%", "e%23", "e%2523", "e:0"]
    assert {store.accept(arrival(event_id)) for event_id in ids} == {Acceptance.NEW}
    assert sorted(pending_ids(store, take_lease(store))) == sorted(ids)


def test_messages_of_similar_event_ids_stay_apart(store: Store) -> None:
    ids = ["e", "e#0", "e#1", "e%230", "e#0#0"]
    remember(store, HANA, *(memory(event_id, event_id) for event_id in ids))
    assert sorted(texts(store)) == sorted(ids)


def test_chats_and_messages_of_similar_ids_stay_apart(store: Store) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER)
    store.finish(lease, "e1", "DONE", Chat("group", "C#1"), ["m#1"])
    assert store.said_by_bot("inn", Chat("group", "C#1"), "m#1")
    assert not store.said_by_bot("inn", Chat("group", "C%231"), "m#1")
    assert not store.said_by_bot("inn", Chat("group", "C#1"), "m%231")


# ---------------------------------------------------------------- a new process


def test_all_is_still_there_after_a_restart(reopen: Callable[[], Store]) -> None:
    first = reopen()
    lease = receive(first, "done", at=NOW - 1)
    first.answer(lease, "done", ANSWER, [memory("question", "done")])
    first.finish(lease, "done", "DONE", HANAS_CHAT, ["m1"])
    first.accept(arrival("waiting", due_at=NOW))

    second = reopen()
    assert second.accept(arrival("done")) is Acceptance.FINISHED
    assert second.lease(HANA, "b", NOW, NOW + MINUTE) is None
    assert pending_ids(second, lease) == ["waiting"]
    assert texts(second) == ["question"]
    assert second.said_by_bot("inn", HANAS_CHAT, "m1")
    assert list(second.overdue(NOW, 10, BOTS)) == [HANA]


def test_work_goes_on_where_another_process_left_it(reopen: Callable[[], Store]) -> None:
    first = reopen()
    lease = receive(first)
    first.answer(lease, "e1", ANSWER)

    second = reopen()
    second.attempt(lease, "e1")
    second.finish(lease, "e1", "DONE", HANAS_CHAT)
    assert list(second.overdue(NOW + DAY, 10, BOTS)) == []
    assert list(first.pending(lease)) == []
