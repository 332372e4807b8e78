"""What is particular to the DynamoDB store: its items, its calls, and AWS failing."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import replace
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from botkit.errors import LeaseLost, StoreError, TakenBack
from botkit.messages import Chat, Message
from botkit.ports import Acceptance, Answer, Arrival, Budget, Conversation, Held, Lease, Memory, Note, Pending, Store
from botkit.stores.dynamodb import DynamoStore, create_table
from botkit.stores.dynamodb_table import connect
from tests.support.aws import BY_BOTOCORE, CREDENTIALS, DYNAMODB_CLIENTS, dynamodb, free_port, lean_dynamodb
from tests.support.samples import (
    ANSWER,
    BOT,
    DAY,
    HANA,
    HANAS_CHAT,
    MINUTE,
    NOTE,
    NOW,
    arrival,
    memory,
    pending,
    read,
    receive,
    remember,
    take_lease,
    texts,
    tokens,
    waiting,
)
from tests.support.wire import Canned, Lossy, serving

GROUP = Conversation("inn", "group:C1:U1")
CHAT = Chat("group", "C1")
COMING = Arrival(GROUP, "01HX", NOW, NOW + 200, NOW + 5200, '{"type":"message"}', CHAT, "U1", "m1")
EVENT = Pending("01HX", NOW, NOW + 200, COMING.body, "RECEIVED", 0, 0, "U1", "m1")
PK = {"S": "B#inn#C#group:C1:U1"}
PENDING_SK = f"P#00{NOW}#01HX"
WAITS_SK = "C#group:C1:U1#7"
LEASE = Lease(HANA, "a", 3, NOW + MINUTE, 1)
FIXED = '[{"type":"text","text":"三時からです 🏮","quickReply":{"items":[]}}]'

Items = Callable[[], dict[str, dict[str, Any]]]
Places = Callable[[], dict[tuple[str, str], Any]]


@pytest.fixture(params=DYNAMODB_CLIENTS)
def kind(request: pytest.FixtureRequest) -> str:
    """Of the client that the store is given."""
    return str(request.param)


@pytest.fixture
def store(dynamodb_table: str, kind: str, request: pytest.FixtureRequest) -> Iterator[DynamoStore]:
    shared = {"lean": "lean_dynamodb_client", "botocore": "dynamodb_client"}
    with closing(DynamoStore(dynamodb_table, request.getfixturevalue(shared[kind]))) as opened:
        yield opened


@pytest.fixture
def items(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> Items:
    """Reads the table as it is: sort key → item without its sort key."""

    def look() -> dict[str, dict[str, Any]]:
        found = dynamodb_client.scan(TableName=dynamodb_table, ConsistentRead=True)["Items"]
        return {item["sk"]["S"]: {k: v for k, v in item.items() if k != "sk"} for item in found}

    return look


@pytest.fixture
def places(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> Places:
    """Reads by which items words are found: key → TTL."""

    def look() -> dict[tuple[str, str], Any]:
        found = dynamodb_client.scan(TableName=dynamodb_table, ConsistentRead=True)["Items"]
        return {(item["pk"]["S"], item["sk"]["S"]): item["ttl"] for item in found if item["sk"]["S"].startswith("C#")}

    return look


@pytest.fixture
def watched(aws_endpoint: str, dynamodb_table: str) -> Iterator[tuple[DynamoStore, list[str]]]:
    """A store, and the names of the calls that it makes."""
    calls: list[str] = []
    with closing(dynamodb(aws_endpoint)) as client:
        client.meta.events.register("before-call.dynamodb", lambda model, **_: calls.append(model.name))
        yield DynamoStore(dynamodb_table, client), calls


def _receive(store: Store) -> Lease:
    store.accept(COMING)
    return take_lease(store, GROUP)


def _ttl(ms: int) -> dict[str, str]:
    return {"N": str(ms // 1000 + (ms % 1000 > 0))}


def _number(value: int) -> dict[str, str]:
    return {"N": str(value)}


# ---------------------------------------------------------------- items


def test_an_arrival_is_an_event_its_place_in_the_inbox_a_message_index_a_count_and_whose_it_is(
    store: DynamoStore, items: Items
) -> None:
    store.accept(COMING)
    common = {
        "ttl": _ttl(NOW + 200 + 7 * DAY),
        "state": {"S": "RECEIVED"},
        "at": _number(NOW),
        "received_at": _number(NOW + 200),
        "attempts": _number(0),
        "sends": _number(0),
    }
    assert items() == {
        "EVENT": common | {"pk": {"S": "B#inn#E#01HX"}, "conversation": {"S": GROUP.id}},
        PENDING_SK: common
        | {
            "pk": PK,
            "event_id": {"S": "01HX"},
            "body": {"S": '{"type":"message"}'},
            "user_id": {"S": "U1"},
            "message_id": {"S": "m1"},
            "due_pk": {"S": "inbox"},
            "due_at": _number(NOW + 5200),
        },
        "S#m1": {
            "pk": {"S": "B#inn#G#group:C1"},
            "ttl": _ttl(NOW + 200 + 7 * DAY),
            "expires_at": _number(NOW + 200 + 7 * DAY),
            "role": {"S": "user"},
            "conversation": {"S": GROUP.id},
            "event_id": {"S": "01HX"},
            "at": _number(NOW),
        },
        "META": {"pk": PK, "ttl": _ttl(NOW + 200 + 90 * DAY), "inbox_seq": _number(1)},
        WAITS_SK: {"pk": {"S": "B#inn#U#U1"}, "ttl": _ttl(NOW + 200 + 15 * DAY)},
    }


def test_a_lease_is_in_the_conversation_item(store: DynamoStore, items: Items) -> None:
    _receive(store)
    assert items()["META"] == {
        "pk": PK,
        "ttl": _ttl(NOW + 90 * DAY),
        "inbox_seq": _number(1),
        "fence": _number(1),
        "owner": {"S": "a"},
        "lease_until": _number(NOW + MINUTE),
    }


def test_a_lease_given_back_keeps_fence_and_count(store: DynamoStore, items: Items) -> None:
    store.release(_receive(store))
    assert sorted(items()["META"]) == ["fence", "inbox_seq", "pk", "ttl"]


def test_an_attempt_moves_what_is_due(store: DynamoStore, items: Items) -> None:
    store.attempt(_receive(store), [EVENT])
    assert items()[PENDING_SK]["due_at"] == _number(NOW + MINUTE)


def test_an_attempt_of_a_forgotten_event_brings_nothing_back(store: DynamoStore, items: Items) -> None:
    lease = take_lease(store, GROUP)
    before = items()
    store.attempt(lease, [EVENT])
    assert items() == before


def test_an_answer_is_json_beside_its_retry_key_in_the_inbox_alone(store: DynamoStore, items: Items) -> None:
    store.answer(_receive(store), EVENT, ANSWER)
    found = items()
    assert {name: found[PENDING_SK][name] for name in ("state", "sends", "answer", "retry_key")} == {
        "state": {"S": "SENDING"},
        "sends": _number(1),
        "answer": {"S": FIXED},
        "retry_key": {"S": ANSWER.retry_key},
    }
    assert {name: found["EVENT"][name] for name in ("state", "sends", "lead")} == {
        "state": {"S": "SENDING"},
        "sends": _number(1),
        "lead": {"S": "01HX"},
    }


def test_an_event_never_holds_a_text(store: DynamoStore, items: Items) -> None:
    said = [Memory("01HX", NOW, NOW + DAY, Message(role, "三時")) for role in ("user", BOT)]
    lease = _receive(store)
    store.answer(lease, EVENT, ANSWER, memories=said)
    store.finish(lease, EVENT, "UNDELIVERED", CHAT)
    assert "三時" not in str(items()["EVENT"])


def test_messages_sort_by_time_event_and_speaker(store: DynamoStore, items: Items) -> None:
    asked = Memory("01HX", NOW, NOW + DAY + 1, Message("user", "when?", "Hana", 4), "U1")
    told = Memory("01HX", NOW, NOW + DAY + 1, Message("assistant", "three", tokens=0))
    heard = Memory("01HZ", NOW, NOW + DAY + 1, Message("user", "lunch?", overheard=True))
    store.answer(_receive(store), EVENT, ANSWER, memories=[asked, told, heard])
    common = {"pk": PK, "ttl": _ttl(NOW + DAY + 1), "expires_at": _number(NOW + DAY + 1)}
    found = items()
    assert found[f"M#00{NOW}#01HX#0"] == common | {
        "role": {"S": "user"},
        "text": {"S": "when?"},
        "speaker": {"S": "Hana"},
        "tokens": _number(4),
        "user_id": {"S": "U1"},
    }
    assert found[f"H#00{NOW}#01HZ#0"] == common | {"role": {"S": "user"}, "text": {"S": "lunch?"}, "tokens": _number(0)}
    assert found[f"M#00{NOW}#01HX#1"] == common | {"role": {"S": BOT}, "text": {"S": "three"}, "tokens": _number(0)}


@pytest.mark.parametrize(
    ("conversation", "expected"),
    [
        ("user:U1", {}),
        ("group:C1", {("B#inn#U#U1", "C#group:C1#30"): 38}),
        ("group:C1:U1", {("B#inn#G#group:C1", "C#group:C1:U1#30"): 38, ("B#inn#U#U1", "C#group:C1:U1#30"): 38}),
        (
            "room:R%3A1:U%231",
            {("B#inn#G#room:R:1", "C#room:R%253A1:U%25231#30"): 38, ("B#inn#U#U1", "C#room:R%253A1:U%25231#30"): 38},
        ),
    ],
)
def test_words_are_found_by_whose_they_are_and_by_their_chat_unless_the_id_tells(
    store: DynamoStore, places: Places, conversation: str, expected: Mapping[tuple[str, str], int]
) -> None:
    said = [Memory("01HX", NOW, NOW + 30 * DAY, Message(role, "when?"), "U1") for role in ("user", BOT)]
    remember(store, Conversation("inn", conversation), *said)
    assert places() == {place: _ttl(NOW + days * DAY) for place, days in expected.items()}


def test_what_expires_early_does_not_shorten_by_what_other_words_are_found(store: DynamoStore, places: Places) -> None:
    for n, days in enumerate((30, 1, 30)):
        said = memory("when?", f"e{n}", at=NOW - n * DAY, expires_at=NOW + (days - n) * DAY)
        lease = receive(store, f"e{n}", conversation=GROUP)
        store.answer(lease, read(store, lease, f"e{n}"), None, memories=[replace(said, user_id="U1")])
    found = {sk: ttl for (pk, sk), ttl in places().items() if pk == "B#inn#U#U1"}
    assert found == {
        "C#group:C1:U1#30": _ttl(NOW + (28 + 8) * DAY),
        "C#group:C1:U1#1": _ttl(NOW + (0 + 8) * DAY),
    }


def test_of_memories_for_one_place_the_last_is_kept(store: DynamoStore) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER, memories=[memory("first"), memory("last")])
    assert texts(store) == ["last"]


def test_a_done_event_leaves_the_inbox_and_the_index(store: DynamoStore, items: Items) -> None:
    lease = _receive(store)
    store.answer(lease, EVENT, ANSWER)
    store.finish(lease, EVENT, "DONE", CHAT)
    assert sorted(items()) == [WAITS_SK, "EVENT", "META", "S#m1"]


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "given up"])
def test_an_undelivered_event_drops_its_text_and_is_in_no_index(store: DynamoStore, items: Items, kept: bool) -> None:
    lease = _receive(store)
    before = items()[PENDING_SK]
    store.answer(lease, EVENT, ANSWER, waits=kept)
    if not kept:
        store.finish(lease, EVENT, "UNDELIVERED", CHAT)
    after = items()[PENDING_SK]
    assert set(before) - set(after) == {"body", "due_pk", "due_at"}
    assert after["answer"] == {"S": FIXED}


def test_the_bots_own_messages_are_found_by_chat(store: DynamoStore, items: Items) -> None:
    lease = _receive(store)
    store.answer(lease, EVENT, ANSWER)
    store.finish(lease, EVENT, "DONE", CHAT, ["461"])
    assert items()["S#461"] == {
        "pk": {"S": "B#inn#G#group:C1"},
        "ttl": _ttl(NOW + MINUTE + 30 * DAY),
        "role": {"S": "assistant"},
        "conversation": {"S": GROUP.id},
        "event_id": {"S": "01HX"},
        "at": _number(NOW),
    }


def test_a_chat_that_the_bot_has_left_is_an_item_for_400_days(store: DynamoStore, items: Items) -> None:
    for at in (NOW - 1, NOW, NOW - 2):
        store.part("inn", CHAT, at)
    expected = {"pk": {"S": "B#inn#G#group:C1"}, "parted_at": _number(NOW), "ttl": _ttl(NOW + 400 * DAY)}
    assert items() == {"CHAT": expected}


def test_a_message_unsent_before_it_came_leaves_a_mark(store: DynamoStore, items: Items) -> None:
    store.unsend("inn", CHAT, "m1", NOW)
    assert items() == {
        "S#m1": {
            "pk": {"S": "B#inn#G#group:C1"},
            "ttl": _ttl(NOW + 7 * DAY),
            "expires_at": _number(NOW + 7 * DAY),
            "unsent": _number(1),
        }
    }


def test_a_message_unsent_before_it_came_leaves_an_event_that_is_done(store: DynamoStore, items: Items) -> None:
    store.unsend("inn", CHAT, "m1", NOW)
    store.accept(COMING)
    assert sorted(items()) == ["EVENT", "S#m1"]
    assert items()["EVENT"]["state"] == {"S": "DONE"}


def test_a_counter_is_an_item_for_each_window(store: DynamoStore, items: Items) -> None:
    count = replace(tokens(3), amounts={"tokens": 3, "one of: #these": 1})
    store.answer(_receive(store), EVENT, None, counts=[count, tokens(4)])
    assert items()["W#day#2100-01-01"] == {
        "pk": {"S": "B#inn#U#U1"},
        "ttl": _ttl(NOW + DAY),
        "expires_at": _number(NOW + DAY),
        "n_tokens": _number(7),
        "n_one of: #these": _number(1),
    }


def test_a_count_of_nothing_is_no_write(store: DynamoStore, items: Items) -> None:
    store.answer(_receive(store), EVENT, ANSWER, counts=[replace(tokens(), amounts={})])
    assert store.resend(LEASE_OF_GROUP, EVENT, "push", Budget(replace(tokens(), amounts={}), 0))
    assert "W#day#2100-01-01" not in items()


def test_each_write_adds_its_notes_as_an_attribute_that_sorts_as_the_story_goes(
    store: DynamoStore, items: Items
) -> None:
    lease = _receive(store)
    store.answer(lease, EVENT, ANSWER, notes=[Note(NOW + 9, "fixed")])
    store.postpone(lease, EVENT, NOW, refused=True, notes=[Note(NOW + 9, "later")])
    for sk in ("EVENT", PENDING_SK):
        notes = {name: value for name, value in items()[sk].items() if name.startswith("note_")}
        assert notes == {
            f"note_000000000000001_00{NOW + 9}_1": {"S": f'[{NOW + 9}, "fixed"]\n'},
            f"note_000000000000001_00{NOW + 9}_2_{NOW}_1": {"S": f'[{NOW + 9}, "later"]\n'},
        }


def test_ids_are_escaped_in_keys_alone(store: DynamoStore, items: Items) -> None:
    store.accept(arrival("e#1%", conversation=Conversation("inn", "user:U#1")))
    found = items()
    assert found["EVENT"]["pk"] == {"S": "B#inn#E#e%231%25"}
    assert found[f"P#00{NOW}#e%231%25"]["pk"] == {"S": "B#inn#C#user:U%231"}
    assert found[f"P#00{NOW}#e%231%25"]["event_id"] == {"S": "e#1%"}


def test_the_table_expires_items_and_is_billed_on_demand(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> None:
    table = dynamodb_client.describe_table(TableName=dynamodb_table)["Table"]
    ttl = dynamodb_client.describe_time_to_live(TableName=dynamodb_table)["TimeToLiveDescription"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


# ---------------------------------------------------------------- calls

LEASE_OF_GROUP = Lease(GROUP, "a", 1, NOW + MINUTE, 1)


def test_a_turn_takes_four_calls_in_a_row(watched: tuple[DynamoStore, list[str]]) -> None:
    store, calls = watched
    remember(store, GROUP, *(memory(str(n), f"h{n:02}", at=NOW - 99 + n) for n in range(60)))
    store.accept(COMING)
    calls.clear()
    lease = take_lease(store, GROUP)
    inbox = store.inbox(lease, 20, NOW)
    said = [memory("question", "01HX"), memory("answer", "01HX", role=BOT)]
    store.answer(lease, inbox.pending[0], ANSWER, memories=said, counts=[tokens()], notes=[NOTE])
    given_back = store.finish(lease, inbox.pending[0], "DONE", CHAT, ["461"], notes=[NOTE], release=True)
    assert calls == ["UpdateItem", "Query", "TransactWriteItems", "TransactWriteItems"]
    assert (len(inbox.recent), given_back) == (20, None)


def test_a_burst_and_its_window_are_one_query(watched: tuple[DynamoStore, list[str]]) -> None:
    store, calls = watched
    remember(store, GROUP, *(memory(str(n), f"h{n:02}", at=NOW - 99 + n) for n in range(60)))
    for n in range(20):
        store.accept(replace(COMING, event_id=f"e{n:02}", message_id=None))
    lease = take_lease(store, GROUP)
    calls.clear()
    inbox = store.inbox(lease, 50, NOW)
    assert calls == ["Query"]
    assert [event.event_id for event in inbox.pending] == [f"e{n:02}" for n in range(20)]
    assert [message.text for message in inbox.recent] == [str(n) for n in range(10, 60)]


def test_what_was_overheard_is_another_query(watched: tuple[DynamoStore, list[str]]) -> None:
    store, calls = watched
    gossip = Message("user", "lunch?", overheard=True)
    remember(store, GROUP, *(Memory(f"h{n:02}", NOW - 99 + n, NOW + DAY, gossip) for n in range(60)))
    lease = take_lease(store, GROUP)
    calls.clear()
    for overheard, expected in ((0, 1), (20, 2)):
        assert len(store.inbox(lease, 20, NOW, overheard).recent) == overheard
        assert [calls.pop() for _ in tuple(calls)] == ["Query"] * expected


CALLS_OF: dict[str, tuple[Callable[[DynamoStore], object], list[str]]] = {
    "a duplicate": (lambda store: store.accept(COMING), ["TransactWriteItems"]),
    "a renewal": (
        lambda store: store.accept(replace(COMING, received_at=NOW + 900, renews=True)),
        ["TransactWriteItems"] * 2,
    ),
    "an attempt of many": (lambda store: store.attempt(LEASE_OF_GROUP, [EVENT]), ["TransactWriteItems"]),
    "a push": (
        lambda store: store.resend(LEASE_OF_GROUP, replace(EVENT, event_id="sending"), "push", Budget(tokens(), 999)),
        ["TransactWriteItems"],
    ),
    "many counters": (
        lambda store: store.counted("inn", [(f"Q#{n}", "day#2100-01-01") for n in range(100)], NOW),
        ["BatchGetItem"],
    ),
    "no counters": (lambda store: store.counted("inn", [], NOW), []),
    "a tally": (lambda store: store.tally("inn", "Q#1", "day#2100-01-01", "day#2100-01-31", NOW), ["Query"]),
    "a parting": (lambda store: store.part("inn", CHAT, NOW), ["UpdateItem"]),
    "when the bot was blocked or removed": (lambda store: store.parted_at("inn", CHAT), ["GetItem"]),
    "an unsent message": (
        lambda store: store.unsend("inn", CHAT, "m1", NOW),
        ["UpdateItem", "GetItem", "UpdateItem", "GetItem", "BatchWriteItem"],
    ),
}


@pytest.mark.parametrize(("ask", "expected"), CALLS_OF.values(), ids=CALLS_OF)
def test_other_things_take_as_many_calls(
    watched: tuple[DynamoStore, list[str]], ask: Callable[[DynamoStore], object], expected: list[str]
) -> None:
    store, calls = watched
    lease = _receive(store)
    store.accept(replace(COMING, event_id="sending", message_id=None))
    store.answer(lease, replace(EVENT, event_id="sending"), ANSWER)
    calls.clear()
    ask(store)
    assert calls == expected


def test_an_attempt_of_more_events_than_a_transaction_takes(store: DynamoStore) -> None:
    for n in range(60):
        store.accept(arrival(f"e{n:02}"))
    lease = take_lease(store)
    store.attempt(lease, [*waiting(store, lease), pending("gone")])
    assert [event.attempts for event in waiting(store, lease)] == [1] * 60


def test_history_reads_on_past_pages_of_expired_messages(store: DynamoStore) -> None:
    lease = _with_a_crowd_of_expired_messages(store)
    assert texts(store, limit=1) == ["old but alive"]
    assert [message.text for message in store.inbox(lease, 1, NOW).recent] == ["old but alive"]


def _with_a_crowd_of_expired_messages(store: DynamoStore) -> Lease:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER, memories=[memory("old but alive", at=NOW - 1)])
    for n in range(4):  # over 1 MB, the most that one page reads
        big = memory("x" * 300_000, f"gone-{n}", at=NOW + n, expires_at=NOW)
        store.accept(arrival(f"carrier-{n}"))
        store.answer(lease, pending(f"carrier-{n}"), None, memories=[big])
    return lease


def test_the_inbox_reads_on_past_pages_of_events(store: DynamoStore) -> None:
    remember(store, HANA, memory("before", at=NOW - 1))
    for n in range(4):
        store.accept(arrival(f"big-{n}", at=NOW + n, body="x" * 300_000))
    for n in range(100):
        store.accept(arrival(f"e{n:03}", at=NOW + 9 + n))
    inbox = store.inbox(take_lease(store), 1, NOW)
    expected = [f"big-{n}" for n in range(4)] + [f"e{n:03}" for n in range(96)]
    assert [event.event_id for event in inbox.pending] == expected
    assert [message.text for message in inbox.recent] == ["before"]


def test_an_inbox_without_a_window_reads_no_history(ask: Any) -> None:
    store, canned = ask((200, {"Items": []}))
    store.inbox(LEASE, 0, NOW)
    assert canned.bodies[0]["ExpressionAttributeValues"] == {
        ":pk": {"S": "B#inn#C#user:U1"},
        ":first": {"S": "P#"},
        ":last": {"S": "P#~"},
    }


def test_the_count_of_arrivals_beside_the_events_is_not_trusted(store: DynamoStore) -> None:
    """The query is of no single moment: it may have passed the place of an event that META counts already."""
    lease = receive(store)
    store.accept(arrival("e2"))
    store.inbox(lease, 9, NOW)
    assert store.release(lease) == replace(lease, inbox_seq=2)


# ---------------------------------------------------------------- responses that get lost


@pytest.fixture
def losing(aws_endpoint: str, dynamodb_table: str, kind: str) -> Iterator[Callable[..., tuple[DynamoStore, Lossy]]]:
    """Makes a store that loses responses to an operation; with `attempts=1`, its caller has to ask again."""
    with ExitStack() as stack:

        def open_store(operation: str, attempts: int = 3, **options: Any) -> tuple[DynamoStore, Lossy]:
            lossy = stack.enter_context(serving(Lossy(aws_endpoint, operation, **options)))
            client = stack.enter_context(closing(DYNAMODB_CLIENTS[kind](lossy.url, attempts)))
            return DynamoStore(dynamodb_table, client), lossy

        yield open_store


def test_an_arrival_whose_response_is_lost_is_new(losing: Any) -> None:
    store, lossy = losing("TransactWriteItems")
    assert store.accept(arrival()) is Acceptance.NEW
    assert lossy.lost == 1
    assert take_lease(store).inbox_seq == 1


def test_an_attempt_whose_response_is_lost_is_counted_once(store: DynamoStore, losing: Any) -> None:
    lease = receive(store)
    through, lossy = losing("TransactWriteItems")
    through.attempt(lease, [pending()])
    assert (lossy.lost, read(store, lease).attempts) == (1, 1)


def test_a_push_whose_response_is_lost_is_counted_and_charged_once(store: DynamoStore, losing: Any) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    through, lossy = losing("TransactWriteItems")
    assert through.resend(lease, pending(), "push", Budget(tokens(2), 3))
    assert (lossy.lost, read(store, lease).sends) == (1, 2)
    assert store.counted("inn", [("U#U1", "day#2100-01-01")], NOW) == [{"tokens": 2}]


def test_a_lease_whose_response_is_lost_is_granted(store: DynamoStore, losing: Any) -> None:
    through, lossy = losing("UpdateItem")
    lease = receive(through)
    assert lossy.lost == 1
    store.answer(lease, pending(), None)


def test_a_message_unsent_is_unsent_though_each_response_is_lost(store: DynamoStore, losing: Any) -> None:
    lease = receive(store, message_id="m1")
    store.answer(lease, pending(), ANSWER, memories=[memory("question")], waits=True)
    for operation in ("UpdateItem", "BatchWriteItem"):
        through, lossy = losing(operation, times=2)
        through.unsend("inn", HANAS_CHAT, "m1", NOW)
        assert lossy.lost
    assert (read(store, lease).answer, texts(store)) == (None, [])


@pytest.fixture
def between(aws_endpoint: str, dynamodb_table: str) -> Iterator[Callable[..., tuple[DynamoStore, list[object]]]]:
    """Makes a store before whose `nth` call of an operation something else happens; and tells of these calls."""
    with ExitStack() as stack:

        def open_store(operation: str, nth: int, happens: Callable[[], None]) -> tuple[DynamoStore, list[object]]:
            client, calls = stack.enter_context(closing(dynamodb(aws_endpoint))), list[object]()

            def before(params: Any, **_: Any) -> None:
                calls.append(params)
                if len(calls) == nth:
                    happens()

            client.meta.events.register(f"before-call.dynamodb.{operation}", before)
            return DynamoStore(dynamodb_table, client), calls

        yield open_store


def test_an_answer_kept_while_its_message_is_unsent_is_read_again_and_taken_back(
    store: DynamoStore, between: Any
) -> None:
    lease = receive(store, message_id="m1")
    said = [memory("question"), memory("answer", role=BOT)]
    happens = partial(store.answer, lease, pending(), ANSWER, memories=said, waits=True)
    through, updates = between("UpdateItem", 2, happens)
    through.unsend("inn", HANAS_CHAT, "m1", NOW)
    event = read(store, lease)
    assert (event.state, event.unsent, event.answer, texts(store)) == ("UNDELIVERED", True, None, [])
    assert len(updates) == 3  # the mark, the write that was refused, and the one that was not


def test_an_answer_sent_while_its_message_is_unsent_is_read_again_and_left(store: DynamoStore, between: Any) -> None:
    lease = receive(store, message_id="m1")
    said = [memory("question"), memory("answer", role=BOT)]
    through, updates = between("UpdateItem", 2, partial(store.answer, lease, pending(), ANSWER, memories=said))
    through.unsend("inn", HANAS_CHAT, "m1", NOW)
    event = read(store, lease)
    assert (event.state, event.unsent, event.answer, texts(store)) == ("SENDING", False, ANSWER, ["answer"])
    assert len(updates) == 2


@pytest.mark.parametrize("waits", [True, False])
def test_an_answer_committed_while_its_person_is_forgotten_leaves_no_history(
    store: DynamoStore, between: Any, waits: bool
) -> None:
    lease = receive(store, conversation=GROUP, user_id="U1")
    said = [replace(memory("question", role=role), user_id="U1") for role in ("user", BOT)]
    before = read(store, lease)
    happens = partial(store.answer, lease, before, ANSWER, memories=said, waits=waits)
    through, _ = between("UpdateItem", 1, happens)
    assert through.forget("inn", "U1", NOW) == 2
    event = read(store, lease)
    assert (event.unsent, event.answer, texts(store, GROUP)) == (waits, None if waits else ANSWER, [])


@pytest.mark.parametrize("waits", [True, False])
def test_an_answer_committed_while_its_chat_is_disbanded_leaves_no_history(
    store: DynamoStore, between: Any, waits: bool
) -> None:
    lease = _receive(store)
    said = [memory("question"), memory("answer", role=BOT)]
    happens = partial(store.answer, lease, EVENT, ANSWER, memories=said, waits=waits)
    through, _ = between("UpdateItem", 1, happens)
    through.disband("inn", CHAT, NOW + 1)
    event = read(store, lease, "01HX")
    assert (event.unsent, event.answer, texts(store, GROUP)) == (waits, None if waits else ANSWER, [])


def test_answers_joined_into_another_while_their_person_is_forgotten_are_taken_out_there(
    store: DynamoStore, between: Any
) -> None:
    for n in range(3):
        lease = receive(store, f"e{n}", at=NOW + n, user_id="U1")
    e0, e1, e2 = waiting(store, lease)
    store.answer(lease, e0, _joint(1), waits=True)
    store.answer(lease, e1, _joint(2), covers=[e0], waits=True)
    happens = partial(store.answer, lease, e2, _joint(3), covers=[e1], waits=True)
    through, _ = between("GetItem", 1, happens)
    through.forget("inn", "U1", NOW)
    assert [(one.event_id, one.unsent, one.answer) for one in waiting(store, lease)] == [("e2", True, None)]


def _joint(count: int) -> Answer:
    messages = tuple({"type": "text", "text": f"answer {n}"} for n in range(count))
    return Answer(messages, "key", tuple(f"e{n}" for n in range(count)))


def _fixed(store: Store, lease: Lease) -> object:
    said = [memory("question"), memory("answer", role=BOT)]
    return store.answer(lease, pending(), ANSWER, memories=said, counts=[tokens()], notes=[NOTE])


def _sending(store: Store, lease: Lease) -> None:
    store.answer(lease, pending(), ANSWER)


ASKED_AGAIN: dict[str, tuple[Callable[[Store, Lease], object], Callable[[Store, Lease], object]]] = {
    "answer": (lambda store, lease: None, _fixed),
    "notice": (lambda store, lease: None, lambda store, lease: store.notice(lease, pending(), [NOTE])),
    "postpone": (
        _sending,
        lambda store, lease: store.postpone(lease, pending(), NOW + 9, refused=True, notes=[NOTE]),
    ),
    "finish": (
        _sending,
        lambda store, lease: store.finish(lease, pending(), "DONE", HANAS_CHAT, ["m9"], notes=[NOTE]),
    ),
    "finish and release": (
        _sending,
        lambda store, lease: store.finish(lease, pending(), "DONE", HANAS_CHAT, ["m9"], notes=[NOTE], release=True),
    ),
}


@pytest.mark.parametrize(("prepare", "write"), ASKED_AGAIN.values(), ids=ASKED_AGAIN)
def test_a_write_asked_again_for_its_response_was_lost_is_made_once(
    store: DynamoStore, losing: Any, items: Items, prepare: Any, write: Any
) -> None:
    lease = receive(store)
    prepare(store, lease)
    through, lossy = losing("TransactWriteItems", attempts=1)
    with pytest.raises(StoreError) as caught:
        write(through, lease)
    assert (caught.value.retryable, lossy.lost) == (True, 1)
    once = items()
    write(through, lease)
    assert items() == once


def test_a_finish_asked_again_gives_the_lease_back_where_the_first_could_not(store: DynamoStore, losing: Any) -> None:
    lease = receive(store)
    store.answer(lease, pending(), ANSWER)
    store.accept(arrival("e2"))
    through, lossy = losing("TransactWriteItems", attempts=1, skip=1)  # the first is refused for e2
    with pytest.raises(StoreError):
        through.finish(lease, pending(), "DONE", HANAS_CHAT, release=True)
    assert lossy.lost == 1
    kept = through.finish(lease, pending(), "DONE", HANAS_CHAT, release=True)
    assert kept == replace(lease, inbox_seq=2)
    assert through.finish(kept, pending(), "DONE", HANAS_CHAT, release=True) is None


def test_a_release_whose_response_is_lost_is_made(store: DynamoStore, losing: Any) -> None:
    lease = receive(store)
    through, lossy = losing("UpdateItem")
    assert through.release(lease) is None
    assert lossy.lost == 1


# ---------------------------------------------------------------- messages that are taken back


def test_a_message_unsent_while_its_answer_is_committed_is_told_by_the_inbox(ask: Any) -> None:
    unsent = {"state": {"S": "RECEIVED"}, "unsent": {"N": "1"}, "revision": {"N": "1"}}
    store, _ = ask(_cancelled("None", "None", "ConditionalCheckFailed", item=unsent))
    with pytest.raises(TakenBack, match="event e1: something of it was unsent meanwhile"):
        store.answer(LEASE, pending(), ANSWER)


# ---------------------------------------------------------------- AWS refuses


def _cancelled(*codes: str, item: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    reasons = [{"Code": code} | ({"Item": item} if item and code == "ConditionalCheckFailed" else {}) for code in codes]
    return 400, {"__type": "TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons}


def _fails(code: str, status: int = 400, message: str = "no") -> tuple[int, dict[str, Any]]:
    return status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}


def test_what_changes_before_it_can_be_taken_back_is_read_again_so_often_and_no_more(ask: Any) -> None:
    said = {"conversation": {"S": HANA.id}, "event_id": {"S": "e1"}, "at": _number(NOW)}
    counts = {name: _number(0) for name in ("at", "received_at", "attempts", "sends")}
    waits = (200, {"Item": {"pk": PK, "sk": {"S": "P#"}, "event_id": {"S": "e1"}, "state": {"S": "RECEIVED"}} | counts})
    changed = _fails("ConditionalCheckFailedException")
    store, canned = ask((200, {"Attributes": said}), *[waits, changed] * 10)
    with pytest.raises(StoreError, match="event e1: its answer changes too often to be taken back") as caught:
        store.unsend("inn", HANAS_CHAT, "m1", NOW)
    assert (caught.value.retryable, len(canned.bodies)) == (True, 21)


OK: tuple[int, dict[str, Any]] = (200, {})


@pytest.fixture
def ask(kind: str) -> Iterator[Callable[..., tuple[DynamoStore, Canned]]]:
    """Makes a store whose AWS gives the answers it is told to."""
    with ExitStack() as stack:

        def open_store(*answers: tuple[int, Mapping[str, Any]], **options: Any) -> tuple[DynamoStore, Canned]:
            canned = stack.enter_context(serving(Canned(answers)))
            client = stack.enter_context(closing(DYNAMODB_CLIENTS[kind](canned.url, attempts=1)))
            return DynamoStore("chats", client, **options), canned

        yield open_store


IN_THE_WAY = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]


@pytest.mark.parametrize("code", IN_THE_WAY)
def test_a_transaction_that_met_another_is_tried_again(ask: Any, code: str) -> None:
    store, canned = ask(_cancelled("None", "None", code), OK)
    assert store.accept(arrival()) is Acceptance.NEW
    assert len(canned.bodies) == 2


def test_an_update_that_met_a_transaction_is_tried_again(ask: Any) -> None:
    before = {"Attributes": {"fence": {"N": "7"}, "inbox_seq": {"N": "2"}}}
    store, canned = ask(_fails("TransactionConflictException"), (200, before))
    assert store.lease(HANA, "a", NOW, NOW + MINUTE) == Lease(HANA, "a", 8, NOW + MINUTE, 2)
    assert len(canned.bodies) == 2


def test_the_pauses_between_tries_are_the_callers_to_make(ask: Any) -> None:
    pauses: list[float] = []
    store, _ = ask(_cancelled("TransactionConflict", "None"), pause=pauses.append, jitter=lambda limit: limit / 2)
    with pytest.raises(StoreError):
        store.resend(LEASE, pending(), "reply")
    assert pauses == [0.01, 0.02, 0.04, 0.08, 0.16]


def test_a_renewal_overtaken_by_the_end_of_its_event_is_of_a_finished_event(ask: Any) -> None:
    known = {"state": {"S": "RECEIVED"}, "received_at": _number(NOW), "at": _number(NOW), "conversation": {"S": "c"}}
    done = known | {"state": {"S": "DONE"}}
    refused = ["ConditionalCheckFailed", "None"]
    store, _ = ask(_cancelled(*refused, "None", item=known), _cancelled(*refused, item=done))
    assert store.accept(arrival(received_at=NOW + 1, renews=True)) is Acceptance.FINISHED


@pytest.mark.parametrize("shown", [None, {"owner": {"S": "b"}, "lease_until": _number(NOW + 7)}])
def test_a_lease_is_refused_by_what_is_shown_of_its_holder(ask: Any, shown: Any) -> None:
    refused = _fails("ConditionalCheckFailedException")[1] | ({"Item": shown} if shown else {})
    store, _ = ask((400, refused))
    if shown:
        assert store.lease(HANA, "a", NOW, NOW + MINUTE) == Held(NOW + 7)
        return
    with pytest.raises(StoreError, match="does not show who holds user:U1") as caught:
        store.lease(HANA, "a", NOW, NOW + MINUTE)
    assert caught.value.retryable


def test_an_event_that_is_not_shown_may_be_asked_for_again(ask: Any) -> None:
    store, _ = ask(_cancelled("ConditionalCheckFailed", "None", "None"))
    with pytest.raises(StoreError, match="does not show the event e1") as caught:
        store.accept(arrival())
    assert caught.value.retryable


def test_a_conversation_that_stays_busy_is_an_error_that_passes(ask: Any) -> None:
    store, canned = ask(_cancelled("TransactionConflict", "None"))
    with pytest.raises(StoreError, match="the DynamoDB table chats is busy with other writes") as caught:
        store.resend(LEASE, pending(), "reply")
    assert caught.value.retryable
    assert len(canned.bodies) == 6


@pytest.mark.parametrize("second", ["None", "ConditionalCheckFailed", "TransactionConflict"])
def test_the_first_reason_alone_says_that_the_lease_is_lost(ask: Any, second: str) -> None:
    store, _ = ask(_cancelled("ConditionalCheckFailed", second))
    with pytest.raises(LeaseLost):
        store.resend(LEASE, pending(), "reply")


def test_the_second_reason_is_about_the_event(ask: Any) -> None:
    store, _ = ask(_cancelled("None", "ConditionalCheckFailed", "None", item={"state": {"S": "DONE"}}))
    with pytest.raises(StoreError, match="event e1 is DONE"):
        store.resend(LEASE, pending(), "reply")


def test_a_refused_event_says_nothing_while_the_lease_is_uncertain(ask: Any) -> None:
    store, canned = ask(_cancelled("TransactionConflict", "ConditionalCheckFailed", item={"state": {"S": "DONE"}}), OK)
    store.resend(LEASE, pending(), "reply")
    assert len(canned.bodies) == 2


def test_a_transaction_cancelled_for_another_reason_fails(ask: Any) -> None:
    store, canned = ask(_cancelled("None", "ValidationError"))
    with pytest.raises(StoreError) as caught:
        store.resend(LEASE, pending(), "reply")
    assert not caught.value.retryable
    assert len(canned.bodies) == 1


def test_each_call_has_a_token_of_its_own(ask: Any) -> None:
    store, canned = ask(OK)
    store.resend(LEASE, pending(), "reply")
    store.resend(LEASE, pending(), "reply")
    assert len({body["ClientRequestToken"] for body in canned.bodies}) == 2


def test_counters_that_were_not_read_are_read_again(ask: Any) -> None:
    asked = [(f"Q#{n}", "day#2100-01-01") for n in range(3)]
    keys = [{"pk": {"S": f"B#inn#Q#{n}"}, "sk": {"S": "W#day#2100-01-01"}} for n in range(3)]
    read = [key | {"n_tokens": _number(n), "expires_at": _number(NOW + 1)} for n, key in enumerate(keys)]
    left = {"chats": {"Keys": keys[:1] + keys[2:], "ConsistentRead": True}}
    store, canned = ask(
        (200, {"Responses": {"chats": read[1:2]}, "UnprocessedKeys": left}),
        (200, {"Responses": {}, "UnprocessedKeys": left}),
        (200, {"Responses": {"chats": [read[2], read[0]]}, "UnprocessedKeys": {}}),
    )
    assert store.counted("inn", asked, NOW) == [{"tokens": 0}, {"tokens": 1}, {"tokens": 2}]
    asked_for = [body["RequestItems"] for body in canned.bodies]
    assert asked_for == [{"chats": {"Keys": keys, "ConsistentRead": True}}, left, left]


def test_counters_that_cannot_be_read_are_an_error_that_passes(ask: Any) -> None:
    left = {"chats": {"Keys": [{"pk": {"S": "B#inn#push"}, "sk": {"S": "W#day#1"}}]}}
    store, canned = ask((200, {"Responses": {}, "UnprocessedKeys": left}), pause=lambda seconds: None)
    with pytest.raises(StoreError, match="the DynamoDB table chats is busy") as caught:
        store.counted("inn", [("push", "day#1")], NOW)
    assert (caught.value.retryable, len(canned.bodies)) == (True, 6)


def test_messages_that_were_not_deleted_are_deleted_again(ask: Any) -> None:
    keys = [{"pk": {"S": "B#inn#C#user:U1"}, "sk": {"S": f"M#{n}"}} for n in range(2)]
    left = {"chats": [{"DeleteRequest": {"Key": keys[1]}}]}
    store, canned = ask((200, {"Items": keys}), (200, {"UnprocessedItems": left}), (200, {"UnprocessedItems": {}}))
    store.clear(HANA)
    assert canned.bodies[2]["RequestItems"] == left


TEXTS = [
    (
        "ResourceNotFoundException",
        "DynamoDB has no table chats, which BOTKIT_STORE names: correct BOTKIT_STORE, the region, or create the table",
    ),
    (
        "AccessDeniedException",
        "AWS does not allow it on the DynamoDB table chats: give the role read and write rights to the table and "
        "its indexes",
    ),
    (
        "UnrecognizedClientException",
        "AWS does not accept the credentials (UnrecognizedClientException): renew them, or check the function's role",
    ),
    (
        "ExpiredTokenException",
        "AWS does not accept the credentials (ExpiredTokenException): renew them, or check the function's role",
    ),
    ("ValidationException", "DynamoDB refused (ValidationException) on the table chats: no"),
]


@pytest.mark.parametrize(("code", "text"), TEXTS)
def test_what_does_not_pass_by_itself_is_said_with_its_cure(ask: Any, code: str, text: str) -> None:
    store, _ = ask(_fails(code))
    with pytest.raises(StoreError) as caught:
        store.said_by_bot("inn", HANAS_CHAT, "m1")
    assert str(caught.value) == text
    assert not caught.value.retryable
    assert isinstance(caught.value.__cause__, ClientError)


@pytest.mark.parametrize(
    ("code", "status"),
    [
        ("ThrottlingException", 400),
        ("ProvisionedThroughputExceededException", 400),
        ("RequestLimitExceeded", 400),
        ("InternalServerError", 500),
        ("SomethingNew", 503),
    ],
)
def test_what_passes_by_itself_may_be_asked_again(ask: Any, code: str, status: int) -> None:
    store, _ = ask(_fails(code, status))
    with pytest.raises(StoreError) as caught:
        store.said_by_bot("inn", HANAS_CHAT, "m1")
    assert caught.value.retryable


CALLS: dict[str, Callable[[DynamoStore], object]] = {
    "TransactWriteItems": lambda store: store.accept(arrival()),
    "UpdateItem": lambda store: store.lease(HANA, "a", NOW, NOW + MINUTE),
    "Query": lambda store: store.history(HANA, 1, NOW),
    "BatchGetItem": lambda store: store.counted("inn", [("push", "day#1")], NOW),
    "GetItem": lambda store: store.said_by_bot("inn", HANAS_CHAT, "m1"),
}


@pytest.mark.parametrize("operation", CALLS)
def test_every_error_that_aws_declares_is_foreseen(ask: Any, dynamodb_client: DynamoDBClient, operation: str) -> None:
    declared = dynamodb_client.meta.service_model.operation_model(operation).error_shapes
    # These two are answers that the store acts on; they have tests of their own.
    codes = {shape.name for shape in declared} - {"ConditionalCheckFailedException", "TransactionConflictException"}
    store, _ = ask(*map(_fails, codes))
    for _ in codes:
        with pytest.raises(StoreError):
            CALLS[operation](store)


def test_a_table_that_is_not_there_is_named(aws_endpoint: str, kind: str) -> None:
    with (
        closing(DYNAMODB_CLIENTS[kind](aws_endpoint)) as client,
        pytest.raises(StoreError, match="no table nowhere, which BOTKIT_STORE names"),
    ):
        DynamoStore("nowhere", client).accept(arrival())


def test_a_table_is_not_created_twice(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> None:
    with pytest.raises(StoreError, match="ResourceInUseException"):
        create_table(dynamodb_table, dynamodb_client)


# ---------------------------------------------------------------- AWS out of reach


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """An environment that says nothing about AWS."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
    return monkeypatch


