"""What is read of a conversation in the DynamoDB table, and how its history is cleared."""

from collections import deque
from collections.abc import Iterator, Sequence
from itertools import islice

from botkit.messages import Message
from botkit.ports import Conversation, Inbox, Lease, Pending
from botkit.stores.dynamodb_items import (
    LAST,
    MESSAGES,
    OVERHEARD,
    PENDING,
    conversation_pk,
    message_of,
    pending_of,
    place_in_time,
    said_at,
)
from botkit.stores.dynamodb_table import Fields, Table
from botkit.stores.values import EVENT_LIFE, PENDING_LIMIT

SPARE = 25
"""Items that an inbox is expected to hold besides its window: META, and the events of a busy conversation."""


def inbox(table: Table, lease: Lease, window: int, now: int, overheard: int) -> Inbox:
    """See `Store.inbox`. One query downwards: events, then META, then messages; another one for what was overheard.

    It sees no single moment: an event that comes meanwhile may be missing, and META already count it.
    """
    pending: deque[Pending] = deque(maxlen=PENDING_LIMIT)  # the newest come first, and make room
    recent: list[Fields] = []
    pk, lowest = conversation_pk(lease.conversation), MESSAGES if window else PENDING
    for item in table.between(pk, lowest, PENDING + LAST, ScanIndexForward=False, Limit=window + SPARE):
        if str(item["sk"]).startswith(PENDING):
            if int(item["received_at"]) > lease.until - EVENT_LIFE:
                pending.append(pending_of(item))
        elif str(item["sk"]).startswith(MESSAGES) and int(item["expires_at"]) > now:
            recent.append(item)
            if len(recent) == window:
                break
    heard = _newest(table, lease.conversation, OVERHEARD, overheard, now)
    return Inbox(tuple(reversed(pending)), tuple(_in_order([*recent, *heard])))


def history(table: Table, conversation: Conversation, limit: int, now: int, overheard: int) -> Sequence[Message]:
    """See `Store.history`. Messages that expired but are still there cost pages, not places."""
    said = _newest(table, conversation, MESSAGES, limit, now)
    return _in_order([*said, *_newest(table, conversation, OVERHEARD, overheard, now)])


def _newest(table: Table, conversation: Conversation, prefix: str, count: int, now: int) -> Iterator[Fields]:
    items = table.between(
        conversation_pk(conversation), prefix, prefix + LAST, ScanIndexForward=False, Limit=max(count, 1)
    )
    return islice((item for item in items if int(item["expires_at"]) > now), count)


def _in_order(items: Sequence[Fields]) -> list[Message]:
    return [message_of(item) for item in sorted(items, key=place_in_time)]


def clear(table: Table, conversation: Conversation, until: int | None = None, user_id: str | None = None) -> None:
    """See `Store.clear`. Not all or nothing: after a StoreError, ask again."""
    items = (item for item in stored(table, conversation) if until is None or said_at(item) <= until)
    delete(table, [item for item in items if user_id is None or item.get("user_id") == user_id])


def stored(table: Table, conversation: Conversation) -> Iterator[Fields]:
    """All messages of the history, overheard ones too, in the order of their keys."""
    return table.between(conversation_pk(conversation), OVERHEARD, MESSAGES + LAST)


def delete(table: Table, items: Sequence[Fields]) -> None:
    """Delete these items."""
    table.delete([{"pk": item["pk"], "sk": item["sk"]} for item in items])
