"""Lambda's SQS events as wake-ups, and what to answer of those that failed.

Sources: AWS Lambda developer guide, "Using Lambda with Amazon SQS" (the event) and "Reporting batch
item failures" (the answer).
"""

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Final, TypeGuard

from botkit.ports import Conversation, Wakeup

# AWS: a message id has at most 100 characters (SQS developer guide: Amazon SQS queue and message identifiers).
_ID: Final = re.compile(r"[!-~]{1,100}")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}")
# Both are ASCII by their making, and fit a key: DynamoDB takes 2048 bytes (API reference: partition key length).
_BOT: Final = re.compile(r"[!-~]{1,32}")
_CONVERSATION: Final = re.compile(r"(?:user|group|room):[!-~]{1,1990}")


def is_batch(event: Mapping[str, Any]) -> bool:
    """Whether a Lambda event brings messages of an SQS queue."""
    records = event.get("Records")
    return isinstance(records, list) and any(map(_is_message, records))


def read_batch(event: Mapping[str, Any]) -> tuple[list[Wakeup], list[str]]:
    """The wake-ups in an event for which `is_batch` holds, and the ids of messages that are none.

    A record that has no id of a message is in neither: it cannot be handed back, since Lambda takes a
    wrong id for a failure of the whole batch.
    """
    wakeups: list[Wakeup] = []
    strangers: list[str] = []
    for record in event["Records"]:
        if not (isinstance(record, dict) and _fits(record.get("messageId"), _ID)):
            continue
        if wakeup := _wakeup(record):
            wakeups.append(wakeup)
        else:
            strangers.append(record["messageId"])
    return wakeups, strangers


def write_failures(ids: Iterable[str]) -> dict[str, Any]:
    """The answer to a batch: the messages of these ids come again, all others are deleted from the queue.

    Lambda heeds it where the event source mapping has `ReportBatchItemFailures`.
    """
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in ids]}


def _wakeup(record: Mapping[str, Any]) -> Wakeup | None:
    receipt, receives = record.get("receiptHandle"), _receives(record.get("attributes"))
    conversation = _conversation(record.get("body"))
    if not (_is_message(record) and isinstance(receipt, str) and receipt and receives and conversation):
        return None
    return Wakeup(record["messageId"], receipt, receives, conversation)


def _is_message(record: object) -> bool:
    return isinstance(record, dict) and record.get("eventSource") == "aws:sqs"


def _receives(attributes: object) -> int:
    count = attributes.get("ApproximateReceiveCount") if isinstance(attributes, dict) else None
    return int(count) if isinstance(count, str) and _COUNT.fullmatch(count) else 0


def _conversation(body: object) -> Conversation | None:
    """What a body names. Properties beside the two are left to a later botkit, whose messages this one may get."""
    try:
        named = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):
        return None
    if not isinstance(named, dict):
        return None
    bot, conversation = named.get("bot"), named.get("conversation")
    return Conversation(bot, conversation) if _fits(bot, _BOT) and _fits(conversation, _CONVERSATION) else None


def _fits(value: object, form: re.Pattern[str]) -> TypeGuard[str]:
    return isinstance(value, str) and form.fullmatch(value) is not None
