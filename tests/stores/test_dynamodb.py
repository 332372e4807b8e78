"""What is particular to the DynamoDB store: its items, and AWS failing."""

import os
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError, ClientError
from mypy_boto3_dynamodb import DynamoDBClient

from botkit.errors import LeaseLost, StoreError
from botkit.messages import Chat, Message
from botkit.ports import Acceptance, Arrival, Conversation, Lease, Memory, Store, Usage
from botkit.stores.dynamodb import DynamoStore, create_table
from botkit.stores.dynamodb_table import connect
from tests.support.aws import CREDENTIALS, dynamodb, free_port
from tests.support.samples import (
    ANSWER,
    DAY,
    HANA,
    HANAS_CHAT,
    MINUTE,
    NOW,
    arrival,
    memory,
    receive,
    take_lease,
    texts,
)
from tests.support.wire import Canned, Lossy, serving

GROUP = Conversation("inn", "group:C1:U1")
PK = {"S": "B#inn#C#group:C1:U1"}
EVENT_SK = "E#01HX"
POINTER_SK = f"I#00{NOW}#01HX"
LEASE = Lease(HANA, "a", 3, NOW + MINUTE, 1)


@pytest.fixture
def store(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> Iterator[DynamoStore]:
    with closing(DynamoStore(dynamodb_table, dynamodb_client)) as opened:
        yield opened


@pytest.fixture
def items(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> Any:
    """Reads the table as it is: sort key → item without its keys."""

    def read() -> dict[str, dict[str, Any]]:
        found = dynamodb_client.scan(TableName=dynamodb_table, ConsistentRead=True)["Items"]
        return {item["sk"]["S"]: {k: v for k, v in item.items() if k != "sk"} for item in found}

    return read


def _receive(store: Store) -> Lease:
    store.accept(Arrival(GROUP, "01HX", NOW, NOW + 200, NOW + 5200, '{"type":"message"}'))
    return take_lease(store, GROUP)


def _ttl(ms: int) -> dict[str, str]:
    return {"N": str(ms // 1000 + (ms % 1000 > 0))}


# ---------------------------------------------------------------- items


def test_an_arrival_is_an_event_a_pointer_and_a_count(store: DynamoStore, items: Any) -> None:
    store.accept(Arrival(GROUP, "01HX", NOW, NOW + 200, NOW + 5200, '{"type":"message"}'))
    assert items() == {
        EVENT_SK: {
            "pk": PK,
            "ttl": _ttl(NOW + 200 + 7 * DAY),
            "event_id": {"S": "01HX"},
            "state": {"S": "RECEIVED"},
            "at": {"N": str(NOW)},
            "received_at": {"N": str(NOW + 200)},
            "attempts": {"N": "0"},
            "sends": {"N": "0"},
            "body": {"S": '{"type":"message"}'},
        },
        POINTER_SK: {
            "pk": PK,
            "ttl": _ttl(NOW + 200 + 7 * DAY),
            "due_pk": {"S": "inbox"},
            "due_at": {"N": str(NOW + 5200)},
        },
        "META": {"pk": PK, "ttl": _ttl(NOW + 200 + 90 * DAY), "inbox_seq": {"N": "1"}},
    }


def test_a_lease_is_in_the_conversation_item(store: DynamoStore, items: Any) -> None:
    _receive(store)
    assert items()["META"] == {
        "pk": PK,
        "ttl": _ttl(NOW + 90 * DAY),
        "inbox_seq": {"N": "1"},
        "fence": {"N": "1"},
        "owner": {"S": "a"},
        "lease_until": {"N": str(NOW + MINUTE)},
    }


def test_a_lease_given_back_keeps_fence_and_count(store: DynamoStore, items: Any) -> None:
    store.release(_receive(store))
    assert sorted(items()["META"]) == ["fence", "inbox_seq", "pk", "ttl"]


def test_an_attempt_moves_the_pointer(store: DynamoStore, items: Any) -> None:
    store.attempt(_receive(store), "01HX")
    assert items()[POINTER_SK]["due_at"] == {"N": str(NOW + MINUTE)}


def test_an_answer_is_json_beside_its_retry_key_and_usage(store: DynamoStore, items: Any) -> None:
    store.answer(_receive(store), "01HX", ANSWER, usage=Usage("gpt-4.1-mini", 120, 30))
    event = items()[EVENT_SK]
    assert event["answer"] == {"S": '[{"type":"text","text":"三時からです 🏮","quickReply":{"items":[]}}]'}
    assert {name: event[name] for name in ("state", "sends", "fence", "retry_key")} == {
        "state": {"S": "SENDING"},
        "sends": {"N": "1"},
        "fence": {"N": "1"},
        "retry_key": {"S": ANSWER.retry_key},
    }
    assert [event[name] for name in ("model", "input_tokens", "output_tokens")] == [
        {"S": "gpt-4.1-mini"},
        {"N": "120"},
        {"N": "30"},
    ]


def test_messages_sort_by_time_event_and_speaker(store: DynamoStore, items: Any) -> None:
    asked = Memory("01HX", NOW, NOW + DAY + 1, Message("user", "when?", "Hana", 4))
    told = Memory("01HX", NOW, NOW + DAY + 1, Message("assistant", "three"))
    store.answer(_receive(store), "01HX", ANSWER, [asked, told])
    common = {"pk": PK, "ttl": _ttl(NOW + DAY + 1), "expires_at": {"N": str(NOW + DAY + 1)}}
    found = items()
    assert found[f"M#00{NOW}#01HX#0"] == common | {
        "role": {"S": "user"},
        "text": {"S": "when?"},
        "speaker": {"S": "Hana"},
        "tokens": {"N": "4"},
    }
    assert found[f"M#00{NOW}#01HX#1"] == common | {
        "role": {"S": "assistant"},
        "text": {"S": "three"},
        "tokens": {"N": "0"},
    }


@pytest.mark.parametrize(("state", "dropped"), [("DONE", {"body", "answer"}), ("UNDELIVERED", {"body"})])
def test_a_finished_event_drops_its_text_and_its_pointer(
    store: DynamoStore, items: Any, state: str, dropped: set[str]
) -> None:
    lease = _receive(store)
    store.answer(lease, "01HX", ANSWER, usage=Usage("gpt-4.1-mini", 120, 30))
    before = items()
    store.finish(lease, "01HX", state, HANAS_CHAT)
    after = items()
    assert set(before[EVENT_SK]) - set(after[EVENT_SK]) == dropped
    assert after[EVENT_SK]["state"] == {"S": state}
    assert set(before) - set(after) == {POINTER_SK}


def test_the_bots_own_messages_are_found_by_chat(store: DynamoStore, items: Any) -> None:
    lease = _receive(store)
    store.answer(lease, "01HX", ANSWER)
    store.finish(lease, "01HX", "DONE", Chat("group", "C1"), ["461"])
    assert items()["S#461"] == {
        "pk": {"S": "B#inn#G#group:C1"},
        "ttl": _ttl(NOW + MINUTE + 30 * DAY),
        "role": {"S": "assistant"},
        "conversation": {"S": GROUP.id},
    }


def test_ids_are_escaped_in_keys_alone(store: DynamoStore, items: Any) -> None:
    store.accept(arrival("e#1%", conversation=Conversation("inn", "user:U#1")))
    assert items()["E#e%231%25"]["event_id"] == {"S": "e#1%"}
    assert items()["E#e%231%25"]["pk"] == {"S": "B#inn#C#user:U%231"}


def test_the_table_expires_items_and_is_billed_on_demand(dynamodb_table: str, dynamodb_client: DynamoDBClient) -> None:
    table = dynamodb_client.describe_table(TableName=dynamodb_table)["Table"]
    ttl = dynamodb_client.describe_time_to_live(TableName=dynamodb_table)["TimeToLiveDescription"]
    assert table["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST"
    assert ttl == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}


def test_a_store_that_never_read_the_inbox_finds_the_pointer(
    store: DynamoStore, dynamodb_table: str, dynamodb_client: DynamoDBClient, items: Any
) -> None:
    lease = _receive(store)
    store.answer(lease, "01HX", ANSWER)
    DynamoStore(dynamodb_table, dynamodb_client).finish(lease, "01HX", "DONE", HANAS_CHAT)
    assert POINTER_SK not in items()


def test_history_reads_on_past_pages_of_expired_messages(
    store: DynamoStore, dynamodb_table: str, dynamodb_client: DynamoDBClient
) -> None:
    lease = receive(store)
    store.answer(lease, "e1", ANSWER, [memory("old but alive", at=NOW - 1)])
    for n in range(4):  # over 1 MB, the most that one page reads
        big = memory("x" * 300_000, f"gone-{n}", at=NOW + n, expires_at=NOW)
        store.accept(arrival(f"carrier-{n}"))
        store.answer(lease, f"carrier-{n}", None, [big])
    assert texts(store, limit=1) == ["old but alive"]


# ---------------------------------------------------------------- responses that get lost


def _through(lossy: Lossy, table: str) -> tuple[DynamoStore, DynamoDBClient]:
    client = dynamodb(lossy.url)
    return DynamoStore(table, client), client


def test_an_arrival_whose_response_is_lost_is_new(aws_endpoint: str, dynamodb_table: str) -> None:
    with serving(Lossy(aws_endpoint, "TransactWriteItems")) as lossy:
        store, client = _through(lossy, dynamodb_table)
        with closing(client):
            assert store.accept(arrival()) is Acceptance.NEW
            assert lossy.lost == 1
            assert take_lease(store).inbox_seq == 1


def test_an_answer_whose_response_is_lost_is_fixed_once(
    store: DynamoStore, aws_endpoint: str, dynamodb_table: str
) -> None:
    lease = receive(store)
    with serving(Lossy(aws_endpoint, "TransactWriteItems")) as lossy:
        through, client = _through(lossy, dynamodb_table)
        with closing(client):
            through.answer(lease, "e1", ANSWER, [memory("question")])
            assert lossy.lost == 1
    assert store.pending(lease)[0].sends == 1
    assert texts(store) == ["question"]


def test_a_lease_whose_response_is_lost_is_granted(store: DynamoStore, aws_endpoint: str, dynamodb_table: str) -> None:
    with serving(Lossy(aws_endpoint, "UpdateItem")) as lossy:
        through, client = _through(lossy, dynamodb_table)
        with closing(client):
            lease = receive(through)
            assert lossy.lost == 1
    store.attempt(lease, "e1")


# ---------------------------------------------------------------- AWS refuses


def _cancelled(*codes: str, item: Mapping[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
    reasons = [{"Code": code} | ({"Item": item} if item and code == "ConditionalCheckFailed" else {}) for code in codes]
    return 400, {"__type": "TransactionCanceledException", "Message": "cancelled", "CancellationReasons": reasons}


def _fails(code: str, status: int = 400, message: str = "no") -> tuple[int, dict[str, Any]]:
    return status, {"__type": f"com.amazonaws.dynamodb.v20120810#{code}", "message": message}


OK: tuple[int, dict[str, Any]] = (200, {})


@pytest.fixture
def ask() -> Iterator[Callable[..., tuple[DynamoStore, Canned]]]:
    """Makes a store whose AWS gives the answers it is told to."""
    with ExitStack() as stack:

        def open_store(*answers: tuple[int, Mapping[str, Any]]) -> tuple[DynamoStore, Canned]:
            canned = stack.enter_context(serving(Canned(answers)))
            client = stack.enter_context(closing(dynamodb(canned.url, attempts=1)))
            return DynamoStore("chats", client), canned

        yield open_store


IN_THE_WAY = ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"]


@pytest.mark.parametrize("code", IN_THE_WAY)
def test_a_transaction_that_met_another_is_tried_again(ask: Any, code: str) -> None:
    store, canned = ask(_cancelled("None", "None", code), OK)
    assert store.accept(arrival()) is Acceptance.NEW
    assert len(canned.bodies) == 2


def test_an_update_that_met_a_transaction_is_tried_again(ask: Any) -> None:
    granted = {"Attributes": {"fence": {"N": "8"}, "inbox_seq": {"N": "2"}}}
    store, canned = ask(_fails("TransactionConflictException"), (200, granted))
    assert store.lease(HANA, "a", NOW, NOW + MINUTE) == Lease(HANA, "a", 8, NOW + MINUTE, 2)
    assert len(canned.bodies) == 2


def test_a_renewal_overtaken_by_the_end_of_its_event_is_of_a_finished_event(ask: Any) -> None:
    waiting = {"state": {"S": "RECEIVED"}, "received_at": {"N": str(NOW)}}
    refused = _fails("ConditionalCheckFailedException")[1] | {"Item": waiting | {"state": {"S": "DONE"}}}
    store, _ = ask(_cancelled("ConditionalCheckFailed", "None", "None", item=waiting), (400, refused))
    assert store.accept(arrival(received_at=NOW + 1, renews=True)) is Acceptance.FINISHED


def test_a_conversation_that_stays_busy_is_an_error_that_passes(ask: Any) -> None:
    store, canned = ask(_cancelled("TransactionConflict", "None"))
    with pytest.raises(StoreError, match="the DynamoDB table chats is busy with other writes") as caught:
        store.resend(LEASE, "e1", "reply")
    assert caught.value.retryable
    assert len(canned.bodies) == 6


@pytest.mark.parametrize("second", ["None", "ConditionalCheckFailed", "TransactionConflict"])
def test_the_first_reason_alone_says_that_the_lease_is_lost(ask: Any, second: str) -> None:
    store, _ = ask(_cancelled("ConditionalCheckFailed", second))
    with pytest.raises(LeaseLost):
        store.resend(LEASE, "e1", "reply")


def test_the_second_reason_is_about_the_event(ask: Any) -> None:
    store, _ = ask(_cancelled("None", "ConditionalCheckFailed", item={"state": {"S": "DONE"}, "fence": {"N": "3"}}))
    with pytest.raises(StoreError, match="event e1 is DONE"):
        store.resend(LEASE, "e1", "reply")


def test_a_refused_event_says_nothing_while_the_lease_is_uncertain(ask: Any) -> None:
    store, canned = ask(_cancelled("TransactionConflict", "ConditionalCheckFailed", item={"state": {"S": "DONE"}}), OK)
    store.resend(LEASE, "e1", "reply")
    assert len(canned.bodies) == 2


def test_a_transaction_cancelled_for_another_reason_fails(ask: Any) -> None:
    store, canned = ask(_cancelled("None", "ValidationError"))
    with pytest.raises(StoreError) as caught:
        store.resend(LEASE, "e1", "reply")
    assert not caught.value.retryable
    assert len(canned.bodies) == 1


def test_each_call_has_a_token_of_its_own(ask: Any) -> None:
    store, canned = ask(OK)
    store.resend(LEASE, "e1", "reply")
    store.resend(LEASE, "e1", "reply")
    assert len({body["ClientRequestToken"] for body in canned.bodies}) == 2


def test_keys_that_were_not_read_are_asked_for_again(ask: Any) -> None:
    events = {
        name: {
            "pk": {"S": "B#inn#C#user:U1"},
            "sk": {"S": f"E#{name}"},
            "event_id": {"S": name},
            "state": {"S": "RECEIVED"},
            "body": {"S": "{}"},
            **{number: {"N": str(NOW)} for number in ("at", "received_at")},
            **{number: {"N": "0"} for number in ("attempts", "sends")},
        }
        for name in ("e1", "e2")
    }
    pointers = [{"pk": {"S": "B#inn#C#user:U1"}, "sk": {"S": f"I#00{NOW}#{name}"}} for name in events]
    left = {"chats": {"Keys": [{"pk": {"S": "B#inn#C#user:U1"}, "sk": {"S": "E#e1"}}], "ConsistentRead": True}}
    store, canned = ask(
        (200, {"Items": pointers}),
        (200, {"Responses": {"chats": [events["e2"]]}, "UnprocessedKeys": left}),
        (200, {"Responses": {"chats": [events["e1"]]}, "UnprocessedKeys": {}}),
    )
    assert [event.event_id for event in store.pending(LEASE)] == ["e1", "e2"]
    assert canned.bodies[2]["RequestItems"] == left


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


def test_a_table_that_is_not_there_is_named(dynamodb_client: DynamoDBClient) -> None:
    with pytest.raises(StoreError, match="no table nowhere, which BOTKIT_STORE names"):
        DynamoStore("nowhere", dynamodb_client).accept(arrival())


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
    no_aws: pytest.MonkeyPatch, aws_endpoint: str, dynamodb_table: str
) -> None:
    for name, value in CREDENTIALS.items():
        no_aws.setenv(name, value)
    no_aws.setenv("AWS_ENDPOINT_URL_DYNAMODB", aws_endpoint)
    with closing(DynamoStore(dynamodb_table)) as store:
        assert store.accept(arrival()) is Acceptance.NEW


def test_a_refused_connection_may_be_asked_again() -> None:
    with closing(dynamodb(f"http://127.0.0.1:{free_port()}", attempts=1)) as client:
        store = DynamoStore("chats", client)
        with pytest.raises(StoreError, match="DynamoDB does not answer: Could not connect") as caught:
            store.accept(arrival())
        assert caught.value.retryable


def test_silence_may_be_asked_again(no_aws: pytest.MonkeyPatch) -> None:
    with ExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        for name, value in CREDENTIALS.items():
            no_aws.setenv(name, value)
        no_aws.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{deaf.getsockname()[1]}")
        client = stack.enter_context(closing(connect(read_timeout=0.05, attempts=1)))
        with pytest.raises(StoreError, match="DynamoDB does not answer: Read timeout") as caught:
            DynamoStore("chats", client).accept(arrival())
        assert caught.value.retryable