def test_without_a_region_the_error_names_the_variable(no_aws: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreError, match="no AWS region for DynamoDB: set AWS_DEFAULT_REGION"):
        DynamoStore("chats")


def test_without_credentials_the_error_says_where_they_come_from(no_aws: pytest.MonkeyPatch) -> None:
    no_aws.setenv("AWS_DEFAULT_REGION", "us-east-1")
    with closing(DynamoStore("chats")) as store, pytest.raises(StoreError) as caught:
        store.accept(arrival())
    assert str(caught.value) == (
        "no AWS credentials for DynamoDB: give the function a role, or set AWS_PROFILE or AWS_ACCESS_KEY_ID "
        "(Unable to locate credentials)"
    )
    assert isinstance(caught.value.__cause__, BotoCoreError)


def test_the_store_goes_where_the_environment_says(
    no_aws: pytest.MonkeyPatch, aws_endpoint: str, dynamodb_table: str, kind: str
) -> None:
    if kind == "botocore":
        no_aws.setenv(*BY_BOTOCORE)
    for name, value in CREDENTIALS.items():
        no_aws.setenv(name, value)
    no_aws.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws_endpoint)
    with closing(DynamoStore(dynamodb_table)) as store:
        assert store.accept(arrival()) is Acceptance.NEW


