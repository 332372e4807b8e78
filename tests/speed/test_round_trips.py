"""How often an event has AWS, LINE and the model called: exactly as often as its promises take, and no more."""

import json
from collections import Counter
from typing import Any

from benchmarks.versus.events import SECRET, person, webhook
from botkit.line.signature import sign
from tests.speed.town import Service, Town

# The door makes the event durable, in one transaction with its conversation's inbox, and wakes a worker.
ACCEPTED = Counter({"dynamodb.TransactWriteItems": 1, "sqs.SendMessage": 1})
# The worker takes the lease, so that nobody else answers, and reads inbox and history in one query.
TAKEN = Counter({"dynamodb.UpdateItem": 1, "dynamodb.Query": 1})
ASKED = Counter({"openai.chat": 1})
# The answer is fixed before LINE hears it, so that no crash sends two. The write that settles it gives the lease back.
SAID = Counter({"dynamodb.TransactWriteItems": 2, "line.reply": 1})
# Silence is written down once. Then the lease is given back.
SILENT = Counter({"dynamodb.TransactWriteItems": 1, "dynamodb.UpdateItem": 1})


def in_group(event: dict[str, Any]) -> dict[str, Any]:
    """The same message, said in a group."""
    said = json.loads(event["body"])
    source = said["events"][0]["source"]
    source |= {"type": "group", "groupId": "C" + source["userId"][1:]}
    body = json.dumps(said)
    return event | {"body": body, "headers": event["headers"] | {"x-line-signature": sign(SECRET, body.encode())}}


def test_a_message(warm: Service) -> None:
    assert warm.requests(webhook(person(10)).event) == ACCEPTED + TAKEN + ASKED + SAID


def test_a_message_where_much_was_said_before(warm: Service) -> None:
    warm.remember(person(20), 100)
    assert warm.requests(webhook(person(20)).event) == ACCEPTED + TAKEN + ASKED + SAID
    assert len(warm.world.asked()[-1]["messages"]) == 22  # the persona, the window and what was asked


def test_a_burst_is_accepted_message_by_message_and_answered_at_once(warm: Service) -> None:
    burst = [webhook(person(30), text).event for text in ("Is there", "a table", "for two?")]
    assert warm.requests(*burst) == ACCEPTED + ACCEPTED + ACCEPTED + TAKEN + ASKED + SAID


def test_a_command_asks_no_model(warm: Service) -> None:
    assert warm.requests(webhook(person(40), "/help").event) == ACCEPTED + TAKEN + SAID


def test_what_members_of_a_group_say_to_one_another_calls_neither_line_nor_the_model(warm: Service) -> None:
    assert warm.requests(in_group(webhook(person(50)).event)) == ACCEPTED + TAKEN + SILENT


def test_each_process_connects_once_to_each_service_it_speaks_to(town: Town) -> None:
    town.world.reset()
    service = town.service()
    for number in range(20):
        service.serve(webhook(person(60 + number)).event)
    found = {name: count for name, count in town.world.counts().items() if name.endswith(".connections")}
    door = Counter({"dynamodb.connections": 1, "sqs.connections": 1})
    worker = Counter({"dynamodb.connections": 1, "openai.connections": 1, "line.connections": 1})
    assert found == door + worker
