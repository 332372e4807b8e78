"""Lambda's SQS events, good and hostile."""

import json
from typing import Any

import pytest

from botkit.aws.batch import is_batch, read_batch, write_failures
from botkit.ports import Conversation, Wakeup

# As in AWS Lambda developer guide, "Using Lambda with Amazon SQS" (example standard queue message event).
RECORD: dict[str, Any] = {
    "messageId": "059f36b4-87a3-44ab-83d2-661975830a7d",
    "receiptHandle": "AQEBwJnKyrHigUMZj6rYigCgxlaS3SLy0a...",
    "body": '{"bot":"concierge","conversation":"user:U1"}',
    "attributes": {
        "ApproximateReceiveCount": "1",
        "SentTimestamp": "1545082649183",
        "SenderId": "AIDAIENQZJOLO23YVJ4VO",
        "ApproximateFirstReceiveTimestamp": "1545082649185",
    },
    "messageAttributes": {},
    "md5OfBody": "e4e68fb7bd0e697a0ae8f1bb342846b3",
    "eventSource": "aws:sqs",
    "eventSourceARN": "arn:aws:sqs:us-east-2:123456789012:my-queue",
    "awsRegion": "us-east-2",
}
WAKEUP = Wakeup(RECORD["messageId"], RECORD["receiptHandle"], 1, Conversation("concierge", "user:U1"))


def record(**changed: Any) -> dict[str, Any]:
    return RECORD | changed


def body(**changed: Any) -> str:
    return json.dumps({"bot": "concierge", "conversation": "user:U1"} | changed)


# ---------------------------------------------------------------- which events are batches


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"Records": None},
        {"Records": []},
        {"Records": {}},
        {"Records": "aws:sqs"},
        {"Records": [None, 5, "x", [], {}]},
        {"Records": [{"eventSource": "aws:s3"}]},
        {"Records": [{"EventSource": "aws:sns"}]},
        {"Records": [{"eventSource": ["aws:sqs"]}]},
        {"records": [RECORD]},
        {"botkit": "sweep"},
        {"requestContext": {"http": {"method": "POST"}}, "rawPath": "/line/concierge"},
    ],
)
def test_other_events_are_no_batch(event: dict[str, Any]) -> None:
    assert not is_batch(event)


@pytest.mark.parametrize("records", [[RECORD], [RECORD, RECORD], [None, RECORD], [{"eventSource": "aws:sqs"}]])
def test_messages_of_a_queue_are_a_batch(records: list[Any]) -> None:
    assert is_batch({"Records": records})


# ---------------------------------------------------------------- messages of ours


def test_a_message_is_read() -> None:
    assert read_batch({"Records": [RECORD]}) == ([WAKEUP], [])


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"body": body(conversation="group:C1:U2")}, Conversation("concierge", "group:C1:U2")),
        ({"body": body(conversation="room:R1:?E%3A1")}, Conversation("concierge", "room:R1:?E%3A1")),
        ({"body": body(bot="b" * 32)}, Conversation("b" * 32, "user:U1")),
        ({"body": body(more={"from": "a later botkit"})}, Conversation("concierge", "user:U1")),
        ({"body": f" \n{body()}\t"}, Conversation("concierge", "user:U1")),
    ],
)
def test_what_a_message_names_is_read(changed: dict[str, Any], expected: Conversation) -> None:
    wakeups, strangers = read_batch({"Records": [record(**changed)]})
    assert ([wakeup.conversation for wakeup in wakeups], strangers) == ([expected], [])


def test_the_deliveries_of_a_message_are_counted() -> None:
    ((wakeup,), _) = read_batch({"Records": [record(attributes={"ApproximateReceiveCount": "12"})]})
    assert wakeup.receives == 12


# ---------------------------------------------------------------- and what is none

NO_BODIES: list[Any] = [
    *[None, 5, True, [], {}, {"bot": "concierge", "conversation": "user:U1"}],
    *["", "x", "{", "null", "5", '"x"', "[]", "{}", "\ud800", "[" * 100_000, "9" * 5000],
    *[body()[:-1], f"[{body()}]", json.dumps(body()), "\ufeff" + body()],
    *['{"bot":"concierge"}', '{"conversation":"user:U1"}'],
]
NO_BOTS: list[Any] = [None, 5, [], {}, "", "b" * 33, "a b", "é", "a\n", "\ud800", "\x00"]
NO_CONVERSATIONS: list[Any] = [
    *[None, 5, True, [], ["user:U1"], {}],
    *["", "U1", "user", "user:", ":U1", "User:U1", " user:U1", "channel:U1"],
    *["user:U 1", "user:U1\n", "user:é", "user:\ud800", "user:\x00", "user:" + "U" * 1991],
]
NO_RECEIPTS: list[Any] = [None, 5, [], {}, ""]
NO_ATTRIBUTES: list[Any] = [None, 1, "1", [], {}]
NO_COUNTS: list[Any] = [None, 1, True, ["1"], "", "0", "-1", "+1", " 1", "1.0", "1e3", "one", "１", "1_0", "9" * 5000]
NO_SOURCES: list[Any] = [None, ["aws:sqs"], "", "aws:s3"]
NO_IDS: list[Any] = [None, 5, [], {}, "", " ", "a b", "é", "x" * 101]

STRANGERS: list[dict[str, Any]] = [
    *[{"body": text} for text in NO_BODIES],
    *[{"body": body(bot=name)} for name in NO_BOTS],
    *[{"body": body(conversation=name)} for name in NO_CONVERSATIONS],
    *[{"receiptHandle": receipt} for receipt in NO_RECEIPTS],
    *[{"attributes": attributes} for attributes in NO_ATTRIBUTES],
    *[{"attributes": {"ApproximateReceiveCount": count}} for count in NO_COUNTS],
    *[{"eventSource": source} for source in NO_SOURCES],
]


@pytest.mark.parametrize("changed", STRANGERS, ids=range(len(STRANGERS)))
def test_a_message_that_is_none_of_ours_is_told_by_its_id_and_keeps_no_other_back(changed: dict[str, Any]) -> None:
    event = {"Records": [record(messageId="stranger", **changed), RECORD]}
    assert is_batch(event)
    assert read_batch(event) == ([WAKEUP], ["stranger"])


@pytest.mark.parametrize("missing", ["receiptHandle", "body", "attributes", "eventSource"])
def test_a_message_that_lacks_something_is_none_of_ours(missing: str) -> None:
    lacking = {name: value for name, value in RECORD.items() if name != missing}
    assert read_batch({"Records": [lacking, RECORD]}) == ([WAKEUP], [RECORD["messageId"]])


NOBODIES: list[Any] = [
    *[None, 5, "x", [], {}, [RECORD]],
    *[record(messageId=message_id) for message_id in NO_IDS],
    {name: value for name, value in RECORD.items() if name != "messageId"},
]


@pytest.mark.parametrize("nobody", NOBODIES, ids=range(len(NOBODIES)))
def test_what_has_no_id_of_a_message_cannot_be_handed_back(nobody: Any) -> None:
    assert read_batch({"Records": [nobody, RECORD]}) == ([WAKEUP], [])


# ---------------------------------------------------------------- the answer


def test_failures_are_named_as_lambda_takes_them() -> None:
    assert write_failures(["a", "b"]) == {"batchItemFailures": [{"itemIdentifier": "a"}, {"itemIdentifier": "b"}]}
    assert write_failures(()) == {"batchItemFailures": []}