def test_a_refused_connection_may_be_asked_again(kind: str) -> None:
    with closing(DYNAMODB_CLIENTS[kind](f"http://127.0.0.1:{free_port()}", attempts=1)) as client:
        store = DynamoStore("chats", client)
        with pytest.raises(StoreError, match="DynamoDB does not answer: Could not connect") as caught:
            store.accept(arrival())
        assert caught.value.retryable


NOT_FOUND = "DynamoDB is not found: see that AWS_ENDPOINT_URL, where it is set, is a URL and leads to AWS"


def test_a_broken_endpoint_is_said(no_aws: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        no_aws.setenv(name, value)
    no_aws.setenv("AWS_ENDPOINT_URL_DYNAMODB", "not a url")
    with pytest.raises(StoreError) as caught:
        DynamoStore("chats")
    assert str(caught.value) == NOT_FOUND


@pytest.mark.parametrize("content", [b"[]", b"null", b"\xff", b"<html>Sign in</html>", b"[" * 100_000])
def test_an_answer_that_is_none_of_dynamodb_is_said(content: bytes) -> None:
    with (
        serving(Canned([(200, content)])) as canned,
        closing(lean_dynamodb(canned.url)) as client,
        pytest.raises(StoreError) as caught,
    ):
        DynamoStore("chats", client).said_by_bot("inn", HANAS_CHAT, "m1")
    assert (str(caught.value), caught.value.retryable) == (NOT_FOUND, False)


def test_silence_may_be_asked_again(no_aws: pytest.MonkeyPatch, kind: str) -> None:
    if kind == "botocore":
        no_aws.setenv(*BY_BOTOCORE)
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for name, value in CREDENTIALS.items():
            no_aws.setenv(name, value)
        no_aws.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        client = stack.enter_context(closing(connect(read_timeout=0.05, attempts=1)))
        with pytest.raises(StoreError, match="DynamoDB does not answer: Read timeout") as caught:
            DynamoStore("chats", client).accept(arrival())
        assert caught.value.retryable
